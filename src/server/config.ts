import {
  type BufferSizes,
  type CommonOptions,
  type Config,
  checkCommon,
  commonDefaults,
  put,
  settleCommon,
} from "../handshake/options.js";
import { everything } from "../pki/everything.js";
import { type ClientOcspOptions, checkClientOcsp, defaultClientOcsp } from "../pki/policy.js";
import { MAX_RECORD } from "../record/protection.js";
import { demand } from "../wire/demand.js";
import type { ServerOptions, TicketKey } from "./options.js";

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
const MIN_BUFFERS = Object.freeze({ input: 1024, output: 1024, store: 512 });

/** Every option there is, and its default. */
const defaults: Readonly<Record<keyof ServerOptions, unknown>> = Object.freeze({
  ...commonDefaults,
  select: undefined,
  clientAuth: "none",
  ocsp: undefined,
  holdClients: false,
  ticketKeys: [],
  ticketLifetime: 7200,
  exporting: false,
});

/** Fills in the defaults. Throws RangeError or TypeError for options that can't be. */
export function configure(options: ServerOptions): ServerConfig {
  const config = put<ServerConfig>(Object.create(defaults), options);
  put(config, { ocsp: put(Object.create(defaultClientOcsp), options.ocsp, "ocsp.") });
  settleCommon(config, defaultBuffers, everything);
  checkCommon(config, MIN_BUFFERS);
  check(config);
  return Object.freeze(config);
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
  checkClientOcsp(ocsp);
}

function isTicketKey({ name, key }: TicketKey): boolean {
  return name.length === TICKET_NAME && key.length === TICKET_KEY;
}
