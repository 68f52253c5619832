/** A connection has memory only for what is on its way, all of which comes back, wiped, and is nobody else's meanwhile. */
import { randomBytes } from "node:crypto";
import test from "ava";
import fc from "fast-check";
import { credential } from "../../certs/fixtures.js";
import { signer } from "../../hosts/node/provider.js";
import { faults, trustAnchor, wants } from "../../src/client/index.js";
import { Pool, type ServerOptions, TlsServer } from "../../src/server/index.js";
import { contentType, version } from "../../src/wire/registry.js";
import { named } from "../faults.js";
import { identity } from "../peers/identity.js";
import { message } from "../peers/messages.js";
import { engineOf, Ledger } from "./ledger.js";
import { Pair, serverDefaults } from "./pair.js";
import { Scripted } from "./scripted.js";

const sizes = { input: 33792, output: 17408, store: 16384 };
const ticketKeys = [{ name: Buffer.alloc(16, 1), key: Buffer.alloc(32, 2) }];
const { chain, key } = identity("client", "p256");
const trust = [trustAnchor(credential("client", "ca").chain[0])];

test("a pool hands out what came back last, of the size that is asked for", (t) => {
  const pool = new Pool(1000);
  const [a, b, c] = [pool.take(100), pool.take(100), pool.take(200)];
  t.not(a, b);
  for (const each of [a, c, b]) pool.give(each);
  t.is(pool.size, 400);
  t.is(pool.take(100), b);
  t.is(pool.take(100), a);
  t.is(pool.take(200), c);
  t.false([a, b, c].includes(pool.take(100)));
  t.is(pool.size, 0);
});

test("a pool keeps no more than it was told", (t) => {
  const pool = new Pool(250);
  const taken = [pool.take(100), pool.take(100), pool.take(100), pool.take(50)];
  for (const each of taken) pool.give(each);
  t.is(pool.size, 250);
  t.deepEqual([pool.take(100), pool.take(100)], [taken[1], taken[0]]);
  t.is(pool.take(50), taken[3]);
});

for (const [name, only] of [
  ["1.2", version.tls12],
  ["1.3", version.tls13],
] as const) {
  const versions = { minVersion: only, maxVersion: only };

  const open = (ledger: Ledger, options: Partial<ServerOptions> = {}) =>
    new TlsServer({ ...serverDefaults, ticketKeys, buffers: sizes, ...versions, ...options }, ledger);

  /** A connection that is established, and the memory that it has. */
  function connected(options: Partial<ServerOptions> = {}) {
    const ledger = new Ledger();
    const client = new Scripted(open(ledger, options), { version: only }).hello().complete();
    return { ledger, client, server: client.server };
  }

  test(`TLS ${name}: none before the first byte, none between messages, none at rest`, (t) => {
    const ledger = new Ledger();
    const server = open(ledger);
    t.deepEqual(ledger.sizes, []);
    const client = new Scripted(server, { version: only }).hello();
    t.deepEqual(ledger.sizes, [], "while the client's Finished is awaited");
    client.complete();
    t.true(server.established, named(server.fault));
    t.deepEqual(ledger.sizes, []);
    client.record(contentType.application_data, Buffer.from("ping"));
    t.is(client.data.toString(), "ping");
    t.deepEqual(ledger.sizes, []);
    // Or it would be the collector's only with the connection, once the pool has no room for it
    const { reader, writer } = engineOf(server);
    t.deepEqual([reader.bytes.length, writer.bytes.length], [0, 0]);
  });

  test(`TLS ${name}: what waits to be sent is for nobody once the connection is over`, (t) => {
    const { ledger, server } = connected();
    const { plainIn } = server;
    plainIn.advance(4);
    t.deepEqual(ledger.sizes, [sizes.output]);
    server.wipe();
    t.deepEqual(ledger.sizes, []);
  });

  test(`TLS ${name}: what has come of a record is kept, in no more memory than it takes`, (t) => {
    const { ledger, client, server } = connected();
    const data = randomBytes(16000);
    const record = client.write.seal(contentType.application_data, data);
    let at = 0;
    for (const [end, expected] of [
      [1, [2048]],
      [2047, [2048]],
      [2048, [33792]],
      [5000, [33792]],
      [record.length, []],
    ] as const) {
      client.raw(record.subarray(at, end));
      at = end;
      t.deepEqual(ledger.sizes, expected, `${end} bytes of it`);
    }
    t.deepEqual(client.data, data);
    t.is(server.waiting, 0);
  });

  test(`TLS ${name}: what nobody has read or taken is kept`, (t) => {
    const { ledger, client, server } = connected();
    const { cipherIn } = server;
    const record = client.write.seal(contentType.application_data, Buffer.from("ping"));
    cipherIn.bytes.set(record, cipherIn.start);
    cipherIn.advance(record.length);
    while (server.wants & wants.WORK) server.work();
    t.deepEqual(ledger.sizes, [sizes.input]);
    const { plainIn } = server;
    plainIn.bytes.set(Buffer.from("pong"), plainIn.start);
    plainIn.advance(4);
    t.deepEqual(ledger.sizes, [sizes.output, sizes.input]);
    client.pump();
    t.is(client.data.toString(), "pongping");
    t.deepEqual(ledger.sizes, []);
  });

  test(`TLS ${name}: a message after the handshake may be as long as the largest record, again and again`, (t) => {
    const { ledger, client } = connected();
    for (const n of [10, 16384, 1, 16384, 300]) {
      client.data = Buffer.alloc(0);
      const data = randomBytes(n);
      client.record(contentType.application_data, data);
      t.deepEqual(client.data, data);
      t.deepEqual(ledger.sizes, []);
    }
    if (only === version.tls13) client.keyUpdate(true);
    t.deepEqual(ledger.sizes, []);
    t.true(ledger.reused > 5);
  });

  test(`TLS ${name}: half a message that spans records`, (t) => {
    const { ledger, client, server } = connected();
    const hello = message(only === version.tls13 ? 24 : 1, Buffer.alloc(1));
    client.record(contentType.handshake, hello.subarray(0, 2));
    t.deepEqual(ledger.sizes, [2048]);
    t.is(server.waiting, 2);
    server.wipe();
    t.deepEqual(ledger.sizes, []);
  });

  test(`TLS ${name}: a client's certificates have memory while they are judged`, (t) => {
    const ledger = new Ledger();
    const server = open(ledger, { clientAuth: "require", trust });
    const client = new Scripted(server, { version: only }).hello();
    t.deepEqual(ledger.sizes, []);
    client.send(client.certificate(chain));
    t.deepEqual(ledger.sizes, [sizes.store]);
    const owned = { certificates: chain, signer: signer(key) };
    const pair = new Pair(
      {},
      { ...versions, identity: owned },
      open(ledger, { clientAuth: "require", trust }),
    ).run();
    t.true(pair.server.end.established, named(pair.server.end.fault));
    t.deepEqual(ledger.sizes, [sizes.store], "the other one's");
    server.wipe();
    t.deepEqual(ledger.sizes, []);
  });

  test(`TLS ${name}: all of it comes back when the connection ends, wherever that is`, (t) => {
    const ledger = new Ledger();
    const stop = { now: -1 };
    const ends: string[] = [];
    for (stop.now = 0; !ends.includes("never"); stop.now++) {
      let seen = 0;
      // Between the messages, and while one is handled or written
      const onMessage = () => {
        if (seen++ === stop.now) server.wipe();
      };
      const server: TlsServer = open(ledger, { onMessage, clientAuth: "request", trust });
      const owned = { certificates: chain, signer: signer(key) };
      const pair = new Pair({}, { ...versions, identity: owned }, server);
      pair.run();
      ends.push(seen > stop.now ? "within" : "never");
      server.wipe();
      t.deepEqual(ledger.sizes, [], `after message ${stop.now}`);
      t.is(server.cipherIn.end - server.cipherIn.start, 0, "nor is any taken later");
    }
    t.true(ends.length > 8, `${ends.length}`);
  });

  test(`TLS ${name}: a fault's alert has memory until it is taken`, (t) => {
    const { ledger, client, server } = connected();
    server.abort(faults.HANDSHAKE_TIMEOUT);
    t.deepEqual(ledger.sizes, [sizes.output]);
    client.pump();
    t.is(client.alert, 90);
    t.deepEqual(ledger.sizes, []);
    const orderly = connected();
    orderly.server.close();
    orderly.client.pump();
    t.is(orderly.client.alert, 0);
    t.deepEqual(orderly.ledger.sizes, []);
  });

  test(`TLS ${name}: many connections share it, and none sees another's bytes`, (t) => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(3), fc.boolean(), fc.integer({ min: 1, max: 40_000 })), {
          minLength: 4,
          maxLength: 12,
        }),
        fc.integer({ min: 1, max: 20_000 }),
        (turns, chunk) => {
          const ledger = new Ledger();
          const pairs = Array.from({ length: 4 }, () => new Pair({}, versions, open(ledger)).run());
          for (const { server } of pairs) server.chunk = chunk;
          const said = pairs.map(() => ({ client: Buffer.alloc(0), server: Buffer.alloc(0) }));
          for (const [i, up, n] of turns) {
            const data = randomBytes(n);
            const from = up ? "client" : "server";
            said[i][from] = Buffer.concat([said[i][from], data]);
            pairs[i].send(from, data);
          }
          for (const [i, { client, server }] of pairs.entries())
            if (!server.received.equals(said[i].client) || !client.received.equals(said[i].server))
              throw new Error(`connection ${i} reads something else`);
          t.deepEqual(ledger.sizes, []);
        },
      ),
      { numRuns: 30 },
    );
  });

  test(`TLS ${name}: records that wait in several connections at once`, (t) => {
    const ledger = new Ledger();
    const clients = [0, 1, 2].map(() => new Scripted(open(ledger), { version: only }).hello().complete());
    const data = clients.map(() => randomBytes(9000));
    const records = clients.map(({ write }, i) => write.seal(contentType.application_data, data[i]));
    for (let at = 0; at < records[0].length; at += 700)
      for (const [i, client] of clients.entries()) {
        client.raw(records[i].subarray(at, at + 700));
      }
    for (const [i, client] of clients.entries()) t.deepEqual(client.data, data[i]);
    t.deepEqual(ledger.sizes, []);
  });
}
