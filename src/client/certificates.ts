import { handshakeType, version } from "../wire/registry.js";
import type { Writer } from "../wire/writer.js";
import type { ClientSession } from "./session.js";

/** Certificate, RFC 8446 4.4.2 and RFC 5246 7.4.6: an empty list when we have none, or none that the server takes. */
export function sendCertificate(s: ClientSession): string {
  const list = certificateListLength(s);
  const context = s.version === version.tls13 ? 1 : 0;
  const w = s.engine.beginRaw(handshakeType.certificate);
  w.u8(handshakeType.certificate);
  w.u24(context + 3 + list);
  if (context > 0) w.u8(0);
  w.u24(list);
  return continueCertificate(s);
}

export function sendMoreCertificates(s: ClientSession): string {
  s.engine.beginRaw(handshakeType.certificate);
  return continueCertificate(s);
}

function continueCertificate(s: ClientSession): string {
  const done = writeCertificates(s, s.engine.writer);
  s.engine.sendRaw();
  if (!done) return "SEND_MORE_CERTIFICATES";
  if (s.version === version.tls12) return "SEND_KEY_EXCHANGE";
  return s.clientScheme !== 0 ? "SEND_CERTIFICATE_VERIFY" : "SEND_FINISHED";
}

/** The length of our certificate_list. */
function certificateListLength(s: ClientSession): number {
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
function writeCertificates(s: ClientSession, w: Writer): boolean {
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
