import type { Provider } from "../crypto/provider.js";
import { keyOf, soleVersion, suites } from "../crypto/suites.js";
import { type PkiOptions, type PkiTables, usableSchemes } from "../pki/certificate.js";
import type { TrustAnchor } from "../pki/path.js";
import type { VerifierOptions } from "../pki/verifier.js";
import { MAX_RECORD } from "../record/protection.js";
import { demand } from "../wire/demand.js";
import { version } from "../wire/registry.js";

/** Sizes in bytes of the arena's three parts, or of two and of a buffer of its own. */
export interface BufferSizes {
  /**
   * What arrives: 16,645 for peers that ignore limits, and room for a certificate that straddles records. Of two
   * numbers the buffer begins with the first, and grows up to the second when a record or message needs it.
   */
  readonly input: number | readonly [first: number, most: number];
  /** What is sent. */
  readonly output: number;
  /** What is kept of the certificates and staples during the handshake. */
  readonly store: number;
}

/** Options that both roles have. */
export interface CommonOptions {
  readonly provider: Provider;
  /** The CAs of the peer's certificate. */
  readonly trust?: readonly TrustAnchor[];
  /** Seconds since 1970, or undefined when the clock was never set. */
  readonly clock: () => number | undefined;
  /** A time before which no clock can be right; the build's date. */
  readonly clockFloor?: number;
  /** False: take any certificate and any staple. For tests only. */
  readonly verify?: boolean;
  readonly minVersion?: number;
  readonly maxVersion?: number;
  /** What to speak, best first; all that the provider has by default. */
  readonly suites?: readonly number[];
  readonly groups?: readonly number[];
  readonly schemes?: readonly number[];
  /** Application protocols, best first (RFC 7301). */
  readonly alpn?: readonly string[];
  /** RFC 8449: 64 to 16385. By default asked for only when the input buffer holds less than a full record. */
  readonly recordSizeLimit?: number;
  /** Refuse peers that speak TLS 1.2 without extended_master_secret (RFC 7627). */
  readonly requireEms?: boolean;
  readonly buffers?: Partial<BufferSizes>;
  /** Certificates that are kept of a chain; what comes after them is ignored, up to 64 certificates and 65,536 bytes. */
  readonly maxCertificates?: number;
  /** Begins the verifications of certificates and responses in the provider's place, but not the handshake's own. */
  readonly remembered?: PkiOptions["remembered"];
  /** Is told of the path from the peer's certificate to a trust anchor when it is found: the handshake's end is its own. */
  readonly onPath?: VerifierOptions["onPath"];
  /** Judges the peer's certificates by CRLs too: see `Crls`. No session is resumed then. */
  readonly crl?: VerifierOptions["crl"];
  /** Every secret, labelled as in SSLKEYLOGFILE (RFC 9850), for debugging. */
  readonly onSecret?: (label: string, clientRandom: Uint8Array, secret: Uint8Array) => void;
  /** Every handshake message (streamed ones part by part), alert and ChangeCipherSpec. `type`: ContentType << 8 | HandshakeType. */
  readonly onMessage?: (sent: boolean, type: number, bytes: Uint8Array, start: number, end: number) => void;
}

type Absent = "recordSizeLimit" | "remembered" | "onPath" | "crl" | "onSecret" | "onMessage";

/** The same, filled in and checked. */
export interface Config
  extends Readonly<Required<Omit<CommonOptions, Absent | "buffers">>>,
    Pick<CommonOptions, Absent> {
  readonly buffers: BufferSizes;
  /** What certificates and responses may be made of. */
  readonly pki: PkiTables;
}

/** 2026-01-01: nothing runs this code before it was written. */
const CLOCK_FLOOR = 1767225600;

/** The names of the options that both roles have, and their defaults; undefined: it has none, or one that depends on others. */
export const commonDefaults = Object.freeze({
  provider: undefined,
  trust: Object.freeze([]),
  clock: undefined,
  clockFloor: CLOCK_FLOOR,
  verify: true,
  minVersion: version.tls12,
  maxVersion: version.tls13,
  suites: undefined,
  groups: undefined,
  schemes: undefined,
  alpn: Object.freeze([]),
  recordSizeLimit: undefined,
  requireEms: false,
  buffers: undefined,
  maxCertificates: 8,
  remembered: undefined,
  onPath: undefined,
  crl: undefined,
  onSecret: undefined,
  onMessage: undefined,
} satisfies Record<keyof CommonOptions, unknown>);

/**
 * Sets options over the defaults, which they inherit: those stay in a device's flash. One that is undefined undoes no default,
 * least of all `verify`. Throws TypeError for a name that is none of the defaults': a misspelt option must not make a
 * connection less secure.
 */
export function put<T extends object>(config: T, given: object | undefined, prefix = ""): T {
  for (const name in given) {
    if (!(name in config)) throw new TypeError(`tlstaple: ${prefix}${name}: there is no such option`);
    const value = (given as Record<string, unknown>)[name];
    if (value !== undefined)
      Object.defineProperty(config, name, { value, enumerable: true, configurable: true });
  }
  return config;
}

/** The defaults that depend on other options, or on the tables: without RSA in them none of its schemes and suites is offered. */
export function settleCommon(config: Config, defaultBuffers: BufferSizes, pki: PkiTables): void {
  const { provider, groups = provider.groups, schemes = provider.schemes } = config;
  const buffers = put<BufferSizes>(Object.create(defaultBuffers), config.buffers, "buffers.");
  const most = mostInput(buffers);
  const limited = config.recordSizeLimit === undefined && most < MAX_RECORD;
  (config as { pki: PkiTables }).pki = pki;
  put(config, {
    recordSizeLimit: limited ? most >> 1 : undefined,
    groups,
    schemes: usableSchemes(pki, schemes),
    buffers,
  });
  const chosen = chooseSuites(config);
  const only = soleVersion(chosen);
  put(config, { suites: chosen, minVersion: only, maxVersion: only });
}

/** The suites given, or all that the provider's AEADs allow: TLS 1.3's first, in the order of its AEADs. */
function chooseSuites(config: Config): readonly number[] {
  const { provider, minVersion, maxVersion, suites: given, pki } = config;
  const { aeads } = provider;
  const usable: number[] = [];
  for (let spoken: number = version.tls13; spoken >= version.tls12; spoken--)
    for (let i = 0; i < aeads.length; i++)
      for (let j = 0; j < suites.length; j++) {
        const suite = suites[j];
        const fits = suite.version === spoken && suite.aead.name === aeads[i];
        const allowed = spoken >= minVersion && spoken <= maxVersion && (pki.rsa || suite.auth !== "rsa");
        if (fits && allowed) usable.push(suite.id);
      }
  return given ? given.filter((id) => usable.includes(id)) : usable;
}

/** Checks what both roles have. `least`: the smallest buffers that a role can do with. */
export function checkCommon(config: Config, least: Readonly<Record<keyof BufferSizes, number>>): void {
  const { buffers, recordSizeLimit: limit, provider, maxCertificates, alpn } = config;
  demand(typeof config.verify === "boolean", "verify: true or false");
  demand(config.minVersion >= version.tls12, "minVersion: nothing below TLS 1.2 exists here");
  demand(config.maxVersion <= version.tls13, "maxVersion: TLS 1.3 is the highest");
  demand(config.minVersion <= config.maxVersion, "minVersion is above maxVersion");
  demand(config.suites.length > 0, "suites: none that the provider and the versions allow");
  const known = provider.groups.concat(provider.moreGroups ?? []);
  const groups = config.groups.length > 0 && config.groups.every((g) => known.includes(g));
  demand(groups, "groups: unknown");
  demand(areSchemes(config.schemes), "schemes: unknown");
  for (let i = 0; i < alpn.length; i++)
    demand(alpn[i].length > 0 && alpn[i].length < 256, "alpn: names have 1 to 255 bytes");
  const first = firstInput(buffers);
  demand(first >= least.input, `buffers.input: at least ${least.input}`);
  demand(first <= mostInput(buffers), "buffers.input: a size, or two: at first and at most");
  demand(buffers.output >= least.output, `buffers.output: at least ${least.output}`);
  demand(buffers.store >= least.store, `buffers.store: at least ${least.store}`);
  demand(limit === undefined || (limit >= 64 && limit <= 16385), "recordSizeLimit: 64 to 16385");
  demand(maxCertificates >= 1 && maxCertificates <= 16, "maxCertificates: 1 to 16");
}

/** Whether there are some, and each is known. */
export function areSchemes(schemes: readonly number[]): boolean {
  return schemes.length > 0 && schemes.every((id) => keyOf(id) !== undefined);
}

/** Bytes of the input buffer at first. */
export function firstInput(buffers: BufferSizes): number {
  const { input } = buffers;
  return typeof input === "number" ? input : input[0];
}

/** Bytes that the input buffer may grow to. */
export function mostInput(buffers: BufferSizes): number {
  const { input } = buffers;
  return typeof input === "number" ? input : input[1];
}
