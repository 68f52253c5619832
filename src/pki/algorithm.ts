import type { KeyKind, PublicKey } from "../crypto/provider.js";
import { faults } from "../wire/fault.js";
import { signatureScheme } from "../wire/registry.js";
import { table } from "../wire/table.js";
import { type Der, findRow, type Oid, tag } from "./der.js";

const s = signatureScheme;

/** What may sign a certificate or a response. */
export interface SignatureRow {
  readonly oid: Oid;
  /** 0 when the parameters say which. */
  readonly scheme: number;
  /** RFC 4055 section 5: "MUST accept the parameters being absent as well as present". Elsewhere: absent. */
  readonly optionalNull?: boolean;
  /** Reads the scheme from the parameters; 0 for one that is refused. */
  readonly read?: (der: Der) => number;
}

/** Those of every client. RFC 5758 3.2 and RFC 8410: without parameters. */
export const signatureRows = table<SignatureRow>([
  // 1.2.840.10045.4.3.2 to .4, ecdsa-with-SHA256 to -SHA512
  { oid: "\x2a\x86\x48\xce\x3d\x04\x03\x02", scheme: s.ecdsa_secp256r1_sha256 },
  { oid: "\x2a\x86\x48\xce\x3d\x04\x03\x03", scheme: s.ecdsa_secp384r1_sha384 },
  { oid: "\x2a\x86\x48\xce\x3d\x04\x03\x04", scheme: s.ecdsa_secp521r1_sha512 },
  // 1.3.101.112, id-Ed25519
  { oid: "\x2b\x65\x70", scheme: s.ed25519 },
]);

/** A kind of public key. */
export interface KeyRow {
  readonly oid: Oid;
  /** Reads the parameters; undefined for those that are refused. */
  readonly read: (der: Der) => KeyKind | undefined;
  /** Refuses, with CERT_KEY, a form or a size of the key itself. */
  readonly check: (key: SubjectKey) => void;
}

/** Those of every client. */
export const keyRows = table<KeyRow>([
  // 1.2.840.10045.2.1, id-ecPublicKey
  { oid: "\x2a\x86\x48\xce\x3d\x02\x01", read: readCurve, check: checkPoint },
  // 1.3.101.112, id-Ed25519, RFC 8410 section 3
  { oid: "\x2b\x65\x70", read: readEd25519, check: checkPoint },
]);

/** 1.2.840.10045.3.1.7, secp256r1; 1.3.132.0.34, secp384r1. */
const secp256r1: Oid = "\x2a\x86\x48\xce\x3d\x03\x01\x07";
const secp384r1: Oid = "\x2b\x81\x04\x00\x22";

/**
 * Reads an AlgorithmIdentifier, RFC 5280 4.1.1.2, as a signature algorithm. Returns the SignatureScheme that
 * stands for it, or 0 when it is in no row, or has other parameters than its RFC gives it.
 */
export function readSignatureAlgorithm(der: Der, rows: readonly SignatureRow[]): number {
  const outer = der.enter(tag.SEQUENCE);
  const end = der.end;
  const i = findRow(rows, der.identifier());
  let scheme = 0;
  if (i >= 0) {
    const row = rows[i];
    if (row.optionalNull) der.optionalNull();
    scheme = row.read ? row.read(der) : row.scheme;
    if (der.more) scheme = 0;
  }
  der.at = end;
  der.end = outer;
  return scheme;
}

/** A public key in the making; `bytes[start…end)` are the contents of the SPKI's BIT STRING. */
export interface SubjectKey extends PublicKey {
  kind: KeyKind;
  bytes: Uint8Array;
  start: number;
  end: number;
}

/**
 * Reads SubjectPublicKeyInfo, RFC 5280 4.1.2.7: the key is a span of the bytes read. Throws CERT_KEY for
 * a kind that is in no row, or a form or size that is refused; that a point is on its curve is left to
 * the provider.
 */
export function readPublicKey(der: Der, rows: readonly KeyRow[]): SubjectKey {
  const outer = der.enter(tag.SEQUENCE);
  const key: SubjectKey = { kind: "p256", bytes: der.bytes, start: 0, end: 0 };
  const row = readKeyAlgorithm(der, rows, key);
  key.start = der.octets();
  key.end = der.at;
  der.leave(outer);
  row.check(key);
  return key;
}

/**
 * Reads the AlgorithmIdentifier of a key: RFC 3279 2.3.1, RFC 5480 2.1.1 (named curves only), RFC 8410 section 3.
 * Returns its row. Throws CERT_KEY.
 */
export function readKeyAlgorithm(der: Der, rows: readonly KeyRow[], to: { kind: KeyKind }): KeyRow {
  const outer = der.enter(tag.SEQUENCE);
  const i = findRow(rows, der.identifier());
  const kind = i < 0 ? undefined : rows[i].read(der);
  if (!kind) throw faults.CERT_KEY;
  der.leave(outer);
  to.kind = kind;
  return rows[i];
}

/** ECParameters, RFC 5480 2.1.1. */
export function readCurve(der: Der): "p256" | "p384" | undefined {
  if (der.peek() !== tag.OID) {
    der.skip();
    return undefined;
  }
  const oid = der.identifier();
  if (oid === secp256r1) return "p256";
  return oid === secp384r1 ? "p384" : undefined;
}

function readEd25519(): "ed25519" {
  return "ed25519";
}

/** Uncompressed points only, RFC 8446 4.2.8.2 and RFC 5480 2.2; an Ed25519 key is 32 octets. */
function checkPoint(key: SubjectKey): void {
  const size = key.kind === "p256" ? 65 : key.kind === "p384" ? 97 : 32;
  if (key.end - key.start !== size) throw faults.CERT_KEY;
  if (key.kind !== "ed25519" && key.bytes[key.start] !== 4) throw faults.CERT_KEY;
}
