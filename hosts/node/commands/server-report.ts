import { certificateInfo, responseInfo } from "../common/describe.js";
import { printable, toJson } from "../common/text.js";
import type { ServerSocket } from "../index.js";
import { describeError, describeVerdict, errorFields, statusText } from "./report.js";
import type { Output } from "./usage.js";

/** One connection that is over. */
export interface Served {
  /** Counted from 1. */
  readonly number: number;
  readonly client: string;
  readonly socket: ServerSocket;
  readonly secure: boolean;
  readonly said: Buffer;
  readonly error: Error | undefined;
}

/** Prints what was agreed on with whom, what was stapled, and what the client said. */
export function report(served: Served, out: Output, err: Output): void {
  const { client, error, number, said, secure, socket } = served;
  const lines = [`connection ${number} from ${client}`, ...agreed(socket), ...stapled(served)];
  if (secure) lines.push(...clientChain(socket));
  for (const line of lines) out.write(`${printable(line)}\n`);
  for (const line of textOf(said)) out.write(`  client says: ${printable(line)}\n`);
  if (error) for (const line of describeError(error)) err.write(`${printable(line)}\n`);
}

function agreed(socket: ServerSocket): string[] {
  const { alpnProtocol, servername } = socket;
  const protocol = socket.getProtocol();
  if (protocol === null) return [];
  const words = [socket.getCipher()?.standardName, socket.getEphemeralKeyInfo()?.name, alpnProtocol];
  if (socket.isSessionReused()) words.push("resumed");
  const name = servername ? `, for ${servername}` : "";
  return [`  ${protocol}, ${words.filter((word) => word).join(", ")}${name}`];
}

function stapled({ secure, socket }: Served): string[] {
  if (socket.isSessionReused()) return ["  no staple: the session is resumed"];
  if (!socket.stapling || socket.stapling === "off") return [];
  const { staples } = socket;
  const none = staples.every((staple) => staple === undefined);
  if (none) return secure ? ["  no staple: none is to be had"] : [];
  return staples.map((staple, i) => `  staple ${i}: ${staple ? statusText(staple) : "none"}`);
}

function clientChain(socket: ServerSocket): string[] {
  const { crl, ocsp: verdicts } = socket;
  return socket.getPeerChain().flatMap((certificate, i) => {
    const subject = certificateInfo(certificate.raw)?.subject ?? "malformed";
    const verdict = verdicts[i] ? [`    OCSP ${describeVerdict(verdicts[i])}`] : [];
    const list = crl[i] ? [`    CRL ${describeVerdict(crl[i])}`] : [];
    return [`  client certificate ${i}: ${subject}`, ...verdict, ...list];
  });
}

function textOf(said: Buffer): string[] {
  return said.length === 0 ? [] : said.toString("utf8").trimEnd().split(/\r?\n/);
}

/** Prints the same as one line of JSON. */
export function reportJson(served: Served, trace: readonly string[] | undefined, out: Output): void {
  const { client, error, number, said, secure, socket } = served;
  const result = {
    connection: number,
    client,
    established: secure,
    servername: socket.servername || null,
    version: socket.getProtocol(),
    suite: socket.getCipher()?.standardName ?? null,
    group: socket.getEphemeralKeyInfo()?.name ?? null,
    alpn: socket.alpnProtocol || null,
    resumed: socket.isSessionReused(),
    stapling: socket.stapling ?? null,
    staples: socket.staples.map((staple) => (staple ? (responseInfo(staple) ?? "malformed") : null)),
    authorized: socket.authorized,
    certificates: socket.getPeerChain().map(({ raw }) => certificateInfo(raw)),
    ocsp: socket.ocsp,
    crl: socket.crl,
    said: said.toString("utf8"),
    ...errorFields(error),
    trace,
  };
  out.write(`${toJson(result)}\n`);
}
