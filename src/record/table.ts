import { COLUMNS, NUMBER, type Rows, type Table } from "./row.js";

/** Joins rows, of which the first that fits is taken. To be called where a module begins, so that a device has the table in flash. */
export function tableOf(...parts: readonly Rows<never>[]): Table {
  return joined(parts.flatMap(rowsIn), parts);
}

/** The table with other rows before its own. */
export function before(own: Rows<never>, { rows, parts }: Table): Table {
  const moved = Array.from(rows, (value, i) => (i % COLUMNS === 3 ? Number(value) + (1 << NUMBER) : value));
  return joined([...rowsIn(own, 0), ...moved], [own, ...parts]);
}

function joined(rows: readonly (string | number)[], parts: readonly Rows<never>[]): Table {
  return Object.freeze({ rows: packed(rows), parts: Object.freeze(parts) });
}

function rowsIn({ columns }: Rows<never>, part: number): (string | number)[] {
  const values = typeof columns === "string" ? unpacked(columns) : columns;
  const rows: (string | number)[] = [];
  for (let i = 0; i < values.length; i += 3)
    rows.push(values[i], values[i + 1], values[i + 2], (part << NUMBER) | (i / 3));
  return rows;
}

/** A device's columns, as rollup.rows.js writes them. */
const unpacked = (text: string): number[] => Array.from(text, (each) => each.charCodeAt(0) - 2);

/** A device's states have numbers, and a table of numbers takes an eighth of flash. */
function packed(values: readonly (string | number)[]): ArrayLike<string | number> {
  const numbers = values.filter((each) => typeof each === "number");
  return numbers.length === values.length ? Int16Array.from(numbers) : Object.freeze(values);
}
