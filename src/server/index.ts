/**
 * The TLS server without I/O. Give it bytes from a socket through `cipherIn`, send what `cipherOut` holds, call
 * `work()` while `wants` has WORK, and talk through `plainIn` and `plainOut`. When `awaits` says so, the
 * handshake goes on by `proceed` or `approve`.
 */

import type { Path } from "../pki/chain.js";
import { type Verdict, verdictOn } from "../pki/verdict.js";
import type { Port } from "../record/ports.js";
import { type Fault, faults } from "../wire/fault.js";
import { configure } from "./config.js";
import type { Hello, Selection, ServerOptions } from "./options.js";
import { ServerSession } from "./session.js";

export type { Verdict } from "../pki/verdict.js";
export type { BufferSizes } from "./config.js";
export type * from "./options.js";

/** One connection's server. `work()` and the ports never throw for anything that the peer does: see `fault`. */
export class TlsServer {
  private readonly session: ServerSession;

  /**
   * The memory for records and messages is taken here, `arena` if given.
   * Throws RangeError for options that can't be.
   */
  constructor(options: ServerOptions, arena?: Uint8Array) {
    const config = configure(options);
    const { input, output, store } = config.buffers;
    const needed = input + output + store;
    if (arena && arena.length < needed) throw new RangeError(`tlstaple: the arena needs ${needed} bytes`);
    this.session = new ServerSession(config, arena ?? new Uint8Array(needed));
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

  /** Sends close_notify; what the client had sent before its own may still be read. */
  close(): void {
    this.session.engine.close();
  }

  /** The transport has ended. Without close_notify before, that is TRUNCATED. */
  eof(): void {
    this.session.engine.eof();
  }

  /** Gives up for a reason of the caller's, such as HANDSHAKE_TIMEOUT; the client gets the fault's alert. */
  abort(fault: Fault): void {
    this.session.engine.fail(fault);
  }

  /** Ready for another connection with the same options and the same memory. */
  reset(): void {
    this.session.reset();
  }

  /**
   * TLS 1.3: changes the sending key, and asks the client to change its own if `request`. False when that
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

  /** The client said that it sends no more. */
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

  /** The NamedGroup of the key exchange, or 0: a resumed handshake of TLS 1.2 has none. */
  get group(): number {
    return this.session.group;
  }

  /** The application protocol that was chosen (RFC 7301). */
  get alpn(): string | undefined {
    return this.session.alpn;
  }

  /** What the client said, once it has. */
  get hello(): Hello | undefined {
    return this.session.hello;
  }

  /** What the handshake waits for: `proceed`, or `approve`. */
  get awaits(): "selection" | "approval" | undefined {
    const { state, engine } = this.session;
    if (engine.fault) return undefined;
    if (state === "AWAIT_SELECTION") return "selection";
    return state === "AWAIT_APPROVAL" ? "approval" : undefined;
  }

  /** Answers the ClientHello, or refuses it. Without effect when no answer is awaited: the connection may be over. */
  proceed(selection: Selection | Fault): void {
    if (this.awaits !== "selection") return;
    this.session.answer = selection;
    this.goOn("ANSWER");
  }

  /** Lets a verified client in; `abort` refuses it. Without effect when none waits. */
  approve(): void {
    if (this.awaits === "approval") this.goOn("COMPLETE");
  }

  private goOn(state: string): void {
    this.session.state = state;
    this.session.engine.wake();
  }

  /** Whether the connection goes on from a ticket. */
  get resumed(): boolean {
    return this.session.resumed;
  }

  /** The client's certificates, and the path to the anchor once it is found. */
  get path(): Path {
    return this.session.path;
  }

  /** One verdict for each certificate of the path, the client's first. Empty before the path is found. */
  get verdicts(): readonly Verdict[] {
    const { path, pathFound, stapleIndex, engine } = this.session;
    if (!pathFound) return [];
    return Array.from({ length: path.length }, (_, i) =>
      verdictOn(this.session.staple(path.index(i)), i, stapleIndex, engine.fault),
    );
  }
}
