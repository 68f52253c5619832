/** What an import of the package takes before anything of it is called: processes in turns, beyond Node's start. */

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { median } from "./stats.js";

/** Milliseconds beyond a process that imports nothing, in each round. */
export interface Loading {
  readonly what: string;
  readonly wall: number[];
  readonly cpu: number[];
}

const programs: Readonly<Record<string, string>> = Object.freeze({
  nothing: "",
  "node:https, which has node:tls": 'import "node:https";',
  tlstaple: 'import "tlstaple";',
  "tlstaple/responder": 'import "tlstaple/responder";',
});

/** Since the process began. */
const tell =
  "const { user, system } = process.cpuUsage();\nconsole.log(performance.now(), (user + system) / 1000);";

const root = fileURLToPath(new URL("../../../", import.meta.url));

async function start(program: string): Promise<readonly [wall: number, cpu: number]> {
  const args = ["--input-type=module", "-e", `${program}\n${tell}`];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root });
  const [wall, cpu] = stdout.split(" ").map(Number);
  return [wall, cpu];
}

export async function measureLoading(rounds: number): Promise<Loading[]> {
  const found = Object.keys(programs).map((what) => ({ what, wall: [] as number[], cpu: [] as number[] }));
  for (let round = 0; round < rounds; round++) {
    const nothing = await start(programs.nothing);
    for (const { what, wall, cpu } of found) {
      const times = await start(programs[what]);
      wall.push(times[0] - nothing[0]);
      cpu.push(times[1] - nothing[1]);
    }
  }
  return found;
}

export function loadingRows(loadings: readonly Loading[]): string[][] {
  const rows = loadings.map(({ what, wall, cpu }) => [
    what,
    median(wall).toFixed(0),
    Math.min(...wall).toFixed(0),
    median(cpu).toFixed(0),
    Math.min(...cpu).toFixed(0),
  ]);
  return [["an import of", "wall ms", "least", "CPU ms", "least"], ...rows];
}
