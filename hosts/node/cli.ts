import { createRequire } from "node:module";
import { Command, CommanderError } from "commander";
import { clientCommand, isUsageError } from "./commands/client.js";
import { inspectCommand } from "./commands/inspect.js";

const USAGE = 2;

function program(): Command {
  const { version } = createRequire(import.meta.url)("tlstaple/package.json") as { version: string };
  const command = new Command("tlstaple")
    .description("TLS with OCSP stapling: a client to try it with, an inspector of OCSP responses")
    .version(version, "--version", "show the version")
    .helpOption("--help", "show this help")
    .helpCommand(false);
  for (const each of [clientCommand(exitWith), inspectCommand(exitWith)]) command.addCommand(each);
  for (const each of [command, ...command.commands]) each.exitOverride();
  return command;
}

function exitWith(code: number): void {
  process.exitCode = code;
}

/** 0: all well; 1: the handshake or a check failed; 2: wrong use. */
async function main(): Promise<void> {
  try {
    await program().parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) exitWith(error.exitCode === 0 ? 0 : USAGE);
    else if (isUsageError(error)) {
      console.error((error as Error).message);
      exitWith(USAGE);
    } else throw error;
  }
}

await main();
