import type { KeyKind, PublicKey } from "../crypto/provider.js";
import { faults } from "../wire/fault.js";
import { none } from "../wire/reader.js";
import { signatureScheme } from "../wire/registry.js";
import { table } from "../wire/table.js";
import { Der, type Oid, tag } from "./der.js";

const s = signatureScheme;

interface SignatureRow {
  readonly oid: Oid;
  readonly scheme: number;
  /** RFC 4055 section 5: "MUST accept the parameters being absent as well as present". Elsewhere: absent. */
  readonly optionalNull: boolean;
}

function signatureRow(oid: Oid, scheme: number, optionalNull: boolean): SignatureRow {
  return { oid, scheme, optionalNull };
}

/** What may sign a certificate or a response; SHA-1 and MD5 are not in it. RSASSA-PSS is read apart. */
const signatures = table<SignatureRow>([
  // 1.2.840.10045.4.3.2 to .4, ecdsa-with-SHA256 to -SHA512, RFC 5758 3.2
  signatureRow("\x2a\x86\x48\xce\x3d\x04\x03\x02", s.ecdsa_secp256r1_sha256, false),
  signatureRow("\x2a\x86\x48\xce\x3d\x04\x03\x03", s.ecdsa_secp384r1_sha384, false),
  signatureRow("\x2a\x86\x48\xce\x3d\x04\x03\x04", s.ecdsa_secp521r1_sha512, false),
  // 1.2.840.113549.1.1.11 to .13, sha256- to sha512WithRSAEncryption, RFC 4055 section 5
  signatureRow("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b", s.rsa_pkcs1_sha256, true),
  signatureRow("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c", s.rsa_pkcs1_sha384, true),
  signatureRow("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d", s.rsa_pkcs1_sha512, true),
  // 1.3.101.112, id-Ed25519, RFC 8410
  signatureRow("\x2b\x65\x70", s.ed25519, false),
]);

interface PssRow {
  readonly hash: Oid;
  readonly scheme: number;
  readonly saltLength: number;
}

/** RSASSA-PSS by its hash, 2.16.840.1.101.3.4.2.1 to .3; RFC 8446 4.2.3 sets the salt to the hash's length. */
const pssRows = table<PssRow>([
  {
    hash: "\x60\x86\x48\x01\x65\x03\x04\x02\x01",
    scheme: s.rsa_pss_rsae_sha256,
    saltLength: 32,
  },
  {
    hash: "\x60\x86\x48\x01\x65\x03\x04\x02\x02",
    scheme: s.rsa_pss_rsae_sha384,
    saltLength: 48,
  },
  {
    hash: "\x60\x86\x48\x01\x65\x03\x04\x02\x03",
    scheme: s.rsa_pss_rsae_sha512,
    saltLength: 64,
  },
]);

/** 1.2.840.113549.1.1.10, id-RSASSA-PSS; .8, id-mgf1; .1, rsaEncryption. */
const rsassaPss: Oid = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a";
const mgf1: Oid = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08";
const rsaEncryption: Oid = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";
/** 1.2.840.10045.2.1, id-ecPublicKey; 1.2.840.10045.3.1.7, secp256r1; 1.3.132.0.34, secp384r1. */
const ecPublicKey: Oid = "\x2a\x86\x48\xce\x3d\x02\x01";
const secp256r1: Oid = "\x2a\x86\x48\xce\x3d\x03\x01\x07";
const secp384r1: Oid = "\x2b\x81\x04\x00\x22";
/** 1.3.101.112, id-Ed25519. */
const ed25519: Oid = "\x2b\x65\x70";

/**
 * Reads an AlgorithmIdentifier, RFC 5280 4.1.1.2, as a signature algorithm. Returns the SignatureScheme that
 * stands for it, or 0 when it is unknown, refused, or has other parameters than its RFC gives it.
 */
export function readSignatureAlgorithm(der: Der): number {
  const outer = der.enter(tag.SEQUENCE);
  const end = der.end;
  const start = der.oid();
  const scheme = der.is(start, rsassaPss) ? readPss(der) : readPlain(der, start);
  der.at = end;
  der.end = outer;
  return scheme;
}

function readPlain(der: Der, start: number): number {
  for (let i = 0; i < signatures.length; i++) {
    const row = signatures[i];
    if (!der.is(start, row.oid)) continue;
    if (row.optionalNull) der.optionalNull();
    return der.more ? 0 : row.scheme;
  }
  return 0;
}

/**
 * RSASSA-PSS-params, RFC 4055 section 3.1: hashAlgorithm [0], maskGenAlgorithm [1] of the same hash,
 * saltLength [2] of the hash's length, trailerField [3] absent or 1. The defaults of the first three stand
 * for SHA-1: what leaves one out is refused.
 */
function readPss(der: Der): number {
  const c = tag.CONSTRUCTED;
  der.enter(tag.SEQUENCE);
  const row = der.peek() === c ? readHash(der) : undefined;
  if (!row || der.peek() !== c + 1 || readMask(der) !== row) return 0;
  if (der.peek() !== c + 2 || readNumber(der) !== row.saltLength) return 0;
  if (der.peek() === c + 3 && readNumber(der) !== 1) return 0;
  return der.more ? 0 : row.scheme;
}

/** [0] EXPLICIT HashAlgorithm. */
function readHash(der: Der): PssRow | undefined {
  const outer = der.enter(tag.CONSTRUCTED);
  const row = readHashAlgorithm(der);
  der.leave(outer);
  return row;
}

/** [1] EXPLICIT MaskGenAlgorithm: id-mgf1 with its hash. */
function readMask(der: Der): PssRow | undefined {
  const outer = der.enter(tag.CONSTRUCTED + 1);
  const algorithm = der.enter(tag.SEQUENCE);
  const known = der.is(der.oid(), mgf1);
  const row = readHashAlgorithm(der);
  der.leave(algorithm);
  der.leave(outer);
  return known ? row : undefined;
}

/** RFC 4055 section 2.1: NULL parameters and none are both accepted. */
function readHashAlgorithm(der: Der): PssRow | undefined {
  const outer = der.enter(tag.SEQUENCE);
  const start = der.oid();
  let row: PssRow | undefined;
  for (let i = 0; i < pssRows.length; i++) if (der.is(start, pssRows[i].hash)) row = pssRows[i];
  der.optionalNull();
  der.leave(outer);
  return row;
}

/** An EXPLICIT INTEGER, whatever its number. */
function readNumber(der: Der): number {
  const outer = der.enter(der.peek());
  const value = der.small();
  der.leave(outer);
  return value;
}

/** A public key in the making; `bytes[start…end)` are the contents of the SPKI's BIT STRING. */
export class SubjectKey implements PublicKey {
  kind: KeyKind = "p256";
  bytes: Uint8Array = none;
  start = 0;
  end = 0;
}

/**
 * Reads SubjectPublicKeyInfo, RFC 5280 4.1.2.7, into `key`, a span of the bytes read. Throws CERT_KEY for
 * a kind that is not spoken here, or a form or size that is refused; that a point is on its curve is left to
 * the provider.
 */
export function readPublicKey(der: Der, key: SubjectKey): void {
  const outer = der.enter(tag.SEQUENCE);
  key.kind = readKeyKind(der);
  key.bytes = der.bytes;
  key.start = der.octets();
  key.end = der.at;
  der.leave(outer);
  if (key.kind === "rsa") checkRsa(der.bytes, key);
  else checkPoint(key);
}

/** The AlgorithmIdentifier of a key: RFC 3279 2.3.1, RFC 5480 2.1.1 (named curves only), RFC 8410 section 3. */
export function readKeyKind(der: Der): KeyKind {
  const outer = der.enter(tag.SEQUENCE);
  const start = der.oid();
  let kind: KeyKind | undefined;
  if (der.is(start, ecPublicKey)) kind = readCurve(der);
  else if (der.is(start, ed25519)) kind = "ed25519";
  else if (der.is(start, rsaEncryption)) {
    kind = der.peek() === tag.NULL ? "rsa" : undefined;
    der.optionalNull();
  }
  if (!kind) throw faults.CERT_KEY;
  der.leave(outer);
  return kind;
}

/** ECParameters, RFC 5480 2.1.1. */
export function readCurve(der: Der): "p256" | "p384" | undefined {
  const start = der.peek() === tag.OID ? der.oid() : der.skip();
  if (der.is(start, secp256r1)) return "p256";
  return der.is(start, secp384r1) ? "p384" : undefined;
}

/** Uncompressed points only, RFC 8446 4.2.8.2 and RFC 5480 2.2; an Ed25519 key is 32 octets. */
function checkPoint(key: SubjectKey): void {
  const size = key.kind === "p256" ? 65 : key.kind === "p384" ? 97 : 32;
  if (key.end - key.start !== size) throw faults.CERT_KEY;
  if (key.kind !== "ed25519" && key.bytes[key.start] !== 4) throw faults.CERT_KEY;
}

/**
 * RSAPublicKey, RFC 8017 A.1.1, with an odd modulus of 2048 to 8192 bits and an odd exponent from 3 to 2^32:
 * with a longer one a verification costs as much as a signature.
 */
function checkRsa(bytes: Uint8Array, key: SubjectKey): void {
  const der = new Der(faults.CERT_KEY, bytes, key.start, key.end);
  der.enter(tag.SEQUENCE);
  const modulus = readPositive(der);
  const bits = bitLength(bytes, modulus, der.at);
  if (bits < 2048 || bits > 8192 || bytes[der.at - 1] % 2 === 0) throw faults.CERT_KEY;
  const exponent = readPositive(der);
  const exponentBits = bitLength(bytes, exponent, der.at);
  if (exponentBits < 2 || exponentBits > 32 || bytes[der.at - 1] % 2 === 0) throw faults.CERT_KEY;
  der.leave(key.end);
  der.finish();
}

/** Passes over a positive INTEGER and returns where its first octet that is not a sign stands. */
function readPositive(der: Der): number {
  const start = der.integer();
  if (der.bytes[start] >= 0x80) throw faults.CERT_KEY;
  return der.bytes[start] === 0 ? start + 1 : start;
}

function bitLength(bytes: Uint8Array, start: number, end: number): number {
  return start === end ? 0 : (end - start) * 8 - Math.clz32(bytes[start]) + 24;
}
