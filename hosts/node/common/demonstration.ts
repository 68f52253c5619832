/** What demonstrations on 127.0.0.1 have in common. */

import { once } from "node:events";
import type { AddressInfo, Server } from "node:net";

/** The port of a server, which listens from now on. */
export async function portOf(server: Server): Promise<number> {
  if (!server.listening) {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  }
  return (server.address() as AddressInfo).port;
}

/** Whether something came out as it must, which is printed. */
export function judged(expected: string, got: string): boolean {
  const right = got === expected;
  console.log(`  expected ${expected}, got ${got}: ${right ? "as it must be" : "WRONG"}`);
  return right;
}

/**
 * Runs a demonstration of `what`, which resolves with whether each of them ended as it must. The process exits with 0 only if
 * all did, within `patience` milliseconds.
 */
export async function demonstrate(
  what: string,
  patience: number,
  run: () => Promise<readonly boolean[]>,
): Promise<void> {
  setTimeout(() => {
    console.error(`not done after ${patience / 1000} s: giving up`);
    process.exit(1);
  }, patience).unref();
  const results = await run();
  const right = results.filter((result) => result).length;
  console.log(`\n${right} of ${results.length} ${what} ended as they must.`);
  process.exitCode = right === results.length ? 0 : 1;
}
