import {
  type BufferSizes,
  type ClientHandshake,
  type ClientIdentity,
  type ClientOptions,
  clientHandshake,
  type OcspOptions,
  type Session,
} from "../../src/client/index.js";
import type { Signer } from "../../src/crypto/index.js";
import {
  isV2,
  type PkiTables,
  type Responder,
  type Revocation,
  responder,
  type TrustAnchor,
  trustAnchor,
} from "../../src/pki/index.js";
import { type Fault, faults, isFault, namedGroup, TlsError, version } from "../../src/wire/index.js";
import { bytesOf } from "./bytes.js";
import type { Keeper } from "./cache.js";
import type { ByteBuffer, Memory, Platform, SessionCache, SignatureStore, Tcp } from "./platform.js";
import type { CaIndex } from "./ski.js";
import type { TLSSocket } from "./socket.js";

/** Certificates, a key or OCSP responses: DER or PEM in a buffer or resource, PEM text, or the name of a resource. */
export type Credential = ByteBuffer | string;

export type ProtocolVersion = "TLSv1.2" | "TLSv1.3";

export interface OcspSettings extends Partial<Omit<OcspOptions, "responders">> {
  /** Certificates of responders that are trusted though no CA delegated them. */
  readonly responders?: Credential | readonly Credential[];
}

/** What `tlstaple/crl` makes. */
export interface CrlLists extends Revocation {
  /** The same platform, and what its sockets need for CRLs. */
  over(platform: Platform): Platform;
}

/** Options of the core's that `secure` lacks: from the platform, of another name, or of no use here. */
type Hidden =
  | "provider"
  | "trust"
  | "trustIndex"
  | "alpn"
  | "identity"
  | "features"
  | "session"
  | "onSession"
  | "clockFloor"
  | "suites"
  | "schemes"
  | "remembered"
  | "onPath"
  | "onSecret"
  | "onMessage";

/** As keys, which have other names in what ships (rollup.members.js). */
const hidden: readonly string[] = Object.freeze(
  Object.keys({
    provider: 0,
    trust: 0,
    trustIndex: 0,
    alpn: 0,
    identity: 0,
    features: 0,
    session: 0,
    onSession: 0,
    clockFloor: 0,
    suites: 0,
    schemes: 0,
    remembered: 0,
    onPath: 0,
    onSecret: 0,
    onMessage: 0,
  } satisfies Record<Hidden & keyof ClientOptions, 0>),
);

/** Options of the core's that have another form in `secure`. */
type Read = "groups" | "minVersion" | "maxVersion" | "ocsp" | "crl";

/** `secure` of the socket's options: the names of the Moddable SDK, and behind them our own. */
export interface SecureOptions extends Partial<Omit<ClientOptions, Hidden | Read>> {
  /** The name to verify and to send as SNI, or the IP address to verify; by default `host`. */
  readonly serverName?: string;
  /** The CAs to trust, instead of those among the application's resources. */
  readonly certificate?: Credential | readonly Credential[];
  /** The application protocols to offer, RFC 7301. */
  readonly applicationLayerProtocolNegotiation?: string | readonly string[];
  /** The client's own certificate chain, leaf first, and its private key in PKCS #8, SEC 1 or PKCS #1, or who signs with it. */
  readonly clientCertificates?: Credential | readonly Credential[];
  readonly clientKey?: Credential | Signer;
  /** What to staple, as it is, where a server of TLS 1.3 asks for it: for the first of those certificates, or for each in order. */
  readonly clientStaple?: Credential | readonly Credential[];
  /** Where sessions are kept, to be resumed; true, the default: in RAM, for the servers used last. */
  readonly cache?: boolean | SessionCache;
  /** How many signatures that were verified are remembered, 8 by default, 0 for none; or where 8 of them are kept. */
  readonly verifiedSignatures?: number | SignatureStore;

  /**
   * Groups of the key exchange, best first: "X25519", "P-256", "P-384", which is the default. One of another module by its
   * number as NamedGroup: 25 is P-521.
   */
  readonly groups?: readonly (string | number)[];
  readonly minVersion?: ProtocolVersion;
  readonly maxVersion?: ProtocolVersion;
  /** How revocation is asked for and judged. */
  readonly ocsp?: OcspSettings;
  /** CRLs to judge the server by, of the module `tlstaple/crl`. No session is resumed then. */
  readonly crl?: CrlLists;
  /** Milliseconds from the constructor to the end of the handshake; 20,000 by default, 0 for no limit. */
  readonly handshakeTimeout?: number;
  /** Called when the handshake and all checks have passed, before the first `onWritable`. */
  readonly onSecure?: (this: TLSSocket, socket: TLSSocket) => void;
  /** Called with the reason before the socket's `onError`, which the SDK's clients keep to themselves. */
  readonly onError?: (this: TLSSocket, error: TlsError) => void;
}

/** Options of the socket, as ECMA-419 and the SDK's clients give them. */
export interface SocketOptions {
  /** The IP address to connect to. */
  readonly address?: string;
  readonly host?: string;
  readonly port: number;
  readonly TCP: { readonly io: new (options: never) => Tcp };
  readonly secure?: SecureOptions;
  /** What `read` returns and `write` takes; "buffer" by default. */
  readonly format?: "buffer" | "number";
  readonly nodelay?: boolean;
  /** So many bytes can be read. */
  readonly onReadable?: (this: TLSSocket, bytes: number) => void;
  /** So many bytes can be written. The first time: the handshake is done. */
  readonly onWritable?: (this: TLSSocket, bytes: number) => void;
  /** The end: with the reason, or without one when the server closed in order. Nothing comes after it. */
  readonly onError?: (this: TLSSocket, error?: TlsError) => void;
  readonly target?: unknown;
}

/**
 * Most flights' records, up to a full one and what a certificate that straddles two may leave before it; a write;
 * what a chain leaves.
 */
const defaultBuffers: BufferSizes = Object.freeze({
  input: Object.freeze([4096, 16645 + 2048] as const),
  output: 2048,
  store: 4096,
});

const groupIds: Readonly<Record<string | number, number>> = Object.freeze({
  X25519: namedGroup.x25519,
  "P-256": namedGroup.secp256r1,
  "P-384": namedGroup.secp384r1,
});

/** The tag that DER begins with. */
const SEQUENCE = 0x30;

/** What of `secure` the core does not get under that name: read below, the socket's, or of no meaning here. The usual first. */
const own: readonly string[] = Object.freeze([
  "certificate",
  "onError",
  "onSecure",
  "cache",
  "handshakeTimeout",
  "verifiedSignatures",
  "applicationLayerProtocolNegotiation",
  "clientCertificates",
  "clientKey",
  "clientStaple",
  "protocolVersion",
  "trace",
  "DHE_RSA",
  "ECDHE_RSA",
]);

/** What a socket consists of. */
export interface Parts {
  /** What was given, with the application's defaults. */
  readonly secure: SecureOptions;
  readonly client: ClientHandshake;
  /** What the connection has of its cache, if any. */
  readonly keeper: Keeper | undefined;
  /** What remembers its signatures, if anything. */
  readonly memory: Memory | undefined;
  /** Who signs with the client's key, if that was made for this connection. */
  readonly signer: (Signer & { dispose?(): void }) | undefined;
}

/**
 * Makes them. Nothing of the caller's objects is kept but the buffers in them.
 * @throws TypeError or RangeError for options that can't be
 */
export function assemble(platform: Platform, options: SocketOptions): Parts {
  const { secure = {}, host, address, port } = options;
  const name = secure.serverName ?? host ?? address;
  const keeper = makeKeeper(platform, secure, `${name}:${port}`);
  const memory = makeMemory(platform, secure);
  const core = readOptions(platform, secure, name, keeper, memory);
  const signer = core.identity?.signer;
  const client = makeClient(platform, core);
  return { secure, client, keeper, memory, signer: signer === secure.clientKey ? undefined : signer };
}

/** The core's options, not yet checked. */
function readOptions(
  platform: Platform,
  secure: SecureOptions,
  serverName: string | undefined,
  keeper: Keeper | undefined,
  remembered: Memory | undefined,
): ClientOptions {
  const session = keeper?.offer;
  const same = sameOptions(secure);
  const index = indexOf(platform, secure);
  const trust = readTrust(platform, secure, index, session);
  const identity = identityOf(platform, secure);
  const ocsp = readOcsp(platform, secure.ocsp);
  const { applicationLayerProtocolNegotiation: protocols } = secure;
  return Object.assign(same, {
    provider: platform.provider,
    serverName,
    trust,
    trustIndex: index,
    clock: secure.clock ?? platform.clock,
    minVersion: readVersion(platform, secure.minVersion, "minVersion"),
    maxVersion: readVersion(platform, secure.maxVersion, "maxVersion"),
    groups: secure.groups?.map((group) => groupIds[group] ?? group),
    alpn: readProtocols(protocols),
    identity,
    ocsp,
    buffers: Object.assign({}, defaultBuffers, secure.buffers),
    session,
    onSession: keeper?.take,
    remembered,
  } satisfies ClientOptions);
}

/** Those that the core has under the same name. */
function sameOptions(secure: SecureOptions): Record<string, unknown> {
  const same: Record<string, unknown> = {};
  for (const name in secure) {
    if (hidden.includes(name)) throw new TypeError(`secure.${name}: there is no such option`);
    if (!own.includes(name)) same[name] = secure[name as keyof SecureOptions];
  }
  return same;
}

/**
 * What the connection has of its cache, if any.
 * @throws TypeError for a cache that is none, RangeError for one that this was built without
 */
function makeKeeper(platform: Platform, secure: SecureOptions, key: string): Keeper | undefined {
  const { Keeper } = platform;
  const { cache: given = true } = secure;
  if (typeof given !== "boolean" && !isCache(given))
    throw new TypeError("secure.cache: true, false, or an object with get and set");
  if (secure.cache && !Keeper) lacks("cache", "resumption");
  const cache = given === true ? platform.cache : given;
  return Keeper && cache ? new Keeper(platform, cache, key) : undefined;
}

/** As many signatures as can be looked through in less time than it takes to verify one. */
const MOST_SIGNATURES = 4096;

/**
 * What remembers the connection's signatures, if anything.
 * @throws TypeError or RangeError for what can't be, or that this was built without
 */
function makeMemory(platform: Platform, secure: SecureOptions): Memory | undefined {
  const { verifiedSignatures: given } = secure;
  if (given === 0) return undefined;
  if (typeof given === "number") {
    if (!(Number.isInteger(given) && given > 0 && given <= MOST_SIGNATURES))
      throw new RangeError(`secure.verifiedSignatures: 0 to ${MOST_SIGNATURES}`);
  } else if (given !== undefined && !isCache(given))
    throw new TypeError("secure.verifiedSignatures: a number, or an object with get and set");
  if (given && !platform.remember) lacks("verifiedSignatures", "a memory of signatures");
  return platform.remember?.(platform, given);
}

function isCache(given: unknown): boolean {
  const { get, set } = (given ?? {}) as Partial<SessionCache>;
  return typeof get === "function" && typeof set === "function";
}

/** The client without I/O. An option that the core does not know is named as the caller knows it. */
function makeClient(platform: Platform, options: ClientOptions): ClientHandshake {
  try {
    return clientHandshake(options, platform.features);
  } catch (thrown) {
    const error = thrown as Error;
    error.message = error.message.replace("tlstaple: ", "secure.");
    throw error;
  }
}

/** What was left out can't be asked for. */
function lacks(option: string, what: string): never {
  throw new RangeError(`secure.${option}: this was built without ${what}`);
}

function readVersion(
  platform: Platform,
  name: ProtocolVersion | undefined,
  option: string,
): number | undefined {
  if (name === undefined) return undefined;
  if (name === "TLSv1.3") return version.tls13;
  if (name !== "TLSv1.2") throw new RangeError(`secure.${option}: "TLSv1.2" or "TLSv1.3"`);
  return platform.features.tls12 ? version.tls12 : lacks(option, "TLS 1.2");
}

function readProtocols(given: string | readonly string[] | undefined): readonly string[] | undefined {
  return typeof given === "string" ? [given] : given;
}

/** The SDK's index of its CAs, unless the application names those to trust. */
function indexOf(platform: Platform, secure: SecureOptions): CaIndex | undefined {
  if (secure.certificate !== undefined || secure.verify === false) return undefined;
  return platform.caIndex?.(platform);
}

/** Those that are given, or the application's; of those that an index knows, that which a session was verified by. */
function readTrust(
  platform: Platform,
  secure: SecureOptions,
  index: CaIndex | undefined,
  session: Session | undefined,
): TrustAnchor[] {
  if (secure.verify === false) return [];
  const given = secure.certificate ?? platform.anchors(index ? index.count : 0);
  const trust = readAuthorities(platform, given, "secure.certificate", true) as TrustAnchor[];
  if (index) {
    index.trust = trust;
    if (session?.anchor) index.recall(session.anchor);
  }
  return trust;
}

function readOcsp(platform: Platform, ocsp: OcspSettings | undefined): Partial<OcspOptions> | undefined {
  if (ocsp === undefined) return undefined;
  const { responders, stapling } = ocsp;
  if (stapling && isV2(stapling) && !platform.features.statusV2) lacks("ocsp.stapling", "status_request_v2");
  if (responders === undefined) return ocsp as Partial<OcspOptions>;
  const read = readAuthorities(platform, responders, "secure.ocsp.responders", false);
  return Object.assign({}, ocsp, { responders: read });
}

/** There where any of it is given. */
function identityOf(platform: Platform, secure: SecureOptions): ClientIdentity | undefined {
  if ((secure.clientCertificates ?? secure.clientKey ?? secure.clientStaple) === undefined) return undefined;
  if (!platform.readIdentity) lacks("clientCertificates", "client certificates");
  return platform.readIdentity(platform, secure);
}

/** Reads certificates, a key or responses, whose PEM has that label. Throws TypeError, beginning with `what`. */
export function readCredentials(
  platform: Platform,
  given: Credential | readonly Credential[],
  what: string,
  label: string,
): Uint8Array[] {
  const found: Uint8Array[] = [];
  const all: readonly Credential[] = Array.isArray(given) ? given : [given];
  for (let i = 0; i < all.length; i++) readCredential(platform, all[i], what, label, found);
  return found;
}

function readCredential(
  platform: Platform,
  given: Credential,
  what: string,
  label: string,
  found: Uint8Array[],
): void {
  const named = typeof given === "string" && !given.includes("-----BEGIN");
  const data = named ? platform.resource(given) : given;
  if (data === undefined) throw new TypeError(`${what}: there is no resource ${given}`);
  try {
    const input = typeof data === "string" ? data : bytesOf(data);
    if (input[0] === SEQUENCE) found.push(input as Uint8Array);
    else if (platform.readPem) platform.readPem(input, label, found);
    else throw new TypeError("this was built without PEM: give DER");
  } catch (error) {
    throw new TypeError(`${what}: ${(error as Error).message}`);
  }
}

/** Reads certificates of CAs to trust, or of responders. */
function readAuthorities(
  platform: Platform,
  given: Credential | readonly Credential[],
  what: string,
  ca: boolean,
): (TrustAnchor | Responder)[] {
  const all = readCredentials(platform, given, what, "CERTIFICATE");
  return all.map((der) => readAuthority(platform, der, what, ca));
}

/** A fault in a certificate of the configuration is the configuration's. */
function readAuthority(
  platform: Platform,
  der: Uint8Array,
  what: string,
  ca: boolean,
): TrustAnchor | Responder {
  const { pki } = platform.features;
  try {
    return ca ? trustAnchor(der, pki) : responder(der, pki);
  } catch (thrown) {
    if (!isFault(thrown)) throw thrown;
    const { message } = new TlsError(thrown, 0, undefined, platform.words);
    const reason = leftOut(thrown, pki);
    throw new TypeError(`${what}: ${message}${reason}`);
  }
}

/** What was left out, if that is why a certificate could not be read. */
function leftOut(fault: Fault, tables: PkiTables): string {
  if (fault === faults.CERT_KEY && !tables.rsa) return "; this was built without RSA";
  if (fault === faults.CERT_CRITICAL_EXTENSION && !tables.NameConstraints)
    return "; this was built without name constraints";
  return "";
}
