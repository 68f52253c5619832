import type { KeySchedule12 } from "../crypto/keys12.js";
import type { KeySchedule13 } from "../crypto/keys13.js";
import type { Exchange, Identity, Verification } from "../crypto/provider.js";
import type { Suite } from "../crypto/suites.js";
import { Transcript } from "../crypto/transcript.js";
import type { Store } from "../pki/store.js";
import { type Verdict, Verifier, type VerifierOptions } from "../pki/verifier.js";
import type { Engine, Machine } from "../record/engine.js";
import type { Protection } from "../record/protection.js";
import { faults } from "../wire/fault.js";
import type { ExtensionTable } from "./extensionrow.js";
import { at, RANDOM } from "./memory.js";
import type { Config } from "./options.js";
import type { Side } from "./sides.js";

/** An OCSP response in DER for each certificate of a chain, undefined where there is none. */
export type Staples = readonly (Uint8Array | undefined)[];

/**
 * What both roles negotiate in one handshake. It is named by direction: `in` and `out`, `peer` and `own`, so that one
 * function serves both.
 */
export abstract class Handshake implements Machine {
  abstract readonly config: Config;
  abstract readonly engine: Engine;
  abstract readonly table: Machine["table"];
  abstract state: string;
  abstract readonly own: Side;
  abstract readonly peer: Side;
  /** The table of extensions that is in force; for reading and writing it a row is told whose it is. */
  abstract readonly extensions: ExtensionTable;
  /** Our certificates and key, where we have some. */
  abstract readonly identity: Identity | undefined;

  /** What the handshake alone needs, and at its end lets go of; then what was found out about the peer. */
  private running: Transcript | undefined;
  private judge: Verifier | undefined;
  private found: readonly Verdict[] | undefined;
  readonly memory: Uint8Array;
  /** Bits of the rows of `extensions`: what our last message with any had, and what the peer's last one. */
  offered = 0;
  seen = 0;

  sessionIdLength = 0;
  version = 0;
  suite: Suite | undefined;
  group = 0;
  exchange: Exchange | undefined;
  peerShareLength = 0;
  alpn: string | undefined;
  changeCipherSpecSent = false;

  keys13: KeySchedule13 | undefined;
  keys12: KeySchedule12 | undefined;
  /** TLS 1.2: both directions' keys, until their ChangeCipherSpec. */
  inProtection: Protection | undefined;
  outProtection: Protection | undefined;

  /** The peer's handshake signature that waits to be verified, and where it lies in the input buffer. */
  verification: Verification | undefined;
  signatureStart = 0;
  signatureEnd = 0;

  /** A client's certificate was asked for. */
  requested = false;
  /** The SignatureScheme of our own signature, 0 while none fits. */
  scheme = 0;
  /** What of our Certificate message is sent: the entry, and the byte in it. */
  entry = 0;
  entryOffset = 0;
  /** TLS 1.3: the staple that each of our certificates is sent with, where there is one; absent where the peer wants none. */
  declare staples?: Staples | undefined;
  /** Whether our next KeyUpdate asks for one in return; undefined before the first. */
  requestKeyUpdate: boolean | undefined;

  /** `purpose`, of `extendedKeyUsage`, is what the peer's certificate must serve for. */
  constructor(config: Config & VerifierOptions, purpose: number, store: Store) {
    this.memory = new Uint8Array(at.end + (config.provider.longShare?.(config.groups) ?? 0));
    this.judge = new Verifier(config, purpose, store, this.memory, at.hash);
  }

  /** TLS 1.2: both sides take part in RFC 7627. */
  abstract readonly extendedMasterSecret: boolean;

  // These are there whenever the state table lets them be asked for

  get suiteInForce(): Suite {
    return this.suite!;
  }

  get schedule13(): KeySchedule13 {
    return this.keys13!;
  }

  get transcript(): Transcript {
    return this.running!;
  }

  startTranscript(): void {
    this.running = new Transcript(this.config.provider);
  }

  /** Judges the peer. */
  get verifier(): Verifier {
    return this.judge!;
  }

  /** As the verifier's, also when it is gone. */
  get verdicts(): readonly Verdict[] {
    return this.found ?? this.verifier.verdicts(this.engine.fault);
  }

  /** With PEER_ALERT the alert's number, with a buffer or the store too small the bytes that it would need, else 0. */
  get faultDetail(): number {
    const { fault, faultDetail } = this.engine;
    return fault === faults.STORE_TOO_SMALL ? this.verifier.store.needed : faultDetail;
  }

  /** The peer has proved who it is: of all that it showed, only the verdicts stay. */
  dismissVerifier(): void {
    this.found = this.verdicts;
    this.judge = undefined;
  }

  /** The handshake is done, and every check passed. */
  establish(): void {
    if (this.judge) this.dismissVerifier();
    this.running = undefined;
    this.engine.established = true;
  }

  speaks(protocol: number): boolean {
    return this.config.minVersion <= protocol && protocol <= this.config.maxVersion;
  }

  /** Writes the transcript's hash at `at.hash`. */
  digest(): void {
    this.transcript.digest(this.memory, at.hash);
  }

  erase(start: number, end: number): void {
    this.memory.fill(0, start, end);
  }

  transcribe(bytes: Uint8Array, start: number, end: number): void {
    if (!this.engine.established) this.transcript.update(bytes, start, end);
  }

  trace(sent: boolean, type: number, bytes: Uint8Array, start: number, end: number): void {
    this.config.onMessage?.(sent, type, bytes, start, end);
  }

  /** Hands a secret, `memory[start…start + size)`, to the debugger's key log, if there is one. */
  log(label: string, start: number, size: number): void {
    const { onSecret } = this.config;
    if (onSecret === undefined) return;
    const { memory } = this;
    const clientRandom = memory.subarray(at.clientRandom, at.clientRandom + RANDOM);
    onSecret(label, clientRandom, memory.subarray(start, start + size));
  }

  /** TLS 1.3 replaces the sending key before it wears out (RFC 8446 5.5); TLS 1.2 can't. */
  refreshKey(): void {
    if (this.state === "CONNECTED" && this.keys13) this.state = "SEND_KEY_UPDATE";
  }

  wipe(): void {
    this.exchange?.dispose();
    this.inProtection?.dispose();
    this.outProtection?.dispose();
    this.keys13 = this.keys12 = this.exchange = this.inProtection = this.outProtection = undefined;
    this.verification = undefined;
    if (this.running) this.running.dropCompanions();
    this.erase(at.inSecret, at.end);
  }
}

/** The suite is settled, and with it the transcript's hash. */
export function settleSuite(s: Handshake, suite: Suite): void {
  s.suite = suite;
  s.transcript.choose(suite.hash);
}
