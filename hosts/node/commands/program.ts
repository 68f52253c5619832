import { createRequire } from "node:module";
import { Command, CommanderError } from "commander";
import { clientCommand } from "./client.js";
import { inspectCommand } from "./inspect.js";
import { isUsageError, type Output } from "./usage.js";

const USAGE = 2;

/**
 * Runs `tlstaple` with these arguments, and returns its exit code: 0, all is well; 1, the handshake or a check
 * failed; 2, wrong use.
 */
export async function run(args: string[], out: Output, err: Output): Promise<number> {
  let code = 0;
  const finish = (result: number) => {
    code = result;
  };
  try {
    await program(out, err, finish).parseAsync(args, { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
    if (!isUsageError(error)) throw error;
    err.write(`${(error as Error).message}\n`);
    return USAGE;
  }
}

function program(out: Output, err: Output, finish: (code: number) => void): Command {
  const { version } = createRequire(import.meta.url)("tlstaple/package.json") as { version: string };
  const command = new Command("tlstaple")
    .description("TLS with OCSP stapling: a client to try it with, an inspector of OCSP responses")
    .version(version, "--version", "show the version")
    .helpOption("--help", "show this help")
    .helpCommand(false);
  for (const each of [clientCommand(out, err, finish), inspectCommand(out, err, finish)])
    command.addCommand(each);
  const output = { writeOut: (text: string) => out.write(text), writeErr: (text: string) => err.write(text) };
  for (const each of [command, ...command.commands]) each.exitOverride().configureOutput(output);
  return command;
}
