import { once } from "node:events";
import { writeFileSync } from "node:fs";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { OCSPResponseStatus } from "@peculiar/asn1-ocsp";
import { Command, InvalidArgumentError, Option } from "commander";
import { describeResponse } from "../common/describe.js";
import { readCertificates } from "../common/pem.js";
import { printable } from "../common/text.js";
import { outline } from "../ocsp/inspect.js";
import { attempt } from "../responder/error.js";
import { listenHttp } from "../responder/http.js";
import {
  createResponder,
  type Exchange,
  listen,
  MAX_VALIDITY,
  metricsHandler,
  pregenerate,
  type Responder,
  ResponderError,
  type SignatureDigest,
  type SignerOptions,
} from "../responder/index.js";
import { type Place, readPlace } from "./place.js";
import { numberBetween, type Output, readFile, UsageError } from "./usage.js";

/** What the command line says. */
interface Flags {
  port: number;
  host: string;
  index: string;
  CA: Buffer;
  rsigner: Buffer;
  rkey?: Buffer;
  rother?: Buffer;
  rmd?: SignatureDigest;
  resp_key_id?: boolean;
  configured_signer?: boolean;
  nmin?: number;
  ndays?: number;
  nrequest?: number;
  timeout: number;
  metrics?: Place;
  pregenerate?: string;
  text?: boolean;
  R?: string;
}

const digests: readonly SignatureDigest[] = ["sha256", "sha384", "sha512"];
const readAnyPort = numberBetween(0, 65535);
/** In seconds. */
const DAY = 86_400;
const MANY = 2 ** 31 - 1;

const CA_HELP =
  "certificate of the CA that issued the certificates, PEM or DER; of several in the file the first, as with a chain";

const METRICS_HELP =
  "answer /metrics there with counters for Prometheus; on 127.0.0.1 where no host is given";

const PREGENERATE_HELP =
  "sign a response for each certificate of the index into this directory, for any HTTP server to serve, and end";

/** What only a responder that serves does. */
const serving = ["port", "host", "nrequest", "timeout", "metrics", "text", "R"];

/** `tlstaple responder`, with the flags of `openssl ocsp`. `finish` gets the exit code. */
export function responderCommand(out: Output, err: Output, finish: (code: number) => void): Command {
  const command = new OpensslCommand("responder")
    .description("answer OCSP requests about the certificates of a CA, from an index file of `openssl ca`")
    .helpOption("--help", "show this help")
    .configureHelp({ optionTerm: ({ flags }) => singleDash(flags) })
    .configureOutput({ outputError: (text, write) => write(singleDash(text)) })
    .option("--port <number>", "port; 0 for any that is free", readAnyPort, 0)
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .requiredOption("--index <file>", "index file of `openssl ca`; read again when it has changed")
    .requiredOption("--CA <file>", CA_HELP, readFile)
    .requiredOption("--rsigner <file>", "certificate that signs: the CA's, or its delegate's", readFile)
    .option("--rkey <file>", "its private key; in the file of -rsigner by default", readFile)
    .option("--rother <file>", "more certificates to send", readFile)
    .addOption(new Option("--rmd <digest>", "digest to sign").choices(digests))
    .option("--resp_key_id", "name the signer by its key's hash, not by its name")
    .option("--configured_signer", "the clients trust the signer by configuration: it need not be a delegate")
    .option("--nmin <number>", "minutes until the next update", numberBetween(0, MAX_VALIDITY / 120))
    .option(
      "--ndays <number>",
      "days until the next update, added to -nmin",
      numberBetween(0, Math.floor(MAX_VALIDITY / DAY / 2)),
    )
    .option("--nrequest <number>", "end after so many requests", numberBetween(1, MANY))
    .option("--timeout <seconds>", "time for a request to arrive", numberBetween(1, 3600), 10)
    .option("--metrics <[host:]port>", METRICS_HELP, readListener)
    .addOption(new Option("--pregenerate <directory>", PREGENERATE_HELP).conflicts(serving))
    .option("--text", "print each response")
    .option("-R <file>", "write the port to this file once listening")
    .addOption(new Option("--ignore_err", "no error ends this responder: accepted as openssl's").hideHelp())
    .allowExcessArguments(false)
    .action(async (flags: Flags) => {
      const { pregenerate: directory } = flags;
      finish(await (directory === undefined ? serve(flags, out, err) : fill(directory, flags, out, err)));
    });
  for (const digest of digests) {
    const same = `the same as -rmd ${digest}`;
    command.addOption(new Option(`--${digest}`, same).implies({ rmd: digest }));
  }
  return command;
}

const singleDash = (text: string) => text.replace(/--(?=[a-z])/gi, "-");

/** Takes long options with a single dash, as openssl's commands do. */
class OpensslCommand extends Command {
  override parseOptions(args: string[]): ReturnType<Command["parseOptions"]> {
    return super.parseOptions(args.map((arg) => arg.replace(/^-(?=[A-Za-z]\w)/, "--")));
  }
}

async function serve(flags: Flags, out: Output, err: Output): Promise<number> {
  const responder = await create(flags, out, err);
  const servers: Server[] = [];
  const ending = new AbortController();
  const end = () => ending.abort();
  for (const signal of signals) process.once(signal, end);
  try {
    if (flags.metrics) servers.push(await listenMetrics(responder, flags.metrics, out));
    servers.push(await listenAll(responder, flags, out, end));
    if (!ending.signal.aborted) await once(ending.signal, "abort");
    return 0;
  } catch (error) {
    err.write(`${printable((error as Error).message)}\n`);
    return 1;
  } finally {
    await Promise.all(servers.map(close));
    for (const signal of signals) process.off(signal, end);
  }
}

/** Signs ahead, and says how much that was. */
async function fill(directory: string, flags: Flags, out: Output, err: Output): Promise<number> {
  if (!flags.nmin && !flags.ndays) throw new UsageError("-pregenerate needs -nmin or -ndays");
  const responder = await create(flags, out, err);
  try {
    const { signed, kept, removed } = await pregenerate(responder, directory);
    out.write(`${printable(directory)}: ${signed} signed, ${kept} kept, ${removed} removed\n`);
    return 0;
  } catch (error) {
    err.write(`${printable((error as Error).message)}\n`);
    return 1;
  }
}

/** Answers requests, and says so. */
async function listenAll(responder: Responder, flags: Flags, out: Output, end: () => void): Promise<Server> {
  const { host, port, timeout } = flags;
  const onExchange = reporter(flags, out, end);
  const server = await listen(responder, { host, port, timeout: timeout * 1000, onExchange });
  announce(server, flags, out);
  return server;
}

/** Where Prometheus looks by itself. */
const METRICS = "/metrics";

async function listenMetrics(responder: Responder, place: Place, out: Output): Promise<Server> {
  const answer = metricsHandler(responder);
  const server = await listenHttp((request, response) => {
    if (request.url?.split("?", 1)[0] === METRICS) answer(request, response);
    else response.writeHead(404, { "content-length": 0 }).end();
  }, place);
  out.write(`METRICS http://${addressOf(server)}${METRICS}\n`);
  return server;
}

/** A port, or an address and a port. */
function readListener(text: string): Place {
  if (!text.includes(":")) return { host: "127.0.0.1", port: readAnyPort(text) };
  const place = readPlace(text);
  if (place.port !== undefined) return place;
  throw new InvalidArgumentError("It must be PORT or HOST:PORT.");
}

const signals = ["SIGINT", "SIGTERM"] as const;

/** @throws UsageError for what is wrong with the files or does not fit together */
async function create(flags: Flags, out: Output, err: Output): Promise<Responder> {
  const { nmin, ndays } = flags;
  const complain = (error: Error) => err.write(`${printable(error.message)}\n`);
  try {
    return await createResponder({
      authorities: [{ issuer: firstOf(flags.CA), index: flags.index, signer: signer(flags) }],
      validity: nmin === undefined && ndays === undefined ? undefined : (ndays ?? 0) * DAY + (nmin ?? 0) * 60,
      onIndex: (path, entries, error) =>
        error ? complain(error) : out.write(`index ${printable(path)}: ${entries} certificates\n`),
      onError: complain,
    });
  } catch (error) {
    if (error instanceof ResponderError) throw new UsageError(error.message);
    throw error;
  }
}

/** A CA's file may hold its chain, leaf first; the others have indexes and signers of their own. */
function firstOf(file: Buffer): Uint8Array {
  return attempt("issuer's certificate", () => readCertificates(file))[0].raw;
}

function signer(flags: Flags): SignerOptions {
  return {
    cert: flags.rsigner,
    key: flags.rkey ?? flags.rsigner,
    others: flags.rother,
    digest: flags.rmd,
    byKey: flags.resp_key_id,
    configured: flags.configured_signer,
  };
}

/** Prints a line for each request, and ends after as many as were wanted. */
function reporter({ text, nrequest }: Flags, out: Output, end: () => void): (exchange: Exchange) => void {
  let left = nrequest ?? Number.POSITIVE_INFINITY;
  return (exchange) => {
    out.write(`${describeExchange(exchange)}\n`);
    if (text && exchange.reply) out.write(outline(describeResponse(exchange.reply.der), "  "));
    if (--left <= 0) end();
  };
}

/** A method is one that Node's parser knows, a serial is hexadecimal: nothing here is the client's own words. */
function describeExchange({ method, status, reply }: Exchange): string {
  if (!reply) return `${method} HTTP ${status}`;
  if (reply.problem)
    return `${method} ${OCSPResponseStatus[reply.responseStatus]}: ${printable(reply.problem)}`;
  if (reply.answers.length === 0) return `${method} ${OCSPResponseStatus[reply.responseStatus]}`;
  return `${method} ${reply.answers.map(({ serial, status }) => `${serial} ${status}`).join(", ")}`;
}

/** As openssl's responder says it. */
function announce(server: Server, { R }: Flags, out: Output): void {
  if (R !== undefined) writeFileSync(R, `${(server.address() as AddressInfo).port}\n`);
  out.write(`ACCEPT ${addressOf(server)} PID=${process.pid}\n`);
}

function addressOf(server: Server): string {
  const { address, family, port } = server.address() as AddressInfo;
  return `${family === "IPv6" ? `[${address}]` : address}:${port}`;
}

/** Milliseconds for requests under way to end. */
const FAREWELL = 1000;

async function close(server: Server): Promise<void> {
  const timer = setTimeout(() => server.closeAllConnections(), FAREWELL);
  server.close();
  await once(server, "close");
  clearTimeout(timer);
}
