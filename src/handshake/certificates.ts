import { faults } from "../wire/fault.js";
import type { Reader } from "../wire/reader.js";
import { extensionType, handshakeType, statusType, version } from "../wire/registry.js";
import type { Writer } from "../wire/writer.js";
import type { Handshake } from "./session.js";

// The peer's list

/** Bytes of a certificate_list that are taken at most: to pass over what is not kept is work too. */
const MAX_LIST = 0x10000;

/** In TLS 1.2 a list, of certificates or of responses, begins with its length in 24 bits. */
export function measureListLength(): number {
  return 3;
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
export function readListLength({ engine }: Handshake, r: Reader): void {
  const length = r.u24();
  if (length !== engine.left) throw faults.DECODE_ERROR;
  if (length > MAX_LIST) throw faults.CERT_CHAIN_TOO_LONG;
}

/** Takes one certificate of the peer's: the first is its own. */
export function readCertificate(s: Handshake, r: Reader): void {
  const certificate = r.enter24();
  if (r.left === 0) throw faults.DECODE_ERROR;
  const start = r.skip(r.left);
  s.verifier.add(r.bytes, start, r.end);
  r.leave(certificate);
}

/** CertificateStatus, RFC 6066 section 8, of the certificate before it. */
export function readCertificateStatus(s: Handshake, r: Reader): void {
  if (r.u8() !== statusType.ocsp) throw faults.OCSP_MALFORMED;
  readOcspResponse(s, r, s.verifier.sent - 1);
}

/** OCSPResponse<1..2^24-1>, for the certificate at `index` in the order sent. */
export function readOcspResponse(s: Handshake, r: Reader, index: number): void {
  const response = r.enter24();
  if (r.left === 0) throw faults.OCSP_MALFORMED;
  const start = r.skip(r.left);
  s.verifier.staple(index, r.bytes, start, r.end);
  r.leave(response);
}

// What names who may issue it

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

// Our own list

/**
 * Certificate, RFC 8446 4.4.2 and RFC 5246 7.4.2: sends as much of it as there is room for; true when that was the
 * rest. Without certificates the list is empty.
 */
export function sendCertificates(s: Handshake, certificates: readonly Uint8Array[]): boolean {
  const w = s.engine.beginRaw(handshakeType.certificate);
  if (s.entry === 0 && s.entryOffset === 0) writeHead(s, w, certificates);
  const done = writeEntries(s, w, certificates);
  s.engine.sendRaw();
  return done;
}

function writeHead(s: Handshake, w: Writer, certificates: readonly Uint8Array[]): void {
  const context = s.version === version.tls13 ? 1 : 0;
  let list = 0;
  for (let i = 0; i < certificates.length; i++) {
    const staple = entryStaple(s, i);
    list += 3 + certificates[i].length + extensionsHead(s, staple) + (staple?.length ?? 0);
  }
  w.u8(handshakeType.certificate);
  w.u24(context + 3 + list);
  if (context > 0) w.u8(0);
  w.u24(list);
}

/** In TLS 1.2 a staple is a message of its own. */
function entryStaple(s: Handshake, index: number): Uint8Array | undefined {
  return s.version === version.tls13 ? s.stapleOf(index) : undefined;
}

/** Bytes of an entry between its certificate and its staple: in TLS 1.3 the extensions, in TLS 1.2 nothing. */
function extensionsHead(s: Handshake, staple: Uint8Array | undefined): number {
  if (s.version !== version.tls13) return 0;
  return staple === undefined ? 2 : 2 + 4 + 4;
}

function writeEntries(s: Handshake, w: Writer, certificates: readonly Uint8Array[]): boolean {
  for (; s.entry < certificates.length; s.entry++) {
    if (!writeEntry(s, w, certificates[s.entry], entryStaple(s, s.entry))) return false;
    s.entryOffset = 0;
  }
  return true;
}

/** As much of an entry as there is room for; true when that was the rest. */
function writeEntry(s: Handshake, w: Writer, der: Uint8Array, staple: Uint8Array | undefined): boolean {
  const head = extensionsHead(s, staple);
  if (s.entryOffset === 0) {
    if (w.room < 4 + head) return false;
    w.u24(der.length);
  }
  if (s.entryOffset < der.length) {
    if (!writePart(s, w, der, 0, head)) return false;
    if (head > 0) writeExtensionsHead(w, staple);
  }
  return staple === undefined || writePart(s, w, staple, der.length, 0);
}

/** Writes on with `bytes`, which begin at `start` of the entry, and leaves room for what must follow their end at once. */
function writePart(s: Handshake, w: Writer, bytes: Uint8Array, start: number, follows: number): boolean {
  const from = s.entryOffset - start;
  const end = Math.min(bytes.length, from + w.room - follows);
  if (end > from) {
    w.copy(bytes, from, end);
    s.entryOffset = start + end;
  }
  return end === bytes.length;
}

/** None, or status_request with CertificateStatus (RFC 8446 4.4.2.1), whose response follows. */
function writeExtensionsHead(w: Writer, staple: Uint8Array | undefined): void {
  if (staple === undefined) {
    w.u16(0);
    return;
  }
  w.u16(4 + 4 + staple.length);
  w.u16(extensionType.status_request);
  w.u16(4 + staple.length);
  w.u8(statusType.ocsp);
  w.u24(staple.length);
}
