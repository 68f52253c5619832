/** What the package costs those who import it, before they call anything of it. */

import { execFile } from "node:child_process";
import { statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import test from "ava";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Bytes: what is loaded by an import of everything, and what a bundler takes of an import of one thing, minified. */
const budget = Object.freeze({ import: 684_000, TlsError: 5_000, metricsText: 1_000, connect: 243_000 });

/** Tells what V8 compiled for an import, and what Node did of its own. */
const observer = `
  import { Session } from "node:inspector";
  const session = new Session();
  session.connect();
  const files = [];
  session.on("Debugger.scriptParsed", ({ params }) => files.push(params.url));
  session.post("Debugger.enable");
  await import("tlstaple");
  console.log(JSON.stringify({ files, builtin: process.moduleLoadList }));`;

/** The files that an import of the package loads, and the modules of Node's that are loaded then. */
async function loaded(): Promise<{ files: string[]; builtin: string[] }> {
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", observer], { cwd: root });
  const { files, builtin } = JSON.parse(stdout) as { files: string[]; builtin: string[] };
  return { files: files.filter((url) => url.endsWith(".js")).map((url) => fileURLToPath(url)), builtin };
}

test("an import loads our own few files, and nothing of node_modules", async (t) => {
  const { files } = await loaded();
  const names = files.map((file) => file.replace(`${root}dist/node/`, ""));
  t.deepEqual(names.sort(), [
    "index.js",
    "parts/client.js",
    "parts/core.js",
    "parts/errors.js",
    "parts/metrics.js",
    "parts/server.js",
  ]);
  const bytes = files.reduce((sum, file) => sum + statSync(file).size, 0);
  t.true(bytes <= budget.import, `${bytes} bytes, the budget is ${budget.import}`);
});

test("nor what few need of Node's own: HTTP/2, and the fetch that node:http brings with it when it is imported", async (t) => {
  const { builtin } = await loaded();
  t.true(builtin.includes("NativeModule https"));
  for (const name of ["http2", "internal/deps/undici/undici", "child_process"])
    t.false(builtin.includes(`NativeModule ${name}`), name);
});

for (const name of ["TlsError", "metricsText", "connect"] as const)
  test(`a bundle with ${name} alone has no more than that`, async (t) => {
    const { outputFiles, metafile } = await build({
      stdin: { contents: `export { ${name} } from "tlstaple";`, resolveDir: root },
      bundle: true,
      format: "esm",
      metafile: true,
      minify: true,
      platform: "node",
      write: false,
    });
    const size = outputFiles[0].contents.length;
    t.true(size <= budget[name], `${size} bytes, the budget is ${budget[name]}`);
    t.false(Object.keys(metafile.inputs).some((file) => file.includes("node_modules")));
  });
