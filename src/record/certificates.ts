import { faults } from "../wire/fault.js";
import type { Reader } from "../wire/reader.js";

/** Bytes of a certificate_list that are taken at most: to pass over those that are not kept is work too. */
const MAX_LIST = 0x10000;

/** What takes a peer's certificates. */
export interface CertificateList {
  readonly engine: { readonly left: number };
  readonly verifier: { add(bytes: Uint8Array, start: number, end: number): void };
}

/** ASN.1Cert, RFC 5246 7.4.2: the part of a TLS 1.2 Certificate that is handled at once. */
export function measureCertificate(r: Reader): number {
  return r.left < 3 ? 0 : 3 + r.u24();
}

/** CertificateEntry, RFC 8446 4.4.2: a certificate and its extensions; while it is incomplete, what it needs at least. */
export function measureEntry(r: Reader): number {
  if (r.left < 3) return 0;
  const certificate = r.u24();
  if (r.left < certificate + 2) return 3 + certificate + 2;
  r.skip(certificate);
  return 3 + certificate + 2 + r.u16();
}

/** The length of certificate_list must be all that follows of the message. */
export function readListLength({ engine }: CertificateList, r: Reader): void {
  const length = r.u24();
  if (length !== engine.left) throw faults.DECODE_ERROR;
  if (length > MAX_LIST) throw faults.CERT_CHAIN_TOO_LONG;
}

/** Takes one certificate of the peer's: the first is its own. */
export function readCertificate(list: CertificateList, r: Reader): void {
  const certificate = r.enter24();
  if (r.left === 0) throw faults.DECODE_ERROR;
  const start = r.skip(r.left);
  list.verifier.add(r.bytes, start, r.end);
  r.leave(certificate);
}

/** The names of CAs, RFC 8446 4.2.4 and RFC 5246 7.4.4, `least` bytes of them: a hint that we have no use for. */
export function readAuthorities(r: Reader, least: number): void {
  const names = r.enter16();
  if (r.left < least) throw faults.DECODE_ERROR;
  while (r.left > 0) {
    const name = r.enter16();
    if (r.left === 0) throw faults.DECODE_ERROR;
    r.drop(name);
  }
  r.leave(names);
}
