/**
 * The TLS server without I/O. Give it bytes from a socket through `cipherIn`, send what `cipherOut` holds, call
 * `work()` while `wants` has WORK, and talk through `plainIn` and `plainOut`. When `awaits` says so, the
 * handshake goes on by `proceed` or `approve`.
 */

import type { Path } from "../pki/chain.js";
import { type Verdict, verdictOn } from "../pki/verdict.js";
import { Endpoint } from "../record/endpoint.js";
import type { Fault } from "../wire/fault.js";
import { configure } from "./config.js";
import type { Hello, Selection, ServerOptions } from "./options.js";
import { ServerSession } from "./session.js";

export type { Verdict } from "../pki/verdict.js";
export { type BufferSizes, configure } from "./config.js";
export type * from "./options.js";

/** One connection's server. */
export class TlsServer extends Endpoint<ServerSession> {
  /**
   * The memory for records and messages is taken here, `arena` if given; only a ClientHello that is longer than the
   * input buffer takes more, until it is read.
   * Throws RangeError for options that can't be.
   */
  constructor(options: ServerOptions, arena?: Uint8Array) {
    const config = configure(options);
    const { input, output, store } = config.buffers;
    const needed = input + output + store;
    if (arena && arena.length < needed) throw new RangeError(`tlstaple: the arena needs ${needed} bytes`);
    super(new ServerSession(config, arena ?? new Uint8Array(needed)));
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
