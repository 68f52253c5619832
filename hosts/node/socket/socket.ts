import { addAbortSignal } from "node:stream";
import {
  type ApartRecord,
  openedApart,
  type Session,
  type Staples,
  sealedApart,
  stapling,
  TlsClient,
} from "../../../src/client/index.js";
import { acceptAnyName } from "../../../src/pki/index.js";
import { faults } from "../../../src/wire/index.js";
import { isCharger, type Profile } from "../common/profiles.js";
import { OwnStapling } from "./client-staple.js";
import type { ClientSocketEvents } from "./events.js";
import { Hindsight } from "./hindsight.js";
import type { InquirySettings } from "./inquiry.js";
import { type CheckServerIdentity, type ConnectOptions, type Settings, settle } from "./options.js";
import { type Parts, type Refusal, SecureSocket } from "./secure-socket.js";
import { encodeSession, type SavedSession } from "./session.js";
import { adopt, openTcp } from "./transport.js";

/** A core whose records may go on without a copy, as a server's do; devices have no use for that. */
class Client extends TlsClient {
  openedApart(): Uint8Array | undefined {
    return openedApart(this.handshake.engine);
  }

  sealedApart(): ApartRecord | undefined {
    return sealedApart(this.handshake.engine);
  }

  acceptAnyName(): void {
    acceptAnyName(this.handshake.verifier.path);
  }
}

/**
 * A TLS client connection with the manners of node:tls's. `connect` makes them.
 *
 * Events: `connect` (TCP), `secureConnect`, `data`, `end`, `error` (a TlsError or the transport's own),
 * `close`, `timeout`, `keylog` (a line of SSLKEYLOGFILE), `session` (to resume, as the option of that name),
 * `ocspLookup` (a LookupReport: a responder was asked), `stapleError` (a StapleError: of the option `clientStaple` nothing, or not
 * all, could be sent).
 */
export class TLSSocket extends SecureSocket<Client, ClientSocketEvents> {
  /** The name that was verified, and sent as SNI when it is a DNS name; undefined where a profile has none. */
  readonly servername: string | undefined;
  protected override readonly ownCertificate: Uint8Array | undefined;
  private readonly verify: boolean;
  private readonly sessions: Sessions;
  private readonly own: OwnStapling | undefined;
  private readonly lookup: InquirySettings | undefined;
  private readonly charging: Profile | undefined;
  private readonly checkServerIdentity: CheckServerIdentity | undefined;
  private readonly allowTruncation: boolean;
  /** The server is found good, by lookup too. */
  private admitted = false;
  /** What `getSession` gives once the socket is destroyed. */
  private lastSession: Buffer | undefined;

  /**
   * With `anyName` the server's name is sent but not verified, and no session is kept or resumed, as whoever resumed it
   * would take the name for verified: for the command line, whose user asked for that.
   * @throws TypeError or RangeError whose `code` begins with `ERR_TLSTAPLE_OPTION`
   */
  constructor(options: ConnectOptions, anyName = false) {
    const settings = settle(options);
    const sessions = new Sessions(settings.saved, () => this.newSession());
    const { charging, clientStaple } = settings;
    const { clock, identity } = settings.core;
    const own =
      clientStaple &&
      new OwnStapling(clientStaple, {
        identity: identity!,
        clock,
        take: (staples) => this.staple(staples),
        tell: (error) => process.nextTick(() => this.emit("stapleError", error)),
      });
    super(partsOf(options, settings, own, anyName || charging ? undefined : sessions));
    this.sessions = sessions;
    this.own = own;
    this.servername = charging ? undefined : settings.core.serverName;
    this.ownCertificate = settings.core.identity?.certificates[0];
    this.verify = settings.verify;
    this.lookup = settings.lookup;
    this.charging = charging;
    this.checkServerIdentity = settings.checkServerIdentity;
    this.allowTruncation = settings.allowTruncation;
    if (options.timeout !== undefined) this.setTimeout(options.timeout);
    // Only now, as it may destroy at once
    if (options.signal !== undefined) addAbortSignal(options.signal, this);
  }

  /** The responses that went out with the client's own certificates, in their order, as far as the server asked for any. */
  get staples(): Staples {
    return this.own?.staples ?? [];
  }

  /** Whether the server went on from the option `session`: it sent neither certificates nor staples then. */
  isSessionReused(): boolean {
    return this.core.resumed;
  }

  /**
   * The latest session, as in the event `session`, or else the one that was resumed; it ends with the first staple's
   * nextUpdate at the latest. Undefined until the server is found good. It holds a secret, also after the end.
   */
  getSession(): Buffer | undefined {
    if (!this.admitted || this.lastSession) return this.lastSession;
    const { latest, offered } = this.sessions;
    const session = latest ?? (this.core.resumed ? offered?.session : undefined);
    return session && encodeSession({ session, chain: this.peerChain, verdicts: this.ocsp });
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.lastSession = this.getSession();
    this.sessions.wipe();
    super._destroy(error, done);
  }

  protected override bearsTruncation(): boolean {
    return this.allowTruncation;
  }

  /** What the handshake has waited for, or will. */
  private staple(staples: Staples): void {
    if (this.destroyed) return;
    this.core.staple(staples);
    this.pump();
  }

  /** In TLS 1.2 it comes before the server is looked up: then it is told of later. */
  private newSession(): void {
    if (this.admitted && this.listenerCount("session") > 0) this.emit("session", this.getSession());
  }

  protected override inquire(): Promise<Refusal | undefined> | undefined {
    const { offered } = this.sessions;
    if (this.core.resumed) this.remember(offered?.chain ?? [], offered?.verdicts ?? []);
    if (!this.verify) return undefined;
    if (this.charging && !isCharger(this.charging, this.getPeerCertificate(true)!))
      return Promise.resolve({ fault: faults.CERT_NAME_MISMATCH });
    const refusal = this.checkServerIdentity && this.check(this.checkServerIdentity);
    if (refusal) return Promise.resolve(refusal);
    return this.lookup && this.lookUp(this.lookup);
  }

  /** Asks the application's own function, of a session that is resumed too. */
  private check(checkServerIdentity: CheckServerIdentity): Refusal | undefined {
    try {
      const error: unknown = checkServerIdentity(this.servername ?? "", this.getPeerCertificate(true)!);
      if (error instanceof Error) return { fault: faults.CERT_NAME_MISMATCH, error };
      if (error) throw new TypeError("checkServerIdentity must return an Error or undefined");
      return undefined;
    } catch (cause) {
      return { fault: faults.CALLBACK_FAILED, cause };
    }
  }

  protected override announce(): void {
    this.authorized = this.verify;
    if (!this.authorized)
      this.authorizationError = new Error("rejectUnauthorized is false: nothing was verified");
    this.admitted = true;
    this.emit("secure");
    this.emit("secureConnect");
    if (this.sessions.latest) this.newSession();
  }
}

/** The session that was given, and the one that came last. */
class Sessions {
  offered: SavedSession | undefined;
  latest: Session | undefined;
  private readonly notify: () => void;

  constructor(offered: SavedSession | undefined, notify: () => void) {
    this.offered = offered;
    this.notify = notify;
  }

  wipe(): void {
    this.offered?.session.secret.fill(0);
    this.latest?.secret.fill(0);
    this.offered = this.latest = undefined;
  }

  readonly take = (session: Session): void => {
    this.latest = session;
    this.notify();
  };
}

/** Without sessions any name will do. */
function partsOf(
  options: ConnectOptions,
  settings: Settings,
  own: OwnStapling | undefined,
  sessions?: Sessions,
): Parts<Client> {
  const { allowHalfOpen = false, highWaterMark, onCipher, onMessage, socket } = options;
  const { crls, handshakeTimeout, roots } = settings;
  const hindsight = new Hindsight(settings.core, own !== undefined);
  return {
    stream: { allowHalfOpen, highWaterMark },
    core: (reports) => {
      const resuming = { session: sessions?.offered?.session, onSession: sessions?.take };
      const { features } = settings.core;
      const stapled = own ? stapling(features!, own.ask) : features;
      const client = new Client({ ...settings.core, ...reports, ...resuming, features: stapled });
      if (!sessions) client.acceptAnyName();
      return client;
    },
    transport: (core, received) =>
      socket ? adopt(socket, core, received, onCipher) : openTcp(options, core, received, onCipher),
    roots,
    crls: crls?.(),
    handshakeTimeout,
    onMessage: (...message) => {
      hindsight.record(...message);
      onMessage?.(...message);
    },
    onCipher,
    advise: hindsight.advise,
  };
}
