import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Recorded } from "./record.js";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const binary = join(root, "build/xs/tlstaple-xs");
const program = join(root, "build/xs/program.js");

/** Whether the XS host is here, for 32 bits and with PSA: what budgets are of. */
export function comparable(): boolean {
  if (!existsSync(binary)) return false;
  const built = readFileSync(join(root, "build/xs/fingerprint"), "utf8");
  return built.startsWith("/") && readFileSync(join(root, "build/xs/flags"), "utf8").startsWith("-m32");
}

export interface Use {
  readonly slotBytes: number;
  readonly slotPeak: number;
  readonly chunkBytes: number;
  readonly chunkPeak: number;
  readonly stackPeakSlots: number;
  readonly computrons: number;
  readonly collections: number;
}

export interface Stats extends Use {
  readonly exit: number;
  readonly sharedBytes: number;
  readonly nativePeak: number;
  readonly baseline: Use;
  readonly marks: readonly (Use & { readonly label: string; readonly nativeBytes: number })[];
}

export interface Run {
  readonly code: number;
  readonly output: string;
  readonly stats: Stats;
}

/** Replays a job in an arena of so many bytes, of which the stack takes so many slots. */
export function replay(recorded: Recorded, arena: number, stack: number): Run {
  const folder = mkdtempSync(join(tmpdir(), "tlstaple-"));
  try {
    return runIn(folder, recorded, arena, stack);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function runIn(folder: string, { job, bytes }: Recorded, arena: number, stack: number): Run {
  const jobFile = join(folder, "job.json");
  const bytesFile = join(folder, "server.bin");
  const statsFile = join(folder, "stats.json");
  writeFileSync(jobFile, JSON.stringify(job));
  writeFileSync(bytesFile, bytes);
  const args = [
    ...["--preload", "--arena", `${arena}`, "--stack", `${stack}`, "--stats", statsFile],
    ...[program, jobFile, bytesFile],
  ];
  let code = 0;
  let output = "";
  try {
    output = execFileSync(binary, args, { encoding: "utf8", stdio: "pipe" });
  } catch (error) {
    const failure = error as { status: number | null; stdout: string; stderr: string };
    code = failure.status ?? -1;
    output = `${failure.stdout}${failure.stderr}`;
  }
  return { code, output, stats: JSON.parse(readFileSync(statsFile, "utf8")) };
}
