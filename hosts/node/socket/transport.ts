import { connect as connectTcp, type NetConnectOpts, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type Port, type TlsClient, wants } from "../../../src/client/index.js";
import type { ConnectOptions } from "./options.js";

/** What carries the records: a TCP socket, or any stream that was handed in, which may lack a socket's manners. */
export type Transport = Duplex & Partial<Pick<Socket, SocketManners> & NewManners>;

/** What newer releases of Node have besides. */
interface NewManners {
  getTypeOfService(): number;
  setTypeOfService(tos: number): unknown;
}

type SocketManners =
  | "address"
  | "autoSelectFamilyAttemptedAddresses"
  | "bytesRead"
  | "bytesWritten"
  | "connecting"
  | "localAddress"
  | "localFamily"
  | "localPort"
  | "ref"
  | "remoteAddress"
  | "remoteFamily"
  | "remotePort"
  | "resetAndDestroy"
  | "setKeepAlive"
  | "setNoDelay"
  | "unref";

/**
 * Sees the bytes that the transport carries, as they are written to it and read from it. They must be copied: what
 * was read is overwritten later.
 */
export type OnCipher = (sent: boolean, bytes: Uint8Array) => void;

const tcpNames = [
  "host",
  "port",
  "path",
  "family",
  "hints",
  "lookup",
  "localAddress",
  "localPort",
  "autoSelectFamily",
  "autoSelectFamilyAttemptTimeout",
  "noDelay",
  "keepAlive",
  "keepAliveInitialDelay",
] as const;

/** Where bytes are read to while there is no room for them: because nothing goes on, or because all is over. */
const spare = Buffer.allocUnsafeSlow(4096);

/**
 * Opens a TCP connection whose bytes the system writes where the core reads them, without a copy; where its signal is
 * aborted already, none. `received` is called whenever `cipherIn` has advanced.
 */
export function openTcp(
  options: ConnectOptions,
  core: Pick<Sink, "cipherIn">,
  received: () => void,
  onCipher?: OnCipher,
): Socket {
  if (options.signal?.aborted) return new Socket();
  const tcp = Object.fromEntries(tcpNames.map((name) => [name, options[name]]));
  const onread = {
    buffer() {
      const { bytes, start, end } = core.cipherIn;
      return end > start ? bytes.subarray(start, end) : spare;
    },
    callback(n: number, bytes: Uint8Array): boolean {
      onCipher?.(false, bytes.subarray(0, n));
      feed(core, bytes.subarray(0, n), received);
      return true;
    },
  };
  return connectTcp({ ...tcp, allowHalfOpen: true, onread } as unknown as NetConnectOpts);
}

/** Where the bytes of a stream go. */
export type Sink = Pick<TlsClient, "cipherIn" | "closedByPeer" | "wants">;

/**
 * Reads a stream that was handed in, from its next bytes on. `received` is called whenever `cipherIn` has advanced.
 * What there is no room for, while the handshake waits for something of ours, stays in the stream: it is paused then,
 * and whoever lets the handshake go on resumes it.
 */
export function adopt(stream: Duplex, core: Sink, received: () => void, onCipher?: OnCipher): Transport {
  stream.on("data", (chunk: Buffer) => {
    const at = feed(core, chunk, received, onCipher);
    // Once the connection is over nobody reads what comes after
    if (at === chunk.length || core.closedByPeer || core.wants & wants.CLOSED) return;
    stream.pause();
    stream.unshift(chunk.subarray(at));
  });
  // Whoever spoke on it before may have left it paused
  stream.resume();
  return stream;
}

/** Has the core take what there is room for, and what that makes room for; returns how much that was. */
function feed(
  core: Pick<Sink, "cipherIn">,
  chunk: Uint8Array,
  received: () => void,
  onCipher?: OnCipher,
): number {
  let at = 0;
  while (at < chunk.length) {
    const n = fill(core.cipherIn, chunk.subarray(at));
    if (n === 0) break;
    core.cipherIn.advance(n);
    onCipher?.(false, chunk.subarray(at, at + n));
    at += n;
    received();
  }
  return at;
}

/**
 * Writes what there is room for, unless it is there; returns how much that was. What the system has written may lie
 * behind its place: that was told before the read, and the input buffer may have moved down since.
 */
function fill({ bytes, start, end }: Port, chunk: Uint8Array): number {
  const n = Math.min(chunk.length, end - start);
  const there = chunk.buffer === bytes.buffer && chunk.byteOffset === bytes.byteOffset + start;
  if (!there) bytes.set(chunk.subarray(0, n), start);
  return n;
}

/** Time for the last alert to leave, in milliseconds. */
const FAREWELL = 1000;

/** Ends a connection so that what was written last still arrives, where the peer lets it. */
export function farewell(transport: Transport): void {
  const timer = setTimeout(() => transport.destroy(), FAREWELL);
  transport.once("close", () => clearTimeout(timer));
  transport.end(() => transport.destroy());
}
