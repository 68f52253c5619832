import { type BareClient, type ClientHandshake, wants } from "../../src/client/index.js";
import type { Signer } from "../../src/crypto/index.js";
import { type Fault, faults, TlsError } from "../../src/wire/index.js";
import { bytesOf } from "./bytes.js";
import type { Keeper } from "./cache.js";
import type { SocketOptions } from "./options.js";
import type { ByteBuffer, Memory, Platform, Tcp, TcpConstructor, TcpOptions } from "./platform.js";

export { TlsError } from "../../src/wire/index.js";
export type {
  Credential,
  OcspSettings,
  ProtocolVersion,
  SecureOptions,
  SocketOptions,
} from "./options.js";
export type {
  ByteBuffer,
  Platform,
  SessionCache,
  SignatureStore,
  Tcp,
  TcpConstructor,
  TcpOptions,
  Timers,
} from "./platform.js";

/** What was negotiated, and what became of each certificate's staple: of none, where an earlier session was resumed. */
export type Session = Pick<BareClient, "version" | "suite" | "group" | "alpn" | "resumed" | "verdicts">;

export interface WriteOptions {
  /** More follows that belongs into the same record. */
  readonly more?: boolean;
  /** The length of the whole: a hint, which is not needed here. */
  readonly byteLength?: number;
}

/** What a socket is at. */
const phase = Object.freeze({ CONNECTING: 0, HANDSHAKE: 1, OPEN: 2, OVER: 3 });
/** What is known of the transport's end. */
const end = Object.freeze({ NONE: 0, HEARD: 1, TOLD: 2 });

/** Milliseconds between two steps of the handshake: other timers and sockets get their turn. */
const STEP = 1;
/** Milliseconds for which a closed socket tries to get rid of what was written. */
const LINGER = 3000;
const HANDSHAKE_TIMEOUT = 20_000;
/**
 * Milliseconds after a partial read until the rest is announced again. The SDK's clients read the rest from a
 * timer of their own, at once; a second announcement before that would end their message behind their back.
 */
const REMINDER = 10;
/** Records that are handed on without a pause. */
const BURST = 8;
/** Room that is not offered, so that a few writes more than promised do no harm: each costs a record's overhead. */
const SLACK = 96;

/**
 * An ECMA-419 TLS client socket, `embedded:io/socket/tcp/tls`. Callbacks come from the transport or a timer,
 * never from within a call, and nothing thrown gets out of them.
 */
export class TLSSocket {
  target: unknown;

  protected readonly platform: Platform;
  /** Its engine has the records. */
  protected client: ClientHandshake | undefined;
  protected tcp: Tcp | undefined;
  /** The client's key, if it was made for this connection. */
  private signer: (Signer & { dispose?(): void }) | undefined;
  /** The session to resume, and those that come; undefined without a cache. */
  private keeper: Keeper | undefined;
  /** What remembers signatures, until the handshake is done. */
  private memory: Memory | undefined;
  private onReadable: SocketOptions["onReadable"];
  private onWritable: SocketOptions["onWritable"];
  private onError: SocketOptions["onError"];
  private onSecure: ((this: TLSSocket, socket: TLSSocket) => void) | undefined;
  private onReason: ((this: TLSSocket, error: TlsError) => void) | undefined;
  /** The one function that timers call. */
  private readonly tick: () => void;
  private ticker: unknown;
  private reminder: unknown;
  /** Ends a handshake that takes too long, and later a close. */
  private deadline: unknown;

  private phase: number = phase.CONNECTING;
  private end: number = end.NONE;
  /** Bytes that the transport holds for us, and that it would take. */
  private readable = 0;
  protected writable = 0;
  /** The application is to be told that it can write. */
  private offers = false;
  /** The application data that may be read now, `[at…dataEnd)` of `plainOut`, and whether it was announced. */
  protected at = 0;
  protected dataEnd = 0;
  private announced = false;
  /** Bytes of the record that is being written with `more`. */
  private held = 0;
  private numbers = false;
  /** A turn is under way, maybe in a callback of the application's. */
  private busy = false;

  /**
   * Begins to connect.
   * @throws TypeError or RangeError for options that can't be, and what the TCP socket throws
   */
  constructor(options: SocketOptions, system: Platform) {
    const platform = options.secure?.crl?.over(system) ?? system;
    const parts = platform.withDefaults
      ? platform.withDefaults(platform, options)
      : platform.assemble(platform, options);
    const { secure } = parts;
    this.platform = platform;
    this.target = options.target;
    if (options.format !== undefined) this.format = options.format;
    this.onReadable = options.onReadable;
    this.onWritable = options.onWritable;
    this.onError = options.onError;
    this.onSecure = secure.onSecure;
    this.onReason = secure.onError;
    this.keeper = parts.keeper;
    this.memory = parts.memory;
    this.signer = parts.signer;
    this.client = parts.client;
    this.tick = () => this.ticked();
    const Transport = options.TCP.io as TcpConstructor;
    this.tcp = new Transport(this.tcpOptions(options));
    const timeout = secure.handshakeTimeout ?? HANDSHAKE_TIMEOUT;
    if (timeout > 0) this.deadline = this.platform.timers.set(() => this.expired(), timeout);
  }

  /** "buffer": `read` returns an ArrayBuffer and `write` takes one. "number": a byte. */
  get format(): "buffer" | "number" {
    return this.numbers ? "number" : "buffer";
  }

  set format(format: "buffer" | "number") {
    if (format !== "buffer" && format !== "number") throw new RangeError('format: "buffer" or "number"');
    this.numbers = format === "number";
  }

  get remoteAddress(): string | undefined {
    return this.tcp?.remoteAddress;
  }

  get remotePort(): number | undefined {
    return this.tcp?.remotePort;
  }

  /** What was negotiated; undefined before the handshake is done and after the end. */
  get session(): Session | undefined {
    if (this.phase !== phase.OPEN) return undefined;
    const { version, suite, group, alpn, resumed, verdicts } = this.client!;
    return { version, suite: suite!.id, group, alpn, resumed, verdicts };
  }

  /**
   * In format "number" the next byte. In "buffer" as many bytes as asked for, or all that were announced, in an
   * ArrayBuffer; with a buffer, fills it as far as possible and returns the count. Undefined when there is none.
   */
  read(into: ByteBuffer): number | undefined;
  read(count?: number): ArrayBuffer | number | undefined;
  read(what: number | ByteBuffer): ArrayBuffer | number | undefined;
  read(what?: number | ByteBuffer): ArrayBuffer | number | undefined {
    if (this.at === this.dataEnd) return undefined;
    const { at } = this;
    if (this.numbers) {
      const byte = this.client!.engine.inbox.bytes[at];
      this.take(1);
      return byte;
    }
    if (typeof what === "object") return this.readInto(bytesOf(what));
    const count = what ?? this.dataEnd - at;
    if (!(Number.isInteger(count) && count > 0 && count <= this.dataEnd - at))
      throw new RangeError("read: more than is there");
    const copy = this.client!.engine.inbox.bytes.slice(at, at + count).buffer as ArrayBuffer;
    this.take(count);
    return copy;
  }

  /**
   * Sends all of `data`, or throws "would block" when that is more than was last offered. With `more` it waits for
   * the next write, to go out in one record with it. Returns how much more may be written.
   */
  write(data: number | ByteBuffer, options?: WriteOptions): number {
    const { client } = this;
    if (client === undefined || this.phase !== phase.OPEN) throw new Error("not connected");
    if (client.engine.fault !== undefined) return 0;
    this.hold(typeof data === "number" ? Uint8Array.of(data) : bytesOf(data));
    if (!options?.more) this.commit();
    return this.room;
  }

  /** Sends close_notify and closes. No callback comes any more. */
  close(): void {
    if (this.phase === phase.OVER) return;
    this.commit();
    this.retire();
  }

  // ---- The transport's callbacks

  protected tcpOptions({ TCP, address, host, port, nodelay }: SocketOptions): TcpOptions {
    const options: TcpOptions = Object.assign({}, TCP, {
      address,
      host,
      port,
      format: "buffer" as const,
      onReadable: (count: number) => this.tcpReadable(count),
      onWritable: (count: number) => this.tcpWritable(count),
      onError: () => this.tcpEnded(),
    });
    return nodelay === undefined ? options : Object.assign(options, { nodelay });
  }

  private tcpReadable(count: number): void {
    this.readable = count;
    this.arouse();
  }

  private tcpWritable(count: number): void {
    this.writable = count;
    if (this.phase === phase.CONNECTING) this.phase = phase.HANDSHAKE;
    else if (this.phase === phase.OPEN) this.offers = true;
    this.arouse();
  }

  protected tcpEnded(): void {
    if (this.end === end.NONE) this.end = end.HEARD;
    this.arouse();
  }

  // ---- Turns: what is done at one go

  /** The handshake goes on by the clock, what follows it at once. */
  private arouse(): void {
    if (this.phase === phase.OPEN || this.phase === phase.OVER) this.turn();
    else this.schedule(STEP);
  }

  protected schedule(milliseconds: number): void {
    this.ticker ??= this.platform.timers.set(this.tick, milliseconds);
  }

  private ticked(): void {
    this.ticker = undefined;
    this.turn();
  }

  private turn(): void {
    if (this.client === undefined) return;
    if (this.busy) {
      this.schedule(0);
      return;
    }
    this.busy = true;
    this.commit();
    if (this.phase === phase.HANDSHAKE) this.shake();
    else if (this.phase === phase.OPEN) this.converse();
    else if (this.phase === phase.OVER) this.linger();
    else if (this.end !== end.NONE) this.finish(faults.CONNECT_FAILED);
    this.busy = false;
  }

  /** One costly step at most. */
  private shake(): void {
    const { engine } = this.client!;
    this.fill();
    if (engine.wants & wants.WORK) engine.work();
    this.flush();
    const wanted = engine.wants;
    if (engine.fault) this.finish(engine.fault);
    else if (wanted & wants.WORK || this.fillable || this.end === end.HEARD) this.schedule(STEP);
    else if ((wanted & (wants.SPACE | wants.WRITE)) === wants.SPACE) this.secured();
  }

  private secured(): void {
    this.phase = phase.OPEN;
    this.offers = true;
    this.platform.timers.clear(this.deadline);
    this.deadline = undefined;
    this.release();
    this.call<TLSSocket>(this.onSecure, this);
    if (this.phase === phase.OPEN) this.converse();
  }

  /** Lets go of what only a handshake needs. */
  private release(): void {
    this.keeper?.wipe();
    this.memory?.hand?.();
    this.signer?.dispose?.();
    this.memory = this.signer = undefined;
  }

  private converse(): void {
    this.settle();
    if (this.offers) this.offerRoom();
    if (this.phase === phase.OPEN) this.pump();
    this.keeper?.store();
  }

  /** Opens records and hands them on. */
  private pump(): void {
    for (let i = 0; i < BURST; i++) {
      if (this.at === this.dataEnd) {
        const found = this.nextRecord();
        if (!found) return;
      }
      if (!this.announced) this.announce();
      if (this.phase !== phase.OPEN || this.at < this.dataEnd) return;
    }
    this.schedule(0);
  }

  /** Finds the next application data; false when there is none yet, or will be none. */
  private nextRecord(): boolean {
    const { engine } = this.client!;
    // What comes may have to be answered, from where that is
    this.commit();
    do this.settle();
    while (this.fill());
    if (engine.fault) this.finish(engine.fault);
    else if (engine.wants & wants.DATA) {
      this.at = engine.inbox.plainAt;
      this.dataEnd = engine.inbox.plainEnd;
      return true;
    } else if (engine.closedByPeer) this.finish(undefined);
    return false;
  }

  private announce(): void {
    this.announced = true;
    this.call(this.onReadable, this.dataEnd - this.at);
  }

  /** Some was read, and then nothing more: the rest is announced once more. */
  private reminded(): void {
    this.reminder = undefined;
    this.announce();
  }

  /** Tells how much can be written, once all that was written is on its way. */
  private offerRoom(): void {
    const { room } = this;
    if (room === 0 || this.client!.engine.wants & wants.WRITE) return;
    this.offers = false;
    this.call(this.onWritable, room);
  }

  /** Runs a callback, if there is one; what it throws ends the connection. */
  private call<T>(callback: ((this: TLSSocket, value: T) => void) | undefined, value: T): void {
    try {
      callback?.call(this, value);
    } catch (thrown) {
      if (this.phase === phase.OVER) return;
      this.client!.engine.fail(faults.INTERNAL_ERROR);
      this.finish(faults.CALLBACK_FAILED, thrown);
    }
  }

  // ---- Between the transport and the core

  /** Lets the core go on until it needs something from outside. */
  private settle(): void {
    const { engine } = this.client!;
    this.flush();
    while (engine.wants & wants.WORK) {
      engine.work();
      this.flush();
    }
  }

  private get fillable(): boolean {
    return this.readable > 0 && this.client!.engine.inbox.room > 0;
  }

  /** Takes what the transport holds, as far as there is room; false when nothing changed. */
  private fill(): boolean {
    if (this.fillable) {
      const got = this.readTcp();
      if (got) return true;
    }
    if (this.end !== end.HEARD || this.readable > 0) return false;
    this.end = end.TOLD;
    this.client!.engine.eof();
    return true;
  }

  private readTcp(): boolean {
    const { engine } = this.client!;
    const { inbox } = engine;
    const n = Math.min(this.readable, inbox.room);
    let got: unknown;
    try {
      got = this.tcp!.read(inbox.bytes.subarray(inbox.rawEnd, inbox.rawEnd + n));
    } catch {
      if (this.end === end.NONE) this.end = end.HEARD;
    }
    if (!(typeof got === "number" && got > 0 && got <= n)) {
      this.readable = 0;
      return false;
    }
    this.readable -= got;
    inbox.rawEnd += got;
    engine.wake();
    return true;
  }

  /** Hands the transport what it takes of the core's bytes. */
  private flush(): void {
    const { engine } = this.client!;
    const { outbox } = engine;
    const { busy } = this;
    this.busy = true;
    while (this.writable > 0 && outbox.pending > 0) {
      const n = this.writeTcp(outbox);
      outbox.sent(n);
      engine.wake();
    }
    this.busy = busy;
  }

  /** Returns how many bytes went out: none if it would block after all, and onWritable tells when it does not. */
  private writeTcp(outbox: ClientHandshake["engine"]["outbox"]): number {
    const { bytes, at } = outbox;
    const n = Math.min(this.writable, outbox.pending);
    try {
      const left = this.tcp!.write(bytes.subarray(at, at + n));
      this.writable = typeof left === "number" ? left : 0;
      return n;
    } catch {
      this.writable = 0;
      return 0;
    }
  }

  // ---- Reading and writing

  private readInto(into: Uint8Array): number {
    const n = Math.min(into.length, this.dataEnd - this.at);
    into.set(this.client!.engine.inbox.bytes.subarray(this.at, this.at + n));
    this.take(n);
    return n;
  }

  protected take(n: number): void {
    const { timers } = this.platform;
    this.at += n;
    timers.clear(this.reminder);
    this.reminder = this.at < this.dataEnd ? timers.set(() => this.reminded(), REMINDER) : undefined;
    if (this.reminder !== undefined) return;
    this.announced = false;
    const { engine } = this.client!;
    engine.inbox.plainAt = engine.inbox.plainEnd;
    engine.wake();
    if (!this.busy) this.schedule(0);
  }

  protected get room(): number {
    const room = this.client!.engine.plainRoom - this.held;
    return room > 2 * SLACK ? room - SLACK : Math.max(0, room);
  }

  protected hold(data: Uint8Array): void {
    const { engine } = this.client!;
    if (this.held + data.length > engine.plainRoom) throw new Error("would block");
    engine.outbox.bytes.set(data, engine.outbox.contentStart + this.held);
    this.held += data.length;
  }

  /** Makes a record of what was written, before anything else uses the buffer. */
  protected commit(): void {
    const { client, held } = this;
    if (client === undefined || held === 0) return;
    const { engine } = client;
    this.held = 0;
    engine.sendPlain(held);
    engine.wake();
    this.settle();
    if (!this.busy && this.at === this.dataEnd && this.newsworthy(engine)) this.schedule(0);
  }

  /** Something has happened that the application does not know yet. */
  private newsworthy(engine: ClientHandshake["engine"]): boolean {
    return (engine.wants & wants.DATA) !== 0 || engine.fault !== undefined || engine.closedByPeer;
  }

  // ---- The end

  /** The deadline: of the handshake, or of a close. */
  private expired(): void {
    this.deadline = undefined;
    if (this.phase === phase.OVER) this.drop();
    else {
      this.client!.engine.fail(faults.HANDSHAKE_TIMEOUT);
      this.finish(faults.HANDSHAKE_TIMEOUT);
    }
  }

  /** Tells the application of the end: with its reason, or without one when the server closed in order. */
  private finish(fault: Fault | undefined, cause?: unknown): void {
    const client = this.client!;
    const { onError, onReason, platform } = this;
    const error =
      fault && new TlsError(fault, client.faultDetail, cause ?? client.engine.cause, platform.words);
    if (fault && this.spoils(fault)) this.keeper?.forget();
    this.retire();
    if (error) {
      platform.report?.(error);
      this.call(onReason, error);
    }
    this.call<TlsError | undefined>(onError, error);
  }

  /**
   * Whether sessions end with it (RFC 8446 6.2). Where the network broke they don't, unless it did in the handshake: the
   * server may have choked on the session.
   */
  private spoils(fault: Fault): boolean {
    return this.phase !== phase.CONNECTING && !(this.phase === phase.OPEN && fault === faults.TRUNCATED);
  }

  /** No callback from here on. What was written is still sent, and close_notify or the alert behind it. */
  private retire(): void {
    const { timers } = this.platform;
    const connected = this.phase !== phase.CONNECTING;
    this.phase = phase.OVER;
    this.keeper?.store();
    this.onReadable = this.onWritable = this.onError = this.onSecure = this.onReason = undefined;
    this.at = this.dataEnd = 0;
    timers.clear(this.ticker);
    timers.clear(this.deadline);
    timers.clear(this.reminder);
    this.ticker = this.deadline = this.reminder = undefined;
    if (connected) this.client!.engine.close();
    else this.end = end.HEARD;
    this.linger();
    if (this.client) this.deadline = timers.set(() => this.expired(), LINGER);
  }

  /** Goes on until all is sent that can be. */
  private linger(): void {
    this.flush();
    if (this.end !== end.NONE || !(this.client!.engine.wants & wants.WRITE)) this.drop();
  }

  /** Lets go of the transport and of all secrets. */
  private drop(): void {
    const { client, tcp } = this;
    this.platform.timers.clear(this.deadline);
    this.release();
    this.client = this.keeper = this.tcp = this.deadline = undefined;
    client?.engine.wipe();
    try {
      tcp?.close();
    } catch {
      // It is closed already
    }
  }
}
