/**
 * Some rows of a table: what they are for, in columns, and one function for all that they do. For devices the build makes a
 * text of the one and writes the other (rollup.rows.js): a row takes 80 bytes of flash there, and a function 48 beyond its code.
 */
export interface Rows<Value extends string | number> {
  readonly columns: string | readonly Value[];
}

/** What is on top of a row's number for the second and the third thing that rows of its kind do. */
export const SECOND = 0x40;
export const THIRD = 0x80;

/** A table of several such parts: see `tableOf`. */
export interface Table<Value extends string | number, Part extends Rows<Value>> {
  /** For each row its columns, and in one more which of the parts it is of, above its number there. */
  readonly rows: ArrayLike<Value>;
  readonly parts: readonly Part[];
}

/** Bits that the part is above. */
export const PART = 8;
/** Those of a row's number. */
export const ROW = 0x3f;

/** The rows, if they are no more than their numbers tell apart. */
export function few<T>(rows: readonly T[]): readonly T[] {
  if (rows.length > SECOND) throw new RangeError(`more than ${SECOND} rows`);
  return rows;
}
