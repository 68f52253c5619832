import type { X509Certificate } from "node:crypto";
import { TlsError } from "../errors.js";
import type { OcspVerdict, TLSSocket } from "../index.js";
import { oneLine } from "../trace.js";

/** What became of one connection. */
export interface Outcome {
  readonly host: string;
  readonly port: number;
  readonly socket: TLSSocket;
  readonly error: Error | undefined;
  readonly reply: Buffer;
}

/** Prints what people want to know: what was agreed on, who the server is, what its staples say. */
export function report({ socket, error, reply }: Outcome): void {
  for (const line of describeConnection(socket)) console.log(line);
  if (reply.length > 0) process.stdout.write(reply);
  if (error) for (const line of describeError(error)) console.error(line);
}

export function describeConnection(socket: TLSSocket): string[] {
  if (socket.getProtocol() === null) return [];
  const { protocol, suite, group, alpn } = negotiated(socket);
  const lines = [`${protocol}, ${[suite, group, alpn].filter((word) => word !== null).join(", ")}`];
  const verdicts = socket.ocsp;
  socket.getPeerChain().forEach((certificate, i) => {
    lines.push(`certificate ${i}: ${oneLine(certificate.subject)}`);
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

export function describeVerdict(verdict: OcspVerdict): string {
  const { status, thisUpdate, nextUpdate, revokedAt, revocationReason, fault } = verdict;
  const words: string[] = [status];
  if (revokedAt)
    words.push(`revoked ${revokedAt.toISOString()}${revocationReason ? ` (${revocationReason})` : ""}`);
  if (thisUpdate) words.push(`thisUpdate ${thisUpdate.toISOString()}`);
  if (nextUpdate) words.push(`nextUpdate ${nextUpdate.toISOString()}`);
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
export function reportJson(outcome: Outcome, trace: string[] | undefined): void {
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
    certificates: socket.getPeerChain().map(describeCertificate),
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
  console.log(JSON.stringify(result, null, 2));
}

function describeCertificate(certificate: X509Certificate) {
  const { subject, issuer, subjectAltName, serialNumber, validFrom, validTo, fingerprint256 } = certificate;
  return {
    subject: oneLine(subject),
    issuer: oneLine(issuer),
    subjectAltName: subjectAltName ?? null,
    serialNumber,
    validFrom: new Date(validFrom),
    validTo: new Date(validTo),
    fingerprint256,
  };
}
