import { Command, CommanderError } from "commander";
import { printable } from "../common/text.js";
import { isUsageError, type Output, release } from "./usage.js";

const USAGE = 2;
/** As USAGE for a monitoring system, to which 2 is an alarm. */
const UNKNOWN = 3;

type MakeCommand = (out: Output, err: Output, finish: (code: number) => void) => Command;

/** The commands, each loaded with all that it needs when it is called. */
const commands: Readonly<Record<string, () => Promise<MakeCommand>>> = Object.freeze({
  client: async () => (await import("./client.js")).clientCommand,
  server: async () => (await import("./server.js")).serverCommand,
  check: async () => (await import("./check.js")).checkCommand,
  inspect: async () => (await import("./inspect.js")).inspectCommand,
  responder: async () => (await import("./responder.js")).responderCommand,
});

const description =
  "TLS with OCSP stapling: a client and a server to try it with, a check of servers, an OCSP responder, an inspector of responses";

/**
 * Runs `tlstaple` with these arguments, and returns its exit code: 0, all is well; 1, the handshake or a check
 * failed; 2, wrong use. `check` has those of monitoring plug-ins.
 */
export async function run(args: string[], out: Output, err: Output): Promise<number> {
  const makers = await Promise.all(namesFor(args).map((name) => commands[name]()));
  const make = (finish: (code: number) => void) =>
    program(
      description,
      makers.map((each) => each(out, err, finish)),
    );
  return runProgram(args, out, err, make, args[0] === "check" ? UNKNOWN : USAGE);
}

/** Who asks for help, or calls what there is not, is shown all. */
function namesFor([first = ""]: readonly string[]): string[] {
  if (Object.hasOwn(commands, first)) return [first];
  return first === "--version" ? [] : Object.keys(commands);
}

/** Runs a program that is made with what takes its exit code; `usage` is that of wrong use. */
export async function runProgram(
  args: string[],
  out: Output,
  err: Output,
  make: (finish: (code: number) => void) => Command,
  usage = USAGE,
): Promise<number> {
  let code = 0;
  const made = make((result) => {
    code = result;
  });
  try {
    await printingTo(out, err, made).parseAsync(args, { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : usage;
    if (!isUsageError(error)) throw error;
    err.write(`${printable((error as Error).message)}\n`);
    return usage;
  }
}

/** `tlstaple` with these commands. */
export function program(description: string, commands: readonly Command[]): Command {
  const command = new Command("tlstaple")
    .description(description)
    .version(release(), "--version", "show the version")
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
