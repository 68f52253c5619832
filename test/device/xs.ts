import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { about, programFile, runJob, type Stats } from "../../hosts/xs/cli/machine.js";
import type { Recorded } from "./record.js";

/** Why costs can't be compared here: they are of objects as large as a device's, and of PSA Crypto. */
export function incomparable(): string | undefined {
  const built = about();
  if (built === undefined) return "there is no XS host";
  if (built.bits !== 32) return "the XS host is for 64 bits";
  return built.psa ? undefined : "the XS host is built without PSA Crypto";
}

export interface Run {
  readonly code: number | null;
  readonly output: string;
  readonly stats: Stats | undefined;
}

/** Replays a job in an arena of so many bytes, of which the stack takes so many slots. */
export async function replay({ program, job, bytes }: Recorded, arena: number, stack: number): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), "tlstaple-"));
  const server = join(folder, "server.bin");
  let output = "";
  try {
    writeFileSync(server, bytes);
    const ran = await runJob(programFile(program), { ...job, server }, { arena, stack }, (text) => {
      output += text;
    });
    return { code: ran.code, output: output + ran.errors, stats: ran.stats };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
