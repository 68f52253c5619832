import { inboxOf, outboxOf, storeOf } from "../handshake/arena.js";
import type { ExtensionTable } from "../handshake/extensionrow.js";
import { Handshake } from "../handshake/handshake.js";
import { clientSide, serverSide } from "../handshake/sides.js";
import { extendedKeyUsage } from "../pki/certificate.js";
import { Engine } from "../record/engine.js";
import type { MachineTable } from "../record/row.js";
import type { Reader } from "../wire/reader.js";
import type { Writer } from "../wire/writer.js";
import { type ClientConfig, type ClientIdentity, release } from "./options.js";
import type { Session } from "./session.js";
import type { ClientState } from "./states.js";

/** What a connection that may resume keeps: the feature `resumption`, as the rest of the client knows it. */
export interface Resuming {
  /** The session that is offered, as long as it fits. */
  readonly offer: Session | undefined;
  /** The server goes on from it. */
  accepted: boolean;
  /** Tickets that will be taken; in TLS 1.2 the one that was announced, which must come. */
  expected: number;
  /** Whether the ClientHello has room for so much more of the offer; if not, there is none any more. */
  fits(w: Writer, length: number): boolean;
  bind(s: ClientHandshake, w: Writer): void;
  keepSecret(s: ClientHandshake): void;
  appraise(s: ClientHandshake): void;
  takeTicket13(
    s: ClientHandshake,
    lifetime: number,
    ageAdd: number,
    nonceAt: number,
    nonceLength: number,
    start: number,
    end: number,
  ): void;
  takeTicket12(r: Reader): void;
  deliver12(s: ClientHandshake): void;
}

/** Everything that one handshake negotiates, and the table that is in force. */
export class ClientHandshake extends Handshake {
  readonly config: ClientConfig;
  readonly engine: Engine;

  table: MachineTable;
  state: ClientState = "START";

  retried = false;
  cookie: Uint8Array | undefined;
  /** The server agreed to a limit of records, in one of the two ways. */
  limited = false;
  extendedMasterSecret = false;
  /** TLS 1.2: the ExtensionType by which the server announced a CertificateStatus, or 0. */
  announced = 0;
  /** Responses of an OCSPResponseList so far, RFC 6961 2.2. */
  responsesSent = 0;

  resuming: Resuming | undefined;

  constructor(config: ClientConfig, arena: Uint8Array) {
    const { buffers } = config;
    const store = storeOf(buffers, arena);
    super(config, extendedKeyUsage.serverAuth, store);
    const inbox = inboxOf(buffers, arena);
    const outbox = outboxOf(buffers, arena);
    this.config = config;
    this.table = config.features.tableHello;
    this.engine = new Engine(this, inbox, outbox);
  }

  get own() {
    return clientSide;
  }

  get peer() {
    return serverSide;
  }

  get extensions(): ExtensionTable {
    return this.config.features.extensions;
  }

  get identity(): ClientIdentity | undefined {
    return this.config.identity;
  }

  /** Whether the server goes on from the session that was offered. */
  get resumed(): boolean {
    return this.resuming?.accepted === true;
  }

  override dismissVerifier(): void {
    this.resuming?.appraise(this);
    super.dismissVerifier();
  }

  override establish(): void {
    super.establish();
    release(this.config);
  }
}
