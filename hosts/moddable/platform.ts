/** What the socket needs of the system it runs on, so that it runs under Moddable, in a bare XS and in Node. */

import type { Features } from "../../src/client/index.js";
import type { PrivateKeySpan, Provider, Signer } from "../../src/crypto/index.js";
import type { Remembered } from "../../src/pki/index.js";
import type { TlsError, Words } from "../../src/wire/index.js";
import type { Keeper } from "./cache.js";
import type { WithDefaults } from "./defaults.js";
import type { readIdentity } from "./identity.js";
import type { assemble, readCredentials } from "./options.js";
import type { CaIndex } from "./ski.js";

/** Bytes as Moddable hands them around; what is neither of the first two is a buffer of the host's, as a Resource. */
export type ByteBuffer = ArrayBufferLike | ArrayBufferView | { readonly byteLength: number };

/** Moddable's module `timer`, as far as it is used. */
export interface Timers {
  set(callback: () => void, milliseconds?: number): unknown;
  /** Takes what `set` returned, and undefined. */
  clear(timer: unknown): void;
}

/** Options of an ECMA-419 TCP socket; more may be in them. */
export interface TcpOptions {
  address?: string;
  host?: string;
  port: number;
  format?: "buffer" | "number";
  onReadable?: (bytes: number) => void;
  onWritable?: (bytes: number) => void;
  onError?: (error?: unknown) => void;
}

/** An ECMA-419 TCP socket, as far as it is used. */
export interface Tcp {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  read(into: Uint8Array): unknown;
  write(bytes: Uint8Array): unknown;
  close(): void;
}

export type TcpConstructor = new (options: TcpOptions) => Tcp;

/**
 * Decodes to `found` the blocks of PEM whose label ends with this one.
 * @throws TypeError when there is none, or one is encrypted
 */
export type ReadPem = (input: Uint8Array | string, label: string, found: Uint8Array[]) => void;

/**
 * Where sessions are kept from one connection to the next, each as bytes under its server's "name:port". They hold a
 * secret, and come back as they were, or the handshake is a full one.
 */
export interface SessionCache {
  get(key: string): ByteBuffer | null | undefined;
  /** Keeps the bytes, which are the cache's from now on; undefined: forgets the session. */
  set(key: string, bytes: ArrayBuffer | undefined): void;
}

/**
 * Where signatures that were verified are kept, as bytes that are no secret; but whoever can change them has any signature
 * taken for verified.
 */
export interface SignatureStore {
  get(): ByteBuffer | null | undefined;
  /** Keeps the bytes, which are the store's from now on. */
  set(bytes: ArrayBuffer): void;
}

/** What remembers the signatures of a connection; those that the application keeps are handed to it after the handshake. */
export type Memory = Remembered & { hand?(): void };

/** One system. */
export interface Platform {
  readonly timers: Timers;
  readonly provider: Provider;
  /** What clients are made of. */
  readonly features: Features;
  /** Without it certificates and keys are DER. */
  readonly readPem?: ReadPem | undefined;
  /** Seconds since 1970, or undefined when the clock was never set. */
  clock(): number | undefined;
  /** Where sessions are kept, unless the application says where; without it nowhere. */
  readonly cache?: SessionCache | undefined;
  /** What keeps a connection's sessions; there is one where there is resumption. */
  readonly Keeper?: typeof Keeper | undefined;
  /** Makes what remembers signatures: so many with all connections, or those of a store; without it none is remembered. */
  readonly remember?: ((platform: Platform, given?: number | SignatureStore) => Memory) | undefined;
  /** The bytes of a resource by its name, or undefined when there is none. */
  resource(name: string): ByteBuffer | undefined;
  /** The CA certificates to trust when the application names none; of those that the SDK numbers, from `first` on. */
  anchors(first: number): ByteBuffer[];
  /** Reads of the others only those that are needed, where the SDK's index of them is among the resources. */
  readonly caIndex?: ((platform: Platform) => CaIndex | undefined) | undefined;
  /** Makes what a socket consists of. */
  readonly assemble: typeof assemble;
  /** The same, with defaults of `secure` from the application's manifest. */
  readonly withDefaults?: WithDefaults | undefined;
  readonly readCredentials: typeof readCredentials;
  /** Reads what clients show of themselves: there, where they may have certificates. */
  readonly readIdentity?: typeof readIdentity | undefined;
  /**
   * Makes a signer of a private key; what it holds goes with its `dispose`.
   * @throws TypeError when it is none, or of a kind that the platform can't sign with
   */
  signer(key: PrivateKeySpan): Signer & { dispose?(): void };
  /** What errors say; without it their messages are the names of faults. */
  readonly words?: Words | undefined;
  /** Hears of each connection that failed, as many clients keep the reason to themselves. */
  report?(error: TlsError): void;
}
