import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Job } from "./job.js";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const binary = join(root, "build/xs/tlstaple-xs");
const program = join(root, "build/xs/device.js");

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
export function replay(job: Job, arena: number, stack: number): Run {
  const folder = mkdtempSync(join(tmpdir(), "tlstaple-"));
  try {
    return runIn(folder, job, arena, stack);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function runIn(folder: string, job: Job, arena: number, stack: number): Run {
  const jobFile = join(folder, "job.json");
  const statsFile = join(folder, "stats.json");
  writeFileSync(jobFile, JSON.stringify(job));
  const args = [
    "--preload",
    "--arena",
    `${arena}`,
    "--stack",
    `${stack}`,
    "--stats",
    statsFile,
    program,
    jobFile,
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
