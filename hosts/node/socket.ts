import type { X509Certificate } from "node:crypto";
import type { AddressInfo } from "node:net";
import { Duplex } from "node:stream";
import type { DetailedPeerCertificate, PeerCertificate } from "node:tls";
import { TlsClient, wants } from "../../src/client/index.js";
import { faults } from "../../src/wire/fault.js";
import { cipherSuite, namedGroup, nameOf, version } from "../../src/wire/registry.js";
import { coded, TlsError } from "./errors.js";
import { type ConnectOptions, milliseconds, type Settings, settle } from "./options.js";
import { detailed, PeerCertificates } from "./peer.js";
import { adopt, farewell, openTcp, type Transport } from "./transport.js";
import { type OcspVerdict, toVerdict } from "./verdict.js";

type Done = (error?: Error | null) => void;

/** Bytes of application data that are sealed before the transport must have taken them. */
const BATCH = 262144;

/**
 * A TLS client connection with the manners of node:tls's. `connect` makes them.
 *
 * Events: `connect` (TCP), `secureConnect`, `data`, `end`, `error` (a TlsError or the transport's own),
 * `close`, `timeout`, `keylog` (a line of SSLKEYLOGFILE).
 */
export class TLSSocket extends Duplex {
  readonly encrypted = true;
  /** Whether the server was verified: chain, name, staples. */
  authorized = false;
  /** Why it was not. */
  authorizationError: TlsError | Error | undefined;
  /** The name that was verified, and sent as SNI when it is a DNS name. */
  readonly servername: string | undefined;
  /** Milliseconds without traffic until the event `timeout`; 0 for never. */
  timeout = 0;

  private readonly settings: Settings;
  private readonly client: TlsClient;
  private readonly transport: Transport;
  private readonly peer = new PeerCertificates();
  private handshakeTimer: NodeJS.Timeout | undefined;
  private idleTimer: NodeJS.Timeout | undefined;
  private secured = false;
  private ended = false;
  /** What was written and is not sealed yet, and whom to tell. */
  private pending: Buffer[] = [];
  private writeDone: Done | undefined;

  /**
   * @throws TypeError or RangeError whose `code` begins with `ERR_TLSTAPLE_OPTION`
   */
  constructor(options: ConnectOptions) {
    const settings = settle(options);
    const { allowHalfOpen = false, highWaterMark, signal } = options;
    super({ allowHalfOpen, highWaterMark, signal });
    this.settings = settings;
    this.servername = settings.core.serverName;
    this.client = new TlsClient({
      ...settings.core,
      onSecret: (label, random, secret) => this.logSecret(label, random, secret),
      onMessage: this.recorder(options.onMessage),
    });
    this.transport = this.open(options);
    if (options.timeout !== undefined) this.setTimeout(options.timeout);
  }

  // ---- What was negotiated

  /** Whether the handshake is still to come or going on. */
  get secureConnecting(): boolean {
    return !this.secured && !this.destroyed;
  }

  /** The application protocol agreed on; false when there is none. */
  get alpnProtocol(): string | false {
    return this.client.alpn ?? false;
  }

  /** One verdict for each certificate of the path, the server's own first. */
  get ocsp(): OcspVerdict[] {
    return this.client.verdicts.map(toVerdict);
  }

  getProtocol(): "TLSv1.2" | "TLSv1.3" | null {
    if (this.client.version === 0) return null;
    return this.client.version === version.tls13 ? "TLSv1.3" : "TLSv1.2";
  }

  /** The cipher suite, by OpenSSL's name and by IANA's. */
  getCipher(): { name: string; standardName: string; version: string } | undefined {
    const standardName = nameOf(cipherSuite, this.client.suite);
    const version = this.getProtocol();
    if (standardName === undefined || version === null) return undefined;
    return { name: openSslName(standardName), standardName, version };
  }

  /** The group of the key exchange. */
  getEphemeralKeyInfo(): { type: "ECDH"; name: string; size: number } | undefined {
    const name = nameOf(namedGroup, this.client.group);
    return name === undefined ? undefined : { type: "ECDH", ...keyInfo[name as keyof typeof keyInfo] };
  }

  /** The server's certificate; with `detail` each has its issuer as `issuerCertificate`. */
  getPeerCertificate(detail: true): DetailedPeerCertificate | undefined;
  getPeerCertificate(detail?: boolean): PeerCertificate | undefined;
  getPeerCertificate(detail = false): PeerCertificate | undefined {
    const chain = this.getPeerChain();
    return chain.length > 0 ? detailed(detail ? chain : chain.slice(0, 1)) : undefined;
  }

  getPeerX509Certificate(): X509Certificate | undefined {
    return this.peer.at(0);
  }

  /** The path that was found, from the server's own certificate to the trusted root; else what the server sent. */
  getPeerChain(): X509Certificate[] {
    const { path } = this.client;
    if (path.length === 0) return this.peer.all();
    const chain = Array.from({ length: path.length }, (_, i) => this.peer.at(path.index(i)));
    const root = this.settings.roots.find(({ anchor }) => anchor === path.anchor);
    if (root && !chain.at(-1)?.raw.equals(root.certificate.raw)) chain.push(root.certificate);
    return chain.filter((certificate) => certificate !== undefined);
  }

  isSessionReused(): boolean {
    return false;
  }

  // ---- The transport's side

  get connecting(): boolean {
    return this.transport.connecting === true;
  }

  get remoteAddress(): string | undefined {
    return this.transport.remoteAddress;
  }

  get remoteFamily(): string | undefined {
    return this.transport.remoteFamily;
  }

  get remotePort(): number | undefined {
    return this.transport.remotePort;
  }

  get localAddress(): string | undefined {
    return this.transport.localAddress;
  }

  get localPort(): number | undefined {
    return this.transport.localPort;
  }

  get bytesRead(): number {
    return this.transport.bytesRead ?? 0;
  }

  get bytesWritten(): number {
    return this.transport.bytesWritten ?? 0;
  }

  address(): AddressInfo | Record<string, never> {
    return (this.transport.address?.() as AddressInfo | undefined) ?? {};
  }

  setNoDelay(noDelay?: boolean): this {
    this.transport.setNoDelay?.(noDelay);
    return this;
  }

  setKeepAlive(enable?: boolean, initialDelay?: number): this {
    this.transport.setKeepAlive?.(enable, initialDelay);
    return this;
  }

  ref(): this {
    this.transport.ref?.();
    return this;
  }

  unref(): this {
    this.transport.unref?.();
    return this;
  }

  /** Emits `timeout` after so many milliseconds without traffic; 0 for never. Closing is up to the listener. */
  setTimeout(timeout: number, listener?: () => void): this {
    this.timeout = milliseconds(timeout, "timeout");
    clearTimeout(this.idleTimer);
    const runs = timeout > 0 && !this.destroyed;
    this.idleTimer = runs ? setTimeout(() => this.emit("timeout"), timeout).unref() : undefined;
    if (listener && timeout > 0) this.once("timeout", listener);
    else if (listener) this.removeListener("timeout", listener);
    return this;
  }

  /** Ends, and closes as soon as all is sent, whether the server ends too or not. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once("finish", () => this.destroy());
  }

  // ---- Opening

  private open(options: ConnectOptions): Transport {
    const received = () => this.received();
    const { cipherIn } = this.client;
    const transport: Transport = options.socket ?? openTcp(options, cipherIn, received);
    if (options.socket) adopt(options.socket, cipherIn, received);
    transport.on("error", (error) => this.destroy(error));
    transport.on("end", () => this.transportEnded());
    transport.on("close", () => this.transportEnded());
    if (transport.connecting) transport.once("connect", () => this.connected());
    else process.nextTick(() => this.greet());
    return transport;
  }

  private connected(): void {
    this.emit("connect");
    this.emit("ready");
    this.greet();
  }

  /** Begins the handshake. */
  private greet(): void {
    if (this.destroyed) return;
    const { handshakeTimeout } = this.settings;
    if (handshakeTimeout > 0) this.handshakeTimer = setTimeout(() => this.giveUp(), handshakeTimeout).unref();
    this.pump();
  }

  private giveUp(): void {
    this.client.abort(faults.HANDSHAKE_TIMEOUT);
    this.pump();
  }

  private handshakeDone(): void {
    clearTimeout(this.handshakeTimer);
    this.secured = true;
    this.authorized = this.settings.core.verify === true;
    if (!this.authorized)
      this.authorizationError = new Error("rejectUnauthorized is false: nothing was verified");
    const waiting = this.writeDone !== undefined;
    this.emit("secureConnect");
    if (waiting) this.seal();
  }

  private recorder(listener: ConnectOptions["onMessage"]): ConnectOptions["onMessage"] {
    return (sent, type, bytes, start, end) => {
      this.peer.record(sent, type, bytes, start, end);
      listener?.(sent, type, bytes, start, end);
    };
  }

  /** A line of SSLKEYLOGFILE, RFC 9850. */
  private logSecret(label: string, random: Uint8Array, secret: Uint8Array): void {
    if (this.listenerCount("keylog") === 0) return;
    this.emit("keylog", Buffer.from(`${label} ${hex(random)} ${hex(secret)}\n`));
  }

  // ---- Receiving

  private received(): void {
    this.idleTimer?.refresh();
    this.pump();
  }

  /** Lets the core do all that it can, and hands on what it has. */
  private pump(): void {
    const { client } = this;
    this.step();
    while (!this.destroyed && client.wants & wants.DATA) {
      this.deliver();
      this.step();
    }
    if (this.destroyed || this.ended) return;
    if (client.closedByPeer || client.wants & wants.CLOSED) this.endReading();
  }

  /** Runs the core until it needs something of us; what it has for the network by then goes out together. */
  private step(): void {
    const { client } = this;
    while (client.wants & (wants.WORK | wants.WRITE)) {
      if (client.wants & wants.WORK) client.work();
      else this.flush();
    }
    if (this.destroyed) return;
    if (client.fault) this.destroy(this.fault());
    else if (client.established && !this.secured) this.handshakeDone();
  }

  /** Hands on what has arrived in one chunk, of however many records: each allocation and event costs more than a copy. */
  private deliver(): void {
    const { client } = this;
    const { cipherIn, plainOut } = client;
    // No more can come of what was received: the records that are not opened yet lie behind the one that is
    const chunk = Buffer.allocUnsafe(cipherIn.start - plainOut.start);
    let at = 0;
    while (at < chunk.length && client.wants & wants.DATA) {
      at += this.takePlain(chunk, at);
      while (client.wants & wants.WORK) client.work();
    }
    if (!this.push(chunk.subarray(0, at))) this.transport.pause();
  }

  /** Moves what the chunk has room for; returns how much that was. */
  private takePlain(chunk: Buffer, at: number): number {
    const { plainOut } = this.client;
    const { bytes, start, end } = plainOut;
    const n = Math.min(end - start, chunk.length - at);
    chunk.set(bytes.subarray(start, start + n), at);
    plainOut.advance(n);
    return n;
  }

  /** The server will send no more; what else comes from the transport is for nobody. */
  private endReading(): void {
    this.ended = true;
    this.push(null);
    this.transport.resume();
  }

  private transportEnded(): void {
    if (this.ended || this.destroyed) return;
    this.client.eof();
    this.pump();
  }

  private fault(): TlsError {
    const { fault = faults.INTERNAL_ERROR, faultDetail, cause } = this.client;
    const error = new TlsError(fault, faultDetail, cause);
    this.authorizationError ??= error;
    return error;
  }

  override _read(): void {
    this.transport.resume();
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
      this.once("secureConnect", () => this._final(done));
      return;
    }
    this.client.close();
    this.step();
    this.transport.end(() => done());
  }

  override _destroy(error: Error | null, done: Done): void {
    clearTimeout(this.handshakeTimer);
    clearTimeout(this.idleTimer);
    this.idleTimer = undefined;
    if (error instanceof TlsError) farewell(this.transport);
    else this.transport.destroy();
    done(error);
  }

  private send(chunks: Buffer[], done: Done): void {
    this.pending = chunks;
    this.writeDone = done;
    if (this.secured) this.seal();
  }

  /** Makes records of what is pending, a batch at a time, and goes on when the transport has taken them. */
  private seal(): void {
    const { client, transport } = this;
    this.step();
    transport.cork();
    let room = BATCH;
    while (room > 0 && this.pending.length > 0 && client.wants & wants.SPACE) {
      room -= this.sealRecord();
      this.flush(room > 0 && this.pending.length > 0 ? undefined : (error) => this.batchSent(error));
      while (client.wants & wants.WORK) client.work();
    }
    transport.uncork();
    this.step();
  }

  private batchSent(error?: Error | null): void {
    this.idleTimer?.refresh();
    if (!error && this.pending.length > 0) {
      this.seal();
      return;
    }
    const done = this.writeDone;
    this.writeDone = undefined;
    done?.(error);
  }

  /** Fills one record, from many small chunks or from a part of a large one; returns the bytes that went in. */
  private sealRecord(): number {
    const { plainIn } = this.client;
    const { bytes, start, end } = plainIn;
    let at = start;
    let used = 0;
    for (; used < this.pending.length && at < end; used++) {
      const chunk = this.pending[used];
      const n = chunk.copy(bytes, at, 0, end - at);
      at += n;
      if (n < chunk.length) {
        this.pending[used] = chunk.subarray(n);
        break;
      }
    }
    this.pending = this.pending.slice(used);
    plainIn.advance(at - start);
    return at - start;
  }

  /** Hands the network what the core has for it. */
  private flush(done?: Done): void {
    const { cipherOut } = this.client;
    const { bytes, start, end } = cipherOut;
    if (start === end) {
      if (done) process.nextTick(done);
    } else if (this.transport.writableEnded) done?.(coded(new Error("the transport has ended"), "EPIPE"));
    else this.transport.write(Buffer.from(bytes.subarray(start, end)), done);
    cipherOut.advance(end - start);
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** How OpenSSL calls the groups, and their bits. */
export const keyInfo = Object.freeze({
  x25519: { name: "X25519", size: 253 },
  secp256r1: { name: "prime256v1", size: 256 },
  secp384r1: { name: "secp384r1", size: 384 },
});

/** TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 is ECDHE-RSA-AES128-GCM-SHA256 to OpenSSL; in TLS 1.3 the names agree. */
function openSslName(name: string): string {
  if (!name.includes("_WITH_")) return name;
  const short = name
    .replace("TLS_", "")
    .replace("WITH_", "")
    .replace(/AES_(\d+)/, "AES$1");
  return short.replace("POLY1305_SHA256", "POLY1305").replaceAll("_", "-");
}
