import test from "ava";
import { parseAst } from "rollup/parseAst";

/** The build step that renames what TypeScript calls private, and the names that the minifier takes for variables. */

const load = (name: string) => import(new URL(`../../rollup.${name}.js`, import.meta.url).href);
const { members, choose } = await load("members");
const { engineNames, known } = await load("names");

const renamed = (code: string): string => members.renderChunk.call({ parse: parseAst }, code).code;
const names: Map<string, string> = choose();

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

test("each name is another, and an object has none of them anyway", (t) => {
  t.true(names.size > 100);
  t.is(new Set(names.values()).size, names.size);
  for (const by of names.values()) {
    t.true(known.includes(by), by);
    t.false(names.has(by), by);
    t.false(by in Function || ["then", "toJSON"].includes(by), by);
  }
});

test("what others than our own classes see keeps its name", (t) => {
  const border =
    "policy stapling buffers input output store serverName certificate clock onSecure onError onReadable onWritable read write " +
    "close format session verdicts alpn version suite group path status code alert wolfssl detail advice message name number " +
    "kind bytes start end begin schemes sign supports hash aead exchange verification random hmac set clear exists sha256 " +
    "push filter map subarray length";
  for (const name of border.split(" ")) t.false(names.has(name), name);
});

test("names for variables are all different, and none is a word of the language", (t) => {
  const some = Array.from({ length: 1000 }, (_, n) => engineNames.get(n) as string);
  t.is(new Set(some).size, some.length);
  for (const name of some) t.notThrows(() => parseAst(`const ${name} = 1;`), name);
});
