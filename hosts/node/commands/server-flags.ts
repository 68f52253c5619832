import { Command } from "commander";
import type { ServerOptions } from "../index.js";
import { GROUPS_HELP, KEYLOG_HELP, readGroups, readProtocols, readVersion } from "./flags.js";
import { numberBetween, readFile, UsageError } from "./usage.js";

/** What the command line says, read and checked. */
export interface ServerFlags {
  port: number;
  cert?: Buffer;
  key?: Buffer;
  ca?: Buffer;
  clientAuth: boolean;
  loop?: boolean;
  tls?: "TLSv1.2" | "TLSv1.3";
  ready?: string;
  ocspUrl?: string;
  stapleChain: boolean;
  nonceForward?: boolean;
  alpn?: string[];
  groups?: string[];
  anyInterface?: boolean;
  trace?: boolean;
  keylog?: string;
  pcapng?: string;
  json?: boolean;
}

const A_HELP =
  "CAs of clients: a certificate is then required of each client, unless -d; and issuers that the chain lacks, for the staples";

/** The command `server` with the flags of wolfSSL's example server; `run` gets what they say. */
export function serverFlags(run: (flags: ServerFlags) => Promise<void>): Command {
  return new Command("server")
    .description("serve TLS connections, staple what clients ask for, answer with a greeting")
    .helpOption("--help", "show this help")
    .option("-p, --port <number>", "port; 0 for any that is free", numberBetween(0, 65535), 11111)
    .option("-c, --cert <file>", "certificate chain, leaf first, PEM or DER", readFile)
    .option("-k, --key <file>", "its private key", readFile)
    .option("-A, --ca <file>", A_HELP, readFile)
    .option("-d, --no-client-auth", "ask no client for a certificate, whatever -A says")
    .option("-i, --loop", "serve until interrupted; else one connection, whose outcome is the exit code")
    .option("-v, --tls <number>", "TLS version: 3 = TLS 1.2, 4 = TLS 1.3; both by default", readVersion)
    .option("-R, --ready <file>", "write the port to this file once listening")
    .option("-O, --ocsp-url <url>", "ask this OCSP responder, not the one that the certificate names")
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
    .option("--trace", "print each handshake message, staples decoded")
    .option("--keylog <file>", KEYLOG_HELP)
    .option("--pcapng <file>", "capture the connections, with their secrets, for Wireshark")
    .option("--json", "print one JSON object a line for each connection instead of text")
    .allowExcessArguments(false)
    .action(run);
}

/** What the flags ask of a server, without what fetches its staples. */
export function serverOptions(flags: ServerFlags): ServerOptions {
  const { alpn, ca, cert, clientAuth, groups, key, nonceForward, stapleChain, tls } = flags;
  if (cert === undefined || key === undefined)
    throw new UsageError("a server needs its certificate chain (-c) and its private key (-k)");
  const requestCert = ca !== undefined && clientAuth;
  const versions = { minVersion: tls, maxVersion: tls };
  const ocsp = { nonce: nonceForward && ("forward" as const) };
  return { cert, key, ca, requestCert, stapleChain, ocsp, ...versions, groups, ALPNProtocols: alpn };
}
