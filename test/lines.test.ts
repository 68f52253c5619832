import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";
import test from "ava";
import { parseAst } from "rollup/parseAst";

/** The source maps of a device's modules, which lead to their twins with all names. */

const { mapped, withLines } = await import(new URL("../../rollup.lines.js", import.meta.url).href);

const folder = fileURLToPath(new URL("../../dist/moddable/", import.meta.url));
const modules = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(
  (file) => file.endsWith(".js") && !file.startsWith("debug"),
);
const read = (file: string) => readFileSync(join(folder, file), "utf8");

/** Texts that stand once in a module, each with the number of its line. */
function texts(code: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const [i, line] of code.split("\n").entries())
    for (const [text] of line.matchAll(/"[^"\\]{12,}"/g)) found.set(text, found.has(text) ? 0 : i + 1);
  return found;
}

test("each statement has its line before it, and steps between may move it", (t) => {
  const code =
    "const f = (a) => {\n  a();\n  if (a)\n    return 1;\n};\nclass C {\n  g() {\n    f();\n  }\n}";
  const marked = withLines(code, parseAst);
  t.deepEqual(marked.match(/@\d+/g), ["@2", "@3", "@7", "@8"]);
  t.is(marked.replace(/\/\*@\d+\*\//g, ""), code);
  const { code: made, map } = mapped(
    "class C {\n g() {\n  /*@8*/ /*@2*/ a();\n  b();\n }\n}",
    "out.js",
    "in.js",
  );
  t.is(made, "class C {\n g() {\n  a();\n  b();\n }\n}");
  const lines = [1, 2, 3, 4, 5].map(
    (line) => originalPositionFor(new TraceMap(map), { line, column: 0 }).line,
  );
  t.deepEqual(lines, [2, 2, 2, 2, 2]);
});

test("each module of a device has a map, and each of its lines is one of the twin's", (t) => {
  t.true(modules.length > 25);
  for (const file of modules) {
    const code = read(file);
    t.true(code.endsWith(`\n//# sourceMappingURL=${file.split("/").pop()}.map\n`), file);
    const map = new TraceMap(read(`${file}.map`));
    t.deepEqual(
      map.sources.map((source) => join(dirname(file), source!)),
      [join("debug", file)],
      file,
    );
    const twin = read(join("debug", file)).split("\n").length;
    for (const [i] of code.trimEnd().split("\n").slice(0, -1).entries()) {
      const { line } = originalPositionFor(map, { line: i + 1, column: 0 });
      t.true(line !== null && line >= 1 && line <= twin, `${file}:${i + 1} is line ${line} of ${twin}`);
    }
  }
});

test("a text of a module is found in its twin by the map", (t) => {
  let found = 0;
  let near = 0;
  for (const file of modules) {
    const twin = texts(read(join("debug", file)));
    const map = new TraceMap(read(`${file}.map`));
    for (const [text, line] of texts(read(file))) {
      const there = twin.get(text);
      if (line === 0 || !there) continue;
      const { line: told } = originalPositionFor(map, { line, column: 0 });
      found++;
      if (told! <= there && there - told! < 16) near++;
      else t.log(`${file}: ${text} is in line ${there}, not ${told}`);
    }
  }
  t.log(`${near} of ${found}`);
  t.true(found > 70 && near / found > 0.9);
});
