import { Der, type Oid, tag } from "../../src/pki/der.js";

/** Kinds of private keys that the portable provider signs with. */
export type PrivateKeyKind = "p256" | "p384" | "ed25519";

const ecPublicKey: Oid = "\x2a\x86\x48\xce\x3d\x02\x01";
const secp256r1: Oid = "\x2a\x86\x48\xce\x3d\x03\x01\x07";
const secp384r1: Oid = "\x2b\x81\x04\x00\x22";
const ed25519: Oid = "\x2b\x65\x70";

/** A private key's kind, and where its bytes stand. */
export interface PrivateKeySpan {
  readonly kind: PrivateKeyKind;
  readonly start: number;
  readonly end: number;
}

/**
 * Reads PrivateKeyInfo, RFC 5958 section 2 (PKCS #8):
 * `SEQUENCE { version, privateKeyAlgorithm, privateKey OCTET STRING, … }`.
 * @throws TypeError when it is none, or of a kind that is not known
 */
export function readPrivateKey(bytes: Uint8Array): PrivateKeySpan {
  const der = new Der(undefined, bytes);
  try {
    der.enter(tag.SEQUENCE);
    if (der.small() > 1) throw der.fault;
    const kind = readKind(der);
    der.enter(tag.OCTET_STRING);
    if (kind !== "ed25519") enterEcPrivateKey(der);
    der.enter(tag.OCTET_STRING);
    return { kind, start: der.at, end: der.end };
  } catch {
    throw new TypeError("a private key for P-256, P-384 or Ed25519 in PKCS #8, not encrypted");
  }
}

/** AlgorithmIdentifier, RFC 5480 2.1.1, RFC 8410 section 3. */
function readKind(der: Der): PrivateKeyKind {
  const outer = der.enter(tag.SEQUENCE);
  const kind = kindOf(der, der.oid());
  der.drop(outer);
  return kind;
}

function kindOf(der: Der, algorithm: number): PrivateKeyKind {
  if (der.is(algorithm, ed25519)) return "ed25519";
  if (!der.is(algorithm, ecPublicKey)) throw der.fault;
  const curve = der.oid();
  if (der.is(curve, secp256r1)) return "p256";
  if (der.is(curve, secp384r1)) return "p384";
  throw der.fault;
}

/** ECPrivateKey, RFC 5915 section 3: `SEQUENCE { version 1, privateKey OCTET STRING, … }`. */
function enterEcPrivateKey(der: Der): void {
  der.enter(tag.SEQUENCE);
  if (der.small() !== 1) throw der.fault;
}
