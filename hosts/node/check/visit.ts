import { once } from "node:events";
import type { Socket } from "node:net";
import { alert } from "../../../src/wire/index.js";
import { type ConnectOptions, connect, type ProtocolVersion, TlsError } from "../index.js";
import { connectStarttls, type StarttlsProtocol } from "../starttls/index.js";
import { Recorder } from "./recorder.js";

/** In what version a server is spoken to, and how its staples are asked for. */
export interface Way {
  readonly version: ProtocolVersion;
  readonly stapling: "v1" | "v2" | "v2-multi";
}

/** status_request_v2 is TLS 1.2's. */
export const ways: readonly Way[] = Object.freeze([
  { version: "TLSv1.3", stapling: "v1" },
  { version: "TLSv1.2", stapling: "v1" },
  { version: "TLSv1.2", stapling: "v2" },
  { version: "TLSv1.2", stapling: "v2-multi" },
]);

/** Whom to visit. */
export interface Target extends Pick<ConnectOptions, "ca" | "cert" | "key" | "servername"> {
  readonly host: string;
  readonly port: number;
  readonly starttls?: StarttlsProtocol;
}

/** One connection, and what the server sent: nothing of it is verified. */
export interface Visit {
  readonly way: Way;
  /** DER, in the order sent, and the staple of each. */
  readonly certificates: readonly Buffer[];
  readonly staples: readonly (Buffer | undefined)[];
  /** Where the server was found. */
  readonly address: string | undefined;
  /** Why the handshake did not come to its end. */
  readonly error: Error | undefined;
}

/** Shakes hands and leaves. Never rejects. */
export async function visit(target: Target, way: Way, signal: AbortSignal): Promise<Visit> {
  const recorder = new Recorder(way.version === "TLSv1.3");
  const { certificates, staples } = recorder;
  let address: string | undefined;
  try {
    const transport = await transportTo(target, signal);
    const socket = connect({ ...optionsFor(target, way), ...transport, onMessage: recorder.record, signal });
    socket.on("connect", () => {
      address = socket.remoteAddress;
    });
    address = socket.remoteAddress;
    await once(socket, "secureConnect");
    socket.on("error", () => undefined).resume();
    socket.destroySoon();
    return { way, certificates, staples, address, error: undefined };
  } catch (error) {
    return { way, certificates, staples, address, error: error as Error };
  }
}

async function transportTo(
  { host, port, starttls }: Target,
  signal: AbortSignal,
): Promise<{ socket?: Socket }> {
  return starttls ? { socket: await connectStarttls(starttls, host, port, signal) } : {};
}

/** A server that is found bad must be looked at all the same. */
function optionsFor({ starttls, ...target }: Target, { version, stapling }: Way): ConnectOptions {
  const versions = { minVersion: version, maxVersion: version };
  return { ...target, ...versions, rejectUnauthorized: false, ocsp: { stapling }, handshakeTimeout: 0 };
}

/** Whether the server has not got that version. GnuTLS says handshake_failure where RFC 8446 4.2.1 has protocol_version. */
export function lacksVersion({ certificates, error }: Visit): boolean {
  if (certificates.length > 0 || !(error instanceof TlsError)) return false;
  if (error.code === "PROTOCOL_VERSION") return true;
  const { number } = error.alert;
  return (
    error.code === "PEER_ALERT" && (number === alert.protocol_version || number === alert.handshake_failure)
  );
}
