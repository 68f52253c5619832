import { Keeper } from "../../hosts/moddable/cache.js";
import type { Platform, SessionCache, Tcp, TcpOptions } from "../../hosts/moddable/platform.js";
import { TLSSocket } from "../../hosts/moddable/socket.js";
import { fromHex } from "../../hosts/xs/text.js";
import { everything, SignatureMemory, version } from "../../src/client/index.js";
import { job, provider, recorded, SEGMENT, trust } from "./flash.js";

// Replays a recorded handshake through the Moddable socket, over a transport and timers that do as they are told.

/** Signatures that are remembered by default, and those that are known. */
const SIGNATURES = 8;
const known = fromHex(job.kept?.signatures ?? "");
/** Bytes that the transport takes at once, and sends nowhere. */
const OFFER = 1536;

/** What changes, and so must be in RAM. */
interface World {
  tcp: Replay | undefined;
  /** What the one timer that is set will call. */
  callback: (() => void) | undefined;
  established: boolean;
  /** What the cache was given, and what remembers signatures. */
  kept?: ArrayBuffer | undefined;
  memory?: SignatureMemory;
}

declare global {
  var world: World;
}

/** The transport: what was recorded comes a segment at a time. */
class Replay implements Tcp {
  readonly options: TcpOptions;
  private at = 0;
  private end = 0;

  constructor(options: TcpOptions) {
    this.options = options;
    globalThis.world.tcp = this;
  }

  /** Announces the next segment; false when there is none. */
  deliver(): boolean {
    if (this.at === recorded.length) return false;
    this.end = Math.min(this.at + SEGMENT, recorded.length);
    this.options.onReadable?.(this.end - this.at);
    return true;
  }

  read(into: Uint8Array): number {
    const n = Math.min(into.length, this.end - this.at);
    into.set(recorded.subarray(this.at, this.at + n));
    this.at += n;
    return n;
  }

  write(): number {
    return OFFER;
  }

  close(): void {}
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

const platform: Platform = Object.freeze({
  timers,
  provider,
  features: everything,
  clock: () => job.clock,
  Keeper,
  remember() {
    const { world } = globalThis;
    world.memory ??= new SignatureMemory(provider, SIGNATURES, known);
    return world.memory;
  },
  resource: () => undefined,
  trust: () => [],
  signer: (): never => {
    throw new TypeError("there is no key");
  },
});

function take(this: TLSSocket): void {
  this.read();
}

function open(): void {
  globalThis.world.established = true;
}

const { kept } = job;
const offered = kept?.session ? fromHex(kept.session).buffer : undefined;
const cache: SessionCache = Object.freeze({
  get: () => offered,
  set(_: string, bytes: ArrayBuffer | undefined): void {
    globalThis.world.kept = bytes;
  },
});

function checkResumed({ session: spoken }: TLSSocket): void {
  if (spoken?.resumed !== (offered !== undefined)) throw new Error("resumed, or not");
}

function connect(): TLSSocket {
  const protocol = job.version === version.tls13 ? "TLSv1.3" : "TLSv1.2";
  return new TLSSocket(
    {
      host: job.serverName,
      port: 443,
      TCP: { io: Replay },
      secure: {
        certificate: trust,
        minVersion: protocol,
        maxVersion: protocol,
        ocsp: { policy: job.policy },
        recordSizeLimit: job.recordSizeLimit,
        maxCertificates: job.maxCertificates,
        buffers: job.buffers,
        handshakeTimeout: 0,
        cache: kept ? cache : false,
        verifiedSignatures: kept ? undefined : 0,
        onSecure: kept ? checkResumed : undefined,
      },
      onReadable: take,
      onWritable: open,
    },
    platform,
  );
}

/** Runs timers until none is set. */
function tick(): void {
  for (;;) {
    const { callback } = globalThis.world;
    if (callback === undefined) return;
    globalThis.world.callback = undefined;
    callback();
  }
}

globalThis.main = function main(): void {
  globalThis.world = { tcp: undefined, callback: undefined, established: false };
  const socket = connect();
  note("CONSTRUCTED");
  globalThis.world.tcp?.options.onWritable?.(OFFER);
  do tick();
  while (globalThis.world.tcp?.deliver());
  note("ESTABLISHED");
  if (!globalThis.world.established)
    throw new Error(socket.session === undefined ? "it ended" : "it stopped");
  host.print("established");
};

function note(label: string): void {
  if (job.live) host.collect();
  host.mark(label);
}
