import { resumptionSecret, ticketPsk } from "../crypto/psk13.js";
import { hashSize } from "../crypto/suites.js";
import { retryRandom } from "../crypto/transcript.js";
import { measureEntry } from "../handshake/certificates.js";
import { keepExporterSecret13 } from "../handshake/exporter.js";
import { inMessage } from "../handshake/extensionrow.js";
import { writeExtensions } from "../handshake/extensions.js";
import {
  authenticate13,
  deriveApplicationSecrets,
  deriveHandshakeSecrets,
  ignoreCompatibilityChange,
  measureCertificateHead13,
  moveApplicationSecret,
  protectIn,
  protection13,
  protectOut,
  readCertificateHead13,
  readFinished13,
  receiveCertificateVerify13,
  receiveEntry13,
  receiveKeyUpdate,
  sendCompatibilityChange,
  sendKeyUpdate,
  verify13,
  writeFinished13,
} from "../handshake/handshake13.js";
import { sendCertificates, sendCertificateVerify13 } from "../handshake/identity.js";
import { agree, dropKeyPair, keepPeerShare, makeKeyPair } from "../handshake/keyexchange.js";
import { at, RANDOM } from "../handshake/memory.js";
import { CHANGE_CIPHER_SPEC, COLUMNS, rowsOf, STEP } from "../record/row.js";
import { faults } from "../wire/fault.js";
import { tableOf } from "../wire/join.js";
import { Reader } from "../wire/reader.js";
import { extensionType, handshakeType, version } from "../wire/registry.js";
import { Writer } from "../wire/writer.js";
import { admitted } from "./admission.js";
import { PlaintextSkipper, ProtectedSkipper } from "./earlydata.js";
import type { ServerHandshake } from "./handshake.js";
import { chooseSuite13, commonGroups } from "./negotiate.js";
import { resume13 } from "./psk.js";
import type { ServerState } from "./states.js";
import { sealTicket, ticketLife } from "./tickets.js";

const on = handshakeType;

/** TLS 1.3 from the key exchange on, RFC 8446 appendix A.2. */
export const rows13 = rowsOf<ServerHandshake>([
  { state: "EXCHANGE", on: STEP, run: exchange },
  { state: "AGREE", on: STEP, run: deriveHandshakeSecret },
  { state: "SEND_SERVER_HELLO", on: STEP, run: sendServerHello, sends: true },
  { state: "DERIVE_HANDSHAKE_KEYS", on: STEP, run: deriveHandshakeKeys, sends: true },
  { state: "SEND_ENCRYPTED_EXTENSIONS", on: STEP, run: sendEncryptedExtensions, sends: true },
  { state: "SEND_CERTIFICATE_REQUEST", on: STEP, run: sendCertificateRequest, sends: true },
  { state: "SEND_CERTIFICATE", on: STEP, run: sendCertificate, sends: true },
  { state: "SEND_CERTIFICATE_VERIFY", on: STEP, run: sendCertificateVerify13, sends: true },
  { state: "SEND_FINISHED", on: STEP, run: sendFinished, sends: true },
  { state: "DERIVE_APPLICATION_KEYS", on: STEP, run: deriveApplicationKeys },
  {
    state: "WAIT_CERTIFICATE",
    on: on.certificate,
    run: receiveCertificateHead,
    measure: measureCertificateHead13,
  },
  { state: "WAIT_CERTIFICATE_ENTRY", on: on.certificate, run: receiveEntry13, measure: measureEntry },
  { state: "AUTHENTICATE", on: STEP, run: authenticate13 },
  { state: "WAIT_CERTIFICATE_VERIFY", on: on.certificate_verify, run: receiveCertificateVerify13 },
  { state: "VERIFY", on: STEP, run: verify13 },
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
export const table13 = tableOf(COLUMNS, [rows13]);

// The hellos, RFC 8446 4.1

/** Chooses suite, group and session: what is answered to the ClientHello that is being read. False: a share must be asked for. */
export function negotiate13(s: ServerHandshake): boolean {
  const { offer } = s;
  if (!offer.nullCompressionAlone) throw faults.ILLEGAL_PARAMETER;
  checkExtensions(s);
  chooseSuite13(s);
  if (!chooseShare(s)) return false;
  resume13(s);
  return true;
}

/** RFC 8446 9.2, for ClientHellos that want (EC)DHE: we speak nothing else. */
function checkExtensions({ offer }: ServerHandshake): void {
  const needed: number[] = [extensionType.supported_groups, extensionType.key_share];
  if (!offer.has(extensionType.pre_shared_key)) needed.push(extensionType.signature_algorithms);
  else needed.push(extensionType.psk_key_exchange_modes);
  if (offer.has(extensionType.early_data) && !offer.has(extensionType.pre_shared_key))
    throw faults.ILLEGAL_PARAMETER;
  if (!needed.every((extension) => offer.has(extension))) throw faults.MISSING_EXTENSION;
}

/** Our best group that has a share; false: there is one without, so it is asked for (RFC 8446 4.2.8). */
function chooseShare(s: ServerHandshake): boolean {
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
  const { start, end } = share;
  keepPeerShare(s, new Reader(engine.reader.bytes, start, end), end - start);
  return true;
}

/** HelloRetryRequest, RFC 8446 4.1.4: it asks for a share of our group. */
export function sendHelloRetryRequest(s: ServerHandshake): ServerState {
  s.retriedGroup = s.group;
  s.transcript.restart(s.config.provider);
  new Writer(s.memory, at.serverRandom).ascii(retryRandom);
  writeServerHello(s, inMessage.hello_retry_request);
  sendCompatibilityChange(s);
  if (skipsEarlyData(s)) s.engine.receiveUnder(new PlaintextSkipper());
  return "WAIT_SECOND_CLIENT_HELLO";
}

function exchange(s: ServerHandshake): ServerState {
  makeKeyPair(s);
  return "AGREE";
}

/**
 * The Handshake Secret. The client's share is refused while the alert can go out in the clear: after the ServerHello
 * the client could not read it, as there would be no keys. The Early Secret's stage is there when the session is resumed.
 */
function deriveHandshakeSecret(s: ServerHandshake): ServerState {
  const keys = s.beginSchedule13();
  if (!s.resumed) keys.start();
  const end = at.shared + agree(s);
  keys.handshake(at.shared, end);
  s.erase(at.shared, end);
  return "SEND_SERVER_HELLO";
}

function sendServerHello(s: ServerHandshake): ServerState {
  s.config.provider.random(s.memory, at.serverRandom, at.serverRandom + RANDOM);
  writeServerHello(s, inMessage.server_hello);
  dropKeyPair(s);
  return "DERIVE_HANDSHAKE_KEYS";
}

/** ServerHello, RFC 8446 4.1.3. */
function writeServerHello(s: ServerHandshake, where: number): void {
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

/** The client sent early data, or is about to; none comes after a HelloRetryRequest (RFC 8446 4.2.10). */
function skipsEarlyData(s: ServerHandshake): boolean {
  return s.offer.has(extensionType.early_data);
}

function deriveHandshakeKeys(s: ServerHandshake): ServerState {
  deriveHandshakeSecrets(s);
  if (skipsEarlyData(s)) s.engine.receiveUnder(new ProtectedSkipper(protection13(s, at.inSecret)));
  else protectIn(s);
  sendCompatibilityChange(s);
  protectOut(s);
  return "SEND_ENCRYPTED_EXTENSIONS";
}

// The server's flight, RFC 8446 4.3 and 4.4

function sendEncryptedExtensions(s: ServerHandshake): ServerState {
  const w = s.engine.begin(on.encrypted_extensions);
  writeExtensions(s, w, inMessage.encrypted_extensions);
  s.engine.send();
  if (s.resumed) return "SEND_FINISHED";
  return s.config.clientAuth === "none" ? "SEND_CERTIFICATE" : "SEND_CERTIFICATE_REQUEST";
}

/** CertificateRequest, RFC 8446 4.3.2. */
function sendCertificateRequest(s: ServerHandshake): ServerState {
  const w = s.engine.begin(on.certificate_request);
  w.u8(0);
  writeExtensions(s, w, inMessage.certificate_request);
  s.engine.send();
  s.requested = true;
  return "SEND_CERTIFICATE";
}

/** With staples, if the client wants some (RFC 8446 4.4.2.1). */
function sendCertificate(s: ServerHandshake): ServerState {
  if (s.offer.status) s.staples ??= s.chosen.certificates.map((_, i) => s.stapleAt(i));
  return sendCertificates(s, s.chosen.certificates) ? "SEND_CERTIFICATE_VERIFY" : "SEND_CERTIFICATE";
}

function sendFinished(s: ServerHandshake): ServerState {
  writeFinished13(s);
  return "DERIVE_APPLICATION_KEYS";
}

/** Our keys change now, the client's after its Finished. */
function deriveApplicationKeys(s: ServerHandshake): ServerState {
  deriveApplicationSecrets(s, at.outSecret);
  if (s.config.exporting) keepExporterSecret13(s);
  protectOut(s);
  return s.requested ? "WAIT_CERTIFICATE" : "WAIT_FINISHED";
}

// The client's flight, RFC 8446 4.4

function receiveCertificateHead(s: ServerHandshake): ServerState {
  readCertificateHead13(s);
  if (s.engine.left > 0) return "WAIT_CERTIFICATE_ENTRY";
  if (s.config.clientAuth === "require") throw faults.CERTIFICATE_REQUIRED;
  return "WAIT_FINISHED";
}

/** Data may follow at once, so nothing is read before it is decided whether the client may come in. */
function receiveFinished(s: ServerHandshake): ServerState {
  readFinished13(s);
  return admitted(s);
}

/** The client's keys change; of the Master Secret only the ticket's is still derived. */
function complete(s: ServerHandshake): ServerState {
  const keys = s.beginSchedule13();
  moveApplicationSecret(s, at.inSecret);
  protectIn(s);
  s.digest();
  resumptionSecret(keys, at.hash, at.resumptionSecret);
  keys.forgetSecret();
  s.ticketLife = s.offer.pskDhe ? ticketLife(s) : 0;
  s.establish();
  return s.ticketLife > 0 ? "SEND_TICKET" : "CONNECTED";
}

/** The nonce tells a connection's tickets apart; there is only one. */
const ticketNonce = 0;

/** NewSessionTicket, RFC 8446 4.6.1. Without early_data: 0-RTT data could be replayed. */
function sendTicket(s: ServerHandshake): ServerState {
  const keys = s.beginSchedule13();
  const { ticketLife: life } = s;
  s.memory[at.verifyData] = ticketNonce;
  ticketPsk(keys, at.resumptionSecret, at.verifyData, 1, at.resumptionSecret);
  const ticket = sealTicket(s, at.resumptionSecret, at.resumptionSecret + keys.size, life);
  s.erase(at.resumptionSecret, at.exporterSecret);
  const w = s.engine.begin(on.new_session_ticket);
  u32(w, life);
  s.config.provider.random(w.bytes, w.at, w.at + 4);
  w.skip(4);
  const nonce = w.begin8();
  w.u8(ticketNonce);
  w.finish8(nonce);
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
