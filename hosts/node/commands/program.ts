import { createRequire } from "node:module";
import { Command, CommanderError } from "commander";
import { printable } from "../common/text.js";
import { clientCommand } from "./client.js";
import { inspectCommand } from "./inspect.js";
import { responderCommand } from "./responder.js";
import { serverCommand } from "./server.js";
import { isUsageError, type Output } from "./usage.js";

const USAGE = 2;

/**
 * Runs `tlstaple` with these arguments, and returns its exit code: 0, all is well; 1, the handshake or a check
 * failed; 2, wrong use.
 */
export async function run(args: string[], out: Output, err: Output): Promise<number> {
  return runProgram(args, out, err, (finish) => {
    const description =
      "TLS with OCSP stapling: a client and a server to try it with, an OCSP responder, an inspector of responses";
    const commands = [
      clientCommand(out, err, finish),
      serverCommand(out, err, finish),
      inspectCommand(out, err, finish),
      responderCommand(out, err, finish),
    ];
    return program(description, commands);
  });
}

/** Runs a program that is made with what takes its exit code. */
export async function runProgram(
  args: string[],
  out: Output,
  err: Output,
  make: (finish: (code: number) => void) => Command,
): Promise<number> {
  let code = 0;
  const made = make((result) => {
    code = result;
  });
  try {
    await printingTo(out, err, made).parseAsync(args, { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
    if (!isUsageError(error)) throw error;
    err.write(`${printable((error as Error).message)}\n`);
    return USAGE;
  }
}

/** `tlstaple` with these commands. */
export function program(description: string, commands: readonly Command[]): Command {
  const { version } = createRequire(import.meta.url)("tlstaple/package.json") as { version: string };
  const command = new Command("tlstaple")
    .description(description)
    .version(version, "--version", "show the version")
    .helpOption("--help", "show this help")
    .helpCommand(false);
  for (const each of commands) command.addCommand(each);
  return command;
}

/** Has a program and its commands print there, and throw instead of ending the process. */
function printingTo(out: Output, err: Output, command: Command): Command {
  const output = { writeOut: (text: string) => out.write(text), writeErr: (text: string) => err.write(text) };
  for (const each of [command, ...command.commands]) each.exitOverride().configureOutput(output);
  return command;
}
