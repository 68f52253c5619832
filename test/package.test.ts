import { execFile, execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { posix } from "node:path";
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

let files: Set<string> | undefined;

/** The files of the tarball. */
function packed(): Set<string> {
  if (files) return files;
  const args = ["pack", "--dry-run", "--json", "--ignore-scripts"];
  const list = JSON.parse(
    execFileSync("npm", args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }),
  );
  files = new Set(list[0].files.map(({ path }: { path: string }) => path));
  return files;
}

test("every file that package.json points to is there, and is packed", (t) => {
  const entries = Object.values(manifest.exports).flatMap((entry) =>
    typeof entry === "string" ? entry : Object.values(entry as object),
  );
  for (const path of [...entries, ...Object.values(manifest.bin)] as string[]) {
    const file = path.replace(/^\.\//, "");
    t.true(existsSync(root + file), file);
    t.true(packed().has(file), `${file} is packed`);
  }
  for (const path of packed()) t.notRegex(String(path), /^(test|certs|build)\/|-key\.pem$/);
});

/** Where the sources are, which the package does not have. */
const { url: repository } = manifest.repository;
const sources = `${repository.replace(/^git\+|\.git$/g, "")}/`;

/** The anchors of a page, as GitHub makes them of its headings. */
function anchorsOf(page: string): string[] {
  const headings = [...page.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading);
  return headings.map((each) =>
    each
      .toLowerCase()
      .replace(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );
}

/** A file, or a folder. */
function isPacked(path: string): boolean {
  return packed().has(path) || [...packed()].some((each) => each.startsWith(`${path}/`));
}

test("each link in a page that is shipped leads to what is shipped, or to the sources by their address", (t) => {
  const pages = [...packed()].filter((path) => path.endsWith(".md"));
  t.true(pages.length > 10);
  for (const page of pages) {
    const text = readFileSync(root + page, "utf8");
    for (const [, link] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      const [target, anchor] = link.split("#");
      if (link.startsWith(sources)) {
        t.true(
          existsSync(root + target.slice(sources.length).replace(/^(blob|tree)\/main\//, "")),
          `${page}: ${link}`,
        );
      } else if (!/^\w+:/.test(link)) {
        const path = target === "" ? page : posix.join(posix.dirname(page), target);
        t.true(isPacked(path), `${page}: ${link} is not shipped`);
        if (anchor)
          t.true(anchorsOf(readFileSync(root + path, "utf8")).includes(anchor), `${page}: no ${link}`);
      }
    }
  }
});

test("who finds the package finds its sources, its page and where to complain", (t) => {
  t.is(manifest.homepage, `${sources.slice(0, -1)}#readme`);
  t.is(manifest.bugs, `${sources}issues`);
  t.true(manifest.keywords.includes("ocsp-stapling"));
  t.is(new Set(manifest.keywords).size, manifest.keywords.length);
});

test("the command runs as npx would run it", async (t) => {
  const { stdout } = await promisify(execFile)(process.execPath, [root + manifest.bin.tlstaple, "--version"]);
  t.is(stdout.trim(), manifest.version);
});
