import { Keeper } from "../../hosts/moddable/cache.js";
import { assemble, readCredentials } from "../../hosts/moddable/options.js";
import type { Memory, Platform, Tcp, TcpOptions } from "../../hosts/moddable/platform.js";
import { type SecureOptions, TLSSocket } from "../../hosts/moddable/socket.js";
import { type Provider, SignatureMemory, usual, version } from "../../src/client/index.js";
import type { Job } from "./job.js";

// The Moddable socket over what a server once sent, with timers that do as they are told. What changes is in `world`, and so
// in RAM.

/** Bytes of a TCP segment. */
const SEGMENT = 1460;
/** Bytes that the transport takes at once, and sends nowhere. */
const OFFER = 1536;
/** Signatures that are remembered by default. */
const SIGNATURES = 8;

interface World {
  tcp: Replay | undefined;
  /** What the one timer that is set will call. */
  callback: (() => void) | undefined;
  established: boolean;
  memory?: Memory;
  [name: string]: unknown;
}

declare global {
  var world: World;
}

/** The transport: what was recorded comes a segment at a time. */
abstract class Replay implements Tcp {
  abstract readonly recorded: Uint8Array;
  readonly options: TcpOptions;
  private at = 0;
  private end = 0;

  constructor(options: TcpOptions) {
    this.options = options;
    globalThis.world.tcp = this;
  }

  /** Announces the next segment; false when there is none. */
  deliver(): boolean {
    const { length } = this.recorded;
    if (this.at === length) return false;
    this.end = Math.min(this.at + SEGMENT, length);
    this.options.onReadable?.(this.end - this.at);
    return true;
  }

  read(into: Uint8Array): number {
    const n = Math.min(into.length, this.end - this.at);
    into.set(this.recorded.subarray(this.at, this.at + n));
    this.at += n;
    return n;
  }

  write(): number {
    return OFFER;
  }

  /** Nobody reads the rest. */
  close(): void {
    this.at = this.recorded.length;
  }
}

/** The transport of these bytes, for where a module begins. */
export function transportOf(bytes: Uint8Array): new (options: TcpOptions) => Tcp {
  return class extends Replay {
    get recorded(): Uint8Array {
      return bytes;
    }
  };
}

const timers = Object.freeze({
  set(callback: () => void): unknown {
    globalThis.world.callback = callback;
    return callback;
  },
  clear(timer: unknown): void {
    if (timer !== undefined && globalThis.world.callback === timer) globalThis.world.callback = undefined;
  },
});

/** A platform whose sockets share a memory that knows these signatures. */
export function platformOf(provider: Provider, clock: number, known: Uint8Array): Platform {
  return Object.freeze({
    timers,
    provider,
    features: usual,
    clock: () => clock,
    Keeper,
    remember() {
      const { world } = globalThis;
      world.memory ??= new SignatureMemory(provider, SIGNATURES, known);
      return world.memory;
    },
    resource: () => undefined,
    anchors: () => [],
    assemble,
    readCredentials,
    signer: (): never => {
      throw new TypeError("there is no key");
    },
  });
}

function take(this: TLSSocket): void {
  this.read();
}

function open(): void {
  globalThis.world.established = true;
}

/** Begins the connection of a job. */
export function connect(
  job: Job,
  trust: Uint8Array,
  io: ReturnType<typeof transportOf>,
  platform: Platform,
  more: SecureOptions,
): TLSSocket {
  const protocol = job.version === version.tls13 ? "TLSv1.3" : "TLSv1.2";
  return new TLSSocket(
    {
      host: job.serverName,
      port: 443,
      TCP: { io },
      secure: {
        certificate: trust,
        minVersion: protocol,
        maxVersion: protocol,
        ocsp: { policy: job.policy },
        recordSizeLimit: job.recordSizeLimit,
        maxCertificates: job.maxCertificates,
        buffers: job.buffers,
        handshakeTimeout: 0,
        cache: more.cache,
        verifiedSignatures: more.verifiedSignatures,
        onSecure: more.onSecure,
        onError: more.onError,
      },
      onReadable: take,
      onWritable: open,
    },
    platform,
  );
}

/** Lets the transport deliver all. */
export function play(): void {
  globalThis.world.tcp?.options.onWritable?.(OFFER);
  do tick();
  while (globalThis.world.tcp?.deliver());
}

/** Runs timers until none is set. */
export function tick(): void {
  for (;;) {
    const { callback } = globalThis.world;
    if (callback === undefined) return;
    globalThis.world.callback = undefined;
    callback();
  }
}
