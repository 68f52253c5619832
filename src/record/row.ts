import type { Reader } from "../wire/reader.js";
import { contentType } from "../wire/registry.js";
import { few, ROW, type Rows, SECOND, type Table } from "../wire/rows.js";

/** In a row's `on`: work that awaits no message. At most one such row runs in a `work()`. */
export const STEP = 0x1ff;
/** In a row's `on`: a ChangeCipherSpec record, which is no handshake message. */
export const CHANGE_CIPHER_SPEC = 0x100 | contentType.change_cipher_spec;

/**
 * One line of a state machine: in `state`, on that message (HandshakeType) or STEP, `run`, whose answer is
 * the next state. What no row allows is `unexpected_message`.
 */
export interface Row<S extends { state: string }> {
  /** In ANY of them a message comes that is no part of the handshake, nor of its transcript. */
  readonly state: S["state"] | "ANY";
  readonly on: number;
  /** Reads the message's body from `engine.reader`, to its end. */
  readonly run: (machine: S) => S["state"];
  /** Bytes that the message's body may have: a longer one is refused by its header, as waiting for it helps nobody. */
  readonly most?: number;
  /**
   * For a message that is consumed part by part, so that the buffer holds the largest part and not the whole:
   * the length of the part that begins at `reader`, or 0 while that can't be told yet.
   */
  readonly measure?: (reader: Reader) => number;
  /** The step writes a message, so it waits until there is room for one. */
  readonly sends?: boolean;
  /** There is nothing to do, nor may anything be read, until the connection's owner changes the state. */
  readonly waits?: boolean;
}

/**
 * Some of a machine's rows, in columns: for each its `on`, its state and its conditions, as `bitsOf` tells them. By its number a
 * row runs, with MEASURE it measures.
 */
export interface MachineRows<S> extends Rows<string | number> {
  call(number: number, subject: S | Reader): unknown;
}

export const MEASURE = SECOND;

export const COLUMNS = 3;

export function rowsOf<S extends { state: string }>(rows: readonly Row<S>[]): MachineRows<S> {
  return Object.freeze({
    columns: few(rows).flatMap((row) => [row.on, row.state, bitsOf(row)]),
    call(number: number, subject: S | Reader) {
      const { run, measure } = rows[number & ROW];
      return number < MEASURE ? run(subject as S) : measure?.(subject as Reader);
    },
  });
}

type Conditions = Partial<Record<"sends" | "waits" | "measure", unknown>> & { readonly most?: number };

/** Bits of a row's conditions; above them is `most` + 1, or 0. */
export const SENDS = 1;
export const WAITS = 2;
export const IN_PARTS = 4;
export const MOST = 3;

/** A row's conditions as a number; the build for devices asks for it too (rollup.rows.js). */
export function bitsOf({ most, sends, waits, measure }: Conditions): number {
  const flags = (sends ? SENDS : 0) | (waits ? WAITS : 0) | (measure ? IN_PARTS : 0);
  return flags | ((most === undefined ? 0 : most + 1) << MOST);
}

/** A machine's table, in which the engine looks for a row. */
export type MachineTable = Table<string | number, MachineRows<never>>;
