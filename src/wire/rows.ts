/**
 * Some rows of a table: what they are for, in columns, and functions that take a row's number. For devices the build makes a
 * text of the one and one function of each column of the others (rollup.rows.js): a row takes 80 bytes of flash there, and
 * a function 48 beyond its code.
 */
export interface Rows<Value extends string | number> {
  readonly columns: string | readonly Value[];
}

/** A table of several such parts: see `tableOf`. */
export interface Table<Value extends string | number, Part extends Rows<Value>> {
  /** For each row its columns, and in one more which of the parts it is of, above its number there. */
  readonly rows: ArrayLike<Value>;
  readonly parts: readonly Part[];
}

/** Bits of a row's number. */
export const NUMBER = 8;
