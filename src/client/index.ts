/**
 * The TLS client without I/O. Give it bytes from a socket through `cipherIn`, send what `cipherOut` holds,
 * call `work()` while `wants` has WORK, and talk through `plainIn` and `plainOut`.
 */

import type { Path } from "../pki/chain.js";
import type { Status } from "../pki/ocsp.js";
import type { Port } from "../record/ports.js";
import { type Fault, faults } from "../wire/fault.js";
import { stapleAt } from "./authenticate.js";
import { type ClientOptions, type Config, configure } from "./options.js";
import { ClientSession } from "./session.js";

export type {
  Aead,
  AeadAlgorithm,
  Exchange,
  Hash,
  HashAlgorithm,
  Identity,
  KeyKind,
  Provider,
  PublicKey,
  Signature,
  Signer,
  Verification,
} from "../crypto/provider.js";
export { findScheme, findSuite } from "../crypto/suites.js";
export { type TrustAnchor, trustAnchor } from "../pki/chain.js";
export { type Responder, responder } from "../pki/ocsp.js";
export { wants } from "../record/engine.js";
export type { Port } from "../record/ports.js";
export { type Fault, faults, isFault } from "../wire/fault.js";
export * from "../wire/registry.js";
export type { BufferSizes, ClientOptions, OcspOptions, OcspRequirement, Stapling } from "./options.js";

/**
 * What the client found out about one certificate of the path.
 * "none": no staple came; "bad": one came that does not count, see `fault`; "unchecked": the handshake ended,
 * or verification is off, before it was looked at.
 */
export interface Verdict {
  readonly status: Status | "none" | "bad" | "unchecked";
  readonly fault?: Fault;
  /** Seconds since 1970; -1 where the response has none. */
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  readonly producedAt: number;
  readonly revokedAt: number;
  /** CRLReason, RFC 5280 5.3.1, or -1. */
  readonly revocationReason: number;
  /** How the response names its signer, and whether that is a delegate of the CA rather than the CA itself. */
  readonly responder: "byName" | "byKey";
  readonly delegated: boolean;
}

/** One connection's client. `work()` and the ports never throw for anything that the peer does: see `fault`. */
export class TlsClient {
  private readonly session: ClientSession;

  /**
   * All memory for bytes is taken here, `arena` if given; nothing is allocated for a record or message later.
   * Throws RangeError for options that can't be.
   */
  constructor(options: ClientOptions, arena?: Uint8Array) {
    const config: Config = configure(options);
    const { input, output, store } = config.buffers;
    const needed = input + output + store;
    if (arena && arena.length < needed) throw new RangeError(`tlstaple: the arena needs ${needed} bytes`);
    this.session = new ClientSession(config, arena ?? new Uint8Array(needed));
  }

  /** Write bytes from the transport at `[start,end)`. */
  get cipherIn(): Port {
    return this.session.engine.cipherIn;
  }

  /** Send `[start,end)` to the transport. */
  get cipherOut(): Port {
    return this.session.engine.cipherOut;
  }

  /** Write application data at `[start,end)`; each `advance` makes one record of it. */
  get plainIn(): Port {
    return this.session.engine.plainIn;
  }

  /** Read application data from `[start,end)`. */
  get plainOut(): Port {
    return this.session.engine.plainOut;
  }

  /** What the connection waits for: bits of `wants`. */
  get wants(): number {
    return this.session.engine.wants;
  }

  /** Goes on as far as the bytes at hand allow, through at most one costly step of cryptography. */
  work(): void {
    this.session.engine.work();
  }

  /** Sends close_notify; what the server had sent before its own may still be read. */
  close(): void {
    this.session.engine.close();
  }

  /** The transport has ended. Without close_notify before, that is TRUNCATED. */
  eof(): void {
    this.session.engine.eof();
  }

  /** Gives up for a reason of the caller's, such as HANDSHAKE_TIMEOUT; the peer gets the fault's alert. */
  abort(fault: Fault): void {
    this.session.engine.fail(fault);
  }

  /** Ready for another connection with the same options and the same memory. */
  reset(): void {
    this.session.reset();
  }

  /**
   * TLS 1.3: changes the sending key, and asks the server to change its own if `request`. False when that
   * can't be now: no TLS 1.3 connection, or an update is on its way (RFC 8446 4.6.3).
   */
  updateKey(request = false): boolean {
    const { session } = this;
    if (session.keys13 === undefined || session.state !== "CONNECTED") return false;
    session.requestKeyUpdate = request;
    session.refreshKey();
    session.engine.wake();
    return true;
  }

  /** Why the connection failed; the first reason stays. */
  get fault(): Fault | undefined {
    return this.session.engine.fault;
  }

  /** With PEER_ALERT the alert's number, with a buffer too small the bytes that it would need, else 0. */
  get faultDetail(): number {
    const { engine, store } = this.session;
    return engine.fault === faults.STORE_TOO_SMALL ? store.needed : engine.faultDetail;
  }

  /** What was caught, when the fault is INTERNAL_ERROR. */
  get cause(): unknown {
    return this.session.engine.cause;
  }

  /** The handshake and every check passed. */
  get established(): boolean {
    return this.session.engine.established;
  }

  /** The server resumed the session that was offered: it sent no certificate, and no staple. */
  get resumed(): boolean {
    return this.session.resumed;
  }

  /** The server said that it sends no more. */
  get closedByPeer(): boolean {
    return this.session.engine.closedByPeer;
  }

  /** The state machine's state, for messages. */
  get state(): string {
    return this.session.state;
  }

  /** The negotiated ProtocolVersion, or 0. */
  get version(): number {
    return this.session.version;
  }

  /** The negotiated CipherSuite, or 0. */
  get suite(): number {
    return this.session.suite?.id ?? 0;
  }

  /** The NamedGroup of the key exchange, or 0. */
  get group(): number {
    return this.session.group;
  }

  /** The application protocol that the server chose (RFC 7301). */
  get alpn(): string | undefined {
    return this.session.alpn;
  }

  /** The server's certificates, and the path to the anchor once it is found. */
  get path(): Path {
    return this.session.path;
  }

  /**
   * One verdict for each certificate of the path, the server's first, and for a trust anchor that came with a
   * staple. Empty before the path is found.
   */
  get verdicts(): readonly Verdict[] {
    const { path, pathFound } = this.session;
    const verdicts: Verdict[] = [];
    for (let i = 0; pathFound && i < path.lengthWithAnchor; i++)
      if (i < path.length || stapleAt(this.session, i).present) verdicts.push(verdict(this.session, i));
    return verdicts;
  }
}

function verdict(s: ClientSession, position: number): Verdict {
  const staple = stapleAt(s, position);
  const { thisUpdate, nextUpdate, producedAt, revokedAt, revocationReason, responder, delegated } = staple;
  const found = { thisUpdate, nextUpdate, producedAt, revokedAt, revocationReason, responder, delegated };
  if (position < s.stapleIndex)
    return Object.assign({ status: staple.present ? "good" : "none" } as const, found);
  const { fault } = s.engine;
  if (position > s.stapleIndex || fault === undefined)
    return Object.assign({ status: staple.present ? "unchecked" : "none" } as const, found);
  return Object.assign({ status: judged(fault), fault }, found);
}

function judged(fault: Fault): Verdict["status"] {
  if (fault === faults.OCSP_CERT_REVOKED) return "revoked";
  if (fault === faults.OCSP_CERT_UNKNOWN) return "unknown";
  return fault === faults.OCSP_STAPLE_MISSING ? "none" : "bad";
}
