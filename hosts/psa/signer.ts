import { findScheme, type Hash, type Signature, type Signer, schemes } from "../../src/crypto/index.js";
import { Der, type Oid, readCurve, tag } from "../../src/pki/index.js";
import type { PrivateKey, PrivateKeyKind, PsaNative } from "./native.js";

/** 1.2.840.113549.1.1.1, rsaEncryption; 1.2.840.10045.2.1, id-ecPublicKey. */
const rsaEncryption: Oid = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";
const ecPublicKey: Oid = "\x2a\x86\x48\xce\x3d\x02\x01";
/** Where the key itself stands, in the form that PSA takes, and how many bits an RSA modulus has. */
class KeySpan {
  kind: PrivateKeyKind | undefined;
  start = 0;
  end = 0;
  bits = 0;
}

/** A signer whose key PSA holds. */
export interface PsaSigner extends Signer {
  /** Destroys the key; the signer is of no more use. */
  dispose(): void;
}

/**
 * Signs with a private key for client authentication: ECDSA P-256 or P-384, RSA of 2048 to 4096 bits. PSA has
 * a copy of the key afterwards, so that the caller may wipe `der`.
 * @param der a private key in DER, not encrypted: PKCS#8, SEC 1 (EC) or PKCS#1 (RSA)
 * @throws TypeError when the key cannot be read or is of another kind
 */
export function signer(native: PsaNative, der: Uint8Array): PsaSigner {
  const { kind, start, end, bits } = parse(der);
  if (!kind) throw new TypeError("private keys of this kind are not supported; use P-256, P-384 or RSA");
  if (kind === "rsa" && (bits < 2048 || bits > 4096))
    throw new TypeError(`an RSA key must have 2048 to 4096 bits, not ${bits}`);
  const key = new native.PrivateKey(kind, der, start, end);
  const usable = Object.freeze(schemesOf(native, kind));
  return Object.freeze({
    schemes: usable,
    begin(scheme: number): Signature {
      if (!usable.includes(scheme)) throw new Error(`this private key cannot sign with scheme ${scheme}`);
      return new PsaSignature(native, scheme, key);
    },
    dispose(): void {
      key.dispose();
    },
  });
}

/** A curve has the one scheme that TLS 1.3 binds to it, RFC 8446 4.2.3. */
function schemesOf(native: PsaNative, kind: PrivateKeyKind): number[] {
  return schemes
    .filter((scheme) => (kind === "rsa" ? scheme.key === "rsa" : scheme.curve === kind))
    .map((scheme) => scheme.id)
    .filter((id) => native.supports(id));
}

class PsaSignature implements Signature {
  private readonly hash: Hash;
  private readonly scheme: number;
  private readonly key: PrivateKey;

  constructor(native: PsaNative, scheme: number, key: PrivateKey) {
    this.hash = new native.Hash(findScheme(scheme)!.hash);
    this.scheme = scheme;
    this.key = key;
  }

  update(bytes: Uint8Array, start: number, end: number): void {
    this.hash.update(bytes, start, end);
  }

  sign(out: Uint8Array, at: number): number {
    return this.key.sign(this.scheme, this.hash, out, at);
  }
}

function parse(bytes: Uint8Array): KeySpan {
  const der = new Der(undefined, bytes);
  const key = new KeySpan();
  try {
    readPrivateKey(der, key);
    der.finish();
  } catch {
    throw new TypeError("this is no private key in DER");
  }
  return key;
}

/** All forms are a SEQUENCE that begins with a version; what comes next tells which one it is. */
function readPrivateKey(der: Der, key: KeySpan): void {
  const start = der.at;
  const outer = der.enter(tag.SEQUENCE);
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

/** OneAsymmetricKey, RFC 5958 section 2, from the algorithm to the key; nothing after that is needed. */
function readPkcs8(der: Der, key: KeySpan): void {
  const algorithm = der.enter(tag.SEQUENCE);
  const start = der.oid();
  const rsa = der.is(start, rsaEncryption);
  if (der.is(start, ecPublicKey)) key.kind = readCurve(der);
  der.drop(algorithm);
  const outer = der.enter(tag.OCTET_STRING);
  if (rsa) readRsa(der, key);
  else if (key.kind) readEc(der, key);
  else der.at = der.end;
  der.leave(outer);
}

/** ECPrivateKey, RFC 5915 section 3. The curve may be named here, in PKCS#8's algorithm, or in both. */
function readEc(der: Der, key: KeySpan): void {
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

/** RSAPrivateKey, RFC 8017 A.1.2, as far as the modulus; PSA reads the rest. */
function readRsa(der: Der, key: KeySpan): void {
  key.kind = "rsa";
  key.start = der.at;
  const outer = der.enter(tag.SEQUENCE);
  key.end = der.end;
  if (der.small() !== 0) throw der.fault;
  const start = der.integer();
  const first = der.bytes[start] === 0 ? start + 1 : start;
  key.bits = (der.at - first) * 8 - Math.clz32(der.bytes[first]) + 24;
  der.drop(outer);
}
