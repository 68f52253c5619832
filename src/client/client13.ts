import { hashSize } from "../crypto/suites.js";
import { measureEntry } from "../handshake/certificates.js";
import { inMessage } from "../handshake/extensionrow.js";
import { readExtensions, saw } from "../handshake/extensions.js";
import {
  authenticate13,
  deriveApplicationSecrets,
  deriveHandshakeSecrets,
  ignoreCompatibilityChange,
  measureCertificateHead13,
  moveApplicationSecret,
  newSchedule13,
  protectIn,
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
import { agree, dropKeyPair } from "../handshake/keyexchange.js";
import { at } from "../handshake/memory.js";
import { MAX_PLAINTEXT } from "../record/protection.js";
import { CHANGE_CIPHER_SPEC, rowsOf, STEP } from "../record/row.js";
import { faults } from "../wire/fault.js";
import { extensionType, handshakeType } from "../wire/registry.js";
import { afterRequest, sendNoCertificate } from "./certificate.js";
import type { ClientHandshake } from "./handshake.js";
import type { ClientState } from "./states.js";

const on = handshakeType;

/** TLS 1.3 from the ServerHello on, RFC 8446 appendix A.1. */
export const rows13 = rowsOf<ClientHandshake>([
  { state: "AGREE", on: STEP, run: deriveHandshakeKeys },
  { state: "WAIT_ENCRYPTED_EXTENSIONS", on: on.encrypted_extensions, run: receiveEncryptedExtensions },
  { state: "WAIT_CERTIFICATE_OR_REQUEST", on: on.certificate_request, run: receiveCertificateRequest },
  {
    state: "WAIT_CERTIFICATE_OR_REQUEST",
    on: on.certificate,
    run: receiveCertificateHead,
    measure: measureCertificateHead13,
  },
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
  { state: "DERIVE_APPLICATION_KEYS", on: STEP, run: deriveApplicationKeys },
  { state: "SEND_NO_CERTIFICATE", on: STEP, run: sendNoCertificate, sends: true },
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

/** RFC 8446 7.1, the Handshake Secret's stage. Our keys change already now, so that an alert goes out encrypted. */
function deriveHandshakeKeys(s: ClientHandshake): ClientState {
  const keys = newSchedule13(s, s.suiteInForce.hash);
  s.keys13 = keys;
  keys.start(s.resumed ? s.resuming!.offer!.secret : undefined);
  const end = at.shared + agree(s);
  keys.handshake(at.shared, end);
  dropKeyPair(s);
  s.erase(at.shared, end);
  deriveHandshakeSecrets(s);
  s.engine.maxInner = MAX_PLAINTEXT + 1;
  protectIn(s);
  sendCompatibilityChange(s);
  protectOut(s);
  return "WAIT_ENCRYPTED_EXTENSIONS";
}

/** RFC 8446 4.3.1. With a PSK neither certificate nor signature follows. */
function receiveEncryptedExtensions(s: ClientHandshake): ClientState {
  readExtensions(s, s.engine.reader, inMessage.encrypted_extensions);
  return s.resumed ? "WAIT_FINISHED" : "WAIT_CERTIFICATE_OR_REQUEST";
}

/** CertificateRequest, RFC 8446 4.3.2: the context is empty during the handshake. */
export function receiveCertificateRequest(s: ClientHandshake): ClientState {
  const r = s.engine.reader;
  if (r.u8() !== 0) throw faults.ILLEGAL_PARAMETER;
  readExtensions(s, r, inMessage.certificate_request);
  if (!saw(s, extensionType.signature_algorithms)) throw faults.MISSING_EXTENSION;
  s.requested = true;
  return "WAIT_CERTIFICATE";
}

function receiveCertificateHead(s: ClientHandshake): ClientState {
  readCertificateHead13(s);
  if (s.engine.left === 0) throw faults.NO_PEER_CERT;
  return "WAIT_CERTIFICATE_ENTRY";
}

function receiveFinished(s: ClientHandshake): ClientState {
  readFinished13(s);
  return "DERIVE_APPLICATION_KEYS";
}

/** The server's keys change now, ours after our Finished. */
export function deriveApplicationKeys(s: ClientHandshake): ClientState {
  deriveApplicationSecrets(s, at.inSecret);
  protectIn(s);
  return s.requested ? afterRequest(s) : "SEND_FINISHED";
}

function sendFinished(s: ClientHandshake): ClientState {
  writeFinished13(s);
  moveApplicationSecret(s, at.outSecret);
  protectOut(s);
  // Of the Master Secret nothing more is derived, but for tickets
  if (s.resuming) s.resuming.keepSecret(s);
  else s.schedule13.forgetSecret();
  s.establish();
  return "CONNECTED";
}

/** NewSessionTicket, RFC 8446 4.6.1. Well-formed it must be, whether anything is made of it or not. */
function receiveNewSessionTicket(s: ClientHandshake): ClientState {
  const r = s.engine.reader;
  const lifetime = r.u32();
  const ageAdd = r.u32();
  const nonceLength = r.u8();
  const nonceAt = r.skip(nonceLength);
  const length = r.u16();
  if (length === 0) throw faults.DECODE_ERROR;
  const start = r.skip(length);
  readExtensions(s, r, inMessage.new_session_ticket);
  s.engine.countIdle();
  s.resuming?.takeTicket13(s, lifetime, ageAdd, nonceAt, nonceLength, start, start + length);
  return "CONNECTED";
}
