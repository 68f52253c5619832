import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runJob } from "../../hosts/xs/driver/machine.js";
import { OPTIONAL } from "../moddable/workplace.js";

/** Bytes of flash that our modules take once they are preloaded, without C. */
export interface Rom {
  readonly all: number;
  /** TLS 1.3 with ECDSA: without what an application may exclude. */
  readonly small: number;
}

const modules = fileURLToPath(new URL("../../../dist/moddable/", import.meta.url));

/** What the modules import of the SDK, as far as it matters before they run. */
const others: Readonly<Record<string, string>> = {
  Resource: "export default class Resource {}",
  timer: "export default Object.freeze({})",
  "tlstaple/psa": "export default globalThis.psa",
  // What xsl makes of it for a manifest without `config.tls`
  "tlstaple/config": "export const withDefaults = undefined",
};

/** Measured as what a frozen machine of the XS host has more with them than without. */
export async function measureRom(): Promise<Rom> {
  const names = ["core", "tls", "provider-psa"];
  const none = await sharedBytes([]);
  const all = await sharedBytes([...names, ...OPTIONAL]);
  const small = await sharedBytes([...names, ...OPTIONAL.map((name) => `without/${name}`)]);
  return { all: all - none, small: small - none };
}

async function sharedBytes(names: readonly string[]): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "tlstaple-"));
  try {
    const home = join(folder, "-".repeat(Math.max(PATH - folder.length - 1, 1)));
    mkdirSync(home);
    for (const [name, code] of Object.entries(others)) writeFileSync(join(home, fileOf(name)), code);
    for (const name of names) writeFileSync(join(home, fileOf(name)), moved(name));
    const imports = [...Object.keys(others), ...names].map((name) => `import "./${fileOf(name)}";`);
    const program = join(home, "program.js");
    writeFileSync(program, `${imports.join("\n")}\nglobalThis.main = () => {};`);
    const { errors, stats } = await runJob(program, {}, { arena: 1 << 20 }, () => {});
    if (stats?.exit !== 0) throw new Error(errors);
    return stats.sharedBytes;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Length of the folder's path: each module's is in flash. */
const PATH = 48;

/** A module with the others beside it. */
function moved(name: string): string {
  const code = readFileSync(join(modules, `${name}.js`), "utf8");
  return code.replace(/(\bfrom\s*)"([^"]+)"/g, (_, from, specifier) => `${from}"./${fileOf(specifier)}"`);
}

const fileOf = (name: string) =>
  `${name.replace(/^without\/|^tlstaple\//, "").replace("provider-psa", "provider")}.js`;
