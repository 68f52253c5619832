import { PART, type Rows, type Table } from "./rows.js";
import { table } from "./table.js";

type Value = string | number;

/**
 * Joins rows of `width` columns, of which the first that fits is taken. To be called where a module begins, so that a device
 * has the table in flash.
 */
export function tableOf<V extends Value, P extends Rows<V>>(width: number, parts: readonly P[]): Table<V, P> {
  const rows = parts.flatMap((each, part) => rowsIn(each, width, part));
  return Object.freeze({ rows: packed(rows) as ArrayLike<V>, parts: table(parts) });
}

/** The table with other rows before its own. */
export function before<V extends Value, P extends Rows<V>>(
  width: number,
  own: P,
  { rows, parts }: Table<V, P>,
): Table<V, P> {
  const isPart = (i: number) => i % (width + 1) === width;
  const moved = Array.from(rows, (value, i) => (isPart(i) ? Number(value) + (1 << PART) : value));
  const all = packed(rowsIn(own, width, 0).concat(moved));
  return Object.freeze({ rows: all as ArrayLike<V>, parts: table([own].concat(parts)) });
}

function rowsIn(each: Rows<Value>, width: number, part: number): Value[] {
  const values = typeof each.columns === "string" ? taken(each as { columns?: string }) : each.columns;
  const rows: (Value | readonly Value[])[] = [];
  for (let i = 0; i < values.length; i += width)
    rows.push(values.slice(i, i + width), (part << PART) | (i / width));
  return rows.flat();
}

/** A device's columns, as rollup.rows.js writes them; the text would stay in flash. */
function taken(each: { columns?: string }): number[] {
  const values = Array.from(each.columns ?? "", (char) => char.charCodeAt(0) - 1);
  delete each.columns;
  return values;
}

/** A device's states have numbers, and a table of numbers takes an eighth of flash. */
function packed(values: readonly Value[]): ArrayLike<Value> {
  const numbers = values.filter((each) => typeof each === "number");
  return numbers.length === values.length ? Uint16Array.from(numbers) : Object.freeze(values);
}
