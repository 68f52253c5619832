import { spawn } from "node:child_process";
import { note } from "./report.js";

/** Seconds for all that an application does. */
const LIMIT = 300;

/** Runs an application of the simulator's until it says "end"; the lines that it traced. */
export function linesOf(headless: string, library: string, clock?: number): Promise<string[]> {
  const args = [library, `${LIMIT}`, ...(clock === undefined ? [] : [`${clock}`])];
  const child = spawn(headless, args, { stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (bytes) => {
      printed += bytes;
      if (/^end$/m.test(printed)) child.kill();
    });
  return new Promise((resolve) => {
    child.on("close", () => {
      const lines = printed.split("\n");
      if (!lines.includes("end")) note(`it did not come to its end:\n${printed.slice(-1000)}`);
      resolve(lines);
    });
  });
}
