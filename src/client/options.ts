import type { Identity, Provider } from "../crypto/provider.js";
import { findScheme, narrowVersions, schemes, suites } from "../crypto/suites.js";
import { type PkiOptions, type PkiTables, usableSchemes } from "../pki/certificate.js";
import { everything } from "../pki/everything.js";
import { parseIp } from "../pki/hostname.js";
import type { TrustAnchor } from "../pki/path.js";
import { checkOcsp, defaultOcsp, isV2, type OcspOptions } from "../pki/policy.js";
import { MAX_RECORD } from "../record/record.js";
import { demand } from "../wire/demand.js";
import { given } from "../wire/given.js";
import { version } from "../wire/registry.js";
import type { Resumption } from "./resumption.js";

/** Sizes of the arena's three parts, in bytes. */
export interface BufferSizes {
  /** What arrives: 16,645 for peers that ignore limits, and room for a certificate that straddles records. */
  readonly input: number;
  /** What is sent. */
  readonly output: number;
  /** What is kept of the certificates and staples during the handshake. */
  readonly store: number;
}

export interface ClientOptions {
  readonly provider: Provider;
  /** The name that the certificate must be for, DNS name or IP address; a DNS name is sent as SNI too. */
  readonly serverName?: string;
  readonly trust: readonly TrustAnchor[];
  /** Seconds since 1970, or undefined when the clock was never set. */
  readonly clock: () => number | undefined;
  /** A time before which no clock can be right; the build's date. */
  readonly clockFloor?: number;
  /** False: take any certificate and any staple. For tests only. */
  readonly verify?: boolean;
  /** What certificates and responses may be made of; `everything` by default. Without RSA none of its schemes and suites is offered. */
  readonly pki?: PkiTables;
  /** Begins the verifications of certificates and responses in the provider's place, but not the handshake's own. */
  readonly remembered?: PkiOptions["remembered"];
  readonly minVersion?: number;
  readonly maxVersion?: number;
  /** What to offer, best first; all that the provider has by default. */
  readonly suites?: readonly number[];
  readonly groups?: readonly number[];
  readonly schemes?: readonly number[];
  readonly alpn?: readonly string[];
  /** RFC 8449: 64 to 16385. By default asked for only when the input buffer holds less than a full record. */
  readonly recordSizeLimit?: number;
  /** RFC 6066 section 4: 512, 1024, 2048 or 4096. */
  readonly maxFragmentLength?: number;
  /** Refuse TLS 1.2 servers without extended_master_secret (RFC 7627). */
  readonly requireEms?: boolean;
  readonly identity?: Identity;
  readonly ocsp?: Partial<OcspOptions>;
  /** Resume sessions, and be told of new ones: made by `resumption`. By default every handshake is a full one. */
  readonly resumption?: Resumption;
  readonly buffers?: Partial<BufferSizes>;
  /** Certificates that are kept of a chain; what comes after them is ignored, up to 64 certificates and 65,536 bytes. */
  readonly maxCertificates?: number;
  /** Every secret, labelled as in SSLKEYLOGFILE (RFC 9850), for debugging. */
  readonly onSecret?: (label: string, clientRandom: Uint8Array, secret: Uint8Array) => void;
  /** Every handshake message (streamed ones part by part), alert and ChangeCipherSpec. `type`: ContentType << 8 | HandshakeType. */
  readonly onMessage?: (sent: boolean, type: number, bytes: Uint8Array, start: number, end: number) => void;
}

/** Options with their defaults filled in and checked. */
export interface Config
  extends Readonly<Required<Omit<ClientOptions, Optional>>>,
    Pick<ClientOptions, Optional> {
  readonly ocsp: OcspOptions;
  readonly buffers: BufferSizes;
  /** The name as it goes into the server_name extension; undefined for IP addresses. */
  readonly sni: string | undefined;
}

type Optional =
  | "serverName"
  | "recordSizeLimit"
  | "maxFragmentLength"
  | "identity"
  | "resumption"
  | "remembered"
  | "onSecret"
  | "onMessage";

/** 2026-01-01: no device runs this code before it was written. */
const CLOCK_FLOOR = 1767225600;

const defaultBuffers: BufferSizes = Object.freeze({ input: MAX_RECORD + 8192, output: 4096, store: 8192 });
const MIN_BUFFERS: BufferSizes = Object.freeze({ input: 1024, output: 640, store: 512 });

/** Fills in the defaults. Throws RangeError or TypeError for options that can't be. */
export function configure(options: ClientOptions): Config {
  const { serverName, provider, pki = everything } = options;
  const buffers: BufferSizes = Object.assign({}, defaultBuffers, given(options.buffers));
  const config = Object.assign(
    {
      clockFloor: CLOCK_FLOOR,
      verify: true,
      minVersion: version.tls12,
      maxVersion: version.tls13,
      groups: provider.groups,
      pki,
      alpn: [],
      requireEms: false,
      maxCertificates: 8,
      recordSizeLimit: buffers.input < MAX_RECORD ? buffers.input >> 1 : undefined,
    },
    given(options),
    narrowVersions(chooseSuites(options, pki.rsa === true)),
    {
      schemes: usableSchemes(pki, options.schemes ?? provider.schemes),
      sni: serverName !== undefined && parseIp(serverName) === undefined ? sniOf(serverName) : undefined,
      ocsp: Object.assign({}, defaultOcsp, given(options.ocsp)),
      buffers,
    },
  );
  check(config);
  return Object.freeze(config);
}

/** SNI carries no trailing dot (RFC 6066 section 3). */
function sniOf(name: string): string {
  return name.endsWith(".") ? name.slice(0, -1) : name;
}

/** The suites to offer: those given, or all that the provider's AEADs allow, in the order of its AEADs. */
function chooseSuites(options: ClientOptions, rsa: boolean): readonly number[] {
  const { aeads } = options.provider;
  const min = options.minVersion ?? version.tls12;
  const max = options.maxVersion ?? version.tls13;
  const spoken = suites.filter((s) => s.version >= min && s.version <= max && aeads.includes(s.aead));
  const usable = rsa ? spoken : spoken.filter((s) => s.auth !== "rsa");
  if (options.suites) return options.suites.filter((id) => usable.some((s) => s.id === id));
  const rank = (id: number) => {
    const suite = suites.find((s) => s.id === id);
    return suite ? (version.tls13 - suite.version) * aeads.length + aeads.indexOf(suite.aead) : 0;
  };
  return usable.map((s) => s.id).sort((a, b) => rank(a) - rank(b));
}

function check(config: Config): void {
  const { buffers, recordSizeLimit: limit, maxFragmentLength: fragment, provider } = config;
  demand(typeof config.verify === "boolean", "verify: true or false");
  demand(config.minVersion >= version.tls12, "minVersion: nothing below TLS 1.2 exists here");
  demand(config.maxVersion <= version.tls13, "maxVersion: TLS 1.3 is the highest");
  demand(config.minVersion <= config.maxVersion, "minVersion is above maxVersion");
  demand(config.suites.length > 0, "suites: none that the provider and the versions allow");
  demand(
    config.groups.length > 0 && config.groups.every((g) => provider.groups.includes(g)),
    "groups: unknown",
  );
  demand(
    config.schemes.length > 0 && config.schemes.every((s) => findScheme(s) !== undefined),
    "schemes: unknown",
  );
  demand(
    config.alpn.every((name) => name.length > 0 && name.length < 256),
    "alpn: names have 1 to 255 bytes",
  );
  demand(limit === undefined || (limit >= 64 && limit <= 16385), "recordSizeLimit: 64 to 16385");
  demand(
    fragment === undefined || fragmentCode(fragment) > 0,
    "maxFragmentLength: 512, 1024, 2048 or 4096 (RFC 6066 section 4)",
  );
  demand(buffers.input >= MIN_BUFFERS.input, `buffers.input: at least ${MIN_BUFFERS.input}`);
  demand(buffers.output >= MIN_BUFFERS.output, `buffers.output: at least ${MIN_BUFFERS.output}`);
  demand(buffers.store >= MIN_BUFFERS.store, `buffers.store: at least ${MIN_BUFFERS.store}`);
  demand(!config.verify || config.serverName !== undefined, "serverName: the name to verify is missing");
  demand(config.maxCertificates >= 1 && config.maxCertificates <= 16, "maxCertificates: 1 to 16");
  // RFC 8446 4.4.2.1 gives status_request_v2 no place in TLS 1.3; the words are wolfSSL's
  demand(
    !isV2(config.ocsp.stapling) || config.minVersion < version.tls13,
    "Cannot use OCSP Stapling V2 with TLSv1.3",
  );
  checkOcsp(config.ocsp);
  if (config.identity) checkIdentity(config.identity);
}

function checkIdentity(identity: Identity): void {
  demand(identity.certificates.length > 0, "identity: no certificate");
  const known = (id: number) => schemes.some((scheme) => scheme.id === id);
  demand(identity.signer.schemes.length > 0 && identity.signer.schemes.every(known), "identity: unknown key");
}

/** MaxFragmentLength's enum, RFC 6066 section 4; 0 for a length that it lacks. */
export function fragmentCode(length: number): number {
  return length === 512 ? 1 : length === 1024 ? 2 : length === 2048 ? 3 : length === 4096 ? 4 : 0;
}
