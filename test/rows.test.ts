import test from "ava";
import { parseAst } from "rollup/parseAst";

/** The build step that writes what rows of a table are for as a text, and what they do as one function. */

const { inColumns } = await import(new URL("../../rollup.rows.js", import.meta.url).href);

interface Made {
  readonly columns: string;
  call(number: number, ...given: unknown[]): unknown;
}

async function made(code: string): Promise<Made> {
  const text = inColumns(`${code}\nexport { rows };`, parseAst);
  return (await import(`data:text/javascript,${encodeURIComponent(text)}`)).rows;
}

const numbers = ({ columns }: Made) => Array.from(columns, (each) => each.charCodeAt(0) - 1);

test("a machine's rows: on, state and conditions, and each function by its number", async (t) => {
  const rows = await made(`
    const a = (s) => "a" + s, b = (s) => "b" + s, length = (r) => r * 2;
    const rows = rowsOf([
      { state: 3, on: 511, run: a, sends: true },
      { state: 4, on: 20, run: b, most: 12 },
      { state: 5, on: 11, run: (s) => "c" + s, measure: length },
      { state: 6, on: 276, run: a, waits: true, most: 0 },
    ]);`);
  t.deepEqual(numbers(rows), [511, 3, 1, 20, 4, 13 << 3, 11, 5, 4, 276, 6, 2 | (1 << 3)]);
  t.deepEqual(
    [0, 1, 2, 3].map((row) => rows.call(row, "!")),
    ["a!", "b!", "c!", "a!"],
  );
  t.is(rows.call(0x40 | 2, 21), 42);
});

test("extensions: type and where, and what is sent, written and read", async (t) => {
  const rows = await made(`
    const always = () => true, log = [];
    const rows = extensionRows([
      { type: 0xff01, where: 1 | 2, sends: always, write: (_, w) => w.push(7), read: (s) => { s.done = true; } },
      { type: 5, where: 4, sends: (s, where) => s.where === where, read: (state, r, where) => { state.read = [r, where]; } },
    ]);`);
  t.deepEqual(numbers(rows), [0xff01, 3, 5, 4]);
  const written: number[] = [];
  const s: Record<string, unknown> = { where: 4 };
  t.true(rows.call(0, s, undefined, 1));
  t.deepEqual([rows.call(1, s, undefined, 4), rows.call(1, s, undefined, 5)], [true, false]);
  rows.call(0x40, s, written, 1);
  t.is(rows.call(0x41, s, written, 1), undefined, "nothing is written where no row says what");
  t.deepEqual(written, [7]);
  rows.call(0x80, s, "r", 1);
  rows.call(0x81, s, "r", 4);
  t.deepEqual(s, { where: 4, done: true, read: ["r", 4] });
});

test("a table is frozen where it is made, and each of its rows, but nothing below them", async (t) => {
  const rows = await made("const below = {}; const rows = table([{ below }, { below }]);");
  t.true(Object.isFrozen(rows) && (rows as unknown as { below: object }[]).every(Object.isFrozen));
  t.false(Object.isFrozen((rows as unknown as { below: object }[])[0].below));
});

test("rows that do the same have one case", async (t) => {
  const list = Array.from({ length: 40 }, (_, i) => `{ state: ${i}, on: ${i}, run: f${i === 39 ? 0 : i} }`);
  const functions = Array.from({ length: 40 }, (_, i) => `f${i} = () => ${i}`);
  const code = `const ${functions.join(", ")}; const rows = rowsOf([${list.join(", ")}]);`;
  const rows = await made(code);
  for (let i = 0; i < 40; i++) t.is(rows.call(i, undefined), i === 39 ? 0 : i);
  t.is(inColumns(code, parseAst).match(/return f0\(/g)?.length, 1);
});

test("what is no number at build time, and a function that has no name, are refused", (t) => {
  const refused = (code: string) => t.throws(() => inColumns(code, parseAst), { instanceOf: Error }, code);
  refused("rowsOf([{ state: START, on: 1, run: f }]);");
  refused("rowsOf([{ state: 1, on: 70000, run: f }]);");
  refused("rowsOf([{ state: 1, on: 1, run: function () {} }]);");
  t.is(inColumns("toString([1]); f(rowsOf);", parseAst), "toString([1]); f(rowsOf);");
});
