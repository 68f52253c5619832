import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import test from "ava";

// What a user of the package gets: the bundles in dist/, by the names in package.json.

const root = fileURLToPath(new URL("../../", import.meta.url));
const manifest = JSON.parse(readFileSync(`${root}package.json`, "utf8"));

/** Imports by the package's own name go through its `exports`. */
const load = (name: string): Promise<Record<string, unknown>> => import(name);

test("the package's entries load, and bring what is documented", async (t) => {
  const node = await load("tlstaple");
  for (const name of ["connect", "createContext", "TLSSocket", "TlsError"])
    t.is(typeof node[name], "function", name);
  t.is(typeof (await load("tlstaple/portable")).portable, "function");
  t.is(typeof (await load("tlstaple/responder")).createResponder, "function");
  const client = await load("tlstaple/client");
  t.is(typeof client.TlsClient, "function");
  t.is(typeof client.trustAnchor, "function");
  await t.throwsAsync(load("tlstaple/src/wire/reader.js"), { code: "ERR_PACKAGE_PATH_NOT_EXPORTED" });
});

test("every file that package.json points to is there, and is packed", async (t) => {
  const { stdout } = await promisify(execFile)("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
    cwd: root,
  });
  const packed = new Set(JSON.parse(stdout)[0].files.map(({ path }: { path: string }) => path));
  const entries = Object.values(manifest.exports).flatMap((entry) =>
    typeof entry === "string" ? entry : Object.values(entry as object),
  );
  for (const path of [...entries, ...Object.values(manifest.bin)] as string[]) {
    const file = path.replace(/^\.\//, "");
    t.true(existsSync(root + file), file);
    t.true(packed.has(file), `${file} is packed`);
  }
  for (const path of packed) t.notRegex(String(path), /^(test|certs|build)\/|-key\.pem$/);
});

test("the command runs as npx would run it", async (t) => {
  const { stdout } = await promisify(execFile)(process.execPath, [root + manifest.bin.tlstaple, "--version"]);
  t.is(stdout.trim(), manifest.version);
});
