import { Command, InvalidArgumentError, Option } from "commander";
import { type OcspRequirement, requirements } from "../../../src/pki/index.js";
import { check } from "../check/check.js";
import type { CheckOptions } from "../check/model.js";
import { parseThreshold, type Threshold } from "../check/threshold.js";
import { printable } from "../common/text.js";
import { type StarttlsProtocol, starttlsProtocols, usualPort } from "../starttls/index.js";
import { reportJson } from "./check-json.js";
import { exitCodes, report } from "./check-report.js";
import { readVersion } from "./flags.js";
import { type Place, readHost, readPlace } from "./place.js";
import { isUsageError, numberBetween, type Output, readFile } from "./usage.js";

/** What the command line says, read and checked. */
interface Flags {
  sni?: string;
  ca?: Buffer;
  cert?: Buffer;
  key?: Buffer;
  starttls?: StarttlsProtocol;
  tls?: "TLSv1.2" | "TLSv1.3";
  policy: OcspRequirement;
  warn: Threshold;
  crit: Threshold;
  lookup: boolean;
  ocspUrl?: string;
  timeout: number;
  json?: boolean;
}

const HTTPS = 443;

const PLACE_HELP =
  "server; its port is 443 by default, or that of the protocol of --starttls; an IPv6 address with a port stands in brackets";
const TIME_HELP = "a staple has less life left: 3600, 90m, 12h, 2d, or 20% of the whole";

/** `tlstaple check`, with the manners of a monitoring plug-in. `finish` gets the exit code. */
export function checkCommand(out: Output, err: Output, finish: (code: number) => void): Command {
  return new Command("check")
    .description("check a server's OCSP staples as its clients would, for people and for monitoring")
    .helpOption("--help", "show this help")
    .argument("<host[:port]>", PLACE_HELP, readPlace)
    .option("-S, --sni <name>", "name to send as SNI and to verify; the host by default", readHost)
    .option("-A, --ca <file>", "root CAs to trust, PEM or DER; those that Node brings by default", readFile)
    .option("--cert <file>", "own certificate chain, for servers that want one", readFile)
    .option("--key <file>", "its private key", readFile)
    .addOption(
      new Option("--starttls <protocol>", "begin in clear, in this protocol").choices(starttlsProtocols),
    )
    .option("-v, --tls <number>", "TLS version: 3 = TLS 1.2, 4 = TLS 1.3; both by default", readVersion)
    .addOption(
      new Option("--policy <name>", "certificates that need a good staple")
        .choices(requirements)
        .default("leaf"),
    )
    .option("-w, --warn <time>", `warn when ${TIME_HELP}`, readThreshold, { percent: 10 })
    .option("-c, --crit <time>", "the same for what is critical; 5% by default", readThreshold, {
      percent: 5,
    })
    .option("--no-lookup", "do not ask the OCSP responders")
    .option("-O, --ocsp-url <url>", "ask this responder, not the one that the certificate names", readUrl)
    .option("-t, --timeout <seconds>", "time for all of it", numberBetween(1, 3600), 30)
    .option("--json", "print one JSON object instead of text")
    .allowExcessArguments(false)
    .action(async (place: Place, flags: Flags) =>
      finish(await run(optionsOf(place, flags), flags, out, err)),
    );
}

/** What can't be found out is unknown, not merely wrong. */
async function run(options: CheckOptions, { json }: Flags, out: Output, err: Output): Promise<number> {
  try {
    const checked = await check(options);
    (json ? reportJson : report)(checked, options, out);
    return exitCodes[checked.status];
  } catch (error) {
    if (isUsageError(error)) throw error;
    err.write(`${printable(String((error as Error).stack))}\n`);
    return exitCodes.UNKNOWN;
  }
}

function optionsOf({ host, port }: Place, flags: Flags): CheckOptions {
  const { ca, cert, crit, key, lookup, ocspUrl, policy, sni, starttls, timeout, tls, warn } = flags;
  const usual = starttls ? usualPort(starttls) : HTTPS;
  const target = { host, port: port ?? usual, servername: sni, ca, cert, key, starttls };
  const times = { warn, crit, timeout: timeout * 1000 };
  return { target, version: tls, policy, lookup, overrideUrl: ocspUrl, ...times };
}

function readThreshold(text: string): Threshold {
  const threshold = parseThreshold(text);
  if (threshold !== undefined) return threshold;
  throw new InvalidArgumentError("It must be a time such as 3600, 90m, 12h, 2d, or a part such as 20%.");
}

function readUrl(text: string): string {
  if (URL.canParse(text) && /^https?:/i.test(text)) return text;
  throw new InvalidArgumentError("It must be an http or https URL.");
}
