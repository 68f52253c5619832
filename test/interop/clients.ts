import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ExecutionContext } from "ava";
import { credential, type Edition } from "../../certs/fixtures.js";

/** Clients that are commands, run to their end. */

export interface Run {
  readonly code: number;
  /** What it printed, to both ends. */
  readonly output: string;
}

/** In ms: no client takes longer, whatever the server does. */
const LIFETIME = 15_000;

/** Runs a client with that input, which then ends. */
export function runClient(command: string, args: string[], input = ""): Promise<Run> {
  return new Promise((resolve) => {
    const child = execFile(command, args, { timeout: LIFETIME }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code ?? -1) : 0, output: `${stdout}${stderr}` }),
    );
    child.stdin!.on("error", () => undefined); // it ended while we wrote
    child.stdin!.end(input);
  });
}

/** A folder for a client's files, removed when the test ends. */
export function folder(t: ExecutionContext): string {
  const made = mkdtempSync(join(tmpdir(), "tlstaple-"));
  t.teardown(() => rmSync(made, { recursive: true }));
  return made;
}

/** The file of an edition's root CA. */
export function rootFile(edition: Edition): string {
  return credential(edition, "root").certificateFile;
}
