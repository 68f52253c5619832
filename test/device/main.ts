import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { Target } from "../../hosts/xs/driver/machine.js";
import { cases, type DeviceCase, first } from "./cases.js";
import { type Cost, measure, measureOnRv32, type Rv32Cost, steps } from "./measure.js";
import { plot, plotShares } from "./plot.js";
import { measureRom, type Rom } from "./rom.js";
import { incomparable } from "./xs.js";

// What connections cost on a device, measured in XS.
//
//   npm run device [-- CASE ...]     a table
//   npm run device -- --json         one object, a key for each case, and `rom`: bytes of flash
//   npm run device -- --write        writes test/device/budget.json and docs/device-heap.svg anew
//   npm run device -- --target rv32  the same on RV32, with instructions; --write writes test/device/budget-rv32.json and
//                                    docs/device-reconnect.svg

export interface Budget {
  readonly cases: Record<string, Cost>;
  readonly rom: Rom;
}

const root = new URL("../../../", import.meta.url);
const budgetFile = fileURLToPath(new URL("test/device/budget.json", root));
const rv32BudgetFile = fileURLToPath(new URL("test/device/budget-rv32.json", root));
const plotFile = fileURLToPath(new URL("docs/device-heap.svg", root));
const reconnectFile = fileURLToPath(new URL("docs/device-reconnect.svg", root));
/** What a handshake with a staple may take, docs/moddable.md. */
const LIMIT = 16384;

export function readBudget(): Budget {
  return JSON.parse(readFileSync(budgetFile, "utf8"));
}

export interface Rv32Budget {
  readonly cases: Record<string, Rv32Cost>;
}

export function readRv32Budget(): Rv32Budget {
  return JSON.parse(readFileSync(rv32BudgetFile, "utf8"));
}

async function measureAll<C extends Cost>(
  only: readonly string[],
  measureOne: (device: DeviceCase) => Promise<C>,
): Promise<Record<string, C>> {
  const wanted = cases.filter(({ name }) => only.length === 0 || only.includes(name));
  const costs: Record<string, C> = {};
  for (const device of wanted) costs[device.name] = await measureOne(device);
  return costs;
}

function print(costs: Record<string, Cost | Rv32Cost>, json: boolean, rom?: Rom): void {
  if (json) {
    console.log(JSON.stringify({ ...costs, rom }, null, 2));
    return;
  }
  const flat = Object.entries(costs).map(([name, cost]) => {
    const { instructions, ...rest } = { instructions: undefined, ...cost };
    return [name, { ...rest, ...instructions }];
  });
  console.table(Object.fromEntries(flat));
  if (rom) console.log(`Flash, without C: ${rom.all} bytes, ${rom.small} without what may be excluded`);
}

async function onRv32(only: readonly string[], json: boolean, write: boolean): Promise<void> {
  const costs = await measureAll(only, measureOnRv32);
  print(json ? withFirst(costs) : costs, json);
  if (!write) return;
  writeFileSync(rv32BudgetFile, `${JSON.stringify({ cases: costs }, null, 2)}\n`);
  writeFileSync(reconnectFile, plotReconnecting(withFirst(costs)));
}

/** The first connection to a server once more, by what it is beside `again` and `resumed`. */
function withFirst(costs: Record<string, Rv32Cost>): Record<string, Rv32Cost> {
  return first in costs ? { ...costs, first: costs[first] } : costs;
}

function plotReconnecting(costs: Record<string, Rv32Cost>): string {
  const rows = ["first", "again", "resumed"].map((name) => {
    const { crypto, engine, collector } = costs[name].instructions!;
    return { name, crypto, script: engine + collector };
  });
  return plotShares("Instructions of a handshake on RV32: TLS 1.3, P-256, a delegate's staple", rows);
}

async function onThisMachine(only: readonly string[], json: boolean, write: boolean): Promise<void> {
  const budget: Budget = {
    cases: await measureAll(only, (device) => measure(device)),
    rom: await measureRom(),
  };
  print(budget.cases, json, budget.rom);
  if (!write) return;
  const [first] = cases;
  const title = `Live memory over the steps of a handshake: ${first.name}, 32-bit XS`;
  writeFileSync(budgetFile, `${JSON.stringify(budget, null, 2)}\n`);
  writeFileSync(plotFile, plot(title, await steps(first), budget.cases[first.name].bufferBytes, LIMIT));
}

async function main(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      json: { type: "boolean", default: false },
      write: { type: "boolean", default: false },
      target: { type: "string", default: "native" },
    },
  });
  if (!["native", "rv32"].includes(values.target)) throw new Error(`there is no target ${values.target}`);
  const target = values.target as Target;
  if (incomparable[target]) throw new Error(incomparable[target]);
  await (target === "rv32" ? onRv32 : onThisMachine)(positionals, values.json, values.write);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.slice(2));
