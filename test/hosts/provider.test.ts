/** What providers refuse, and that they agree with each other. */

import {
  constants,
  createECDH,
  createHash,
  ECDH,
  generateKeyPairSync,
  type KeyObject,
  sign as nodeSign,
  randomBytes,
} from "node:crypto";
import test from "ava";
import fc from "fast-check";
import { provider as node, signer, X25519Exchange } from "../../hosts/node/provider.js";
import { moreCurves, moreSigner, portable, signer as portableSigner } from "../../hosts/portable/index.js";
import type { AeadAlgorithm, HashAlgorithm, KeyKind, Signer } from "../../src/crypto/provider.js";
import { findScheme, schemes } from "../../src/crypto/schemes.js";
import { hashSize } from "../../src/crypto/suites.js";
import { namedGroup, signatureScheme } from "../../src/wire/registry.js";
import * as rfc from "../vectors/rfc.js";
import {
  agree,
  der,
  digest,
  hex,
  mac,
  open,
  publicKey,
  rsaPublicKey,
  type Signed,
  seal,
  subjects,
  toHex,
  verifies,
} from "./providers.js";

/** Bytes of each AEAD's key. */
const keySize = { "aes-128-gcm": 16, "aes-256-gcm": 32, "chacha20-poly1305": 32 };

const aeads: readonly AeadAlgorithm[] = ["aes-128-gcm", "aes-256-gcm", "chacha20-poly1305"];
const allGroups = [
  namedGroup.x25519,
  namedGroup.secp256r1,
  namedGroup.secp384r1,
  namedGroup.secp521r1,
  namedGroup.x448,
];

/** Bytes of the secret where it is not 32. */
const secretSize: Record<number, number> = {
  [namedGroup.secp384r1]: 48,
  [namedGroup.secp521r1]: 66,
  [namedGroup.x448]: 56,
};

/** A key pair of each kind, made once, and how a certificate holds the public key. */
const pairs = {
  p256: generateKeyPairSync("ec", { namedCurve: "prime256v1" }),
  p384: generateKeyPairSync("ec", { namedCurve: "secp384r1" }),
  p521: generateKeyPairSync("ec", { namedCurve: "secp521r1" }),
  rsa: generateKeyPairSync("rsa", { modulusLength: 2048 }),
  ed25519: generateKeyPairSync("ed25519"),
  ed448: generateKeyPairSync("ed448"),
};

function bitString(kind: KeyKind, key: KeyObject): Uint8Array {
  if (kind === "rsa") return key.export({ format: "der", type: "pkcs1" });
  const size = { p256: 65, p384: 97, p521: 133, ed25519: 32, ed448: 57 }[kind];
  return key.export({ format: "der", type: "spki" }).subarray(-size);
}

function signWith(by: Signer, scheme: number, message: Uint8Array): Uint8Array {
  const out = new Uint8Array(520);
  const signature = by.begin(scheme);
  signature.update(message, 0, message.length >> 1);
  signature.update(message, message.length >> 1, message.length);
  const length = signature.sign(out, 3);
  return out.slice(3, 3 + length);
}

/** A good signature with each scheme and each kind of key that fits it. */
function goodSignatures(message: Uint8Array): Signed[] {
  return (Object.keys(pairs) as KeyKind[]).flatMap((kind) => {
    const { privateKey, publicKey } = pairs[kind];
    const by = signer(privateKey);
    const key = bitString(kind, publicKey);
    return by.schemes.map((scheme) => ({
      scheme,
      kind,
      key,
      message,
      signature: signWith(by, scheme, message),
    }));
  });
}

const message = Buffer.from("what was signed");
/** All of p = 2^448 - 2^224 - 1 but its first octet, little-endian. */
const p448 = `${"ff".repeat(27)}fe${"ff".repeat(27)}`;
/** The RSA modulus. */
const n = Buffer.from(pairs.rsa.publicKey.export({ format: "jwk" }).n!, "base64url");
const good = goodSignatures(message);

/** RSA signatures that begin with a zero, of one scheme each way: one in 256 does. */
const zeroed = good
  .filter(
    ({ scheme }) =>
      scheme === signatureScheme.rsa_pss_rsae_sha256 || scheme === signatureScheme.rsa_pkcs1_sha256,
  )
  .map((signed) => {
    const by = signer(pairs.rsa.privateKey);
    for (let i = 0; ; i++) {
      const text = Buffer.from(`what was signed ${i}`);
      const signature = signWith(by, signed.scheme, text);
      if (signature[0] === 0) return { ...signed, message: text, signature };
    }
  });

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[(at + bytes.length) % bytes.length] ^= 1;
  return copy;
}

for (const { provider, lacks = [], takesRsa = () => true } of subjects) {
  const groups = allGroups.filter((group) => !lacks.includes(group));
  const title = (text: string) => `${provider.name}: ${text}`;

  test(title("a record that was tampered with leaves nothing behind"), (t) => {
    for (const algorithm of aeads) {
      const key = randomBytes(keySize[algorithm]);
      const box = { algorithm, key, nonce: randomBytes(12), aad: randomBytes(5) };
      const plaintext = randomBytes(100);
      const sealed = hex(seal(provider, box, plaintext));
      t.true(open(provider, box, sealed).ok);

      const refused = [
        open(provider, box, flipped(sealed, 0)),
        open(provider, box, flipped(sealed, 99)),
        open(provider, box, flipped(sealed, 100)),
        open(provider, box, flipped(sealed, -1)),
        open(provider, box, sealed.subarray(0, -1)),
        open(provider, box, sealed.subarray(1)),
        open(provider, { ...box, aad: flipped(box.aad, 0) }, sealed),
        open(provider, { ...box, aad: box.aad.subarray(1) }, sealed),
        open(provider, { ...box, nonce: flipped(box.nonce, 11) }, sealed),
        open(provider, { ...box, key: flipped(key, 0) }, sealed),
      ];
      for (const { ok, bytes } of refused) {
        t.false(ok);
        t.true(bytes.every((byte) => byte === 0));
      }
    }
  });

  test(title("a record shorter than a tag does not open"), (t) => {
    for (const algorithm of aeads) {
      const box = {
        algorithm,
        key: new Uint8Array(keySize[algorithm]),
        nonce: hex("00".repeat(12)),
        aad: hex(""),
      };
      for (const length of [0, 1, 15]) t.false(open(provider, box, new Uint8Array(length)).ok);
      t.false(open(provider, box, new Uint8Array(16)).ok);
      t.true(open(provider, box, hex(seal(provider, box, hex("")))).ok);
    }
  });

  test(title("sealing and opening touch nothing around the span"), (t) => {
    for (const algorithm of aeads) {
      const aead = provider.aead(algorithm, new Uint8Array(40), 0, keySize[algorithm]);
      const bytes = new Uint8Array(60).fill(7);
      const nonce = new Uint8Array(12);
      aead.seal(nonce, bytes, 0, 5, bytes, 10, 30);
      t.true(
        bytes.subarray(0, 10).every((byte) => byte === 7) && bytes.subarray(46).every((byte) => byte === 7),
      );
      t.true(aead.open(nonce, bytes, 0, 5, bytes, 10, 46));
      t.true(
        bytes.subarray(0, 30).every((byte) => byte === 7) && bytes.subarray(46).every((byte) => byte === 7),
      );
    }
  });

  test(title("an AEAD has a copy of its key, so that the caller may wipe it"), (t) => {
    for (const algorithm of aeads) {
      const key = randomBytes(keySize[algorithm]);
      const box = { algorithm, key: Uint8Array.from(key), nonce: new Uint8Array(12), aad: hex("") };
      const sealed = hex(seal(provider, box, hex("00")));
      const aead = provider.aead(algorithm, key, 0, key.length);
      key.fill(0);
      t.true(aead.open(box.nonce, sealed, 0, 0, sealed, 0, sealed.length));
    }
  });

  test(title("a disposed AEAD key is of no more use"), (t) => {
    const nonce = new Uint8Array(12);
    for (const algorithm of aeads) {
      const key = randomBytes(keySize[algorithm]);
      const box = { algorithm, key, nonce, aad: hex("") };
      const sealed = hex(seal(provider, box, hex("00")));
      const aead = provider.aead(algorithm, key, 0, key.length);
      aead.dispose();
      let opened = false;
      try {
        opened = aead.open(nonce, sealed, 0, 0, sealed, 0, sealed.length);
      } catch {}
      t.false(opened);
    }
  });

  test(title("every exchange has a key of its own, and both ends agree"), (t) => {
    for (const group of groups) {
      const a = provider.exchange(group);
      const b = provider.exchange(group);
      t.notDeepEqual(publicKey(a), publicKey(b));
      const shared = agree(a, publicKey(b));
      t.is(shared.length, 2 * (secretSize[group] ?? 32));
      t.is(agree(b, publicKey(a)), shared);
      t.not(agree(provider.exchange(group), publicKey(a)), shared);
    }
  });

  test(title("keys of the wrong length are refused"), (t) => {
    for (const group of groups) {
      const exchange = provider.exchange(group);
      const peer = publicKey(provider.exchange(group));
      t.is(agree(exchange, hex("")), "");
      t.is(agree(exchange, peer.subarray(1)), "");
      t.is(agree(exchange, peer.subarray(0, -1)), "");
      t.is(agree(exchange, Buffer.concat([peer, hex("00")])), "");
    }
  });

  // The u coordinates of order 1, 2, 4 and 8 on curve and twist, and those congruent to them
  const smallOrder = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
  ];

  for (const peer of smallOrder) {
    test(title(`X25519 refuses the point of small order ${peer}`), (t) => {
      t.is(agree(provider.exchange(namedGroup.x25519), hex(peer)), "");
    });
  }

  // Those of order 1, 2 and 4 of RFC 7748's other curve, and those congruent to them: 0, 1, p - 1, p, p + 1
  const smallOrder448 = [
    "00".repeat(56),
    `01${"00".repeat(55)}`,
    `fe${p448}`,
    `ff${p448}`,
    `${"00".repeat(28)}${"ff".repeat(28)}`,
  ];

  for (const peer of lacks.includes(namedGroup.x448) ? [] : smallOrder448)
    test(title(`X448 refuses the point of small order ${peer.slice(0, 4)}…${peer.slice(-4)}`), (t) => {
      t.is(agree(provider.exchange(namedGroup.x448), hex(peer)), "");
    });

  test(title("points that are no uncompressed points of the curve are refused"), (t) => {
    for (const [group, curve] of [
      [namedGroup.secp256r1, "prime256v1"],
      [namedGroup.secp384r1, "secp384r1"],
      [namedGroup.secp521r1, "secp521r1"],
    ] as const) {
      const other = createECDH(curve);
      other.generateKeys();
      const exchange = provider.exchange(group);
      const point = other.getPublicKey();
      t.not(agree(exchange, point), "");
      const hybrid = other.getPublicKey(null, "hybrid");
      const foreign = publicKey(
        provider.exchange(group === namedGroup.secp256r1 ? namedGroup.secp384r1 : namedGroup.secp256r1),
      );
      const beyondField = Buffer.concat([hex("04"), Buffer.alloc(point.length - 1, 0xff)]);
      const bad = [
        flipped(point, 1),
        flipped(point, -1),
        flipped(point, 0),
        Buffer.concat([hex("04"), Buffer.alloc(point.length - 1)]),
        beyondField,
        Buffer.alloc(point.length),
        hex("00"),
        other.getPublicKey(null, "compressed"),
        hybrid,
        foreign,
      ];
      for (const peer of bad) t.is(agree(exchange, peer), "", toHex(peer));
    }
  });

  test(title("good signatures verify"), (t) => {
    t.is(good.length, 11);
    for (const signed of good) t.true(verifies(provider, signed), `${signed.kind} ${signed.scheme}`);
  });

  test(title("an ECDSA scheme of certificates goes with every curve"), (t) => {
    for (const [kind, hash, scheme] of [
      ["p256", "sha384", signatureScheme.ecdsa_secp384r1_sha384],
      ["p384", "sha256", signatureScheme.ecdsa_secp256r1_sha256],
      ["p256", "sha512", signatureScheme.ecdsa_secp521r1_sha512],
      ["p384", "sha512", signatureScheme.ecdsa_secp521r1_sha512],
      ["p521", "sha256", signatureScheme.ecdsa_secp256r1_sha256],
      ["p521", "sha384", signatureScheme.ecdsa_secp384r1_sha384],
    ] as const) {
      const signature = nodeSign(hash, message, pairs[kind].privateKey);
      const key = bitString(kind, pairs[kind].publicKey);
      t.true(verifies(provider, { scheme, kind, key, message, signature }));
      t.false(verifies(provider, { scheme, kind, key, message, signature: flipped(signature, -1) }));
      t.false(verifies(provider, { scheme, kind, key, message: flipped(message, 0), signature }));
    }
  });

  test(title("a key verifies as what it is alone"), (t) => {
    const kinds = Object.keys(pairs) as KeyKind[];
    for (const signed of good)
      for (const kind of kinds) t.is(verifies(provider, { ...signed, kind }), kind === signed.kind);
  });

  test(title("P-521 signatures of 138 and 139 bytes have a length of two octets, and no other"), (t) => {
    const lengths = new Set<number>();
    for (let i = 0; lengths.size < 2; i++) {
      const text = Buffer.from(`what was signed ${i}`);
      const signature = nodeSign("sha512", text, pairs.p521.privateKey);
      lengths.add(signature.length);
      const signed = { ...good.find(({ kind }) => kind === "p521")!, message: text, signature };
      t.is(signature[1], 0x81);
      t.true(verifies(provider, signed));
      const short = Buffer.concat([hex("30"), signature.subarray(2)]);
      const long = Buffer.concat([hex("308200"), signature.subarray(2)]);
      for (const other of [short, long]) t.false(verifies(provider, { ...signed, signature: other }));
    }
  });

  test(title("signatures that were tampered with do not verify"), (t) => {
    for (const signed of good) {
      const { signature } = signed;
      const bad: Uint8Array[] = [
        flipped(signature, -1),
        flipped(signature, signature.length >> 1),
        flipped(signature, 0),
        signature.subarray(0, -1),
        signature.subarray(1),
        Buffer.concat([signature, hex("00")]),
        Buffer.concat([hex("00"), signature]),
        new Uint8Array(signature.length),
        hex(""),
      ];
      for (const other of bad) t.false(verifies(provider, { ...signed, signature: other }), signed.kind);
      t.false(verifies(provider, { ...signed, message: flipped(message, 0) }));
      t.false(verifies(provider, { ...signed, message: hex("") }));
    }
  });

  test(title("an RSA signature that begins with zeros is none without them, RFC 8017 8.1.2"), (t) => {
    t.is(zeroed.length, 2);
    for (const signed of zeroed) {
      t.true(verifies(provider, signed));
      t.false(verifies(provider, { ...signed, signature: signed.signature.subarray(1) }), `${signed.scheme}`);
    }
  });

  test(title("a signature of one scheme is none of another"), (t) => {
    for (const signed of good) {
      for (const { id } of schemes) {
        if (id !== signed.scheme)
          t.false(verifies(provider, { ...signed, scheme: id }), `${signed.scheme} ${id}`);
      }
    }
  });

  test(title("malformed keys and keys of another kind are refused"), (t) => {
    for (const signed of good) {
      const { key } = signed;
      const bad = [
        key.subarray(0, -1),
        key.subarray(1),
        Buffer.concat([hex("00"), key]),
        flipped(key, 0),
        new Uint8Array(key.length),
        new Uint8Array(key.length).fill(0xff),
        hex(""),
      ];
      for (const other of bad)
        t.false(verifies(provider, { ...signed, key: other }), `${signed.kind} ${toHex(other)}`);
      for (const kind of Object.keys(pairs) as KeyKind[]) {
        if (kind !== signed.kind)
          t.false(verifies(provider, { ...signed, kind }), `${signed.kind} as ${kind}`);
      }
      const stranger = good.find(({ kind }) => kind !== signed.kind)!;
      t.false(verifies(provider, { ...signed, key: stranger.key, kind: stranger.kind }));
    }
  });

  test(title("keys off the curve, compressed or hybrid verify nothing"), (t) => {
    for (const signed of good.filter(({ kind }) => kind === "p256" || kind === "p384")) {
      const curve = signed.kind === "p256" ? "prime256v1" : "secp384r1";
      const as = (form: "compressed" | "hybrid") =>
        ECDH.convertKey(signed.key, curve, undefined, undefined, form);
      const bad = [
        flipped(signed.key, -1),
        as("compressed"),
        as("hybrid"),
        Buffer.concat([signed.key, hex("00")]),
      ];
      for (const key of bad) t.false(verifies(provider, { ...signed, key: key as Buffer }));
    }
  });

  test(title("several keys may be tried on one message"), (t) => {
    for (const signed of good) {
      const { kind, key, signature } = signed;
      const verification = provider.verification(signed.scheme);
      verification.update(signed.message, 0, signed.message.length);
      const of = (bytes: Uint8Array) => ({ kind, bytes, start: 0, end: bytes.length });
      t.false(verification.settle(of(flipped(key, -2)), signature, 0, signature.length));
      t.true(verification.settle(of(key), signature, 0, signature.length));
      t.false(verification.settle(of(key), flipped(signature, -1), 0, signature.length));
      t.true(verification.settle(of(key), signature, 0, signature.length));
    }
  });

  test(
    title("a verification tells the digest of its message, ended or not, and settles all the same"),
    (t) => {
      for (const { scheme, kind, key, signature, message: signed } of good) {
        const { hash } = findScheme(scheme)!;
        const expected = createHash(hash).update(signed).digest();
        for (const ended of [false, true]) {
          const verification = provider.verification(scheme);
          verification.update(signed, 0, 5);
          verification.update(signed, 5, signed.length);
          if (ended) verification.end();
          for (let i = 0; i < 2; i++) {
            const out = new Uint8Array(70).fill(0xee);
            t.is(verification.digest(out, 3), expected.length, hash);
            t.deepEqual(
              Buffer.from(out),
              Buffer.concat([Buffer.alloc(3, 0xee), expected, out.subarray(3 + expected.length)]),
            );
            t.true(out.subarray(3 + expected.length).every((byte) => byte === 0xee));
          }
          const of = { kind, bytes: key, start: 0, end: key.length };
          t.true(verification.settle(of, signature, 0, signature.length));
        }
      }
    },
  );

  test(title("a key is what its bytes are now, not what they were"), (t) => {
    const signed = good[0];
    const bytes = Uint8Array.from(signed.key);
    const key = { kind: signed.kind, bytes, start: 0, end: bytes.length };
    const settle = () => {
      const verification = provider.verification(signed.scheme);
      verification.update(message, 0, message.length);
      return verification.settle(key, signed.signature, 0, signed.signature.length);
    };
    t.true(settle());
    bytes.set(publicKey(provider.exchange(namedGroup.secp256r1)));
    t.false(settle());
  });

  test(title("ECDSA signatures out of range or not strict DER are refused"), (t) => {
    const signed = good.find(({ kind }) => kind === "p256")!;
    const order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    const int = (text: string) => der(2, hex(text));
    const pair = (r: Uint8Array, s: Uint8Array) => der(0x30, Buffer.concat([r, s]));
    const { signature } = signed;
    const long = Buffer.concat([hex("3081"), signature.subarray(1)]);
    const bad = [
      pair(int("00"), int("00")),
      pair(int("01"), int("00")),
      pair(int("00"), int("01")),
      pair(int(`00${order}`), int("01")),
      pair(int("01"), int(`00${order}`)),
      pair(int("ff"), int("01")),
      pair(hex("0200"), int("01")),
      long,
      Buffer.concat([signature, hex("0500")]),
    ];
    for (const other of bad) t.false(verifies(provider, { ...signed, signature: other }), toHex(other));
  });

  test(title("Ed25519: s beyond the group order is refused"), (t) => {
    const signed = good.find(({ kind }) => kind === "ed25519")!;
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    const s = BigInt(`0x${toHex(Uint8Array.from(signed.signature.subarray(32)).reverse())}`) + order;
    const malleable = Buffer.concat([
      signed.signature.subarray(0, 32),
      hex(s.toString(16).padStart(64, "0")).reverse(),
    ]);
    t.false(verifies(provider, { ...signed, signature: malleable }));
  });

  test(title("an RSA key with another exponent or modulus verifies nothing"), (t) => {
    const rsa = good.find(({ scheme }) => scheme === signatureScheme.rsa_pkcs1_sha256)!;
    const of = (modulus: Uint8Array, exponent: string) =>
      verifies(provider, { ...rsa, key: rsaPublicKey(toHex(modulus), exponent) });
    t.true(of(n, "010001"));
    t.false(of(n, "010003"));
    t.false(of(n, "00"));
    t.false(of(flipped(n, -2), "010001"));
    t.false(of(hex("00"), "010001"));
  });

  test(title("an RSA signature is smaller than the modulus, RFC 8017 5.2.2"), (t) => {
    const key = bitString("rsa", pairs.rsa.publicKey);
    const scheme = signatureScheme.rsa_pkcs1_sha256;
    for (let i = 0; ; i++) {
      const message = Buffer.from(`message ${i}`);
      const s = nodeSign("sha256", message, pairs.rsa.privateKey);
      const congruent = (BigInt(`0x${toHex(s)}`) + BigInt(`0x${toHex(n)}`)).toString(16);
      if (congruent.length > 512) continue;
      t.true(verifies(provider, { scheme, kind: "rsa", key, message, signature: s }));
      t.false(verifies(provider, { scheme, kind: "rsa", key, message, signature: hex(congruent) }));
      break;
    }
  });

  test(title("PSS with a salt of another length is refused"), (t) => {
    for (const saltLength of [0, 20, 31, 33, 222]) {
      const options = { key: pairs.rsa.privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength };
      const signature = nodeSign("sha256", message, options);
      const key = bitString("rsa", pairs.rsa.publicKey);
      const scheme = signatureScheme.rsa_pss_rsae_sha256;
      t.false(verifies(provider, { scheme, kind: "rsa", key, message, signature }), `${saltLength}`);
    }
  });

  test(title("RSA moduli of any length, as PSS encodes in one bit less"), (t) => {
    for (const modulusLength of [1024, 1025, 1026, 1031, 1032, 1033]) {
      const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength });
      const key = bitString("rsa", publicKey);
      const pss = { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
      const made = [
        [signatureScheme.rsa_pss_rsae_sha256, nodeSign("sha256", message, pss)],
        [signatureScheme.rsa_pkcs1_sha256, nodeSign("sha256", message, privateKey)],
      ] as const;
      for (const [scheme, signature] of made) {
        const signed = { scheme, kind: "rsa", key, message, signature } as const;
        t.is(verifies(provider, signed), takesRsa(modulusLength), `${modulusLength}`);
        t.false(verifies(provider, { ...signed, signature: flipped(signature, 9) }), `${modulusLength}`);
      }
    }
  });

  test(title("what does not exist is an error of the caller"), (t) => {
    t.throws(() => provider.exchange(0x6399), { instanceOf: RangeError });
    t.throws(() => provider.verification(0x0201), { instanceOf: RangeError });
  });

  test(title("random fills the span and nothing else"), (t) => {
    const bytes = new Uint8Array(96);
    provider.random(bytes, 16, 80);
    t.true(
      bytes.subarray(0, 16).every((byte) => byte === 0) && bytes.subarray(80).every((byte) => byte === 0),
    );
    t.true(new Set(bytes.subarray(16, 80)).size > 32);
  });
}

const bytes = (maxLength: number) => fc.uint8Array({ maxLength });
const exactly = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

test("providers agree on hashes and HMACs", (t) => {
  const algorithms: HashAlgorithm[] = ["sha1", "sha256", "sha384", "sha512"];
  const property = fc.property(
    fc.constantFrom(...algorithms),
    bytes(200),
    bytes(400),
    (algorithm, key, data) => {
      const [ours, theirs] = subjects.map(({ provider }) => [
        digest(provider, algorithm, key, data),
        mac(provider, algorithm, key, data),
      ]);
      t.deepEqual(ours, theirs);
      t.is(ours[0].length, 2 * hashSize[algorithm]);
    },
  );
  fc.assert(property, { numRuns: 300 });
});

test("what one provider seals the other opens", (t) => {
  const property = fc.property(
    fc.constantFrom(...aeads),
    exactly(32),
    exactly(12),
    bytes(40),
    bytes(2000),
    (algorithm, secret, nonce, aad, plaintext) => {
      const box = { algorithm, key: secret.subarray(0, keySize[algorithm]), nonce, aad };
      const sealed = seal(node, box, plaintext);
      const { ok, bytes: opened } = open(portable(), box, hex(sealed));
      t.is(seal(portable(), box, plaintext), sealed);
      t.true(ok);
      t.is(toHex(opened.subarray(0, plaintext.length)), toHex(plaintext));
    },
  );
  fc.assert(property, { numRuns: 300 });
});

test("providers agree on keys with each other", (t) => {
  for (const group of allGroups) {
    for (let i = 0; i < 5; i++) {
      const a = node.exchange(group);
      const b = moreCurves(portable()).exchange(group);
      const shared = agree(a, publicKey(b));
      t.not(shared, "");
      t.is(agree(b, publicKey(a)), shared);
    }
  }
});

test("providers agree on signatures with some bit flipped", (t) => {
  const property = fc.property(
    fc.constantFrom(...good),
    fc.nat(),
    fc.nat(7),
    fc.boolean(),
    (signed, at, bit, inKey) => {
      const field = inKey ? "key" : "signature";
      const bent = Uint8Array.from(signed[field]);
      bent[at % bent.length] ^= 1 << bit;
      const [ours, theirs] = subjects.map(({ provider }) => verifies(provider, { ...signed, [field]: bent }));
      t.is(ours, theirs, `${signed.kind} ${field} ${at % bent.length} ${bit}`);
    },
  );
  fc.assert(property, { numRuns: 300 });
});

test("a lean portable provider does the same work", (t) => {
  const lean = moreCurves(portable({ lean: true }));
  for (const group of allGroups) {
    const a = lean.exchange(group);
    const b = node.exchange(group);
    t.is(agree(a, publicKey(b)), agree(b, publicKey(a)));
  }
  for (const signed of good) t.true(verifies(lean, signed));
});

test("portable draws its keys from the random source it is given", (t) => {
  let drawn = 0;
  const random = (bytes: Uint8Array, start: number, end: number) => {
    drawn += end - start;
    bytes.fill(0x42, start, end);
  };
  const provider = moreCurves(portable({ random }));
  for (const group of allGroups) {
    t.deepEqual(publicKey(provider.exchange(group)), publicKey(provider.exchange(group)));
  }
  t.is(drawn, 2 * (32 + 48 + 72 + 99 + 56));
});

test("node signs with PEM, DER, encrypted PEM and KeyObject", (t) => {
  const { privateKey, publicKey } = pairs.p256;
  const pkcs8 = { format: "pem", type: "pkcs8" } as const;
  const forms: Signer[] = [
    signer(privateKey),
    signer(privateKey.export(pkcs8)),
    signer(Buffer.from(privateKey.export(pkcs8))),
    signer(privateKey.export({ format: "der", type: "pkcs8" })),
    signer(privateKey.export({ format: "pem", type: "sec1" })),
    signer(privateKey.export({ format: "der", type: "sec1" })),
    signer(privateKey.export({ ...pkcs8, cipher: "aes-256-cbc", passphrase: "secret" }), "secret"),
    signer(
      privateKey.export({ ...pkcs8, format: "der", cipher: "aes-256-cbc", passphrase: "secret" }),
      "secret",
    ),
  ];
  const scheme = signatureScheme.ecdsa_secp256r1_sha256;
  const key = bitString("p256", publicKey);
  for (const by of forms) {
    t.deepEqual(by.schemes, [scheme]);
    const signature = signWith(by, scheme, message);
    t.true(verifies(node, { scheme, kind: "p256", key, message, signature }));
  }
});

test("node reads RSA keys in DER, PKCS#8 and PKCS#1", (t) => {
  const { privateKey } = pairs.rsa;
  for (const type of ["pkcs8", "pkcs1"] as const)
    t.is(signer(privateKey.export({ format: "der", type })).schemes.length, 6);
});

test("node prefers PSS for RSA keys", (t) => {
  const names = ["rsa_pss_rsae_sha256", "rsa_pss_rsae_sha384", "rsa_pss_rsae_sha512"] as const;
  const older = ["rsa_pkcs1_sha256", "rsa_pkcs1_sha384", "rsa_pkcs1_sha512"] as const;
  t.deepEqual(
    signer(pairs.rsa.privateKey).schemes,
    [...names, ...older].map((name) => signatureScheme[name]),
  );
});

test("node says why it cannot sign with a key", (t) => {
  const message = (key: KeyObject | string) => t.throws(() => signer(key))!.message;
  t.regex(message(pairs.p256.publicKey), /private key is needed/);
  t.regex(message(generateKeyPairSync("ec", { namedCurve: "secp256k1" }).privateKey), /secp256k1/);
  t.regex(
    message(generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey),
    /2048 to 4096 bits, not 1024/,
  );
  t.regex(message(generateKeyPairSync("x25519").privateKey), /x25519/);
  t.regex(message(generateKeyPairSync("x448").privateKey), /x448/);
  t.throws(() => signer("no key"));
  t.throws(() => signer(pairs.p256.privateKey).begin(signatureScheme.ed25519), { message: /cannot sign/ });
});

test("the portable signer signs, RFC 6979 and RFC 8032", (t) => {
  for (const { kind, privateKey, r, s } of rfc.ecdsa) {
    const by = portableSigner(kind as "p256", hex(privateKey));
    const integer = (text: string) => der(2, hex(text.replace(/^(?=[89a-f])/, "00")));
    const expected = der(0x30, Buffer.concat([integer(r), integer(s)]));
    t.is(toHex(signWith(by, by.schemes[0], Buffer.from("sample"))), toHex(expected));
  }
  const secret = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
  const by = portableSigner("ed25519", hex(secret));
  t.is(toHex(signWith(by, signatureScheme.ed25519, hex(""))), rfc.ed25519[0].signature);
});

test("the portable signers of P-521 and Ed448 sign what OpenSSL verifies", (t) => {
  const secret = (kind: "p521" | "ed448") =>
    Buffer.from(pairs[kind].privateKey.export({ format: "jwk" }).d!, "base64url");
  for (const kind of ["p521", "ed448"] as const) {
    const by = moreSigner(kind, secret(kind));
    const [scheme] = by.schemes;
    const signature = signWith(by, scheme, message);
    const key = bitString(kind, pairs[kind].publicKey);
    t.true(verifies(node, { scheme, kind, key, message, signature }));
    t.throws(() => by.begin(signatureScheme.ed25519), { message: /cannot sign/ });
    t.throws(() => moreSigner(kind, new Uint8Array(32)), { message: /no private key/ });
  }
  t.throws(() => moreSigner("p521", new Uint8Array(66)), { message: /no private key/ });
});

test("without more curves the portable provider has none of them", (t) => {
  const { groups: few, moreGroups = [], schemes: known } = portable();
  t.false([...few, ...moreGroups].some((id) => id === namedGroup.secp521r1 || id === namedGroup.x448));
  t.false(known.includes(signatureScheme.ed448));
  t.throws(() => portable().exchange(namedGroup.secp521r1), { instanceOf: RangeError });
  t.false(good.filter(({ kind }) => kind === "p521").some((signed) => verifies(portable(), signed)));
});

test("the portable signer refuses what is no private key", (t) => {
  t.throws(() => portableSigner("p256", new Uint8Array(32)), { message: /no private key/ });
  t.throws(() => portableSigner("p256", new Uint8Array(32).fill(0xff)), { message: /no private key/ });
  t.throws(() => portableSigner("p384", new Uint8Array(32).fill(1)), { message: /no private key/ });
  t.throws(() => portableSigner("ed25519", new Uint8Array(31)), { message: /no private key/ });
  const by = portableSigner("p256", new Uint8Array(32).fill(1));
  t.throws(() => by.begin(signatureScheme.ed25519), { message: /cannot sign/ });
});

test("X25519: the public key is not exported from the pair, in which Node 20 may hang", (t) => {
  const { privateKey, publicKey } = generateKeyPairSync("x25519");
  const sealed = Object.create(publicKey, {
    export: {
      value: () => {
        throw new Error("exported");
      },
    },
  });
  const out = new Uint8Array(32);
  t.is(new X25519Exchange({ privateKey, publicKey: sealed }).publicKey(out, 0), 32);
  t.deepEqual(Buffer.from(out), publicKey.export({ type: "spki", format: "der" }).subarray(-32));
});
