import test from "ava";
import { Connection } from "../../../hosts/xs/connection.js";
import { Pair } from "../../server/pair.js";

/** The XS command line's connection, over a host that connects to nowhere. */
Object.assign(globalThis, { host: { connect: () => 1, close: () => undefined } });

class Owner {
  ends = 0;
  opened(): void {}
  received(): void {}
  ended(): void {
    this.ends++;
  }
}

test("whatever ends a connection, its client has forgotten all", (t) => {
  const pair = new Pair();
  const { end: client } = pair.client;
  pair.run();
  t.true(client.established);
  const owner = new Owner();
  const connection = new Connection(client, "127.0.0.1", 1, owner);
  t.true(client.cipherIn.bytes.some((byte) => byte !== 0));
  connection.drop();
  connection.drop();
  t.is(owner.ends, 1);
  t.true(client.cipherIn.bytes.every((byte) => byte === 0));
});
