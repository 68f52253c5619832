import type { KeyKind, PrivateKeySpan } from "../../src/crypto/index.js";
import { Der, type Oid, readCurve, tag } from "../../src/pki/index.js";
import { isFault } from "../../src/wire/index.js";

/** 1.2.840.113549.1.1.1, rsaEncryption; 1.2.840.10045.2.1, id-ecPublicKey; 1.3.101.112, id-Ed25519. */
const rsaEncryption: Oid = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";
const ecPublicKey: Oid = "\x2a\x86\x48\xce\x3d\x02\x01";
const ed25519: Oid = "\x2b\x65\x70";

/** One in the making. */
interface Reading {
  readonly bytes: Uint8Array;
  kind: KeyKind | undefined;
  start: number;
  end: number;
}

/**
 * Finds a private key in DER: PKCS #8 (RFC 5958), SEC 1 (RFC 5915) or PKCS #1 (RFC 8017), of P-256, P-384, Ed25519 or
 * RSA with 2048 to 4096 bits.
 * @throws TypeError when it is none, encrypted, or of another kind
 */
export function readPrivateKey(bytes: Uint8Array): PrivateKeySpan {
  const key: Reading = { bytes, kind: undefined, start: 0, end: 0 };
  const der = new Der(undefined, bytes);
  try {
    readAny(der, key);
    der.finish();
  } catch (thrown) {
    if (!isFault(thrown)) throw thrown;
    throw new TypeError("no private key in PKCS #8, SEC 1 or PKCS #1");
  }
  if (!key.kind) throw new TypeError("a private key must be for P-256, P-384, Ed25519 or RSA");
  return key as PrivateKeySpan;
}

/** All forms are a SEQUENCE that begins with a version; what comes next tells which one it is. */
function readAny(der: Der, key: Reading): void {
  const start = der.at;
  const outer = der.enter(tag.SEQUENCE);
  if (der.peek() === tag.SEQUENCE) refuseEncrypted(der);
  der.small();
  const next = der.peek();
  if (next === tag.SEQUENCE) {
    readPkcs8(der, key);
    der.drop(outer);
    return;
  }
  der.at = start;
  der.end = outer;
  if (next === tag.OCTET_STRING) readEc(der, key);
  else readRsa(der, key);
}

/** EncryptedPrivateKeyInfo, RFC 5958 section 3, begins with an algorithm. */
function refuseEncrypted(der: Der): void {
  der.enter(tag.SEQUENCE);
  der.oid();
  throw new TypeError("the private key is encrypted: decrypt it first");
}

/** OneAsymmetricKey, RFC 5958 section 2, from the algorithm to the key; nothing after that is needed. */
function readPkcs8(der: Der, key: Reading): void {
  const algorithm = der.enter(tag.SEQUENCE);
  const oid = der.identifier();
  const rsa = oid === rsaEncryption;
  const edwards = oid === ed25519;
  if (oid === ecPublicKey) key.kind = readCurve(der);
  der.drop(algorithm);
  const outer = der.enter(tag.OCTET_STRING);
  if (rsa) readRsa(der, key);
  else if (key.kind) readEc(der, key);
  else if (edwards) readEdwards(der, key);
  else der.at = der.end;
  der.leave(outer);
}

/** CurvePrivateKey, RFC 8410 section 7. */
function readEdwards(der: Der, key: Reading): void {
  key.kind = "ed25519";
  key.start = der.value(tag.OCTET_STRING);
  key.end = der.at;
}

/** ECPrivateKey, RFC 5915 section 3. The curve may be named here, in PKCS #8's algorithm, or in both. */
function readEc(der: Der, key: Reading): void {
  const outer = der.enter(tag.SEQUENCE);
  if (der.small() !== 1) throw der.fault;
  key.start = der.value(tag.OCTET_STRING);
  key.end = der.at;
  if (der.peek() === tag.CONSTRUCTED) {
    const parameters = der.enter(tag.CONSTRUCTED);
    const kind = readCurve(der);
    if (key.kind && kind !== key.kind) throw der.fault;
    key.kind = kind;
    der.leave(parameters);
  }
  der.drop(outer);
}

/** RSAPrivateKey, RFC 8017 A.1.2, as far as the modulus; who signs reads the rest. */
function readRsa(der: Der, key: Reading): void {
  key.kind = "rsa";
  key.start = der.at;
  const outer = der.enter(tag.SEQUENCE);
  key.end = der.end;
  if (der.small() !== 0) throw der.fault;
  const start = der.integer();
  const first = der.bytes[start] === 0 ? start + 1 : start;
  const bits = (der.at - first) * 8 - Math.clz32(der.bytes[first]) + 24;
  if (bits < 2048 || bits > 4096) throw new TypeError(`an RSA key must have 2048 to 4096 bits, not ${bits}`);
  der.drop(outer);
}
