import test from "ava";
import { parseAst } from "rollup/parseAst";

/** The build step that gives exports of our modules to each other names that the engine has. */

const { withShortExports } = await import(new URL("../../rollup.exports.js", import.meta.url).href);

test("exports and imports of one name become the same one; defaults, and what others know, stay", (t) => {
  const modules = [
    { name: "core", code: "const a = 1; const b = 2; export { a as helpers, b as default };" },
    {
      name: "tls",
      code: 'import { helpers as h } from "./core.js"; import { words } from "tlstaple/texts"; import Timer, { set } from "timer"; f(h, words, set);',
    },
    { name: "texts", code: "const w = {}; export { w as words };" },
    { name: "config", code: "const d = 0; export { d as withDefaults };" },
  ];
  const out: string[] = withShortExports(modules, parseAst);
  t.regex(out[0], /export \{ a as at, b as default \};$/);
  t.regex(
    out[1],
    /^import \{ at as h \} from "\.\/core\.js"; import \{ id as words \} from "tlstaple\/texts"; import Timer, \{ set \} from "timer";/,
  );
  t.regex(out[2], /export \{ w as id \};$/);
  t.is(out[3], modules[3].code);
});
