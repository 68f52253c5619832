import { faults } from "../wire/fault.js";
import { extensionType, handshakeType, statusType, version } from "../wire/registry.js";
import type { Writer } from "../wire/writer.js";
import type { Handshake } from "./handshake.js";
import type { SharedState } from "./states.js";

/** What shows who we are: our certificates, and signatures by their key. */

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

/** DigitallySigned, RFC 8446 4.4.3 and RFC 5246 4.7: our scheme, and the signature that has covered all it must. */
export function writeSignature(
  s: Handshake,
  w: Writer,
  signature: { sign(out: Uint8Array, at: number): number },
): void {
  w.u16(s.scheme);
  const length = w.begin16();
  w.skip(signature.sign(w.bytes, w.at));
  w.finish16(length);
}

/** CertificateVerify, RFC 8446 4.4.3: ours. */
export function sendCertificateVerify13(s: Handshake): SharedState {
  const signature = s.identity?.signer.begin(s.scheme);
  if (signature === undefined) throw faults.INTERNAL_ERROR;
  const content = s.transcript.signedContent(s.own.context);
  signature.update(content, 0, content.length);
  writeSignature(s, s.engine.begin(handshakeType.certificate_verify), signature);
  s.engine.send();
  return "SEND_FINISHED";
}
