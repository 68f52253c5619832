/** Runs a script of wolfSSL's, and reads what it and the wrappers tell. */

import { spawn } from "node:child_process";
import { existsSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { tool } from "../peers/process.js";
import { Scratch } from "../peers/scratch.js";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const built = join(root, "build/wolfssl");
const source = join(built, "source");
const wrappers = join(root, "test/wolfssl");

/** Milliseconds that a script may take; they take a tenth of it. */
const LIMIT = 240_000;

/** Why wolfSSL's package is not there; undefined when it is. test/wolfssl/build.sh has said it too. */
export const why: string | undefined = existsSync(join(built, "stamp"))
  ? undefined
  : existsSync(join(built, "why"))
    ? readFileSync(join(built, "why"), "utf8").trim()
    : "test/wolfssl/build.sh has not run";

export type Program = "client" | "server" | "responder";

/** A connection of the client's. */
export interface Call {
  readonly args: string;
  readonly output: string;
  readonly code: number;
}

/** What a script does under one of its headings. */
export interface Case {
  /** As the script has it: `TEST CASE 2 SHOULD REVOKE`; empty before the first. */
  readonly heading: string;
  readonly calls: Call[];
  /** How the servers were started. */
  readonly started: string;
  /** What the servers printed. */
  readonly servers: string[];
}

export interface Run {
  readonly code: number;
  readonly output: string;
  readonly cases: readonly Case[];
  /** What the responders printed. */
  readonly responders: readonly string[];
}

/** The headings that a script can print, in its order. */
export function headings(script: string): string[] {
  const text = readFileSync(join(source, "scripts", script), "utf8");
  return [...text.matchAll(/^ *printf .*-{3,} (TEST CASE .*?) -{3,}/gm)].map(([, heading]) => heading);
}

/**
 * Runs a script of wolfSSL's unchanged, in a folder that has its certificates and, in the place of the programs named, ours.
 * `multi`: wolfSSL's own ask for the staples of the whole chain in TLS 1.3.
 */
export async function run(script: string, ours: readonly Program[], multi: boolean): Promise<Run> {
  const scratch = new Scratch();
  try {
    const { directory } = scratch;
    for (const part of ["scripts", "certs"]) symlinkSync(join(source, part), join(directory, part));
    symlinkSync(join(wrappers, "examples"), join(directory, "examples"));
    const { code, output } = await bash(`./scripts/${script}`, directory, {
      PATH: `${join(wrappers, "bin")}:${process.env.PATH}`,
      OPENSSL: tool("openssl"),
      NODE: process.execPath,
      CLI: cli(),
      WOLFSSL: join(source, multi ? "examples-multi" : "examples"),
      OURS: ours.join(" "),
      HERE: wrappers,
      LOGS: directory,
      // No second try, which would hide a failure, and no network of its own, which takes rights
      RETRIES_REMAINING: "0",
      AM_BWRAPPED: "yes",
    });
    const log = (name: string) => readFileSync(join(directory, name), "latin1");
    const responders = [...output.matchAll(/^\[(responder) (\d+)\]/gm)].map(([, what, id]) =>
      log(`${what}-${id}`),
    );
    return { code, output, cases: casesIn(output, log), responders };
  } finally {
    scratch.remove();
  }
}

/** The command as it ships, which starts sooner, unless `tsc` alone has run since. */
function cli(): string {
  const [built, shipped] = ["build/hosts/node/cli.js", "dist/node/cli.js"].map((file) => join(root, file));
  const current = existsSync(shipped) && statSync(shipped).mtimeMs > statSync(built).mtimeMs;
  return current ? shipped : built;
}

/** Both streams in one, so that what the wrappers tell stands where it belongs. Whatever is left at the end is ended. */
function bash(
  script: string,
  cwd: string,
  env: Record<string, string>,
): Promise<{ code: number; output: string }> {
  const child = spawn("sh", ["-c", 'exec "$0" 2>&1', script], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
    detached: true,
  });
  const end = () => {
    try {
      process.kill(-child.pid!, "SIGKILL");
    } catch {} // nobody is left
  };
  const timer = setTimeout(end, LIMIT);
  process.once("exit", end);
  let output = "";
  child.stdout.on("data", (bytes: Buffer) => {
    output += bytes.toString("latin1");
  });
  child.once("exit", end);
  return new Promise((resolve) => {
    child.once("close", (code) => {
      clearTimeout(timer);
      process.off("exit", end);
      resolve({ code: code ?? 1, output });
    });
  });
}

function casesIn(output: string, log: (name: string) => string): Case[] {
  return output.split(/^(?=-{3,} TEST CASE )/m).map((part) => ({
    heading: /^-+ (TEST CASE .*?) -+$/m.exec(part)?.[1] ?? "",
    calls: [...part.matchAll(/^\[client \d+\] (.*)\n([\s\S]*?)^\[client ends\] (\d+)$/gm)].map(
      ([, args, output, code]) => ({ args, output, code: Number(code) }),
    ),
    started: [...part.matchAll(/^\[server .*$/gm)].join("\n"),
    servers: [...part.matchAll(/^\[server (\d+)\]/gm)].map(([, id]) => log(`server-${id}`)),
  }));
}
