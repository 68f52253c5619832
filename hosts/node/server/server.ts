import { Server as NetServer } from "node:net";
import type { Duplex } from "node:stream";
import { type CrlList, readCrls } from "../common/crl.js";
import { unsupportedMember } from "../common/errors.js";
import { checkKey } from "../common/profiles.js";
import type { StapleError } from "../ocsp/staple-error.js";
import { Stapler, type StapleSource } from "../ocsp/stapler.js";
import { crlsFrom } from "../socket/common-options.js";
import type { AnyListener, ConnectionError } from "../socket/events.js";
import { readTicketKey, type ServerOptions, type ServerSettings, settleServer } from "./options.js";
import { SecureContext, type SecureContextOptions, toContext } from "./secure-context.js";
import { Selector } from "./selector.js";
import { SharedTicketKeys } from "./shared-ticket-keys.js";
import { ServerSocket } from "./socket.js";
import { TicketKeys } from "./ticket-keys.js";

/** Events of a server, beyond those of net.Server, each with its arguments. */
export interface ServerEvents {
  /** The handshake is done, and the client is let in. */
  secureConnection: [socket: ServerSocket];
  /** A handshake failed. */
  tlsClientError: [error: ConnectionError, socket: ServerSocket];
  /** A line of SSLKEYLOGFILE. */
  keylog: [line: Buffer, socket: ServerSocket];
  /** A certificate has no staple, or no new one: told once for each reason. */
  stapleError: [error: StapleError];
  /** The store of the tickets' keys failed, or has what is none: told once for each reason. Meanwhile sessions are each server's own. */
  ticketError: [error: Error];
}

// biome-ignore-start lint/suspicious/noUnsafeDeclarationMerging: the interface says what listeners get, of methods that are there
export interface Server {
  addListener<K extends keyof ServerEvents>(event: K, listener: (...args: ServerEvents[K]) => void): this;
  addListener(event: string | symbol, listener: AnyListener): this;
  on<K extends keyof ServerEvents>(event: K, listener: (...args: ServerEvents[K]) => void): this;
  on(event: string | symbol, listener: AnyListener): this;
  once<K extends keyof ServerEvents>(event: K, listener: (...args: ServerEvents[K]) => void): this;
  once(event: string | symbol, listener: AnyListener): this;
  prependListener<K extends keyof ServerEvents>(event: K, listener: (...args: ServerEvents[K]) => void): this;
  prependListener(event: string | symbol, listener: AnyListener): this;
  prependOnceListener<K extends keyof ServerEvents>(
    event: K,
    listener: (...args: ServerEvents[K]) => void,
  ): this;
  prependOnceListener(event: string | symbol, listener: AnyListener): this;
}

/**
 * A TLS server with the manners of node:tls's.
 *
 * Events: `secureConnection` (ServerSocket), `tlsClientError` (error, ServerSocket) for a handshake that failed,
 * `keylog` (line, ServerSocket), `stapleError` (StapleError) when a certificate has no staple or no new one, `ticketError`
 * (Error) when keys of tickets can't be shared, and net.Server's, where `connection` is the one below.
 */
export class Server extends NetServer {
  // biome-ignore-end lint/suspicious/noUnsafeDeclarationMerging: as above
  private settings: ServerSettings;
  private readonly selector: Selector;
  private readonly tickets: TicketKeys;

  /**
   * @throws TypeError or RangeError whose `code` begins with `ERR_TLSTAPLE_OPTION`
   */
  constructor(options: ServerOptions = {}, onSecureConnection?: OnSecureConnection) {
    const settings = settleServer(options);
    const context = new SecureContext(options);
    const { profile } = settings;
    if (profile) for (const { identity } of context.credentials) checkKey(profile, identity);
    // Our flights go out as wholes: to hold back the last bytes of one would only delay it
    const noDelay = options.noDelay ?? true;
    super({ ...options, noDelay, allowHalfOpen: true, pauseOnConnect: false });
    this.settings = settings;
    this.tickets = this.ticketKeys(settings);
    this.selector = new Selector(context, settings.SNICallback);
    this.selector.stapleChain = settings.stapleChain ?? true;
    this.selector.forwardNonce = settings.forwardNonce;
    this.selector.onStapleError = this.onStapleError;
    if (settings.stapler === undefined) this.fetchStaples(options.roots);
    else if (settings.stapler !== "off") this.share(settings.stapler);
    this.on("newListener", refuseEvent);
    this.on("connection", (transport: Duplex) => this.accept(transport));
    if (onSecureConnection) this.on("secureConnection", onSecureConnection);
  }

  /** Serves clients that ask for this name with another certificate; `*` stands for a label. The last added wins. */
  addContext(hostname: string, context: SecureContext | SecureContextOptions): void {
    this.selector.add(hostname, toContext(context));
  }

  /**
   * Replaces the certificates and keys of the server itself, for connections from now on. Tickets of before are worth
   * nothing: their key is replaced too, one that was given by one of the server's own, as in node:tls.
   */
  setSecureContext(context: SecureContext | SecureContextOptions): void {
    this.selector.default = toContext(context);
    this.tickets.renew();
  }

  /**
   * Replaces the CRLs that clients' certificates are judged by, for connections from now on: each list ends.
   * @throws TypeError or RangeError whose `code` begins with `ERR_TLSTAPLE_OPTION`
   */
  setCrl(crl: CrlList): void {
    const { connection } = this.settings;
    const crls = crlsFrom({ crl: readCrls(crl, "crl"), crlPolicy: connection.crlPolicy });
    this.settings = { ...this.settings, connection: { ...connection, crls } };
  }

  /** The key that seals session tickets, 48 bytes; the other servers of a cluster may set it. */
  getTicketKeys(): Buffer {
    return this.tickets.get();
  }

  /** Seals and opens session tickets with this key of 48 bytes alone, from now on. */
  setTicketKeys(key: Uint8Array): void {
    this.tickets.set(readTicketKey(key, "ticketKeys"));
  }

  /** The Stapler that was given, or else the server's own; undefined where none fetches the staples. */
  get stapler(): Stapler | undefined {
    const { stapler } = this.selector;
    return stapler instanceof Stapler ? stapler : undefined;
  }

  private ticketKeys({ sessionTimeout, clock, ticketKeys }: ServerSettings): TicketKeys {
    if (ticketKeys === undefined || !("store" in ticketKeys))
      return new TicketKeys(sessionTimeout, ticketKeys);
    const onError = (error: Error) => this.emit("ticketError", error);
    const keys = new TicketKeys(
      sessionTimeout,
      undefined,
      new SharedTicketKeys(ticketKeys, sessionTimeout, clock, onError),
    );
    this.on("listening", () => keys.start());
    this.on("close", () => keys.stop());
    return keys;
  }

  /** Staples with a Stapler of our own, which ends when the server closes; it may listen again. */
  private fetchStaples(issuers: ServerOptions["roots"]): void {
    const stapler = new Stapler({ issuers });
    this.selector.stapler = stapler.on("stapleError", this.onStapleError);
    this.once("close", () => {
      stapler.close();
      this.fetchStaples(issuers);
    });
  }

  /** Staples with what others may use too; a server that is closed is not held by it. */
  private share(stapler: StapleSource): void {
    this.selector.stapler = stapler;
    if (!(stapler instanceof Stapler)) return;
    stapler.on("stapleError", this.onStapleError);
    this.once("close", () => {
      stapler.off("stapleError", this.onStapleError);
      this.once("listening", () => this.share(stapler));
    });
  }

  private readonly onStapleError = (error: StapleError): void => {
    this.emit("stapleError", error);
  };

  private accept(transport: Duplex): void {
    const socket = new ServerSocket(transport, this.settings, this.selector, this.tickets);
    socket.server = this;
    let secure = false;
    socket.once("secure", () => {
      secure = true;
      if (this.settings.pauseOnConnect) socket.pause();
      this.emit("secureConnection", socket);
    });
    // Also for those who never listen: no client must be able to end the process
    socket.on("error", (error) => {
      if (!secure) this.emit("tlsClientError", error, socket);
    });
    if (this.listenerCount("keylog") > 0) socket.on("keylog", (line) => this.emit("keylog", line, socket));
  }
}

/** Events of node:tls's server that never come, with what to do instead. */
export const refusedEvents: Readonly<Record<string, string>> = Object.freeze({
  newSession: "sessions are in tickets; servers share them by ticketKeys",
  OCSPRequest: "staples are fetched, or give them as staples",
  resumeSession: "sessions are in tickets; servers share them by ticketKeys",
});

function refuseEvent(name: string | symbol): void {
  if (typeof name === "string" && Object.hasOwn(refusedEvents, name))
    throw unsupportedMember(`the event ${name}`, refusedEvents[name]);
}

type OnSecureConnection = (socket: ServerSocket) => void;

/**
 * Makes a TLS server, as node:tls's `createServer` does; the listener is called at `secureConnection`.
 *
 * @example
 * createServer({ cert, key }, (socket) => socket.end("hello\n")).listen(8443);
 * @throws TypeError or RangeError whose `code` begins with `ERR_TLSTAPLE_OPTION`
 */
export function createServer(options?: ServerOptions, onSecureConnection?: OnSecureConnection): Server;
export function createServer(onSecureConnection: OnSecureConnection): Server;
export function createServer(
  first?: ServerOptions | OnSecureConnection,
  second?: OnSecureConnection,
): Server {
  return typeof first === "function" ? new Server({}, first) : new Server(first, second);
}
