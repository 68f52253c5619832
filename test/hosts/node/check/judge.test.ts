/** The judge of `check` says of every chain of the fixtures what a client says. */

import test from "ava";
import { chainCases, credential, fixture } from "../../../../certs/fixtures.js";
import { Judge } from "../../../../hosts/node/check/judge.js";
import { type Visit, ways } from "../../../../hosts/node/check/visit.js";
import { faultName } from "../../../../src/wire/index.js";

function visitOf(
  certificates: readonly Buffer[],
  staples: readonly (Buffer | undefined)[],
  way = ways[0],
): Visit {
  return { way, certificates, staples, address: undefined, error: undefined };
}

const named = (fault: number | undefined) => (fault === undefined ? "good" : faultName(fault as never));

/** Whoever checks a server asks for a name. */
const cases = chainCases().filter(({ name }) => name !== undefined);

for (const { anchors, chain, expected, id, name } of cases)
  test(`chain ${id}`, (t) => {
    const judge = new Judge({ host: name!, port: 443, ca: anchors });
    const { fault, path } = judge.judge(visitOf(chain, []))["if-present"];
    t.is(named(fault), expected);
    t.is(
      new Set(path.map((der) => der.toString("hex"))).size,
      path.length,
      "a root that is sent stands there once",
    );
  });

const { chain } = credential("p256", "server1");
const judge = new Judge({
  host: "server1.tlstaple.test",
  port: 443,
  ca: [credential("p256", "root").chain[0]],
});
const staple = (holder: string) => fixture(`good/p256/${holder}-ocsp.der`);

test("what each policy says to what is stapled", (t) => {
  const rows: [staples: (Buffer | undefined)[], ...said: string[]][] = [
    [[], "good", "OCSP_STAPLE_MISSING", "OCSP_STAPLE_MISSING"],
    [[staple("server1")], "good", "good", "OCSP_STAPLE_MISSING"],
    [[staple("server1"), staple("intermediate1")], "good", "good", "good"],
    [[undefined, staple("intermediate1")], "good", "OCSP_STAPLE_MISSING", "OCSP_STAPLE_MISSING"],
    [[staple("server2")], "OCSP_WRONG_CERT", "OCSP_WRONG_CERT", "OCSP_WRONG_CERT"],
    [[staple("server1"), staple("server1")], "OCSP_WRONG_CERT", "OCSP_WRONG_CERT", "OCSP_WRONG_CERT"],
    [[Buffer.from("30030a0106", "hex")], "OCSP_NOT_SUCCESSFUL", "OCSP_NOT_SUCCESSFUL", "OCSP_NOT_SUCCESSFUL"],
  ];
  for (const [staples, ...said] of rows)
    for (const way of ways) {
      const { chain: whole, leaf, "if-present": mild } = judge.judge(visitOf(chain, staples, way));
      t.deepEqual(
        [mild, leaf, whole].map(({ fault }) => named(fault)),
        said,
      );
    }
});

test("the path ends with the root, sent or not; what a client needs to keep is told", (t) => {
  for (const sent of [chain, chain.slice(0, 2)]) {
    const { path, store } = judge.judge(visitOf(sent, [staple("server1")])).leaf;
    t.deepEqual(path, chain);
    t.true(store > staple("server1").length && store < 3000);
  }
});
