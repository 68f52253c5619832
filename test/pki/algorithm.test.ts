import test from "ava";
import { bits, explicit, integer, nil, oid, sequence } from "../../certs/der.js";
import { algorithms, hashIdentifier, type KeyType, newKey, pss, pssParameters } from "../../certs/keys.js";
import { readPublicKey, readSignatureAlgorithm } from "../../src/pki/algorithm.js";
import { Der } from "../../src/pki/der.js";
import { everything } from "../../src/pki/everything.js";
import { signatureScheme as s } from "../../src/wire/registry.js";
import { verdict } from "./kit.js";

/** The scheme that an AlgorithmIdentifier stands for; it must be read to its end whatever it is. */
function schemeOf(identifier: Uint8Array): number {
  const der = new Der(undefined, Buffer.concat([identifier, nil]));
  const scheme = readSignatureAlgorithm(der, everything.signatures);
  der.optionalNull();
  der.finish();
  return scheme;
}

test("signature algorithms are known by their OID", (t) => {
  const known: Record<string, number> = {
    "ecdsa-sha256": s.ecdsa_secp256r1_sha256,
    "ecdsa-sha384": s.ecdsa_secp384r1_sha384,
    "ecdsa-sha512": s.ecdsa_secp521r1_sha512,
    "rsa-sha256": s.rsa_pkcs1_sha256,
    "rsa-sha384": s.rsa_pkcs1_sha384,
    "rsa-sha512": s.rsa_pkcs1_sha512,
    "pss-sha256": s.rsa_pss_rsae_sha256,
    "pss-sha384": s.rsa_pss_rsae_sha384,
    "pss-sha512": s.rsa_pss_rsae_sha512,
    ed25519: s.ed25519,
    ed448: s.ed448,
  };
  for (const [name, { identifier }] of Object.entries(algorithms)) {
    t.is(schemeOf(identifier), known[name] ?? 0, name);
  }
});

test("parameters are those of the RFC", (t) => {
  const rsa = oid("1.2.840.113549.1.1.11");
  t.is(schemeOf(sequence(rsa)), s.rsa_pkcs1_sha256, "RFC 4055: NULL may be absent");
  t.is(schemeOf(sequence(rsa, integer(1))), 0);
  t.is(schemeOf(sequence(rsa, nil, nil)), 0);
  t.is(schemeOf(sequence(oid("1.2.840.10045.4.3.2"), nil)), 0);
  t.is(schemeOf(sequence(oid("1.3.101.112"), nil)), 0);
});

const pssOf = (...parts: Buffer[]) => sequence(oid("1.2.840.113549.1.1.10"), sequence(...parts));

test("RSASSA-PSS has one hash throughout, a salt as long, and trailer 1", (t) => {
  const [hash, mask, salt] = pssParameters("sha256", "sha256", 32);
  const trailer = (n: number) => explicit(3, integer(n));
  t.is(schemeOf(pssOf(hash, mask, salt)), s.rsa_pss_rsae_sha256);
  t.is(schemeOf(pssOf(hash, mask, salt, trailer(1))), s.rsa_pss_rsae_sha256, "RFC 4055: 1 may be written");
  t.is(schemeOf(pssOf(hash, mask, salt, trailer(2))), 0);
  t.is(schemeOf(pssOf(hash, mask, salt, trailer(1), trailer(1))), 0);
  t.is(schemeOf(pssOf(hash, mask, explicit(2, integer(20)))), 0);
  t.is(schemeOf(pssOf(hash, mask)), 0);
  t.is(schemeOf(pssOf(hash, salt)), 0);
  t.is(schemeOf(pssOf(mask, salt)), 0);
  t.is(schemeOf(pssOf()), 0);
  t.is(schemeOf(pss("sha256", "sha384").identifier), 0);
  t.is(schemeOf(pss("sha384", "sha384", 32).identifier), 0);
  t.is(schemeOf(pss("sha1", "sha1").identifier), 0);
  const otherMask = explicit(1, sequence(oid("1.2.840.113549.1.1.9"), hashIdentifier("sha256")));
  t.is(schemeOf(pssOf(hash, otherMask, salt)), 0);
  const noNull = sequence(oid("2.16.840.1.101.3.4.2.1"));
  const bare = [explicit(0, noNull), explicit(1, sequence(oid("1.2.840.113549.1.1.8"), noNull)), salt];
  t.is(schemeOf(pssOf(...bare)), s.rsa_pss_rsae_sha256, "RFC 4055: NULL may be absent");
});

function keyVerdict(spki: Uint8Array): string {
  return verdict(() => {
    const der = new Der(undefined, spki);
    readPublicKey(der, everything.keys);
    der.finish();
  });
}

test("the public key is the span in the BIT STRING", (t) => {
  const sizes: [KeyType, string, number][] = [
    ["p256", "p256", 65],
    ["p384", "p384", 97],
    ["ed25519", "ed25519", 32],
    ["p521", "p521", 133],
    ["ed448", "ed448", 57],
    ["rsa2048", "rsa", 270],
  ];
  for (const [type, kind, size] of sizes) {
    const { spki } = newKey(type);
    const key = readPublicKey(new Der(undefined, spki), everything.keys);
    t.is(key.kind, kind as never);
    t.is(key.bytes, spki as Uint8Array);
    t.deepEqual([key.start, key.end], [spki.length - size, spki.length], type);
  }
});

test("keys of other kinds are refused", (t) => {
  for (const type of ["secp256k1", "rsa1024"] as const) {
    t.is(keyVerdict(newKey(type).spki), "CERT_KEY", type);
  }
});

const ec = (curve: Buffer, point: Buffer) => sequence(sequence(oid("1.2.840.10045.2.1"), curve), bits(point));

test("points are uncompressed and of the curve's size", (t) => {
  const p256 = oid("1.2.840.10045.3.1.7");
  const point = (first: number, size: number) => Buffer.alloc(size, 1).fill(first, 0, 1);
  t.is(keyVerdict(ec(p256, point(4, 65))), "good");
  t.is(keyVerdict(ec(p256, point(6, 65))), "CERT_KEY");
  t.is(keyVerdict(ec(p256, point(2, 33))), "CERT_KEY");
  t.is(keyVerdict(ec(p256, point(4, 64))), "CERT_KEY");
  t.is(keyVerdict(ec(p256, point(4, 97))), "CERT_KEY");
  t.is(keyVerdict(ec(oid("1.3.132.0.34"), point(4, 65))), "CERT_KEY");
  t.is(keyVerdict(ec(nil, point(4, 65))), "CERT_KEY");
  t.is(keyVerdict(ec(Buffer.of(), point(4, 65))), "CERT_MALFORMED");
  t.is(keyVerdict(ec(Buffer.concat([p256, nil]), point(4, 65))), "CERT_MALFORMED");
  const edwards = (size: number, ...parameters: Buffer[]) =>
    sequence(sequence(oid("1.3.101.112"), ...parameters), bits(Buffer.alloc(size, 9)));
  t.is(keyVerdict(edwards(32)), "good");
  t.is(keyVerdict(edwards(31)), "CERT_KEY");
  const x25519 = sequence(sequence(oid("1.3.101.110")), bits(Buffer.alloc(32, 4)));
  t.is(keyVerdict(x25519), "CERT_KEY", "as long as an Ed25519 key, but none");
  t.is(keyVerdict(edwards(32, nil)), "CERT_MALFORMED");
});

/** A number of so many bits whose lowest one is set, or not. */
const number = (size: number, odd = true) => (1n << BigInt(size - 1)) | (odd ? 1n : 0n);
const rsa = (...parts: Buffer[]) =>
  sequence(sequence(oid("1.2.840.113549.1.1.1"), nil), bits(sequence(...parts)));

test("RSA moduli have 2048 to 8192 bits, and moduli and exponents are odd", (t) => {
  const verdictOf = (n: bigint, e: bigint | number) => keyVerdict(rsa(integer(n), integer(e)));
  t.is(verdictOf(number(2048), 65537), "good");
  t.is(verdictOf(number(2048), 3), "good");
  t.is(verdictOf(number(8192), number(32)), "good");
  t.is(verdictOf(number(2047), 65537), "CERT_KEY");
  t.is(verdictOf(number(8193), 65537), "CERT_KEY");
  t.is(verdictOf(number(2048, false), 65537), "CERT_KEY");
  t.is(verdictOf(number(2048), 65536), "CERT_KEY");
  t.is(verdictOf(number(2048), 1), "CERT_KEY");
  t.is(verdictOf(number(2048), 0), "CERT_KEY");
  t.is(verdictOf(number(2048), number(33)), "CERT_KEY");
});

test("an RSA key is two positive INTEGERs and no more", (t) => {
  const n = integer(number(2048));
  const e = integer(65537);
  t.is(keyVerdict(rsa(n, e, integer(1))), "CERT_KEY");
  t.is(keyVerdict(rsa(n)), "CERT_KEY");
  const trailing = bits(sequence(n, e), nil);
  t.is(keyVerdict(sequence(sequence(oid("1.2.840.113549.1.1.1"), nil), trailing)), "CERT_KEY");
  const minus = Buffer.concat([Buffer.from("02820100", "hex"), Buffer.alloc(256, 0x81)]);
  t.is(keyVerdict(rsa(minus, e)), "CERT_KEY");
  minus[4] = 0x80;
  t.is(keyVerdict(rsa(minus, e)), "CERT_KEY");
  t.is(keyVerdict(rsa(n, Buffer.from("020183", "hex"))), "CERT_KEY");
  const noNull = sequence(sequence(oid("1.2.840.113549.1.1.1")), bits(sequence(n, e)));
  t.is(keyVerdict(noNull), "CERT_KEY", "RFC 3279 2.3.1 demands the NULL");
});
