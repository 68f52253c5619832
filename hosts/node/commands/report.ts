import type { X509Certificate } from "node:crypto";
import { certificateInfo, isoTime, type ResponseInfo, responseInfo } from "../common/describe.js";
import { printable, toJson } from "../common/text.js";
import { type CrlVerdict, type OcspVerdict, type TLSSocket, TlsError } from "../index.js";
import type { LookupReport } from "../ocsp/lookup.js";
import type { Output } from "./usage.js";

/** What became of one connection. */
export interface Outcome extends Connected {
  readonly host: string;
  readonly port: number;
  readonly error: Error | undefined;
  readonly reply: Buffer;
  /** Whether staples were asked for. */
  readonly asked?: boolean;
  /** The handshake's messages, if they were wanted. */
  readonly trace?: readonly string[];
  /** Responders that were asked. */
  readonly lookups?: readonly LookupReport[];
  /** Why own certificates have no staple. */
  readonly unstapled?: readonly string[];
  /** What it took of memory, where that was measured. */
  readonly memory?: Readonly<Record<string, number>>;
}

/** What was agreed on with whom, as far as the handshake came. */
export interface Connected {
  readonly servername: string | undefined;
  readonly authorized: boolean;
  readonly protocol: string | null;
  readonly suite: string | null;
  readonly group: string | null;
  readonly alpn: string | null;
  readonly chain: readonly X509Certificate[];
  readonly verdicts: readonly OcspVerdict[];
  /** By CRLs, where there are any. */
  readonly crl?: readonly CrlVerdict[];
  /** Whether a session was resumed; and the one that could be next, if there is. */
  readonly resumed: boolean;
  readonly session?: Buffer;
  /** What the client stapled for its own certificates. */
  readonly staples?: TLSSocket["staples"];
}

export function outcomeOf(socket: TLSSocket): Connected {
  return {
    servername: socket.servername,
    authorized: socket.authorized,
    protocol: socket.getProtocol(),
    suite: socket.getCipher()?.standardName ?? null,
    group: socket.getEphemeralKeyInfo()?.name ?? null,
    alpn: socket.alpnProtocol || null,
    chain: socket.getPeerChain(),
    verdicts: socket.ocsp,
    crl: socket.crl,
    resumed: socket.isSessionReused(),
    session: socket.getSession(),
    staples: socket.staples,
  };
}

/** Prints what people want to know: what was agreed on, who the server is, what its staples say. */
export function report(outcome: Outcome, out: Output, err: Output): void {
  const { error, memory, reply, trace = [], unstapled = [] } = outcome;
  for (const line of trace) out.write(`${line}\n`);
  for (const line of describeConnection(outcome)) out.write(`${printable(line)}\n`);
  for (const line of unstapled) err.write(`own staple: ${printable(line)}\n`);
  out.write(reply);
  if (memory) for (const [what, bytes] of Object.entries(memory)) out.write(`memory ${what}: ${bytes}\n`);
  if (error) for (const line of describeError(error)) err.write(`${printable(line)}\n`);
}

function describeConnection(outcome: Outcome): string[] {
  const {
    asked,
    protocol,
    suite,
    group,
    alpn,
    chain,
    verdicts,
    crl = [],
    resumed,
    lookups = [],
    staples = [],
  } = outcome;
  if (protocol === null) return [];
  const how = resumed ? "resumed" : null;
  const lines = [`${protocol}, ${[suite, group, alpn, how].filter((word) => word !== null).join(", ")}`];
  for (const { url, serialNumber, outcome: found, milliseconds } of lookups)
    lines.push(`asked ${url} about serial ${serialNumber}: ${found}, ${Math.round(milliseconds)} ms`);
  chain.forEach((certificate, i) => {
    lines.push(`certificate ${i}: ${certificateInfo(certificate.raw)?.subject ?? "malformed"}`);
    const verdict = verdicts[i] && stapleText(verdicts[i], asked);
    if (verdict) lines.push(`  OCSP ${verdict}`);
    if (crl[i]) lines.push(`  CRL ${describeVerdict(crl[i])}`);
  });
  return [
    ...lines,
    ...staples.map((staple, i) => `own staple ${i}: ${staple ? statusText(staple) : "none"}`),
  ];
}

/** What a response says of its certificate: good or revoked, and from when to when. */
export function statusText(staple: Uint8Array): string {
  const info = responseInfo(staple);
  if (!info?.responses) return info?.responseStatus ?? "malformed";
  return info.responses.map(singleText).join("; ");
}

function singleText(single: NonNullable<ResponseInfo["responses"]>[number]): string {
  const { certID, certStatus, nextUpdate, revocationReason, revocationTime, thisUpdate } = single;
  const words = [`${certStatus}`, `serial ${certID.serialNumber}`];
  if (revocationTime) words.push(`since ${revocationTime}`);
  if (revocationReason) words.push(revocationReason);
  return [...words, `thisUpdate ${thisUpdate}`, `nextUpdate ${nextUpdate ?? "absent"}`].join(", ");
}

function stapleText(verdict: OcspVerdict, asked = true): string {
  return verdict.status === "none" && !asked ? "not asked" : describeVerdict(verdict);
}

export function describeVerdict(verdict: OcspVerdict | CrlVerdict): string {
  const { status, thisUpdate, nextUpdate, revokedAt, revocationReason, fault } = verdict;
  const words: string[] = [status];
  if (revokedAt) words.push(`since ${isoTime(revokedAt)}`);
  if (revocationReason) words.push(revocationReason);
  if (thisUpdate) words.push(`thisUpdate ${isoTime(thisUpdate)}`);
  if (nextUpdate) words.push(`nextUpdate ${isoTime(nextUpdate)}`);
  if (fault) words.push(fault);
  if ("resumed" in verdict) words.push("when the session began");
  return words.join(", ");
}

/** The fault's name, wolfSSL's number, the alert, and what to do. */
export function describeError(error: Error): string[] {
  if (!(error instanceof TlsError)) return [`${errorCode(error)}: ${error.message}`];
  const { code, message, wolfssl, alert, advice } = error;
  const lines = [`${code}: ${message}`];
  if (wolfssl) lines.push(`  wolfSSL  ${wolfssl.name} (${wolfssl.number})`);
  lines.push(`  alert    ${alert.name} (${alert.number})`, `  advice   ${advice}`);
  return lines;
}

function errorCode(error: Error): string {
  return (error as NodeJS.ErrnoException).code ?? error.name;
}

/** The same as fields of a JSON object, null where there is nothing to say. */
export function errorFields(error: Error | undefined) {
  const tls = error instanceof TlsError ? error : undefined;
  return {
    fault: error ? errorCode(error) : null,
    message: error?.message ?? null,
    detail: tls?.detail ?? null,
    wolfssl: tls?.wolfssl ?? null,
    alert: tls?.alert ?? null,
    advice: tls?.advice ?? null,
  };
}

/** Prints everything as one JSON object; a second connection is in its field `again`. */
export function reportJson([first, again]: Outcome[], out: Output): void {
  const result = { ...resultOf(first), again: again && resultOf(again) };
  out.write(`${toJson(result, 2)}\n`);
}

function resultOf(outcome: Outcome) {
  const { host, port, servername, authorized, error, memory } = outcome;
  return {
    host,
    port,
    servername: servername ?? null,
    authorized: authorized && error === undefined,
    version: outcome.protocol,
    suite: outcome.suite,
    group: outcome.group,
    alpn: outcome.alpn,
    resumed: outcome.resumed,
    certificates: outcome.chain.map(({ raw }) => certificateInfo(raw)),
    asked: outcome.asked,
    ocsp: outcome.verdicts,
    crl: outcome.crl,
    lookups: outcome.lookups,
    staples: outcome.staples?.map((staple) => (staple ? (responseInfo(staple) ?? "malformed") : null)),
    unstapled: outcome.unstapled,
    reply: outcome.reply.toString("utf8"),
    ...errorFields(error),
    memory,
    trace: outcome.trace,
  };
}
