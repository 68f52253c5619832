/**
 * The TLS server without I/O. Give it bytes from a socket through `cipherIn`, send what `cipherOut` holds, call
 * `work()` while `wants` has WORK, and talk through `plainIn` and `plainOut`. When `awaits` says so, the
 * handshake goes on by `proceed` or `approve`.
 */

import { Endpoint } from "../handshake/endpoint.js";
import { exportKeyingMaterial } from "../handshake/exporter.js";
import { extensionTable } from "../handshake/extensiontable.js";
import { type ApartRecord, openedApart, sealedApart } from "../record/apart.js";
import type { Port } from "../record/ports.js";
import { COLUMNS } from "../record/row.js";
import type { Fault } from "../wire/fault.js";
import { tableOf } from "../wire/join.js";
import { configure } from "./config.js";
import { extensions } from "./extensions.js";
import { ServerHandshake, type Tables } from "./handshake.js";
import { rowsHello } from "./hello.js";
import { fresh, type Lender } from "./lender.js";
import type { Hello, Selection, ServerOptions } from "./options.js";
import type { ServerState } from "./states.js";

export {
  identify,
  isSameAuthority,
  type TrustedAuthority,
} from "../handshake/authorities.js";
export type { BufferSizes } from "../handshake/options.js";
export type { ClientOcspOptions } from "../pki/policy.js";
export type { Verdict } from "../pki/verifier.js";
export { configure } from "./config.js";
export { type Lender, Pool } from "./lender.js";
export type * from "./options.js";

const tables: Tables = Object.freeze({
  table: tableOf(COLUMNS, [rowsHello]),
  extensions: extensionTable([extensions]),
});

/** One connection's server. */
export class TlsServer extends Endpoint<ServerHandshake> {
  /**
   * The memory for records and messages is `lender`'s, and taken only while there are some.
   * Throws RangeError or TypeError for options that can't be.
   */
  constructor(options: ServerOptions, lender: Lender = fresh) {
    super(new ServerHandshake(configure(options), lender, tables));
  }

  override get cipherIn(): Port {
    this.handshake.engine.inbox.hold();
    return super.cipherIn;
  }

  override get plainIn(): Port {
    this.handshake.engine.outbox.hold();
    return super.plainIn;
  }

  /** Bytes of a record or message that has not come whole. */
  get waiting(): number {
    return this.handshake.engine.inbox.waiting;
  }

  /** What the client said, once it has. */
  get hello(): Hello | undefined {
    return this.handshake.hello;
  }

  /** What the handshake waits for: `proceed`, or `approve`. */
  get awaits(): "selection" | "approval" | undefined {
    const { state, engine } = this.handshake;
    if (engine.fault) return undefined;
    if (state === "AWAIT_SELECTION") return "selection";
    return state === "AWAIT_APPROVAL" ? "approval" : undefined;
  }

  /** Answers the ClientHello, or refuses it. Without effect when no answer is awaited: the connection may be over. */
  proceed(selection: Selection | Fault): void {
    if (this.awaits !== "selection") return;
    this.handshake.answer = selection;
    this.goOn("ANSWER");
  }

  /** Lets a verified client in; `abort` refuses it. Without effect when none waits. */
  approve(): void {
    if (this.awaits === "approval") this.goOn("COMPLETE");
  }

  private goOn(state: ServerState): void {
    this.handshake.state = state;
    this.handshake.engine.wake();
  }

  /** Whether the connection goes on from a ticket. */
  get resumed(): boolean {
    return this.handshake.resumed;
  }

  /** See `exportKeyingMaterial`; undefined too without the option `exporting`. */
  exportKeyingMaterial(length: number, label: string, context?: Uint8Array): Uint8Array | undefined {
    return exportKeyingMaterial(this.handshake, length, label, context);
  }

  /** The data that waits in `plainOut`, where it is at hand apart from it: a record's, and the caller's from then on. */
  openedApart(): Uint8Array | undefined {
    return openedApart(this.handshake.engine);
  }

  /** The same of a record that waits in `cipherOut`. */
  sealedApart(): ApartRecord | undefined {
    return sealedApart(this.handshake.engine);
  }
}
