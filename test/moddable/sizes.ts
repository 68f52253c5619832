import { cpSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { attempt, check, heading, note, table } from "./report.js";
import type { Builder } from "./sdk.js";
import { excluded, OPTIONAL, source } from "./workplace.js";

/** An application for the device. */
interface Built {
  /** Bytes of each module's byte code, by its name. */
  readonly modules: Map<string, number>;
  /** Bytes of the whole image; undefined when there is no compiler for 32 bits. */
  readonly image: number | undefined;
}

const base = [
  "$(MODDABLE)/examples/manifest_base.json",
  "$(MODDABLE)/examples/io/tcp/httpclient/manifest_httpclient.json",
];
const SDK = "$(MODDABLE)/examples/io/tcp/tlssocket/manifest.json";
const OURS = "./node_modules/tlstaple/manifest.json";
const SOCKET = "~.embedded/io/socket/tcp/tls";

/** What TLS adds to an application for esp32 that has the SDK's HTTP client: ours beside the SDK's. */
export async function measureSizes(builder: Builder, folder: string): Promise<void> {
  heading("Sizes for esp32, without C: what TLS adds to an application with the SDK's HTTP client");
  const plain = await build(builder, folder, "plain", "plain.js", []);
  const sdk = await build(builder, folder, "secure-sdk", "secure.js", [SDK]);
  const ours = await build(builder, folder, "secure-tlstaple", "secure.js", [OURS]);
  const least = await build(builder, folder, "secure-least", "secure.js", [OURS], OPTIONAL);
  if (!plain || !sdk || !ours || !least) return;
  table([["module of ours", "bytes of .xsb"], ...addedTo(plain, ours)]);
  table([["", "the SDK's TLS 1.2", "tlstaple", "the least of it"], ...totals(plain, sdk, ours, least)]);
  await measureParts(builder, folder, ours);
  if (plain.image === undefined) note("no image was compiled: apt-get install gcc-multilib libc6-dev-i386");
}

/** What each module is worth that an application may do without. */
async function measureParts(builder: Builder, folder: string, ours: Built): Promise<void> {
  const rows: (string | number)[][] = [["left out", "bytes of .xsb saved", "bytes of the image saved"]];
  for (const name of OPTIONAL) {
    const built = await build(builder, folder, `without-${name}`, "secure.js", [OURS], [name]);
    const [whole, stub] = [ours, built].map((each) => each?.modules.get(`tlstaple/${name}`) ?? 0);
    check(stub > 0 && stub < 256, `without ${name}`, `${stub} bytes of .xsb`);
    rows.push([name, whole - stub, (ours.image ?? 0) - (built?.image ?? 0)]);
  }
  table(rows);
}

/**
 * An application that includes the SDK's TLS too, as those with its HTTPS client do, gets our socket. The SDK's TLS stays
 * for the classic API, until a line of the application's excludes it.
 */
export async function testReplacement(builder: Builder, folder: string): Promise<void> {
  heading("Ours in the place of the SDK's own socket");
  const ours = await build(builder, folder, "ours", "secure.js", [OURS]);
  for (const [name, include, excludes] of [
    ["sdk-then-ours", [SDK, OURS], []],
    ["ours-then-sdk", [OURS, SDK], []],
    ["sdk-then-ours-alone", [SDK, OURS], ["$(MODDABLE)/modules/crypt/ssl/*"]],
    ["ours-then-sdk-alone", [OURS, SDK], ["$(MODDABLE)/modules/crypt/ssl/*"]],
  ] as const) {
    const both = await build(builder, folder, name, "secure.js", include, [], excludes);
    if (!both || !ours) continue;
    const left = [...both.modules.keys()].filter((module) => module.startsWith("ssl/"));
    const same = both.modules.get(SOCKET) === ours.modules.get(SOCKET);
    const right = same && !left.includes("ssl/session") && left.length > 0 === (excludes.length === 0);
    const more = both.image && ours.image ? `, ${both.image - ours.image} bytes above ours alone` : "";
    check(right, name, same ? `our socket, and ${left.length} modules of the SDK's TLS${more}` : "the SDK's");
  }
}

async function build(
  builder: Builder,
  folder: string,
  name: string,
  main: string,
  include: readonly string[],
  without: readonly string[] = [],
  excludes: readonly string[] = [],
) {
  const app = join(folder, name);
  mkdirSync(app);
  cpSync(source(`size/${main}`), join(app, "main.js"));
  symlinkSync(join(folder, "node_modules"), join(app, "node_modules"));
  const manifest = {
    include: [base[0], ...include, base[1]],
    modules: { "*": "./main", "~": [...without.map(excluded), ...excludes] },
  };
  writeFileSync(join(app, "manifest.json"), JSON.stringify(manifest));
  return attempt(`${name} is built`, async (): Promise<Built> => {
    const made = await builder.esp32(app);
    return { modules: builder.modules(made), image: await builder.image(made) };
  });
}

function addedTo(plain: Built, { modules }: Built): [name: string, bytes: number][] {
  return [...modules].filter(([name]) => !plain.modules.has(name));
}

function totals(plain: Built, ...all: Built[]): (string | number)[][] {
  const added = all.map((built) => addedTo(plain, built).map(([, bytes]) => bytes));
  const rows: (string | number)[][] = [
    ["modules", ...added.map(({ length }) => length)],
    ["byte code, .xsb", ...added.map((bytes) => bytes.reduce((total, each) => total + each, 0))],
  ];
  const { image: base } = plain;
  const images = all.map(({ image }) => image).filter((image) => image !== undefined);
  if (base !== undefined && images.length === all.length)
    rows.push(["image: mc.xs.c compiled for 32 bits", ...images.map((image) => image - base)]);
  return rows;
}
