import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import test from "ava";
import { parseAst } from "rollup/parseAst";
import { OPTIONAL } from "./moddable/workplace.js";

/** The build step that renames members that only our own modules know, and the names that the minifier takes for variables. */

const load = (name: string) => import(new URL(`../../rollup.${name}.js`, import.meta.url).href);
const { renamed: rename, choose } = await load("members");
const { base, engineNames, known, letters, words } = await load("names");

const folder = fileURLToPath(new URL("../../dist/moddable/debug/", import.meta.url));
/** Members that a class inherits, one that may be absent, and as many helpers as a device has. */
const sample = `class Below extends Above {} class Above { moveDown() { ${Array.from({ length: 250 }, (_, i) => `super.$h${i}();`).join(" ")} this.report?.(); } }`;
const codes = readdirSync(folder)
  .filter((file) => file.endsWith(".js"))
  .map((file) => readFileSync(folder + file, "utf8"));
const names: Map<string, string> = choose(
  [...codes, sample].map((code) => ({ code })),
  parseAst,
);
const members = [...names].filter(([old]) => !old.startsWith("$"));
const helpers = [...names].filter(([old]) => old.startsWith("$")).map(([, by]) => by);

const renamed = (code: string): string => rename(code, names, parseAst);

test("a private member has another name wherever it is a property", (t) => {
  const by = names.get("moveDown");
  t.truthy(by);
  t.is(
    renamed("class C { moveDown = 1; f() { this.moveDown++; x.moveDown(); const { moveDown } = this; } }"),
    `class C { ${by} = 1; f() { this.${by}++; x.${by}(); const { ${by}: moveDown } = this; } }`,
  );
  t.is(
    renamed("const o = { moveDown() {}, get moveDown() {} };"),
    `const o = { ${by}() {}, get ${by}() {} };`,
  );
});

test("a variable of that name, a computed property and a string stay", (t) => {
  const code = 'const moveDown = 1; f(moveDown, x[moveDown], "moveDown", { [moveDown]: 1 });';
  t.is(renamed(code), code);
});

test("each member has another name, which the engine or the SDK knows, and an object has none of them anyway", (t) => {
  t.true(members.length > 300);
  t.is(new Set(members.map(([, by]) => by)).size, members.length);
  const engine = new Set([...known, ...base, ...letters, ...words]);
  for (const [, by] of members) {
    t.true(engine.has(by), by);
    t.false(names.has(by), by);
    t.false(by in Function || ["then", "toJSON", "get", "set", "value", "next"].includes(by), by);
  }
});

test("helpers of one module have different names, and those of two may share them", (t) => {
  const codes = [
    "super.$a(); super.$$b();",
    "super.$$b(); super.$c(); super.$d();",
    "super.$c(); super.$e();",
  ];
  const wrap = (code: string) => ({ code: `class C { f() { ${code} } }` });
  const names: Map<string, string> = choose(codes.map(wrap), parseAst);
  for (const code of codes) {
    const own = code.match(/\$+\w/g)!.map((name) => names.get(name));
    t.is(new Set(own).size, own.length, code);
  }
  t.is(names.get("$a"), names.get("$c"));
  t.is(names.get("$$b"), names.get("$e"), "whoever does not ask for the first module's may hide it");
});

test("each helper has another name, and none that a member has which may be absent or inherited", (t) => {
  t.is(helpers.length, 250);
  t.is(new Set(helpers).size, helpers.length);
  for (const old of ["moveDown", "report", "sends", "waits", "measure", "most", "signerUntil"])
    t.false(helpers.includes(names.get(old) ?? old), old);
  t.true(
    helpers.some((by) => members.some(([, other]) => other === by)),
    "others are shared",
  );
});

test("what others than our own classes see keeps its name", (t) => {
  const border =
    "policy stapling buffers input output store serverName certificate clock onSecure onError onReadable onWritable read write " +
    "close format session verdicts alpn version suite group path status code alert wolfssl detail advice message name number " +
    "kind bytes start end begin schemes sign supports hash aead exchange verification random hmac set clear exists sha256 " +
    "push filter map subarray length";
  for (const name of border.split(" ")) t.false(names.has(name), name);
});

test("what the documentation tells applications keeps its name", (t) => {
  const doc = readFileSync(new URL("../../docs/moddable.md", import.meta.url), "utf8");
  const told = [...doc.matchAll(/`([\w.]+)(?:\(\w*\))?`/g)].flatMap(([, path]) =>
    /\.(ski|der|pem|json|js|ts|c)$/.test(path) ? [] : path.split("."),
  );
  const examples = [...doc.matchAll(/```js\n([^`]*)```/g)].flatMap(
    ([, code]) => code.match(/(?<=\.)\w+|\w+(?=\s*[:(])/g) ?? [],
  );
  t.true(told.length > 200 && examples.length > 50);
  const modules = OPTIONAL.filter((name) => !doc.includes(`secure.${name}`));
  const renamed = (name: string) => names.has(name) && !modules.includes(name);
  t.deepEqual([...told, ...examples].filter(renamed), []);
});

test("names for variables are all different, and none is a word of the language", (t) => {
  const some = Array.from({ length: 1000 }, (_, n) => engineNames.get(n) as string);
  t.is(new Set(some).size, some.length);
  for (const name of some) t.notThrows(() => parseAst(`const ${name} = 1;`), name);
});
