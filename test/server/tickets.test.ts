import { createCipheriv, createHash } from "node:crypto";
import test from "ava";
import { NOW } from "../../certs/fixtures.js";
import { TlsServer } from "../../src/server/index.js";
import { version } from "../../src/wire/registry.js";
import { named } from "../faults.js";
import { concat, flip, u8, u16, vec8 } from "../peers/bytes.js";
import { selection, serverDefaults } from "./pair.js";
import { Scripted } from "./scripted.js";

/** Tickets that someone else made who has the key: what they say is read as strictly as if nobody had. */

const ticketKey = { name: Buffer.alloc(16, 1), key: Buffer.alloc(32, 2) };

interface State {
  version: number;
  suite: number;
  ems: number;
  expires: number;
  serverName: string;
  certificate: Buffer;
  secret: Buffer;
}

function encode({ version: spoken, suite, ems, expires, serverName, certificate, secret }: State): Buffer {
  const time = Buffer.alloc(6);
  time.writeUIntBE(expires, 0, 6);
  const name = vec8(Buffer.from(serverName));
  return concat(u16(spoken), u16(suite), u8(ems), time, name, certificate, vec8(secret));
}

const own = createHash("sha256").update(selection("p256").identity.certificates[0]).digest();

function seal(state: Buffer): Buffer {
  const iv = Buffer.alloc(12, 3);
  const cipher = createCipheriv("aes-256-gcm", ticketKey.key, iv);
  cipher.setAAD(ticketKey.name);
  return concat(ticketKey.name, iv, cipher.update(state), cipher.final(), cipher.getAuthTag());
}

for (const [name, only, suite, size] of [
  ["1.2", version.tls12, 0xc02b, 48],
  ["1.3", version.tls13, 0x1301, 32],
] as const) {
  const good: State = {
    version: only,
    suite,
    ems: only === version.tls12 ? 1 : 0,
    expires: NOW + 100,
    serverName: "a.test",
    certificate: own,
    secret: Buffer.alloc(size, 9),
  };

  /** Whether it is taken; if not, the handshake must be a full one. */
  function taken(state: Buffer): boolean {
    const server = new TlsServer({ ...serverDefaults, ticketKeys: [ticketKey] });
    const resume = { ticket: seal(state), secret: good.secret };
    const client = new Scripted(server, { version: only, serverName: "a.test", resume }).hello().complete();
    if (!server.established) throw new Error(`${named(server.fault)}`);
    return client.resumed && server.resumed;
  }
  const says = (change: Partial<State>) => taken(encode({ ...good, ...change }));

  test(`TLS ${name}: what a ticket says must fit`, (t) => {
    t.true(says({}));
    t.true(says({ expires: NOW + 1 }));
    t.true(says({ expires: NOW + 604800 }));
    t.false(says({ expires: NOW }));
    t.false(says({ expires: NOW + 604801 }));
    t.false(says({ version: only === version.tls12 ? version.tls13 : version.tls12 }));
    t.false(says({ suite: 0x1234 }));
    t.false(says({ suite: only === version.tls12 ? 0x1301 : 0xc02c }));
    t.false(says({ serverName: "" }));
    t.false(says({ serverName: "b.test" }));
    t.false(says({ certificate: flip(own, 31) }));
    t.false(says({ certificate: Buffer.alloc(32) }));
    t.false(says({ certificate: Buffer.alloc(0) }), "as tickets once were");
    t.false(says({ secret: good.secret.subarray(1) }));
    t.false(says({ secret: Buffer.alloc(0) }));
    t.false(says({ secret: Buffer.alloc(size === 48 ? 32 : 48, 9) }));
    if (only === version.tls12) t.false(says({ ems: 0 }));
  });

  test(`TLS ${name}: a ticket is read to its end, and not beyond`, (t) => {
    const state = encode(good);
    for (let n = 0; n < state.length; n++) t.false(taken(state.subarray(0, n)), `${n} bytes`);
    t.false(taken(concat(state, u8(0))));
  });
}
