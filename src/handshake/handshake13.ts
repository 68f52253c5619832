import { KeySchedule13 } from "../crypto/keys13.js";
import type { HashAlgorithm } from "../crypto/provider.js";
import { isPkcs1, keyOf } from "../crypto/suites.js";
import { Protection13 } from "../record/protection.js";
import { faults } from "../wire/fault.js";
import { handshakeType as on } from "../wire/registry.js";
import { equalSecret, secretBytes } from "../wire/writer.js";
import { readCertificate, readListLength } from "./certificates.js";
import { inMessage } from "./extensionrow.js";
import { readExtensions } from "./extensions.js";
import type { Handshake } from "./handshake.js";
import { at } from "./memory.js";
import { clientSide, type Side, serverSide } from "./sides.js";
import { readScheme, readSignature, settleVerification } from "./signature.js";
import type { SharedState } from "./states.js";

/** What both roles do in TLS 1.3, RFC 8446. */

// Keys, RFC 8446 section 7

/** A schedule that is not started yet. */
export function newSchedule13(s: Handshake, hash: HashAlgorithm): KeySchedule13 {
  return new KeySchedule13(s.config.provider, hash, s.memory, at.schedule);
}

/** The keys of one direction, RFC 8446 7.3. */
export function protection13(s: Handshake, secretAt: number): Protection13 {
  const { name, key, records } = s.suiteInForce.aead;
  const iv = secretBytes(12);
  s.schedule13.trafficKeys(secretAt, at.keys, key, iv);
  const aead = s.config.provider.aead(name, s.memory, at.keys, at.keys + key);
  s.erase(at.keys, at.end);
  return new Protection13(aead, iv, records);
}

/** From here on records go out under the keys of our traffic secret. */
export function protectOut(s: Handshake): void {
  s.engine.sendUnder(protection13(s, at.outSecret));
}

/** From here on records come under the keys of the peer's traffic secret. */
export function protectIn(s: Handshake): void {
  s.engine.receiveUnder(protection13(s, at.inSecret));
}

/** The traffic secrets of the handshake, from the transcript up to the ServerHello: RFC 8446 7.1. */
export function deriveHandshakeSecrets(s: Handshake): void {
  s.digest();
  deriveHandshakeSecret(s, s.peer, at.inSecret);
  deriveHandshakeSecret(s, s.own, at.outSecret);
}

function deriveHandshakeSecret(s: Handshake, side: Side, secretAt: number): void {
  const keys = s.schedule13;
  keys.derive(side.handshake, at.hash, secretAt);
  s.log(side.handshakeLog, secretAt, keys.size);
}

/**
 * The Master Secret's stage, RFC 8446 7.1, from the transcript up to the server's Finished. The server's keys change
 * now, so that its secret goes to its place; the client's waits until its Finished is through.
 */
export function deriveApplicationSecrets(s: Handshake, serverSecretAt: number): void {
  const keys = s.schedule13;
  keys.master();
  s.digest();
  keys.derive(serverSide.application, at.hash, serverSecretAt);
  keys.derive(clientSide.application, at.hash, at.applicationSecret);
  s.log(clientSide.applicationLog, at.applicationSecret, keys.size);
  s.log(serverSide.applicationLog, serverSecretAt, keys.size);
}

/** The client's Finished is through: its application secret goes to its place. */
export function moveApplicationSecret(s: Handshake, clientSecretAt: number): void {
  s.memory.copyWithin(clientSecretAt, at.applicationSecret, at.exporterSecret);
  s.erase(at.applicationSecret, at.exporterSecret);
}

// ChangeCipherSpec, RFC 8446 D.4

/** The one ChangeCipherSpec of TLS 1.3, for the middleboxes of a client that sends a session id. */
export function sendCompatibilityChange(s: Handshake): void {
  if (s.sessionIdLength > 0 && !s.changeCipherSpecSent) s.engine.sendChangeCipherSpec();
  s.changeCipherSpecSent = true;
}

/** The peer's means nothing. */
export function ignoreCompatibilityChange<State>(s: { state: State }): State {
  return s.state;
}

// The peer's certificate, RFC 8446 4.4.2

/** certificate_request_context and the length of certificate_list. */
export function measureCertificateHead13(): number {
  return 4;
}

/** During the handshake the context is empty. */
export function readCertificateHead13(s: Handshake): void {
  const r = s.engine.reader;
  if (r.u8() !== 0) throw faults.ILLEGAL_PARAMETER;
  readListLength(s, r);
}

/** CertificateEntry: a certificate, and its staple among its extensions (4.4.2.1). */
export function receiveEntry13(s: Handshake): SharedState {
  const r = s.engine.reader;
  readCertificate(s, r);
  readExtensions(s, r, inMessage.peer_certificate);
  return s.engine.left > 0 ? "WAIT_CERTIFICATE_ENTRY" : "AUTHENTICATE";
}

export function authenticate13(s: Handshake): SharedState {
  return s.verifier.step(s.config.clock()) ? "WAIT_CERTIFICATE_VERIFY" : "AUTHENTICATE";
}

// CertificateVerify, RFC 8446 4.4.3

/** The peer's: the curve's own hash, and no PKCS#1 v1.5. */
export function receiveCertificateVerify13(s: Handshake): SharedState {
  const r = s.engine.reader;
  const scheme = readScheme(s, r);
  if (isPkcs1(scheme) || keyOf(scheme) !== s.verifier.leaf.key.kind) throw faults.SIGNATURE_SCHEME;
  const content = s.transcript.signedContent(s.peer.context);
  const verification = s.config.provider.verification(scheme);
  verification.update(content, 0, content.length);
  readSignature(s, r, verification);
  return "VERIFY";
}

export function verify13(s: Handshake): SharedState {
  settleVerification(s);
  return "WAIT_FINISHED";
}

// Finished, RFC 8446 4.4.4

/** Writes the verify_data of a side over the transcript so far at `at.verifyData`; returns its length. */
function computeFinished(s: Handshake, secretAt: number): number {
  const keys = s.schedule13;
  s.digest();
  keys.finished(secretAt, at.hash, at.verifyData);
  return keys.size;
}

export function writeFinished13(s: Handshake): void {
  const n = computeFinished(s, at.outSecret);
  const w = s.engine.begin(on.finished);
  w.copy(s.memory, at.verifyData, at.verifyData + n);
  s.engine.send();
}

export function readFinished13(s: Handshake): void {
  const r = s.engine.reader;
  const n = computeFinished(s, at.inSecret);
  if (r.left !== n) throw faults.DECODE_ERROR;
  if (!equalSecret(s.memory, at.verifyData, r.bytes, r.skip(n), n)) throw faults.FINISHED_MISMATCH;
}

// KeyUpdate, RFC 8446 4.6.3

/** The peer's key changes, and ours too when it asks (1) and we have used it. */
export function receiveKeyUpdate(s: Handshake): SharedState {
  const request = s.engine.reader.u8();
  if (request > 1) throw faults.ILLEGAL_PARAMETER;
  s.engine.countIdle();
  s.schedule13.updateSecret(at.inSecret);
  protectIn(s);
  return request === 1 && !isFresh(s) ? "SEND_KEY_UPDATE" : "CONNECTED";
}

/** Our key was changed, and nothing sent with it: an answer to every request for that so far. */
function isFresh(s: Handshake): boolean {
  return s.requestKeyUpdate === false && s.engine.outbox.protection.sequence === 0;
}

/** Ours changes; update_not_requested(0), for the peer's may stay. */
export function sendKeyUpdate(s: Handshake): SharedState {
  const w = s.engine.begin(on.key_update);
  w.u8(s.requestKeyUpdate ? 1 : 0);
  s.requestKeyUpdate = false;
  s.engine.send();
  s.schedule13.updateSecret(at.outSecret);
  protectOut(s);
  return "CONNECTED";
}
