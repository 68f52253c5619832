import type { KeySchedule13 } from "../crypto/keys13.js";
import type { Identity, Verification } from "../crypto/provider.js";
import type { ExtensionTable } from "../handshake/extensionrow.js";
import { Handshake } from "../handshake/handshake.js";
import { newSchedule13 } from "../handshake/handshake13.js";
import { clientSide, serverSide } from "../handshake/sides.js";
import { extendedKeyUsage } from "../pki/certificate.js";
import type { MachineTable } from "../record/row.js";
import { type Fault, faults } from "../wire/fault.js";
import { extensionType } from "../wire/registry.js";
import type { ServerConfig } from "./config.js";
import { ServerEngine } from "./engine.js";
import type { Lender } from "./lender.js";
import type { LongMessage } from "./longmessage.js";
import { Offer } from "./offer.js";
import type { Hello, Selection } from "./options.js";
import type { ServerState } from "./states.js";
import { ServerStore } from "./store.js";
import type { Ticket } from "./ticket.js";

/** What a server begins with: its first table, and that of its extensions. */
export interface Tables {
  readonly table: MachineTable;
  readonly extensions: ExtensionTable;
}

/** Everything that one handshake negotiates, and the table that is in force. */
export class ServerHandshake extends Handshake {
  readonly config: ServerConfig;
  readonly engine: ServerEngine;
  private readonly store: ServerStore;
  readonly extensions: ExtensionTable;

  table: MachineTable;
  state: ServerState = "WAIT_CLIENT_HELLO";

  offer = new Offer();
  /** The group that a HelloRetryRequest asked for, or 0. */
  retriedGroup = 0;
  hello: Hello | undefined;
  /** What waits to be acted upon: the answer to `hello`. */
  answer: Selection | Fault | undefined;
  selection: Selection | undefined;
  /** What we answered in record_size_limit (RFC 8449). */
  recordSizeLimit = 0;

  /** TLS 1.2: the CertificateStatus that the ServerHello announces. */
  announced: Hello["stapling"] = "off";
  /** TLS 1.2: a NewSessionTicket will come. */
  ticketAnnounced = false;
  /** TLS 1.3: seconds that the ticket may live which is given out; 0: there is none. */
  ticketLife = 0;
  /** The message that is being sent part by part. */
  long: LongMessage | undefined;

  /** The ticket that the handshake resumes from, and where the client's list had it. */
  ticket: Ticket | undefined;
  selectedPsk = 0;

  /** TLS 1.2: for each of our schemes that fits the client's key its CertificateVerify in the making. */
  verifications: (Verification | undefined)[] = [];

  constructor(config: ServerConfig, lender: Lender, { table, extensions }: Tables) {
    const store = new ServerStore(lender, config.buffers.store);
    super(config, extendedKeyUsage.clientAuth, store);
    this.store = store;
    this.config = config;
    this.table = table;
    this.extensions = extensions;
    this.engine = new ServerEngine(this, config.buffers, lender, () => this.table === table);
  }

  get own() {
    return serverSide;
  }

  get peer() {
    return clientSide;
  }

  get resumed(): boolean {
    return this.ticket !== undefined;
  }

  /** TLS 1.2: both sides take part in RFC 7627. */
  get extendedMasterSecret(): boolean {
    return this.offer.has(extensionType.extended_master_secret);
  }

  get identity(): Identity | undefined {
    return this.selection?.identity;
  }

  /** The identity that was chosen for this client. */
  get chosen(): Identity {
    if (this.selection === undefined) throw faults.INTERNAL_ERROR;
    return this.selection.identity;
  }

  /** The staple at hand for our certificate at `index`. */
  stapleAt(index: number): Uint8Array | undefined {
    const staple = this.selection?.staples?.[index];
    return staple && staple.length > 0 ? staple : undefined;
  }

  /** Seconds since 1970; undefined while the clock is not set, which must not pass for a time. */
  get now(): number | undefined {
    const now = this.config.clock();
    return now !== undefined && now >= this.config.clockFloor ? now : undefined;
  }

  /** The schedule, that of a PSK if one was begun. */
  beginSchedule13(): KeySchedule13 {
    this.keys13 ??= newSchedule13(this, this.suiteInForce.hash);
    return this.keys13;
  }

  override dismissVerifier(): void {
    super.dismissVerifier();
    this.store.release();
  }

  override wipe(): void {
    super.wipe();
    this.store.release();
    this.ticket?.secret.fill(0);
    this.verifications = [];
  }
}
