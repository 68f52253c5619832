import {
  type BufferSizes,
  type CommonOptions,
  type Config,
  checkCommon,
  chooseSuites,
  commonDefaults,
  demand,
  type Filled,
  fill,
} from "../handshake/options.js";
import { MAX_RECORD } from "../record/record.js";
import type { ClientOcspOptions, ServerOptions, TicketKey } from "./options.js";

type Own = Required<Omit<ServerOptions, keyof CommonOptions | "ocsp">>;

/** Options with their defaults filled in and checked. */
export interface ServerConfig extends Config, Own {
  readonly ocsp: ClientOcspOptions;
}

/** RFC 8446 4.6.1: seven days. */
export const MAX_TICKET_LIFETIME = 604800;
const TICKET_NAME = 16;
const TICKET_KEY = 32;

const defaultBuffers: BufferSizes = Object.freeze({ input: MAX_RECORD + 8192, output: 17408, store: 16384 });
const MIN_BUFFERS: BufferSizes = Object.freeze({ input: 1024, output: 1024, store: 512 });

const defaultOcsp: ClientOcspOptions = Object.freeze({
  stapling: "off",
  policy: "if-present",
  skew: 900,
  maxAge: undefined,
  allowMissingNextUpdate: false,
  responders: Object.freeze([]),
});

/** Fills in the defaults. Throws RangeError or TypeError for options that can't be. */
export function configure(options: ServerOptions): ServerConfig {
  const filled = fill(defaults(options), options);
  const config: ServerConfig = {
    ...filled,
    ...chooseSuites(filled),
    ocsp: fill(defaultOcsp, options.ocsp, "ocsp."),
    buffers: fill(defaultBuffers, options.buffers, "buffers."),
  };
  checkCommon(config, MIN_BUFFERS);
  check(config);
  return Object.freeze(config);
}

/** Every option there is. */
function defaults(options: ServerOptions): Filled<ServerConfig> {
  return {
    ...commonDefaults(options, fill(defaultBuffers, options.buffers, "buffers.")),
    select: options.select,
    clientAuth: "none",
    ocsp: defaultOcsp,
    holdClients: false,
    ticketKeys: [],
    ticketLifetime: 7200,
  };
}

function check(config: ServerConfig): void {
  demand(typeof config.select === "function", "select: a function that chooses the certificate");
  checkClients(config);
  demand(config.ticketLifetime >= 0, "ticketLifetime: seconds, not negative");
  demand(config.ticketKeys.every(isTicketKey), "ticketKeys: 16 bytes of name and 32 of key");
}

/** A word that is not known must not pass for the mildest one. */
function checkClients({ clientAuth, verify, trust, ocsp, holdClients }: ServerConfig): void {
  const known = clientAuth === "none" || clientAuth === "request" || clientAuth === "require";
  demand(known, 'clientAuth: "none", "request" or "require"');
  demand(typeof holdClients === "boolean", "holdClients: true or false");
  demand(clientAuth === "none" || !verify || trust.length > 0, "trust: the CAs of clients are missing");
  const { stapling, policy, skew, maxAge } = ocsp;
  demand(stapling === "off" || stapling === "v1", 'ocsp.stapling: "off" or "v1"');
  const wanted = policy === "if-present" || policy === "leaf" || policy === "chain";
  demand(wanted, 'ocsp.policy: "if-present", "leaf" or "chain"');
  demand(skew >= 0, "ocsp.skew: seconds, not negative");
  demand(maxAge === undefined || maxAge >= 0, "ocsp.maxAge: seconds, not negative");
  demand(stapling === "v1" || policy === "if-present", "ocsp.stapling is off, so no staple can be demanded");
}

function isTicketKey({ name, key }: TicketKey): boolean {
  return name.length === TICKET_NAME && key.length === TICKET_KEY;
}
