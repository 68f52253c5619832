/** The class TCP of ECMA-419 over the host's sockets, with the manners of the Moddable SDK's on Linux. */

export interface TcpOptions {
  /** The IP address to connect to. */
  readonly address?: string;
  /** What to connect to when there is no address. */
  readonly host?: string;
  readonly port: number;
  /** What `read` returns and `write` takes; "buffer" by default. */
  readonly format?: "buffer" | "number";
  /** So many bytes can be read. It is called again only when there are more. */
  readonly onReadable?: (this: TCP, bytes: number) => void;
  /** So many bytes can be written. The first time: it is connected. */
  readonly onWritable?: (this: TCP, bytes: number) => void;
  /** The connection failed or, without an argument, the other side has ended it; all that came was read. */
  readonly onError?: (this: TCP, error?: Error) => void;
  readonly target?: unknown;
}

/** What is read and written at once, however much the system would give and take. */
const CAPACITY = 1536;
/** Milliseconds between looks for more, while what was announced is not read. */
const POLL = 20;

type Bytes = ArrayBufferLike | ArrayBufferView;

function bytesOf(data: Bytes): Uint8Array {
  if (data instanceof Uint8Array) return data;
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  throw new Error("invalid buffer");
}

function checkFormat(format: string): void {
  if (format !== "buffer" && format !== "number") throw new RangeError("unimplemented");
}

/** A TCP connection. */
export class TCP {
  target: unknown;
  private socket: number;
  private readonly options: TcpOptions;
  private numbers = false;
  private readable = 0;
  private writable = 0;
  /** While bytes wait that were announced. */
  private poll: number | undefined;
  private failed = false;

  /** Begins to connect. Throws Error when the address can't be. */
  constructor(options: TcpOptions) {
    const { address, host: name, port, format = "buffer" } = options;
    this.options = options;
    this.target = options.target;
    this.format = format;
    this.socket = host.connect(this, address ?? name ?? "", port);
  }

  /** "buffer": `read` returns an ArrayBuffer and `write` takes one. "number": a byte. */
  get format(): "buffer" | "number" {
    return this.numbers ? "number" : "buffer";
  }

  set format(format: "buffer" | "number") {
    checkFormat(format);
    this.numbers = format === "number";
  }

  /**
   * In format "number" the next byte. In "buffer" as many bytes as asked for, or all, in an ArrayBuffer; with a
   * buffer, fills it and returns its length. Undefined when there is nothing; throws when there is less.
   */
  read(into: Bytes): number | undefined;
  read(count?: number): ArrayBuffer | number | undefined;
  read(what?: number | Bytes): ArrayBuffer | number | undefined {
    this.checkOpen();
    if (this.readable === 0) return undefined;
    if (this.numbers) return this.take(new Uint8Array(1))[0];
    if (typeof what === "object") return this.take(bytesOf(what)).length;
    return this.take(new Uint8Array(what ?? this.readable)).buffer as ArrayBuffer;
  }

  /** Sends all, or throws when that is more than was last offered; returns how much more may be written. */
  write(data: number | Bytes): number {
    this.checkOpen();
    const bytes = typeof data === "number" ? Uint8Array.of(data) : bytesOf(data);
    if (bytes.length > this.writable) throw new Error("would block");
    // The system takes as much as CAPACITY whenever it takes anything
    if (host.send(this.socket, bytes, 0, bytes.length) < bytes.length) throw new Error("would block");
    this.writable -= bytes.length;
    this.watch();
    return this.writable;
  }

  /** A second time it does nothing; all else throws from here on. No callback comes any more. */
  close(): void {
    if (this.socket < 0) return;
    host.close(this.socket);
    this.stopPolling();
    this.socket = -1;
  }

  /** @internal For the host. */
  ready(readable: boolean, writable: boolean): void {
    const more = readable && this.look();
    if (writable && this.open) this.offer();
    if (more && this.open) this.announce();
    this.rest();
  }

  private get open(): boolean {
    return this.socket >= 0 && !this.failed;
  }

  private checkOpen(): void {
    if (this.socket < 0) throw new Error("closed");
  }

  private take(bytes: Uint8Array): Uint8Array {
    if (bytes.length === 0 || bytes.length > this.readable) throw new Error("invalid");
    host.read(this.socket, bytes, 0, bytes.length);
    this.readable -= bytes.length;
    this.rest();
    return bytes;
  }

  /** Sees what has come; whether that is more than before. */
  private look(): boolean {
    const before = this.readable;
    try {
      const available = host.available(this.socket);
      if (available < 0) this.fail(undefined);
      else this.readable = Math.min(available, CAPACITY);
    } catch (error) {
      this.fail(error as Error);
    }
    return this.readable > before;
  }

  private announce(): void {
    this.options.onReadable?.call(this, this.readable);
  }

  private offer(): void {
    this.writable = CAPACITY;
    this.options.onWritable?.call(this, this.writable);
  }

  private fail(error: Error | undefined): void {
    this.failed = true;
    this.readable = 0;
    this.watch();
    if (error) this.options.onError?.call(this, error);
    else this.options.onError?.call(this);
  }

  /** Waits for the system, or, where it has told already of what is still unread, looks again after a while. */
  private rest(): void {
    if (!this.open) return;
    this.watch();
    if (this.readable === 0) this.stopPolling();
    else this.poll ??= host.setTimer(() => this.lookAgain(), POLL, POLL);
  }

  private watch(): void {
    const idle = this.open && this.readable === 0;
    host.watch(this.socket, idle, this.open && this.writable < CAPACITY);
  }

  private lookAgain(): void {
    if (this.look()) this.announce();
    this.rest();
  }

  private stopPolling(): void {
    if (this.poll !== undefined) host.clearTimer(this.poll);
    this.poll = undefined;
  }
}
