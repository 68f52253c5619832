import { verifyDataSize } from "../crypto/keys12.js";
import { keyOf } from "../crypto/suites.js";
import {
  LIST_LENGTH,
  measureCertificate,
  readAuthorities,
  readCertificate,
  readListLength,
  readOcspResponse,
} from "../handshake/certificates.js";
import { extensionRows, inMessage } from "../handshake/extensionrow.js";
import { readExtensions } from "../handshake/extensions.js";
import {
  changeAndFinish,
  deriveMasterSecret,
  forgetMaster,
  groupOf,
  NAMED_CURVE,
  readFinished12,
  readPointFormats,
  receiveChangeCipherSpec,
  restoreMasterSecret,
  writePointFormats,
} from "../handshake/handshake12.js";
import { dropKeyPair, keepPeerShare, makeKeyPair } from "../handshake/keyexchange.js";
import { at, RANDOM } from "../handshake/memory.js";
import { readScheme, readSignature, settleVerification } from "../handshake/signature.js";
import { CHANGE_CIPHER_SPEC, rowsOf, STEP } from "../record/row.js";
import { expect, faults } from "../wire/fault.js";
import type { Reader } from "../wire/reader.js";
import { extensionType, handshakeType, statusType, version } from "../wire/registry.js";
import { afterRequest, sendNoCertificate } from "./certificate.js";
import { readSignatureAlgorithms, wantedStatus } from "./extensions.js";
import type { Called, Tls12 } from "./feature.js";
import type { ClientHandshake } from "./handshake.js";
import { noteVersion } from "./hello.js";
import type { ClientState } from "./states.js";

const on = handshakeType;
const m = inMessage;
const offered = m.client_hello | m.server_hello12;
const with12 = (s: ClientHandshake): boolean => s.speaks(version.tls12);

/** TLS 1.2: a handshake with ECDHE, RFC 5246 7.3 and RFC 6066 section 8, full or, if resumption is there, from a ticket (RFC 5077 3.1). */
export const tls12: Called<Tls12> = Object.freeze({
  calls: Object.freeze({ answer12: receiveServerHello12 }),
  extensions: extensionRows<ClientHandshake>([
    {
      type: extensionType.ec_point_formats,
      where: offered,
      sends: with12,
      write: writePointFormats,
      read: readPointFormats,
    },
    {
      type: extensionType.extended_master_secret,
      where: offered,
      sends: with12,
      read: (s) => {
        s.extendedMasterSecret = true;
      },
    },
    {
      type: extensionType.renegotiation_info,
      where: offered,
      sends: with12,
      write: (_, w) => w.u8(0),
      // RFC 5746 3.4
      read: (_, r) => expect(r.u8() === 0, faults.RENEGOTIATION_INFO),
    },
  ]),
  rowsHello: rowsOf<ClientHandshake>([
    { state: "ANY", on: on.hello_request, run: receiveEarlyHelloRequest, most: 0 },
  ]),
  rows12: rowsOf<ClientHandshake>([
    {
      state: "WAIT_CERTIFICATE",
      on: on.certificate,
      run: receiveCertificateHead,
      measure: () => LIST_LENGTH,
    },
    { state: "WAIT_CERTIFICATE_ENTRY", on: on.certificate, run: receiveEntry, measure: measureCertificate },
    {
      state: "WAIT_STATUS_OR_KEY_EXCHANGE",
      on: on.certificate_status,
      run: receiveStatusType,
      measure: measureStatusType,
    },
    { state: "WAIT_STATUS", on: on.certificate_status, run: receiveStatus, measure: measureCertificate },
    { state: "WAIT_STATUS_OR_KEY_EXCHANGE", on: on.server_key_exchange, run: receiveServerKeyExchange },
    { state: "WAIT_KEY_EXCHANGE", on: on.server_key_exchange, run: receiveServerKeyExchange },
    { state: "VERIFY_KEY_EXCHANGE", on: STEP, run: verifyServer },
    { state: "WAIT_REQUEST_OR_DONE", on: on.certificate_request, run: receiveCertificateRequest },
    { state: "WAIT_REQUEST_OR_DONE", on: on.server_hello_done, run: receiveServerHelloDone, most: 0 },
    { state: "WAIT_DONE", on: on.server_hello_done, run: receiveServerHelloDone, most: 0 },
    { state: "AUTHENTICATE", on: STEP, run: authenticateServer },
    { state: "EXCHANGE", on: STEP, run: exchange },
    { state: "SEND_NO_CERTIFICATE", on: STEP, run: sendNoCertificate, sends: true },
    { state: "SEND_KEY_EXCHANGE", on: STEP, run: sendClientKeyExchange, sends: true },
    { state: "SEND_FINISHED", on: STEP, run: sendFinished, sends: true },
    { state: "WAIT_CHANGE_CIPHER_SPEC", on: on.new_session_ticket, run: receiveNewSessionTicket },
    { state: "WAIT_CHANGE_CIPHER_SPEC", on: CHANGE_CIPHER_SPEC, run: receiveServersChange },
    { state: "WAIT_FINISHED", on: on.finished, run: receiveFinished12, most: verifyDataSize },
    { state: "SEND_LAST_FINISHED", on: STEP, run: sendLastFinished, sends: true },
    { state: "ANY", on: on.hello_request, run: ignoreHelloRequest, most: 0 },
  ]),
});

// The hello, RFC 5246 7.4.1

/** Only a server of TLS 1.2 sends a HelloRequest, and it has no other way to say hello. */
function receiveEarlyHelloRequest(s: ClientHandshake): ClientState {
  if (!s.speaks(version.tls12)) throw faults.UNEXPECTED_MESSAGE;
  noteVersion(s, version.tls12);
  return ignoreHelloRequest(s);
}

/** RFC 5246 7.4.1.1; there is no renegotiation. */
function ignoreHelloRequest(s: ClientHandshake): ClientState {
  s.engine.countIdle();
  return s.state;
}

/** The extensions may be absent altogether (RFC 5246 7.4.1.3). */
function receiveServerHello12(s: ClientHandshake, r: Reader, echoed: boolean): ClientState {
  if (r.left > 0) readExtensions(s, r, inMessage.server_hello12);
  if (!s.extendedMasterSecret && s.config.requireEms) throw faults.EMS_REQUIRED;
  s.table = s.config.features.table12;
  if (echoed && s.sessionIdLength > 0) return resume(s);
  return "WAIT_CERTIFICATE";
}

/** The server has repeated our session id: if we offered a ticket, it goes on from there (RFC 5077 3.4). */
function resume(s: ClientHandshake): ClientState {
  const session = s.resuming?.offer;
  // A session id that only looks like a session's is nobody's to resume
  if (session?.version !== version.tls12) throw faults.ILLEGAL_PARAMETER;
  if (s.suiteInForce.id !== session.suite) throw faults.CIPHER_SUITE;
  // RFC 7627 5.3
  if (!s.extendedMasterSecret) throw faults.EMS_REQUIRED;
  s.resuming!.accepted = true;
  restoreMasterSecret(s, session.secret);
  return "WAIT_CHANGE_CIPHER_SPEC";
}

// The server's flight, RFC 5246 7.4.2 to 7.4.5

function receiveCertificateHead(s: ClientHandshake): ClientState {
  readListLength(s, s.engine.reader);
  if (s.engine.left === 0) throw faults.NO_PEER_CERT;
  return "WAIT_CERTIFICATE_ENTRY";
}

function receiveEntry(s: ClientHandshake): ClientState {
  readCertificate(s, s.engine.reader);
  if (s.verifier.sent === 1) checkCurve(s);
  if (s.engine.left > 0) return "WAIT_CERTIFICATE_ENTRY";
  return s.announced === 0 ? "WAIT_KEY_EXCHANGE" : "WAIT_STATUS_OR_KEY_EXCHANGE";
}

/** The server's own key must be on a curve that we named, RFC 8422 5.3. In TLS 1.3 signature_algorithms says that. */
function checkCurve(s: ClientHandshake): void {
  const group = groupOf(s.verifier.leaf.key.kind);
  if (group !== 0 && !s.config.groups.includes(group)) throw faults.CERT_KEY;
}

/** CertificateStatus.status_type; a server that announced the message may leave it out (RFC 6066 section 8). */
function measureStatusType(): number {
  return 1;
}

/** The type that was asked for by the extension that the server answered, RFC 6961 2.2. */
function receiveStatusType(s: ClientHandshake): ClientState {
  const wanted = s.announced === extensionType.status_request ? statusType.ocsp : wantedStatus(s);
  if (s.engine.reader.u8() !== wanted) throw faults.OCSP_MALFORMED;
  if (s.engine.left === 0) throw faults.DECODE_ERROR;
  return wanted === statusType.ocsp ? "WAIT_STATUS" : "WAIT_STATUS_LIST";
}

/** The staple of the server's own certificate. */
function receiveStatus(s: ClientHandshake): ClientState {
  readOcspResponse(s, s.engine.reader, 0);
  return "WAIT_KEY_EXCHANGE";
}

/** ServerKeyExchange, RFC 8422 5.4: ServerECDHParams and their signature, with both randoms before them. */
function receiveServerKeyExchange(s: ClientHandshake): ClientState {
  const r = s.engine.reader;
  const start = r.at;
  if (r.u8() !== NAMED_CURVE) throw faults.ILLEGAL_PARAMETER;
  chooseGroup(s, r.u16());
  keepPeerShare(s, r, r.u8());
  const end = r.at;
  const scheme = readScheme(s, r);
  // RFC 5246 7.4.3: the signature must be of the kind that the suite names; an EdDSA key goes with ECDSA's (RFC 8422 5.10)
  if ((keyOf(scheme) === "rsa") !== (s.suiteInForce.auth === "rsa")) throw faults.SIGNATURE_SCHEME;
  const verification = s.config.provider.verification(scheme);
  // ClientHello.random, ServerHello.random
  verification.update(s.memory, at.clientRandom, at.serverRandom + RANDOM);
  verification.update(r.bytes, start, end);
  readSignature(s, r, verification);
  return "VERIFY_KEY_EXCHANGE";
}

/** The key pair that TLS 1.3 was offered serves here as well, if it is of the server's group: nobody used it. */
function chooseGroup(s: ClientHandshake, group: number): void {
  if (!s.config.groups.includes(group)) throw faults.KEY_SHARE;
  if (group !== s.group) dropKeyPair(s);
  s.group = group;
}

function verifyServer(s: ClientHandshake): ClientState {
  settleVerification(s);
  return "WAIT_REQUEST_OR_DONE";
}

/** ClientCertificateType; ecdsa_sign is EdDSA's too (RFC 8422 5.5). */
const RSA_SIGN = 1;
const ECDSA_SIGN = 64;

/** CertificateRequest, RFC 5246 7.4.4: our key must be of one of its types, and its signature of one of its schemes. */
function receiveCertificateRequest(s: ClientHandshake): ClientState {
  const r = s.engine.reader;
  const types = r.u8();
  if (types === 0) throw faults.DECODE_ERROR;
  const start = r.skip(types);
  const end = r.at;
  readSignatureAlgorithms(s, r);
  readAuthorities(r, 0);
  const type = keyOf(s.scheme) === "rsa" ? RSA_SIGN : ECDSA_SIGN;
  const found = r.bytes.indexOf(type, start);
  if (found < 0 || found >= end) s.scheme = 0;
  s.requested = true;
  return "WAIT_DONE";
}

function receiveServerHelloDone(s: ClientHandshake): ClientState {
  if (s.scheme === 0) s.transcript.dropCompanions();
  return "AUTHENTICATE";
}

// Our flight, RFC 5246 7.4.6 to 7.4.9

function authenticateServer(s: ClientHandshake): ClientState {
  if (!s.verifier.step(s.config.clock())) return "AUTHENTICATE";
  // Its signature was verified before
  s.dismissVerifier();
  return "EXCHANGE";
}

function exchange(s: ClientHandshake): ClientState {
  if (s.exchange === undefined) makeKeyPair(s);
  return s.requested ? afterRequest(s) : "SEND_KEY_EXCHANGE";
}

/** ClientKeyExchange, RFC 8422 5.7; with it the session hash is complete (RFC 7627 section 3). */
function sendClientKeyExchange(s: ClientHandshake): ClientState {
  const w = s.engine.begin(on.client_key_exchange);
  const point = w.begin8();
  w.skip(s.exchange!.publicKey(w.bytes, w.at));
  w.finish8(point);
  s.engine.send();
  deriveMasterSecret(s);
  return s.scheme !== 0 ? "SEND_CERTIFICATE_VERIFY" : "SEND_FINISHED";
}

function sendFinished(s: ClientHandshake): ClientState {
  changeAndFinish(s);
  return "WAIT_CHANGE_CIPHER_SPEC";
}

// The end of the handshake; a server that resumes sends its Finished first

/** NewSessionTicket, RFC 5077 3.3. */
function receiveNewSessionTicket(s: ClientHandshake): ClientState {
  if (s.resuming === undefined) throw faults.UNEXPECTED_MESSAGE;
  s.resuming.takeTicket12(s.engine.reader);
  return s.state;
}

/** A ticket that was announced must have come (RFC 5077 3.3). */
function receiveServersChange(s: ClientHandshake): ClientState {
  if (s.resuming && s.resuming.expected > 0) throw faults.UNEXPECTED_MESSAGE;
  return receiveChangeCipherSpec(s);
}

export function receiveFinished12(s: ClientHandshake): ClientState {
  readFinished12(s);
  return s.resumed ? "SEND_LAST_FINISHED" : connect(s);
}

function sendLastFinished(s: ClientHandshake): ClientState {
  changeAndFinish(s);
  return connect(s);
}

/** The master secret is still there for the session that the ticket is of. */
function connect(s: ClientHandshake): ClientState {
  s.establish();
  s.resuming?.deliver12(s);
  return forgetMaster(s);
}
