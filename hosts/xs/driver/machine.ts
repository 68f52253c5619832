import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Where build.sh and rollup put things. */
const folder = fileURLToPath(new URL("../../../xs/", import.meta.url));
/** What XS hosts are built for: this machine, and RV32 in an emulator (build-rv32.sh). */
export type Target = "native" | "rv32";

export function hostFile(target: Target): string {
  return join(folder, target === "native" ? "." : `../xs-${target}`, "tlstaple-xs");
}

/** What the XS host was built as; undefined where there is none. */
export function about(
  target: Target = "native",
): { readonly bits: 32 | 64; readonly psa: boolean } | undefined {
  const binary = hostFile(target);
  if (!existsSync(binary)) return undefined;
  return JSON.parse(execFileSync(binary, ["--about"], { encoding: "utf8" }));
}

/** 64 KB, and twice that where slots are twice as large as on a device. */
export function usualArena(target?: Target): number {
  return about(target)?.bits === 64 ? 131072 : 65536;
}

/** A machine's use of memory at one moment: bytes, counts, and computrons. */
export interface Use {
  readonly slotBytes: number;
  readonly slotPeak: number;
  readonly chunkBytes: number;
  readonly chunkPeak: number;
  readonly stackPeakSlots: number;
  readonly computrons: number;
  readonly collections: number;
}

/** What the host writes to the file of `--stats`. */
export interface Stats extends Use {
  readonly exit: number;
  readonly sharedBytes: number;
  readonly nativePeak: number;
  readonly baseline: Use;
  readonly marks: readonly (Use & { readonly label: string; readonly nativeBytes: number })[];
}

export interface MachineOptions {
  /** Bytes of RAM: then what is at the module's top level is flash, and its `main` is called. */
  readonly arena?: number;
  /** How many slots of the arena are stack. */
  readonly stack?: number;
  /** RAM grows in the SDK's steps, not in the smallest. */
  readonly sdkSteps?: boolean;
  /** Milliseconds after which the process is ended. */
  readonly patience?: number;
  /** The host that runs it, this machine's own by default. */
  readonly target?: Target;
  /** A plugin of the emulator with its arguments, as qemu has them. */
  readonly plugin?: string;
}

/** How a program ended. */
export interface Ran {
  /** Null after a signal. */
  readonly code: number | null;
  /** What it wrote to standard error. */
  readonly errors: string;
  readonly stats: Stats | undefined;
}

/** The file of a program that rollup has made. */
export function programFile(name: string): string {
  return join(folder, `${name}.js`);
}

/** Runs a program with a job, which it finds in the file that its first argument names. */
export async function runJob(
  program: string,
  job: object,
  options: MachineOptions,
  receive: (output: Buffer) => void,
): Promise<Ran> {
  const directory = mkdtempSync(join(tmpdir(), "tlstaple-xs-"));
  const jobFile = join(directory, "job.json");
  const statsFile = join(directory, "stats.json");
  try {
    writeFileSync(jobFile, JSON.stringify(job), { mode: 0o600 });
    const args = [...machineFlags(options), "--stats", statsFile, program, jobFile];
    const ended = await run(args, options, receive);
    const stats = existsSync(statsFile) ? JSON.parse(readFileSync(statsFile, "utf8")) : undefined;
    return { ...ended, stats };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function machineFlags({ arena, stack = 512, sdkSteps }: MachineOptions): string[] {
  if (arena === undefined) return [];
  return ["--preload", "--arena", `${arena}`, "--stack", `${stack}`, ...(sdkSteps ? ["--sdk-steps"] : [])];
}

function run(args: string[], options: MachineOptions, receive: (output: Buffer) => void) {
  const { patience: timeout, target = "native", plugin } = options;
  const env = plugin === undefined ? process.env : { ...process.env, QEMU_PLUGIN: plugin };
  return new Promise<Omit<Ran, "stats">>((resolve, reject) => {
    const child = spawn(hostFile(target), args, { stdio: ["ignore", "pipe", "pipe"], timeout, env });
    let errors = "";
    child.stdout.on("data", receive);
    child.stderr.setEncoding("utf8").on("data", (text) => {
      errors += text;
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, errors }));
  });
}
