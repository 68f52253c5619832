/** Captures of connections, with their secrets, that Wireshark opens: PCAPNG, draft-ietf-opsawg-pcapng. */

import { closeSync } from "node:fs";
import { createRequire } from "node:module";
import { contentType } from "../../../src/wire/index.js";
import { openPrivate, writeAll } from "../common/private-file.js";
import { Conversation, type Endpoint, type Packet } from "./packets.js";

/** Where a capture goes: a file's name, a file descriptor, or what takes the bytes otherwise. */
export type Sink = string | number | { write(bytes: Uint8Array): unknown };

export interface CaptureOptions {
  /** Milliseconds since 1970, with fractions. */
  readonly clock?: () => number;
  /** Told once, of the first error in writing; nothing is written after it. By default a process warning. */
  readonly onError?: (error: Error) => void;
}

/** The two ends of a connection, and which of them `local` is. */
export interface FlowOptions {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** Whether the local end opened the connection. */
  readonly client: boolean;
}

/** Bytes of packets that may wait for secrets. */
const PATIENCE = 1 << 20;

/** A packet's block, which waits until `flow` knows its secrets. */
interface Waiting {
  readonly flow: Flow;
  readonly block: Buffer;
}

/**
 * A capture file of any number of TCP connections, TLS or not. Who reads it in one pass must meet the secrets
 * before what they decrypt, so packets wait, in their order, from a server's answer until the traffic secrets
 * are there. A file that is named here is made anew, for its owner's eyes only.
 *
 * @example
 * const capture = new Capture("session.pcapng");
 * const flow = capture.open({ local, remote, client: true });
 * socket.on("keylog", (line) => flow.secret(line));
 * @throws Error of the system when the file can't be opened
 */
export class Capture {
  private readonly write: (bytes: Uint8Array) => unknown;
  private readonly clock: () => number;
  private readonly onError: (error: Error) => void;
  /** The file that was opened here. */
  private file: number | undefined;
  private waiting: Waiting[] = [];
  private waitingBytes = 0;
  private flows = 0;
  private closed = false;

  constructor(sink: Sink, options: CaptureOptions = {}) {
    const { clock = now, onError = warn } = options;
    this.clock = clock;
    this.onError = onError;
    if (typeof sink === "string") this.file = openPrivate(sink, "w");
    const descriptor = typeof sink === "number" ? sink : this.file;
    this.write =
      typeof sink === "object" ? (bytes) => sink.write(bytes) : (bytes) => writeAll(descriptor!, bytes);
    this.put(sectionHeader());
    this.put(interfaceDescription());
  }

  /** Begins a connection: its handshake of TCP is in the capture from now on. */
  open(options: FlowOptions): Flow {
    return new Flow(options, this.flows++, {
      packet: (flow, sent, bytes) => this.packet(flow, sent, bytes),
      secret: (line) => this.put(decryptionSecrets(line)),
      settle: () => this.drain(),
    });
  }

  /** Writes what still waits, and closes the file if it was opened here. */
  close(): void {
    this.drain(true);
    if (this.file !== undefined) this.guard(closeSync, this.file);
    this.file = undefined;
    this.closed = true;
  }

  private packet(flow: Flow, sent: boolean, bytes: Buffer): void {
    if (this.closed) return;
    const block = enhancedPacket(this.clock(), sent, bytes);
    this.waiting.push({ flow, block });
    this.waitingBytes += block.length;
  }

  /** Writes the packets that need not wait, those of all flows in their order. */
  private drain(all = false): void {
    let n = 0;
    while (n < this.waiting.length && (all || this.waitingBytes > PATIENCE || !this.waiting[n].flow.waits)) {
      this.waitingBytes -= this.waiting[n].block.length;
      this.put(this.waiting[n++].block);
    }
    this.waiting.splice(0, n);
  }

  private put(block: Buffer): void {
    if (!this.closed) this.guard(this.write, block);
  }

  /** The connection that is captured must not suffer from a full disk. */
  private guard<T>(act: (argument: T) => unknown, argument: T): void {
    try {
      act(argument);
    } catch (error) {
      if (this.closed) return;
      this.closed = true;
      this.waiting = [];
      this.waitingBytes = 0;
      this.onError(error as Error);
    }
  }
}

/** What a flow needs of its capture. */
interface Recorder {
  packet(flow: Flow, sent: boolean, bytes: Buffer): void;
  secret(line: Uint8Array): void;
  /** Packets came, or whether the flow waits has changed. */
  settle(): void;
}

/** One connection in a capture. `Capture.open` makes them. */
export class Flow {
  private readonly recorder: Recorder;
  private readonly client: boolean;
  private readonly tcp: Conversation;
  /** Whether TLS is spoken, as the first byte tells. */
  private tls: boolean | undefined;
  private answered = false;
  private first: boolean | undefined;
  private closed = false;
  /** Labels of the secrets without which not all can be decrypted. */
  private readonly missing = new Set(["CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"]);

  constructor({ local, remote, client }: FlowOptions, number: number, recorder: Recorder) {
    this.recorder = recorder;
    this.client = client;
    const [opener, other] = client ? [local, remote] : [remote, local];
    this.tcp = new Conversation(opener, other, firstSequence(number));
    this.record(this.tcp.open());
  }

  /** Whether what is captured now may be illegible without secrets that are still to come. */
  get waits(): boolean {
    return this.tls === true && this.answered && this.missing.size > 0 && !this.closed;
  }

  /** Bytes that the transport carried; they are copied. None count after `end` of that side, or `close`. */
  cipher(sent: boolean, bytes: Uint8Array): void {
    if (this.closed || bytes.length === 0) return;
    this.tls ??= bytes[0] === contentType.handshake;
    this.first ??= sent;
    if (sent !== this.first) this.answered = true;
    this.record(this.tcp.data(this.fromClient(sent), bytes));
  }

  /** A line of SSLKEYLOGFILE, RFC 9850. */
  secret(line: Uint8Array): void {
    if (this.closed) return;
    const [label] = Buffer.from(line).toString("latin1").split(" ", 1);
    if (label === "CLIENT_RANDOM") this.missing.clear();
    else this.missing.delete(label);
    this.recorder.secret(line);
    this.recorder.settle();
  }

  /** One side sends no more: the local one when `sent`. */
  end(sent: boolean): void {
    if (!this.closed) this.record(this.tcp.end(this.fromClient(sent)));
  }

  /** The connection is over: both sides have ended or, with `reset`, the local one has dropped it. */
  close(reset = false): void {
    if (this.closed) return;
    if (reset) this.record(this.tcp.reset(this.client));
    this.end(true);
    this.end(false);
    this.closed = true;
    this.recorder.settle();
  }

  private record(packets: readonly Packet[]): void {
    for (const { fromClient, bytes } of packets)
      this.recorder.packet(this, this.fromClient(fromClient), bytes);
    this.recorder.settle();
  }

  /** Between "the local end" and "the client", either way. */
  private fromClient(sent: boolean): boolean {
    return sent === this.client;
  }
}

/** Apart from those of the last connection, which may have been between the same ports. */
function firstSequence(number: number): number {
  return Math.imul(number + 1, 0x9e3779b1) >>> 0;
}

// ---- Blocks

const blockType = Object.freeze({
  SECTION_HEADER: 0x0a0d0d0a,
  INTERFACE_DESCRIPTION: 1,
  ENHANCED_PACKET: 6,
  DECRYPTION_SECRETS: 10,
});

const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
/** Packets begin with an IP header of either version. */
const LINKTYPE_RAW = 101;
const TLS_KEY_LOG = 0x544c534b;

/** Section 4.1; the section's length is not given. */
function sectionHeader(): Buffer {
  const { version } = createRequire(import.meta.url)("tlstaple/package.json") as { version: string };
  const fields = Buffer.alloc(16, 0xff);
  fields.writeUInt32LE(BYTE_ORDER_MAGIC, 0);
  fields.writeUInt16LE(1, 4);
  fields.writeUInt16LE(0, 6);
  const SHB_USERAPPL = 4;
  return block(blockType.SECTION_HEADER, fields, options([SHB_USERAPPL, `tlstaple ${version}`]));
}

/** Section 4.2; times count microseconds, its default. */
function interfaceDescription(): Buffer {
  const fields = Buffer.alloc(8);
  fields.writeUInt16LE(LINKTYPE_RAW, 0);
  fields.writeUInt32LE(65535, 4);
  const [IF_NAME, IF_DESCRIPTION] = [2, 3];
  const description = "packets made up around what the sockets sent and received";
  return block(
    blockType.INTERFACE_DESCRIPTION,
    fields,
    options([IF_NAME, "tlstaple"], [IF_DESCRIPTION, description]),
  );
}

/** Section 4.3, of the only interface. `time` is in milliseconds since 1970. */
function enhancedPacket(time: number, sent: boolean, packet: Buffer): Buffer {
  const microseconds = Math.floor(time * 1000);
  const fields = Buffer.alloc(20);
  fields.writeUInt32LE(Math.floor(microseconds / 2 ** 32), 4);
  fields.writeUInt32LE(microseconds % 2 ** 32, 8);
  fields.writeUInt32LE(packet.length, 12);
  fields.writeUInt32LE(packet.length, 16);
  const EPB_FLAGS = 2;
  const direction = Buffer.from([sent ? 2 : 1, 0, 0, 0]);
  return block(blockType.ENHANCED_PACKET, fields, padded(packet), options([EPB_FLAGS, direction]));
}

/** Section 4.7. */
function decryptionSecrets(line: Uint8Array): Buffer {
  const fields = Buffer.alloc(8);
  fields.writeUInt32LE(TLS_KEY_LOG, 0);
  fields.writeUInt32LE(line.length, 4);
  return block(blockType.DECRYPTION_SECRETS, fields, padded(line));
}

/** Section 3.1: type, length, body, length; all parts are whole words. */
function block(type: number, ...body: Buffer[]): Buffer {
  const length = 12 + body.reduce((sum, part) => sum + part.length, 0);
  const ends = Buffer.alloc(12);
  ends.writeUInt32LE(type, 0);
  ends.writeUInt32LE(length, 4);
  ends.writeUInt32LE(length, 8);
  return Buffer.concat([ends.subarray(0, 8), ...body, ends.subarray(8)]);
}

/** Section 3.5, with the end of options. */
function options(...list: [code: number, value: string | Buffer][]): Buffer {
  const encoded = list.map(([code, value]) => {
    const bytes = Buffer.from(value as string);
    const header = Buffer.alloc(4);
    header.writeUInt16LE(code, 0);
    header.writeUInt16LE(bytes.length, 2);
    return Buffer.concat([header, padded(bytes)]);
  });
  return Buffer.concat([...encoded, Buffer.alloc(4)]);
}

function padded(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes], Math.ceil(bytes.length / 4) * 4);
}

// ---- Clocks and warnings

/** The time of day, which does not jump while the process lives. */
function now(): number {
  return performance.timeOrigin + performance.now();
}

function warn(error: Error): void {
  process.emitWarning(`the capture ends here: ${error.message}`);
}
