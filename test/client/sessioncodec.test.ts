import { createHash } from "node:crypto";
import test from "ava";
import fc from "fast-check";
import { provider } from "../../hosts/node/provider.js";
import { resumption, type Session } from "../../src/client/index.js";
import { cipherSuite, version } from "../../src/wire/registry.js";

/** Sessions as bytes. */

const { encode, decode } = resumption.calls;

const base: Session = {
  version: version.tls13,
  suite: cipherSuite.TLS_AES_256_GCM_SHA384,
  secret: new Uint8Array(48).fill(1),
  ticket: Uint8Array.of(7, 8, 9),
  ageAdd: 0xfedcba98,
  receivedAt: 1_800_000_000.123,
  until: 1_800_003_600,
  verifiedAt: 1_799_999_999,
  serverName: "server1.tlstaple.test",
  anchor: new Uint8Array(32).fill(2),
  policy: "chain",
  mustStaple: true,
  demanded: {
    stapling: "v2-multi",
    skew: 900,
    allowMissingNextUpdate: true,
    responders: new Uint8Array(64).fill(3),
  },
};

const sessions: Record<string, Session> = {
  whole: base,
  bare: {
    ...base,
    serverName: undefined,
    anchor: undefined,
    policy: "if-present",
    mustStaple: false,
    demanded: { stapling: "off", skew: 0, allowMissingNextUpdate: false, responders: new Uint8Array(0) },
  },
  "TLS 1.2": {
    ...base,
    version: version.tls12,
    suite: cipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    ageAdd: 0,
    policy: "leaf",
  },
  "a long ticket": { ...base, ticket: new Uint8Array(0xffff).fill(5) },
};

const plain = (session: Session | undefined) =>
  JSON.stringify(session, (_, value) => (value instanceof Uint8Array ? [...value] : value));

for (const [title, session] of Object.entries(sessions))
  test(`what was encoded is read as it was: ${title}`, (t) => {
    t.is(plain(decode(provider, encode(provider, session))), plain(session));
  });

test("a skew without end stays as good as one", (t) => {
  const session = { ...base, demanded: { ...base.demanded, skew: Number.POSITIVE_INFINITY } };
  t.true(decode(provider, encode(provider, session))!.demanded.skew > 1e11);
});

/** Bytes whose hash is right. */
function sealed(body: Uint8Array): Uint8Array {
  return Buffer.concat([body, createHash("sha256").update(body).digest()]);
}

const whole = encode(provider, base);
const body = whole.subarray(0, whole.length - 32);

const edited = (edit: (bytes: Buffer) => void) => {
  const copy = Buffer.from(body);
  edit(copy);
  return sealed(copy);
};

test("what no session can be is none, though its hash is right", (t) => {
  t.not(
    decode(
      provider,
      edited(() => undefined),
    ),
    undefined,
  );
  const odd: Record<string, Uint8Array> = {
    "another format": edited((bytes) => bytes.writeUIntBE(bytes[0] + 1, 0, 1)),
    "a version that is not the suite's": edited((bytes) => bytes.writeUInt16BE(version.tls12, 1)),
    "an unknown suite": edited((bytes) => bytes.writeUInt16BE(0x1399, 3)),
    "a secret of another hash": edited((bytes) => bytes.writeUInt16BE(cipherSuite.TLS_AES_128_GCM_SHA256, 3)),
    "an unknown policy": edited((bytes) => bytes.writeUIntBE(3, 5, 1)),
    "an unknown stapling": edited((bytes) => bytes.writeUIntBE(4, 6, 1)),
    "no ticket": encode(provider, { ...base, ticket: new Uint8Array(0) }),
    "half an anchor": encode(provider, { ...base, anchor: new Uint8Array(16) }),
    "half a responder": encode(provider, {
      ...base,
      demanded: { ...base.demanded, responders: new Uint8Array(48) },
    }),
    "bytes too many": sealed(Buffer.concat([body, Buffer.alloc(1)])),
    "bytes too few": sealed(body.subarray(0, -1)),
    nothing: sealed(new Uint8Array(0)),
    "nothing at all": new Uint8Array(0),
  };
  for (const [title, bytes] of Object.entries(odd)) t.is(decode(provider, bytes), undefined, title);
});

test("bytes whose hash is right, whatever they are, are a session or none", (t) => {
  fc.assert(
    fc.property(fc.nat(body.length - 1), fc.nat(255), (at, value) => {
      const session = decode(
        provider,
        edited((bytes) => bytes.writeUIntBE(value, at, 1)),
      );
      return session === undefined || session.secret.length === 48;
    }),
  );
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => decode(provider, bytes) === undefined));
  t.pass();
});
