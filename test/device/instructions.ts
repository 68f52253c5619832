import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { hostFile } from "../../hosts/xs/driver/machine.js";
import type { Recorded } from "./record.js";
import { replay } from "./xs.js";

/** Instructions that a connection takes on RV32. */
export interface Instructions {
  readonly total: number;
  /** Of the crypto library, with the C library and the compiler's. */
  readonly crypto: number;
  /** Of XS without its collector, and of the host. */
  readonly engine: number;
  readonly collector: number;
}

const folder = dirname(hostFile("rv32"));
const plugin = join(folder, "count.so");

/** Replays a connection in heap steps as the SDK's; undefined where the emulator can't count. */
export async function count(recorded: Recorded): Promise<Instructions | undefined> {
  if (!existsSync(plugin)) return undefined;
  const directory = mkdtempSync(join(tmpdir(), "tlstaple-"));
  const map = join(directory, "map");
  const out = join(directory, "counts");
  try {
    writeFileSync(map, ranges(readFileSync(join(folder, "map"), "utf8")));
    const counter = `file=${plugin},map=${map},out=${out}`;
    const ran = await replay({ ...recorded, target: "rv32" }, 1 << 20, 1024, {
      sdkSteps: true,
      plugin: counter,
    });
    if (ran.code !== 0) throw new Error(`exit ${ran.code}: ${ran.output}`);
    const [crypto, engine, collector] = readFileSync(out, "utf8").trim().split("\n").map(Number);
    return { total: crypto + engine + collector, crypto, engine, collector };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** What hosts/xs/count.c is told of each function: 0 begins, 1 ends, then as in `Instructions`. */
function groupOf(name: string, object: string): number {
  // main.c calls the one before the program's `main`, the other when all is over
  if (name === "heapReset") return 0;
  if (name === "heapPeak") return 1;
  if (/\.a\(/.test(object)) return 2;
  return /^fx(Collect|Mark|Sweep)/.test(name) ? 4 : 3;
}

/** The functions of a linker's map, whose long names have a line of their own. */
function ranges(map: string): string {
  const row = /^ \.text(?:\.(\S+))?\s+0x([0-9a-f]+)\s+0x([0-9a-f]+) (\S.*)$/gm;
  const lines: [number, string][] = [];
  for (const [, name = "", at, size, object] of map.matchAll(row)) {
    const start = Number.parseInt(at, 16);
    const end = start + Number.parseInt(size, 16);
    if (start !== 0 && end > start)
      lines.push([start, `${groupOf(name, object)} ${start.toString(16)} ${end.toString(16)}`]);
  }
  return lines
    .sort(([a], [b]) => a - b)
    .map(([, line]) => line)
    .join("\n");
}
