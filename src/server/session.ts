import type { KeySchedule12 } from "../crypto/keys12.js";
import type { Aead, Exchange, Identity, Verification } from "../crypto/provider.js";
import { PskSchedule13 } from "../crypto/psk13.js";
import { keySize, type Suite } from "../crypto/suites.js";
import { Transcript } from "../crypto/transcript.js";
import { extendedKeyUsage } from "../pki/certificate.js";
import { Store } from "../pki/store.js";
import { Verifier } from "../pki/verifier.js";
import { Engine, type Row } from "../record/engine.js";
import type { Protection } from "../record/record.js";
import { type Fault, faults } from "../wire/fault.js";
import { extensionType } from "../wire/registry.js";
import type { Config } from "./config.js";
import { rowsHello } from "./hello.js";
import { HelloInbox } from "./helloinbox.js";
import { at, RANDOM } from "./memory.js";
import { Offer } from "./offer.js";
import type { Hello, Selection } from "./options.js";
import type { LongMessage } from "./parts.js";
import type { Ticket } from "./tickets.js";

/** Everything that one handshake negotiates, and the table that is in force. */
export class ServerSession {
  readonly config: Config;
  readonly engine: Engine<ServerSession>;
  readonly transcript: Transcript;
  /** Judges the client. */
  readonly verifier: Verifier;

  rows: readonly Row<ServerSession>[] = rowsHello;
  state = "WAIT_CLIENT_HELLO";

  readonly memory = new Uint8Array(at.end);
  offer = new Offer();
  /** Bytes of the ClientHello that the transcript has already: those before the binders. */
  prehashed = 0;
  /** The group that a HelloRetryRequest asked for, or 0. */
  retriedGroup = 0;
  hello: Hello | undefined;
  /** What waits to be acted upon: the answer to `hello`. */
  answer: Selection | Fault | undefined;

  sessionIdLength = 0;
  version = 0;
  suite: Suite | undefined;
  group = 0;
  exchange: Exchange | undefined;
  peerShareLength = 0;
  alpn: string | undefined;
  /** What we answered in record_size_limit (RFC 8449). */
  recordSizeLimit = 0;
  changeCipherSpecSent = false;

  selection: Selection | undefined;
  /** The SignatureScheme of our own signature. */
  scheme = 0;
  /** TLS 1.2: the CertificateStatus that the ServerHello announces. */
  announced: Hello["stapling"] = "off";
  /** TLS 1.2: a NewSessionTicket will come. */
  ticketAnnounced = false;
  /** The message that is being sent part by part. */
  long: LongMessage | undefined;

  /** The ticket that the handshake resumes from, and where the client's list had it. */
  ticket: Ticket | undefined;
  selectedPsk = 0;

  keys13: PskSchedule13 | undefined;
  keys12: KeySchedule12 | undefined;
  /** TLS 1.2: both directions' keys, until their ChangeCipherSpec. */
  clientProtection: Protection | undefined;
  serverProtection: Protection | undefined;

  /** TLS 1.2: for each of our schemes the client's CertificateVerify in the making, over all messages. */
  verifications: (Verification | undefined)[] = [];
  /** The client's signature that waits to be verified, and where it lies in the input buffer. */
  verification: Verification | undefined;
  signatureStart = 0;
  signatureEnd = 0;

  /** A CertificateRequest was sent. */
  requested = false;
  /** Whether our next KeyUpdate asks for one in return; undefined before the first. */
  requestKeyUpdate: boolean | undefined;

  constructor(config: Config, arena: Uint8Array) {
    const { input, output, store } = config.buffers;
    this.config = config;
    const inbox = new HelloInbox(arena, input, () => this.rows === rowsHello);
    this.engine = new Engine<ServerSession>(this, arena, input, output, inbox);
    this.transcript = new Transcript(config.provider);
    const kept = new Store(arena, input + output, input + output + store);
    this.verifier = new Verifier(config, extendedKeyUsage.clientAuth, kept, this.memory, at.hash);
  }

  get resumed(): boolean {
    return this.ticket !== undefined;
  }

  /** TLS 1.2: both sides take part in RFC 7627. */
  get extendedMasterSecret(): boolean {
    return this.offer.has(extensionType.extended_master_secret);
  }

  get suiteInForce(): Suite {
    if (this.suite === undefined) throw faults.INTERNAL_ERROR;
    return this.suite;
  }

  get identity(): Identity {
    if (this.selection === undefined) throw faults.INTERNAL_ERROR;
    return this.selection.identity;
  }

  speaks(protocol: number): boolean {
    return this.config.minVersion <= protocol && protocol <= this.config.maxVersion;
  }

  chooseSuite(suite: Suite): void {
    this.suite = suite;
    this.transcript.choose(suite.hash);
  }

  /** Seconds since 1970; undefined while the clock is not set, which must not pass for a time. */
  get now(): number | undefined {
    const now = this.config.clock();
    return now !== undefined && now >= this.config.clockFloor ? now : undefined;
  }

  /** The suite's AEAD with the key at `keyAt`. */
  aead(keyAt: number): Aead {
    const { aead } = this.suiteInForce;
    return this.config.provider.aead(aead, this.memory, keyAt, keyAt + keySize[aead]);
  }

  /** Writes the transcript's hash at `at.hash`. */
  digest(): void {
    this.transcript.digest(this.memory, at.hash);
  }

  forget(start: number, end: number): void {
    this.memory.fill(0, start, end);
  }

  schedule13(): PskSchedule13 {
    const { config, memory } = this;
    this.keys13 ??= new PskSchedule13(config.provider, this.suiteInForce.hash, memory, at.schedule);
    return this.keys13;
  }

  transcribe(bytes: Uint8Array, start: number, end: number): void {
    if (this.engine.established) return;
    this.transcript.update(bytes, start + this.prehashed, end);
    this.prehashed = 0;
    for (const verification of this.verifications) verification?.update(bytes, start, end);
  }

  trace(sent: boolean, type: number, bytes: Uint8Array, start: number, end: number): void {
    this.config.onMessage?.(sent, type, bytes, start, end);
  }

  /** Hands a secret to the debugger's key log, if there is one. */
  log(label: string, start: number, size: number): void {
    const { memory, config } = this;
    const clientRandom = memory.subarray(at.clientRandom, at.clientRandom + RANDOM);
    config.onSecret?.(label, clientRandom, memory.subarray(start, start + size));
  }

  /** TLS 1.3 replaces the sending key before it wears out (RFC 8446 5.5); TLS 1.2 can't. */
  refreshKey(): void {
    if (this.state === "CONNECTED" && this.keys13) this.state = "SEND_KEY_UPDATE";
  }

  wipe(): void {
    this.exchange?.dispose();
    this.clientProtection?.dispose();
    this.serverProtection?.dispose();
    this.ticket?.secret.fill(0);
    this.keys13 = this.keys12 = this.exchange = this.clientProtection = this.serverProtection = undefined;
    this.verification = undefined;
    this.verifications = [];
    this.forget(at.clientSecret, at.end);
  }
}
