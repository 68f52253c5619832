/** What the client in XS is told by `npm run xs -- client`, in a file, and what it tells, on standard output. */

import type { ClientOptions, Fault, Verdict } from "../../src/client/index.js";

/** What the client in XS adds itself; functions, JSON leaves out. */
type Added =
  | "provider"
  | "trust"
  | "clock"
  | "identity"
  | "remembered"
  | "features"
  | "onMessage"
  | "onSecret";

/** A connection to make. DER is in hex. */
export interface ClientJob {
  readonly address: string;
  readonly port: number;
  readonly options: Omit<ClientOptions, Added>;
  readonly trust: readonly string[];
  readonly identity?: {
    readonly certificates: readonly string[];
    readonly key: string;
    /** For the first of them, where there is one. */
    readonly staple?: string;
  };
  /** Whether secrets are asked for. */
  readonly secrets: boolean;
  /** What to say once connected. */
  readonly greeting: string;
  /** Milliseconds of silence: until the end of the handshake, then until the client ends, then until it goes. */
  readonly silences: readonly [number, number, number];
}

/** A frame: its kind, its length in three bytes, its content. */
export const frame = Object.freeze({
  /** A handshake message, alert or ChangeCipherSpec: 1 if sent; ContentType; HandshakeType; its bytes. */
  MESSAGE: 1,
  /** A line for SSLKEYLOGFILE. */
  SECRET: 2,
  /** Application data. */
  DATA: 3,
  /** ClientResult in JSON: the last frame. */
  RESULT: 4,
});

export const FRAME_HEADER = 4;

/** How a connection ended. */
export interface ClientResult {
  readonly established: boolean;
  readonly version: number;
  readonly suite: number;
  readonly group: number;
  readonly alpn: string | undefined;
  readonly verdicts: readonly Verdict[];
  /** Places in what the server sent, from its own certificate on, and which one of `trust` ends the path. */
  readonly path: readonly number[];
  readonly anchor: number;
  /** The fault, its detail, and what was caught. */
  readonly fault: Fault | undefined;
  readonly detail: number;
  readonly cause: string | undefined;
  /** What the network had against it. */
  readonly error: string | undefined;
}
