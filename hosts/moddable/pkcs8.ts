import { Der, readKeyKind, tag } from "../../src/pki/index.js";

/** Kinds of private keys that the portable provider signs with. */
export type PrivateKeyKind = "p256" | "p384" | "ed25519";

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
    const kind = readKeyKind(der);
    if (kind === "rsa") throw der.fault;
    der.enter(tag.OCTET_STRING);
    if (kind !== "ed25519") enterEcPrivateKey(der);
    der.enter(tag.OCTET_STRING);
    return { kind, start: der.at, end: der.end };
  } catch {
    throw new TypeError("a private key for P-256, P-384 or Ed25519 in PKCS #8, not encrypted");
  }
}

/** ECPrivateKey, RFC 5915 section 3: `SEQUENCE { version 1, privateKey OCTET STRING, … }`. */
function enterEcPrivateKey(der: Der): void {
  der.enter(tag.SEQUENCE);
  if (der.small() !== 1) throw der.fault;
}
