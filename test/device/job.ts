import type { BufferSizes } from "../../src/client/index.js";

/** Connections to be replayed one after the other, and all of them again. */
export interface SeriesJob {
  readonly kinds: readonly Kind[];
  readonly rounds: number;
}

/** A connection, and what must become of it: "good", "resumed" or a fault. */
export interface Kind {
  readonly name: string;
  readonly job: Job;
  readonly server: string;
  readonly end: string;
}

/** One connection to be replayed in XS: what its server sent, and the client that it was recorded with. */
export interface Job {
  /** Bytes that the server sends until the client is connected; after them, records of application data. */
  readonly handshakeLength: number;
  /** The trust anchor in DER, in hexadecimal digits. */
  readonly trust: string;
  readonly serverName: string;
  readonly clock: number;
  readonly version: number;
  readonly policy: "leaf" | "chain";
  readonly maxFragmentLength?: number;
  readonly recordSizeLimit?: number;
  /** What both providers, the recording's and the device's, can do: the ClientHello must be the same. */
  readonly suites: readonly number[];
  readonly groups: readonly number[];
  readonly schemes: readonly number[];
  readonly maxCertificates: number;
  readonly buffers: BufferSizes;
  /** Numbers of records after which memory and computrons are noted. */
  readonly milestones: readonly number[];
  /** Collects garbage before each mark, so that what is live shows. */
  readonly live: boolean;
  /** Of a socket that keeps what it does by default: what it has of this server, in hexadecimal digits. */
  readonly kept?: { readonly session: string; readonly signatures: string };
  /** Bytes that the client sends, so many times. */
  readonly send: { readonly size: number; readonly times: number };
}
