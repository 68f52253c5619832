import type { Verdict } from "../pki/verifier.js";
import { CipherIn, CipherOut, PlainIn, PlainOut, type Port } from "../record/ports.js";
import type { Fault } from "../wire/fault.js";
import type { Handshake } from "./handshake.js";

/** One side of a connection, as its owner sees it. `work()` and the ports never throw for anything that the peer does: see `fault`. */
export abstract class Endpoint<S extends Handshake> {
  protected readonly handshake: S;
  private readonly fromPeer: Port;
  private readonly toPeer: Port;
  private readonly toSend: Port;
  private readonly received: Port;

  constructor(handshake: S) {
    this.handshake = handshake;
    const { engine } = handshake;
    this.fromPeer = new CipherIn(engine);
    this.toPeer = new CipherOut(engine);
    this.toSend = new PlainIn(engine);
    this.received = new PlainOut(engine);
  }

  /** Write bytes from the transport at `[start,end)`. */
  get cipherIn(): Port {
    return this.fromPeer;
  }

  /** Send `[start,end)` to the transport. */
  get cipherOut(): Port {
    return this.toPeer;
  }

  /** Write application data at `[start,end)`; each `advance` makes one record of it. */
  get plainIn(): Port {
    return this.toSend;
  }

  /** Read application data from `[start,end)`. */
  get plainOut(): Port {
    return this.received;
  }

  /** What the connection waits for: bits of `wants`. */
  get wants(): number {
    return this.handshake.engine.wants;
  }

  /** Goes on as far as the bytes at hand allow, through at most one costly step of cryptography. */
  work(): void {
    this.handshake.engine.work();
  }

  /** Sends close_notify; what the peer had sent before its own may still be read. */
  close(): void {
    this.handshake.engine.close();
  }

  /** The transport has ended. Without close_notify before, that is TRUNCATED. */
  eof(): void {
    this.handshake.engine.eof();
  }

  /** Gives up for a reason of the caller's, such as HANDSHAKE_TIMEOUT; the peer gets the fault's alert. */
  abort(fault: Fault): void {
    this.handshake.engine.fail(fault);
  }

  /** Forgets all secrets and data, once the transport is gone. */
  wipe(): void {
    this.handshake.engine.wipe();
  }

  /**
   * TLS 1.3: changes the sending key, and asks the peer to change its own if `request`. False when that can't be
   * now: no TLS 1.3 connection, or an update is on its way (RFC 8446 4.6.3).
   */
  updateKey(request = false): boolean {
    const { handshake } = this;
    if (handshake.keys13 === undefined || handshake.state !== "CONNECTED") return false;
    handshake.requestKeyUpdate = request;
    handshake.refreshKey();
    handshake.engine.wake();
    return true;
  }

  /** Why the connection failed; the first reason stays. */
  get fault(): Fault | undefined {
    return this.handshake.engine.fault;
  }

  /** With PEER_ALERT the alert's number, with a buffer too small the bytes that it would need, else 0. */
  get faultDetail(): number {
    return this.handshake.faultDetail;
  }

  /** What was caught, when the fault is INTERNAL_ERROR. */
  get cause(): unknown {
    return this.handshake.engine.cause;
  }

  /** The handshake and every check passed. */
  get established(): boolean {
    return this.handshake.engine.established;
  }

  /** The peer said that it sends no more. */
  get closedByPeer(): boolean {
    return this.handshake.engine.closedByPeer;
  }

  /**
   * One verdict for each certificate of the path, the peer's own first, and for a trust anchor that came with a
   * staple. Empty before the path is found.
   */
  get verdicts(): readonly Verdict[] {
    return this.handshake.verdicts;
  }

  /** The state machine's state, for messages. */
  get state(): string {
    return this.handshake.state;
  }

  /** The negotiated ProtocolVersion, or 0. */
  get version(): number {
    return this.handshake.version;
  }

  /** The negotiated CipherSuite, or 0. */
  get suite(): number {
    return this.handshake.suite?.id ?? 0;
  }

  /** The NamedGroup of the key exchange, or 0: a resumed handshake of TLS 1.2 has none. */
  get group(): number {
    return this.handshake.group;
  }

  /** The application protocol that the server chose (RFC 7301). */
  get alpn(): string | undefined {
    return this.handshake.alpn;
  }
}
