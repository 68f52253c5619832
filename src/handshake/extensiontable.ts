import { tableOf } from "../wire/join.js";
import { COLUMNS, type ExtensionRows, type ExtensionTable } from "./extensionrow.js";

/** Rows are told apart by the bits of a number; the sign is left out. */
const MAX_ROWS = 31;

/** A table of extensions. It is made when the program is built, or begins, so that one that is too long is found then. */
export function extensionTable(parts: readonly ExtensionRows<never>[]): ExtensionTable {
  const table = tableOf<number, ExtensionRows<never>>(COLUMNS, parts);
  if (table.rows.length > MAX_ROWS * (COLUMNS + 1)) throw new RangeError(`more than ${MAX_ROWS} extensions`);
  return table;
}
