import { createPrivateKey, type X509Certificate } from "node:crypto";
import type { NetConnectOpts } from "node:net";
import type { Duplex } from "node:stream";
import { rootCertificates } from "node:tls";
import {
  type BufferSizes,
  type ClientOptions,
  type OcspOptions as CoreOcspOptions,
  configure,
} from "../../src/client/options.js";
import type { Identity, Provider } from "../../src/crypto/provider.js";
import { type TrustAnchor, trustAnchor } from "../../src/pki/chain.js";
import { type Responder, responder } from "../../src/pki/ocsp.js";
import { type Fault, isFault } from "../../src/wire/fault.js";
import { version } from "../../src/wire/registry.js";
import { coded, typeError, unsupportedError, valueError } from "./errors.js";
import { type Certificates, readCertificates } from "./pem.js";
import { provider, signer } from "./provider.js";

/** How revocation is asked for and judged; each field of a session's wins over its context's. */
export interface OcspOptions extends Partial<Omit<CoreOcspOptions, "responders">> {
  /** Certificates of responders that are trusted though no CA delegated them. */
  readonly responders?: Certificates;
}

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
  /** A connection that exists already, instead of host and port. */
  readonly socket?: Duplex;
  /** Milliseconds without traffic until the event `timeout`. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
  readonly highWaterMark?: number;
  readonly allowHalfOpen?: boolean;
  /** Every handshake message, alert and ChangeCipherSpec, for debugging. */
  readonly onMessage?: ClientOptions["onMessage"];
}

/** A root CA to trust: its certificate, and what the core keeps of it. */
export interface Root {
  readonly certificate: X509Certificate;
  readonly anchor: TrustAnchor;
}

/** Context options as they were read: checked, parsed, and absent where they were not given. */
interface Layer {
  ca?: readonly Root[];
  identity?: Identity;
  ALPNProtocols?: readonly string[];
  minVersion?: number;
  maxVersion?: number;
  rejectUnauthorized?: boolean;
  ocsp?: Partial<CoreOcspOptions>;
  requireEms?: boolean;
  recordSizeLimit?: number;
  maxFragmentLength?: number;
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
}

/** Merges a session's options over its context's, and checks the whole. */
export function settle(options: ConnectOptions): Settings {
  const { context } = options;
  if (context !== undefined && !(context instanceof Context))
    throw typeError("context", "made by createContext");
  if (options.timeout !== undefined) milliseconds(options.timeout, "timeout");
  const layer = overlay(context?.layer ?? {}, readLayer(options));
  const core = configured({ ...coreOptions(layer), serverName: nameToVerify(options) });
  return { core, roots: layer.ca ?? defaultRoots(), handshakeTimeout: layer.handshakeTimeout ?? 10_000 };
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
  const given = options.servername || options.host;
  if (given !== undefined && typeof given !== "string") throw typeError("servername", "a string");
  return given || (options.socket ? undefined : "localhost");
}

/** Input for several records, so that one read from the network brings many; output for one, as each is copied out. */
const defaultBuffers = Object.freeze({ input: 65536, output: 16640, store: 65536 });

function coreOptions(layer: Layer): ClientOptions {
  return {
    provider: layer.provider ?? provider,
    trust: (layer.ca ?? defaultRoots()).map((root) => root.anchor),
    clock: layer.clock ?? (() => Math.floor(Date.now() / 1000)),
    verify: layer.rejectUnauthorized ?? true,
    minVersion: layer.minVersion ?? version.tls12,
    maxVersion: layer.maxVersion ?? version.tls13,
    alpn: layer.ALPNProtocols ?? [],
    requireEms: layer.requireEms ?? false,
    recordSizeLimit: layer.recordSizeLimit,
    maxFragmentLength: layer.maxFragmentLength,
    identity: layer.identity,
    ocsp: layer.ocsp,
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

let roots: readonly Root[] | undefined;

/** The CAs that Node brings; the few with a key that we don't know can't be trusted. */
function defaultRoots(): readonly Root[] {
  roots ??= readRoots(rootCertificates, "ca");
  return roots;
}

// ---- Reading: one function for each option

type Read<T> = (value: unknown, name: string) => T;
type Schema<T> = { readonly [K in keyof T]-?: Read<NonNullable<T[K]>> };

const boolean: Read<boolean> = (value, name) => {
  if (typeof value !== "boolean") throw typeError(name, "a boolean");
  return value;
};

const number: Read<number> = (value, name) => {
  if (typeof value !== "number") throw typeError(name, "a number");
  if (!Number.isSafeInteger(value) || value < 0)
    throw valueError(name, `${value} is not a whole number from 0 on`);
  return value;
};

/** The longest that Node's timers can wait; what is longer they cut to nothing. */
const MAX_TIMER = 2 ** 31 - 1;

/** A time span for a timer. */
export const milliseconds: Read<number> = (value, name) => {
  if (typeof value !== "number") throw typeError(name, "a number");
  if (!(value >= 0 && value <= MAX_TIMER))
    throw valueError(name, `${value} is no number of milliseconds from 0 to ${MAX_TIMER}`);
  return value;
};

const clockFunction: Read<() => number | undefined> = (value, name) => {
  if (typeof value !== "function") throw typeError(name, "a function");
  return value as () => number | undefined;
};

function oneOf<T extends string>(...allowed: T[]): Read<T> {
  return (value, name) => {
    if (allowed.includes(value as T)) return value as T;
    throw valueError(name, `${String(value)} is none of ${allowed.join(", ")}`);
  };
}

const protocolVersion: Read<number> = (value, name) =>
  oneOf("TLSv1.2", "TLSv1.3")(value, name) === "TLSv1.2" ? version.tls12 : version.tls13;

const protocols: Read<readonly string[]> = (value, name) => {
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  throw typeError(name, "an array of strings");
};

const cryptoProvider: Read<Provider> = (value, name) => {
  if (typeof (value as Provider | null)?.aead === "function") return value as Provider;
  throw typeError(name, "a Provider");
};

const certificates: Read<X509Certificate[]> = (value, name) => {
  if (!isCertificates(value)) throw typeError(name, "PEM text, DER bytes or an array of these");
  try {
    return readCertificates(value);
  } catch (error) {
    throw valueError(name, (error as Error).message);
  }
};

function isCertificates(value: unknown): value is Certificates {
  const single = typeof value === "string" || value instanceof Uint8Array;
  return single || (Array.isArray(value) && value.every(isCertificates));
}

/** Certificates that can be no anchor are left out: less is trusted then. All of them: that is a mistake. */
const readRoots: Read<readonly Root[]> = (value, name) => {
  const found = certificates(value, name).map((certificate) =>
    attempt(() => ({ certificate, anchor: trustAnchor(certificate.raw) })),
  );
  const usable = found.filter((root) => !isFault(root)) as Root[];
  if (usable.length === 0 && found.length > 0) throw valueError(name, (found[0] as Fault).text);
  return usable;
};

const readResponders: Read<readonly Responder[]> = (value, name) =>
  certificates(value, name).map((certificate) => {
    const read = attempt(() => responder(certificate.raw));
    if (isFault(read)) throw valueError(name, read.text);
    return read;
  });

function attempt<T>(run: () => T): T | Fault {
  try {
    return run();
  } catch (thrown) {
    if (isFault(thrown)) return thrown;
    throw thrown;
  }
}

function nested<T>(schema: Schema<T>): Read<Partial<T>> {
  return (value, name) => {
    if (typeof value !== "object" || value === null) throw typeError(name, "an object");
    return readAll(schema, value, `${name}.`, (unknown) => {
      throw unsupportedError(unknown, `known are ${Object.keys(schema).join(", ")}`);
    });
  };
}

const schema: Schema<Omit<Layer, "identity">> = {
  ca: readRoots,
  ALPNProtocols: protocols,
  minVersion: protocolVersion,
  maxVersion: protocolVersion,
  rejectUnauthorized: boolean,
  ocsp: nested<CoreOcspOptions>({
    stapling: oneOf("off", "v1", "v2", "v2-multi"),
    alsoV1: boolean,
    policy: oneOf("if-present", "leaf", "chain"),
    mustStaple: boolean,
    nonce: boolean,
    skew: number,
    maxAge: number,
    allowMissingNextUpdate: boolean,
    responders: readResponders,
  }),
  requireEms: boolean,
  recordSizeLimit: number,
  maxFragmentLength: number,
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

/** Reads what is given, inherited or not, and leaves out what is not. */
function readAll<T>(
  known: Schema<T>,
  options: object,
  prefix: string,
  unknown: (name: string) => void,
): Partial<T> {
  const read: Partial<T> = {};
  for (const name in options) {
    const value = options[name as keyof object] as unknown;
    if (value === undefined) continue;
    if (Object.hasOwn(known, name)) read[name as keyof T] = known[name as keyof T](value, prefix + name);
    else unknown(prefix + name);
  }
  return read;
}

function readIdentity({ cert, key, passphrase }: ContextOptions): Identity | undefined {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) throw valueError("cert", "cert and key come together");
  const chain = certificates(cert, "cert");
  if (typeof key !== "string" && !(key instanceof Uint8Array))
    throw typeError("key", "PEM text or DER bytes");
  try {
    const privateKey = createPrivateKey(keyInput(key, passphrase));
    if (!chain[0].checkPrivateKey(privateKey))
      throw new Error("it is not the key of the first certificate in cert");
    return { certificates: chain.map((each) => each.raw), signer: signer(privateKey) };
  } catch (error) {
    throw valueError("key", (error as Error).message);
  }
}

function keyInput(key: string | Buffer, passphrase?: string) {
  const pem = typeof key === "string" || key.includes("-----BEGIN");
  return pem ? { key, passphrase } : { key, passphrase, format: "der" as const, type: "pkcs8" as const };
}

// ---- Refusing: what would go unnoticed

/** What node:tls knows and we don't, where to ignore it would make a connection less secure than was asked. */
const unsupported: Readonly<Record<string, string>> = Object.freeze({
  allowPartialTrustChain: "any certificate in ca is trusted as it is",
  checkServerIdentity: "give the name that the certificate must have as servername",
  ciphers:
    "the suites are fixed, AEAD with forward secrecy; limit the versions with minVersion and maxVersion",
  crl: "revocation is checked by OCSP stapling, see ocsp",
  dhparam: "only ECDHE is spoken",
  ecdhCurve: "the groups are fixed: X25519, P-256, P-384",
  minDHSize: "only ECDHE is spoken",
  pfx: "give cert and key",
  privateKeyEngine: "give key",
  privateKeyIdentifier: "give key",
  pskCallback: "pre-shared keys are not spoken",
  requestOCSP: 'give ocsp: { stapling: "v1" }',
  secureContext: "give context, made by createContext of this package",
  secureOptions: "give minVersion and maxVersion",
  secureProtocol: "give minVersion and maxVersion",
  session: "sessions are not resumed in this release",
  sigalgs: "the signature schemes are fixed",
});

/** Everything that is an option of ours, by its letters. */
const spellings = new Map(
  ["cert", "passphrase", "servername", "context", ...Object.keys(schema)].map((name) => [
    letters(name),
    name,
  ]),
);

/** A name's letters, sorted: the same for `ocsp`, `oscp` and `OCSP`. */
function letters(name: string): string {
  return name.toLowerCase().split("").sort().join("");
}

const ownNames = new Set(["cert", "key", "passphrase", "servername", "context"]);

/** Options of HTTP and the like pass through here too, so a name that is merely unknown is none of our business. */
function refuseUnsafe(name: string): void {
  if (ownNames.has(name)) return;
  if (Object.hasOwn(unsupported, name)) throw unsupportedError(name, unsupported[name]);
  const meant = spellings.get(letters(name));
  if (meant !== undefined) throw unsupportedError(name, `did you mean ${meant}?`);
}
