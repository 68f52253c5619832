import type { Path } from "../pki/chain.js";
import type { Port } from "../record/ports.js";
import type { Fault } from "../wire/fault.js";
import type { Hello, Selection, ServerOptions } from "./options.js";

export type * from "./options.js";

/** One connection's server. `work()` and the ports never throw for anything that the peer does: see `fault`. */
export declare class TlsServer {
  constructor(options: ServerOptions, arena?: Uint8Array);
  readonly cipherIn: Port;
  readonly cipherOut: Port;
  readonly plainIn: Port;
  readonly plainOut: Port;
  readonly wants: number;
  work(): void;
  close(): void;
  eof(): void;
  abort(fault: Fault): void;
  reset(): void;
  updateKey(request?: boolean): boolean;
  readonly fault: Fault | undefined;
  readonly faultDetail: number;
  readonly cause: unknown;
  readonly established: boolean;
  readonly closedByPeer: boolean;
  readonly state: string;
  readonly version: number;
  readonly suite: number;
  readonly group: number;
  readonly alpn: string | undefined;
  /** What the client said, once it has. */
  readonly hello: Hello | undefined;
  /** What the handshake waits for: `proceed`, or `approve`. */
  readonly awaits: "selection" | "approval" | undefined;
  /** Answers the ClientHello, or refuses it. */
  proceed(selection: Selection | Fault): void;
  /** Lets a verified client in; `abort` refuses it. */
  approve(): void;
  /** Whether the connection goes on from a ticket. */
  readonly resumed: boolean;
  /** The client's certificates, and the path to the anchor once it is found. */
  readonly path: Path;
  /** One verdict for each certificate of the path. */
  readonly verdicts: readonly unknown[];
}
