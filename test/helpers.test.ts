import test from "ava";
import { parseAst } from "rollup/parseAst";

/** The build step by which functions find what they refer to above their home. */

interface Module {
  code: string;
  core?: string;
  exported?: string[];
  inner?: boolean;
  light?: boolean;
}

const file = new URL("../../rollup.helpers.js", import.meta.url).href;
const { helpers } = await import(file);

const written = (...modules: Module[]): string[] =>
  helpers(
    modules.map(({ exported = [], ...rest }) => ({
      core: "./core.js",
      exported: new Set(exported),
      ...rest,
    })),
    parseAst,
  );

/** What a module exports, once written and run. */
// biome-ignore lint/suspicious/noExplicitAny: it is whatever the test has written
const run = (code: string, ...exported: string[]): Promise<any> =>
  import(`data:text/javascript,${encodeURIComponent(written({ code, exported })[0])}`);

const words = (code: string) => code.replace(/\s/g, "");

/** Whether the module has this somewhere, but for spaces. */
const has = (code: string, part: string) => words(code).includes(words(part));

test("functions become methods that find each other by super, and so do classes and values", async (t) => {
  const code = `
    const twice = (n) => n * factor;
    const factor = 2;
    class Base { at = twice(1); both() { return [this.at, twice(this.at)]; } get other() { return new Base(); } }
    class Heir extends Base { constructor(n) { super(); this.n = twice(n); } }
    const make = (n = twice(2)) => new Heir(n);
    const start = { run: make };
    export { start };`;
  const [text] = written({ code, exported: ["start"] });
  t.true(has(text, "$twice(n) { return n * super.$factor; }"));
  t.true(has(text, "at = super.$twice(1);"));
  t.true(has(text, "$H.$Heir = class extends $H.$Base"));
  t.true(has(text, "$make(n = super.$twice(2)) { return new super.$Heir(n); }"));
  t.false(/Object\.setPrototypeOf\(\$H\.\$Heir/.test(text), "it inherits from its parent");
  const { start } = await run(code, "start");
  t.is(start.run().n, 8);
  t.deepEqual(start.run(1).both(), [2, 4]);
  t.is(start.run().other.at, 2);
});

test("a class that others get has no helpers above it, nor has one above that, but its methods do", async (t) => {
  const code =
    "const f = () => 1; class A { constructor() { this.n = f(); } g() { return f(); } k() {} } class B extends A { h() { return f(); } g() { return super.g() + f(); } get l() { return f(); } } class C { i() { return f(); } } const c = new C(); export { B, c };";
  const [text] = written({ code, exported: ["B", "c"] });
  t.true(has(text, "{ __proto__: $H, g() { return super.$f(); } }"));
  t.true(has(text, "{ __proto__: $H, h() { return super.$f(); } }"));
  t.true(has(text, "g() { return super.g() + $H.$f(); }"), "what asks for its parent's stays");
  t.true(has(text, "this.n = $H.$f();") && has(text, "get l() { return $H.$f(); }"));
  const { B, c } = await run(code, "B", "c");
  const b = new B();
  b.$f = 2;
  t.deepEqual([b.$f, b.n, b.g(), b.h(), b.l, c.i()], [2, 1, 2, 1, 1, 1]);
  const { prototype } = B;
  t.deepEqual(Object.getOwnPropertyDescriptor(prototype, "h"), {
    value: prototype.h,
    writable: true,
    enumerable: false,
    configurable: true,
  });
  t.deepEqual([prototype.h.name, "$f" in prototype], ["h", false]);
  const above = Object.getPrototypeOf(prototype);
  t.deepEqual(Object.getOwnPropertyNames(above).sort(), ["constructor", "g", "k"]);
});

test("the helpers are frozen, and nobody who lists members sees them", async (t) => {
  const code = "const f = () => 1; class C { g() { return f(); } } const c = new C(); export { c };";
  const { c } = await run(code, "c");
  const above = Object.getPrototypeOf(Object.getPrototypeOf(c));
  t.true(Object.isFrozen(above));
  t.is(above.$f(), 1);
  const seen: string[] = [];
  for (const name in c) seen.push(name);
  t.deepEqual(seen, []);
});

test("a function that is handed on keeps the helpers, as it may be called without an object", async (t) => {
  const code = `
    const double = (n) => times(n, 2);
    const times = (a, b) => a * b;
    const all = (list) => list.map(double);
    const one = (n) => times(n, 1);
    export { all, one };`;
  const [text] = written({ code, exported: ["all", "one"] });
  t.true(has(text, "$H.$double = (n) => $H.$times(n, 2);"));
  t.true(has(text, "const one = (n) => $H.$times(n, 1);"), "what others call");
  const { all, one } = await run(code, "all", "one");
  t.deepEqual(all([1, 2]), [2, 4]);
  t.is(one(3), 3);
});

test("functions in a table become methods of it, unless somebody takes one from it", async (t) => {
  const code = `
    const twice = (n) => 2 * n;
    const rows = [{ run: (n) => twice(n) + 1, take: () => twice(3), pair: n => ({ n: twice(n) }), get two() { return twice(1); } }];
    const taken = rows[0].take;
    const through = (row, n) => row.run(n);
    export { rows, taken, through };`;
  const [text] = written({ code, exported: ["rows", "taken", "through"] });
  t.true(has(text, "__proto__: $H, run(n) { return super.$twice(n) + 1; }"));
  t.true(has(text, "take: () => $H.$twice(3)"));
  t.true(has(text, "pair(n) { return ({ n: super.$twice(n) }); }"));
  const { rows, taken, through } = await run(code, "rows", "taken", "through");
  t.is(taken(), 6);
  t.is(through(rows[0], 1), 3);
  t.deepEqual(rows[0].pair(2), { n: 4 });
  t.is(rows[0].two, 2);
  t.deepEqual(Object.keys(rows[0]), ["run", "take", "pair", "two"]);
});

test("where there is no object yet, or another home, the helpers are kept", async (t) => {
  const code = `
    const twice = (n) => 2 * n;
    class Failure extends Error { constructor(n) { super(String(twice(n))); this.n = twice(n); } }
    class Base { constructor(n) { this.n = n; } static of(n) { return new this(twice(n)); } static one = twice(1); }
    class Heir extends Base { constructor(n) { super(twice(n)); } }
    const inside = { f: () => ({ g() { return twice(1); } }) };
    const old = function() { return twice(2); };
    export { Failure, Base, Heir, inside, old };`;
  const names = ["Failure", "Base", "Heir", "inside", "old"];
  t.false(written({ code, exported: names })[0].includes("super.$"));
  const { Failure, Base, Heir, inside, old } = await run(code, ...names);
  t.deepEqual([new Failure(1).message, new Failure(1).name, new Heir(1).n], ["2", "Error", 2]);
  t.deepEqual([Base.of(1).n, Base.one, inside.f().g(), old()], [2, 2, 2, 4]);
});

test("what is meant is told from what only has the same name", async (t) => {
  const code = `
    const a = () => 1, b = 2, c = 3, d = 4;
    const uses = () => [a(), b, c, d];
    const others = (a, { b, x: c = b }, ...d) => {
      a: for (const b of [c]) { try { throw b; } catch (c) { const d = c; if (d) break a; } }
      function f(b) { return b; }
      class c2 { d() { return this.d; } }
      for (let d = 0; d < 1; d++) f(d);
      return { a, b, c, n: d.length, c2: typeof c2, d: f.name };
    };
    const hoisted = () => { { var d = 1; } return d; };
    export { uses, others, hoisted };`;
  const { uses, others, hoisted } = await run(code, "uses", "others", "hoisted");
  t.deepEqual(uses(), [1, 2, 3, 4]);
  t.deepEqual(others(7, { b: 8 }, 9), { a: 7, b: 8, c: 8, n: 1, c2: "function", d: "f" });
  t.is(hoisted(), 1);
});

test("what changes stays a variable, and what no function refers to stays where it is", (t) => {
  const code = "let n = 0; const f = () => ++n; const g = () => f(); const m = 1, k = m; export { g };";
  const [text] = written({ code, exported: ["g"] });
  t.true(has(text, "let n = 0;"));
  t.true(has(text, "$f() { return ++n; }"));
  t.true(has(text, "const m = 1; const k = m;"));
  t.is(written({ code: "const m = 1;\nexport { m };", exported: ["m"] })[0], "const m = 1;\nexport { m };");
});

test("a module finds the helpers of the first one, which knows what the others do with them", (t) => {
  const core =
    "const f = () => g(); const g = () => 1; const h = () => g(); const none = []; export { f as a, h as b, none };";
  const other =
    'import { a as f, b } from "./core.js"; import x from "x"; const own = (list) => [f(), x, list.map(b)]; const row = { own }; export { row };';
  const [first, second] = written({ code: core, exported: ["none"] }, { code: other, exported: ["row"] });
  t.true(has(first, "$$a() { return super.$g(); }"));
  t.true(has(first, "$H.$$b = () => $H.$g();"), "it is handed on elsewhere");
  t.true(has(first, "export { $H };") && has(first, "export { none as none };"));
  t.true(has(second, 'import { $H as $C } from "./core.js"; import x from "x";'));
  t.true(has(second, "$own(list) { return [super.$$a(), super.$x, list.map(super.$$b)]; }"));
  t.true(has(second, "const $H = {__proto__: $C, $x: x};"));
});

test("a function that an inner module exports is a method where all who import it have it in tables", (t) => {
  const inner = (name: string) => ({
    code: `const base = 1; const ${name} = (n) => n + base; export { ${name} };`,
    exported: [name],
    inner: true,
  });
  const tables =
    'import { row, bare, taken } from "others"; const more = () => bare(2); const table = { row, bare, taken, more }; const t = table.taken; export { table, t };';
  const [row, bare, taken, unknown] = written(...["row", "bare", "taken", "unknown"].map(inner), {
    code: tables,
    exported: ["table", "t"],
  });
  t.true(has(row, "$row(n) { return n + super.$base; }") && has(row, "const row = $D.$row;"));
  t.true(has(row, "export { row as row };"));
  for (const [name, text] of Object.entries({ bare, taken, unknown }))
    t.true(has(text, `const ${name} = (n) => n + $H.$base;`), name);
});

test("a light module keeps its own functions", (t) => {
  const core = "const f = () => g(); const g = () => 1; export { f };";
  const other = 'import { f } from "./core.js"; const own = () => f(); export { own };';
  const [, light] = written({ code: core }, { code: other, exported: ["own"], light: true });
  t.is(
    words(light),
    words('import { $H as $C } from "./core.js"; const own = () => $C.$$f(); export { own };'),
  );
});

test("a table that says what it inherits from keeps that", async (t) => {
  const code = `
    const above = Object.freeze({ f: () => 1 });
    const two = () => 2;
    const table = Object.freeze({ __proto__: above, g: () => two(), get h() { return two(); } });
    const read = () => table;
    export { read };`;
  const table = (await run(code, "read")).read();
  t.is(table.f(), 1);
  t.is(table.g() + table.h, 4);
});

test("a class that calls itself by a name of its own keeps that", async (t) => {
  const code = `
    const one = () => 1;
    const Outer = class Inner { n() { return Inner.prototype.m() + one(); } m() { return one(); } };
    const make = () => new Outer();
    export { make };`;
  t.is((await run(code, "make")).make().n(), 2);
});

test("a function that only runs while the module is loaded is no member, nor is what only that refers to", async (t) => {
  const code = `
    const join = (rows) => rows.map((row) => low + row);
    const both = (rows) => join(rows).concat(join(rows));
    const kept = (n) => n + low;
    const low = 1;
    const base = 10;
    const once = (n) => kept(n) + base;
    const table = both([1, 2]);
    const first = once(5);
    const read = () => [table, first, kept(1)];
    export { read };`;
  const [text] = written({ code, exported: ["read"] });
  for (const name of ["join", "both", "base", "once"]) t.false(text.includes(`$${name}`), name);
  for (const name of ["kept", "low", "table", "first"]) t.true(text.includes(`$${name}`), name);
  t.true(has(text, "rows.map((row) => $H.$low + row)"), "what runs later finds members");
  t.deepEqual((await run(code, "read")).read(), [[2, 3, 2, 3], 16, 2]);
});

test("what runs where it stands, called at once or by an array's method, runs while the module is loaded too", async (t) => {
  const code = `
    const join = (rows) => rows.reduce(add, base);
    const add = (sum, row) => plus(sum, row);
    const plus = (a, b) => a + b;
    const base = 1;
    const table = ((rows) => ({ sum: join(rows), more: rows.map((row) => plus(row, base)), later: () => kept() }))([1, 2]);
    const kept = () => 7;
    const read = () => table;
    export { read };`;
  const [text] = written({ code, exported: ["read"] });
  for (const name of ["join", "add", "plus", "base"]) t.false(text.includes(`$${name}`), name);
  for (const name of ["kept", "table"]) t.true(text.includes(`$${name}`), name);
  const { sum, more, later } = (await run(code, "read")).read();
  t.deepEqual([sum, more, later()], [4, [2, 3], 7]);
});

test("a function that may be called later is none of these: one that is handed on, exported, or called by such a one", (t) => {
  const code = `
    const handed = () => base1;
    const list = Array.from([1], handed);
    const shared = () => base2;
    const called = () => base3;
    const later = () => called();
    const base1 = 1;
    const base2 = 2;
    const base3 = 3;
    const start = { run: later, list };
    export { shared, start };`;
  const [text] = written({ code, exported: ["start"] });
  for (const name of ["base1", "base2", "base3", "called"]) t.true(has(text, `.$${name}`), name);
});

test("what one other module alone asks for while it is loaded is lent to it, and nobody has it afterwards", (t) => {
  const core =
    "const rows = [1, 2]; const both = [3]; const kept = [4]; const last = () => kept; export { rows, both, kept, last };";
  const taker = `import { rows, both, kept, last } from "./core.js";
    const all = rows.concat(both, kept); const start = { run: () => [all, last()] }; export { start };`;
  const other = 'import { both } from "./core.js"; const twice = both.concat(both); export { twice };';
  const [first, second, third] = written(
    { code: core },
    { code: taker, exported: ["start"] },
    { code: other, exported: ["twice"] },
  );
  t.true(
    has(first, "const $L = { $$rows: rows }; export { $L };"),
    "two modules ask for `both`, and `kept` runs later",
  );
  t.true(
    has(second, 'import { $H as $C, $L } from "./core.js";') &&
      has(second, "$L.$$rows.concat($H.$$both, $H.$$kept)"),
  );
  t.true(has(second, "delete $L.$$rows; Object.freeze($L);"));
  t.false(third.includes("$L"));
});
