import { extensionType, handshakeType, statusType, version } from "../wire/registry.js";
import type { Writer } from "../wire/writer.js";
import type { Handshake } from "./handshake.js";
import type { SharedState } from "./states.js";

/** What shows who we are: our certificates, and signatures by their key. */

/**
 * Certificate, RFC 8446 4.4.2 and RFC 5246 7.4.2, with our `staples` in it: sends as much of it as there is room for; true
 * when that was the rest. Without certificates the list is empty.
 */
export function sendCertificates(s: Handshake, certificates: readonly Uint8Array[]): boolean {
  const w = s.engine.beginRaw(handshakeType.certificate);
  if (s.entry === 0 && s.entryOffset === 0) writeHead(s, w, certificates);
  let done = true;
  while (done && s.entry < certificates.length) {
    done = writeEntry(s, w, certificates[s.entry], s.staples?.[s.entry]);
    if (done) {
      s.entry++;
      s.entryOffset = 0;
    }
  }
  // They are of no use to the connection
  if (done) s.staples = undefined;
  s.engine.sendRaw();
  return done;
}

function writeHead(s: Handshake, w: Writer, certificates: readonly Uint8Array[]): void {
  const tls13 = s.version === version.tls13;
  let list = 0;
  for (let i = 0; i < certificates.length; i++) {
    const staple = s.staples?.[i];
    list += 3 + certificates[i].length;
    if (tls13) list += 2;
    if (staple) list += STATUS + staple.length;
  }
  w.u8(handshakeType.certificate);
  w.u24(tls13 ? 4 + list : 3 + list);
  if (tls13) w.u8(0);
  w.u24(list);
}

/** As much of an entry as there is room for; true when that was the rest. In TLS 1.3 it has extensions, be they none. */
function writeEntry(s: Handshake, w: Writer, der: Uint8Array, staple: Uint8Array | undefined): boolean {
  const tls13 = s.version === version.tls13;
  if (s.entryOffset === 0) {
    if (w.room < 4 + 2 + STATUS) return false;
    w.u24(der.length);
  }
  if (s.entryOffset < der.length) {
    if (!writePart(s, w, der, 0, 2 + STATUS)) return false;
    if (tls13) w.u16(staple ? STATUS + staple.length : 0);
    if (staple) writeStatusHead(w, staple.length);
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

/** Bytes of status_request before its response. */
const STATUS = 8;

/** status_request with CertificateStatus (RFC 8446 4.4.2.1), whose response follows. */
function writeStatusHead(w: Writer, response: number): void {
  w.u16(extensionType.status_request);
  w.u16(4 + response);
  w.u8(statusType.ocsp);
  w.u24(response);
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
  const signature = s.identity!.signer.begin(s.scheme);
  const content = s.transcript.signedContent(s.own.context);
  signature.update(content, 0, content.length);
  writeSignature(s, s.engine.begin(handshakeType.certificate_verify), signature);
  s.engine.send();
  return "SEND_FINISHED";
}
