import test from "ava";
import { parseAst } from "rollup/parseAst";

/** The build step that puts functions where they are called, if that is one place. */

const { inlined } = await import(new URL("../../rollup.inline.js", import.meta.url).href);

const step = (code: string, isOurs: (name: string) => boolean = () => true): string =>
  inlined([{ code }], isOurs, parseAst)[0];

// biome-ignore lint/suspicious/noExplicitAny: it is whatever the test has written
const run = (code: string): Promise<any> => import(`data:text/javascript,${encodeURIComponent(step(code))}`);

/** Whether no function of this name is called any more. */
const isGone = (code: string, name: string) => !new RegExp(`\\b${name}\\(`).test(step(code));

test("statements take the place of a call, wherever its value goes", async (t) => {
  const code = `
    const log = [];
    const note = (what) => { const n = what * 2; log.push(n); };
    const pick = (n) => { if (n > 2) return "many"; log.push(n); return "few"; };
    const told = (n) => { for (let i = 0; i < 9; i++) { if (i === n) return i; } return -1; };
    const kept = (n) => { log.push(n); return n + 1; };
    const drop = (n) => { if (n < 0) return; if (n === 0) return log.push("zero"); log.push("more"); };
    class C {
      last = 0;
      dropped(n) { note(n); drop(n); log.push("end"); }
      returned(n) { return pick(n); }
      declared(n) { const found = told(n); return [found, n]; }
      kept(n) { this.last = kept(n); return this.last; }
    }
    export { C, log };`;
  for (const name of ["note", "pick", "told", "kept", "drop"])
    t.true(isGone(code.replace("kept(n) {", "keep(n) {"), name), name);
  const { C, log } = await run(code);
  const c = new C();
  for (const n of [-1, 0, 1]) c.dropped(n);
  t.deepEqual(log.splice(0), [-2, "end", 0, "zero", "end", 2, "more", "end"]);
  t.deepEqual(
    [c.returned(1), c.returned(3), c.declared(4), c.declared(20)],
    ["few", "many", [4, 4], [-1, 20]],
  );
  t.deepEqual([c.kept(7), c.last, log], [8, 8, [1, 7]]);
});

test("what ends without a value returns none, and what follows does not run", async (t) => {
  const code = `
    const log = [];
    const mind = (n) => { if (n > 0) log.push(n); };
    const outer = (n) => { if (n < 9) return mind(n); log.push("behind"); return 1; };
    export { outer, log };`;
  t.true(isGone(code, "mind"));
  const { outer, log } = await run(code);
  t.deepEqual([outer(1), outer(0), outer(9), log], [undefined, undefined, 1, [1, "behind"]]);
});

test("one expression takes the place of a call in another", async (t) => {
  const code = `
    const twice = (n) => 2 * n;
    const sum = (a, b) => { return a + b; };
    const outer = (a) => [twice(a) * 3, sum(a, 1) * 2];
    export { outer };`;
  t.true(isGone(code, "twice") && isGone(code, "sum"));
  t.deepEqual((await run(code)).outer(2), [12, 6]);
});

test("what a statement evaluates first goes before it, and what it returns by choice becomes one of two", async (t) => {
  const code = `
    const log = [];
    const odd = (n) => { for (; n > 1; n -= 2) log.push(n); return n === 1; };
    const size = (n) => { const s = n * 2; log.push(s); return s; };
    const low = (n) => { log.push("low"); if (n < 0) return -1; return 0; };
    const high = (n) => { log.push("high"); };
    class C {
      most = 0;
      tested(n) { if (!odd(n)) return "even"; else log.push("odd"); return n; }
      sum(n) { this.most = size(n) + 1; return this.most; }
      choose(n) { return n < 9 ? low(n) : "big"; }
      other(n) { return n < 9 ? "small" : high(n); }
    }
    export { C, log };`;
  for (const name of ["odd", "size", "low", "high"]) t.true(isGone(code, name), name);
  const { C, log } = await run(code);
  const c = new C();
  t.deepEqual(
    [c.tested(4), c.tested(3), c.sum(3), c.choose(-1), c.choose(1), c.choose(9)],
    ["even", 3, 7, -1, 0, "big"],
  );
  t.deepEqual([c.other(1), c.other(9)], ["small", undefined]);
  t.deepEqual(log, [4, 2, 3, "odd", 6, "low", "low", "high"]);
});

test("methods that nobody else knows move within their class, and this with them", async (t) => {
  const code = `
    class C {
      at = 1;
      outer(n) { [1].forEach(() => { this.add(n); }); return this.done(); }
      add(n) { this.at += n; }
      done() { return this.at; }
      shown() { return this.open(); }
      open() { return 1; }
    }
    class D { other() { return this.far(); } }
    class E { far() { return 2; } }
    export { C };`;
  const text = step(code, (name) => name !== "open");
  t.notRegex(text, /add\(|done\(/);
  t.regex(text, /this\.open\(\)/, "somebody else knows it");
  t.regex(text, /this\.far\(\)/, "of another class");
  t.is(new (await run(code)).C().outer(4), 5);
});

test("names don't meet those of the place, and arguments are taken once and in order", async (t) => {
  const code = `
    const log = [];
    const a = 10;
    const f = (x, y) => { const b = a; const a$ = x; let n = y; n++; log.push(b, a$, n, y); };
    const side = (n) => { log.push(n); return n; };
    const outer = (b) => { const a = 1; const n = 5; if (a) { f(side(b), side(n)); } log.push({ b, n }, side(3)); };
    const shadow = ({ x: z = 1, y }) => { const x = { y, z }; return x; };
    const uses = (o) => { const found = shadow(o); return found; };
    export { outer, uses, log };`;
  t.true(isGone(code, "f"));
  const { outer, uses, log } = await run(code);
  outer(2);
  t.deepEqual(log, [2, 5, 10, 2, 6, 5, 3, { b: 2, n: 5 }, 3]);
  t.deepEqual(uses({ y: 3 }), { y: 3, z: 1 });
});

test("a parameter is another name of what does not change, and else a copy", async (t) => {
  const code = `
    const same = (x) => { g(x); g(x); };
    const copy = (x) => { n = 9; g(x); };
    const own = (x) => { x++; g(x); };
    const log = [];
    const g = (x) => log.push(x);
    let n = 1;
    const outer = (v) => { same(v); copy(n); own(v); g({ v }); };
    export { outer, log };`;
  const { outer, log } = await run(code);
  outer(4);
  t.deepEqual(log, [4, 4, 1, 5, { v: 4 }]);
  t.notRegex(step(code), /const x\S* = v/);
  t.regex(step(code), /const x\S* = n/);
});

test("a small function goes to a few places; one with variables, which the stack would have to hold, does not", async (t) => {
  const code = `
    const twice = (n) => { if (n > 0) log.push(n * 2); };
    const log = [];
    const g = (x) => log.push(x);
    const outer = (v) => { twice(v); twice(v + 1); };
    export { outer, log };`;
  t.true(isGone(code, "twice"));
  const { outer, log } = await run(code);
  outer(1);
  t.deepEqual(log, [2, 4]);
  t.false(isGone(code.replace("if (n > 0) log.push(n * 2)", "const m = n * 2; log.push(m)"), "twice"));
});

test("what can't move stays: large and called twice, handed on, at the top level, by itself, with other arguments", (t) => {
  const kept = (name: string, code: string) => t.regex(step(code), new RegExp(`\\b${name}\\(`), code);
  kept("f", "const f = (n) => { g(n); }; const g = (n) => { h(n); h(n); }; f(1);");
  const large = `n(${"n(), ".repeat(30)} 1);`;
  kept("f", `const f = (n) => { ${large} }; class C { a() { f(1); f(2); } }`);
  kept("f", "const f = (n) => { if (n) f(n - 1); };");
  kept("f", "const f = (n = 1) => { n(); n(); }; class C { a() { f(); } }");
  kept("f", "const f = (n, m) => { n(); n(); }; class C { a() { f(1); } }");
  kept("f", "const f = (n) => { n(); n(); }; class C { a(list) { f(...list); } }");
  kept("f", "const f = (n) => { n(); return 1; }; class C { a() { return g() + f(2); } }");
  kept("f", "const f = (n) => { n(); return 1; }; class C { a(b) { return b && f(2); } }");
  kept("f", "const f = (n) => { if (n) return 1; else n(); }; class C { a() { this.b = f(2); } }");
  kept("f", "const f = async (n) => { await n; n(); }; class C { a() { f(1); } }");
  kept("b", "class B { b() { return super.b(); } } class C extends B { a() { this.b(); } }");
  t.regex(step("const f = (n) => { n(); n(); }; const list = [f];"), /list = \[f\]/);
});
