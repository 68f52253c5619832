/** RSA encodings that only the owner of a private key can make, and RSAPublicKeys that are not quite right. */

import { constants, generateKeyPairSync, type KeyObject, privateEncrypt, randomBytes } from "node:crypto";
import test from "ava";
import { parseRsaKey } from "../../../hosts/portable/rsa.js";
import { signatureScheme } from "../../../src/wire/registry.js";
import { der, digest, hex, rsaPublicKey, subjects, verifies } from "../providers.js";

const { provider: reference } = subjects[0];
const message = Buffer.from("what was signed");
const mHash = hex(digest(reference, "sha256", message));

function keyOf(modulusLength: number) {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength });
  return { privateKey, key: publicKey.export({ format: "der", type: "pkcs1" }) };
}

/** The RSA private operation on an encoded message, RFC 8017 5.2.1. */
function raw(key: KeyObject, em: Uint8Array): Uint8Array {
  return privateEncrypt({ key, padding: constants.RSA_NO_PADDING }, em);
}

/** MGF1 with SHA-256, RFC 8017 B.2.1. */
function mgf1(seed: Uint8Array, length: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, i) => {
    return hex(digest(reference, "sha256", seed, Buffer.from([0, 0, 0, i])));
  });
  return Buffer.concat(blocks).subarray(0, length);
}

/** EMSA-PSS of 256 octets, with every part free to be wrong: RFC 8017 9.1.1. */
function pss({
  padding = Buffer.alloc(190),
  separator = 1,
  trailer = 0xbc,
  top = 0,
  salt = Buffer.alloc(32),
} = {}): Buffer {
  const h = hex(digest(reference, "sha256", Buffer.alloc(8), mHash, salt));
  const db = Buffer.concat([padding, Buffer.from([separator]), salt]);
  const mask = mgf1(h, db.length);
  for (let i = 0; i < db.length; i++) db[i] ^= mask[i];
  db[0] = (db[0] & 0x7f) | top;
  return Buffer.concat([db, h, Buffer.from([trailer])]);
}

const { privateKey, key } = keyOf(2048);

for (const { provider } of subjects) {
  const title = (text: string) => `${provider.name}: ${text}`;

  const takes = (em: Uint8Array) =>
    verifies(provider, {
      scheme: signatureScheme.rsa_pss_rsae_sha256,
      kind: "rsa",
      key,
      message,
      signature: raw(privateKey, em),
    });

  test(title("PSS as it should be"), (t) => {
    t.true(takes(pss()));
  });

  test(title("PSS refuses another trailer, RFC 8017 9.1.2 step 4"), (t) => {
    t.false(takes(pss({ trailer: 0xcc })));
  });

  test(title("PSS refuses a set bit above emBits, step 6"), (t) => {
    // with seven zeros behind it, so that the number is smaller than the modulus and nothing else is wrong
    let tried = 0;
    const saltOf = (i: number) => Buffer.alloc(32, i);
    while (pss({ salt: saltOf(tried) })[0] !== 0) tried++;
    t.true(takes(pss({ salt: saltOf(tried) })));
    t.false(takes(pss({ salt: saltOf(tried), top: 0x80 })));
  });

  test(title("PSS refuses padding that is not zero, step 10"), (t) => {
    t.false(takes(pss({ padding: Buffer.alloc(190).fill(1, 100, 101) })));
    t.false(takes(pss({ padding: Buffer.alloc(190).fill(1, 189) })));
    t.false(takes(pss({ padding: Buffer.alloc(190).fill(1, 0, 1) })));
  });

  test(title("PSS refuses another separator, step 10"), (t) => {
    t.false(takes(pss({ separator: 2 })));
    t.false(takes(pss({ separator: 0 })));
  });

  test(title("PSS in a modulus too short for hash and salt, step 3"), (t) => {
    const short = keyOf(512);
    const em = Buffer.concat([Buffer.alloc(63), hex("bc")]);
    const scheme = signatureScheme.rsa_pss_rsae_sha512;
    const signature = raw(short.privateKey, em);
    t.false(verifies(provider, { scheme, kind: "rsa", key: short.key, message, signature }));
  });

  test(title("PKCS#1 in a modulus too short for the digest, RFC 8017 9.2 step 3"), (t) => {
    const short = keyOf(512);
    const info = hex("3051300d060960864801650304020305000440");
    const em = Buffer.concat([info, hex(digest(provider, "sha512", message))]).subarray(-64);
    em[0] = 0;
    const scheme = signatureScheme.rsa_pkcs1_sha512;
    const signature = raw(short.privateKey, em);
    t.false(verifies(provider, { scheme, kind: "rsa", key: short.key, message, signature }));
  });

  test(title("PSS whose message is longer than emBits allow, RFC 8017 8.1.2 step 2c"), (t) => {
    const odd = keyOf(1025);
    for (let i = 0; i < 20; i++) {
      const signature = randomBytes(129);
      signature[0] = 0;
      const scheme = signatureScheme.rsa_pss_rsae_sha256;
      t.false(verifies(provider, { scheme, kind: "rsa", key: odd.key, message, signature }));
    }
  });
}

test("RSAPublicKey is strict DER, RFC 8017 A.1.1", (t) => {
  const good = rsaPublicKey("c5", "03");
  const parse = (bytes: Uint8Array) => parseRsaKey(bytes, 0, bytes.length);
  const integers = (...texts: string[]) => der(0x30, Buffer.concat(texts.map((text) => der(2, hex(text)))));
  t.deepEqual(parse(good), { modulus: 0xc5n, exponent: 3n, bits: 8 });
  t.deepEqual(parse(integers("00c5", "03")), parse(good));
  const bad = [
    Buffer.concat([good, hex("00")]),
    integers("00c5", "03", "05"),
    integers("00c5"),
    integers("c5", "03"),
    integers("00c5", "83"),
    integers("0000c5", "03"),
    integers("00c5", "0003"),
    integers("", "03"),
    der(0x31, good.subarray(2)),
    hex("308006020200c5020103"),
    good.subarray(0, -1),
    hex(""),
  ];
  for (const bytes of bad) t.is(parse(bytes), undefined, bytes.toString());
});
