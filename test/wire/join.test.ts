import test from "ava";
import { before, tableOf } from "../../src/wire/join.js";
import { few } from "../../src/wire/rows.js";

/** Tables of several parts. */

const named = { columns: ["A", 1, "B", 2] };
const numbered = { columns: [7, 1, 8, 2, 9, 3] };

test("each row has its columns, and behind them its part and its number there", (t) => {
  const { rows, parts } = tableOf<string | number, typeof named | typeof numbered>(2, [named, numbered]);
  t.deepEqual(Array.from(rows), ["A", 1, 0, "B", 2, 1, 7, 1, 0x100, 8, 2, 0x101, 9, 3, 0x102]);
  t.deepEqual(parts, [named, numbered]);
});

test("rows before those of a table are found first", (t) => {
  const { rows, parts } = before(2, named, tableOf<string | number, typeof named>(2, [named]));
  t.deepEqual(Array.from(rows), ["A", 1, 0, "B", 2, 1, "A", 1, 0x100, "B", 2, 0x101]);
  t.is(parts.length, 2);
});

test("numbers alone are kept as such, and a device's text is taken", (t) => {
  const part = { columns: String.fromCharCode(0x200, 2, 1, 0xff02) };
  const { rows } = tableOf<number, { columns: string }>(2, [part]);
  t.true(rows instanceof Uint16Array);
  t.deepEqual(Array.from(rows), [0x1ff, 1, 0, 0, 0xff01, 1]);
  t.false("columns" in part);
});

test("a part has no more rows than its numbers can tell apart", (t) => {
  t.is(few(Array(64).fill(0)).length, 64);
  t.throws(() => few(Array(65).fill(0)), { instanceOf: RangeError, message: /64/ });
});
