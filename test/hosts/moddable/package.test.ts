import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import test from "ava";
import type { SecureOptions } from "../../../hosts/moddable/socket.js";
import { provider } from "../../../hosts/node/provider.js";
import { configure } from "../../../src/client/index.js";
import { alertOf, type FaultName, faults, isCommon, isOfCrls } from "../../../src/wire/fault.js";
import { texts } from "../../../src/wire/texts.js";
import { wolfsslError } from "../../../src/wire/wolfssl.js";
import { App } from "./app.js";

/** What an application of the Moddable SDK gets: manifests, modules, types, documentation. */

const root = fileURLToPath(new URL("../../../../", import.meta.url));
const modules = join(root, "dist/moddable");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const manifest = JSON.parse(read("hosts/moddable/manifest.json"));
const platforms: { modules: Record<string, string | string[]>; preload: string | string[] }[] = Object.values(
  manifest.platforms,
);

/** Manifests at the root, of modules that an application has beside those, by their files. */
const others = readdirSync(root).filter((name) => /^manifest_\w+\.json$/.test(name));
interface Beside {
  include: string | string[];
  modules?: Record<string, string | string[]>;
  platforms?: Record<string, Pick<Beside, "modules">>;
}
const besides: Beside[] = others.map((name) => JSON.parse(read(name)));

/** Features of the client that an application may do without: the sources that are theirs alone. */
const parts: Record<string, string[]> = {
  tls12: ["client/client12", "handshake/handshake12", "crypto/keys12", "record/protection12"],
  statusV2: ["client/statusv2"],
  clientCertificates: ["client/clientcertificates", "handshake/identity"],
  nameConstraints: ["pki/constraints"],
  resumption: [
    "client/resumption",
    "client/resuming",
    "client/sessioncodec",
    "crypto/psk13",
    "crypto/digest",
  ],
  verifiedSignatures: ["pki/remembered"],
  rsa: ["pki/rsa"],
};

/** Paths from the root of what a manifest's modules map to, without their endings. */
function sources(map: Record<string, string | string[]>, folder: string): string[] {
  const named = Object.entries(map).filter(([name]) => name !== "~" && name !== "*");
  return named.flatMap(([, paths]) => [paths].flat()).map((path) => join(folder, path));
}

/** The same of all manifests. */
const allSources = [
  ...[manifest, ...platforms].flatMap((each) => sources(each.modules, "hosts/moddable")),
  ...besides.flatMap((each) => [
    ...sources(each.modules ?? {}, ""),
    ...Object.values(each.platforms ?? {}).flatMap((platform) => sources(platform.modules ?? {}, "")),
  ]),
];

/** The files that the SDK finds for it: those of that name with any ending. */
function found(path: string): string[] {
  const [folder, base] = [join(path, ".."), path.split("/").pop()];
  return readdirSync(join(root, folder))
    .filter((name) => name.replace(/(\.d)?\.\w+$/, "") === base)
    .map((name) => join(folder, name));
}

test("the manifests include the one that there is", (t) => {
  for (const { include } of besides)
    for (const path of [include].flat().filter((each) => !each.startsWith("$")))
      t.true(existsSync(join(root, path)), path);
  t.true(existsSync(join(root, JSON.parse(read("manifest.json")).include)));
});

test("every file that the manifest maps is there and is packed, no TypeScript among them", async (t) => {
  const { stdout } = await promisify(execFile)("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
    cwd: root,
  });
  const packed = new Set(JSON.parse(stdout)[0].files.map(({ path }: { path: string }) => path));
  for (const path of allSources) {
    const files = found(path);
    t.true(
      files.some((file) => /\.(m?js|c)$/.test(file)),
      path,
    );
    for (const file of files) t.true(packed.has(file) && !/(?<!\.d)\.ts$/.test(file), file);
  }
  for (const path of ["manifest.json", "hosts/moddable/manifest.json", ...others]) t.true(packed.has(path));
  t.deepEqual(others, [
    "manifest_certificatemanager.json",
    "manifest_crl.json",
    "manifest_p521.json",
    "manifest_securesocket.json",
  ]);
  for (const example of readdirSync(join(root, "hosts/moddable/examples")))
    for (const name of ["main.js", "manifest.json", "README.md"])
      t.true(packed.has(`hosts/moddable/examples/${example}/${name}`));
});

test("the documentation tells every example", (t) => {
  for (const example of readdirSync(join(root, "hosts/moddable/examples")))
    for (const page of ["README.md", "docs/moddable.md"])
      t.true(read(page).includes(`hosts/moddable/examples/${example})`), `${page}: ${example}`);
});

test("on a device every module of ours is preloaded", (t) => {
  const { modules, preload } = manifest.platforms.esp32;
  const names = Object.keys({ ...manifest.modules, ...modules }).filter((name) => name.length > 1);
  t.deepEqual([...preload].sort(), names.sort());
});

test("on a simulator all is preloaded but noble and its randomness, which no preloaded module imports", (t) => {
  const { modules, preload } = manifest.platforms["..."];
  const names = Object.keys({ ...manifest.modules, ...modules }).filter((name) => name.length > 1);
  const loaded = ["tlstaple/portable", "tlstaple/entropy"];
  t.deepEqual([...preload].sort(), names.filter((name) => !loaded.includes(name)).sort());
  const imported = imports(read("dist/moddable/provider-late.js")).map(([, , from]) => from);
  t.deepEqual(imported, ["modules"]);
});

test("what an application may do without has a stub behind it, which is in once the module is excluded", (t) => {
  const optional = readdirSync(join(modules, "without")).filter((name) => name.endsWith(".js"));
  const names = [...Object.keys(parts), "caIndex", "pem", "texts"];
  t.deepEqual(optional.sort(), names.map((name) => `${name}.js`).sort());
  for (const file of optional) {
    const name = file.replace(".js", "");
    const paths = ["", "without/"].map((folder) => `../../dist/moddable/${folder}${name}`);
    t.deepEqual(manifest.modules[`tlstaple/${name}`], paths);
    t.deepEqual(exported(`dist/moddable/without/${file}`), exported(`dist/moddable/${file}`));
  }
});

test("what is said of faults is in the module of texts and in no other", (t) => {
  const said = [texts.OCSP_CERT_REVOKED, texts.DECODE_ERROR, "BAD_CERTIFICATE_STATUS_ERROR"];
  const inBytes = (file: string) =>
    read(`dist/moddable/debug/${file}`).match(/Uint8Array\.from\(/g)?.length ?? 0;
  t.is(inBytes("texts.js"), 3, "names of alerts, what is said, wolfSSL's errors");
  t.is(inBytes("core.js"), 2, "names of faults, and the pairs that all of these are packed with");
  for (const file of allBut("texts", "crl")) {
    for (const text of said) t.false(read(`dist/moddable/${file}`).includes(text), `${file}: ${text}`);
    if (file !== "core.js" && file !== "provider-portable.js") t.is(inBytes(file), 0, file);
  }
});

/** Files of modules, stubs among them. */
const allBut = (...names: string[]) =>
  readdirSync(modules, { recursive: true, encoding: "utf8" }).filter(
    (file) =>
      file.endsWith(".js") && !file.startsWith("debug") && !names.some((name) => file === `${name}.js`),
  );

/** The names of a source's functions and classes. */
function declared(file: string): string[] {
  const found = read(`build/src/${file}.js`).matchAll(/^(?:export )?(?:function|class) (\w+)/gm);
  return [...found].map(([, name]) => name);
}

/** Whether a module declares this name; read where names are whole. */
const declares = (file: string, name: string) =>
  new RegExp(`^(?:function|class) ${name}\\b`, "m").test(read(`dist/moddable/debug/${file}`));

for (const [name, files] of Object.entries(parts))
  test(`what ${name} is made of is in its module and in no other`, (t) => {
    const elsewhere = new Set(sourcesBut(files).flatMap(declared));
    for (const file of files) {
      const names = declared(file).filter((each) => !elsewhere.has(each));
      t.true(
        names.some((each) => declares(`${name}.js`, each)),
        file,
      );
      for (const other of allBut(name))
        for (const each of names) t.false(declares(other, each), `${other}: ${each}`);
    }
    for (const [, , from] of imports(read(`dist/moddable/${name}.js`))) t.is(from, "tlstaple/core");
  });

/** All sources but these. */
const sourcesBut = (files: readonly string[]) =>
  readdirSync(join(root, "build/src"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".js"))
    .map((file) => file.replace(".js", ""))
    .filter((file) => !files.includes(file));

test("the twins for debugging are all there", (t) => {
  const files = (folder: string) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".js"));
  const debug = files(join(modules, "debug"));
  t.deepEqual(debug.sort(), allBut().sort());
  for (const file of debug) {
    const whole = new Set(exported(`dist/moddable/debug/${file}`));
    for (const name of exported(`dist/moddable/${file}`).filter(isWhole))
      t.true(whole.has(name), `${file}: ${name}`);
  }
});

test("what no module needs is not there, nor is what the manifest does not map", (t) => {
  const mapped = allSources.map((path) => `${path}.js`);
  const unmapped = allBut().filter((file) => !mapped.includes(`dist/moddable/${file}`));
  t.deepEqual(unmapped, []);
  for (const file of ["core.js", "tls.js"])
    t.false(/class TlsClient|const everything\b/.test(read(`dist/moddable/debug/${file}`)), file);
});

const imports = (code: string) => [
  ...code.matchAll(/\bimport\s*([\w$]*,?\s*(?:\{[^}]*\})?)\s*from\s*["']([^"']+)["']/g),
];

/** What a clause in braces names, on the side of the module that has it. */
const named = (clause: string, side: 0 | 1) =>
  [...clause.matchAll(/([\w$]+)(?:\s+as\s+([\w$]+))?(?=\s*[,}])/g)].map(
    ([, own, as = own]) => [own, as][side],
  );

/** The names that a module exports. */
function exported(path: string): string[] {
  return [...read(path).matchAll(/\bexport\s*(\{[^}]*\})/g)].flatMap(([, clause]) => named(clause, 1)).sort();
}

/** A name that is not one of rollup's own short ones. */
const isWhole = (name: string) => name.length > 3;

/** Modules of the SDK that ours import. */
const sdk = ["timer", "Resource", "net", "embedded:io/socket/tcp", "modules", "mc/config"];

/** Files of those of ours that others import. */
const shared: Record<string, string> = { "tlstaple/core": "core", "embedded:io/socket/tcp/tls": "tls" };

test("modules import only what the manifests map, and of others only what these have", (t) => {
  const maps: Pick<Beside, "modules">[] = [manifest, ...platforms, ...besides];
  maps.push(...besides.flatMap((each) => Object.values(each.platforms ?? {})));
  const mapped = new Set([...sdk, ...maps.flatMap(({ modules: map = {} }) => Object.keys(map))]);
  let taken = 0;
  for (const file of readdirSync(modules).filter((name) => name.endsWith(".js")))
    for (const [, clause, from] of imports(read(`dist/moddable/${file}`))) {
      t.true(mapped.has(from), `${file}: ${from}`);
      if (!(from in shared)) continue;
      const has = exported(`dist/moddable/${shared[from]}.js`);
      const names = named(clause, 0);
      for (const name of names) t.true(has.includes(name), `${file}: ${name}`);
      taken += names.length;
    }
  t.true(taken > 5);
});

test("no platform gets randomness that is not for cryptography", async (t) => {
  const preprocess = (...flags: string[]) =>
    promisify(execFile)("cc", ["-E", "-U__linux__", ...flags, join(root, "hosts/moddable/entropy.c")]);
  await t.throwsAsync(preprocess("-DPICO_BUILD"), { message: /#error .*Pico SDK.* not for cryptography/ });
  await t.throwsAsync(preprocess(), { message: /#error .*no source of unpredictable bytes/ });
  t.notRegex(read("hosts/moddable/entropy.c"), /get_rand_32/);
});

test("modules have nothing that XS lacks or can't run", (t) => {
  for (const file of readdirSync(modules).filter((name) => name.endsWith(".js"))) {
    const code = read(`dist/moddable/${file}`).replace(/\/\*[\s\S]*?\*\//g, "");
    t.notRegex(code, /^\s*static \w+( =|;)/m, `${file}: static fields`);
    t.notRegex(code, /'node:|\bBuffer\.|\bprocess\./, file);
  }
});

test("the portable module's static fields are assigned behind their classes", (t) => {
  const code = read("dist/moddable/debug/provider-portable.js");
  t.is(code.match(/^Point\.BASE = new Point\(/gm)?.length, 2);
  t.is(code.match(/^Point\.Fn = Fn;/gm)?.length, 2);
});

test("the documentation tells every fault, with its alert, wolfSSL's number and the text", (t) => {
  const doc = read("docs/moddable.md");
  for (const name of Object.keys(faults) as FaultName[]) {
    // A server's, which no device is, or of lookups
    if (!isCommon(name) && !isOfCrls(name)) continue;
    const cells = [`\`${name}\``, alertOf(faults[name]) || "", wolfsslError(name)?.number ?? "", texts[name]];
    const row = `${cells.map((cell) => `| ${cell}`.trim()).join(" ")} |`;
    t.true(doc.includes(row), row);
  }
});

/** Whether the socket knows these options. */
function taken(secure: SecureOptions): boolean {
  try {
    return new App({ secure }) !== undefined;
  } catch {
    return false;
  }
}

/** What a configuration has, and the defaults that it inherits. */
function namesIn(config: object): string[] {
  const names: string[] = [];
  for (const name in config) names.push(name);
  return names;
}

test("the documentation tells every option", (t) => {
  const doc = read("docs/moddable.md");
  const [, own] = read("hosts/moddable/options.ts").match(
    /interface SecureOptions [\s\S]*? \{\n([\s\S]*?)\n\}/,
  )!;
  const config = configure({ provider, clock: () => 0, trust: [], verify: false });
  const passed = namesIn(config).filter((name) => taken({ [name]: undefined }));
  const names = [...own.matchAll(/readonly (\w+)\?:/g)].map(([, name]) => name).concat(passed);
  t.true(new Set(names).size > 15);
  const ours = [...names.filter((name) => name !== "ocsp"), ...namesIn(config.ocsp)];
  for (const name of ours) t.regex(doc, new RegExp(`\`(ocsp\\.)?${name}(\\(\\w+\\))?\``), name);
});
