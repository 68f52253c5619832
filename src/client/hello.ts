import { findSuite } from "../crypto/suites.js";
import { retryRandom } from "../crypto/transcript.js";
import { inMessage } from "../handshake/extensionrow.js";
import { readExtensions, saw, writeExtensions } from "../handshake/extensions.js";
import { settleSuite } from "../handshake/handshake.js";
import { sendCompatibilityChange } from "../handshake/handshake13.js";
import { makeKeyPair } from "../handshake/keyexchange.js";
import { at, RANDOM } from "../handshake/memory.js";
import { CHANGE_CIPHER_SPEC, rowsOf, STEP } from "../record/row.js";
import { faults } from "../wire/fault.js";
import type { Reader } from "../wire/reader.js";
import { extensionType, handshakeType, version } from "../wire/registry.js";
import { copyBytes, equalBytes } from "../wire/writer.js";
import { startsWith } from "./extensions.js";
import type { Answer12 } from "./feature.js";
import type { ClientHandshake } from "./handshake.js";
import type { ClientState } from "./states.js";

/** The client's part until the version is known. TLS 1.3 goes on with `rows13`, TLS 1.2, a feature, with its own. */
export const rowsHello = rowsOf<ClientHandshake>([
  { state: "START", on: STEP, run: start },
  { state: "SEND_CLIENT_HELLO", on: STEP, run: sendClientHello, sends: true },
  { state: "WAIT_SERVER_HELLO", on: handshakeType.server_hello, run: receiveServerHello },
  // After a HelloRetryRequest
  { state: "WAIT_SERVER_HELLO", on: CHANGE_CIPHER_SPEC, run: (s) => noteVersion(s, version.tls13) },
  { state: "RETRY", on: STEP, run: retry },
]);

/** Draws the randoms and, for TLS 1.3, the key pair of the group that we like best. */
function start(s: ClientHandshake): ClientState {
  const { provider, groups, features } = s.config;
  const { nonce } = s.verifier;
  provider.random(s.memory, at.clientRandom, at.clientRandom + RANDOM);
  if (nonce) provider.random(nonce, 0, nonce.length);
  s.startTranscript();
  features.clientCertificates?.begin(s as never);
  features.resumption?.begin(s as never);
  if (s.speaks(version.tls13)) {
    // It makes the handshake look like a resumption to middleboxes (RFC 8446 D.4)
    drawSessionId(s);
    s.group = groups[0];
    makeKeyPair(s);
  }
  return "SEND_CLIENT_HELLO";
}

/** A session id of our own. The server that resumes a TLS 1.2 session says so by repeating it (RFC 5077 3.4). */
export function drawSessionId(s: ClientHandshake): void {
  s.sessionIdLength = RANDOM;
  s.config.provider.random(s.memory, at.sessionId, at.sessionId + RANDOM);
}

/** A HelloRetryRequest was heard: make the key pair it asks for, unless it asked for a cookie alone. */
function retry(s: ClientHandshake): ClientState {
  if (s.exchange === undefined) makeKeyPair(s);
  sendCompatibilityChange(s);
  return "SEND_CLIENT_HELLO";
}

/** ClientHello, RFC 8446 4.1.2 and RFC 5246 7.4.1.2. */
function sendClientHello(s: ClientHandshake): ClientState {
  const { outbox } = s.engine;
  const record = outbox.end;
  const w = s.engine.begin(handshakeType.client_hello);
  const { suites } = s.config;
  w.u16(version.tls12);
  w.copy(s.memory, at.clientRandom, at.clientRandom + RANDOM);
  const sessionId = w.begin8();
  w.copy(s.memory, at.sessionId, at.sessionId + s.sessionIdLength);
  w.finish8(sessionId);
  const list = w.begin16();
  for (let i = 0; i < suites.length; i++) w.u16(suites[i]);
  w.finish16(list);
  // legacy_compression_methods: null(0) alone
  w.u8(1);
  w.u8(0);
  writeExtensions(s, w, inMessage.client_hello);
  s.resuming?.bind(s, w);
  s.engine.send();
  // RFC 8446 5.1: old servers take no higher one for a first record
  if (!s.retried) outbox.bytes[record + 2] = 1;
  return "WAIT_SERVER_HELLO";
}

/** ServerHello, RFC 8446 4.1.3 and RFC 5246 7.4.1.3. */
function receiveServerHello(s: ClientHandshake): ClientState {
  const r = s.engine.reader;
  if (r.u16() !== version.tls12) throw faults.PROTOCOL_VERSION;
  const random = r.skip(RANDOM);
  copyBytes(r.bytes, random, random + RANDOM, s.memory, at.serverRandom);
  const echoLength = r.u8();
  if (echoLength > 32) throw faults.DECODE_ERROR;
  const echo = r.skip(echoLength);
  const suite = r.u16();
  if (r.u8() !== 0) throw faults.ILLEGAL_PARAMETER;
  setVersion(s, selectedVersion(r));
  chooseSuite(s, suite);
  const echoed = echoes(s, r, echo, echoLength);
  if (s.version === version.tls12) return receiveServerHello12(s, r, echoed);
  if (!echoed) throw faults.ILLEGAL_PARAMETER;
  return startsWith(s.memory, at.serverRandom, retryRandom)
    ? receiveRetryRequest(s, r)
    : receiveServerHello13(s, r);
}

/** The version stands in an extension, which decides how the others are read; without it, it is TLS 1.2. */
function selectedVersion(r: Reader): number {
  const { at, end } = r;
  let selected: number = version.tls12;
  if (r.left > 0) {
    const all = r.enter16();
    while (r.left > 0) {
      const isVersion = r.u16() === extensionType.supported_versions;
      const data = r.enter16();
      if (isVersion) selected = r.u16();
      r.drop(data);
    }
    r.leave(all);
  }
  r.at = at;
  r.end = end;
  return selected;
}

function setVersion(s: ClientHandshake, selected: number): void {
  if (!s.speaks(selected) || (s.retried && selected !== version.tls13)) throw faults.PROTOCOL_VERSION;
  if (selected === version.tls12 && s.speaks(version.tls13)) refuseDowngrade(s);
  noteVersion(s, selected);
}

/** Notes what the server speaks; some messages tell before its ServerHello, which must then agree. */
export function noteVersion(s: ClientHandshake, protocol: number): ClientState {
  if (s.version !== 0 && s.version !== protocol) throw faults.UNEXPECTED_MESSAGE;
  s.version = protocol;
  return s.state;
}

/** The suite that the server chose must be one that was offered for this version, and not change after a retry. */
function chooseSuite(s: ClientHandshake, id: number): void {
  const suite = findSuite(id);
  const kept = s.suite === undefined || s.suite === suite;
  if (suite?.version !== s.version || !s.config.suites.includes(id) || !kept) throw faults.CIPHER_SUITE;
  settleSuite(s, suite);
}

/** RFC 8446 4.1.3: a server that could speak TLS 1.3 marks the end of its random when it is made to speak less. */
function refuseDowngrade(s: ClientHandshake): void {
  const tail = at.serverRandom + 24;
  if (startsWith(s.memory, tail, "DOWNGRD") && s.memory[tail + 7] <= 1) throw faults.DOWNGRADE;
}

function echoes(s: ClientHandshake, r: Reader, start: number, length: number): boolean {
  return equalBytes(r.bytes, start, start + length, s.memory, at.sessionId, at.sessionId + s.sessionIdLength);
}

/** HelloRetryRequest, RFC 8446 4.1.4: once, and it must change something. */
function receiveRetryRequest(s: ClientHandshake, r: Reader): ClientState {
  if (s.retried) throw faults.UNEXPECTED_MESSAGE;
  readExtensions(s, r, inMessage.hello_retry_request);
  if (!saw(s, extensionType.supported_versions)) throw faults.MISSING_EXTENSION;
  if (!saw(s, extensionType.key_share) && !saw(s, extensionType.cookie)) throw faults.ILLEGAL_PARAMETER;
  s.retried = true;
  s.transcript.restart(s.config.provider);
  s.transcript.dropCompanions();
  return "RETRY";
}

function receiveServerHello12(s: ClientHandshake, r: Reader, echoed: boolean): ClientState {
  const answer = s.config.features.tls12?.answer12 as Answer12<ClientHandshake, ClientState> | undefined;
  if (answer === undefined) throw faults.PROTOCOL_VERSION;
  return answer(s, r, echoed);
}

function receiveServerHello13(s: ClientHandshake, r: Reader): ClientState {
  readExtensions(s, r, inMessage.server_hello);
  if (!saw(s, extensionType.key_share)) throw faults.MISSING_EXTENSION;
  s.transcript.dropCompanions();
  s.engine.warnings = false;
  s.table = s.config.features.table13;
  return "AGREE";
}
