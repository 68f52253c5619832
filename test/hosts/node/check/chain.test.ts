import test from "ava";
import { credential } from "../../../../certs/fixtures.js";
import { isInOrder, sentPath } from "../../../../hosts/node/check/chain.js";

const [leaf, intermediate, root] = credential("p256", "server1").chain;
const stranger = credential("p256", "intermediate2").chain[0];
const garbage = Buffer.from("3003020101", "hex");

const chains: readonly (readonly [title: string, chain: Buffer[], inOrder: boolean, path: number])[] = [
  ["nothing", [], true, 0],
  ["one certificate", [leaf], true, 1],
  ["with its CA", [leaf, intermediate], true, 2],
  ["with the root", [leaf, intermediate, root], true, 3],
  ["out of order", [leaf, root, intermediate], false, 1],
  ["with a stranger's CA", [leaf, stranger], false, 1],
  ["with a stranger's CA at the end", [leaf, intermediate, stranger], false, 2],
  ["with what is no certificate", [leaf, garbage], false, 1],
  ["beginning with what is no certificate", [garbage, leaf], false, 1],
];

for (const [title, chain, inOrder, length] of chains)
  test(`a chain: ${title}`, (t) => {
    t.is(isInOrder(chain), inOrder);
    t.deepEqual(sentPath(chain), chain.slice(0, length));
  });
