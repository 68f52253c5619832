import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { fileURLToPath } from "node:url";
import test from "ava";

const root = fileURLToPath(new URL("../../", import.meta.url));

function files(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(folder, name));
}

/** A file's text without comments, so that prose is no code. */
function code(file: string): string {
  return readFileSync(join(root, file), "utf8")
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/(^|\s)\/\/.*$/gm, "$1");
}

/** What a file imports: paths from the root for its own project, bare names for the rest. */
function imports(file: string): string[] {
  const found = [...code(file).matchAll(/(?:\bfrom|\bimport)\s*\(?\s*"([^"]+)"/g)].map((match) => match[1]);
  return found.map((id) =>
    id.startsWith(".") ? relative(root, normalize(join(root, dirname(file), id))) : id,
  );
}

/** Layers, and what each may import besides itself. */
const allowed: Record<string, string[]> = {
  wire: [],
  crypto: ["wire"],
  pki: ["wire", "crypto"],
  record: ["wire", "crypto"],
  client: ["wire", "crypto", "pki", "record"],
  server: ["wire", "crypto", "pki", "record"],
};

const layerOf = (path: string) => path.split("/")[1];

test("src has the layers of the design and no other", (t) => {
  const layers = new Set(files("src").map(layerOf));
  for (const layer of layers) t.true(layer in allowed, layer);
  t.true(layers.has("client"));
});

for (const layer of Object.keys(allowed)) {
  test(`${layer} imports only ${allowed[layer].join(", ") || "itself"}`, (t) => {
    const own = files("src").filter((file) => layerOf(file) === layer);
    const may = new Set([layer, ...allowed[layer]]);
    for (const file of own)
      for (const id of imports(file))
        t.true(id.startsWith("src/") && may.has(layerOf(id)), `${file} imports ${id}`);
    t.pass(`${own.length} files`);
  });
}

test("hosts and certs import of src only index files, and src none of those", (t) => {
  const isIndex = (id: string) => /^src\/\w+\/index\.js$/.test(id);
  for (const file of [...files("hosts"), ...files("certs")])
    for (const id of imports(file)) t.true(!id.startsWith("src/") || isIndex(id), `${file} imports ${id}`);
  for (const file of files("src"))
    for (const id of imports(file)) t.false(isIndex(id), `${file} imports ${id}`);
});

test("the reader of imports sees what it must", (t) => {
  t.true(imports("src/client/index.ts").includes("src/pki/chain.js"));
  t.true(imports("hosts/node/provider.ts").includes("node:crypto"));
});

const device = ["wire", "crypto", "pki", "record", "client"];
/** What runs on a device beside them, but for its one module that knows the SDK. */
const deviceHost = ["options", "pem", "platform", "socket", "texts"].map(
  (name) => `hosts/moddable/${name}.ts`,
);

/** What device code must not use, each with the reason why. */
const forbidden: [RegExp, string][] = [
  [/\basync\b|\bawait\b/, "promises cost 75 slots each"],
  [/\bfunction\s*\*|\byield\b/, "generators keep a stack"],
  [/\bfor\s*\([^)]*\bof\b/, "for…of makes an iterator"],
  [/\.\.\.(?!\/)/, "spread makes an array"],
  [/\b(?:const|let|var)\s*\[/, "array patterns make an iterator"],
  [/^(?:export\s+)?(?:let|var)\b/m, "module-level state can't be preloaded"],
  [/^\s*static\b/m, "static fields fail in XS 13.3"],
  [/\bBigInt\b|\b\d+n\b/, "BigInts in ROM compare wrongly"],
  [/\bTextEncoder\b|\bTextDecoder\b|\bBuffer\b|\bconsole\b|\bsetTimeout\b/, "XS has none"],
  [/\bDate\b|\bMath\.random\b|\bprocess\b/, "the core has no clock, no randomness, no environment"],
];

for (const [pattern, why] of forbidden) {
  test(`device code has no ${pattern.source}: ${why}`, (t) => {
    const own = files("src").filter((file) => device.includes(layerOf(file)));
    t.true(own.length > 20);
    for (const file of own.concat(deviceHost)) t.false(pattern.test(code(file)), file);
  });
}

test("module-level tables are frozen", (t) => {
  for (const file of files("src").filter((name) => device.includes(layerOf(name))))
    for (const [line] of code(file).matchAll(/^(?:export )?const \w+[^=\n]*= *[[{].*$/gm))
      t.fail(`${file}: ${line}`);
  t.pass();
});

test("the device bundle holds the client, and nothing of hosts or server", (t) => {
  const bundle = readFileSync(join(root, "dist/client.js"), "utf8");
  t.true(bundle.includes("WAIT_ENCRYPTED_EXTENSIONS"));
  t.deepEqual([...bundle.matchAll(/^import .*$/gm)].map(String), []);
  const names = (layers: string[]) =>
    files("src")
      .filter((file) => layers.includes(layerOf(file)))
      .flatMap((file) => [...code(file).matchAll(/^(?:export )?(?:class|function) (\w+)/gm)])
      .map(([, name]) => name);
  const own = new Set(names(device));
  const server = names(["server"]).filter((name) => !own.has(name));
  t.true(server.length > 50);
  for (const name of server) t.false(new RegExp(`^(?:class|function) ${name}\\b`, "m").test(bundle), name);
});
