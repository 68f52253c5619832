import type { Reader } from "../wire/reader.js";
import { few, ROW, type Rows, SECOND, type Table, THIRD } from "../wire/rows.js";
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

/**
 * Some rows, in columns: for each its type, and where it may stand. By its number it is told whether our message has the
 * extension, with WRITE and READ its data are written and read.
 */
export interface ExtensionRows<S> extends Rows<number> {
  call(number: number, s: S, data: Writer | Reader | undefined, where: number): unknown;
}

export const COLUMNS = 2;
export const WRITE = SECOND;
export const READ = THIRD;

export function extensionRows<S>(rows: readonly ExtensionRow<S>[]): ExtensionRows<S> {
  return Object.freeze({
    columns: few(rows).flatMap(({ type, where }) => [type, where]),
    call(number: number, s: S, data: Writer | Reader | undefined, where: number) {
      const { sends, write, read } = rows[number & ROW];
      if (number < WRITE) return sends(s, where);
      return number < READ ? write?.(s, data as Writer, where) : read?.(s, data as Reader, where);
    },
  });
}

export type ExtensionTable = Table<number, ExtensionRows<never>>;
