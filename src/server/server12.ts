import { finishedLabel, KeySchedule12, masterSize, verifyDataSize } from "../crypto/keys12.js";
import { findScheme, findSuite, fitsKey, keySize } from "../crypto/suites.js";
import { measureCertificate, readCertificate, readListLength } from "../record/certificates.js";
import { CHANGE_CIPHER_SPEC, type Row, STEP } from "../record/engine.js";
import { AAD, AES_GCM_RECORDS, type Protection, Protection12 } from "../record/record.js";
import { faults } from "../wire/fault.js";
import { alert, extensionType, handshakeType, version } from "../wire/registry.js";
import { table } from "../wire/table.js";
import { equalSecret, secretBytes } from "../wire/writer.js";
import { admitted } from "./authenticate.js";
import { hasExtensions, writeExtensions } from "./extensions.js";
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
import { commonSuites } from "./negotiate.js";
import { authorities } from "./request.js";
import type { ServerSession } from "./session.js";
import { certificateMessage, statusMessage } from "./staples.js";
import { openTicket, sealTicket, type Ticket, ticketLife } from "./tickets.js";

const on = handshakeType;

/** TLS 1.2 from the ServerHello on: RFC 5246 7.3 with ECDHE, RFC 6066 section 8, and RFC 5077 3.1 for a ticket. */
export const rows12 = table<Row<ServerSession>>([
  { state: "SEND_SERVER_HELLO", on: STEP, run: sendServerHello, sends: true },
  { state: "SEND_CERTIFICATE", on: STEP, run: sendCertificate, sends: true },
  { state: "SEND_CERTIFICATE_STATUS", on: STEP, run: sendCertificateStatus, sends: true },
  { state: "EXCHANGE", on: STEP, run: exchange },
  { state: "SEND_KEY_EXCHANGE", on: STEP, run: sendServerKeyExchange, sends: true },
  { state: "SEND_CERTIFICATE_REQUEST", on: STEP, run: sendCertificateRequest, sends: true },
  { state: "SEND_DONE", on: STEP, run: sendServerHelloDone, sends: true },
  { state: "WAIT_CERTIFICATE", on: on.certificate, run: receiveCertificateHead, measure: measureListLength },
  { state: "WAIT_CERTIFICATE_ENTRY", on: on.certificate, run: receiveEntry, measure: measureCertificate },
  { state: "AUTHENTICATE", on: STEP, run: authenticateClient },
  { state: "WAIT_KEY_EXCHANGE", on: on.client_key_exchange, run: receiveClientKeyExchange },
  { state: "AGREE", on: STEP, run: deriveMasterSecret },
  { state: "WAIT_CERTIFICATE_VERIFY", on: on.certificate_verify, run: receiveCertificateVerify },
  { state: "VERIFY", on: STEP, run: verifyClient },
  { state: "RESUME", on: STEP, run: restoreMasterSecret },
  { state: "WAIT_CHANGE_CIPHER_SPEC", on: CHANGE_CIPHER_SPEC, run: receiveChangeCipherSpec },
  { state: "WAIT_FINISHED", on: on.finished, run: receiveFinished, most: verifyDataSize },
  { state: "AWAIT_APPROVAL", on: STEP, run: (s) => s.state, waits: true },
  { state: "COMPLETE", on: STEP, run: complete },
  { state: "SEND_TICKET", on: STEP, run: sendTicket, sends: true },
  { state: "SEND_FINISHED", on: STEP, run: sendFinished, sends: true },
  { state: "CONNECTED", on: on.client_hello, run: refuseRenegotiation },
]);

// The hello, RFC 5246 7.4.1.3

/** Begins to verify, for each scheme that a client's certificate may sign with, all messages (RFC 5246 7.4.8). */
export function beginVerifications(s: ServerSession): void {
  const { clientAuth, schemes, provider } = s.config;
  if (clientAuth !== "none") s.verifications = schemes.map((id) => provider.verification(id));
}

/**
 * Would resume from the client's ticket if it is good. Once extended_master_secret was there it must be there again
 * (RFC 7627 5.3), and without it there is no ticket.
 */
export function resume12(s: ServerSession): void {
  const { ticketStart, ticketEnd } = s.offer;
  const ticket = openTicket(s, s.engine.reader.bytes, ticketStart, ticketEnd);
  const suite = commonSuites(s).find(({ id }) => id === ticket?.suite);
  if (!ticket?.ems || ticket.secret.length !== masterSize || suite === undefined) return;
  if (!s.extendedMasterSecret) throw faults.EMS_REQUIRED;
  s.ticket = ticket;
}

/** The handshake goes on from the ticket: with its suite, and without a client's certificate. */
export function takeTicket12(s: ServerSession, { suite }: Ticket): void {
  s.chooseSuite(findSuite(suite)!);
  s.verifications = [];
}

/** "DOWNGRD" and 1: a server of TLS 1.3 speaks TLS 1.2 (RFC 8446 4.1.3). */
const downgradeSentinel = Object.freeze([0x44, 0x4f, 0x57, 0x4e, 0x47, 0x52, 0x44, 0x01]);

function sendServerHello(s: ServerSession): string {
  const { engine, memory, config } = s;
  config.provider.random(memory, at.serverRandom, at.serverRandom + RANDOM);
  if (s.speaks(version.tls13)) memory.set(downgradeSentinel, at.serverRandom + RANDOM - 8);
  const wantsTicket = s.offer.has(extensionType.session_ticket) && s.extendedMasterSecret && !s.resumed;
  s.ticketAnnounced = wantsTicket && ticketLife(s) > 0;
  const w = engine.begin(on.server_hello);
  w.u16(version.tls12);
  w.copy(memory, at.serverRandom, at.serverRandom + RANDOM);
  // Its own session id tells the client that the ticket was taken (RFC 5077 3.4)
  const sessionId = w.begin8();
  if (s.resumed) w.copy(memory, at.sessionId, at.sessionId + s.sessionIdLength);
  w.finish8(sessionId);
  w.u16(s.suiteInForce.id);
  w.u8(0);
  if (hasExtensions(s, inMessage.server_hello12)) writeExtensions(s, w, inMessage.server_hello12);
  engine.send();
  return s.resumed ? "RESUME" : "SEND_CERTIFICATE";
}

// The rest of the server's flight, RFC 5246 7.4.2 to 7.4.5

function sendCertificate(s: ServerSession): string {
  s.long ??= certificateMessage(s);
  if (!s.long.send(s.engine)) return "SEND_CERTIFICATE";
  s.long = undefined;
  return s.announced === "off" ? "EXCHANGE" : "SEND_CERTIFICATE_STATUS";
}

function sendCertificateStatus(s: ServerSession): string {
  s.long ??= statusMessage(s);
  if (!s.long.send(s.engine)) return "SEND_CERTIFICATE_STATUS";
  s.long = undefined;
  return "EXCHANGE";
}

function exchange(s: ServerSession): string {
  makeKeyPair(s);
  return "SEND_KEY_EXCHANGE";
}

const NAMED_CURVE = 3;

/** ServerKeyExchange, RFC 8422 5.4: ServerECDHParams and their signature, with both randoms before them. */
function sendServerKeyExchange(s: ServerSession): string {
  const w = s.engine.begin(on.server_key_exchange);
  const start = w.at;
  w.u8(NAMED_CURVE);
  w.u16(s.group);
  const point = w.begin8();
  if (s.exchange) w.skip(s.exchange.publicKey(w.bytes, w.at));
  w.finish8(point);
  // ClientHello.random, ServerHello.random
  sign(s, w, [
    [s.memory, at.clientRandom, at.serverRandom + RANDOM],
    [w.bytes, start, w.at],
  ]);
  s.engine.send();
  return s.config.clientAuth === "none" ? "SEND_DONE" : "SEND_CERTIFICATE_REQUEST";
}

/** ClientCertificateType rsa_sign and ecdsa_sign; EdDSA keys count as the latter (RFC 8422 5.5). */
const certificateTypes = Object.freeze([1, 64]);

/** CertificateRequest, RFC 5246 7.4.4. */
function sendCertificateRequest(s: ServerSession): string {
  const w = s.engine.begin(on.certificate_request);
  const types = w.begin8();
  for (const type of certificateTypes) w.u8(type);
  w.finish8(types);
  const schemes = w.begin16();
  for (const scheme of s.config.schemes) w.u16(scheme);
  w.finish16(schemes);
  const names = w.begin16();
  for (const { nameBytes, nameStart, nameEnd } of authorities(s)) {
    w.u16(nameEnd - nameStart);
    w.copy(nameBytes, nameStart, nameEnd);
  }
  w.finish16(names);
  s.engine.send();
  s.requested = true;
  return "SEND_DONE";
}

function sendServerHelloDone(s: ServerSession): string {
  s.engine.begin(on.server_hello_done);
  s.engine.send();
  return s.requested ? "WAIT_CERTIFICATE" : "WAIT_KEY_EXCHANGE";
}

// The client's flight, RFC 5246 7.4.6 to 7.4.9

/** The length of certificate_list, RFC 5246 7.4.2. */
function measureListLength(): number {
  return 3;
}

function receiveCertificateHead(s: ServerSession): string {
  readListLength(s, s.engine.reader);
  if (s.engine.left > 0) return "WAIT_CERTIFICATE_ENTRY";
  s.verifications = [];
  // certificate_required(116) came with TLS 1.3 (RFC 5246 7.4.6)
  if (s.config.clientAuth === "require") s.engine.fail(faults.CERTIFICATE_REQUIRED, alert.handshake_failure);
  return "WAIT_KEY_EXCHANGE";
}

function receiveEntry(s: ServerSession): string {
  readCertificate(s, s.engine.reader);
  if (s.verifier.sent === 1) dropVerifications(s);
  return s.engine.left > 0 ? "WAIT_CERTIFICATE_ENTRY" : "AUTHENTICATE";
}

/** The key is known: what it can't sign with need not run along. */
function dropVerifications(s: ServerSession): void {
  const { kind } = s.verifier.leaf.key;
  s.verifications = s.config.schemes.map((id, i) =>
    fitsKey(findScheme(id)!, kind) ? s.verifications[i] : undefined,
  );
}

function authenticateClient(s: ServerSession): string {
  return s.verifier.step(s.config.clock()) ? "WAIT_KEY_EXCHANGE" : "AUTHENTICATE";
}

/** ClientKeyExchange, RFC 8422 5.7; with it the session hash is complete (RFC 7627 section 3). */
function receiveClientKeyExchange(s: ServerSession): string {
  const r = s.engine.reader;
  const point = r.enter8();
  const start = r.skip(r.left);
  keepPeerShare(s, r.bytes, start, r.at);
  r.leave(point);
  return "AGREE";
}

/** RFC 7627 section 4, or RFC 5246 8.1 with a client that lacks it. */
function deriveMasterSecret(s: ServerSession): string {
  const keys = new KeySchedule12(s.config.provider, s.suiteInForce.hash, s.memory, at.schedule);
  const n = agree(s);
  dropKeyPair(s);
  s.keys12 = keys;
  s.digest();
  if (s.extendedMasterSecret) keys.extendedMasterSecret(at.shared, at.shared + n, at.hash);
  else keys.masterSecret(at.shared, at.shared + n, at.clientRandom, at.serverRandom);
  s.forget(at.shared, at.shared + n);
  s.log("CLIENT_RANDOM", keys.master, masterSize);
  deriveKeys(s);
  return s.verifier.sent > 0 ? "WAIT_CERTIFICATE_VERIFY" : "WAIT_CHANGE_CIPHER_SPEC";
}

/** CertificateVerify, RFC 5246 7.4.8. */
function receiveCertificateVerify(s: ServerSession): string {
  const r = s.engine.reader;
  const id = r.u16();
  checkScheme(s, id);
  const verification = s.verifications[s.config.schemes.indexOf(id)];
  s.verifications = [];
  if (verification === undefined) throw faults.INTERNAL_ERROR;
  readSignature(s, r, verification);
  return "VERIFY";
}

function verifyClient(s: ServerSession): string {
  settleVerification(s);
  return "WAIT_CHANGE_CIPHER_SPEC";
}

function receiveChangeCipherSpec(s: ServerSession): string {
  if (s.clientProtection === undefined) throw faults.INTERNAL_ERROR;
  s.engine.receiveUnder(s.clientProtection);
  s.clientProtection = undefined;
  return "WAIT_FINISHED";
}

function receiveFinished(s: ServerSession): string {
  const r = s.engine.reader;
  if (r.left !== verifyDataSize) throw faults.DECODE_ERROR;
  computeFinished(s, finishedLabel.client);
  if (!equalSecret(s.memory, at.verifyData, r.bytes, r.skip(verifyDataSize), verifyDataSize))
    throw faults.FINISHED_MISMATCH;
  if (s.resumed) return connect(s);
  // Data may follow at once, so nothing is read before it is decided
  return admitted(s, "COMPLETE");
}

// Keys, RFC 5246 6.3 and 8.1

function schedule(s: ServerSession): KeySchedule12 {
  if (s.keys12 === undefined) throw faults.INTERNAL_ERROR;
  return s.keys12;
}

/** The master secret of the ticket's session; the keys are new, as the randoms are. */
function restoreMasterSecret(s: ServerSession): string {
  const keys = new KeySchedule12(s.config.provider, s.suiteInForce.hash, s.memory, at.schedule);
  s.keys12 = keys;
  s.memory.set(s.ticket!.secret, keys.master);
  s.ticket!.secret.fill(0);
  s.log("CLIENT_RANDOM", keys.master, masterSize);
  deriveKeys(s);
  return "SEND_FINISHED";
}

/** Implicit parts of the nonces: 4 bytes of salt for AES-GCM (RFC 5288), 12 for ChaCha20-Poly1305 (RFC 7905). */
function ivLength(s: ServerSession): number {
  return s.suiteInForce.aead === "chacha20-poly1305" ? 12 : 4;
}

/** The key_block, RFC 5246 6.3: both directions' keys wait for their ChangeCipherSpec. */
function deriveKeys(s: ServerSession): void {
  const size = keySize[s.suiteInForce.aead];
  const salt = ivLength(s);
  const ivs = at.keys + 2 * size;
  schedule(s).keyBlock(at.clientRandom, at.serverRandom, at.keys, 2 * (size + salt));
  s.clientProtection = protection(s, at.keys, ivs);
  s.serverProtection = protection(s, at.keys + size, ivs + salt);
  s.forget(at.keys, at.schedule);
}

function protection(s: ServerSession, keyAt: number, ivAt: number): Protection {
  const gcm = s.suiteInForce.aead !== "chacha20-poly1305";
  const iv = secretBytes(12);
  iv.set(s.memory.subarray(ivAt, ivAt + ivLength(s)));
  const capacity = gcm ? AES_GCM_RECORDS : Number.MAX_SAFE_INTEGER;
  return new Protection12(s.aead(keyAt), iv, capacity, gcm, new Uint8Array(AAD));
}

/** The verify_data of one side over the transcript so far, RFC 5246 7.4.9. */
function computeFinished(s: ServerSession, label: string): void {
  s.digest();
  schedule(s).verifyData(label, at.hash, at.verifyData);
}

// The end of the handshake

function complete(s: ServerSession): string {
  return s.ticketAnnounced ? "SEND_TICKET" : "SEND_FINISHED";
}

/** NewSessionTicket, RFC 5077 3.3: empty when one was announced but the client then showed a certificate. */
function sendTicket(s: ServerSession): string {
  const life = ticketLife(s);
  const { master } = schedule(s);
  const w = s.engine.begin(on.new_session_ticket);
  w.u16(life >>> 16);
  w.u16(life & 0xffff);
  const ticket = w.begin16();
  if (life > 0) w.copy(sealTicket(s, master, master + masterSize, life));
  w.finish16(ticket);
  s.engine.send();
  return "SEND_FINISHED";
}

function sendFinished(s: ServerSession): string {
  const { engine, serverProtection } = s;
  if (serverProtection === undefined) throw faults.INTERNAL_ERROR;
  engine.sendChangeCipherSpec();
  engine.sendUnder(serverProtection);
  s.serverProtection = undefined;
  computeFinished(s, finishedLabel.server);
  const w = engine.begin(on.finished);
  w.copy(s.memory, at.verifyData, at.verifyData + verifyDataSize);
  engine.send();
  return s.resumed ? "WAIT_CHANGE_CIPHER_SPEC" : connect(s);
}

function connect(s: ServerSession): string {
  s.keys12?.wipe();
  s.engine.established = true;
  return "CONNECTED";
}

/** There is no renegotiation, RFC 5746 4.4 notwithstanding. */
function refuseRenegotiation(): string {
  throw faults.NO_RENEGOTIATION;
}
