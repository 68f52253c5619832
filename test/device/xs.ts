import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { about, programFile, runJob, type Stats } from "../../hosts/xs/driver/machine.js";
import { psaObstacle } from "../xs/machine.js";
import type { Recorded } from "./record.js";

/** Why costs can't be compared here: they are of objects as large as a device's, and of PSA Crypto. */
export const incomparable =
  psaObstacle ?? (about()?.bits === 32 ? undefined : "the XS host is not for 32 bits");

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
