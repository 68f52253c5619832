import { masterSize, verifyDataSize } from "../crypto/keys12.js";
import type { Verification } from "../crypto/provider.js";
import { findSuite, fitsKey } from "../crypto/suites.js";
import {
  LIST_LENGTH,
  measureCertificate,
  readCertificate,
  readListLength,
} from "../handshake/certificates.js";
import { keepExporterSecret12 } from "../handshake/exporter.js";
import { inMessage } from "../handshake/extensionrow.js";
import { hasExtensions, writeExtensions, writeList16 } from "../handshake/extensions.js";
import { settleSuite } from "../handshake/handshake.js";
import {
  changeAndFinish,
  connect12,
  deriveMasterSecret,
  NAMED_CURVE,
  readFinished12,
  receiveChangeCipherSpec,
  restoreMasterSecret,
  schedule12,
} from "../handshake/handshake12.js";
import { sendCertificates, writeSignature } from "../handshake/identity.js";
import { keepPeerShare, makeKeyPair } from "../handshake/keyexchange.js";
import { at, RANDOM } from "../handshake/memory.js";
import { readScheme, readSignature, settleVerification } from "../handshake/signature.js";
import { CHANGE_CIPHER_SPEC, COLUMNS, rowsOf, STEP } from "../record/row.js";
import { faults } from "../wire/fault.js";
import { tableOf } from "../wire/join.js";
import { alert, extensionType, handshakeType, version } from "../wire/registry.js";
import { admitted } from "./admission.js";
import { writeAuthorities } from "./extensiondata.js";
import type { ServerHandshake } from "./handshake.js";
import { commonSuites } from "./negotiate.js";
import { statusMessage } from "./staples.js";
import type { ServerState } from "./states.js";
import type { Ticket } from "./ticket.js";
import { openTicket, sealTicket, ticketLife } from "./tickets.js";

const on = handshakeType;

/** TLS 1.2 from the ServerHello on: RFC 5246 7.3 with ECDHE, RFC 6066 section 8, and RFC 5077 3.1 for a ticket. */
export const rows12 = rowsOf<ServerHandshake>([
  { state: "SEND_SERVER_HELLO", on: STEP, run: sendServerHello, sends: true },
  { state: "SEND_CERTIFICATE", on: STEP, run: sendCertificate, sends: true },
  { state: "SEND_CERTIFICATE_STATUS", on: STEP, run: sendCertificateStatus, sends: true },
  { state: "EXCHANGE", on: STEP, run: exchange },
  { state: "SEND_KEY_EXCHANGE", on: STEP, run: sendServerKeyExchange, sends: true },
  { state: "SEND_CERTIFICATE_REQUEST", on: STEP, run: sendCertificateRequest, sends: true },
  { state: "SEND_DONE", on: STEP, run: sendServerHelloDone, sends: true },
  { state: "WAIT_CERTIFICATE", on: on.certificate, run: receiveCertificateHead, measure: () => LIST_LENGTH },
  { state: "WAIT_CERTIFICATE_ENTRY", on: on.certificate, run: receiveEntry, measure: measureCertificate },
  { state: "AUTHENTICATE", on: STEP, run: authenticateClient },
  { state: "WAIT_KEY_EXCHANGE", on: on.client_key_exchange, run: receiveClientKeyExchange },
  { state: "AGREE", on: STEP, run: agreeOnMaster },
  { state: "WAIT_CERTIFICATE_VERIFY", on: on.certificate_verify, run: receiveCertificateVerify },
  { state: "VERIFY", on: STEP, run: verifyClient },
  { state: "RESUME", on: STEP, run: resumeMaster },
  { state: "WAIT_CHANGE_CIPHER_SPEC", on: CHANGE_CIPHER_SPEC, run: receiveChangeCipherSpec },
  { state: "WAIT_FINISHED", on: on.finished, run: receiveFinished, most: verifyDataSize },
  { state: "AWAIT_APPROVAL", on: STEP, run: (s) => s.state, waits: true },
  { state: "COMPLETE", on: STEP, run: complete },
  { state: "SEND_TICKET", on: STEP, run: sendTicket, sends: true },
  { state: "SEND_FINISHED", on: STEP, run: sendFinished, sends: true },
  { state: "CONNECTED", on: on.client_hello, run: refuseRenegotiation },
]);
export const table12 = tableOf(COLUMNS, [rows12]);

// The hello, RFC 5246 7.4.1.3

/** Begins to verify, for each scheme that a client's certificate may sign with, all messages (RFC 5246 7.4.8). */
export function beginVerifications(s: ServerHandshake): void {
  const { clientAuth, schemes, provider } = s.config;
  if (clientAuth !== "none") s.transcript.companions = schemes.map((id) => provider.verification(id));
}

/**
 * Would resume from the client's ticket if it is good. Once extended_master_secret was there it must be there again
 * (RFC 7627 5.3), and without it there is no ticket.
 */
export function resume12(s: ServerHandshake): void {
  const { ticketStart, ticketEnd } = s.offer;
  const ticket = openTicket(s, s.engine.reader.bytes, ticketStart, ticketEnd);
  const suite = commonSuites(s).find(({ id }) => id === ticket?.suite);
  if (!ticket?.ems || ticket.secret.length !== masterSize || suite === undefined) return;
  if (!s.extendedMasterSecret) throw faults.EMS_REQUIRED;
  s.ticket = ticket;
}

/** The handshake goes on from the ticket: with its suite, and without a client's certificate. */
export function takeTicket12(s: ServerHandshake, { suite }: Ticket): void {
  settleSuite(s, findSuite(suite)!);
  s.transcript.dropCompanions();
}

/** "DOWNGRD" and 1: a server of TLS 1.3 speaks TLS 1.2 (RFC 8446 4.1.3). */
const downgradeSentinel = Object.freeze([0x44, 0x4f, 0x57, 0x4e, 0x47, 0x52, 0x44, 0x01]);

function sendServerHello(s: ServerHandshake): ServerState {
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

function sendCertificate(s: ServerHandshake): ServerState {
  if (!sendCertificates(s, s.chosen.certificates)) return "SEND_CERTIFICATE";
  return s.announced === "off" ? "EXCHANGE" : "SEND_CERTIFICATE_STATUS";
}

function sendCertificateStatus(s: ServerHandshake): ServerState {
  s.long ??= statusMessage(s);
  if (!s.long.send(s.engine)) return "SEND_CERTIFICATE_STATUS";
  s.long = undefined;
  return "EXCHANGE";
}

function exchange(s: ServerHandshake): ServerState {
  makeKeyPair(s);
  return "SEND_KEY_EXCHANGE";
}

/** ServerKeyExchange, RFC 8422 5.4: ServerECDHParams and their signature, with both randoms before them. */
function sendServerKeyExchange(s: ServerHandshake): ServerState {
  const w = s.engine.begin(on.server_key_exchange);
  const start = w.at;
  w.u8(NAMED_CURVE);
  w.u16(s.group);
  const point = w.begin8();
  if (s.exchange) w.skip(s.exchange.publicKey(w.bytes, w.at));
  w.finish8(point);
  // ClientHello.random, ServerHello.random
  const signature = s.chosen.signer.begin(s.scheme);
  signature.update(s.memory, at.clientRandom, at.serverRandom + RANDOM);
  signature.update(w.bytes, start, w.at);
  writeSignature(s, w, signature);
  s.engine.send();
  return s.config.clientAuth === "none" ? "SEND_DONE" : "SEND_CERTIFICATE_REQUEST";
}

/** ClientCertificateType rsa_sign and ecdsa_sign; EdDSA keys count as the latter (RFC 8422 5.5). */
const certificateTypes = Object.freeze([1, 64]);

/** CertificateRequest, RFC 5246 7.4.4. */
function sendCertificateRequest(s: ServerHandshake): ServerState {
  const w = s.engine.begin(on.certificate_request);
  const types = w.begin8();
  for (const type of certificateTypes) w.u8(type);
  w.finish8(types);
  writeList16(w, s.config.schemes);
  writeAuthorities(s, w);
  s.engine.send();
  s.requested = true;
  return "SEND_DONE";
}

function sendServerHelloDone(s: ServerHandshake): ServerState {
  s.engine.begin(on.server_hello_done);
  s.engine.send();
  return s.requested ? "WAIT_CERTIFICATE" : "WAIT_KEY_EXCHANGE";
}

// The client's flight, RFC 5246 7.4.6 to 7.4.9

function receiveCertificateHead(s: ServerHandshake): ServerState {
  readListLength(s, s.engine.reader);
  if (s.engine.left > 0) return "WAIT_CERTIFICATE_ENTRY";
  s.transcript.dropCompanions();
  // certificate_required(116) came with TLS 1.3 (RFC 5246 7.4.6)
  if (s.config.clientAuth === "require") s.engine.fail(faults.CERTIFICATE_REQUIRED, alert.handshake_failure);
  return "WAIT_KEY_EXCHANGE";
}

function receiveEntry(s: ServerHandshake): ServerState {
  readCertificate(s, s.engine.reader);
  if (s.verifier.sent === 1) dropUnfit(s);
  return s.engine.left > 0 ? "WAIT_CERTIFICATE_ENTRY" : "AUTHENTICATE";
}

/** The key is known: what it can't sign with need not run along. */
function dropUnfit(s: ServerHandshake): void {
  const { kind } = s.verifier.leaf.key;
  const companions = s.transcript.companions!;
  s.verifications = s.config.schemes.map((id, i) =>
    fitsKey(id, kind) ? (companions[i] as Verification) : undefined,
  );
  s.transcript.companions = companions.filter((each) => s.verifications.includes(each as Verification));
}

function authenticateClient(s: ServerHandshake): ServerState {
  return s.verifier.step(s.config.clock()) ? "WAIT_KEY_EXCHANGE" : "AUTHENTICATE";
}

/** ClientKeyExchange, RFC 8422 5.7; with it the session hash is complete (RFC 7627 section 3). */
function receiveClientKeyExchange(s: ServerHandshake): ServerState {
  const r = s.engine.reader;
  keepPeerShare(s, r, r.u8());
  return "AGREE";
}

function agreeOnMaster(s: ServerHandshake): ServerState {
  deriveMasterSecret(s);
  if (s.config.exporting) keepExporterSecret12(s);
  return s.verifier.sent > 0 ? "WAIT_CERTIFICATE_VERIFY" : "WAIT_CHANGE_CIPHER_SPEC";
}

/** CertificateVerify, RFC 5246 7.4.8. */
function receiveCertificateVerify(s: ServerHandshake): ServerState {
  const r = s.engine.reader;
  const verification = s.verifications[s.config.schemes.indexOf(readScheme(s, r))];
  s.verifications = [];
  s.transcript.dropCompanions();
  if (verification === undefined) throw faults.INTERNAL_ERROR;
  readSignature(s, r, verification);
  return "VERIFY";
}

function verifyClient(s: ServerHandshake): ServerState {
  settleVerification(s);
  return "WAIT_CHANGE_CIPHER_SPEC";
}

/** Data may follow at once, so nothing is read before it is decided whether the client may come in. */
function receiveFinished(s: ServerHandshake): ServerState {
  readFinished12(s);
  return s.resumed ? connect12(s) : admitted(s);
}

function resumeMaster(s: ServerHandshake): ServerState {
  restoreMasterSecret(s, s.ticket!.secret);
  if (s.config.exporting) keepExporterSecret12(s);
  s.ticket!.secret.fill(0);
  return "SEND_FINISHED";
}

// The end of the handshake

function complete(s: ServerHandshake): ServerState {
  return s.ticketAnnounced ? "SEND_TICKET" : "SEND_FINISHED";
}

/** NewSessionTicket, RFC 5077 3.3: empty when one was announced but the client then showed a certificate. */
function sendTicket(s: ServerHandshake): ServerState {
  const life = ticketLife(s);
  const { master } = schedule12(s);
  const w = s.engine.begin(on.new_session_ticket);
  w.u16(life >>> 16);
  w.u16(life & 0xffff);
  const ticket = w.begin16();
  if (life > 0) w.copy(sealTicket(s, master, master + masterSize, life));
  w.finish16(ticket);
  s.engine.send();
  return "SEND_FINISHED";
}

function sendFinished(s: ServerHandshake): ServerState {
  changeAndFinish(s);
  return s.resumed ? "WAIT_CHANGE_CIPHER_SPEC" : connect12(s);
}

/** There is no renegotiation, RFC 5746 4.4 notwithstanding. */
function refuseRenegotiation(): never {
  throw faults.NO_RENEGOTIATION;
}
