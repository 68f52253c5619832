import type { Output } from "./usage.js";

/** What a shell sees of a program that SIGPIPE has ended, as it ends most whose reader leaves. Node ignores it. */
const BROKEN_PIPE = 141;
const FAILED = 1;

/**
 * Runs a command on this process's arguments and streams, and sets the exit code. Where nobody reads on, or the disk
 * is full, the command still comes to its end, as a server's clients are to be served; then the exit code tells of it.
 */
export async function main(
  run: (args: string[], out: Output, err: Output) => Promise<number>,
): Promise<void> {
  const { argv, stderr, stdout } = process;
  // A stream that has failed fails again at each write
  stdout.once("error", (error) => complain(error, stderr)).on("error", spoil);
  stderr.on("error", spoil);
  process.exitCode = await run(argv.slice(2), stdout, stderr).then((code) => code || process.exitCode);
}

function complain({ code, message }: NodeJS.ErrnoException, err: Output): void {
  if (code !== "EPIPE") err.write(`tlstaple: ${message}\n`);
}

function spoil({ code }: NodeJS.ErrnoException): void {
  process.exitCode ||= code === "EPIPE" ? BROKEN_PIPE : FAILED;
}
