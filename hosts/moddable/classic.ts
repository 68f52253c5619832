import type { ClientHandshake } from "../../src/client/index.js";
import { faults } from "../../src/wire/index.js";
import { bytesOf } from "./bytes.js";
import type { SecureOptions, SocketOptions } from "./options.js";
import type { ByteBuffer, Platform, Tcp, TcpConstructor, TcpOptions } from "./platform.js";
import { type Session, TLSSocket, type TlsError } from "./socket.js";

/** What the classic socket needs besides. */
export interface ClassicPlatform extends Platform {
  readonly TCP: TcpConstructor;
  /** Finds a host's address; undefined when there is none. */
  resolve(host: string, found: (host: string, address: string | undefined) => void): void;
  /** The string of these bytes as they are: what begins or ends within a character fits to what comes before or behind. */
  string(bytes: Uint8Array, start: number, end: number): string;
  /** UTF-8. */
  encode(text: string): ByteBuffer;
}

/** What `write` takes: text, a byte, bytes. */
export type Item = string | number | ByteBuffer;

/** What `read` makes of bytes; null skips them. */
export type ReadType = StringConstructor | NumberConstructor | ArrayBufferConstructor | null;

type Protocol = string | ByteBuffer;
type Own = "applicationLayerProtocolNegotiation" | "onSecure" | "onError";

/** `secure` of the classic API: as the SDK's SecureSocket has it, and behind that our own. */
export interface ClassicSecureOptions extends Omit<SecureOptions, Own> {
  readonly applicationLayerProtocolNegotiation?: Protocol | readonly Protocol[];
  readonly tls_server_name?: string;
  /** The longest record to ask for, in bytes: 512, 1024, 2048 or 4096, whichever is not above it (RFC 6066 section 4). */
  readonly tls_max_fragment_length?: number;
  /** Without meaning here. */
  readonly protocolVersion?: number;
  readonly trace?: boolean;
  readonly onSecure?: (this: SecureSocket, socket: SecureSocket) => void;
  readonly onError?: (this: SecureSocket, error: TlsError) => void;
}

/** The dictionary of the SDK's SecureSocket, which its clients hand on whole. */
export interface ClassicOptions {
  readonly host?: string;
  /** The IP address to connect to, if it is known. */
  readonly address?: string;
  readonly port: number;
  readonly noDelay?: boolean;
  readonly secure?: ClassicSecureOptions;
}

/** What `callback` is told of, by the SDK's numbers. */
const ERROR = -2;
const DISCONNECTED = -1;
const CONNECTED = 1;
const READABLE = 2;
const WRITABLE = 3;

/** Bytes that a record has besides its data, at most. */
const OVERHEAD = 32;

/** In the place of the transport until the host is found: `new Object(options)` connects nothing. */
const unresolved = Object as unknown as TcpConstructor;

/** TLSSocket as it is built upon: its type without `read` and `write`, which are others here. */
declare abstract class Connection {
  constructor(options: SocketOptions, platform: Platform);
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly session: Session | undefined;
  close(): void;

  protected readonly platform: Platform;
  protected readonly client: ClientHandshake | undefined;
  protected tcp: Tcp | undefined;
  protected readonly writable: number;
  protected at: number;
  protected readonly dataEnd: number;
  protected readonly room: number;
  protected tcpOptions(options: SocketOptions): TcpOptions;
  protected tcpEnded(): void;
  protected schedule(milliseconds: number): void;
  protected take(n: number): void;
  protected hold(data: Uint8Array): void;
  protected commit(): void;
}

const Base = TLSSocket as unknown as typeof Connection;

/**
 * The SDK's classic SecureSocket, module `securesocket`, over our core. The property `callback` is told: 1, when all checks
 * have passed; 2 and how many bytes there are to read, now or never; 3 and how many bytes can be written; -1, when the
 * server has closed in order; -2 and the TlsError, when not. After the last two the socket is closed.
 */
export class SecureSocket extends Base {
  declare protected readonly platform: ClassicPlatform;
  // biome-ignore lint/suspicious/noExplicitAny: what the value is depends on the message
  callback?: (this: SecureSocket, message: number, value?: any) => void;
  private connected = false;

  /**
   * Begins to connect.
   * @throws TypeError or RangeError for options that can't be
   */
  constructor(options: ClassicOptions, platform: ClassicPlatform) {
    const { onData, onRoom, onEnd } = SecureSocket.prototype;
    const told = { onReadable: onData, onWritable: onRoom, onError: onEnd };
    const own = Object.assign(told, translated(options, platform)) as unknown as SocketOptions;
    super(own, platform);
    if (own.address === undefined) platform.resolve(options.host!, (_, address) => this.found(own, address));
  }

  /**
   * How many bytes can be read: none, but within `callback`. With a type, what there is as such; up to so many bytes, or up
   * to and with the first of this character. null skips it, and returns how many bytes that were.
   * @returns undefined when there is none
   */
  read(): number;
  read(type: StringConstructor, until?: number | string): string | undefined;
  read(type: ArrayBufferConstructor, until?: number | string): ArrayBuffer | undefined;
  read(type: NumberConstructor | null, until?: number | string): number | undefined;
  read(type?: ReadType, until?: number | string): ArrayBuffer | string | number | undefined {
    const { at, dataEnd } = this;
    if (type === undefined) return dataEnd - at;
    if (at === dataEnd) return undefined;
    const { bytes } = this.client!.engine.inbox;
    const end = type === Number ? at + 1 : limited(bytes, at, dataEnd, until);
    this.at = end;
    if (type === Number) return bytes[at];
    if (type === String) return this.platform.string(bytes, at, end);
    if (type === ArrayBuffer) return bytes.slice(at, end).buffer as ArrayBuffer;
    if (type === null) return end - at;
    throw new TypeError("read: String, ArrayBuffer, Number or null");
  }

  /**
   * How many bytes can be written. With items it sends them first, in one go, numbers as a byte each.
   * @throws Error when they are more than that; none of them is sent then
   */
  write(...items: Item[]): number {
    let total = 0;
    for (let i = 0; i < items.length; i++) {
      const bytes = this.bytes(items[i]);
      total += bytes.length;
      items[i] = bytes;
    }
    if (total > this.space) throw new Error("can't write all data");
    for (let i = 0; i < items.length; i++) this.stream(items[i] as Uint8Array);
    this.commit();
    return this.space;
  }

  // ---- The connection's side

  private found(options: SocketOptions, address: string | undefined): void {
    if (this.client === undefined) return;
    const { TCP } = this.platform;
    try {
      if (address === undefined) this.tcpEnded();
      else this.tcp = new TCP(this.tcpOptions(Object.assign({}, options, { address })));
    } catch {
      this.tcpEnded();
    }
  }

  protected onData(count: number): void {
    this.tell(READABLE, count);
    // What nobody read is gone, as with the SDK's
    if (this.dataEnd > 0) this.take(this.dataEnd - this.at);
  }

  protected onRoom(): void {
    const { connected } = this;
    this.connected = true;
    if (connected) this.tell(WRITABLE, this.space);
    else this.tell(CONNECTED);
  }

  protected onEnd(error?: TlsError): void {
    this.tell(error ? ERROR : DISCONNECTED, error);
  }

  private tell(what: number, value?: number | TlsError): void {
    this.callback!(what, value);
  }

  // ---- Writing

  private bytes(item: Item): Uint8Array {
    if (typeof item === "number") return Uint8Array.of(item);
    return bytesOf(typeof item === "string" ? this.platform.encode(item) : item);
  }

  /** Our buffer as often as the transport takes at once a record of all that fits, and once more. */
  private get space(): number {
    if (this.session === undefined) return 0;
    const full = this.client!.engine.plainRoom;
    return this.room + full * Math.floor(this.writable / (full + OVERHEAD));
  }

  /** Puts bytes into the buffer, and makes records of what is there whenever it is full. */
  private stream(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.room === 0) this.commit();
      const n = Math.min(this.room, bytes.length - at);
      if (n === 0) this.fail();
      this.hold(bytes.subarray(at, at + n));
      at += n;
    }
  }

  /** The transport did not take what it had promised, with a part of the data on its way. */
  private fail(): never {
    this.client!.engine.fail(faults.INTERNAL_ERROR);
    this.schedule(0);
    throw new Error("the transport blocks");
  }
}

/** Where a read ends. */
function limited(bytes: Uint8Array, at: number, end: number, until: number | string | undefined): number {
  if (until === undefined) return end;
  if (typeof until === "number") return Math.min(end, at + (until >>> 0));
  const found = bytes.indexOf(until.charCodeAt(0), at);
  return found < 0 || found >= end ? end : found + 1;
}

/** The same as options of a connection. */
function translated(options: ClassicOptions, platform: ClassicPlatform): object {
  const { host, address, port, noDelay: nodelay } = options;
  if ("sock" in options) throw new TypeError("sock: there is no such option");
  const secure = translatedSecure(options.secure, platform);
  const io = address === undefined ? unresolved : platform.TCP;
  return { host, address, port, nodelay, secure, TCP: { io } };
}

function translatedSecure(given: ClassicSecureOptions | undefined, platform: ClassicPlatform): object {
  const secure: Record<string, unknown> = {};
  for (const name in given) {
    const value: unknown = given[name as keyof ClassicSecureOptions];
    if (name === "tls_server_name") secure.serverName = value;
    else if (name === "tls_max_fragment_length") secure.maxFragmentLength = legalLength(value as number);
    else if (name === "applicationLayerProtocolNegotiation")
      secure[name] = protocols(value as Protocol | readonly Protocol[] | undefined, platform);
    else secure[name] = value;
  }
  return secure;
}

function legalLength(limit: number): number {
  let length = 4096;
  while (length > limit && length > 512) length >>= 1;
  return length;
}

function protocols(given: Protocol | readonly Protocol[] | undefined, platform: ClassicPlatform): unknown {
  const text = (one: Protocol) =>
    typeof one === "string" ? one : platform.string(bytesOf(one), 0, one.byteLength);
  return Array.isArray(given) ? given.map(text) : given && text(given as Protocol);
}
