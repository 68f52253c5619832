import { version } from "../wire/registry.js";
import type { Writer } from "../wire/writer.js";
import type { ClientSession } from "./session.js";

/** The length of our certificate_list. */
export function certificateListLength(s: ClientSession): number {
  const certificates = s.config.identity?.certificates;
  if (certificates === undefined || s.clientScheme === 0) return 0;
  let length = 0;
  for (let i = 0; i < certificates.length; i++) length += certificates[i].length + perCertificate(s);
  return length;
}

/** u24 length, and in TLS 1.3 the u16 length of no extensions. */
function perCertificate(s: ClientSession): number {
  return s.version === version.tls13 ? 5 : 3;
}

/** Writes as much of our certificate_list as there is room for; true when that was the rest. */
export function writeCertificates(s: ClientSession, w: Writer): boolean {
  const certificates = s.config.identity?.certificates ?? [];
  if (s.clientScheme === 0) return true;
  while (s.certificateIndex < certificates.length) {
    if (!writeCertificate(s, w, certificates[s.certificateIndex])) return false;
    s.certificateIndex++;
    s.certificateOffset = 0;
  }
  return true;
}

function writeCertificate(s: ClientSession, w: Writer, der: Uint8Array): boolean {
  const trailer = perCertificate(s) - 3;
  if (s.certificateOffset === 0) {
    if (w.room < 4 + trailer) return false;
    w.u24(der.length);
  }
  const end = Math.min(der.length, s.certificateOffset + w.room - trailer);
  if (end > s.certificateOffset) w.copy(der, s.certificateOffset, end);
  s.certificateOffset = Math.max(end, s.certificateOffset);
  if (end < der.length) return false;
  if (trailer > 0) w.u16(0);
  return true;
}
