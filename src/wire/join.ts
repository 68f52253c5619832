import { NUMBER, type Rows, type Table } from "./rows.js";

type Value = string | number;

/**
 * Joins rows of `width` columns, of which the first that fits is taken. To be called where a module begins, so that a device
 * has the table in flash.
 */
export function tableOf<V extends Value, P extends Rows<V>>(width: number, parts: readonly P[]): Table<V, P> {
  const rows = parts.flatMap((each, part) => rowsIn(each, width, part));
  return Object.freeze({ rows: packed(rows) as ArrayLike<V>, parts: Object.freeze(parts) });
}

/** The table with other rows before its own. */
export function before<V extends Value, P extends Rows<V>>(
  width: number,
  own: P,
  table: Table<V, P>,
): Table<V, P> {
  const moved = Array.from(table.rows, (value, i) =>
    i % (width + 1) === width ? Number(value) + (1 << NUMBER) : value,
  );
  const rows = packed([...rowsIn(own, width, 0), ...moved]);
  return Object.freeze({ rows: rows as ArrayLike<V>, parts: Object.freeze([own, ...table.parts]) });
}

function rowsIn({ columns }: Rows<Value>, width: number, part: number): Value[] {
  const values = typeof columns === "string" ? unpacked(columns) : columns;
  const rows: Value[] = [];
  for (let i = 0; i < values.length; i += width)
    rows.push(...values.slice(i, i + width), (part << NUMBER) | (i / width));
  return rows;
}

/** A device's columns, as rollup.rows.js writes them. */
const unpacked = (text: string): number[] => Array.from(text, (each) => each.charCodeAt(0) - 1);

/** A device's states have numbers, and a table of numbers takes an eighth of flash. */
function packed(values: readonly Value[]): ArrayLike<Value> {
  const numbers = values.filter((each) => typeof each === "number");
  return numbers.length === values.length ? Uint16Array.from(numbers) : Object.freeze(values);
}
