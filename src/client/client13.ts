import { KeySchedule13, secretLabel } from "../crypto/keys13.js";
import { findScheme, hashSize, keySize } from "../crypto/suites.js";
import { verifyContext } from "../crypto/transcript.js";
import { measureEntry, readCertificate, readListLength } from "../record/certificates.js";
import { isFresh } from "../record/endpoint.js";
import { CHANGE_CIPHER_SPEC, type Row, STEP } from "../record/engine.js";
import { AES_GCM_RECORDS, MAX_PLAINTEXT, Protection13 } from "../record/record.js";
import { faults } from "../wire/fault.js";
import { extensionType, handshakeType } from "../wire/registry.js";
import { table } from "../wire/table.js";
import { equalSecret, secretBytes } from "../wire/writer.js";
import { sendCertificate, sendMoreCertificates } from "./certificates.js";
import { ignoreCompatibilityChange, sendCompatibilityChange } from "./compatibility.js";
import { inMessage, readExtensions, saw } from "./extensions.js";
import { agree, beginVerification, readSignature, sendSignature, settleVerification } from "./keyexchange.js";
import { at } from "./memory.js";
import type { ClientSession } from "./session.js";

const on = handshakeType;

/** TLS 1.3 from the ServerHello on, RFC 8446 appendix A.1. */
export const rows13 = table<Row<ClientSession>>([
  { state: "AGREE", on: STEP, run: deriveHandshakeKeys },
  { state: "WAIT_ENCRYPTED_EXTENSIONS", on: on.encrypted_extensions, run: receiveEncryptedExtensions },
  { state: "WAIT_CERTIFICATE_OR_REQUEST", on: on.certificate_request, run: receiveCertificateRequest },
  {
    state: "WAIT_CERTIFICATE_OR_REQUEST",
    on: on.certificate,
    run: receiveCertificateHead,
    measure: measureCertificateHead,
  },
  {
    state: "WAIT_CERTIFICATE",
    on: on.certificate,
    run: receiveCertificateHead,
    measure: measureCertificateHead,
  },
  { state: "WAIT_CERTIFICATE_ENTRY", on: on.certificate, run: receiveEntry, measure: measureEntry },
  { state: "AUTHENTICATE", on: STEP, run: authenticateServer },
  { state: "WAIT_CERTIFICATE_VERIFY", on: on.certificate_verify, run: receiveCertificateVerify },
  { state: "VERIFY", on: STEP, run: verifyServer },
  { state: "WAIT_FINISHED", on: on.finished, run: receiveFinished, most: hashSize.sha384 },
  { state: "DERIVE_APPLICATION_KEYS", on: STEP, run: deriveApplicationKeys },
  { state: "SEND_CERTIFICATE", on: STEP, run: sendCertificate, sends: true },
  { state: "SEND_MORE_CERTIFICATES", on: STEP, run: sendMoreCertificates, sends: true },
  { state: "SEND_CERTIFICATE_VERIFY", on: STEP, run: sendCertificateVerify, sends: true },
  { state: "SEND_FINISHED", on: STEP, run: sendFinished, sends: true },
  { state: "CONNECTED", on: on.new_session_ticket, run: receiveNewSessionTicket },
  { state: "CONNECTED", on: on.key_update, run: receiveKeyUpdate, most: 1 },
  { state: "SEND_KEY_UPDATE", on: STEP, run: sendKeyUpdate, sends: true },
  // Until the server's Finished, RFC 8446 section 5
  { state: "WAIT_ENCRYPTED_EXTENSIONS", on: CHANGE_CIPHER_SPEC, run: ignoreCompatibilityChange },
  { state: "WAIT_CERTIFICATE_OR_REQUEST", on: CHANGE_CIPHER_SPEC, run: ignoreCompatibilityChange },
  { state: "WAIT_CERTIFICATE", on: CHANGE_CIPHER_SPEC, run: ignoreCompatibilityChange },
  { state: "WAIT_CERTIFICATE_VERIFY", on: CHANGE_CIPHER_SPEC, run: ignoreCompatibilityChange },
  { state: "WAIT_FINISHED", on: CHANGE_CIPHER_SPEC, run: ignoreCompatibilityChange },
]);

export function schedule(s: ClientSession): KeySchedule13 {
  if (s.keys13 === undefined) throw faults.INTERNAL_ERROR;
  return s.keys13;
}

/** The keys of one direction, RFC 8446 7.3. */
function protection(s: ClientSession, secretAt: number): Protection13 {
  const suite = s.suiteInForce;
  const iv = secretBytes(12);
  schedule(s).trafficKeys(secretAt, at.keys, keySize[suite.aead], iv);
  const aead = s.aead(at.keys);
  s.forget(at.keys, at.schedule);
  return new Protection13(
    aead,
    iv,
    suite.aead === "chacha20-poly1305" ? Number.MAX_SAFE_INTEGER : AES_GCM_RECORDS,
  );
}

/** Derives the two traffic secrets of a stage from the transcript so far. */
function deriveSecrets(s: ClientSession, client: string, server: string): void {
  s.digest();
  schedule(s).derive(client, at.hash, at.clientSecret);
  schedule(s).derive(server, at.hash, at.serverSecret);
}

function start(s: ClientSession): KeySchedule13 {
  const keys = new KeySchedule13(s.config.provider, s.suiteInForce.hash, s.memory, at.schedule);
  keys.start();
  return keys;
}

/** RFC 8446 7.1, the Handshake Secret's stage. */
function deriveHandshakeKeys(s: ClientSession): string {
  const keys = s.resuming?.start13(s) ?? start(s);
  s.keys13 = keys;
  keys.handshake(at.shared, at.shared + agree(s));
  s.forget(at.shared, at.hash);
  deriveSecrets(s, secretLabel.clientHandshake, secretLabel.serverHandshake);
  s.log("CLIENT_HANDSHAKE_TRAFFIC_SECRET", s.memory, at.clientSecret, keys.size);
  s.log("SERVER_HANDSHAKE_TRAFFIC_SECRET", s.memory, at.serverSecret, keys.size);
  s.engine.maxInner = MAX_PLAINTEXT + 1;
  s.engine.receiveUnder(protection(s, at.serverSecret));
  // Already now, so that an alert goes out encrypted
  sendCompatibilityChange(s);
  s.engine.sendUnder(protection(s, at.clientSecret));
  return "WAIT_ENCRYPTED_EXTENSIONS";
}

/** RFC 8446 4.3.1. */
export function receiveEncryptedExtensions(s: ClientSession): string {
  readExtensions(s, s.engine.reader, inMessage.encrypted_extensions);
  return "WAIT_CERTIFICATE_OR_REQUEST";
}

/** CertificateRequest, RFC 8446 4.3.2: the context is empty during the handshake. */
function receiveCertificateRequest(s: ClientSession): string {
  const r = s.engine.reader;
  if (r.u8() !== 0) throw faults.ILLEGAL_PARAMETER;
  readExtensions(s, r, inMessage.certificate_request);
  if (!saw(s, extensionType.signature_algorithms)) throw faults.MISSING_EXTENSION;
  s.requested = true;
  return "WAIT_CERTIFICATE";
}

/** certificate_request_context and the length of certificate_list. */
function measureCertificateHead(): number {
  return 4;
}

function receiveCertificateHead(s: ClientSession): string {
  const r = s.engine.reader;
  if (r.u8() !== 0) throw faults.ILLEGAL_PARAMETER;
  readListLength(s, r);
  if (s.engine.left === 0) throw faults.NO_PEER_CERT;
  return "WAIT_CERTIFICATE_ENTRY";
}

/** CertificateEntry, RFC 8446 4.4.2: a certificate, and its staple among its extensions (4.4.2.1). */
function receiveEntry(s: ClientSession): string {
  const r = s.engine.reader;
  readCertificate(s, r);
  readExtensions(s, r, inMessage.certificate);
  return s.engine.left > 0 ? "WAIT_CERTIFICATE_ENTRY" : "AUTHENTICATE";
}

function authenticateServer(s: ClientSession): string {
  return s.verifier.step(s.config.clock()) ? "WAIT_CERTIFICATE_VERIFY" : "AUTHENTICATE";
}

/** CertificateVerify, RFC 8446 4.4.3: an offered scheme, the curve's own hash, and no PKCS#1 v1.5. */
function receiveCertificateVerify(s: ClientSession): string {
  const r = s.engine.reader;
  const id = r.u16();
  const scheme = findScheme(id);
  const { kind } = s.verifier.leaf.key;
  if (scheme?.pkcs1 || (scheme?.curve !== undefined && scheme.curve !== kind)) throw faults.SIGNATURE_SCHEME;
  const content = s.transcript.signedContent(verifyContext.server);
  const verification = beginVerification(s, id);
  verification.update(content, 0, content.length);
  readSignature(s, r);
  return "VERIFY";
}

function verifyServer(s: ClientSession): string {
  settleVerification(s);
  return "WAIT_FINISHED";
}

/** The verify_data of a side's Finished over the transcript so far, RFC 8446 4.4.4. */
function computeFinished(s: ClientSession, secretAt: number): number {
  s.digest();
  schedule(s).finished(secretAt, at.hash, at.verifyData);
  return s.transcript.size;
}

function receiveFinished(s: ClientSession): string {
  const r = s.engine.reader;
  const n = computeFinished(s, at.serverSecret);
  if (r.left !== n) throw faults.DECODE_ERROR;
  if (!equalSecret(s.memory, at.verifyData, r.bytes, r.skip(n), n)) throw faults.FINISHED_MISMATCH;
  return "DERIVE_APPLICATION_KEYS";
}

/** The Master Secret's stage, RFC 8446 7.1: the server's keys change now, the client's after its Finished. */
function deriveApplicationKeys(s: ClientSession): string {
  const keys = schedule(s);
  keys.master();
  s.digest();
  keys.derive(secretLabel.serverApplication, at.hash, at.serverSecret);
  keys.derive(secretLabel.clientApplication, at.hash, at.applicationSecret);
  s.log("CLIENT_TRAFFIC_SECRET_0", s.memory, at.applicationSecret, keys.size);
  s.log("SERVER_TRAFFIC_SECRET_0", s.memory, at.serverSecret, keys.size);
  // Of the Master Secret nothing more is derived, but for tickets
  if (s.resuming === undefined) keys.wipe();
  s.engine.receiveUnder(protection(s, at.serverSecret));
  return s.requested ? "SEND_CERTIFICATE" : "SEND_FINISHED";
}

function sendCertificateVerify(s: ClientSession): string {
  const signature = s.config.identity?.signer.begin(s.clientScheme);
  if (signature === undefined) throw faults.INTERNAL_ERROR;
  const content = s.transcript.signedContent(verifyContext.client);
  signature.update(content, 0, content.length);
  return sendSignature(s, signature);
}

export function sendFinished(s: ClientSession): string {
  const n = computeFinished(s, at.clientSecret);
  const w = s.engine.begin(on.finished);
  w.copy(s.memory, at.verifyData, at.verifyData + n);
  s.engine.send();
  s.memory.copyWithin(at.clientSecret, at.applicationSecret, at.shared);
  s.forget(at.applicationSecret, at.shared);
  s.engine.sendUnder(protection(s, at.clientSecret));
  s.engine.established = true;
  return "CONNECTED";
}

/** NewSessionTicket, RFC 8446 4.6.1. Well-formed it must be, whether anything is made of it or not. */
function receiveNewSessionTicket(s: ClientSession): string {
  const r = s.engine.reader;
  const lifetime = r.u32();
  const ageAdd = r.u32();
  const nonce = r.enter8();
  const nonceAt = r.at;
  const nonceEnd = r.end;
  r.drop(nonce);
  const ticket = r.enter16();
  if (r.left === 0) throw faults.DECODE_ERROR;
  const start = r.at;
  const end = r.end;
  r.drop(ticket);
  readExtensions(s, r, inMessage.new_session_ticket);
  s.engine.countIdle();
  s.resuming?.takeTicket13(s, lifetime, ageAdd, nonceAt, nonceEnd, start, end);
  return "CONNECTED";
}

/** KeyUpdate, RFC 8446 4.6.3: the server's key changes, and ours too when it asks (1) and we have used it. */
function receiveKeyUpdate(s: ClientSession): string {
  const request = s.engine.reader.u8();
  if (request > 1) throw faults.ILLEGAL_PARAMETER;
  s.engine.countIdle();
  schedule(s).update(at.serverSecret);
  s.engine.receiveUnder(protection(s, at.serverSecret));
  return request === 1 && !isFresh(s) ? "SEND_KEY_UPDATE" : "CONNECTED";
}

/** Ours changes; update_not_requested(0), for the server's may stay. */
function sendKeyUpdate(s: ClientSession): string {
  const w = s.engine.begin(on.key_update);
  w.u8(s.requestKeyUpdate ? 1 : 0);
  s.requestKeyUpdate = false;
  s.engine.send();
  schedule(s).update(at.clientSecret);
  s.engine.sendUnder(protection(s, at.clientSecret));
  return "CONNECTED";
}
