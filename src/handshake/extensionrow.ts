import type { Reader } from "../wire/reader.js";
import { table } from "../wire/table.js";
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
  /** Writes our extension_data. */
  readonly write: (s: S, w: Writer, where: number) => void;
  /** Reads the peer's extension_data, to its end. */
  readonly read: (s: S, r: Reader, where: number) => void;
}

/** Rows are told apart by the bits of a number; the sign is left out. */
const MAX_ROWS = 31;

/** A table of extensions. It is made when the program is built, or begins, so that one that is too long is found then. */
export function extensionTable<S>(rows: readonly ExtensionRow<S>[]): readonly ExtensionRow<S>[] {
  if (rows.length > MAX_ROWS) throw new RangeError(`more than ${MAX_ROWS} extensions`);
  return table(rows);
}
