/** OCSP stapling for Node's own TLS and HTTPS servers. */

import type { Server } from "node:tls";
import { Lru } from "../ocsp/lru.js";
import { ambiguous, StapleError } from "../ocsp/staple-error.js";
import { Stapler } from "../ocsp/stapler.js";
import { digest } from "../ocsp/subject.js";
import { SoleCertificate } from "./sole-certificate.js";

type Listener = (certificate: Buffer, issuer: Buffer | null | undefined, respond: Respond) => void;
type Respond = (error: Error | null, response: Buffer) => void;

/** What Node takes for "no staple", though its types don't say so. */
const none = null as unknown as Buffer;

/** How many certificates are remembered as ones whose ambiguity was told. */
const MAX_TOLD = 1000;

/**
 * A Stapler for `tls.createServer` and `https.createServer`. Node staples for the server's own certificate alone.
 * It tells the issuer if that is among `cert` or `ca` of the server; else give it as `issuers`.
 *
 * It is for servers of one certificate. Which one of several is sent Node does not tell, so nothing is stapled then,
 * and the event `stapleError` says so; the `createServer` of tlstaple staples for any number of them.
 *
 * @example
 * const cache = new StapleCache({ store: new FileStore("/var/cache/staples") });
 * const server = https.createServer({ cert, key }, handler);
 * cache.attach(server);
 * server.listen(443);
 */
export class StapleCache extends Stapler {
  private readonly attached = new WeakMap<Server, { sole: SoleCertificate; listener: Listener }>();
  private readonly told = new Lru<{ once: boolean }>(MAX_TOLD);

  /** Staples for a server, best before it listens; it may be attached to several. Returns the server. */
  attach<S extends Server>(server: S): S {
    if (this.attached.has(server)) return server;
    const sole = new SoleCertificate(server);
    const listener: Listener = (...asked) => this.answer(sole, ...asked);
    this.attached.set(server, { sole, listener });
    server.on("OCSPRequest", listener);
    return server;
  }

  /** Staples for a server no longer. Returns the server. */
  detach<S extends Server>(server: S): S {
    const attached = this.attached.get(server);
    if (!attached) return server;
    this.attached.delete(server);
    attached.sole.end();
    server.off("OCSPRequest", attached.listener);
    return server;
  }

  /** It never fails a handshake. */
  private answer(sole: SoleCertificate, ...[certificate, issuer, respond]: Parameters<Listener>): void {
    if (!certificate || !sole.is(certificate)) {
      if (certificate) this.complain(certificate);
      respond(null, none);
      return;
    }
    const chain = issuer ? [certificate, issuer] : [certificate];
    this.staples(chain, 1).then(({ staples: [staple] }) => respond(null, staple ? asBuffer(staple) : none));
  }

  private complain(certificate: Buffer): void {
    const told = this.told.use(digest([certificate]), () => ({ once: false }));
    if (!told.once) this.tell("stapleError", new StapleError(certificate, ambiguous));
    told.once = true;
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
