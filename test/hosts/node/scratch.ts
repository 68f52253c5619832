import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ExecutionContext } from "ava";

/** A temporary directory, until the test ends; what still writes to it then may take its time. */
export function scratch(t: ExecutionContext): string {
  const directory = mkdtempSync(join(tmpdir(), "tlstaple-"));
  t.teardown(() => rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 }));
  return directory;
}
