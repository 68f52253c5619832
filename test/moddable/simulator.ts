import { spawn } from "node:child_process";

/** Seconds that an application may run. */
const LIMIT = 300;

/** What became of an application on the simulator. */
export interface Outcome {
  readonly printed: string;
  /** 0: it ended by itself. */
  readonly code: number | null;
}

/**
 * Runs an application until it has printed what matches, or ends by itself. `clock` is what its clock begins with, in
 * seconds since 1970.
 */
export function simulate(
  headless: string,
  library: string,
  until?: RegExp,
  clock?: number,
): Promise<Outcome> {
  const args = [library, `${LIMIT}`, ...(clock === undefined ? [] : [`${clock}`])];
  const child = spawn(headless, args, { stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (bytes) => {
      printed += bytes;
      if (until?.test(printed)) child.kill();
    });
  return new Promise((resolve) => child.on("close", (code) => resolve({ printed, code })));
}
