import { setTimeout as sleep } from "node:timers/promises";
import { run } from "../../../hosts/node/commands/program.js";

/** What a command prints. */
export class Printed {
  text = "";

  write(text: string | Uint8Array): void {
    this.text += Buffer.from(text);
  }

  async matching(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.text);
      if (match) return match;
      await sleep(5);
    }
  }
}

export interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command in this process, to its end. */
export async function tlstaple(...args: string[]): Promise<Run> {
  const out = new Printed();
  const err = new Printed();
  const code = await run(args, out, err);
  return { code, stdout: out.text, stderr: err.text };
}
