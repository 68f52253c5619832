import { faults } from "../wire/fault.js";
import type { Reader } from "../wire/reader.js";
import { statusType } from "../wire/registry.js";
import type { Handshake } from "./handshake.js";

// The peer's list

/** Bytes of a certificate_list that are taken at most: to pass over what is not kept is work too. */
const MAX_LIST = 0x10000;

/** Bytes of the length that a list begins with in TLS 1.2, be it of certificates or of responses. */
export const LIST_LENGTH = 3;

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
export function readListLength(s: Handshake, r: Reader): void {
  const length = r.u24();
  if (length !== s.engine.left) throw faults.DECODE_ERROR;
  if (length > MAX_LIST) throw faults.CERT_CHAIN_TOO_LONG;
}

/** Takes one certificate of the peer's: the first is its own. */
export function readCertificate(s: Handshake, r: Reader): void {
  const length = r.u24();
  if (length === 0) throw faults.DECODE_ERROR;
  const start = r.skip(length);
  s.verifier.add(r.bytes, start, r.at);
}

/** CertificateStatus, RFC 6066 section 8, of the certificate before it. */
export function readCertificateStatus(s: Handshake, r: Reader): void {
  if (r.u8() !== statusType.ocsp) throw faults.OCSP_MALFORMED;
  readOcspResponse(s, r, s.verifier.sent - 1);
}

/** OCSPResponse<1..2^24-1>, for the certificate at `index` in the order sent. */
export function readOcspResponse(s: Handshake, r: Reader, index: number): void {
  const length = r.u24();
  if (length === 0) throw faults.OCSP_MALFORMED;
  const start = r.skip(length);
  s.verifier.staple(index, r.bytes, start, r.at);
}

// What names who may issue it

/** The names of CAs, RFC 8446 4.2.4 and RFC 5246 7.4.4, `least` bytes of them: a hint that we have no use for. */
export function readAuthorities(r: Reader, least: number): void {
  const names = r.enter16();
  if (r.left < least) throw faults.DECODE_ERROR;
  while (r.left > 0) {
    const name = r.u16();
    if (name === 0) throw faults.DECODE_ERROR;
    r.skip(name);
  }
  r.leave(names);
}
