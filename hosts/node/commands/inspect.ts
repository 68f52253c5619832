import { Command } from "commander";
import { type InspectOptions, inspect } from "../ocsp/inspect.js";
import type { Output } from "./usage.js";

/** `tlstaple inspect`. `finish` gets the exit code. */
export function inspectCommand(out: Output, err: Output, finish: (code: number) => void): Command {
  return new Command("inspect")
    .description("name and show what files hold, and verify an OCSP response as the client does")
    .helpOption("--help", "show this help")
    .argument(
      "<file...>",
      "certificates, OCSP responses and requests, keys, CSRs, CRLs, PKCS #7 or #12; PEM, DER or base64; - for standard input",
    )
    .option("--issuer <file>", "certificate of the CA that issued the one of --cert")
    .option("--cert <file>", "certificate that the response is about; with --issuer it is verified")
    .option("--at <time>", "moment to verify for, such as 2026-07-01T12:00:00Z; now by default")
    .option("--max-age <seconds>", "greatest age of a response")
    .option("--allow-missing-next-update", "accept a response without nextUpdate")
    .option("--responder <file>", "certificates of responders to trust, besides the issuer and its delegates")
    .option("--json", "print one JSON object instead of text")
    .action((files: string[], options: InspectOptions) => finish(inspect(files, options, out, err)));
}
