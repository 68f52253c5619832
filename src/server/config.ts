import { findScheme, narrowVersions, suites } from "../crypto/suites.js";
import { usableSchemes } from "../pki/certificate.js";
import { everything } from "../pki/everything.js";
import { type ClientOcspOptions, checkClientOcsp, defaultClientOcsp } from "../pki/policy.js";
import { MAX_RECORD } from "../record/record.js";
import { demand } from "../wire/demand.js";
import { given } from "../wire/given.js";
import { version } from "../wire/registry.js";
import type { ServerOptions, TicketKey } from "./options.js";

/** Sizes of the arena's three parts, in bytes. */
export interface BufferSizes {
  readonly input: number;
  readonly output: number;
  readonly store: number;
}

/** Options with their defaults filled in and checked. */
export interface Config
  extends Readonly<Required<Omit<ServerOptions, Optional>>>,
    Pick<ServerOptions, Optional> {
  readonly ocsp: ClientOcspOptions;
  readonly buffers: BufferSizes;
}

type Optional = "recordSizeLimit" | "remembered" | "onSecret" | "onMessage";

/** 2026-01-01: nothing runs this code before it was written. */
const CLOCK_FLOOR = 1767225600;
/** RFC 8446 4.6.1: seven days. */
export const MAX_TICKET_LIFETIME = 604800;
const TICKET_NAME = 16;
const TICKET_KEY = 32;

const defaultBuffers: BufferSizes = Object.freeze({ input: MAX_RECORD + 8192, output: 17408, store: 16384 });
const MIN_BUFFERS: BufferSizes = Object.freeze({ input: 1024, output: 1024, store: 512 });

/** Fills in the defaults. Throws RangeError or TypeError for options that can't be. */
export function configure(options: ServerOptions): Config {
  const buffers: BufferSizes = { ...defaultBuffers, ...given(options.buffers) };
  const config: Config = {
    clockFloor: CLOCK_FLOOR,
    minVersion: version.tls12,
    maxVersion: version.tls13,
    groups: options.provider.groups,
    pki: everything,
    alpn: [],
    requireEms: false,
    clientAuth: "none",
    trust: [],
    verify: true,
    holdClients: false,
    ticketKeys: [],
    ticketLifetime: 7200,
    maxCertificates: 8,
    recordSizeLimit: buffers.input < MAX_RECORD ? buffers.input >> 1 : undefined,
    ...given(options),
    schemes: usableSchemes(options.pki ?? everything, options.schemes ?? options.provider.schemes),
    ...narrowVersions(chooseSuites(options)),
    ocsp: { ...defaultClientOcsp, ...given(options.ocsp) },
    buffers,
  };
  check(config);
  return Object.freeze(config);
}

/** The suites to speak: those given, or all that the provider's AEADs allow, in the order of its AEADs. */
function chooseSuites(options: ServerOptions): readonly number[] {
  const { aeads } = options.provider;
  const min = options.minVersion ?? version.tls12;
  const max = options.maxVersion ?? version.tls13;
  const usable = suites.filter((s) => s.version >= min && s.version <= max && aeads.includes(s.aead));
  if (options.suites) return options.suites.filter((id) => usable.some((s) => s.id === id));
  return aeads.flatMap((aead) => usable.filter((s) => s.aead === aead)).map((s) => s.id);
}

function check(config: Config): void {
  checkNegotiation(config);
  checkSizes(config);
  checkClients(config);
  demand(config.ticketLifetime >= 0, "ticketLifetime: seconds, not negative");
  demand(config.ticketKeys.every(isTicketKey), "ticketKeys: 16 bytes of name and 32 of key");
}

function checkNegotiation({ provider, ...config }: Config): void {
  demand(typeof config.select === "function", "select: a function that chooses the certificate");
  demand(config.minVersion >= version.tls12, "minVersion: nothing below TLS 1.2 exists here");
  demand(config.maxVersion <= version.tls13, "maxVersion: TLS 1.3 is the highest");
  demand(config.minVersion <= config.maxVersion, "minVersion is above maxVersion");
  demand(config.suites.length > 0, "suites: none that the provider and the versions allow");
  const groups = config.groups.length > 0 && config.groups.every((g) => provider.groups.includes(g));
  demand(groups, "groups: unknown");
  const schemes = config.schemes.length > 0 && config.schemes.every((s) => findScheme(s) !== undefined);
  demand(schemes, "schemes: unknown");
  const names = config.alpn.every((name) => name.length > 0 && name.length < 256);
  demand(names, "alpn: names have 1 to 255 bytes");
}

function checkSizes({ buffers, recordSizeLimit: limit, maxCertificates }: Config): void {
  demand(limit === undefined || (limit >= 64 && limit <= 16385), "recordSizeLimit: 64 to 16385");
  demand(buffers.input >= MIN_BUFFERS.input, `buffers.input: at least ${MIN_BUFFERS.input}`);
  demand(buffers.output >= MIN_BUFFERS.output, `buffers.output: at least ${MIN_BUFFERS.output}`);
  demand(buffers.store >= MIN_BUFFERS.store, `buffers.store: at least ${MIN_BUFFERS.store}`);
  demand(maxCertificates >= 1 && maxCertificates <= 16, "maxCertificates: 1 to 16");
}

/** A word that is not known must not pass for the mildest one. */
function checkClients({ clientAuth, verify, trust, ocsp, holdClients }: Config): void {
  const known = clientAuth === "none" || clientAuth === "request" || clientAuth === "require";
  demand(known, 'clientAuth: "none", "request" or "require"');
  demand(typeof verify === "boolean", "verify: true or false");
  demand(typeof holdClients === "boolean", "holdClients: true or false");
  demand(clientAuth === "none" || !verify || trust.length > 0, "trust: the CAs of clients are missing");
  checkClientOcsp(ocsp);
}

function isTicketKey({ name, key }: TicketKey): boolean {
  return name.length === TICKET_NAME && key.length === TICKET_KEY;
}
