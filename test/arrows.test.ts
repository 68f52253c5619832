import test from "ava";
import { parseAst } from "rollup/parseAst";

/** The build steps that write functions and patterns so that they take less of a device's flash. */

const step = async (name: string) =>
  (await import(new URL(`../../rollup.${name}.js`, import.meta.url).href))[name];
const arrows = await step("arrows");
const patterns = await step("patterns");

const arrowed = (code: string): string => arrows.renderChunk.call({ parse: parseAst }, code).code;
const spelt = (code: string): string => patterns.renderChunk.call({ parse: parseAst }, code).code;
const words = (code: string) => code.replace(/\s/g, "");

test("functions become arrow functions, ahead of what names them and behind the imports", (t) => {
  const code =
    'import { g } from "./g.js";\nconst rows = [f];\nfunction f(a, b = 1) { return g(a, b); }\nf();';
  const becomes =
    'import { g } from "./g.js";\nconst f = (a, b = 1) => { return g(a, b); };\nconst rows = [f];\nf();';
  t.is(words(arrowed(code)), words(becomes));
  t.is(words(arrowed("function f() {}\nfunction g() { f(); }")), words("const f=()=>{},g=()=>{f();};"));
  t.is(
    words(arrowed("function f(a) { return a; }\nexport { f };")),
    words("const f = (a) => { return a; };export { f };"),
  );
});

test("functions that are values become so where they are", (t) => {
  t.is(
    arrowed("const row = { read: function(a) { return a; } };"),
    "const row = { read: (a) =>{ return a; } };",
  );
  t.is(arrowed("rows(function() { return 1; });"), "rows(() =>{ return 1; });");
  t.is(
    words(arrowed("function f() { return function(a) { return a; }; }")),
    words("const f=()=>{return(a)=>{return a;};};"),
  );
});

test("functions that know their own call stay, and so do methods, generators and what is in the middle of an expression", (t) => {
  for (const code of [
    "function f() { return this; }",
    "function f() { return () => this.a; }",
    "function f() { return arguments.length; }",
    "function f(a = new.target) { return a; }",
    "function* f() { yield 1; }",
    "async function f() { await 1; }",
    "const o = { f() { return 1; }, get g() { return 2; } };",
    "class C { f() { return 1; } static s() {} constructor() {} }",
    "const o = { f: function g() { return g; } };",
    "!function() { return 1; }();",
    "const a = () => 1;",
  ])
    t.is(arrowed(code), code);
  t.is(
    words(arrowed("function f() { return function() { return this; }; }")),
    words("const f=()=>{return function() {return this;};};"),
  );
});

test("patterns of names become a property each", (t) => {
  t.is(spelt("function f() { const { a, b: c } = this; }"), "function f() { const a = this.a, c = this.b; }");
  t.is(spelt("let { a, b } = x, d = 1;"), "let a = x.a, b = x.b, d = 1;");
  t.is(spelt("const { a } = x.y;"), "const a = x.y.a;");
  t.is(spelt("const { a } = f(x);"), "const a = f(x).a;");
});

test("what is more than a name is evaluated once", (t) => {
  t.is(spelt("const { a, b } = f(x);"), "const $whole0 = f(x), a = $whole0.a, b = $whole0.b;");
  t.is(
    spelt("const { a } = x ?? y;\nconst { b } = x || y;"),
    "const $whole0 = x ?? y, a = $whole0.a;\nconst $whole1 = x || y, b = $whole1.b;",
  );
});

test("other patterns stay", (t) => {
  for (const code of [
    "const { a = 1, b } = this;",
    "const { a, ...rest } = this;",
    "const { a: { b } } = this;",
    "const { [a]: b } = this;",
    "const [a, b] = x;",
    "const {} = x;",
    "for (const { a } of x) f(a);",
    "function f({ a, b }) { return a + b; }",
    "({ a, b } = x);",
    "const { a, b } = f((x) => x.c);",
  ])
    t.is(spelt(code), code);
});
