import type { NetConnectOpts } from "node:net";
import type { Duplex } from "node:stream";
import {
  type BufferSizes,
  type ClientOptions,
  type OcspOptions as CoreOcspOptions,
  configure,
} from "../../../src/client/index.js";
import type { Identity, Provider } from "../../../src/crypto/index.js";
import type { Nonce } from "../../../src/pki/index.js";
import { version } from "../../../src/wire/index.js";
import { coded, typeError } from "../common/errors.js";
import type { Certificates } from "../common/pem.js";
import {
  abortSignal,
  boolean,
  clockFunction,
  cryptoProvider,
  defaultRoots,
  groups,
  milliseconds,
  nested,
  number,
  oneOf,
  protocols,
  protocolVersion,
  type Root,
  readAll,
  readIdentity,
  readResponders,
  readRoots,
  refuser,
  type Schema,
  unsupportedAnywhere,
} from "../common/read.js";
import { provider } from "../provider.js";
import { type InquirySettings, inquirySettings, type LookupChoice, lookupSchema } from "./inquiry.js";
import { serverName } from "./server-name.js";
import { decodeSession, type SavedSession } from "./session.js";
import type { OnCipher } from "./transport.js";

/** How revocation is asked for and judged; each field of a session's wins over its context's. */
export interface OcspOptions extends Partial<Omit<CoreOcspOptions, "responders">>, LookupChoice {
  /** Certificates of responders that are trusted though no CA delegated them. */
  readonly responders?: Certificates;
}

/** The same, read. */
interface OcspLayer extends Partial<CoreOcspOptions>, LookupChoice {}

export type ProtocolVersion = "TLSv1.2" | "TLSv1.3";

/** What many connections may share: `createContext` reads it once. */
export interface ContextOptions {
  /** The root CAs to trust, instead of the ones that Node brings. */
  readonly ca?: Certificates;
  /** The client's own certificate chain, leaf first, and its private key. */
  readonly cert?: Certificates;
  readonly key?: string | Buffer;
  readonly passphrase?: string;
  readonly ALPNProtocols?: readonly string[];
  /** Groups of the key exchange, best first: "X25519", "P-256", "P-384", which is the default. */
  readonly groups?: readonly string[];
  readonly minVersion?: ProtocolVersion;
  readonly maxVersion?: ProtocolVersion;
  /** False: take any certificate and any staple. For tests only. */
  readonly rejectUnauthorized?: boolean;
  readonly ocsp?: OcspOptions;
  /** Refuse TLS 1.2 servers without extended_master_secret. */
  readonly requireEms?: boolean;
  /** RFC 8449, 64 to 16385 bytes. */
  readonly recordSizeLimit?: number;
  /** RFC 6066: 512, 1024, 2048 or 4096 bytes. */
  readonly maxFragmentLength?: number;
  /** Take the connection's end without close_notify for an end: then look at `socket.truncated`. False by default. */
  readonly allowTruncation?: boolean;
  /** Milliseconds from the connection to the end of the handshake; 10,000 by default, 0 for no limit. */
  readonly handshakeTimeout?: number;
  /** Seconds since 1970, or undefined when the clock was never set. */
  readonly clock?: () => number | undefined;
  readonly provider?: Provider;
  readonly buffers?: Partial<BufferSizes>;
}

type Tcp = Partial<Omit<Extract<NetConnectOpts, { port: number }>, "onread" | "timeout">>;

/** Options of one connection. Those that it shares with its context win over the context's. */
export interface ConnectOptions extends ContextOptions, Tcp {
  readonly context?: Context;
  /** A Unix socket, instead of host and port. */
  readonly path?: string;
  /** The name to verify and to send as SNI, or the IP address to verify; by default the host. */
  readonly servername?: string;
  /** A session to resume if it still fits, from the event `session` or `getSession`; it holds a secret. */
  readonly session?: Buffer;
  /** A connection that exists already, instead of host and port. */
  readonly socket?: Duplex;
  /** Milliseconds without traffic until the event `timeout`. */
  readonly timeout?: number;
  /** Destroys the socket with an AbortError. */
  readonly signal?: AbortSignal;
  readonly highWaterMark?: number;
  readonly allowHalfOpen?: boolean;
  /** Every handshake message, alert and ChangeCipherSpec, for debugging. */
  readonly onMessage?: ClientOptions["onMessage"];
  /** The transport's bytes, as they are written and read. */
  readonly onCipher?: OnCipher;
}

/** Context options as they were read: checked, parsed, and absent where they were not given. */
interface Layer {
  ca?: readonly Root[];
  identity?: Identity;
  ALPNProtocols?: readonly string[];
  groups?: readonly number[];
  minVersion?: number;
  maxVersion?: number;
  rejectUnauthorized?: boolean;
  ocsp?: OcspLayer;
  requireEms?: boolean;
  recordSizeLimit?: number;
  maxFragmentLength?: number;
  allowTruncation?: boolean;
  handshakeTimeout?: number;
  clock?: () => number | undefined;
  provider?: Provider;
  buffers?: Partial<BufferSizes>;
}

/** Shared options, read and checked once: what a `WOLFSSL_CTX` is to wolfSSL. */
export class Context {
  /** @internal */
  readonly layer: Layer;

  constructor(options: ContextOptions = {}) {
    this.layer = readLayer(options);
    configured({ ...coreOptions(this.layer), serverName: "any.invalid" });
  }
}

/**
 * Reads the options that many connections share: parses CAs and keys once.
 * @throws TypeError or RangeError whose `code` begins with `ERR_TLSTAPLE_OPTION`
 */
export function createContext(options?: ContextOptions): Context {
  return new Context(options);
}

/** What a connection works with. */
export interface Settings {
  readonly core: ClientOptions;
  readonly roots: readonly Root[];
  readonly handshakeTimeout: number;
  readonly allowTruncation: boolean;
  readonly saved: SavedSession | undefined;
  readonly lookup: InquirySettings | undefined;
}

/** Merges a session's options over its context's, and checks the whole. */
export function settle(options: ConnectOptions): Settings {
  const { context } = options;
  if (context !== undefined && !(context instanceof Context))
    throw typeError("context", "made by createContext");
  if (options.timeout !== undefined) milliseconds(options.timeout, "timeout");
  if (options.signal !== undefined) abortSignal(options.signal, "signal");
  const layer = overlay(context?.layer ?? {}, readLayer(options));
  const core = configured({ ...coreOptions(layer), serverName: nameToVerify(options) });
  const saved = options.session === undefined ? undefined : decodeSession(options.session);
  return {
    core,
    roots: layer.ca ?? defaultRoots(),
    handshakeTimeout: layer.handshakeTimeout ?? 10_000,
    allowTruncation: layer.allowTruncation ?? false,
    saved,
    lookup: lookupOf(layer, core),
  };
}

function overlay(context: Layer, session: Layer): Layer {
  return {
    ...context,
    ...session,
    ocsp: { ...context.ocsp, ...session.ocsp },
    buffers: { ...context.buffers, ...session.buffers },
  };
}

/** As node:tls: the servername, or else the host. An empty servername counts as none. */
function nameToVerify(options: ConnectOptions): string | undefined {
  const { host, servername, socket } = options;
  if (servername) return serverName(servername, "servername");
  if (host) return serverName(host, "host");
  return socket ? undefined : "localhost";
}

/** Input for several records, so that one read from the network brings many; output for one, as each is copied out. */
const defaultBuffers = Object.freeze({ input: 65536, output: 16640, store: 65536 });

/** What the core has of it. Where certificates are looked up, a staple is not the only way to meet `policy`. */
function coreOcsp({ lookup, overrideUrl, ...ocsp }: OcspLayer): Partial<CoreOcspOptions> {
  if (!lookup) return ocsp;
  return { ...ocsp, policy: "if-present", nonce: ocsp.stapling === "off" ? false : ocsp.nonce };
}

function lookupOf({ ocsp = {} }: Layer, core: ClientOptions): InquirySettings | undefined {
  const { skew, maxAge, allowMissingNextUpdate, responders } = configure(core).ocsp;
  const policy = { skew, maxAge, allowMissingNextUpdate, responders };
  return inquirySettings(ocsp, {
    nonce: ocsp.nonce,
    policy,
    requirement: ocsp.policy ?? "leaf",
    clock: core.clock,
  });
}

function coreOptions(layer: Layer): ClientOptions {
  return {
    provider: layer.provider ?? provider,
    trust: (layer.ca ?? defaultRoots()).map((root) => root.anchor),
    clock: layer.clock ?? (() => Math.floor(Date.now() / 1000)),
    verify: layer.rejectUnauthorized ?? true,
    minVersion: layer.minVersion ?? version.tls12,
    maxVersion: layer.maxVersion ?? version.tls13,
    alpn: layer.ALPNProtocols ?? [],
    groups: layer.groups,
    requireEms: layer.requireEms ?? false,
    recordSizeLimit: layer.recordSizeLimit,
    maxFragmentLength: layer.maxFragmentLength,
    identity: layer.identity,
    ocsp: coreOcsp(layer.ocsp ?? {}),
    buffers: { ...defaultBuffers, ...layer.buffers },
  };
}

/** Has the core check ranges and what options demand of each other. */
function configured(options: ClientOptions): ClientOptions {
  try {
    configure(options);
    return options;
  } catch (error) {
    throw coded(error as RangeError, "ERR_TLSTAPLE_OPTION_VALUE");
  }
}

const schema: Schema<Omit<Layer, "identity">> = {
  ca: readRoots,
  ALPNProtocols: protocols,
  groups,
  minVersion: protocolVersion,
  maxVersion: protocolVersion,
  rejectUnauthorized: boolean,
  ocsp: nested<Required<OcspLayer>>({
    stapling: oneOf("off", "v1", "v2", "v2-multi"),
    alsoV1: boolean,
    policy: oneOf("if-present", "leaf", "chain"),
    mustStaple: boolean,
    nonce: oneOf<Nonce>(false, "if-present", true),
    skew: number,
    maxAge: number,
    allowMissingNextUpdate: boolean,
    responders: readResponders,
    ...lookupSchema,
  }),
  requireEms: boolean,
  recordSizeLimit: number,
  maxFragmentLength: number,
  allowTruncation: boolean,
  handshakeTimeout: milliseconds,
  clock: clockFunction,
  provider: cryptoProvider,
  buffers: nested<BufferSizes>({ input: number, output: number, store: number }),
};

function readLayer(options: object): Layer {
  const layer: Layer = readAll(schema, options, "", refuseUnsafe);
  const identity = readIdentity(options as ContextOptions);
  return identity ? { ...layer, identity } : layer;
}

// ---- Refusing: what would go unnoticed

/** What node:tls knows and we don't, with what to do instead. */
const unsupported: Readonly<Record<string, string>> = Object.freeze({
  ...unsupportedAnywhere,
  checkServerIdentity: "give the name that the certificate must have as servername",
  requestOCSP: 'give ocsp: { stapling: "v1" }',
  secureContext: "give context, made by createContext of this package",
});

const refuseUnsafe = refuser(
  ["cert", "key", "passphrase", "servername", "context", "session", ...Object.keys(schema)],
  unsupported,
);
