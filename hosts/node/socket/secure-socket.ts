import type { DuplexOptions } from "node:stream";
import { type ClientOptions, wants } from "../../../src/client/index.js";
import type { Crls } from "../../../src/pki/index.js";
import { type Fault, faults, type TlsError } from "../../../src/wire/index.js";
import { ownCopy } from "../common/copy.js";
import { type CrlVerdict, toCrlVerdict } from "../common/crl.js";
import { type Advise, coded, tlsError } from "../common/errors.js";
import type { Root } from "../common/read.js";
import type { LookupReport } from "../ocsp/lookup.js";
import { type OcspVerdict, toVerdict } from "../ocsp/verdict.js";
import type { AnyListener, Events, SocketEvents } from "./events.js";
import { type InquirySettings, inquire } from "./inquiry.js";
import { type Core, NegotiatedSocket } from "./negotiated-socket.js";
import { farewell, type OnCipher, type Transport } from "./transport.js";

type Done = (error?: Error | null) => void;

/** What a core reports while it works. */
export type Reports = Required<Pick<ClientOptions, "onMessage" | "onPath" | "onSecret">> &
  Pick<ClientOptions, "crl">;

/** Why a peer is refused that the core found nothing wrong with. */
export interface Refusal {
  readonly fault: Fault;
  readonly cause?: unknown;
  /** What this side is told, where that is not the fault's error. */
  readonly error?: Error;
}

/** What a socket is made of. */
export interface Parts<C extends Core> {
  readonly stream: DuplexOptions;
  /** Makes the core, which reports there. */
  readonly core: (reports: Reports) => C;
  /** Opens or adopts the transport, which writes to the core's `cipherIn` and then calls `received`. */
  readonly transport: (core: C, received: () => void) => Transport;
  /** The CAs that are trusted. */
  readonly roots: readonly Root[];
  /** Judges the peer's certificates by CRLs. */
  readonly crls: Crls | undefined;
  /** Milliseconds, 0 for no limit. */
  readonly handshakeTimeout: number;
  readonly onMessage?: Reports["onMessage"];
  readonly onCipher?: OnCipher;
  /** What to do about a fault, where more is known than the fault alone. */
  readonly advise?: Advise;
}

/** Bytes of a record's content that are handed on as they are: to copy fewer costs less than an event or a write. */
const LARGE = 4096;

/** Bytes of application data that are sealed before the transport must have taken them. */
const BATCH = 262144;

// biome-ignore-start lint/suspicious/noUnsafeDeclarationMerging: the interface says what listeners get, of methods that are there
// biome-ignore-start lint/correctness/noUnusedVariables: both have the parameters of both
export interface SecureSocket<C extends Core, E extends Events<E> = SocketEvents> {
  addListener<K extends keyof E>(event: K, listener: (...args: E[K]) => void): this;
  addListener(event: string | symbol, listener: AnyListener): this;
  on<K extends keyof E>(event: K, listener: (...args: E[K]) => void): this;
  on(event: string | symbol, listener: AnyListener): this;
  once<K extends keyof E>(event: K, listener: (...args: E[K]) => void): this;
  once(event: string | symbol, listener: AnyListener): this;
  prependListener<K extends keyof E>(event: K, listener: (...args: E[K]) => void): this;
  prependListener(event: string | symbol, listener: AnyListener): this;
  prependOnceListener<K extends keyof E>(event: K, listener: (...args: E[K]) => void): this;
  prependOnceListener(event: string | symbol, listener: AnyListener): this;
}

/** One side of a TLS connection as a stream, with the manners of node:tls's. */
export abstract class SecureSocket<
  C extends Core,
  E extends Events<E> = SocketEvents,
> extends NegotiatedSocket<C> {
  // biome-ignore-end lint/suspicious/noUnsafeDeclarationMerging: as above
  // biome-ignore-end lint/correctness/noUnusedVariables: as above
  readonly encrypted = true;
  /** Whether the peer was verified. */
  authorized = false;
  /** Why it was not. */
  authorizationError: TlsError | Error | undefined;
  /** The connection ended without the peer's close_notify: what came may not be all. */
  truncated = false;

  protected override readonly core: C;
  protected override readonly transport: Transport;
  protected override readonly roots: readonly Root[];
  private readonly crls: Crls | undefined;
  private readonly handshakeTimeout: number;
  private readonly onCipher: OnCipher | undefined;
  private handshakeTimer: NodeJS.Timeout | undefined;
  private secured = false;
  /** What `inquire` finds out: while it goes on the transport is not read. */
  private inquiry: "none" | "goes on" | "done" = "none";
  /** Verdicts that are not the core's: of a session's beginning, or by lookup. */
  private found: OcspVerdict[] | undefined;
  protected cause: unknown;
  /** What was found against a peer that the core found nothing wrong with. */
  private refusal: Error | undefined;
  private readonly advise: Parts<C>["advise"];
  private ended = false;
  /** What was written and is not sealed yet, and whom to tell. */
  private unsealed: Buffer[] = [];
  private writeDone: Done | undefined;
  /** Whom to tell of the end that was asked for before the handshake was done. */
  private finalDone: Done | undefined;

  constructor(parts: Parts<C>) {
    // `close` is told by `_destroy`, as it has an argument
    super({ ...parts.stream, emitClose: false });
    const { onMessage } = parts;
    this.roots = parts.roots;
    this.crls = parts.crls;
    this.handshakeTimeout = parts.handshakeTimeout;
    this.onCipher = parts.onCipher;
    this.advise = parts.advise;
    this.core = parts.core({
      onPath: (path) => this.follow(path),
      onSecret: (label, random, secret) => this.logSecret(label, random, secret),
      crl: parts.crls,
      onMessage: (sent, type, bytes, start, end) => {
        this.peer.record(sent, type, bytes, start, end);
        this.recordFinished(sent, type, bytes, start, end);
        onMessage?.(sent, type, bytes, start, end);
      },
    });
    this.transport = parts.transport(this.core, () => this.received());
    this.listen(this.transport);
  }

  /** The session was resumed, so the peer's certificates, and what is known of them, are those of its beginning. */
  protected remember(chain: readonly Buffer[], verdicts: readonly OcspVerdict[]): void {
    this.peer.restore(chain);
    this.found = verdicts.map((verdict) => ({ ...verdict, resumed: true }));
  }

  /** The handshake is done and every check passed: notes who the peer is, and tells. */
  protected abstract announce(): void;

  /**
   * What is still to be found out about the peer once it has proved itself, before it is let in: undefined for
   * nothing, or a promise of the reason to refuse it.
   */
  protected inquire(): Promise<Refusal | undefined> | undefined {
    return undefined;
  }

  /** Whether an end without close_notify, after the handshake, passes for one. */
  protected abstract bearsTruncation(): boolean;

  /** Asks responders about the peer's certificates, for as long as the socket is open; `inquire` may come to that. */
  protected async lookUp(settings: InquirySettings): Promise<Refusal | undefined> {
    const onLookup = (report: LookupReport) => this.emit("ocspLookup", report);
    const closed = new AbortController();
    this.once("close", () => closed.abort());
    const how = { ...settings, onLookup, signal: closed.signal };
    const { verdicts, refusal } = await inquire(this.getPeerChain(), this.ocsp, how);
    this.found = verdicts;
    return refusal;
  }

  // ---- What was negotiated

  /** Whether the handshake is still to come or going on. */
  get secureConnecting(): boolean {
    return !this.secured && !this.destroyed;
  }

  /**
   * One verdict for each certificate of the peer's path, its own first. When the session was resumed no staples came:
   * those of its beginning are marked so, by `resumed`.
   */
  get ocsp(): OcspVerdict[] {
    return this.found ?? this.core.verdicts.map(toVerdict);
  }

  /** The same by the lists of the option `crl`, but for the root; none without, and before the path is found. */
  get crl(): CrlVerdict[] {
    return this.crls?.verdicts.map(toCrlVerdict) ?? [];
  }

  // ---- Opening

  private listen(transport: Transport): void {
    transport.on("error", (error) => this.destroy(error));
    transport.on("end", () => this.transportEnded());
    transport.on("close", () => this.transportEnded());
    if (transport.connecting) transport.once("connect", () => this.connected());
    else process.nextTick(() => this.greet());
  }

  private connected(): void {
    this.emit("connect");
    this.emit("ready");
    this.greet();
  }

  /** Begins the handshake. */
  private greet(): void {
    if (this.destroyed) return;
    const { handshakeTimeout } = this;
    if (handshakeTimeout > 0) this.handshakeTimer = setTimeout(() => this.giveUp(), handshakeTimeout).unref();
    this.pump();
  }

  private giveUp(): void {
    this.core.abort(faults.HANDSHAKE_TIMEOUT);
    this.pump();
  }

  /** The peer has proved itself: lets it in, or has it looked up first. */
  private admit(): void {
    const inquiry = this.inquire();
    this.inquiry = inquiry ? "goes on" : "done";
    if (inquiry === undefined) return;
    this.transport.pause();
    inquiry.then(
      (refusal) => this.inquired(refusal),
      // Of what can't be found out nothing good is known
      (cause) => this.inquired({ fault: faults.OCSP_LOOKUP_FAIL, cause }),
    );
  }

  private inquired(refusal: Refusal | undefined): void {
    this.inquiry = "done";
    if (this.destroyed) return;
    if (refusal) {
      this.cause = refusal.cause;
      this.refusal = refusal.error;
      this.core.abort(refusal.fault);
    } else this.core.approve?.();
    this.transport.resume();
    this.pump();
  }

  private handshakeDone(): void {
    clearTimeout(this.handshakeTimer);
    this.secured = true;
    const { finalDone, writeDone } = this;
    this.announce();
    if (writeDone) this.seal();
    else if (finalDone && !this.destroyed) this._final(finalDone);
  }

  /** A line of SSLKEYLOGFILE, RFC 9850. */
  private logSecret(label: string, random: Uint8Array, secret: Uint8Array): void {
    if (this.listenerCount("keylog") === 0) return;
    this.emit("keylog", Buffer.from(`${label} ${hex(random)} ${hex(secret)}\n`));
  }

  // ---- Receiving

  private received(): void {
    this.busy();
    this.pump();
  }

  /** Lets the core do all that it can, and hands on what it has. */
  protected pump(): void {
    const { core } = this;
    this.step();
    while (this.secured && !this.destroyed && core.wants & wants.DATA) {
      this.deliver();
      this.step();
    }
    if (this.destroyed || this.ended || this.inquiry === "goes on") return;
    if (core.closedByPeer || core.wants & wants.CLOSED) this.endReading();
  }

  /** Runs the core until it needs something of us; what it has for the network by then goes out together. */
  private step(): void {
    const { core } = this;
    while (core.wants & (wants.WORK | wants.WRITE)) {
      if (core.wants & wants.WORK) core.work();
      else this.flush();
    }
    if (this.destroyed) return;
    if (core.fault) this.destroy(this.fault());
    else if (!this.secured) this.advance();
  }

  private advance(): void {
    const { core } = this;
    if (this.inquiry === "none" && (core.established || core.awaits === "approval")) this.admit();
    if (this.inquiry === "done" && core.established) this.handshakeDone();
  }

  /** Hands on what has arrived: a large record as it was opened, of others one chunk. */
  private deliver(): void {
    const { core } = this;
    const { end, start } = core.plainOut;
    const record = end - start >= LARGE ? core.openedApart() : undefined;
    if (record) core.plainOut.advance(record.length);
    if (!this.push(record ?? this.gather())) this.transport.pause();
  }

  /** Of however many records: each allocation and event costs more than a copy. */
  private gather(): Buffer {
    const { core } = this;
    const { cipherIn, plainOut } = core;
    // No more can come of what was received: the records that are not opened yet lie behind the one that is
    const chunk = Buffer.allocUnsafe(cipherIn.start - plainOut.start);
    let at = 0;
    while (at < chunk.length && core.wants & wants.DATA) {
      at += this.takePlain(chunk, at);
      while (core.wants & wants.WORK) core.work();
    }
    return filled(chunk, at);
  }

  /** Moves what the chunk has room for; returns how much that was. */
  private takePlain(chunk: Buffer, at: number): number {
    const { plainOut } = this.core;
    const { bytes, start, end } = plainOut;
    const n = Math.min(end - start, chunk.length - at);
    chunk.set(bytes.subarray(start, start + n), at);
    plainOut.advance(n);
    return n;
  }

  /** The peer will send no more; what else comes from the transport is for nobody. */
  private endReading(): void {
    this.ended = true;
    this.push(null);
    // As net.Socket does: where nothing waits to be read, the end is told even to who does not read
    this.read(0);
    this.transport.resume();
  }

  private transportEnded(): void {
    if (this.ended || this.destroyed) return;
    this.truncated = true;
    if (!this.secured) this.destroy(disconnected());
    else if (this.bearsTruncation()) this.endReading();
    else {
      this.core.eof();
      this.pump();
    }
  }

  private fault(): Error {
    const { fault = faults.INTERNAL_ERROR, faultDetail, cause } = this.core;
    const error = this.refusal ?? tlsError(fault, faultDetail, this.cause ?? cause, this.advise);
    this.authorizationError ??= error;
    return error;
  }

  override _read(): void {
    if (this.inquiry !== "goes on") this.transport.resume();
  }

  // ---- Sending

  override _write(chunk: Buffer, _encoding: string, done: Done): void {
    this.send([chunk], done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: Done): void {
    this.send(
      chunks.map(({ chunk }) => chunk),
      done,
    );
  }

  /** Sends close_notify, and then the transport's own end. */
  override _final(done: Done): void {
    if (!this.secured) {
      this.finalDone = done;
      return;
    }
    this.core.close();
    this.step();
    this.transport.end(() => done());
  }

  override _destroy(error: Error | null, done: Done): void {
    clearTimeout(this.handshakeTimer);
    this.stopIdling();
    this.core.wipe();
    if (this.core.fault) farewell(this.transport);
    else this.transport.destroy();
    done(error);
    process.nextTick(() => this.emit("close", Boolean(error)));
  }

  private send(chunks: Buffer[], done: Done): void {
    this.unsealed = chunks;
    this.writeDone = done;
    if (this.secured) this.seal();
  }

  /** Makes records of what is pending, a batch at a time, and goes on when the transport has taken them. */
  private seal(): void {
    const { core, transport } = this;
    this.step();
    transport.cork();
    let room = BATCH;
    while (room > 0 && this.unsealed.length > 0 && core.wants & wants.SPACE) {
      room -= this.sealRecord();
      this.flush(room > 0 && this.unsealed.length > 0 ? undefined : (error) => this.batchSent(error));
      while (core.wants & wants.WORK) core.work();
    }
    transport.uncork();
    this.step();
  }

  private batchSent(error?: Error | null): void {
    this.busy();
    if (!error && this.unsealed.length > 0) {
      this.seal();
      return;
    }
    const done = this.writeDone;
    this.writeDone = undefined;
    done?.(error);
  }

  /** Fills one record, from many small chunks or from a part of a large one; returns the bytes that went in. */
  private sealRecord(): number {
    const { plainIn } = this.core;
    const { bytes, start, end } = plainIn;
    let at = start;
    let used = 0;
    for (; used < this.unsealed.length && at < end; used++) {
      const chunk = this.unsealed[used];
      const n = chunk.copy(bytes, at, 0, end - at);
      at += n;
      if (n < chunk.length) {
        this.unsealed[used] = chunk.subarray(n);
        break;
      }
    }
    this.unsealed = this.unsealed.slice(used);
    plainIn.advance(at - start);
    return at - start;
  }

  /** Hands the network what the core has for it. */
  private flush(done?: Done): void {
    const { cipherOut } = this.core;
    const { start, end } = cipherOut;
    const chunks = this.chunksToSend();
    // First, as who is told of them may write too
    cipherOut.advance(end - start);
    if (start === end) {
      if (done) process.nextTick(done);
    } else if (this.transport.writableEnded) done?.(coded(new Error("the transport has ended"), "EPIPE"));
    else this.sendOn(chunks, done);
  }

  /** A large record in its parts, as it was sealed; what else waits, copied. */
  private chunksToSend(): Uint8Array[] {
    const { core } = this;
    const { bytes, start, end } = core.cipherOut;
    const record = end - start >= LARGE && !this.onCipher ? core.sealedApart() : undefined;
    return record ? [record.header, record.body, record.tag] : [Buffer.from(bytes.subarray(start, end))];
  }

  private sendOn(chunks: Uint8Array[], done?: Done): void {
    const last = chunks.pop();
    for (const chunk of chunks) this.transport.write(chunk);
    this.onCipher?.(true, last!);
    this.transport.write(last, done);
  }
}

/**
 * The first `n` bytes of a chunk, which whoever keeps them keeps alive: copied where most of it would be for nothing,
 * as a record may be all padding (RFC 8446 5.4).
 */
function filled(chunk: Buffer, n: number): Buffer {
  const data = chunk.subarray(0, n);
  return 2 * n < chunk.length ? ownCopy(data) : data;
}

/** As node:tls says it: the peer went away, and nothing is known that TLS could tell of. */
function disconnected(): Error {
  return coded(new Error("the connection ended before the TLS handshake was done"), "ECONNRESET");
}

/** Not of a copy, which would keep the secret. */
function hex({ buffer, byteOffset, length }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, length).toString("hex");
}
