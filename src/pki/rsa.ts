import { faults } from "../wire/fault.js";
import { signatureScheme } from "../wire/registry.js";
import { table } from "../wire/table.js";
import type { KeyRow, SignatureRow, SubjectKey } from "./algorithm.js";
import type { PkiFeature } from "./certificate.js";
import { Der, type Oid, tag } from "./der.js";

const s = signatureScheme;

/** 1.2.840.113549.1.1.8, id-mgf1. */
const mgf1: Oid = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08";

/** Hashes of RSASSA-PSS, 2.16.840.1.101.3.4.2.1 to .3: SHA-256, SHA-384, SHA-512. */
const hashes: readonly Oid[] = Object.freeze([
  "\x60\x86\x48\x01\x65\x03\x04\x02\x01",
  "\x60\x86\x48\x01\x65\x03\x04\x02\x02",
  "\x60\x86\x48\x01\x65\x03\x04\x02\x03",
]);

/** RSA: its keys, and what they may sign certificates and responses with; SHA-1 and MD5 are not in it. */
export const rsa: PkiFeature = Object.freeze({
  rsa: true,
  keys: table<KeyRow>([
    // 1.2.840.113549.1.1.1, rsaEncryption, RFC 3279 2.3.1
    { oid: "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01", read: readKind, check: checkKey },
  ]),
  signatures: table<SignatureRow>([
    // 1.2.840.113549.1.1.11 to .13, sha256- to sha512WithRSAEncryption, RFC 4055 section 5
    { oid: "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b", scheme: s.rsa_pkcs1_sha256, optionalNull: true },
    { oid: "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c", scheme: s.rsa_pkcs1_sha384, optionalNull: true },
    { oid: "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d", scheme: s.rsa_pkcs1_sha512, optionalNull: true },
    // .10, id-RSASSA-PSS
    { oid: "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a", scheme: 0, read: readPss },
  ]),
});

/**
 * RSASSA-PSS-params, RFC 4055 section 3.1: hashAlgorithm [0], maskGenAlgorithm [1] of the same hash,
 * saltLength [2] of the hash's length, as RFC 8446 4.2.3 sets it, trailerField [3] absent or 1. The defaults of the
 * first three stand for SHA-1: what leaves one out is refused.
 */
function readPss(der: Der): number {
  const c = tag.CONSTRUCTED;
  der.enter(tag.SEQUENCE);
  if (der.peek() !== c) return 0;
  const hash = readHash(der);
  if (hash < 0 || der.peek() !== c + 1) return 0;
  if (readMask(der) !== hash) return 0;
  if (der.peek() !== c + 2 || der.explicit(c + 2, tag.INTEGER) !== 32 + 16 * hash) return 0;
  if (der.peek() === c + 3 && der.explicit(c + 3, tag.INTEGER) !== 1) return 0;
  return der.more ? 0 : s.rsa_pss_rsae_sha256 + hash;
}

/** [0] EXPLICIT HashAlgorithm. */
function readHash(der: Der): number {
  const outer = der.enter(tag.CONSTRUCTED);
  const hash = readHashAlgorithm(der);
  der.leave(outer);
  return hash;
}

/** [1] EXPLICIT MaskGenAlgorithm: id-mgf1 with its hash. */
function readMask(der: Der): number {
  const outer = der.enter(tag.CONSTRUCTED + 1);
  const algorithm = der.enter(tag.SEQUENCE);
  const known = der.identifier() === mgf1;
  const hash = readHashAlgorithm(der);
  der.leave(algorithm);
  der.leave(outer);
  return known ? hash : -1;
}

/** An index of `hashes`, or -1. RFC 4055 section 2.1: NULL parameters and none are both accepted. */
function readHashAlgorithm(der: Der): number {
  const outer = der.enter(tag.SEQUENCE);
  const hash = hashes.indexOf(der.identifier());
  der.optionalNull();
  der.leave(outer);
  return hash;
}

/** RFC 3279 2.3.1: the parameters of a key are NULL. */
function readKind(der: Der): "rsa" | undefined {
  const kind = der.peek() === tag.NULL ? "rsa" : undefined;
  der.optionalNull();
  return kind;
}

/**
 * RSAPublicKey, RFC 8017 A.1.1, with an odd modulus of 2048 to 8192 bits and an odd exponent from 3 to 2^32:
 * with a longer one a verification costs as much as a signature.
 */
function checkKey({ bytes, start, end }: SubjectKey): void {
  const der = new Der(faults.CERT_KEY, bytes, start, end);
  der.enter(tag.SEQUENCE);
  passOdd(der, 2048, 8192);
  passOdd(der, 2, 32);
  der.leave(end);
  der.finish();
}

/** Passes over an odd positive INTEGER of so many bits. */
function passOdd(der: Der, least: number, most: number): void {
  const start = der.integer();
  const { bytes, at } = der;
  // An octet that is nothing but the sign has none
  const bits = (at - start) * 8 - Math.clz32(bytes[start]) + 24;
  if (bytes[start] >= 0x80 || bits < least || bits > most || bytes[at - 1] % 2 === 0) throw faults.CERT_KEY;
}
