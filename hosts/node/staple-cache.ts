/** OCSP stapling for Node's own TLS and HTTPS servers. */

import type { Server } from "node:tls";
import { Stapler } from "./stapler.js";

type Respond = (error: Error | null, response: Buffer) => void;

/** What Node takes for "no staple", though its types don't say so. */
const none = null as unknown as Buffer;

/**
 * A Stapler for `tls.createServer` and `https.createServer`. Node staples for the server's own certificate alone.
 * It tells the issuer if that is among `cert` or `ca` of the server; else give it as `issuers`.
 *
 * @example
 * const cache = new StapleCache({ directory: "/var/cache/staples" });
 * const server = https.createServer({ cert, key }, handler);
 * cache.attach(server);
 * server.listen(443);
 */
export class StapleCache extends Stapler {
  /** For `server.on("OCSPRequest", …)`. It never fails a handshake. */
  readonly listener = (certificate: Buffer, issuer: Buffer | null | undefined, respond: Respond): void => {
    const chain = issuer ? [certificate, issuer] : [certificate];
    this.staples(chain, 1).then(({ staples: [staple] }) => respond(null, staple ? asBuffer(staple) : none));
  };

  /** Staples for a server; it may be attached to several. Returns the server. */
  attach<S extends Server>(server: S): S {
    server.on("OCSPRequest", this.listener);
    return server;
  }

  /** Staples for a server no longer. Returns the server. */
  detach<S extends Server>(server: S): S {
    server.off("OCSPRequest", this.listener);
    return server;
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
