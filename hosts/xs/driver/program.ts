import { type Command, Option } from "commander";
import { clientCommandIn } from "../../node/commands/client.js";
import { program, runProgram } from "../../node/commands/program.js";
import { numberBetween, type Output } from "../../node/commands/usage.js";
import { usualArena } from "./machine.js";
import { talkInXs } from "./talk.js";

const description = "tlstaple in the XS engine, as on a device";

/** Runs `npm run xs --` with these arguments, and returns its exit code, as that of `tlstaple`. */
export function run(args: string[], out: Output, err: Output): Promise<number> {
  return runProgram(args, out, err, (finish) => program(description, [xsClient(out, err, finish)]));
}

/** `tlstaple client`, in XS. */
function xsClient(out: Output, err: Output, finish: (code: number) => void): Command {
  return clientCommandIn(talkInXs, out, err, finish)
    .option("--arena <bytes>", "RAM: stack, slots and chunks", numberBetween(16384, 1 << 30), usualArena())
    .option("--stack <slots>", "how much of it is stack", numberBetween(128, 65536), 512)
    .option("--memory", "print what was used of it, in bytes")
    .addOption(
      new Option("--provider <name>", "cryptography: Mbed TLS by PSA, or JavaScript, which has no arena")
        .choices(["psa", "portable"])
        .default("psa"),
    );
}
