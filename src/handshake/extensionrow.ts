import type { Reader } from "../wire/reader.js";
import type { Rows, Table } from "../wire/rows.js";
import type { Writer } from "../wire/writer.js";

/** The messages that carry extensions (RFC 8446 4.2), as bits; each goes in one direction only. */
export const inMessage = Object.freeze({
  client_hello: 1,
  server_hello12: 2,
  server_hello: 4,
  hello_retry_request: 8,
  encrypted_extensions: 16,
  certificate_request: 32,
  /** The entries of the peer's Certificate. */
  peer_certificate: 64,
  new_session_ticket: 128,
});

/** One extension: all that we know of it. */
export interface ExtensionRow<S> {
  readonly type: number;
  /** The messages where it may stand, ours and the peer's. */
  readonly where: number;
  /** Whether our message has it. */
  readonly sends: (s: S, where: number) => boolean;
  /** Writes our extension_data, unless it is empty. */
  readonly write?: (s: S, w: Writer, where: number) => void;
  /** Reads the peer's extension_data, to its end, unless it is empty. */
  readonly read?: (s: S, r: Reader, where: number) => void;
}

/** Some rows, in columns: for each its type, and where it may stand. */
export interface ExtensionRows<S> extends Rows<number> {
  sends(row: number, s: S, where: number): boolean;
  write(row: number, s: S, w: Writer, where: number): void;
  read(row: number, s: S, r: Reader, where: number): void;
}

export const COLUMNS = 2;

export function extensionRows<S>(rows: readonly ExtensionRow<S>[]): ExtensionRows<S> {
  return Object.freeze({
    columns: rows.flatMap(({ type, where }) => [type, where]),
    sends: (row: number, s: S, where: number) => rows[row].sends(s, where),
    write: (row: number, s: S, w: Writer, where: number) => rows[row].write?.(s, w, where),
    read: (row: number, s: S, r: Reader, where: number) => rows[row].read?.(s, r, where),
  });
}

export type ExtensionTable = Table<number, ExtensionRows<never>>;
