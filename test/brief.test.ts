import test from "ava";
import { parseAst } from "rollup/parseAst";

/** The build step that puts a function's one expression where the function is called, if that takes less. */

const { brief } = await import(new URL("../../rollup.brief.js", import.meta.url).href);

const steps = (codes: string[], isOurs: (name: string) => boolean = () => true): string[] =>
  brief(
    codes.map((code) => ({ code })),
    isOurs,
    parseAst,
  );
const step = (code: string, isOurs?: (name: string) => boolean): string => steps([code], isOurs)[0];

// biome-ignore lint/suspicious/noExplicitAny: it is whatever the test has written
const run = (code: string): Promise<any> => import(`data:text/javascript,${encodeURIComponent(code)}`);

const names = (code: string, name: string) => new RegExp(`[.\\b ]${name}\\b`).test(code);

test("an expression takes the place of every call, with what the calls give", async (t) => {
  const code = `
    const twice = (n) => n + n;
    const low = (n, most) => n < most;
    export const a = (n) => [twice(n), low(n, 3), low(2, n)];
    export const b = (o) => twice(o.n) + twice(1);`;
  const out = step(code);
  t.notRegex(out, /twice\(|low\(/);
  const { a, b } = await run(out);
  t.deepEqual([a(4), b({ n: 3 })], [[8, false, true], 8]);
});

test("methods and getters move with their object, into other modules too", async (t) => {
  const one = `
    export class Reader {
      at = 2; end = 9; step = { size: 3 };
      get left() { return this.end - this.at; }
      get size() { return this.step.size; }
      is(n) { return this.at === n; }
      skip(n) { this.at += n; }
    }`;
  const other = `
    export const use = (r, o) => { r.skip(2); o.reader.skip(1); return [r.left, o.reader.size + r.size, r.is(5)]; };`;
  const [reader, user] = steps([one, other], (name) => name !== "at");
  for (const name of ["left", "skip", "is"]) t.false(names(reader, name), `${name} is gone`);
  t.regex(user, /r\$_\d+\)?\.end/);
  const { Reader, use } = await run(`${reader}${user}`);
  const r = new Reader();
  t.deepEqual(use(r, { reader: r }), [4, 6, true]);
});

test("a name of somebody else's, or of two things, stays", (t) => {
  const known = "class C { get open() { return this.x; } } export const f = (c) => c.open + c.open;";
  t.true(
    names(
      step(known, (name) => name !== "open"),
      "open",
    ),
  );
  t.false(names(step(known), "open"));
  for (const other of [
    "class D { get open() { return 1; } } export { D };",
    "export const o = { open: 1 };",
    "export const p = ({ open }) => open;",
    "export class E { open = 1; }",
    "export const set = (c) => { c.open = 1; };",
    "export const add = (c) => c.open++;",
    "export const drop = (c) => delete c.open;",
    "export const call = (c) => c.open();",
    "export const chain = (c) => c?.open;",
    "export const deep = (c) => c?.d.open;",
  ])
    t.true(names(step(`${known} export { C }; ${other}`), "open"), other);
});

test("what is a function's own stays one: recursion, statements, promises, this, its arguments", (t) => {
  for (const [code, name] of [
    ["const f = (n) => n && f(n - 1); export const g = () => f(3);", "f"],
    ["const f = (n) => { if (n) return 1; }; export const g = () => f(3);", "f"],
    ["const f = async (n) => n; export const g = () => f(3);", "f"],
    ["const f = (...n) => n; export const g = () => f(3);", "f"],
    ["const f = (n = 1) => n; export const g = () => f(3);", "f"],
    ["const f = (n) => n; export const g = (a) => f(...a);", "f"],
    ["const f = (n) => n; export const g = () => f();", "f"],
    ["const f = (n) => n; export const g = [1].map(f);", "f"],
    ["const f = (n) => () => n; export const g = () => f(3);", "f"],
    ["let f = (n) => n; f = 1; export const g = () => f(3);", "f"],
    ["const k = 1; class C { m(n) { return n + k; } } export const g = (c) => c.m(3);", "m"],
    ["class B { m() { return 1; } } export class C extends B { constructor() { super.m(); } }", "m"],
    ["class C { static m(n) { return n; } } export const g = () => C.m(3);", "m"],
  ] as const)
    t.true(names(step(code), name), code);
});

test("what is given is taken once and in order, and not before what may change it", async (t) => {
  const code = `
    const log = [];
    const o = { x: 1 };
    const note = (n) => { log.push(n); return n; };
    const change = () => { o.x = 9; return 0; };
    const second = (a, b) => b - a;
    const late = (a) => change() + a;
    const maybe = (a) => o.x > 5 && a;
    const first = (a, b) => a - b;
    export const run = () => [first(note(1), note(2)), second(note(3), note(4)), late(o.x), maybe(note(5)), log, o.x];`;
  const out = step(code);
  t.false(/first\(/.test(out), "in order, so it moved");
  for (const name of ["second", "late", "maybe"]) t.regex(out, new RegExp(`\\b${name}\\(`));
  t.deepEqual((await run(out)).run(), [-1, 1, 1, 5, [1, 2, 3, 4, 5], 9]);
});

test("where calls take less than copies, the function stays; members that nothing names go", (t) => {
  const big = "const f = (a) => a.b.c.d.e.f.g + a.h.i.j.k.l.m + a.n.o.p.q.r.s;";
  const calls = (n: number) => `${big} export const g = (a) => [${Array(n).fill("f(a)").join(", ")}];`;
  t.false(names(step(calls(1)), "f\\("));
  t.regex(step(calls(9)), /f\(a\$/);
  const unused = "export class C { idle() { for (;;); } get rest() { return 1; } known() {} }";
  const out = step(unused, (name) => name !== "known");
  t.notRegex(out, /idle|rest/);
  t.regex(out, /known/);
});

test("the name of a local variable of the place is not mistaken for one of the function's", async (t) => {
  const code = `
    const base = 7;
    const plus = (n) => n + base;
    export const f = (base) => { const n = 1; return [plus(base), plus(n), n]; };`;
  const out = step(code);
  t.notRegex(out, /plus\(/);
  t.deepEqual((await run(out)).f(2), [9, 8, 1]);
});
