import type { BufferSizes, OcspOptions } from "../../src/client/index.js";

/** What handshakes.ts does in XS: one handshake after the other, each with the server's next connection. */
export interface HandshakeJob {
  readonly port: number;
  /** Certificates in hex, that cases name by their place. */
  readonly certificates: readonly string[];
  readonly cases: readonly HandshakeCase[];
  /** Before the first case, after so many each, and after the last one, a mark is made of what is in use. */
  readonly interval: number;
}

/** A client's options. */
export interface HandshakeCase {
  /** In the arena of the client before. */
  readonly again?: true;
  readonly trust: readonly number[];
  readonly serverName: string;
  readonly clock: number;
  readonly version: number;
  readonly buffers: Readonly<Record<keyof BufferSizes, number>>;
  readonly ocsp?: Partial<Omit<OcspOptions, "responders">>;
  readonly responders: readonly number[];
  /** In hex. */
  readonly nonce?: string;
}

/** What became of a case: a line of JSON. */
export interface HandshakeResult {
  /** The fault's name, or "good". */
  readonly verdict: string;
  readonly detail: number;
  /** What the client thinks of each staple. */
  readonly staples: readonly string[];
}
