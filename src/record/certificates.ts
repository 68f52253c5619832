import type { Reader } from "../wire/reader.js";

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
