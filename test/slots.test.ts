import test from "ava";
import { parseAst } from "rollup/parseAst";

/** The build step by which one variable comes after the other in the same place. */

const load = (name: string) => import(new URL(`../../rollup.${name}.js`, import.meta.url).href);
const { withUniqueNames } = await load("scope");
const { withFewerVariables } = await load("slots");

const step = (code: string): string => withFewerVariables(withUniqueNames(code, parseAst), parseAst);

// biome-ignore lint/suspicious/noExplicitAny: it is whatever the test has written
const run = (code: string): Promise<any> => import(`data:text/javascript,${encodeURIComponent(code)}`);

const declared = (code: string) => (code.match(/\b(let|const) /g) ?? []).length;

/** Functions `f`, what they are called with, and how many declarations are left of those within them. */
const cases: [what: string, f: string, given: unknown[][], left: number][] = [
  ["a parameter that is read no more", "(a) => { const b = a + 1; return b * 2; }", [[3]], 0],
  [
    "one after the other",
    "(a) => { const b = a + 1; const c = b * 2; let d = c; d += 1; return d; }",
    [[3]],
    0,
  ],
  ["a constant", "() => { const a = Math.min(1, 2); const b = a + 1; return b; }", [[]], 1],
  ["one that is needed", "(a) => { const b = a + 1; return a + b; }", [[3]], 1],
  ["two at a time", "(a) => { const b = a + 1; const c = a * b; return b - c; }", [[3]], 1],
  ["one that a closure has", "(a) => { const f = () => a; a += 1; const b = 5; return b + f(); }", [[3]], 2],
  [
    "one that is a closure's own",
    "(a) => { const b = a + 1; const f = () => b; const c = 7; return f() + c; }",
    [[3]],
    2,
  ],
  [
    "what a loop needs again",
    "(a) => { let n = 0; for (; n < 3; n++) { const b = n + a; n = b > 9 ? b : n; } return n; }",
    [[3], [9]],
    2,
  ],
  [
    "what a loop needs no more",
    "(a, z) => { let n = a; while (n < 9) { const b = n * 2; n = b + 1; } return n; }",
    [[3, 1]],
    0,
  ],
  [
    "what another branch has",
    "(a) => { if (a) { const b = a + 1; return b; } else { const c = 2; return c; } }",
    [[3], [0]],
    0,
  ],
  [
    "what another branch needs",
    "(a, n) => { if (n) { const b = n + 1; return b; } else { return a; } }",
    [
      [3, 1],
      [3, 0],
    ],
    0,
  ],
  [
    "one of a block that has ended",
    "(a) => { { const b = a; a = b; } const c = 4; return a + c; }",
    [[3]],
    2,
  ],
  ["one without a value", "(a) => { let b; if (a) b = a; return b; }", [[3], [0]], 1],
  [
    "members of the same name",
    "(a) => { const b = { a }; const c = { b, a: b.a }; return c.b.a + c.a; }",
    [[3]],
    0,
  ],
  ["what is taken apart", "({ a }) => { const b = a + 1; const [c] = [b]; return c; }", [[{ a: 3 }]], 2],
];

for (const [what, f, given, left] of cases)
  test(what, async (t) => {
    const code = `export const f = ${f};`;
    const out = step(code);
    t.is(declared(out) - 1, left, out);
    const [before, after] = await Promise.all([run(code), run(out)]);
    for (const each of given) t.deepEqual(after.f(...each), before.f(...each));
  });

test("what is at the top of a module stays", (t) => {
  const code = "const a = 1; const b = a + 1; export const c = b;";
  t.is(step(code), code);
});
