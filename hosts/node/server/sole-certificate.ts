/** Which certificate a server of node:tls sends, where that can be known. */

import type { Duplex } from "node:stream";
import type { Server, TLSSocket } from "node:tls";

/** Node's own SecureContext. */
interface NativeContext {
  /** The certificate that was loaded last, though it may have others. */
  getCertificate(): Buffer | null;
}

/** What a server keeps of its options. Node documents none of it, and offers nothing in its place. */
interface Internals {
  readonly cert?: unknown;
  readonly pfx?: unknown;
  /** Made anew by `setSecureContext`. */
  readonly _sharedCreds?: { readonly context: NativeContext };
  /** Of `addContext`. */
  readonly _contexts?: readonly (readonly [RegExp, NativeContext])[];
}

/**
 * The event `OCSPRequest` tells the certificate that was loaded last into the context of this moment. That is not
 * the one which is sent if the context has several (RSA and ECDSA), or if the server got another context since the
 * connection began. A server with `SNICallback` may have contexts that nobody can look into. All of this is so in
 * Node 20 to 24; where a later one keeps its contexts elsewhere, nothing is known.
 */
export class SoleCertificate {
  private readonly server: Server & Internals;
  private context: Internals["_sharedCreds"];
  /** Connections that shake hands with the context of now, and with those of before. */
  private current = new Set<unknown>();
  private readonly older = new Set<unknown>();

  constructor(server: Server) {
    this.server = server;
    this.context = this.server._sharedCreds;
    server.on("connection", this.begin);
    server.on("secureConnection", this.finish);
  }

  /** Whether whoever is told this certificate by `OCSPRequest` will send it. */
  is(certificate: Buffer): boolean {
    this.notice();
    return this.older.size === 0 && this.own()?.equals(certificate) === true;
  }

  /** Watches no more. */
  end(): void {
    this.server.off("connection", this.begin);
    this.server.off("secureConnection", this.finish);
  }

  /** The server's own certificate, if it is the only one of its context, and no other context may tell the same. */
  private own(): Buffer | undefined {
    const { _contexts, _sharedCreds, cert, pfx } = this.server;
    if (count(cert) + count(pfx) !== 1 || !Array.isArray(_contexts) || mayCallBack(this.server))
      return undefined;
    const own = _sharedCreds?.context.getCertificate();
    if (!own || _contexts.some(([, context]) => context.getCertificate()?.equals(own))) return undefined;
    return own;
  }

  /** A connection has the context that the server had when it began. */
  private notice(): void {
    if (this.server._sharedCreds === this.context) return;
    this.context = this.server._sharedCreds;
    for (const transport of this.current) this.older.add(transport);
    this.current = new Set();
  }

  private readonly begin = (transport: Duplex): void => {
    this.notice();
    this.current.add(transport);
    transport.once("close", () => this.forget(transport));
  };

  private readonly finish = (socket: TLSSocket & { readonly _parent?: unknown }): void => {
    this.forget(socket._parent);
  };

  private forget(transport: unknown): void {
    this.current.delete(transport);
    this.older.delete(transport);
  }
}

/** How many there are in an option that takes one or an array. */
function count(option: unknown): number {
  if (Array.isArray(option)) return option.length;
  return option === undefined || option === null ? 0 : 1;
}

/** Whether the server was given `SNICallback`, which it keeps under a symbol; also where that is not to be found. */
function mayCallBack(server: object): boolean {
  const [symbol] = Object.getOwnPropertySymbols(server).filter(
    ({ description }) => description === "snicallback",
  );
  return symbol === undefined || (server as Record<symbol, unknown>)[symbol] !== undefined;
}
