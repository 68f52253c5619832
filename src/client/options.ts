import type { Identity } from "../crypto/provider.js";
import type { Staples } from "../handshake/handshake.js";
import {
  areSchemes,
  type BufferSizes,
  type CommonOptions,
  type Config,
  checkCommon,
  commonDefaults,
  put,
  settleCommon,
} from "../handshake/options.js";
import { parseIp } from "../pki/hostname.js";
import type { TrustIndex } from "../pki/path.js";
import { checkOcsp, defaultOcsp, isV2, type OcspOptions } from "../pki/policy.js";
import { MAX_RECORD } from "../record/protection.js";
import { demand } from "../wire/demand.js";
import { version } from "../wire/registry.js";
import type { Features } from "./feature.js";
import type { Session } from "./session.js";

export interface ClientOptions extends CommonOptions {
  /** The name that the certificate must be for, DNS name or IP address; a DNS name is sent as SNI too. */
  readonly serverName?: string;
  readonly trust: NonNullable<CommonOptions["trust"]>;
  /** Adds to `trust` what a chain asks for, where not all anchors are at hand. */
  readonly trustIndex?: TrustIndex;
  /** RFC 6066 section 4: 512, 1024, 2048 or 4096. */
  readonly maxFragmentLength?: number;
  /** Our certificate, for servers that ask for one; it takes the feature `clientCertificates`. */
  readonly identity?: ClientIdentity;
  readonly ocsp?: Partial<OcspOptions>;
  /** A session to resume if it still fits, and who is told of new ones; both take the feature `resumption`. */
  readonly session?: Session;
  readonly onSession?: (session: Session) => void;
  /** What the client is made of; everything by default. */
  readonly features?: Features;
}

/** A client's certificates and key. */
export interface ClientIdentity extends Identity {
  /**
   * One OCSP response in DER for each certificate, undefined where there is none: for a server of TLS 1.3 that asks for them
   * (RFC 8446 4.4.2.1). Who must ask for them first hands them over by `stapling`.
   */
  readonly staples?: Staples | undefined;
}

type Own = Omit<ClientOptions, keyof CommonOptions | "ocsp" | "features">;

/** Options with their defaults filled in and checked. */
export interface ClientConfig extends Config, Own {
  readonly ocsp: OcspOptions;
  /** The name as it goes into the server_name extension; undefined for IP addresses. */
  readonly sni: string | undefined;
  readonly features: Features;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const defaultBuffers: BufferSizes = Object.freeze({ input: MAX_RECORD + 8192, output: 4096, store: 8192 });
const MIN_BUFFERS = Object.freeze({ input: 1024, output: 640, store: 512 });

/** Every option there is, and its default. */
const defaults: Readonly<Record<keyof ClientOptions, unknown>> = Object.freeze(
  Object.assign({}, commonDefaults, {
    serverName: undefined,
    trustIndex: undefined,
    maxFragmentLength: undefined,
    identity: undefined,
    ocsp: undefined,
    session: undefined,
    onSession: undefined,
    features: undefined,
  }),
);

/**
 * Fills in the defaults; `own` are the features that the client has unless it is given others. Throws RangeError or
 * TypeError for options that can't be.
 */
export function configure(options: ClientOptions, own: Features): ClientConfig {
  const config = put<ClientConfig>(Object.create(defaults), options);
  const { serverName, features = own } = config;
  const named = serverName !== undefined && parseIp(serverName) === undefined;
  // It is no option, so nothing is inherited under its name
  if (named) (config as Mutable<ClientConfig>).sni = sniOf(serverName);
  put(config, {
    ocsp: put(Object.create(defaultOcsp), options.ocsp, "ocsp."),
    features,
    minVersion: features.tls12 || options.minVersion !== undefined ? undefined : version.tls13,
  });
  settleCommon(config, defaultBuffers, features.pki);
  checkFeatures(config);
  checkCommon(config, MIN_BUFFERS);
  check(config);
  return config;
}

/** The handshake is done: lets go of options that only it asks for, and that may hold much. */
export function release(config: Partial<Mutable<ClientConfig>>): void {
  delete config.trust;
  delete config.trustIndex;
  delete config.identity;
  delete config.ocsp;
  delete config.session;
  delete config.suites;
  delete config.groups;
  delete config.schemes;
  delete config.alpn;
}

/** SNI carries no trailing dot (RFC 6066 section 3). */
function sniOf(name: string): string {
  return name.endsWith(".") ? name.slice(0, -1) : name;
}

function check(config: ClientConfig): void {
  const { maxFragmentLength: fragment } = config;
  demand(
    fragment === undefined || fragmentCode(fragment) > 0,
    "maxFragmentLength: 512, 1024, 2048 or 4096 (RFC 6066 section 4)",
  );
  demand(!config.verify || config.serverName !== undefined, "serverName: the name to verify is missing");
  checkOcsp(config.ocsp);
  // RFC 8446 4.4.2.1 gives status_request_v2 no place in TLS 1.3; the words are wolfSSL's
  demand(
    !isV2(config.ocsp.stapling) || config.minVersion < version.tls13,
    "ocsp.stapling: Cannot use OCSP Stapling V2 with TLSv1.3",
  );
  if (config.identity) checkIdentity(config.identity);
}

/** What is left out can't be asked for. */
function checkFeatures(config: ClientConfig): void {
  const { features, minVersion, maxVersion, ocsp, identity, session, onSession } = config;
  const only13 = minVersion > version.tls12 && maxVersion > version.tls12;
  has(features.tls12, only13, minVersion > version.tls12 ? "maxVersion" : "minVersion", "TLS 1.2");
  has(features.statusV2, !isV2(ocsp.stapling), "ocsp.stapling", "status_request_v2");
  has(features.clientCertificates, identity === undefined, "identity", "client certificates");
  has(features.resumption, session === undefined, "session", "resumption");
  has(features.resumption, onSession === undefined, "onSession", "resumption");
}

function has(feature: unknown, unasked: boolean, option: string, what: string): void {
  if (!feature && !unasked) demand(false, `${option}: this was built without ${what}`);
}

function checkIdentity(identity: Identity): void {
  demand(identity.certificates.length > 0, "identity: no certificate");
  demand(areSchemes(identity.signer.schemes), "identity: unknown key");
}

/** MaxFragmentLength's enum, RFC 6066 section 4; 0 for a length that it lacks. */
export function fragmentCode(length: number): number {
  return length === 512 ? 1 : length === 1024 ? 2 : length === 2048 ? 3 : length === 4096 ? 4 : 0;
}
