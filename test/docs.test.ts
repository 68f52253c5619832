/** The documentation: its tables, and its examples as a user's strict TypeScript over the packed package. */

import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test from "ava";

const root = fileURLToPath(new URL("../../", import.meta.url));
const home = join(root, "build/docs");

/** What examples take for granted, so that they need not say it. */
const given: Readonly<Record<string, string>> = {
  ...Object.fromEntries(["cert", "certificate", "issuer", "key", "leaf"].map((name) => [name, "Buffer"])),
  ...Object.fromEntries(["intermediate", "root", "request"].map((name) => [name, "Buffer"])),
  ...Object.fromEntries(
    ["rootPem", "rootSignerPem", "rootSignerKey", "subPem", "subKey"].map((name) => [name, "string"]),
  ),
  appendFileSync: 'typeof import("node:fs").appendFileSync',
  connect: 'typeof import("tlstaple").connect',
  createContext: 'typeof import("tlstaple").createContext',
  createServer: 'typeof import("node:http").createServer',
  database: '{ status(serial: string): { status: "good" } }',
  onConnection: '(socket: import("tlstaple").ServerSocket) => void',
  handler: 'import("node:http").RequestListener',
  readFileSync: 'typeof import("node:fs").readFileSync',
  server: 'import("tlstaple").Server',
  socket: 'import("tlstaple").TLSSocket',
};

/** Examples in JavaScript or TypeScript, by the line where they begin. */
function examplesOf(file: string, from: RegExp = /^/): [name: string, text: string][] {
  const text = readFileSync(join(root, file), "utf8");
  const start = text.search(from);
  const found = [...text.slice(start).matchAll(/^```(?:js|ts)\n(.*?)^```/gms)];
  return found.map(({ 1: code, index }) => {
    const line = text.slice(0, start + index).split("\n").length;
    return [`${file.replace(/\W/g, "-")}-${line}`, code];
  });
}

/** Declares what the example uses and does not bring itself. */
function completed(code: string): string {
  const brought = (name: string) =>
    new RegExp(`^(?:const|let) (?:${name}\\b|{[^}]*\\b${name}\\b)|^import .*\\b${name}\\b`, "m").test(code);
  const missing = Object.keys(given).filter(
    (name) => new RegExp(`\\b${name}\\b`).test(code) && !brought(name),
  );
  return [...missing.map((name) => `declare const ${name}: ${given[name]};`), code, "export {};"].join("\n");
}

test("they compile", (t) => {
  rmSync(home, { recursive: true, force: true });
  const packed = join(home, "node_modules/tlstaple");
  mkdirSync(packed, { recursive: true });
  const run = (command: string, ...args: string[]) =>
    execFileSync(command, args, { cwd: home, encoding: "utf8", stdio: "pipe" });
  const archive = run("npm", "pack", root, "--ignore-scripts", "--silent").trim();
  run("tar", "-xzf", archive, "--strip-components=1", "-C", packed);
  const examples = [
    ...examplesOf("README.md", /^## In Node/m),
    ...["node", "stapler", "responder", "operations", "revocation", "ev-charging"].flatMap((name) =>
      examplesOf(`docs/${name}.md`),
    ),
  ];
  t.true(examples.length > 12);
  for (const [name, code] of examples) writeFileSync(join(home, `${name}.ts`), completed(code));
  cpSync(join(root, "test/docs.tsconfig.json"), join(home, "tsconfig.json"));
  writeFileSync(join(home, "package.json"), '{ "type": "module" }');
  try {
    run(process.execPath, join(root, "node_modules/typescript/bin/tsc"));
    t.pass();
  } catch (error) {
    t.fail((error as { stdout: string }).stdout);
  }
});

/** Cells of a line that is a table's, else none: what stands in backticks parts none. */
const cellsOf = (line: string) =>
  line.startsWith("|") ? line.replace(/`[^`]*`/g, "").split(/(?<!\\)\|/).length : 0;

/** Lines of tables that have more cells, or less, than the one before them. */
function crooked(text: string): string[] {
  const lines = text.replace(/^```.*?^```$/gms, "").split("\n");
  return lines.filter((line, i) => {
    const [before, cells] = [lines[i - 1] ?? "", line].map(cellsOf);
    return before > 0 && cells > 0 && before !== cells;
  });
}

test("the rows of a table have the same cells", (t) => {
  t.deepEqual(crooked("| a | b |\n|---|---|\n| `x|y` | c |\n| d |"), ["| d |"]);
  const pages = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md"));
  for (const page of ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", ...pages.map((name) => `docs/${name}`)])
    t.deepEqual(crooked(readFileSync(join(root, page), "utf8")), [], page);
});
