import { finishedLabel, KeySchedule12, masterSize, verifyDataSize } from "../crypto/keys12.js";
import { findScheme, groupOf, keySize } from "../crypto/suites.js";
import {
  measureCertificate,
  readAuthorities,
  readCertificate,
  readListLength,
} from "../record/certificates.js";
import { ANY, CHANGE_CIPHER_SPEC, type Row, STEP } from "../record/engine.js";
import { AAD, AES_GCM_RECORDS, Protection12 } from "../record/record.js";
import { faults } from "../wire/fault.js";
import type { Reader } from "../wire/reader.js";
import { extensionType, handshakeType, statusType } from "../wire/registry.js";
import { table } from "../wire/table.js";
import { equalSecret, secretBytes } from "../wire/writer.js";
import { sendCertificate, sendMoreCertificates } from "./certificates.js";
import { keepPeerShare, readOcspResponse, readSignatureAlgorithms, wantedStatus } from "./extensions.js";
import { agree, beginVerification, readSignature, sendSignature, settleVerification } from "./keyexchange.js";
import { at, RANDOM } from "./memory.js";
import type { ClientSession } from "./session.js";

const on = handshakeType;

/** TLS 1.2 from the ServerHello on: a full handshake with ECDHE, RFC 5246 7.3 and RFC 6066 section 8. */
export const rows12 = table<Row<ClientSession>>([
  { state: "WAIT_CERTIFICATE", on: on.certificate, run: receiveCertificateHead, measure: measureListLength },
  { state: "WAIT_CERTIFICATE_ENTRY", on: on.certificate, run: receiveEntry, measure: measureCertificate },
  {
    state: "WAIT_STATUS_OR_KEY_EXCHANGE",
    on: on.certificate_status,
    run: receiveStatusType,
    measure: measureStatusType,
  },
  { state: "WAIT_STATUS", on: on.certificate_status, run: receiveStatus, measure: measureCertificate },
  {
    state: "WAIT_STATUS_LIST",
    on: on.certificate_status,
    run: receiveStatusList,
    measure: measureListLength,
  },
  {
    state: "WAIT_STATUS_ENTRY",
    on: on.certificate_status,
    run: receiveStatusEntry,
    measure: measureCertificate,
  },
  { state: "WAIT_STATUS_OR_KEY_EXCHANGE", on: on.server_key_exchange, run: receiveServerKeyExchange },
  { state: "WAIT_KEY_EXCHANGE", on: on.server_key_exchange, run: receiveServerKeyExchange },
  { state: "VERIFY_KEY_EXCHANGE", on: STEP, run: verifyServer },
  { state: "WAIT_REQUEST_OR_DONE", on: on.certificate_request, run: receiveCertificateRequest },
  { state: "WAIT_REQUEST_OR_DONE", on: on.server_hello_done, run: receiveServerHelloDone, most: 0 },
  { state: "WAIT_DONE", on: on.server_hello_done, run: receiveServerHelloDone, most: 0 },
  { state: "AUTHENTICATE", on: STEP, run: authenticateServer },
  { state: "EXCHANGE", on: STEP, run: makeKeyPair },
  { state: "SEND_CERTIFICATE", on: STEP, run: sendCertificate, sends: true },
  { state: "SEND_MORE_CERTIFICATES", on: STEP, run: sendMoreCertificates, sends: true },
  { state: "SEND_KEY_EXCHANGE", on: STEP, run: sendClientKeyExchange, sends: true },
  { state: "SEND_CERTIFICATE_VERIFY", on: STEP, run: sendCertificateVerify, sends: true },
  { state: "SEND_FINISHED", on: STEP, run: sendFinished, sends: true },
  { state: "WAIT_CHANGE_CIPHER_SPEC", on: CHANGE_CIPHER_SPEC, run: receiveChangeCipherSpec },
  { state: "WAIT_FINISHED", on: on.finished, run: receiveFinished, most: verifyDataSize },
  { state: ANY, on: on.hello_request, run: ignoreHelloRequest, most: 0 },
]);

/** The length of certificate_list, RFC 5246 7.4.2. */
function measureListLength(): number {
  return 3;
}

function receiveCertificateHead(s: ClientSession): string {
  readListLength(s, s.engine.reader);
  if (s.engine.left === 0) throw faults.NO_PEER_CERT;
  return "WAIT_CERTIFICATE_ENTRY";
}

function receiveEntry(s: ClientSession): string {
  readCertificate(s, s.engine.reader);
  if (s.verifier.sent === 1) checkCurve(s);
  if (s.engine.left > 0) return "WAIT_CERTIFICATE_ENTRY";
  return s.announced === 0 ? "WAIT_KEY_EXCHANGE" : "WAIT_STATUS_OR_KEY_EXCHANGE";
}

/** The server's own key must be on a curve that we named, RFC 8422 5.3. In TLS 1.3 signature_algorithms says that. */
function checkCurve(s: ClientSession): void {
  const group = groupOf(s.verifier.leaf.key.kind);
  if (group !== 0 && !s.config.groups.includes(group)) throw faults.CERT_KEY;
}

/** CertificateStatus.status_type; a server that announced the message may leave it out (RFC 6066 section 8). */
function measureStatusType(): number {
  return 1;
}

/** The type that was asked for by the extension that the server answered, RFC 6961 2.2. */
function receiveStatusType(s: ClientSession): string {
  const wanted = s.announced === extensionType.status_request ? statusType.ocsp : wantedStatus(s);
  if (s.engine.reader.u8() !== wanted) throw faults.OCSP_MALFORMED;
  if (s.engine.left === 0) throw faults.DECODE_ERROR;
  return wanted === statusType.ocsp ? "WAIT_STATUS" : "WAIT_STATUS_LIST";
}

/** The staple of the server's own certificate. */
function receiveStatus(s: ClientSession): string {
  readOcspResponse(s, s.engine.reader, 0);
  return "WAIT_KEY_EXCHANGE";
}

/** The length of OCSPResponseList.ocsp_response_list<1..2^24-1>, RFC 6961 2.2. */
function receiveStatusList(s: ClientSession): string {
  if (s.engine.reader.u24() !== s.engine.left || s.engine.left === 0) throw faults.DECODE_ERROR;
  return "WAIT_STATUS_ENTRY";
}

/** OCSPResponse<0..2^24-1>: in the order of the certificates, of whose last some may have none; empty, none. */
function receiveStatusEntry(s: ClientSession): string {
  const r = s.engine.reader;
  const certificate = s.responsesSent++;
  if (certificate >= s.verifier.sent) throw faults.OCSP_MALFORMED;
  if (s.engine.reader.left > 3) readOcspResponse(s, r, certificate);
  else r.skip(3);
  return s.engine.left > 0 ? "WAIT_STATUS_ENTRY" : "WAIT_KEY_EXCHANGE";
}

const NAMED_CURVE = 3;

/** ServerKeyExchange, RFC 8422 5.4: ServerECDHParams and their signature, with both randoms before them. */
function receiveServerKeyExchange(s: ClientSession): string {
  const r = s.engine.reader;
  const start = r.at;
  if (r.u8() !== NAMED_CURVE) throw faults.ILLEGAL_PARAMETER;
  chooseGroup(s, r.u16());
  const point = r.enter8();
  keepPeerShare(s, r);
  r.leave(point);
  const end = r.at;
  const id = r.u16();
  // RFC 5246 7.4.3: the signature must be of the kind that the suite names; an EdDSA key goes with ECDSA's (RFC 8422 5.10)
  if ((findScheme(id)?.key === "rsa") !== (s.suiteInForce.auth === "rsa")) throw faults.SIGNATURE_SCHEME;
  const verification = beginVerification(s, id);
  // ClientHello.random, ServerHello.random
  verification.update(s.memory, at.clientRandom, at.serverRandom + RANDOM);
  verification.update(r.bytes, start, end);
  readSignature(s, r);
  return "VERIFY_KEY_EXCHANGE";
}

/** The key pair that TLS 1.3 was offered serves here as well, if it is of the server's group: nobody used it. */
function chooseGroup(s: ClientSession, group: number): void {
  if (!s.config.groups.includes(group)) throw faults.KEY_SHARE;
  if (group !== s.group) {
    s.exchange?.dispose();
    s.exchange = undefined;
  }
  s.group = group;
}

function verifyServer(s: ClientSession): string {
  settleVerification(s);
  return "WAIT_REQUEST_OR_DONE";
}

/** ClientCertificateType; ecdsa_sign is EdDSA's too (RFC 8422 5.5). */
const RSA_SIGN = 1;
const ECDSA_SIGN = 64;

/** CertificateRequest, RFC 5246 7.4.4: our key must be of one of its types, and its signature of one of its schemes. */
function receiveCertificateRequest(s: ClientSession): string {
  const r = s.engine.reader;
  const types = r.enter8();
  if (r.left === 0) throw faults.DECODE_ERROR;
  const start = r.skip(r.left);
  const end = r.end;
  r.leave(types);
  readSignatureAlgorithms(s, r);
  readAuthorities(r, 0);
  const type = findScheme(s.clientScheme)?.key === "rsa" ? RSA_SIGN : ECDSA_SIGN;
  const found = r.bytes.indexOf(type, start);
  if (found < 0 || found >= end) s.clientScheme = 0;
  s.requested = true;
  return "WAIT_DONE";
}

function receiveServerHelloDone(s: ClientSession): string {
  if (s.clientScheme === 0) s.transcript.dropSignatures();
  return "AUTHENTICATE";
}

function authenticateServer(s: ClientSession): string {
  return s.verifier.step(s.config.clock()) ? "EXCHANGE" : "AUTHENTICATE";
}

function makeKeyPair(s: ClientSession): string {
  if (s.exchange === undefined) s.exchange = s.config.provider.exchange(s.group);
  return s.requested ? "SEND_CERTIFICATE" : "SEND_KEY_EXCHANGE";
}

/** ClientKeyExchange, RFC 8422 5.7; with it the session hash is complete (RFC 7627 section 3). */
function sendClientKeyExchange(s: ClientSession): string {
  const w = s.engine.begin(on.client_key_exchange);
  const point = w.begin8();
  if (s.exchange) w.skip(s.exchange.publicKey(w.bytes, w.at));
  w.finish8(point);
  s.engine.send();
  deriveMasterSecret(s, agree(s));
  return s.clientScheme !== 0 ? "SEND_CERTIFICATE_VERIFY" : "SEND_FINISHED";
}

/** RFC 7627 section 4, or RFC 5246 8.1 with a server that lacks it. */
function deriveMasterSecret(s: ClientSession, n: number): void {
  const keys = new KeySchedule12(s.config.provider, s.suiteInForce.hash, s.memory, at.schedule);
  s.keys12 = keys;
  s.digest();
  if (s.extendedMasterSecret) keys.extendedMasterSecret(at.shared, at.shared + n, at.hash);
  else keys.masterSecret(at.shared, at.shared + n, at.clientRandom, at.serverRandom);
  s.forget(at.shared, at.shared + n);
  s.log("CLIENT_RANDOM", s.memory, keys.master, masterSize);
}

/** CertificateVerify, RFC 5246 7.4.8: over all handshake messages so far. */
function sendCertificateVerify(s: ClientSession): string {
  const { signatures } = s.transcript;
  const signature = signatures[s.config.identity?.signer.schemes.indexOf(s.clientScheme) ?? 0];
  s.transcript.dropSignatures();
  return sendSignature(s, signature);
}

export function schedule(s: ClientSession): KeySchedule12 {
  if (s.keys12 === undefined) throw faults.INTERNAL_ERROR;
  return s.keys12;
}

/** Implicit parts of the nonces: 4 bytes of salt for AES-GCM (RFC 5288), 12 for ChaCha20-Poly1305 (RFC 7905). */
function ivLength(s: ClientSession): number {
  return s.suiteInForce.aead === "chacha20-poly1305" ? 12 : 4;
}

/** Both directions' keys, RFC 5246 6.3: ours are returned, the server's wait for its ChangeCipherSpec. */
export function protections(s: ClientSession): Protection12 {
  const size = keySize[s.suiteInForce.aead];
  const salt = ivLength(s);
  const ivs = at.keys + 2 * size;
  schedule(s).keyBlock(at.clientRandom, at.serverRandom, at.keys, 2 * (size + salt));
  const aad = new Uint8Array(AAD);
  const ours = protection(s, at.keys, ivs, aad);
  s.serverProtection = protection(s, at.keys + size, ivs + salt, aad);
  s.forget(at.keys, at.schedule);
  return ours;
}

function protection(s: ClientSession, keyAt: number, ivAt: number, aad: Uint8Array): Protection12 {
  const gcm = s.suiteInForce.aead !== "chacha20-poly1305";
  const iv = secretBytes(12);
  for (let i = 0; i < ivLength(s); i++) iv[i] = s.memory[ivAt + i];
  return new Protection12(s.aead(keyAt), iv, gcm ? AES_GCM_RECORDS : Number.MAX_SAFE_INTEGER, gcm, aad);
}

/** The verify_data of one side over the transcript so far, RFC 5246 7.4.9. */
function computeFinished(s: ClientSession, label: string): void {
  s.digest();
  schedule(s).verifyData(label, at.hash, at.verifyData);
}

function sendFinished(s: ClientSession): string {
  changeAndFinish(s, protections(s));
  return "WAIT_CHANGE_CIPHER_SPEC";
}

/** ChangeCipherSpec, and our Finished under the keys that begin there. */
export function changeAndFinish(s: ClientSession, ours: Protection12): void {
  const { engine } = s;
  engine.sendChangeCipherSpec();
  engine.sendUnder(ours);
  computeFinished(s, finishedLabel.client);
  const w = engine.begin(on.finished);
  w.copy(s.memory, at.verifyData, at.verifyData + verifyDataSize);
  engine.send();
}

export function receiveChangeCipherSpec(s: ClientSession): string {
  if (s.serverProtection === undefined) throw faults.INTERNAL_ERROR;
  s.engine.receiveUnder(s.serverProtection);
  s.serverProtection = undefined;
  return "WAIT_FINISHED";
}

function receiveFinished(s: ClientSession): string {
  verifyFinished(s);
  return connect(s);
}

export function verifyFinished(s: ClientSession): void {
  const r: Reader = s.engine.reader;
  if (r.left !== verifyDataSize) throw faults.DECODE_ERROR;
  computeFinished(s, finishedLabel.server);
  if (!equalSecret(s.memory, at.verifyData, r.bytes, r.skip(verifyDataSize), verifyDataSize))
    throw faults.FINISHED_MISMATCH;
}

export function connect(s: ClientSession): string {
  s.keys12?.wipe();
  s.engine.established = true;
  return "CONNECTED";
}

/** RFC 5246 7.4.1.1; there is no renegotiation. */
export function ignoreHelloRequest(s: ClientSession): string {
  s.engine.countIdle();
  return s.state;
}
