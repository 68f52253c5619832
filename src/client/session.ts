import type { KeySchedule12 } from "../crypto/keys12.js";
import type { KeySchedule13 } from "../crypto/keys13.js";
import type { Aead, Exchange, Verification } from "../crypto/provider.js";
import { findScheme, findSuite, keySize, type Suite } from "../crypto/suites.js";
import { Transcript } from "../crypto/transcript.js";
import { extendedKeyUsage } from "../pki/certificate.js";
import { Store } from "../pki/store.js";
import { Verifier } from "../pki/verifier.js";
import { Engine, type Row } from "../record/engine.js";
import type { Protection } from "../record/record.js";
import { faults } from "../wire/fault.js";
import { version } from "../wire/registry.js";
import { rowsHello } from "./hello.js";
import { at, RANDOM } from "./memory.js";
import type { Config } from "./options.js";
import type { Resuming } from "./resumption.js";

/** Everything that one handshake negotiates, and the table that is in force. */
export class ClientSession {
  readonly config: Config;
  readonly engine: Engine<ClientSession>;
  readonly transcript: Transcript;
  /** Judges the server. */
  readonly verifier: Verifier;

  rows: readonly Row<ClientSession>[] = rowsHello;
  state = "START";

  readonly memory = new Uint8Array(at.end);
  /** Bits of the extension table's rows: sent in the ClientHello; seen in the message being read. */
  offered = 0;
  seen = 0;

  sessionIdLength = 0;
  version = 0;
  suite: Suite | undefined;
  group = 0;
  exchange: Exchange | undefined;
  peerShareLength = 0;
  retried = false;
  cookie: Uint8Array | undefined;
  extendedMasterSecret = false;
  alpn: string | undefined;
  /** The limits that the server agreed to. */
  recordSizeLimited = false;
  fragmentLimited = false;
  /** TLS 1.2: the ExtensionType by which the server announced a CertificateStatus, or 0. */
  announced = 0;
  /** Responses of an OCSPResponseList so far, RFC 6961 2.2. */
  responsesSent = 0;

  /** What a client keeps that resumes. */
  resuming: Resuming | undefined;

  keys13: KeySchedule13 | undefined;
  keys12: KeySchedule12 | undefined;
  /** TLS 1.2: the server's keys, until its ChangeCipherSpec. */
  serverProtection: Protection | undefined;

  /** The handshake signature that waits to be verified, and where it lies in the input buffer. */
  verification: Verification | undefined;
  signatureStart = 0;
  signatureEnd = 0;

  /** Client authentication: asked for, and the scheme to sign with, 0 when none fits. */
  requested = false;
  clientScheme = 0;
  certificateIndex = 0;
  certificateOffset = 0;
  changeCipherSpecSent = false;
  /** Whether our next KeyUpdate asks for one in return; undefined before the first. */
  requestKeyUpdate: boolean | undefined;

  constructor(config: Config, arena: Uint8Array) {
    const { input, output, store } = config.buffers;
    this.config = config;
    this.engine = new Engine<ClientSession>(this, arena, input, output);
    this.transcript = new Transcript(config.provider);
    const kept = new Store(arena, input + output, input + output + store);
    this.verifier = new Verifier(config, extendedKeyUsage.serverAuth, kept, this.memory, at.hash);
  }

  /** Whether the server goes on from the session that was offered. */
  get resumed(): boolean {
    return this.resuming?.accepted === true;
  }

  get suiteInForce(): Suite {
    if (this.suite === undefined) throw faults.INTERNAL_ERROR;
    return this.suite;
  }

  offers(protocol: number): boolean {
    return this.config.minVersion <= protocol && protocol <= this.config.maxVersion;
  }

  /** The suite that the server chose, if it is one that was offered for this version. */
  chooseSuite(id: number): void {
    const suite = findSuite(id);
    if (suite?.version !== this.version || !this.config.suites.includes(id)) throw faults.CIPHER_SUITE;
    if (this.suite !== undefined && this.suite !== suite) throw faults.CIPHER_SUITE;
    this.suite = suite;
    this.transcript.choose(suite.hash);
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

  /** The scheme of our certificate's key that the server takes, or 0. */
  acceptScheme(id: number): void {
    const identity = this.config.identity;
    if (identity === undefined || !identity.signer.schemes.includes(id)) return;
    if (this.version === version.tls13 && findScheme(id)?.pkcs1) return;
    const rank = identity.signer.schemes.indexOf(id);
    const present = identity.signer.schemes.indexOf(this.clientScheme);
    if (present < 0 || rank < present) this.clientScheme = id;
  }

  transcribe(bytes: Uint8Array, start: number, end: number): void {
    if (!this.engine.established) this.transcript.update(bytes, start, end);
  }

  trace(sent: boolean, type: number, bytes: Uint8Array, start: number, end: number): void {
    this.config.onMessage?.(sent, type, bytes, start, end);
  }

  /** Hands a secret to the debugger's key log, if there is one. */
  log(label: string, bytes: Uint8Array, start: number, size: number): void {
    const { onSecret } = this.config;
    if (onSecret === undefined) return;
    const clientRandom = this.memory.subarray(at.clientRandom, at.clientRandom + RANDOM);
    onSecret(label, clientRandom, bytes.subarray(start, start + size));
  }

  /** TLS 1.3 replaces the sending key before it wears out (RFC 8446 5.5); TLS 1.2 can't. */
  refreshKey(): void {
    if (this.state === "CONNECTED" && this.keys13) this.state = "SEND_KEY_UPDATE";
  }

  wipe(): void {
    this.exchange?.dispose();
    this.serverProtection?.dispose();
    this.serverProtection = undefined;
    this.keys13 = this.keys12 = this.exchange = undefined;
    this.resuming?.wipe();
    this.forget(at.clientSecret, at.end);
  }
}
