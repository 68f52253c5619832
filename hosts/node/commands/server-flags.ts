import { type Command, InvalidArgumentError, Option } from "commander";
import { type OcspRequirement, requirements } from "../../../src/pki/index.js";
import type { ProfileName, ServerOptions } from "../index.js";
import {
  COMPAT_HELP,
  CRL_HELP,
  CRL_POLICY_HELP,
  GROUPS_HELP,
  KEYLOG_HELP,
  listed,
  PROFILE_HELP,
  RESPONDER_HELP,
  readGroups,
  readMore,
  readPolicy,
  readProtocols,
  readVersion,
  WolfsslCommand,
} from "./flags.js";
import { numberBetween, readFile, UsageError } from "./usage.js";

/** What the command line says, read and checked. */
export interface ServerFlags {
  port: number;
  cert?: Buffer;
  key?: Buffer;
  ca?: Buffer;
  clientAuth: boolean;
  crl?: Buffer[];
  crlPolicy?: OcspRequirement;
  clientPolicy?: OcspRequirement;
  loop?: boolean;
  tls?: "TLSv1.2" | "TLSv1.3";
  ready?: string;
  ocspUrl?: string;
  stapleChain: boolean;
  nonceForward?: boolean;
  alpn?: string[];
  groups?: string[];
  profile?: ProfileName;
  anyInterface?: boolean;
  trace?: boolean;
  keylog?: string;
  pcapng?: string;
  json?: boolean;
  ocspLookup?: boolean;
  responder?: Buffer;
  compat?: "wolfssl";
  /** With `compat`. */
  issuers?: readonly Buffer[];
}

const A_HELP =
  "CAs of clients: a certificate is then required of each client, unless -d; and issuers that the chain lacks, for the staples";

/** Words of wolfSSL's -H that ask for what is so here anyway. */
const internalTests = ["loadSSL", "loadSSLOnly", "exitWithRet"];
const H_HELP = `accepted as wolfSSL's: ${internalTests.join(", ")} ask for what is so here anyway`;

function readInternalTest(text: string): string {
  if (internalTests.includes(text)) return text;
  throw new InvalidArgumentError(`It must be ${internalTests.join(", ")}.`);
}

/** The command `server` with the flags of wolfSSL's example server; `run` gets what they say. */
export function serverFlags(run: (flags: ServerFlags) => Promise<void>): Command {
  return new WolfsslCommand("server")
    .description("serve TLS connections, staple what clients ask for, answer with a greeting")
    .helpOption("-?, --help", "show this help")
    .option("-p, --port <number>", "port; 0 for any that is free", numberBetween(0, 65535), 11111)
    .option("-c, --cert <file>", "certificate chain, leaf first, PEM or DER", readFile)
    .option("-k, --key <file>", "its private key", readFile)
    .option("-A, --ca <file>", A_HELP, readFile)
    .option("-d, --no-client-auth", "ask no client for a certificate, whatever -A says")
    .option("--crl <file>", `${CRL_HELP}. For clients' certificates`, readMore)
    .option("--crl-policy <name>", CRL_POLICY_HELP, readPolicy)
    .option(
      "--client-policy <name>",
      `certificates of a client that need a good staple, which it is asked for in TLS 1.3: ${listed(requirements)}`,
      readPolicy,
    )
    .option("-i, --loop", "serve until interrupted; else one connection, whose outcome is the exit code")
    .option("-v, --tls <number>", "TLS version: 3 = TLS 1.2, 4 = TLS 1.3; both by default", readVersion)
    .option("-R, --ready <file>", "write the port to this file once listening")
    .option("-O, --ocsp-url <url>", "ask this OCSP responder, not the one that the certificate names")
    .option("-o, --ocsp-lookup", "ask the responder of a client's certificate; with -A")
    .option("--responder <file>", RESPONDER_HELP, readFile)
    .option(
      "--no-staple-chain",
      "TLS 1.3: staple for the first certificate alone, for wolfSSL's clients up to 5.5",
    )
    .option(
      "--nonce-forward",
      "ask the responders afresh with the nonce of a client that sends one, within limits",
    )
    .option("-L, --alpn <names>", "application protocols to speak, separated by commas", readProtocols)
    .option("-b, --any-interface", "listen on every interface; on 127.0.0.1 alone by default")
    .option("--groups <names>", GROUPS_HELP, readGroups)
    .addOption(new Option("--profile <standard>", PROFILE_HELP).choices(["iso15118-2", "iso15118-20"]))
    .option("--trace", "print each handshake message, staples decoded")
    .option("--keylog <file>", KEYLOG_HELP)
    .option("--pcapng <file>", "capture the connections, with their secrets, for Wireshark")
    .option("--json", "print one JSON object a line for each connection instead of text")
    .addOption(new Option("--compat <program>", COMPAT_HELP).choices(["wolfssl"]))
    .option("-H, --internal-test <name>", H_HELP, readInternalTest)
    .allowExcessArguments(false)
    .action(run);
}

/** What the flags ask of a server, without what fetches its staples. */
export function serverOptions(flags: ServerFlags): ServerOptions {
  const {
    alpn,
    ca,
    cert,
    clientAuth,
    clientPolicy,
    crl,
    crlPolicy,
    groups,
    key,
    nonceForward,
    ocspLookup,
    profile,
    responder,
    stapleChain,
    tls,
  } = flags;
  if (cert === undefined || key === undefined)
    throw new UsageError("a server needs its certificate chain (-c) and its private key (-k)");
  const requestCert = profile ? undefined : ca !== undefined && clientAuth;
  const asksNobody = requestCert === false;
  if (crl && asksNobody)
    throw new UsageError("--crl is for clients' certificates, which are asked for with -A and without -d");
  const versions = { minVersion: tls, maxVersion: tls };
  if (ocspLookup && asksNobody) throw new UsageError("-o: no client is asked for a certificate");
  if (clientPolicy && asksNobody)
    throw new UsageError("--client-policy: no client is asked for a certificate without -A");
  const nonce = nonceForward && ("forward" as const);
  const stapling = clientPolicy && ("v1" as const);
  const ocsp = { stapling, policy: clientPolicy, nonce, lookup: ocspLookup, responders: responder };
  const judged = { ca, requestCert, crl, crlPolicy, ocsp };
  const names = { profile, roots: profile && ca };
  return { cert, key, ...judged, stapleChain, ...versions, ...names, groups, ALPNProtocols: alpn };
}
