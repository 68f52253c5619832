/** tlstaple for Node.js: `connect` and `createServer` in place of node:tls's, and what fetches OCSP responses. */

import type { ClientRequestArgs } from "node:http";
import type { Duplex } from "node:stream";
import type { ConnectOptions } from "./socket/options.js";
import { TLSSocket } from "./socket/socket.js";

export { type Alert, type FaultName, TlsError, type WolfsslError } from "../../src/wire/index.js";
export type { CrlList, CrlVerdict } from "./common/crl.js";
export { FileStore, type FileStoreOptions } from "./common/file-store.js";
export type { Pfx, PrivateKey } from "./common/identities.js";
export {
  type Metric,
  type MetricSource,
  metricsHandler,
  metricsText,
  type Sample,
} from "./common/metrics.js";
export type { Certificates } from "./common/pem.js";
export type { ProfileName } from "./common/profiles.js";
export type { KeyValueStore } from "./common/store.js";
export type { StaplerCounters } from "./ocsp/counters.js";
export { type OcspFetch, OcspFetchError } from "./ocsp/http.js";
export {
  checkChain,
  LookupCache,
  type LookupOptions,
  type LookupReport,
  type LookupResult,
  lookupStatus,
} from "./ocsp/lookup.js";
export type { StaplerOptions } from "./ocsp/settings.js";
export { type StapleCode, StapleError } from "./ocsp/staple-error.js";
export {
  type StapleEvent,
  Stapler,
  type StaplerFailure,
  type StapleSource,
  type Staples,
} from "./ocsp/stapler.js";
export type { Pair } from "./ocsp/subject.js";
export type { OcspVerdict } from "./ocsp/verdict.js";
export { provider } from "./provider.js";
export type { ClientCertificateOcsp, ServerOptions } from "./server/options.js";
export {
  type ChainStaples,
  createSecureContext,
  SecureContext,
  type SecureContextOptions,
} from "./server/secure-context.js";
export type { SNICallback } from "./server/selector.js";
export { createServer, Server, type ServerEvents } from "./server/server.js";
export type { SharedTickets } from "./server/shared-ticket-keys.js";
export { ServerSocket } from "./server/socket.js";
export { StapleCache } from "./server/staple-cache.js";
export { Agent, type AgentOptions } from "./socket/agent.js";
export type { ClientStaple, GivenStaples } from "./socket/client-staple.js";
export type { ProtocolVersion } from "./socket/common-options.js";
export type { ClientSocketEvents, ConnectionError, SocketEvents } from "./socket/events.js";
export { connectHttp2, type Http2Options, type SecureHttp2Session } from "./socket/http2.js";
export {
  type CaIdentifier,
  type CheckServerIdentity,
  type ConnectOptions,
  Context,
  type ContextOptions,
  createContext,
  type OcspOptions,
} from "./socket/options.js";
export { TLSSocket } from "./socket/socket.js";

type Listener = () => void;
type Connected = (error: Error | null, socket: Duplex) => void;

/**
 * Connects, as node:tls's `connect` does; the listener is called at `secureConnect`.
 *
 * @example
 * const socket = connect({ host: "example.com", port: 443, ocsp: { policy: "leaf" } }, () => {
 *   console.log(socket.getProtocol(), socket.ocsp[0].status);
 * });
 * @throws TypeError or RangeError whose `code` begins with `ERR_TLSTAPLE_OPTION`; all else comes as `error`
 */
export function connect(options: ConnectOptions, listener?: Listener): TLSSocket;
export function connect(port: number, options?: ConnectOptions, listener?: Listener): TLSSocket;
export function connect(port: number, host: string, options?: ConnectOptions, listener?: Listener): TLSSocket;
export function connect(port: number, host: string, listener: Listener): TLSSocket;
export function connect(port: number, listener: Listener): TLSSocket;
/** As `createConnection` of `https.request`, which hands its options through. */
export function connect(options: ClientRequestArgs, connected?: Connected): TLSSocket;
export function connect(...args: unknown[]): TLSSocket {
  const listener = args.find((arg) => typeof arg === "function") as Listener | undefined;
  const socket = new TLSSocket(optionsOf(args));
  if (listener) socket.once("secureConnect", listener);
  return socket;
}

/** As in node:tls, port and host win over those in the options. */
function optionsOf(args: unknown[]): ConnectOptions {
  const options = args.find((arg) => typeof arg === "object" && arg !== null) as ConnectOptions | undefined;
  const port = typeof args[0] === "object" ? undefined : { port: args[0] as number };
  const host = typeof args[1] === "string" ? { host: args[1] } : undefined;
  return { ...options, ...port, ...host };
}
