import test, { type ExecutionContext } from "ava";
import { octets, sequence, tlv } from "../../certs/der.js";
import { extension as der } from "../../certs/extensions.js";
import { TlsServer } from "../../src/server/index.js";
import { extensionType as ext, version } from "../../src/wire/registry.js";
import { concat, u8, u16, vec16 } from "../peers/bytes.js";
import { type Extension, extension } from "../peers/messages.js";
import { accepted, having } from "./greeting.js";
import { selection, serverDefaults } from "./pair.js";
import { type Hello, Scripted } from "./scripted.js";

/** What the server tells its owner of a client's nonce: RFC 6066 section 8, RFC 6961 2.2, RFC 9654 2.1. */

const { tls12, tls13 } = version;
const NONCE = "1.3.6.1.5.5.7.48.1.2";

const request = (extensions: Buffer) => concat(u16(0), vec16(extensions));
const nonced = (fill: number, length = 32) => sequence(der(NONCE, false, octets(Buffer.alloc(length, fill))));
const v1 = (extensions: Buffer) => extension(ext.status_request, u8(1), request(extensions));
const v2 = (...items: [type: number, extensions: Buffer][]) =>
  extension(
    ext.status_request_v2,
    vec16(...items.map(([type, extensions]) => concat(u8(type), vec16(request(extensions))))),
  );

/** The nonce that `select` is told of, in a handshake that must be done; null: none. */
function told(t: ExecutionContext, protocol: number, ...extra: Extension[]): Buffer | null {
  let nonce: Uint8Array | undefined;
  const select = (hello: { nonce: Uint8Array | undefined }) => {
    ({ nonce } = hello);
    return selection("p256");
  };
  accepted(t, { version: protocol, extra }, { select });
  return nonce ? Buffer.from(nonce) : null;
}

const none = Buffer.alloc(0);
const bytes = (fill: number, length = 32) => Buffer.alloc(length, fill);

test("the nonce of the request that is answered", (t) => {
  const all = [v1(nonced(1)), v2([1, nonced(2)], [2, nonced(3)])];
  t.deepEqual(told(t, tls12, v1(nonced(1))), bytes(1));
  t.deepEqual(told(t, tls12, v2([1, nonced(2)])), bytes(2));
  t.deepEqual(told(t, tls12, v2([2, nonced(3)])), bytes(3));
  t.deepEqual(told(t, tls12, ...all), bytes(3));
  t.deepEqual(told(t, tls12, v1(nonced(1)), v2([1, nonced(2)])), bytes(2));
  t.deepEqual(told(t, tls13, v1(nonced(1))), bytes(1));
  t.deepEqual(told(t, tls13, ...all), bytes(1));
  t.is(told(t, tls13, v2([1, nonced(2)])), null);
  t.is(told(t, tls12, v1(nonced(1)), v2([1, none])), null);
  t.is(told(t, tls12), null);
  t.is(told(t, tls12, v1(none)), null);
  t.is(told(t, tls12, extension(ext.status_request, u8(9), request(nonced(1)))), null);
});

test("a nonce has 1 to 128 bytes", (t) => {
  for (const length of [1, 16, 128]) t.deepEqual(told(t, tls12, v1(nonced(5, length))), bytes(5, length));
  for (const length of [0, 129, 200]) t.is(told(t, tls12, v1(nonced(5, length))), null);
});

const unknown = (critical: boolean, length = 2) =>
  der("1.3.6.1.5.5.7.48.1.9", critical, Buffer.alloc(length));
const good = der(NONCE, false, octets(bytes(5)));

test("what stands beside it is ignored, unless it is critical", (t) => {
  t.deepEqual(told(t, tls12, v1(sequence(unknown(false), good))), bytes(5));
  t.deepEqual(told(t, tls12, v1(sequence(good, unknown(false)))), bytes(5));
  t.deepEqual(told(t, tls12, v1(sequence(der(NONCE, true, octets(bytes(5)))))), bytes(5));
  t.is(told(t, tls12, v1(sequence(good, unknown(true)))), null);
  t.is(told(t, tls12, v1(sequence(unknown(false)))), null);
});

const odd: Readonly<Record<string, Buffer>> = {
  garbage: Buffer.from("garbage"),
  "a NULL": Buffer.from("0500", "hex"),
  "a sequence of nothing": sequence(),
  "one byte too few": nonced(5).subarray(0, -1),
  "one byte too many": concat(nonced(5), u8(0)),
  "two nonces": sequence(good, good),
  "a nonce without its OCTET STRING": sequence(der(NONCE, false, bytes(5))),
  "a nonce and more": sequence(der(NONCE, false, concat(octets(bytes(5)), u8(0)))),
  "an INTEGER": sequence(der(NONCE, false, tlv(0x02, bytes(5)))),
  "a length that is not minimal": concat(Buffer.from("308131", "hex"), nonced(5).subarray(2)),
  "too much to look at": sequence(good, unknown(false, 1100)),
  "too many extensions": sequence(
    good,
    ...Array.from({ length: 64 }, (_, i) => der(`1.2.3.${i}`, false, none)),
  ),
};

for (const [name, extensions] of Object.entries(odd))
  test(`no handshake fails for ${name}; it is no nonce`, (t) => {
    for (const protocol of [tls12, tls13]) t.is(told(t, protocol, v1(extensions)), null);
    t.is(told(t, tls12, v2([1, extensions])), null);
    t.is(told(t, tls12, v2([2, extensions])), null);
  });

test("it is a copy, which the next message leaves alone", (t) => {
  let nonce: Uint8Array | undefined;
  const select = (hello: { nonce: Uint8Array | undefined }) => {
    ({ nonce } = hello);
    return selection("p256");
  };
  const server = new TlsServer({ ...serverDefaults, select });
  new Scripted(server, { version: tls12, extra: [v1(nonced(1))] }).hello();
  server.wipe();
  t.deepEqual(Buffer.from(nonce!), bytes(1));
});

test("after a HelloRetryRequest it is there too", (t) => {
  const told: (Uint8Array | undefined)[] = [];
  const select = (hello: { nonce: Uint8Array | undefined }) => {
    told.push(hello.nonce);
    return selection("p256");
  };
  const server = new TlsServer({ ...serverDefaults, select, groups: [23] });
  const withoutShares = having(ext.key_share, vec16())!;
  const edit = (hello: Hello, retried: boolean) => (retried ? hello : withoutShares(hello, false));
  const settings = { version: tls13, groups: [23], extra: [v1(nonced(1))], edit };
  const client = new Scripted(server, settings).hello().hello().complete();
  t.true(client.retried && server.established);
  t.deepEqual(
    told.map((nonce) => Buffer.from(nonce!)),
    [bytes(1)],
  );
});
