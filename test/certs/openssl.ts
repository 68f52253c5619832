import { spawnSync } from "node:child_process";

/** Runs `openssl`; its exit status and all that it said. */
export function openssl(...args: string[]): { ok: boolean; output: string } {
  const { status, stdout, stderr } = spawnSync("openssl", args, { encoding: "utf8", timeout: 20_000 });
  return { ok: status === 0, output: stdout + stderr };
}
