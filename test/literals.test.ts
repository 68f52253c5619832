import { fileURLToPath } from "node:url";
import test from "ava";
import { parseAst } from "rollup/parseAst";

/** The build step that writes numbers where tables of them are asked for. */

const { literals } = await import(new URL("../../rollup.literals.js", import.meta.url).href);

/** What becomes of a module of src/client. */
async function transformed(code: string): Promise<string> {
  const id = fileURLToPath(new URL("../src/client/client13.js", import.meta.url));
  return (await literals.transform.call({ parse: parseAst }, code, id)).code;
}

const registry = 'import { alert, version } from "../wire/registry.js";\n';

test("a table's number takes the place of its name, wherever the table comes from", async (t) => {
  t.is(await transformed(`${registry}f(alert.decode_error);`), `${registry}f(50);`);
  t.is(
    await transformed(`${registry}const a = alert;\nf(a.unknown_ca << 8);`),
    `${registry}const a = alert;\nf(48 << 8);`,
  );
  const own = "const stage = Object.freeze({ NONE: 0, DONE: 3 });\n";
  t.is(await transformed(`${own}f(stage.DONE);`), `${own}f(3);`);
  const engine = 'import { wants } from "../record/engine.js";\nimport { STEP } from "../record/row.js";\n';
  t.is(await transformed(`${engine}f(STEP, wants.READ);`), `${engine}f(511, 1);`);
});

test("a constant's number takes the place of its name, and so does what is computed of such", async (t) => {
  const own = `${registry}const A = 5;\nconst B = A * 2 + 1;\nconst C = 0x100 | alert.decode_error;\nconst d = f();\nlet e = 1;\ne++;\n`;
  const becomes = own.replace("A * 2", "5 * 2").replace("alert.decode_error", "50");
  t.is(await transformed(`${own}g(A, B, C, d, e, { A });`), `${becomes}g(5, 11, 306, d, e, { A: 5 });`);
  t.is(
    await transformed("const A = 5;\nfunction f(A) { return A; }"),
    "const A = 5;\nfunction f(A) { return A; }",
  );
  t.is(await transformed("const A = 5;\nexport { A };"), "const A = 5;\nexport { A };");
});

test("a text that a module exports is written out", async (t) => {
  const id = fileURLToPath(new URL("../src/wire/fault.js", import.meta.url));
  const code = "export const faultNames = list(Object.keys(faults));\nexport const other = g();";
  const { code: becomes } = await literals.transform.call({ parse: parseAst }, code, id);
  t.regex(becomes, /^export const faultNames = "DECODE_ERROR\\n(\w+\\n)+";\nexport const other = g\(\);$/);
});

test("what only looks like it stays", async (t) => {
  for (const line of [
    "function f(alert) { return alert.decode_error; }",
    "function f() { const { alert } = g(); return alert.decode_error; }",
    "f(alert[name]);",
    "f(alert.no_such_alert);",
    "f(Object.keys(alert));",
    "f(x.alert.decode_error);",
    "f(other.decode_error);",
  ])
    t.is(await transformed(registry + line), registry + line, line);
  const words = 'const words = Object.freeze({ GOOD: "good" });\nf(words.GOOD);';
  t.is(await transformed(words), words);
  const loose = "const table = { ONE: 1 };\nf(table.ONE);";
  t.is(await transformed(loose), loose);
});

test("a name that means something else in one function means the table in the next", async (t) => {
  const code = `${registry}function f(alert) { return alert.decode_error; }\nfunction g() { return alert.decode_error; }`;
  t.is(await transformed(code), code.replace(/alert\.decode_error(?!.*\n)/, "50"));
});
