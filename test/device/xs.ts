import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  about,
  type MachineOptions,
  programFile,
  runJob,
  type Stats,
  type Target,
} from "../../hosts/xs/driver/machine.js";
import { psaObstacle, rv32Obstacle } from "../xs/machine.js";
import type { Recorded } from "./record.js";

/** Why costs can't be compared here: they are of objects as large as a device's, and of PSA Crypto. */
export const incomparable: Readonly<Record<Target, string | undefined>> = {
  native: psaObstacle ?? (about()?.bits === 32 ? undefined : "the XS host is not for 32 bits"),
  rv32: rv32Obstacle,
};

export interface Run {
  readonly code: number | null;
  readonly output: string;
  readonly stats: Stats | undefined;
}

/** A connection, and the host that it is replayed in. */
export interface Replayable extends Recorded {
  readonly target: Target;
}

/** Replays a job in an arena of so many bytes, of which the stack takes so many slots. */
export async function replay(
  { program, job, bytes, target }: Replayable,
  arena: number,
  stack: number,
  more: Pick<MachineOptions, "sdkSteps" | "plugin"> = {},
): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), "tlstaple-"));
  const server = join(folder, "server.bin");
  let output = "";
  try {
    writeFileSync(server, bytes);
    const options = { arena, stack, target, ...more };
    const ran = await runJob(programFile(program), { ...job, server }, options, (text) => {
      output += text;
    });
    return { code: ran.code, output: output + ran.errors, stats: ran.stats };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
