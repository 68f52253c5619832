import type { NetConnectOpts } from "node:net";
import type { Duplex } from "node:stream";
import { checkServerIdentity as nodesCheck, type PeerCertificate } from "node:tls";
import {
  type Announcement,
  announcing,
  type ClientOptions,
  type OcspOptions as CoreOcspOptions,
  configure,
  everything,
  exporting,
  type Features,
  identify,
  type TrustedAuthority,
} from "../../../src/client/index.js";
import type { Identity } from "../../../src/crypto/index.js";
import { type Crls, nonces, staplings } from "../../../src/pki/index.js";
import { identifierType } from "../../../src/wire/index.js";
import { typeError, valueError } from "../common/errors.js";
import { type KeyOptions, keyNames, readIdentities } from "../common/identities.js";
import type { Certificates } from "../common/pem.js";
import {
  checkKey,
  commonOf,
  contradiction,
  type Profile,
  type ProfileName,
  readProfile,
} from "../common/profiles.js";
import {
  abortSignal,
  boolean,
  callback,
  defaultRoots,
  type Layer,
  milliseconds,
  nested,
  number,
  oneOf,
  type Read,
  type Root,
  readAll,
  refuser,
  type SchemaOf,
  unsupportedAnywhere,
} from "../common/read.js";
import { provider } from "../provider.js";
import { type ClientStaple, checkStaple, clientStaple } from "./client-staple.js";
import {
  type CommonOptions,
  commonCore,
  commonOcspSchema,
  commonSchema,
  configured,
  crlsFrom,
} from "./common-options.js";
import { coreOcsp, type InquirySettings, inquirySettings, type LookupChoice } from "./inquiry.js";
import { serverName } from "./server-name.js";
import { decodeSession, type SavedSession } from "./session.js";
import type { OnCipher } from "./transport.js";

/** How revocation is asked for and judged; each field of a session's wins over its context's. */
export interface OcspOptions extends Partial<Omit<CoreOcspOptions, "responders">>, LookupChoice {
  /** Certificates of responders that are trusted though no CA delegated them. */
  readonly responders?: Certificates;
}

/** Options of a client that the core has under the same name and in the same form. */
const sameSchema = { maxFragmentLength: number };

/** How a CA is named, RFC 6066 section 6. */
export type CaIdentifier = keyof typeof identifierType;

/** Looks at the server's certificate once it is verified, and returns why it is refused all the same, if it is. */
export type CheckServerIdentity = (hostname: string, certificate: PeerCertificate) => Error | undefined;

/** What many connections may share: `createContext` reads it once. `cert` and `key`, or `pfx`, are the client's own. */
export interface ContextOptions
  extends CommonOptions,
    KeyOptions,
    Partial<Pick<ClientOptions, keyof typeof sameSchema>> {
  /** The root CAs to trust, instead of the ones that Node brings. */
  readonly ca?: Certificates;
  /**
   * OCSP responses for the client's own certificate, or for each of its chain, for a server of TLS 1.3 that asks for them
   * (RFC 8446 4.4.2.1); a Stapler that fetches them, or a function that is asked then.
   */
  readonly clientStaple?: ClientStaple;
  /** One more check of the server's certificate. node:tls's own is what is checked anyway. */
  readonly checkServerIdentity?: CheckServerIdentity;
  /** False: take any certificate and any staple. For tests only. */
  readonly rejectUnauthorized?: boolean;
  readonly ocsp?: OcspOptions;
  /**
   * TLS 1.2: names the CAs of `ca` to the server in trusted_ca_keys (RFC 6066 section 6), in this way, so that of several
   * chains it shows one that ends in them.
   */
  readonly trustedCaKeys?: CaIdentifier;
  /** TLS 1.3: the same in certificate_authorities (RFC 8446 4.2.4). False by default. */
  readonly certificateAuthorities?: boolean;
  /**
   * What a standard asks of TLS, for a vehicle that is charged: versions, suites, groups, signatures, staples, and what its
   * certificate says of a charger in the place of a host's name. What is given beside it must be within the standard.
   */
  readonly profile?: ProfileName;
  /** Take the connection's end without close_notify for an end: then look at `socket.truncated`. False by default. */
  readonly allowTruncation?: boolean;
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

const readCheck: Read<CheckServerIdentity | undefined> = (value, name) => {
  const check = callback<CheckServerIdentity>()(value, name);
  return check === nodesCheck ? undefined : check;
};

/** What requests of `https` hand through to `createConnection` or to our Agent, and node:tls has no name for. */
type RequestExtras = Pick<
  ConnectOptions,
  | keyof typeof sameSchema
  | "allowTruncation"
  | "ALPNProtocols"
  | "buffers"
  | "certificateAuthorities"
  | "clientStaple"
  | "clock"
  | "context"
  | "crlPolicy"
  | "groups"
  | "handshakeTimeout"
  | "ocsp"
  | "onCipher"
  | "onMessage"
  | "profile"
  | "provider"
  | "recordSizeLimit"
  | "requireEms"
  | "trustedCaKeys"
  | "verifiedSignatures"
>;

declare module "http" {
  interface ClientRequestArgs extends RequestExtras {}
}

const schema = {
  ...commonSchema,
  ...sameSchema,
  checkServerIdentity: readCheck,
  clientStaple,
  ocsp: nested({
    stapling: oneOf(...staplings),
    alsoV1: boolean,
    mustStaple: boolean,
    nonce: oneOf(...nonces),
    ...commonOcspSchema,
  } satisfies SchemaOf<OcspOptions>),
  trustedCaKeys: oneOf(...(Object.keys(identifierType) as CaIdentifier[])),
  certificateAuthorities: boolean,
  profile: readProfile,
  allowTruncation: boolean,
} satisfies SchemaOf<Omit<ContextOptions, keyof KeyOptions>>;

export type ContextOption = keyof typeof schema;

/** The names of all options that are read so. */
export const contextOptions = Object.keys(schema) as ContextOption[];

/** Context options as they were read: checked and parsed. */
interface ContextLayer extends Layer<typeof schema> {
  readonly identity?: Identity;
  /** What only a profile sets. */
  readonly suites?: readonly number[];
  readonly schemes?: readonly number[];
}

/** Shared options, read and checked once: what a `WOLFSSL_CTX` is to wolfSSL. */
export class Context {
  /** @internal */
  readonly layer: ContextLayer;

  constructor(options: ContextOptions = {}) {
    this.layer = readLayer(options);
    const { clientStaple, identity } = this.layer;
    if (identity) checkStaple(clientStaple, identity);
    const core = { ...coreOptions(profiled(this.layer)), serverName: "any.invalid" };
    configured(() => configure(core));
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
  /** Whether the server is verified. */
  readonly verify: boolean;
  /** By which a charger is one, whatever its name; no session is kept or resumed then, as it would take a name for verified. */
  readonly charging: Profile | undefined;
  readonly roots: readonly Root[];
  readonly handshakeTimeout: number;
  readonly allowTruncation: boolean;
  readonly checkServerIdentity: CheckServerIdentity | undefined;
  readonly clientStaple: ClientStaple | undefined;
  readonly saved: SavedSession | undefined;
  readonly lookup: InquirySettings | undefined;
  /** Makes what judges the server's certificates by CRLs. */
  readonly crls: (() => Crls) | undefined;
}

/** Merges a session's options over its context's, and checks the whole. */
export function settle(options: ConnectOptions): Settings {
  const { context } = options;
  if (context !== undefined && !(context instanceof Context))
    throw typeError("context", "made by createContext");
  if (options.timeout !== undefined) milliseconds(options.timeout, "timeout");
  if (options.signal !== undefined) abortSignal(options.signal, "signal");
  const layer = profiled(overlay(context?.layer ?? {}, readLayer(options)));
  const { ocsp = {}, profile } = layer;
  checkStaple(layer.clientStaple, layer.identity);
  const anyName = profile !== undefined && !options.servername;
  if (profile) checkProfile(profile, layer, anyName && options.session !== undefined);
  const core = { ...coreOptions(layer), serverName: nameToVerify(options, anyName) };
  const config = configured(() => configure(core));
  const saved = options.session === undefined ? undefined : decodeSession(options.session);
  return {
    core,
    verify: config.verify,
    charging: anyName ? profile : undefined,
    roots: layer.ca ?? defaultRoots(),
    handshakeTimeout: layer.handshakeTimeout ?? 10_000,
    allowTruncation: layer.allowTruncation ?? false,
    checkServerIdentity: layer.checkServerIdentity,
    clientStaple: layer.clientStaple,
    saved,
    lookup: inquirySettings(ocsp, config, { nonce: ocsp.nonce }),
    crls: crlsFrom(layer),
  };
}

function overlay(context: ContextLayer, session: ContextLayer): ContextLayer {
  return {
    ...context,
    ...session,
    ocsp: { ...context.ocsp, ...session.ocsp },
    buffers: { ...context.buffers, ...session.buffers },
  };
}

/** As node:tls: the servername, or else the host. An empty servername counts as none. */
function nameToVerify({ host, servername, socket }: ConnectOptions, anyName: boolean): string | undefined {
  if (servername) return serverName(servername, "servername");
  if (anyName) return "0.0.0.0";
  if (host) return serverName(host, "host");
  return socket ? undefined : "localhost";
}

/** Input for several records, so that one read from the network brings many; output for one, as each is copied out. */
const defaultBuffers = Object.freeze({ input: 65536, output: 16640, store: 65536 });

function coreOptions(layer: ContextLayer): ClientOptions {
  const {
    allowTruncation,
    buffers,
    certificateAuthorities,
    checkServerIdentity,
    clientStaple,
    ocsp = {},
    profile,
    trustedCaKeys,
    ...common
  } = layer;
  return {
    ...commonCore(common),
    features: featuresOf(layer),
    trust: (layer.ca ?? defaultRoots()).map(({ anchor }) => anchor),
    ocsp: ocspOf(ocsp),
    buffers: { ...defaultBuffers, ...buffers },
  };
}

/** All that a client can do, and what keying material is exported from. */
const features = exporting(everything);

/** The longest announcement: names of many CAs make no sense, and servers take no ClientHello of any length. */
const MAX_ANNOUNCEMENT = 8192;

/** The same, and what names CAs to the server. */
function featuresOf({ ca, certificateAuthorities, trustedCaKeys }: ContextLayer): Features {
  if (!certificateAuthorities && trustedCaKeys === undefined) return features;
  const option = certificateAuthorities ? "certificateAuthorities" : "trustedCaKeys";
  if (ca === undefined) throw valueError(option, "give ca, the CAs to name");
  const by = (type: number) => ca.map(({ anchor }) => identify(provider, anchor, type));
  const announcement: Announcement = {
    trustedCaKeys: trustedCaKeys === undefined ? [] : by(identifierType[trustedCaKeys]),
    certificateAuthorities: certificateAuthorities ? by(identifierType.x509_name) : [],
  };
  const all = Object.values(announcement).flat() as TrustedAuthority[];
  const length = all.reduce((sum, { identifier }) => sum + 3 + identifier.length, 0);
  if (length > MAX_ANNOUNCEMENT) throw valueError(option, `${ca.length} CAs in ca are too many to name`);
  return announcing(features, announcement);
}

/** What is given, with what a profile sets. */
function profiled(layer: ContextLayer): ContextLayer {
  const { profile, ocsp = {} } = layer;
  if (profile === undefined) return layer;
  const { stapling = profile.stapling } = ocsp;
  if (stapling !== profile.stapling)
    throw contradiction(profile, "ocsp.stapling", `vehicles ask for staples by "${profile.stapling}"`);
  const named = layer.ca === undefined ? {} : namesOf(profile, layer);
  return {
    ...layer,
    ...commonOf(profile, layer),
    ...named,
    ocsp: { policy: profile.policy, ...ocsp, stapling },
  };
}

/** V2G roots are named to chargers, which may have chains of several: in TLS 1.2 by their names, unless it is said otherwise. */
function namesOf({ mutual }: Profile, layer: ContextLayer): ContextLayer {
  const { certificateAuthorities = true, trustedCaKeys = "x509_name" } = layer;
  return mutual ? { certificateAuthorities } : { trustedCaKeys };
}

/** What no context need have, but each connection. */
function checkProfile(profile: Profile, { ca, identity }: ContextLayer, resumes: boolean): void {
  if (ca === undefined) throw contradiction(profile, "ca", "give the V2G roots");
  if (profile.mutual && !identity) throw contradiction(profile, "cert", "give the vehicle's certificate");
  if (identity) checkKey(profile, identity);
  if (resumes) throw contradiction(profile, "session", "without servername no session is resumed");
}

/** A lookup has its nonce where no staple is asked for, too. */
function ocspOf(ocsp: NonNullable<ContextLayer["ocsp"]>): Partial<CoreOcspOptions> {
  const core = coreOcsp(ocsp);
  return ocsp.lookup && ocsp.stapling === "off" ? { ...core, nonce: false } : core;
}

function readLayer(options: object): ContextLayer {
  const layer = readAll(schema, options, "", refuseUnsafe);
  const [identity, ...others] = readIdentities(options as KeyOptions);
  if (others.length > 0) throw valueError("key", "a client shows one certificate: give the key of that one");
  return identity ? { ...layer, identity } : layer;
}

// ---- Refusing: what would go unnoticed

/** What node:tls knows and we don't, with what to do instead. */
export const unsupported: Readonly<Record<string, string>> = Object.freeze({
  ...unsupportedAnywhere,
  requestOCSP: 'give ocsp: { stapling: "v1" }',
  secureContext: "give context, made by createContext of this package",
});

const refuseUnsafe = refuser(
  [...keyNames, "servername", "context", "session", ...contextOptions],
  unsupported,
);
