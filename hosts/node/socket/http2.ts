import type { ClientHttp2Session, ClientSessionOptions, SecureClientSessionOptions } from "node:http2";
import type { ConnectOptions } from "./options.js";
import { withoutBrackets } from "./server-name.js";
import { TLSSocket } from "./socket.js";

/** Options of an HTTP/2 session: those of http2.connect, and those of our socket. */
export type Http2Options = Omit<
  ClientSessionOptions & SecureClientSessionOptions,
  keyof ConnectOptions | "createConnection"
> &
  ConnectOptions;

/** A session of node:http2 over a socket of ours, which has the verdicts. */
export interface SecureHttp2Session extends ClientHttp2Session {
  readonly tlsSocket: TLSSocket;
}

/**
 * `http2.connect` over a socket of ours. Beyond what its option `createConnection` can do, the session's `encrypted` and
 * `alpnProtocol` are right, and `connect` comes when the server was found good.
 *
 * @example
 * const session = connectHttp2("https://example.com", { ocsp: { policy: "leaf" } });
 * session.on("connect", () => console.log(session.tlsSocket.ocsp[0].status));
 * @throws TypeError or RangeError whose `code` begins with `ERR_TLSTAPLE_OPTION`
 */
export function connectHttp2(
  authority: string | URL,
  options: Http2Options = {},
  listener?: (session: ClientHttp2Session) => void,
): SecureHttp2Session {
  const { hostname, port } = new URL(authority);
  const where = { host: withoutBrackets(hostname), port: Number(port) || 443, ALPNProtocols: ["h2"] };
  const tlsSocket = new TLSSocket({ ...where, ...options });
  // Loaded only here, as it costs whoever imports it
  const http2 = process.getBuiltinModule("node:http2");
  const session = http2.connect(authority, { ...options, createConnection: () => tlsSocket } as object);
  if (listener) session.once("connect", listener);
  return secured(session, tlsSocket);
}

/** Node wraps the socket, and takes the wrapper for plain TCP that is connected. */
function secured(session: ClientHttp2Session, tlsSocket: TLSSocket): SecureHttp2Session {
  const connected = <T>(value: () => T) => ({
    get: () => (tlsSocket.secureConnecting ? undefined : value()),
  });
  const emit = session.emit.bind(session) as (event: string | symbol, ...args: unknown[]) => boolean;
  return Object.defineProperties(session, {
    tlsSocket: { value: tlsSocket },
    encrypted: connected(() => true),
    alpnProtocol: connected(() => tlsSocket.alpnProtocol || undefined),
    emit: {
      value: (event: string | symbol, ...args: unknown[]) => {
        if (event !== "connect") return emit(event, ...args);
        if (!tlsSocket.secureConnecting) return emit(event, session, tlsSocket);
        tlsSocket.once("secureConnect", () => emit(event, session, tlsSocket));
        return true;
      },
    },
  }) as SecureHttp2Session;
}
