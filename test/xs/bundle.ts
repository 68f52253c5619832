import { existsSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Plugin, rollup } from "rollup";

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const root = here("../../../");
const { lowerStaticFields }: { lowerStaticFields: Plugin } = await import(join(root, "rollup.device.js"));

/** What stands in for what XS can't have. */
const substitutes: Readonly<Record<string, string>> = {
  ava: here("ava.js"),
  "fast-check": here("fast-check.js"),
  [here("../../hosts/node/provider.js")]: here("provider.js"),
  [here("../hosts/psa/remote.js")]: here("provider.js"),
};

const builtin = new Set(builtinModules);
const ENTRY = "\0entry";
const NODE = "\0node:";

/** Makes one file of a test and all that it imports, to be run in XS. */
export async function bundleTest(test: string, file: string): Promise<void> {
  const plugins = [entry(test), forXs, lowerStaticFields];
  const bundle = await rollup({ input: ENTRY, plugins, onwarn: () => undefined });
  await bundle.write({ file, format: "es", inlineDynamicImports: true });
  await bundle.close();
}

/** Runs the test once all is loaded. */
function entry(test: string): Plugin {
  const code = `import ${JSON.stringify(here("globals.js"))};
    import ${JSON.stringify(test)};
    import { runAll } from "ava";
    runAll().then(() => host.exit(0));`;
  return {
    name: "entry",
    resolveId: (id) => (id === ENTRY ? ENTRY : null),
    load: (id) => (id === ENTRY ? code : null),
  };
}

const forXs: Plugin = {
  name: "for-xs",
  async resolveId(id, from) {
    const name = id.replace(/^node:/, "");
    if (builtin.has(name)) return NODE + name;
    if (substitutes[id] && substitutes[id] !== from) return substitutes[id];
    if (!/^[./\0]/.test(id)) return packageFile(id);
    const resolve = (path: string) => this.resolve(path, from, { skipSelf: true });
    const resolved = (await resolve(id)) ?? (await resolve(`${id}/index.js`));
    return resolved && (substitutes[resolved.id] ?? resolved);
  },
  load: (id) => (id.startsWith(NODE) ? lentModule(`node:${id.slice(NODE.length)}`) : null),
  resolveImportMeta: (property, { moduleId }) => (property === "url" ? `"file://${moduleId}"` : null),
};

/** What a package has for bundlers, as its main file may be CommonJS. */
function packageFile(id: string): string {
  const manifest = join(root, "node_modules", id, "package.json");
  const { module } = existsSync(manifest) ? JSON.parse(readFileSync(manifest, "utf8")) : {};
  return module ? join(dirname(manifest), module) : fileURLToPath(import.meta.resolve(id));
}

/** A module of Node's as XS sees it: functions and classes are lent, plain values copied. */
async function lentModule(name: string): Promise<string> {
  const module = await import(name);
  const lines = Object.keys(module)
    .filter((key) => key !== "default")
    .map((key) => `export const ${key} = ${lent(name, key, module[key])};`);
  return [`import { remote } from ${JSON.stringify(here("remote.js"))};`, ...lines].join("\n");
}

function lent(module: string, name: string, value: unknown): string {
  if (typeof value === "function") return `/* @__PURE__ */ remote("${module}", "${name}")`;
  const plain = name === "constants" || typeof value !== "object";
  return plain ? (JSON.stringify(value) ?? "undefined") : "undefined";
}
