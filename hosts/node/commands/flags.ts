import { isIP } from "node:net";
import { Command, InvalidArgumentError, Option } from "commander";
import { type OcspRequirement, requirements, staplings } from "../../../src/pki/index.js";
import type { ConnectOptions } from "../index.js";
import { type Place, readHost, readPlace, readPort } from "./place.js";
import { numberBetween, readFile, release, UsageError } from "./usage.js";

/** The option of `connect` that a flag sets as it was read. */
const optionOf = Object.freeze({
  host: "host",
  port: "port",
  ca: "ca",
  cert: "cert",
  key: "key",
  clientStaple: "clientStaple",
  sni: "servername",
  verify: "rejectUnauthorized",
  alpn: "ALPNProtocols",
  groups: "groups",
  profile: "profile",
} as const satisfies Record<string, keyof ConnectOptions>);

type OptionFlags = { [F in keyof typeof optionOf]?: ConnectOptions[(typeof optionOf)[F]] };

/** What the command line says, read and checked. */
export interface Flags extends OptionFlags {
  host: string;
  port: number;
  key?: Buffer;
  clientStaple?: Buffer;
  get?: boolean;
  tls?: "TLSv1.2" | "TLSv1.3";
  stapling?: Stapling;
  policy?: OcspRequirement;
  nonce?: boolean;
  nonceRequired?: boolean;
  fragment?: Pick<ConnectOptions, "maxFragmentLength" | "recordSizeLimit">;
  trace?: boolean;
  keylog?: string;
  json?: boolean;
  // Of Node's client alone
  crl?: Buffer[];
  crlPolicy?: OcspRequirement;
  disableCrl?: boolean;
  clientStapleFetch?: boolean;
  ocspLookup?: boolean;
  ocspUrl?: string;
  resume?: boolean;
  pcapng?: string;
  responder?: Buffer;
  // What wolfSSL's client has by default, and what changes it
  compat?: "wolfssl";
  matchName?: boolean;
  clientCert?: boolean;
}

export interface Stapling {
  /** wolfSSL's number: 1 to 3. */
  kind: number;
  must: boolean;
}

const W_HELP =
  "ask for OCSP stapling: 1 = status_request, 2 = status_request_v2 (TLS 1.2), 3 = the same for the whole chain, each certificate of which must then be good; with m appended (1m) a staple is required";
const F_HELP =
  "longest record wanted: 1-4 = 512, 1024, 2048, 4096 bytes by max_fragment_length (RFC 6066), 5 = 8192 and 6 = 256 by record_size_limit (RFC 8449)";
export const CRL_HELP =
  "CRLs, PEM or DER; may stand several times. Each certificate below the root then needs a list of its CA";
export const CRL_POLICY_HELP = `certificates that need a list with --crl: ${listed(requirements)}, the default`;
export const GROUPS_HELP =
  "groups of the key exchange, best first, separated by commas; X25519,P-256,P-384 by default; there are P-521, X448 and X25519MLKEM768 too";
export const PROFILE_HELP =
  "what a standard of charging electric vehicles asks of TLS: versions, suites, groups, staples, certificates";
export const COMPAT_HELP =
  "wolfssl: what is not given is as with wolfSSL's example programs, with the files in certs/ of wolfSSL's folder";
export const RESPONDER_HELP =
  "certificates of OCSP responders to trust though the CA delegated none of them; -responder too";
export const KEYLOG_HELP =
  "append the secrets to FILE, as SSLKEYLOGFILE; from then on only its owner can read it";

/** The command `client` with the flags of wolfSSL's example client; `run` gets what they say. */
export function clientFlags(run: (flags: Flags) => Promise<void>): Command {
  return new WolfsslCommand("client")
    .description("connect to a TLS server, check its certificate and staples, say hello")
    .helpOption("-?, --help", "show this help")
    .argument(
      "[host:port]",
      "server, in place of -h and -p; an IPv6 address with a port in brackets",
      readPlace,
    )
    .option("-h, --host <name>", "server", readHost, "127.0.0.1")
    .option("-p, --port <number>", "port", readPort, 11111)
    .option("-A, --ca <file>", "root CAs to trust, PEM or DER; those that Node brings by default", readFile)
    .option("-c, --cert <file>", "own certificate chain", readFile)
    .option("-k, --key <file>", "its private key", readFile)
    .option(
      "--client-staple <file>",
      "OCSP response in DER to staple for it, where the server asks in TLS 1.3",
      readFile,
    )
    .option("-g, --get", "send an HTTP GET and print the answer")
    .option("-S, --sni <name>", "name to send as SNI and to verify; the host by default", readHost)
    .option(
      "-v, --tls <number>",
      "TLS version: 3 = TLS 1.2, 4 = TLS 1.3; both by default, and TLS 1.2 with -W 2 and -W 3",
      readVersion,
    )
    .option("-d, --no-verify", "check nothing of the server's; for tests only")
    .option("-W, --stapling <kind>", W_HELP, readStapling)
    .option("--policy <name>", `certificates that need a good staple: ${listed(requirements)}`, readPolicy)
    .option("--nonce", "send a nonce with -W; a staple that has a nonce must then have this one")
    .option("--nonce-required", "the same, and take no staple without it; few servers pass a nonce on")
    .option("-F, --fragment <number>", F_HELP, readFragment)
    .option("-L, --alpn <names>", "application protocols to offer, separated by commas", readProtocols)
    .option("--groups <names>", GROUPS_HELP, readGroups)
    .option("--trace", "print each handshake message, staples decoded")
    .option("--keylog <file>", KEYLOG_HELP)
    .option("--json", "print one JSON object instead of text")
    .allowExcessArguments(false)
    .action((place: Place | undefined, flags: Flags, command: Command) => run(placed(place, flags, command)));
}

/** Flags as wolfSSL's examples have them, and one long one with a single dash. */
export class WolfsslCommand extends Command {
  override parseOptions(args: string[]): ReturnType<Command["parseOptions"]> {
    return super.parseOptions(args.map((arg) => (arg === "-responder" ? "--responder" : arg)));
  }
}

/** The flags with the server that stands beside them. */
function placed(place: Place | undefined, flags: Flags, command: Command): Flags {
  if (place === undefined) return flags;
  const twice = ["host", "port"].filter((name) => command.getOptionValueSource(name) === "cli");
  if (twice.length > 0) throw new UsageError(`the server is given twice: once with --${twice[0]}`);
  return { ...flags, host: place.host, port: place.port ?? flags.port };
}

/** Adds the flags of what only Node's client does. */
export function nodeFlags(command: Command): Command {
  return command
    .option("-r, --resume", "connect a second time, and resume the session")
    .option("-o, --ocsp-lookup", "ask the responder of the server's certificate when no staple came")
    .option("-O, --ocsp-url <url>", "the same, but ask this responder")
    .option(
      "--client-staple-fetch",
      "staple for -c what its responder says, where the server asks in TLS 1.3",
    )
    .option("--responder <file>", RESPONDER_HELP, readFile)
    .option("--crl <file>", CRL_HELP, readMore)
    .option("--crl-policy <name>", CRL_POLICY_HELP, readPolicy)
    .addOption(new Option("--profile <standard>", PROFILE_HELP).choices(["iso15118-2", "iso15118-20"]))
    .option("--pcapng <file>", "capture the connection, with its secrets, for Wireshark")
    .addOption(new Option("--compat <program>", COMPAT_HELP).choices(["wolfssl"]))
    .option(
      "-m, --match-name",
      "with --compat: check the server's name, in CN too; else it always is, in SAN alone",
    )
    .option("-x, --no-client-cert", "with --compat: show no certificate where none is given")
    .option("-C, --disable-crl", "as wolfSSL's: no CRL is looked at, as none is without --crl")
    .version("3:4", "-V, --versions", "print what -v takes")
    .version(`tlstaple/${release()} node/${process.versions.node}`, "-#, --build", "print what this is");
}

/** What the flags ask of a connection. */
export function connectOptions(flags: Flags): ConnectOptions {
  const { crl, crlPolicy, disableCrl } = flags;
  if (crl && disableCrl) throw new UsageError("-C looks at no CRL: it does not go with --crl");
  const names = Object.keys(optionOf) as (keyof typeof optionOf)[];
  const options = Object.fromEntries(names.map((flag) => [optionOf[flag], flags[flag]]));
  const version = versionOf(flags);
  const versions = { minVersion: version, maxVersion: version };
  return { ...options, ...versions, ...flags.fragment, ocsp: ocspOptions(flags), crl, crlPolicy };
}

/** The one version to speak; undefined: both are offered. status_request_v2 is TLS 1.2's (RFC 6961); the words are wolfSSL's. */
function versionOf({ stapling, tls }: Flags): Flags["tls"] {
  if (stapling === undefined || stapling.kind === 1) return tls;
  if (tls === "TLSv1.3") throw new UsageError("Cannot use OCSP Stapling V2 with TLSv1.3");
  return "TLSv1.2";
}

function ocspOptions(flags: Flags): ConnectOptions["ocsp"] {
  const { stapling, ocspUrl } = flags;
  const nonce = flags.nonceRequired ? true : flags.nonce && ("if-present" as const);
  const lookup = flags.ocspLookup || ocspUrl !== undefined;
  const ways = { nonce, lookup, overrideUrl: ocspUrl, responders: flags.responder };
  if (stapling === undefined)
    return { ...ways, stapling: flags.profile ? undefined : "off", policy: flags.policy };
  const required = stapling.kind === 3 ? "chain" : stapling.must ? "leaf" : "if-present";
  return { ...ways, stapling: staplings[stapling.kind], policy: flags.policy ?? required };
}

/** What is said once connected. */
export function greeting(flags: Flags): string {
  if (!flags.get) return "hello tlstaple!\n";
  return `GET / HTTP/1.1\r\nHost: ${hostHeader(flags)}\r\nConnection: close\r\n\r\n`;
}

/** RFC 9110 7.2: an IPv6 address stands in brackets. */
function hostHeader({ sni, host, port }: Flags): string {
  const name = sni ?? host;
  const bracketed = isIP(name) === 6 ? `[${name}]` : name;
  return port === 443 ? bracketed : `${bracketed}:${port}`;
}

export function readVersion(text: string): "TLSv1.2" | "TLSv1.3" {
  if (text === "3") return "TLSv1.2";
  if (text === "4") return "TLSv1.3";
  throw new InvalidArgumentError("It must be 3 (TLS 1.2) or 4 (TLS 1.3).");
}

function readStapling(text: string): Stapling {
  const match = /^([123])(m?)$/.exec(text);
  if (match === null) throw new InvalidArgumentError("It must be 1, 2 or 3, perhaps with m appended.");
  return { kind: Number(match[1]), must: match[2] === "m" };
}

/** One more file of those that a flag names. */
export function readMore(path: string, before: readonly Buffer[] = []): Buffer[] {
  return [...before, readFile(path)];
}

export function readPolicy(text: string): OcspRequirement {
  const known = requirements.find((policy) => policy === text);
  if (known !== undefined) return known;
  throw new InvalidArgumentError(`It must be ${listed(requirements)}.`);
}

/** wolfSSL's numbers; 5 and 6 are its own invention in max_fragment_length, so RFC 8449 says them for us. */
function readFragment(text: string): Flags["fragment"] {
  const n = numberBetween(1, 6)(text);
  if (n <= 4) return { maxFragmentLength: 256 << n };
  return { recordSizeLimit: n === 5 ? 8192 : 256 };
}

/** wolfSSL's C: or F: in front, on what to do when nothing matches, changes nothing: a server that minds refuses. */
export function readProtocols(text: string): string[] {
  return readNames(text.replace(/^[CF]:/, ""));
}

/** With colons too, as openssl's -groups has them. */
export function readGroups(text: string): string[] {
  return readNames(text.replaceAll(":", ","));
}

export function listed(words: readonly string[]): string {
  return `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

function readNames(text: string): string[] {
  const names = text.split(",");
  if (names.every((name) => name.length > 0)) return names;
  throw new InvalidArgumentError("It must be names separated by commas.");
}
