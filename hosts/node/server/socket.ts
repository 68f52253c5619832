import type { Duplex } from "node:stream";
import { type Hello, Pool, type Selection, TlsServer } from "../../../src/server/index.js";
import { type Fault, faults, isFault } from "../../../src/wire/index.js";
import type { InquirySettings } from "../socket/inquiry.js";
import { type Refusal, SecureSocket } from "../socket/secure-socket.js";
import { adopt } from "../socket/transport.js";
import { adviseServer } from "./advice.js";
import type { ServerSettings } from "./options.js";
import type { Selector } from "./selector.js";
import type { TicketKeys } from "./ticket-keys.js";

type Answer = Selection | Fault;

/** Buffers that no connection needs at the moment: one burst's are there for the next. */
const pool = new Pool(1 << 20);

/**
 * The server's side of a TLS connection, with the manners of node:tls's. A Server makes them.
 *
 * Events: `secure` (the handshake is done), `data`, `end`, `error` (a TlsError or the transport's own), `close`,
 * `timeout`, `keylog` (a line of SSLKEYLOGFILE), `ocspLookup` (a LookupReport). An error that nobody listens to only closes the connection.
 */
export class ServerSocket extends SecureSocket<TlsServer> {
  private readonly verify: boolean;
  private readonly requestsCertificate: boolean;
  private readonly lookup: InquirySettings | undefined;
  private readonly selector: Selector;
  private selection: Selection | undefined;

  constructor(transport: Duplex, settings: ServerSettings, selector: Selector, tickets: TicketKeys) {
    const { core: options } = settings;
    const { crls, handshakeTimeout, lookup, onCipher, onMessage, roots, stream, verify } =
      settings.connection;
    const tap = onCipher && ((sent: boolean, bytes: Uint8Array) => onCipher(sent, bytes, this));
    super({
      stream,
      core: (reports) =>
        new TlsServer(
          {
            ...options,
            ...reports,
            exporting: true,
            ticketKeys: tickets.current,
            select: (hello) => this.select(hello),
          },
          pool,
        ),
      transport: (core, received) => adopt(transport, core, received, tap),
      roots,
      crls: crls?.(),
      handshakeTimeout,
      onMessage:
        onMessage && ((sent, type, bytes, start, end) => onMessage(sent, type, bytes, start, end, this)),
      onCipher: tap,
      advise: adviseServer,
    });
    this.verify = verify;
    this.requestsCertificate = options.clientAuth !== "none";
    this.lookup = lookup;
    this.selector = selector;
  }

  protected override get ownCertificate(): Uint8Array | undefined {
    return this.selection?.identity.certificates[0];
  }

  /** The name that the client asked for. */
  get servername(): string | false {
    return this.core.hello?.serverName ?? false;
  }

  /** How the client asked for staples, once it has said so. */
  get stapling(): Hello["stapling"] | undefined {
    return this.core.hello?.stapling;
  }

  /** The responses that went out with this connection's certificates, in their order, as far as there were any. */
  get staples(): readonly (Uint8Array | undefined)[] {
    return (this.isSessionReused() ? undefined : this.selection?.staples) ?? [];
  }

  isSessionReused(): boolean {
    return this.core.resumed;
  }

  protected override inquire(): Promise<Refusal | undefined> | undefined {
    const asks = this.lookup && this.verify && this.rooted;
    return asks ? this.lookUp(this.lookup) : undefined;
  }

  protected override announce(): void {
    this.authorized = this.verify && this.rooted;
    if (this.requestsCertificate && !this.authorized) this.authorizationError = new Error(this.reason());
    this.emit("secure");
  }

  /** A client may just leave: no half record, and no half message, waits in the input buffer. */
  protected override bearsTruncation(): boolean {
    return this.core.waiting === 0;
  }

  private reason(): string {
    return this.verify
      ? "the client showed no certificate"
      : "rejectUnauthorized is false: nothing was verified";
  }

  // ---- Answering the ClientHello

  private select(hello: Hello): Answer | undefined {
    const answer = this.selector.select(hello);
    if (!(answer instanceof Promise)) return this.keep(answer);
    answer.then(
      (found) => this.proceed(found),
      (error) => this.refuse(error),
    );
    return undefined;
  }

  private keep(answer: Answer): Answer {
    if (!isFault(answer)) this.selection = answer;
    return answer;
  }

  /** Goes on with the handshake; the connection may be over by now. */
  private proceed(answer: Answer): void {
    if (this.destroyed) return;
    this.core.proceed(this.keep(answer));
    this.pump();
    this.transport.resume();
  }

  private refuse(error: unknown): void {
    this.cause = error;
    this.proceed(faults.UNRECOGNIZED_NAME);
  }
}
