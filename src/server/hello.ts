import { sha256 } from "../crypto/digest.js";
import type { Identity } from "../crypto/provider.js";
import { inMessage } from "../handshake/extensionrow.js";
import { readExtensions } from "../handshake/extensions.js";
import { ignoreCompatibilityChange } from "../handshake/handshake13.js";
import { at, RANDOM } from "../handshake/memory.js";
import { CHANGE_CIPHER_SPEC, rowsOf, STEP } from "../record/row.js";
import { faults, isFault } from "../wire/fault.js";
import type { Reader } from "../wire/reader.js";
import { extensionType, handshakeType, version } from "../wire/registry.js";
import { copyBytes } from "../wire/writer.js";
import { readList16 } from "./extensiondata.js";
import { listExtensions } from "./extensions.js";
import type { ServerHandshake } from "./handshake.js";
import {
  certificateSchemes,
  chooseAlpn,
  chooseGroup12,
  chooseScheme,
  chooseSuite12,
  chooseVersion,
  commonSuites,
  limitRecords,
  usableSchemes,
  wantedStapling,
} from "./negotiate.js";
import { Offer } from "./offer.js";
import { beginVerifications, resume12, table12, takeTicket12 } from "./server12.js";
import { negotiate13, sendHelloRetryRequest, table13 } from "./server13.js";
import { announcement } from "./staples.js";
import type { ServerState } from "./states.js";
import { dropTicket, isOf } from "./tickets.js";

/** The server's part until its first answer. TLS 1.3 goes on with `table13`, TLS 1.2 with `table12`. */
export const rowsHello = rowsOf<ServerHandshake>([
  { state: "WAIT_CLIENT_HELLO", on: handshakeType.client_hello, run: receiveClientHello },
  { state: "SEND_HELLO_RETRY_REQUEST", on: STEP, run: sendHelloRetryRequest, sends: true },
  { state: "WAIT_SECOND_CLIENT_HELLO", on: handshakeType.client_hello, run: receiveSecondClientHello },
  { state: "WAIT_SECOND_CLIENT_HELLO", on: CHANGE_CIPHER_SPEC, run: ignoreCompatibilityChange },
  { state: "SELECT", on: STEP, run: select },
  { state: "AWAIT_SELECTION", on: STEP, run: (s) => s.state, waits: true },
  { state: "ANSWER", on: STEP, run: answer },
]);

function receiveClientHello(s: ServerHandshake): ServerState {
  s.startTranscript();
  readClientHello(s, s.engine.reader);
  chooseVersion(s);
  return negotiate(s);
}

/** RFC 8446 4.1.2: the ClientHello again, but for key_share and what belongs to a PSK. */
function receiveSecondClientHello(s: ServerHandshake): ServerState {
  const first = s.offer;
  readClientHello(s, s.engine.reader);
  if (!s.offer.tls13 || !isSame(first, s.offer)) throw faults.ILLEGAL_PARAMETER;
  if (s.offer.has(extensionType.early_data)) throw faults.ILLEGAL_PARAMETER;
  return negotiate(s);
}

/** Whether two ClientHellos offer the same; the digest is of what stands before the extensions. */
function isSame(first: Offer, second: Offer): boolean {
  const facts = ({ digest, serverName, alpn, groups, schemes, certificateSchemes: cert, ...rest }: Offer) => {
    const { status, authorities } = rest;
    return JSON.stringify([Array.from(digest), serverName, alpn, groups, schemes, cert, status, authorities]);
  };
  return facts(first) === facts(second);
}

const SCSV_FALLBACK = 0x5600;
const SCSV_RENEGOTIATION = 0x00ff;

/** ClientHello, RFC 8446 4.1.2 and RFC 5246 7.4.1.2. */
function readClientHello(s: ServerHandshake, r: Reader): void {
  const start = r.at;
  const offer = new Offer();
  s.offer = offer;
  offer.legacyVersion = r.u16();
  const random = r.skip(RANDOM);
  copyBytes(r.bytes, random, random + RANDOM, s.memory, at.clientRandom);
  readSessionId(s, r);
  const suites = r.enter16();
  readSuites(s, r);
  r.leave(suites);
  const methods = r.enter8();
  readCompressionMethods(offer, r);
  r.leave(methods);
  offer.digest = sha256(s.config.provider, r.bytes, start, r.at);
  // TLS 1.2 may come without any (RFC 5246 7.4.1.2)
  if (r.left === 0) return;
  listExtensions(s, r);
  readExtensions(s, r, inMessage.client_hello);
}

function readSessionId(s: ServerHandshake, r: Reader): void {
  const sessionId = r.enter8();
  if (r.left > RANDOM) throw faults.DECODE_ERROR;
  s.sessionIdLength = r.left;
  copyBytes(r.bytes, r.at, r.end, s.memory, at.sessionId);
  r.drop(sessionId);
}

function readSuites(s: ServerHandshake, r: Reader): void {
  const listed: number[] = [];
  readList16(r, [...s.config.suites, SCSV_FALLBACK, SCSV_RENEGOTIATION], listed);
  s.offer.fallback = listed.includes(SCSV_FALLBACK);
  s.offer.renegotiationInfo = listed.includes(SCSV_RENEGOTIATION);
  s.offer.suites.push(...listed.filter((id) => s.config.suites.includes(id)));
}

/** The null method must be there, in TLS 1.3 alone. */
function readCompressionMethods(offer: Offer, r: Reader): void {
  offer.nullCompressionAlone = r.left === 1;
  let hasNull = false;
  while (r.left > 0) if (r.u8() === 0) hasNull = true;
  if (!hasNull) throw faults.ILLEGAL_PARAMETER;
}

function negotiate(s: ServerHandshake): ServerState {
  chooseAlpn(s);
  limitRecords(s);
  if (s.version === version.tls13) {
    s.engine.warnings = false;
    if (!negotiate13(s)) return "SEND_HELLO_RETRY_REQUEST";
  } else negotiate12(s);
  if (!s.resumed) checkFull(s);
  const stapling = wantedStapling(s);
  s.hello = Object.freeze({
    serverName: s.offer.serverName,
    alpn: s.offer.alpn,
    version: s.version,
    schemes: usableSchemes(s),
    certificateSchemes: certificateSchemes(s),
    authorities: s.version === version.tls13 ? s.offer.authorities : s.offer.trustedCaKeys,
    stapling,
    nonce: s.offer.nonces[stapling],
    resumes: (identity: Identity) => s.ticket !== undefined && isOf(s, s.ticket, identity),
  });
  return "SELECT";
}

function negotiate12(s: ServerHandshake): void {
  if (!s.extendedMasterSecret && s.config.requireEms) throw faults.EMS_REQUIRED;
  if (commonSuites(s).length === 0) throw faults.NO_COMMON_SUITE;
  resume12(s);
  beginVerifications(s);
}

/** What a handshake needs that resumes nothing: a signature in TLS 1.3 (RFC 8446 9.2), a key exchange in TLS 1.2. */
function checkFull(s: ServerHandshake): void {
  if (s.version === version.tls12) chooseGroup12(s);
  else if (!s.offer.has(extensionType.signature_algorithms)) throw faults.MISSING_EXTENSION;
}

/**
 * Asks for the certificate; the answer may take time, as a staple may have to be fetched. Who resumes a session asks for
 * a name too, which may no longer be served, or by another certificate.
 */
function select(s: ServerHandshake): ServerState {
  s.answer = s.config.select(s.hello!);
  return s.answer === undefined ? "AWAIT_SELECTION" : "ANSWER";
}

function answer(s: ServerHandshake): ServerState {
  const selection = s.answer;
  if (isFault(selection)) throw selection;
  s.selection = selection;
  if (s.ticket && !isOf(s, s.ticket, s.chosen)) {
    dropTicket(s);
    checkFull(s);
  }
  return s.version === version.tls13 ? answer13(s) : answer12(s);
}

function answer13(s: ServerHandshake): ServerState {
  if (!s.resumed) chooseScheme(s);
  s.table = table13;
  return "EXCHANGE";
}

function answer12(s: ServerHandshake): ServerState {
  s.table = table12;
  if (s.ticket) takeTicket12(s, s.ticket);
  else {
    chooseScheme(s);
    chooseSuite12(s);
    s.announced = announcement(s, s.hello!.stapling);
  }
  return "SEND_SERVER_HELLO";
}
