import test from "ava";
import { parseAst } from "rollup/parseAst";

/** The build step that checks in place what is expected. */

const { expectations, thrown } = await import(new URL("../../rollup.expect.js", import.meta.url).href);

test("a statement and an arrow's expression become a condition", (t) => {
  t.is(thrown("expect(a === 1, 12801);", parseAst), "if (!(a === 1)) throw (12801);");
  t.is(
    thrown("const f = (r) => expect(r > 0, 5);", parseAst),
    "const f = (r) => { if (!(r > 0)) throw (5); };",
  );
});

test("only what a module takes from the faults is meant", (t) => {
  const code = "expect(a, 1);";
  const step = (text: string) => expectations.transform.call({ parse: parseAst }, text);
  t.is(step(code), null);
  t.is(step(`import { expect } from "./other.js";\n${code}`), null);
  const own = 'import { expect, faults } from "../wire/fault.js";\n';
  t.is(step(own + code).code, `${own}if (!(a)) throw (1);`);
});
