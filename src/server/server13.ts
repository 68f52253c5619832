import { secretLabel } from "../crypto/keys13.js";
import { findScheme, hashSize, keySize } from "../crypto/suites.js";
import { retryRandom, verifyContext } from "../crypto/transcript.js";
import { measureEntry, readCertificate, readListLength } from "../record/certificates.js";
import { isFresh } from "../record/endpoint.js";
import { CHANGE_CIPHER_SPEC, type Row, STEP } from "../record/engine.js";
import { AES_GCM_RECORDS, Protection13 } from "../record/record.js";
import { faults } from "../wire/fault.js";
import { extensionType, handshakeType, version } from "../wire/registry.js";
import { table } from "../wire/table.js";
import { equalSecret, secretBytes, type Writer } from "../wire/writer.js";
import { admitted, readEntryExtensions } from "./authenticate.js";
import { PlaintextSkipper, ProtectedSkipper } from "./earlydata.js";
import { writeExtensions } from "./extensions.js";
import {
  agree,
  checkScheme,
  dropKeyPair,
  keepPeerShare,
  makeKeyPair,
  readSignature,
  settleVerification,
  sign,
} from "./keyexchange.js";
import { at, RANDOM } from "./memory.js";
import { inMessage } from "./messages.js";
import { chooseSuite13, commonGroups } from "./negotiate.js";
import { resume13 } from "./psk.js";
import type { ServerSession } from "./session.js";
import { certificateMessage } from "./staples.js";
import { sealTicket, ticketLife } from "./tickets.js";

const on = handshakeType;

/** TLS 1.3 from the key exchange on, RFC 8446 appendix A.2. */
export const rows13 = table<Row<ServerSession>>([
  { state: "EXCHANGE", on: STEP, run: exchange },
  { state: "AGREE", on: STEP, run: deriveHandshakeSecret },
  { state: "SEND_SERVER_HELLO", on: STEP, run: sendServerHello, sends: true },
  { state: "DERIVE_HANDSHAKE_KEYS", on: STEP, run: deriveHandshakeKeys, sends: true },
  { state: "SEND_ENCRYPTED_EXTENSIONS", on: STEP, run: sendEncryptedExtensions, sends: true },
  { state: "SEND_CERTIFICATE_REQUEST", on: STEP, run: sendCertificateRequest, sends: true },
  { state: "SEND_CERTIFICATE", on: STEP, run: sendCertificate, sends: true },
  { state: "SEND_CERTIFICATE_VERIFY", on: STEP, run: sendCertificateVerify, sends: true },
  { state: "SEND_FINISHED", on: STEP, run: sendFinished, sends: true },
  { state: "DERIVE_APPLICATION_KEYS", on: STEP, run: deriveApplicationKeys },
  {
    state: "WAIT_CERTIFICATE",
    on: on.certificate,
    run: receiveCertificateHead,
    measure: measureCertificateHead,
  },
  { state: "WAIT_CERTIFICATE_ENTRY", on: on.certificate, run: receiveEntry, measure: measureEntry },
  { state: "AUTHENTICATE", on: STEP, run: authenticateClient },
  { state: "WAIT_CERTIFICATE_VERIFY", on: on.certificate_verify, run: receiveCertificateVerify },
  { state: "VERIFY", on: STEP, run: verifyClient },
  { state: "WAIT_FINISHED", on: on.finished, run: receiveFinished, most: hashSize.sha384 },
  { state: "AWAIT_APPROVAL", on: STEP, run: (s) => s.state, waits: true },
  { state: "COMPLETE", on: STEP, run: complete },
  { state: "SEND_TICKET", on: STEP, run: sendTicket, sends: true },
  { state: "CONNECTED", on: on.key_update, run: receiveKeyUpdate, most: 1 },
  { state: "SEND_KEY_UPDATE", on: STEP, run: sendKeyUpdate, sends: true },
  // Until the client's Finished, RFC 8446 section 5
  { state: "WAIT_CERTIFICATE", on: CHANGE_CIPHER_SPEC, run: ignoreCompatibilityChange },
  { state: "WAIT_CERTIFICATE_VERIFY", on: CHANGE_CIPHER_SPEC, run: ignoreCompatibilityChange },
  { state: "WAIT_FINISHED", on: CHANGE_CIPHER_SPEC, run: ignoreCompatibilityChange },
]);

/** RFC 8446 D.4: a ChangeCipherSpec of TLS 1.3 means nothing. */
export function ignoreCompatibilityChange(s: ServerSession): string {
  return s.state;
}

/** The one ChangeCipherSpec of TLS 1.3, for the middleboxes of a client that sent a session id (RFC 8446 D.4). */
function sendCompatibilityChange(s: ServerSession): void {
  if (s.sessionIdLength > 0 && !s.changeCipherSpecSent) s.engine.sendChangeCipherSpec();
  s.changeCipherSpecSent = true;
}

// The hellos, RFC 8446 4.1

/** Chooses suite, group and session: what is answered to the ClientHello that is being read. False: a share must be asked for. */
export function negotiate13(s: ServerSession): boolean {
  const { offer } = s;
  if (!offer.nullCompressionAlone) throw faults.ILLEGAL_PARAMETER;
  checkExtensions(s);
  chooseSuite13(s);
  if (!chooseShare(s)) return false;
  resume13(s);
  return true;
}

/** RFC 8446 9.2, for ClientHellos that want (EC)DHE: we speak nothing else. */
function checkExtensions({ offer }: ServerSession): void {
  const needed: number[] = [extensionType.supported_groups, extensionType.key_share];
  if (!offer.has(extensionType.pre_shared_key)) needed.push(extensionType.signature_algorithms);
  else needed.push(extensionType.psk_key_exchange_modes);
  if (offer.has(extensionType.early_data) && !offer.has(extensionType.pre_shared_key))
    throw faults.ILLEGAL_PARAMETER;
  if (!needed.every((extension) => offer.has(extension))) throw faults.MISSING_EXTENSION;
}

/** Our best group that has a share; false: there is one without, so it is asked for (RFC 8446 4.2.8). */
function chooseShare(s: ServerSession): boolean {
  const { offer, engine } = s;
  if (offer.shares.some(({ group }) => !offer.groups.includes(group))) throw faults.ILLEGAL_PARAMETER;
  const common = commonGroups(s);
  if (common.length === 0) throw faults.NO_COMMON_GROUP;
  const group = common.find((id) => offer.shares.some((share) => share.group === id));
  // The second ClientHello has the share that was asked for, and no other (RFC 8446 4.1.2)
  const asked = s.retriedGroup;
  if (asked > 0 && (group !== asked || offer.shares.length !== 1)) throw faults.ILLEGAL_PARAMETER;
  s.group = group ?? common[0];
  const share = offer.shares.find((each) => each.group === group);
  if (share === undefined) return false;
  keepPeerShare(s, engine.reader.bytes, share.start, share.end);
  return true;
}

/** HelloRetryRequest, RFC 8446 4.1.4: it asks for a share of our group. */
export function sendHelloRetryRequest(s: ServerSession): string {
  s.retriedGroup = s.group;
  s.transcript.restart();
  s.memory.set(retryRandom, at.serverRandom);
  writeServerHello(s, inMessage.hello_retry_request);
  sendCompatibilityChange(s);
  if (skipsEarlyData(s)) s.engine.receiveUnder(new PlaintextSkipper());
  return "WAIT_SECOND_CLIENT_HELLO";
}

function exchange(s: ServerSession): string {
  makeKeyPair(s);
  return "AGREE";
}

/**
 * The Handshake Secret. The client's share is refused while the alert can go out in the clear: after the ServerHello
 * the client could not read it, as there would be no keys. The Early Secret's stage is there when the session is resumed.
 */
function deriveHandshakeSecret(s: ServerSession): string {
  const keys = s.schedule13();
  if (!s.resumed) keys.start();
  keys.handshake(at.shared, at.shared + agree(s));
  s.forget(at.shared, at.hash);
  return "SEND_SERVER_HELLO";
}

function sendServerHello(s: ServerSession): string {
  s.config.provider.random(s.memory, at.serverRandom, at.serverRandom + RANDOM);
  writeServerHello(s, inMessage.server_hello);
  dropKeyPair(s);
  return "DERIVE_HANDSHAKE_KEYS";
}

/** ServerHello, RFC 8446 4.1.3. */
function writeServerHello(s: ServerSession, where: number): void {
  const w = s.engine.begin(on.server_hello);
  w.u16(version.tls12);
  w.copy(s.memory, at.serverRandom, at.serverRandom + RANDOM);
  const sessionId = w.begin8();
  w.copy(s.memory, at.sessionId, at.sessionId + s.sessionIdLength);
  w.finish8(sessionId);
  w.u16(s.suiteInForce.id);
  w.u8(0);
  writeExtensions(s, w, where);
  s.engine.send();
}

// Keys, RFC 8446 section 7

/** The keys of one direction, RFC 8446 7.3. */
function protection(s: ServerSession, secretAt: number): Protection13 {
  const { aead } = s.suiteInForce;
  const iv = secretBytes(12);
  s.schedule13().trafficKeys(secretAt, at.keys, keySize[aead], iv);
  const keyed = s.aead(at.keys);
  s.forget(at.keys, at.schedule);
  return new Protection13(
    keyed,
    iv,
    aead === "chacha20-poly1305" ? Number.MAX_SAFE_INTEGER : AES_GCM_RECORDS,
  );
}

/** The client sent early data, or is about to; none comes after a HelloRetryRequest (RFC 8446 4.2.10). */
function skipsEarlyData(s: ServerSession): boolean {
  return s.offer.has(extensionType.early_data);
}

function deriveHandshakeKeys(s: ServerSession): string {
  const keys = s.schedule13();
  s.digest();
  keys.derive(secretLabel.clientHandshake, at.hash, at.clientSecret);
  keys.derive(secretLabel.serverHandshake, at.hash, at.serverSecret);
  s.log("CLIENT_HANDSHAKE_TRAFFIC_SECRET", at.clientSecret, keys.size);
  s.log("SERVER_HANDSHAKE_TRAFFIC_SECRET", at.serverSecret, keys.size);
  const inbound = protection(s, at.clientSecret);
  s.engine.receiveUnder(skipsEarlyData(s) ? new ProtectedSkipper(inbound) : inbound);
  sendCompatibilityChange(s);
  s.engine.sendUnder(protection(s, at.serverSecret));
  return "SEND_ENCRYPTED_EXTENSIONS";
}

// The server's flight, RFC 8446 4.3 and 4.4

function sendEncryptedExtensions(s: ServerSession): string {
  const w = s.engine.begin(on.encrypted_extensions);
  writeExtensions(s, w, inMessage.encrypted_extensions);
  s.engine.send();
  if (s.resumed) return "SEND_FINISHED";
  return s.config.clientAuth === "none" ? "SEND_CERTIFICATE" : "SEND_CERTIFICATE_REQUEST";
}

/** CertificateRequest, RFC 8446 4.3.2. */
function sendCertificateRequest(s: ServerSession): string {
  const w = s.engine.begin(on.certificate_request);
  w.u8(0);
  writeExtensions(s, w, inMessage.certificate_request);
  s.engine.send();
  s.requested = true;
  return "SEND_CERTIFICATE";
}

function sendCertificate(s: ServerSession): string {
  s.long ??= certificateMessage(s);
  if (!s.long.send(s.engine)) return "SEND_CERTIFICATE";
  s.long = undefined;
  return "SEND_CERTIFICATE_VERIFY";
}

function sendCertificateVerify(s: ServerSession): string {
  const content = s.transcript.signedContent(verifyContext.server);
  const w = s.engine.begin(on.certificate_verify);
  sign(s, w, [[content, 0, content.length]]);
  s.engine.send();
  return "SEND_FINISHED";
}

/** The verify_data of a side's Finished over the transcript so far, RFC 8446 4.4.4. */
function computeFinished(s: ServerSession, secretAt: number): number {
  s.digest();
  s.schedule13().finished(secretAt, at.hash, at.verifyData);
  return s.transcript.size;
}

function sendFinished(s: ServerSession): string {
  const n = computeFinished(s, at.serverSecret);
  const w = s.engine.begin(on.finished);
  w.copy(s.memory, at.verifyData, at.verifyData + n);
  s.engine.send();
  return "DERIVE_APPLICATION_KEYS";
}

/** The Master Secret's stage, RFC 8446 7.1: our keys change now, the client's after its Finished. */
function deriveApplicationKeys(s: ServerSession): string {
  const keys = s.schedule13();
  keys.master();
  s.digest();
  keys.derive(secretLabel.serverApplication, at.hash, at.serverSecret);
  keys.derive(secretLabel.clientApplication, at.hash, at.applicationSecret);
  s.log("CLIENT_TRAFFIC_SECRET_0", at.applicationSecret, keys.size);
  s.log("SERVER_TRAFFIC_SECRET_0", at.serverSecret, keys.size);
  s.engine.sendUnder(protection(s, at.serverSecret));
  return s.requested ? "WAIT_CERTIFICATE" : "WAIT_FINISHED";
}

// The client's flight, RFC 8446 4.4

/** certificate_request_context and the length of certificate_list. */
function measureCertificateHead(): number {
  return 4;
}

function receiveCertificateHead(s: ServerSession): string {
  const r = s.engine.reader;
  if (r.u8() !== 0) throw faults.ILLEGAL_PARAMETER;
  readListLength(s, r);
  if (s.engine.left > 0) return "WAIT_CERTIFICATE_ENTRY";
  if (s.config.clientAuth === "require") throw faults.CERTIFICATE_REQUIRED;
  return "WAIT_FINISHED";
}

/** CertificateEntry, RFC 8446 4.4.2: a certificate, and its staple among its extensions (4.4.2.1). */
function receiveEntry(s: ServerSession): string {
  const r = s.engine.reader;
  readCertificate(s, r);
  readEntryExtensions(s, r);
  return s.engine.left > 0 ? "WAIT_CERTIFICATE_ENTRY" : "AUTHENTICATE";
}

function authenticateClient(s: ServerSession): string {
  return s.verifier.step(s.config.clock()) ? "WAIT_CERTIFICATE_VERIFY" : "AUTHENTICATE";
}

/** CertificateVerify, RFC 8446 4.4.3: a scheme that was asked for, the curve's own hash, and no PKCS#1 v1.5. */
function receiveCertificateVerify(s: ServerSession): string {
  const r = s.engine.reader;
  const id = r.u16();
  checkScheme(s, id);
  const scheme = findScheme(id);
  const { kind } = s.verifier.leaf.key;
  if (scheme?.pkcs1 || (scheme?.curve !== undefined && scheme.curve !== kind)) throw faults.SIGNATURE_SCHEME;
  const content = s.transcript.signedContent(verifyContext.client);
  const verification = s.config.provider.verification(id);
  verification.update(content, 0, content.length);
  readSignature(s, r, verification);
  return "VERIFY";
}

function verifyClient(s: ServerSession): string {
  settleVerification(s);
  return "WAIT_FINISHED";
}

function receiveFinished(s: ServerSession): string {
  const r = s.engine.reader;
  const n = computeFinished(s, at.clientSecret);
  if (r.left !== n) throw faults.DECODE_ERROR;
  if (!equalSecret(s.memory, at.verifyData, r.bytes, r.skip(n), n)) throw faults.FINISHED_MISMATCH;
  // Data may follow at once, so nothing is read before it is decided
  return admitted(s, "COMPLETE");
}

/** The client's keys change; of the Master Secret only the ticket's is still derived. */
function complete(s: ServerSession): string {
  const { engine, memory } = s;
  const keys = s.schedule13();
  memory.copyWithin(at.clientSecret, at.applicationSecret, at.resumption);
  s.forget(at.applicationSecret, at.resumption);
  engine.receiveUnder(protection(s, at.clientSecret));
  s.digest();
  keys.resumptionSecret(at.hash, at.resumption);
  keys.wipe();
  engine.established = true;
  return s.offer.pskDhe && ticketLife(s) > 0 ? "SEND_TICKET" : "CONNECTED";
}

// After the handshake, RFC 8446 4.6

/** The nonce tells a connection's tickets apart; there is only one. */
const ticketNonce = Object.freeze([0]);

/** NewSessionTicket, RFC 8446 4.6.1. Without early_data: 0-RTT data could be replayed. */
function sendTicket(s: ServerSession): string {
  const keys = s.schedule13();
  const life = ticketLife(s);
  const nonce = Uint8Array.from(ticketNonce);
  keys.ticketPsk(at.resumption, nonce, 0, nonce.length, at.resumption);
  const ticket = sealTicket(s, at.resumption, at.resumption + keys.size, life);
  s.forget(at.resumption, at.shared);
  const w = s.engine.begin(on.new_session_ticket);
  u32(w, life);
  s.config.provider.random(w.bytes, w.at, w.at + 4);
  w.skip(4);
  const nonceLength = w.begin8();
  w.copy(nonce);
  w.finish8(nonceLength);
  const length = w.begin16();
  w.copy(ticket);
  w.finish16(length);
  w.u16(0);
  s.engine.send();
  return "CONNECTED";
}

function u32(w: Writer, value: number): void {
  w.u16(value >>> 16);
  w.u16(value & 0xffff);
}

/** KeyUpdate, RFC 8446 4.6.3: the client's key changes, and ours too when it asks (1) and we have used it. */
function receiveKeyUpdate(s: ServerSession): string {
  const request = s.engine.reader.u8();
  if (request > 1) throw faults.ILLEGAL_PARAMETER;
  s.engine.countIdle();
  s.schedule13().update(at.clientSecret);
  s.engine.receiveUnder(protection(s, at.clientSecret));
  return request === 1 && !isFresh(s) ? "SEND_KEY_UPDATE" : "CONNECTED";
}

/** Ours changes; update_not_requested(0), for the client's may stay. */
function sendKeyUpdate(s: ServerSession): string {
  const w = s.engine.begin(on.key_update);
  w.u8(s.requestKeyUpdate ? 1 : 0);
  s.requestKeyUpdate = false;
  s.engine.send();
  s.schedule13().update(at.serverSecret);
  s.engine.sendUnder(protection(s, at.serverSecret));
  return "CONNECTED";
}
