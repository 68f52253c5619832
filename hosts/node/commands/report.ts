import type { X509Certificate } from "node:crypto";
import { type CertificateInfo, describeCertificate, isoTime } from "../describe.js";
import { TlsError } from "../errors.js";
import type { OcspVerdict, TLSSocket } from "../index.js";
import { printable } from "../text.js";
import type { Output } from "./usage.js";

/** What became of one connection. */
export interface Outcome {
  readonly host: string;
  readonly port: number;
  readonly socket: TLSSocket;
  readonly error: Error | undefined;
  readonly reply: Buffer;
}

/** Prints what people want to know: what was agreed on, who the server is, what its staples say. */
export function report({ socket, error, reply }: Outcome, out: Output, err: Output): void {
  for (const line of describeConnection(socket)) out.write(`${printable(line)}\n`);
  out.write(reply);
  if (error) for (const line of describeError(error)) err.write(`${line}\n`);
}

export function describeConnection(socket: TLSSocket): string[] {
  if (socket.getProtocol() === null) return [];
  const { protocol, suite, group, alpn } = negotiated(socket);
  const lines = [`${protocol}, ${[suite, group, alpn].filter((word) => word !== null).join(", ")}`];
  const verdicts = socket.ocsp;
  socket.getPeerChain().forEach((certificate, i) => {
    lines.push(`certificate ${i}: ${describe(certificate)?.subject ?? "malformed"}`);
    if (verdicts[i]) lines.push(`  OCSP ${describeVerdict(verdicts[i])}`);
  });
  return lines;
}

function negotiated(socket: TLSSocket) {
  return {
    protocol: socket.getProtocol(),
    suite: socket.getCipher()?.standardName ?? null,
    group: socket.getEphemeralKeyInfo()?.name ?? null,
    alpn: socket.alpnProtocol || null,
  };
}

/** Null for what only our core, or Node, could make something of. */
function describe({ raw }: X509Certificate): CertificateInfo | null {
  try {
    return describeCertificate(raw);
  } catch {
    return null;
  }
}

export function describeVerdict(verdict: OcspVerdict): string {
  const { status, thisUpdate, nextUpdate, revokedAt, revocationReason, fault } = verdict;
  const words: string[] = [status];
  if (revokedAt) words.push(`since ${isoTime(revokedAt)}`);
  if (revocationReason) words.push(revocationReason);
  if (thisUpdate) words.push(`thisUpdate ${isoTime(thisUpdate)}`);
  if (nextUpdate) words.push(`nextUpdate ${isoTime(nextUpdate)}`);
  if (fault) words.push(fault);
  return words.join(", ");
}

/** The fault's name, wolfSSL's number, the alert, and what to do. */
export function describeError(error: Error): string[] {
  if (!(error instanceof TlsError)) return [`${errorCode(error)}: ${error.message}`];
  const { code, message, wolfssl, alert, advice } = error;
  const lines = [`${code}: ${message}`];
  if (wolfssl) lines.push(`  wolfSSL  ${wolfssl.name} (${wolfssl.code})`);
  lines.push(`  alert    ${alert.name} (${alert.number})`, `  advice   ${advice}`);
  return lines;
}

function errorCode(error: Error): string {
  return (error as NodeJS.ErrnoException).code ?? error.name;
}

/** Prints everything as one JSON object. */
export function reportJson(outcome: Outcome, trace: string[] | undefined, out: Output): void {
  const { host, port, socket, error, reply } = outcome;
  const { protocol: version, ...agreed } = negotiated(socket);
  const tls = error instanceof TlsError ? error : undefined;
  const result = {
    host,
    port,
    servername: socket.servername ?? null,
    authorized: socket.authorized && error === undefined,
    version,
    ...agreed,
    certificates: socket.getPeerChain().map(describe),
    ocsp: socket.ocsp,
    reply: reply.toString("utf8"),
    fault: error ? errorCode(error) : null,
    message: error?.message ?? null,
    detail: tls?.detail ?? null,
    wolfssl: tls?.wolfssl ?? null,
    alert: tls?.alert ?? null,
    advice: tls?.advice ?? null,
    trace,
  };
  out.write(`${JSON.stringify(result, null, 2)}\n`);
}
