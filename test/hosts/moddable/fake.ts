/** A TCP socket and a timer like a device's, driven by hand: nothing happens but when a test says so. */

import type { Tcp, TcpConstructor, TcpOptions, Timers } from "../../../hosts/moddable/platform.js";

interface Pending {
  readonly at: number;
  readonly callback: () => void;
}

/** Moddable's `timer` with a clock of its own. */
export class FakeTimers implements Timers {
  now = 0;
  /** Callbacks that ran. */
  fired = 0;
  pending: Pending[] = [];

  set(callback: () => void, milliseconds = 0): Pending {
    const timer = { at: this.now + milliseconds, callback };
    this.pending.push(timer);
    return timer;
  }

  clear(timer: unknown): void {
    this.pending = this.pending.filter((each) => each !== timer);
  }

  /** Runs the next callback that is due within so many milliseconds; false when there is none. */
  step(within = 10): boolean {
    const next = this.pending.reduce<Pending | undefined>(
      (first, each) => (first === undefined || each.at < first.at ? each : first),
      undefined,
    );
    if (next === undefined || next.at > this.now + within) return false;
    this.clear(next);
    this.now = Math.max(this.now, next.at);
    this.fired++;
    next.callback();
    return true;
  }

  /** Lets time pass. */
  advance(milliseconds: number): void {
    const until = this.now + milliseconds;
    while (this.step(until - this.now));
    this.now = until;
  }
}

/** How awkward the transport is. */
export interface Quirks {
  /** Bytes that it takes at once. */
  readonly window: number;
  /** Bytes that it holds for the reader at once; the SDK's for Linux has 1,536. */
  readonly chunk: number;
  /** Each read brings so many bytes at most. */
  readonly piece: number;
  /** Every other write throws "would block", whatever was promised. */
  readonly blocks: boolean;
  /** Calls back without a `this`. */
  readonly detached: boolean;
  /** Says that it can be written to within its constructor, and again within each write. */
  readonly eager: boolean;
}

const smooth: Quirks = {
  window: 8192,
  chunk: 1536,
  piece: Number.POSITIVE_INFINITY,
  blocks: false,
  detached: false,
  eager: false,
};

/** What is at the other end. */
export interface Server {
  /** Takes bytes from the client; returns those for it. */
  feed(bytes: Uint8Array): Uint8Array;
}

/** One connection: the socket's end of it is `io`, the rest is what the network does. */
export class Wire {
  readonly io: TcpConstructor;
  /** What the socket was made with. */
  options: TcpOptions | undefined;
  closed = 0;
  /** Takes everything without handing it to the server. */
  mute = false;
  private readonly server: Server;
  private readonly quirks: Quirks;
  private readonly timers: FakeTimers;
  private tcp: FakeTcp | undefined;
  private inbound: number[] = [];
  visible: number[] = [];
  writable = 0;
  private writes = 0;
  private ended = false;

  constructor(server: Server, timers: FakeTimers, quirks: Partial<Quirks> = {}) {
    const wire = this;
    this.server = server;
    this.timers = timers;
    this.quirks = { ...smooth, ...quirks };
    this.io = class extends FakeTcp {
      constructor(options: TcpOptions) {
        super(wire, options);
        wire.opened(this, options);
      }
    };
  }

  // ---- What the network does

  connect(): this {
    this.acknowledge();
    return this;
  }

  /** What was written is on its way, so there is room again. */
  acknowledge(): void {
    this.writable = this.quirks.window;
    this.call("onWritable", this.writable);
  }

  /** Bytes from the server arrive. */
  arrive(bytes: Uint8Array): this {
    for (const byte of bytes) this.inbound.push(byte);
    return this;
  }

  /** The next bytes get as far as the socket's buffer. */
  deliver(): void {
    this.visible.push(...this.inbound.splice(0, this.quirks.chunk - this.visible.length));
    this.call("onReadable", this.visible.length);
  }

  end(): this {
    this.ended = true;
    this.call("onError");
    return this;
  }

  /** One thing that network and timers do by themselves; false when all is quiet. */
  step(): boolean {
    if (this.tcp !== undefined && this.inbound.length > 0 && this.visible.length < this.quirks.chunk)
      this.deliver();
    else if (this.tcp !== undefined && !this.ended && this.writable < this.quirks.window) this.acknowledge();
    else return this.timers.step();
    return true;
  }

  /** Until all is quiet. */
  run(): this {
    for (let i = 0; this.step(); i++) if (i > 1e5) throw new Error("it never rests");
    return this;
  }

  get open(): boolean {
    return this.tcp !== undefined;
  }

  private call(name: "onReadable" | "onWritable" | "onError", count?: number): void {
    const callback = this.options?.[name] as ((count?: number) => void) | undefined;
    if (this.tcp) callback?.call(this.quirks.detached ? undefined : this.tcp, count);
  }

  // ---- What the socket does

  private opened(tcp: FakeTcp, options: TcpOptions): void {
    this.tcp = tcp;
    this.options = options;
    if (this.quirks.eager) this.acknowledge();
  }

  read(into: Uint8Array): number | undefined {
    this.mustBeOpen();
    if (this.visible.length === 0) return undefined;
    if (into.length === 0 || into.length > this.visible.length) throw new Error("invalid");
    const n = Math.min(into.length, this.quirks.piece);
    into.set(this.visible.splice(0, n));
    return n;
  }

  write(bytes: Uint8Array): number {
    this.mustBeOpen();
    if (bytes.length > this.writable || (this.quirks.blocks && this.writes++ % 2 === 0)) {
      this.writable = 0;
      throw new Error("would block");
    }
    this.writable -= bytes.length;
    if (!this.mute) this.arrive(this.server.feed(bytes));
    if (this.quirks.eager) this.call("onWritable", this.writable);
    return this.writable;
  }

  close(): void {
    this.closed++;
    this.tcp = undefined;
  }

  private mustBeOpen(): void {
    if (this.tcp === undefined) throw new SyntaxError("it is closed");
  }
}

class FakeTcp implements Tcp {
  private readonly wire: Wire;
  readonly remoteAddress: string | undefined;
  readonly remotePort: number;

  constructor(wire: Wire, options: TcpOptions) {
    this.wire = wire;
    this.remoteAddress = options.address;
    this.remotePort = options.port;
  }

  read(into: Uint8Array): number | undefined {
    return this.wire.read(into);
  }

  write(bytes: Uint8Array): number {
    return this.wire.write(bytes);
  }

  close(): void {
    this.wire.close();
  }
}
