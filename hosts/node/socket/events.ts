import type { EventEmitter } from "node:events";
import type { TlsError } from "../../../src/wire/index.js";
import type { LookupReport } from "../ocsp/lookup.js";
import type { StapleError } from "../ocsp/staple-error.js";

/** What `error` tells: a TlsError, which has all of this, or the transport's own. */
export interface ConnectionError extends Error, Partial<Omit<TlsError, keyof Error | "code">> {
  /** The fault's name, such as `OCSP_CERT_REVOKED`, or the system's, such as `ECONNREFUSED`. */
  readonly code?: string;
}

/** Events of either side's socket, each with its arguments. */
export interface SocketEvents {
  /** The transport is connected. */
  connect: [];
  ready: [];
  /** The handshake is done, and the peer is let in. */
  secure: [];
  data: [chunk: Buffer];
  end: [];
  drain: [];
  finish: [];
  timeout: [];
  error: [error: ConnectionError];
  close: [hadError: boolean];
  /** A line of SSLKEYLOGFILE. */
  keylog: [line: Buffer];
  /** A responder was asked. */
  ocspLookup: [report: LookupReport];
}

export interface ClientSocketEvents extends SocketEvents {
  secureConnect: [];
  /** To resume, as the option of that name. */
  session: [session: Buffer];
  /** The server asked for a staple of a certificate of the client's, and why it got none. */
  stapleError: [error: StapleError];
}

/** What a socket or server tells, by name. */
export type Events<E> = { [K in keyof E]: unknown[] };

/** Who listens to an event that is none of ours. */
export type AnyListener = Parameters<EventEmitter["on"]>[1];
