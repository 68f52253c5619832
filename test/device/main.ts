import { readFileSync, statSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { cases } from "./cases.js";
import { type Cost, measure, steps } from "./measure.js";
import { plot } from "./plot.js";

// What connections cost on a device, measured in XS.
//
//   npm run device [-- CASE ...]   a table
//   npm run device -- --json       one object, a key for each case
//   npm run device -- --write      writes test/device/budget.json and docs/device-heap.svg anew

export interface Budget {
  readonly cases: Record<string, Cost>;
  /** Bytes of the modules that a device gets. */
  readonly bundles: Record<string, number>;
}

const root = new URL("../../../", import.meta.url);
export const budgetFile = fileURLToPath(new URL("test/device/budget.json", root));
const plotFile = fileURLToPath(new URL("docs/device-heap.svg", root));
/** What a handshake with a staple may take, docs/moddable.md. */
const LIMIT = 16384;

export function readBudget(): Budget {
  return JSON.parse(readFileSync(budgetFile, "utf8"));
}

/** The modules that a device has with everything. */
const modules = [
  "core",
  "tls",
  "tls12",
  "statusV2",
  "clientCertificates",
  "resumption",
  "nameConstraints",
  "rsa",
  "pem",
  "texts",
  "provider-psa",
];

export function measureBundles(): Record<string, number> {
  const size = (name: string) => statSync(fileURLToPath(new URL(`dist/moddable/${name}.js`, root))).size;
  return Object.fromEntries(modules.map((name) => [name, size(name)]));
}

async function measureAll(only: readonly string[]): Promise<Budget> {
  const wanted = cases.filter(({ name }) => only.length === 0 || only.includes(name));
  const costs: Record<string, Cost> = {};
  for (const device of wanted) costs[device.name] = await measure(device);
  return { cases: costs, bundles: measureBundles() };
}

async function main(args: string[]): Promise<void> {
  const flags = args.filter((arg) => arg.startsWith("--"));
  const budget = await measureAll(args.filter((arg) => !arg.startsWith("--")));
  if (flags.includes("--json")) console.log(JSON.stringify(budget.cases, null, 2));
  else console.table(budget.cases);
  if (!flags.includes("--write")) return;
  const [first] = cases;
  const title = `Live memory over the steps of a handshake: ${first.name}, 32-bit XS`;
  writeFileSync(budgetFile, `${JSON.stringify(budget, null, 2)}\n`);
  writeFileSync(plotFile, plot(title, await steps(first), budget.cases[first.name].bufferBytes, LIMIT));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.slice(2));
