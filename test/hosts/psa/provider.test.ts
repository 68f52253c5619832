/** PSA Crypto's natives, as they run in the XS host, and their face. The providers' tests run over them too. */

import { constants, generateKeyPairSync, type KeyObject, sign, verify } from "node:crypto";
import test, { type ExecutionContext } from "ava";
import { signer as nodeSigner } from "../../../hosts/node/provider.js";
import { portable } from "../../../hosts/portable/index.js";
import { type PsaNative, psa, signer } from "../../../hosts/psa/index.js";
import { groups } from "../../../src/crypto/groups.js";
import { findScheme, schemes } from "../../../src/crypto/schemes.js";
import { namedGroup, signatureScheme } from "../../../src/wire/registry.js";
import * as rfc from "../../vectors/rfc.js";
import { der, hex, toHex } from "../providers.js";
import { startPsa } from "./remote.js";

const host = await startPsa();
/** For what needs the XS host with PSA Crypto. */
const inXs = (host ? test.serial : test.skip) as typeof test.serial;

/** The value of an expression in XS, where `setUp` has defined a few things. */
const evaluate = (expression: string) => host!.evaluate(expression);

/** The name of the error that an expression throws there. */
const thrown = (expression: string) =>
  evaluate(`(() => { try { ${expression}; return "nothing"; } catch (e) { return e.name; } })()`);

function setUp(): void {
  const key = pairs.p256.publicKey.export({ format: "der", type: "spki" }).subarray(-65);
  const fresh = {
    b: "new Uint8Array(64)",
    nonce: "new Uint8Array(12)",
    h: "new psa.Hash('sha256')",
    a: "new psa.Aead('aes-128-gcm', b, 0, 16)",
    x: "new psa.Exchange(0x1d)",
    v: "new psa.Verification(0x0403)",
    point: `Uint8Array.of(${key.join()})`,
    key: "{ kind: 'p256', bytes: point, start: 0, end: 65 }",
    one: `Uint8Array.of(${"0,".repeat(31)}1)`,
    k: "new psa.PrivateKey('p256', one, 0, 32)",
    // of the right form
    signature: "Uint8Array.of(0x30, 6, 2, 1, 1, 2, 1, 1)",
  };
  for (const [name, value] of Object.entries(fresh)) evaluate(`globalThis.${name} = ${value}`);
}

const pairs = {
  p256: generateKeyPairSync("ec", { namedCurve: "prime256v1" }),
  p384: generateKeyPairSync("ec", { namedCurve: "secp384r1" }),
  p521: generateKeyPairSync("ec", { namedCurve: "secp521r1" }),
  rsa: generateKeyPairSync("rsa", { modulusLength: 2048 }),
};

// ---- What natives refuse

/** Arguments (bytes, start, end) and (out, at) that are refused, by the error. */
const badSpans: Record<string, string[]> = {
  TypeError: [
    ...["undefined", "null", "{}", "'text'", "[1, 2]", "7", "new Uint16Array(8)", "h", "() => 1"].map(
      (bytes) => `${bytes}, 0, 0`,
    ),
    ...["'0'", "null", "undefined", "true", "{}", "1n", "{ valueOf() { return 0; } }"].flatMap((offset) => [
      `b, ${offset}, 0`,
      `b, 0, ${offset}`,
    ]),
  ],
  RangeError: [
    "b, 2, 1",
    "new Uint8Array(0), 0, 1",
    "b.subarray(60), 0, 5",
    "psa.Hash.prototype, 0, 1",
    ...[
      "-1",
      "65",
      "NaN",
      "0.5",
      "Infinity",
      "-Infinity",
      "2**31",
      "2**32",
      "2**32 + 1",
      "2**53",
      "1e300",
    ].flatMap((offset) => [`b, ${offset}, 64`, `b, 0, ${offset}`]),
  ],
};
const badRooms: Record<string, string[]> = {
  TypeError: ["undefined, 0", "'text', 0", "new Uint16Array(64), 0", "b, '0'", "b, undefined", "b, {}"],
  RangeError: [
    "b, -1",
    "b, 33",
    "b, NaN",
    "b, 0.5",
    "b, 2**31 - 1",
    "b, 2**31",
    "b, 2**32",
    "b.subarray(33), 0",
  ],
};

const withSpan = [
  "h.update(SPAN)",
  "v.update(SPAN)",
  "psa.random(SPAN)",
  "psa.hmac('sha256', SPAN, b, 0, 1, b, 0)",
  "psa.hmac('sha256', b, 0, 1, SPAN, b, 0)",
  "new psa.Aead('aes-128-gcm', SPAN)",
  "a.seal(nonce, SPAN, b, 0, 1)",
  "a.seal(nonce, b, 0, 1, SPAN)",
  "a.open(nonce, SPAN, b, 0, 32)",
  "a.open(nonce, b, 0, 1, SPAN)",
  "x.agree(SPAN, b, 0)",
  "new psa.Exchange(0x1d, SPAN)",
  "v.settle(key, SPAN)",
  "new psa.PrivateKey('p256', SPAN)",
];
const withRoom = [
  "h.digest(ROOM)",
  "psa.hmac('sha256', b, 0, 1, b, 0, 1, ROOM)",
  "x.publicKey(ROOM)",
  "x.agree(point, 1, 33, ROOM)",
];

function refuses(t: ExecutionContext, calls: string[], hole: string, bad: Record<string, string[]>): void {
  setUp();
  for (const [error, fillings] of Object.entries(bad))
    for (const filling of fillings)
      for (const call of calls) {
        const expression = call.replace(hole, filling);
        t.is(thrown(expression), error, expression);
      }
}

inXs("spans that are none are refused everywhere", (t) => {
  refuses(t, withSpan, "SPAN", badSpans);
});

inXs("room that is not there is refused everywhere", (t) => {
  refuses(t, withRoom, "ROOM", badRooms);
});

const others: Record<string, string[]> = {
  TypeError: [
    // too few arguments
    ...["new psa.Hash", "new psa.Aead('aes-128-gcm', b, 0)", "new psa.Exchange", "new psa.Exchange(0x1d, b)"],
    ...["h.update(b, 0)", "h.digest(b)", "a.open(nonce, b, 0, 1, b, 0)", "v.settle(key, b, 0)", "psa.hmac()"],
    // of the wrong type
    ...[
      "new psa.Hash({})",
      "new psa.Exchange({})",
      "psa.supports(undefined)",
      "v.settle(undefined, b, 0, 1)",
    ],
    ...[
      "v.settle({}, b, 0, 1)",
      "v.settle({ ...key, bytes: 'text' }, b, 0, 1)",
      "a.seal('n', b, 0, 1, b, 0, 1)",
    ],
    ...["k.sign(0x0403, new psa.Hash('sha384'), b, 0)", "v.settle({ ...key, kind: undefined }, b, 0, 1)"],
    // no instance, or that of another class
    ...[
      "psa.Hash('sha256')",
      "psa.Hash.call(h, 'sha256')",
      "Reflect.construct(psa.Hash, ['sha256'], psa.Aead)",
    ],
    "Reflect.construct(psa.Aead, ['aes-128-gcm', b, 0, 16], psa.Hash)",
    // no key
    ...["new psa.PrivateKey('p256', b, 0, 32)", "new psa.PrivateKey('rsa', b, 0, 64)"],
    ...["new psa.PrivateKey('p256', one, 0, 31)", "new psa.PrivateKey('p384', one, 0, 32)"],
    ...["new psa.PrivateKey('p256', point.fill(255), 0, 32)", "new psa.Exchange(0x17, b, 0, 32)"],
    // over
    ...["a.dispose(); a.dispose(); a.seal(nonce, b, 0, 1, b, 0, 1)", "a.open(nonce, b, 0, 1, b, 0, 32)"],
    ...["x.dispose(); x.dispose(); x.publicKey(b, 0)", "x.agree(b, 0, 32, b, 0)"],
    ...["k.dispose(); k.dispose(); k.sign(0x0403, h, b, 0)", "v.end(); v.update(b, 0, 1)"],
  ],
  RangeError: [
    ...[
      "new psa.Hash('md5')",
      "new psa.Hash('')",
      "new psa.Hash(1)",
      "psa.hmac('SHA256', b, 0, 1, b, 0, 1, b, 0)",
    ],
    ...[
      "new psa.Exchange(0)",
      "new psa.Exchange(-1)",
      "new psa.Exchange(0x6399)",
      "new psa.Exchange('x25519')",
    ],
    ...[
      "new psa.Verification(0x0201)",
      "new psa.Verification(0x0807)",
      "new psa.Aead('aes-128-ccm', b, 0, 16)",
    ],
    ...["new psa.Aead('aes-128-gcm', b, 0, 15)", "new psa.Aead('aes-128-gcm', b, 0, 32)"],
    ...["a.seal(b.subarray(0, 11), b, 0, 1, b, 0, 1)", "a.open(b.subarray(0, 13), b, 0, 1, b, 0, 32)"],
    // no room for the tag
    ...["a.seal(nonce, b, 0, 1, b, 0, 49)", "a.seal(nonce, b, 0, 1, b, 64, 64)"],
    ...["k.sign(0x0403, h, b, 60)", "k.sign(0x0403, h, b, -1)", "k.sign(0x0807, h, b, 0)"],
    ...["new psa.PrivateKey('ed25519', one, 0, 32)", "v.settle({ ...key, end: 66 }, b, 0, 1)"],
    "v.settle({ ...key, start: -1 }, b, 0, 1)",
  ],
  // the engine's word for a host object that is none, or another
  SyntaxError: [
    ...["h.update.call(a, b, 0, 1)", "h.update.call({}, b, 0, 1)", "h.update.call(undefined, b, 0, 1)"],
    ...["psa.Hash.prototype.update(b, 0, 1)", "a.seal.call(x, nonce, b, 0, 1, b, 0, 1)", "x.dispose.call(a)"],
    ...["k.sign.call(a, 0x0403, h, b, 0)", "k.sign(0x0403, a, b, 0)", "k.sign(0x0403, {}, b, 0)"],
    ...["v.end.call(h)", "h.digest.call(v, b, 0)", "Reflect.construct(psa.Hash, ['sha256'], Object)"],
  ],
};

for (const [error, expressions] of Object.entries(others)) {
  inXs(`${error}: other arguments, instances and states that cannot be`, (t) => {
    setUp();
    for (const expression of expressions) t.is(thrown(expression), error, expression);
  });
}

inXs("buffers that were detached or shrunk are refused", (t) => {
  setUp();
  evaluate("globalThis.shrunk = new Uint8Array(new ArrayBuffer(8, { maxByteLength: 64 }), 4, 4)");
  t.is(thrown("h.update(shrunk, 0, 4)"), "nothing");
  t.is(thrown("shrunk.buffer.resize(6); h.update(shrunk, 0, 4)"), "TypeError");
  t.is(thrown("shrunk.buffer.resize(0); h.update(shrunk, 0, 0)"), "TypeError");
  t.is(
    thrown("globalThis.gone = new Uint8Array(8); gone.buffer.transfer(); h.update(gone, 0, 0)"),
    "TypeError",
  );
});

inXs("all kinds of byte arrays are taken, and what was refused leaves no trace", (t) => {
  setUp();
  const kinds = ["b.buffer", "new DataView(b.buffer, 60, 3)", "new Int8Array(3)", "new Uint8ClampedArray(3)"];
  for (const kind of kinds) t.is(thrown(`h.update(${kind}, 0, 3)`), "nothing", kind);
  t.is(thrown("h.update(b, 0, 65)"), "RangeError");
  t.is(thrown("h.update(b, 64, 64)"), "nothing");
  evaluate("h.digest(b, 32)");
  const { provider } = host!;
  const expected = new Uint8Array(32);
  const hash = provider.hash("sha256");
  hash.update(new Uint8Array(12), 0, 12);
  hash.digest(expected, 0);
  t.is(evaluate("b.subarray(32)"), expected.join());
});

inXs("a getter may collect the garbage", (t) => {
  setUp();
  const settle =
    "v.settle({ kind: 'p256', get bytes() { host.collect(); return point; }, start: 0, end: 65 }, signature, 0, 8)";
  t.is(evaluate(settle), "false");
});

inXs("garbage gives its keys back", (t) => {
  setUp();
  for (const make of ["new psa.Exchange(0x1d)", "new psa.Aead('aes-128-gcm', b, 0, 16)"])
    t.is(thrown(`for (let i = 0; i < 200; i++) ${make}`), "nothing", make);
  // later libraries have no limit
  const all = thrown("globalThis.kept = []; for (let i = 0; i < 64; i++) kept.push(new psa.Exchange(0x1d))");
  t.true(all === "Error" || all === "nothing", all);
  t.is(thrown("v.settle(key, signature, 0, signature.length)"), all);
  evaluate("kept = undefined");
  t.is(thrown("v.settle(key, signature, 0, signature.length)"), "nothing");
});

// ---- Verification

inXs("a verification that has ended settles as before", (t) => {
  const { provider } = host!;
  const message = Buffer.from("what was signed");
  const bytes = pairs.p256.publicKey.export({ format: "der", type: "spki" }).subarray(-65);
  const key = { kind: "p256", bytes, start: 0, end: 65 } as const;
  const signature = sign("sha256", message, pairs.p256.privateKey);
  const verification = provider.verification(signatureScheme.ecdsa_secp256r1_sha256);
  verification.update(message, 0, message.length);
  for (let i = 0; i < 3; i++) {
    t.true(verification.settle(key, signature, 0, signature.length));
    t.false(verification.settle(key, signature, 0, signature.length - 1));
    t.false(verification.settle({ ...key, kind: "p384" }, signature, 0, signature.length));
    t.false(verification.settle({ ...key, kind: "rsa" }, signature, 0, signature.length));
    verification.end();
  }
});

inXs("PSS with an RSA key that has no room for the salt is refused", (t) => {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 1024 });
  const { provider } = host!;
  const bytes = publicKey.export({ format: "der", type: "pkcs1" });
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  const signature = sign("sha512", Buffer.from(""), { key: privateKey, padding, saltLength: 62 });
  const verification = provider.verification(signatureScheme.rsa_pss_rsae_sha512);
  t.false(
    verification.settle({ kind: "rsa", bytes, start: 0, end: bytes.length }, signature, 0, signature.length),
  );
});

// ---- Signing

const message = Buffer.from("what is signed");

function signedBy(by: ReturnType<typeof signer>, scheme: number): Uint8Array {
  const out = new Uint8Array(520);
  const signature = by.begin(scheme);
  signature.update(message, 0, 5);
  signature.update(message, 5, message.length);
  return out.slice(3, 3 + signature.sign(out, 3));
}

function nodeVerifies(key: KeyObject, scheme: number, signature: Uint8Array): boolean {
  const { hash, pkcs1, key: kind } = findScheme(scheme)!;
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  return verify(hash, message, { key, ...(kind === "rsa" && !pkcs1 ? pss : {}) }, signature);
}

for (const [kind, { privateKey, publicKey }] of Object.entries(pairs)) {
  inXs(`signs with a ${kind} key, in PKCS#8 and its own form`, (t) => {
    const types = ["pkcs8", kind === "rsa" ? "pkcs1" : "sec1"] as const;
    for (const type of types) {
      const by = host!.signer((privateKey as KeyObject).export({ format: "der", type: type as "pkcs8" }));
      t.deepEqual(by.schemes, nodeSigner(privateKey).schemes);
      for (const scheme of by.schemes)
        t.true(nodeVerifies(publicKey, scheme, signedBy(by, scheme)), `${type} ${scheme}`);
    }
  });
}

inXs("P-521 signatures are DER, whose length takes one octet or two", (t) => {
  const by = host!.signer(pairs.p521.privateKey.export({ format: "der", type: "pkcs8" }));
  const { ecdsa_secp521r1_sha512: scheme } = signatureScheme;
  const forms = new Set<number>();
  for (let i = 0; forms.size < 2 && i < 64; i++) {
    const text = Buffer.from(`what is signed ${i}`);
    const out = new Uint8Array(150);
    const signature = by.begin(scheme);
    signature.update(text, 0, text.length);
    const length = signature.sign(out, 0);
    t.true(verify("sha512", text, pairs.p521.publicKey, out.subarray(0, length)));
    t.is(out[1], 0x81);
    forms.add(length);
  }
  t.is(forms.size, 2, "with 138 and 139 octets, or less");
});

inXs("a signer signs with its own schemes only, until it is disposed of", (t) => {
  const by = host!.signer(pairs.p256.privateKey.export({ format: "der", type: "pkcs8" }));
  for (const scheme of [signatureScheme.ecdsa_secp384r1_sha384, signatureScheme.rsa_pkcs1_sha256, 0])
    t.throws(() => by.begin(scheme), { message: /cannot sign/ });
  by.dispose();
  t.throws(() => signedBy(by, by.schemes[0]), { instanceOf: TypeError });
});

inXs("ECDSA nonces are those of RFC 6979", (t) => {
  const lengths = { p256: 32, p384: 48 };
  for (const { kind, privateKey, r, s } of rfc.ecdsa) {
    const by = host!.signer(sec1(kind as "p256", hex(privateKey), lengths[kind as "p256"]));
    const out = new Uint8Array(104);
    const signature = by.begin(by.schemes[0]);
    signature.update(Buffer.from("sample"), 0, 6);
    const integer = (text: string) => der(2, hex(text.replace(/^(?=[89a-f])/, "00")));
    const expected = der(0x30, Buffer.concat([integer(r), integer(s)]));
    t.is(toHex(out.subarray(0, signature.sign(out, 0))), toHex(expected));
  }
});

const curveOid = { p256: hex("06082a8648ce3d030107"), p384: hex("06052b81040022") };

/** ECPrivateKey, RFC 5915 section 3. */
function sec1(kind: keyof typeof curveOid, scalar: Uint8Array, length = scalar.length): Uint8Array {
  const padded = Buffer.concat([new Uint8Array(length - scalar.length), scalar]);
  return der(0x30, Buffer.concat([hex("020101"), der(0x04, padded), der(0xa0, curveOid[kind])]));
}

/** Natives that are there and do nothing. */
function fake(supported: readonly (string | number)[]): PsaNative {
  class Nothing {}
  const supports = (what: string | number) => supported.includes(what);
  return { Hash: Nothing, PrivateKey: Nothing, Verification: Nothing, supports } as unknown as PsaNative;
}

test("Ed25519 keys are refused", (t) => {
  const key = { kind: "ed25519", bytes: new Uint8Array(32), start: 0, end: 32 } as const;
  t.throws(() => signer(fake([]), psa(fake([])), key), { instanceOf: TypeError, message: /Ed25519/ });
});

// ---- What the library was built to do

test("a provider whose library has all offers what the others do, in the same order, but Ed448", (t) => {
  const ids = schemes.map(({ id }) => id).filter((id) => id !== signatureScheme.ed448);
  const native = fake([...groups, ...ids]);
  const provider = psa(native, { ed25519: () => portable().verification(signatureScheme.ed25519) });
  t.deepEqual(provider.groups, groups);
  t.deepEqual(provider.schemes, ids);
});

test("a provider offers what its library has, in our order", (t) => {
  const { x25519, secp384r1 } = namedGroup;
  const { rsa_pkcs1_sha256, ecdsa_secp256r1_sha256, ed25519 } = signatureScheme;
  const native = fake([
    "chacha20-poly1305",
    "aes-256-gcm",
    secp384r1,
    x25519,
    rsa_pkcs1_sha256,
    ecdsa_secp256r1_sha256,
  ]);
  const provider = psa(native);
  t.deepEqual(provider.aeads, ["aes-256-gcm", "chacha20-poly1305"]);
  t.deepEqual(provider.groups, [x25519, secp384r1]);
  t.deepEqual(provider.schemes, [ecdsa_secp256r1_sha256, rsa_pkcs1_sha256]);
  for (const list of [provider, provider.aeads, provider.groups, provider.schemes])
    t.true(Object.isFrozen(list));
  const key = { kind: "p256", bytes: new Uint8Array(32), start: 0, end: 32 } as const;
  t.deepEqual(signer(native, provider, key).schemes, [ecdsa_secp256r1_sha256]);
  const verification = portable().verification(ed25519);
  const more = psa(native, { ed25519: () => verification });
  t.deepEqual(more.schemes, [ecdsa_secp256r1_sha256, ed25519, rsa_pkcs1_sha256]);
  t.is(more.verification(ed25519), verification);
  t.not(more.verification(rsa_pkcs1_sha256), verification);
});
