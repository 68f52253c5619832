import type { ServerOpts } from "node:net";
import { type Crls, serverStaplings } from "../../../src/pki/index.js";
import {
  type BufferSizes,
  type ClientOcspOptions,
  type ServerOptions as CoreOptions,
  configure,
  type TicketKey,
} from "../../../src/server/index.js";
import { faults } from "../../../src/wire/index.js";
import { typeError, valueError } from "../common/errors.js";
import type { Certificates } from "../common/pem.js";
import { commonOf, contradiction, type Profile, type ProfileName, readProfile } from "../common/profiles.js";
import {
  boolean,
  callback,
  defaultRoots,
  type Layer,
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
import { LookupCache } from "../ocsp/lookup.js";
import type { StapleSource } from "../ocsp/stapler.js";
import {
  type CommonOptions,
  commonCore,
  commonOcspSchema,
  commonSchema,
  configured,
  crlsFrom,
} from "../socket/common-options.js";
import { coreOcsp, type InquirySettings, inquirySettings, type LookupChoice } from "../socket/inquiry.js";
import { contextNames, type SecureContextOptions } from "./secure-context.js";
import type { SNICallback } from "./selector.js";
import { readSharedTickets, type SharedTickets, type TicketSharing } from "./shared-ticket-keys.js";
import type { ServerSocket } from "./socket.js";
import { TICKET_KEY, ticketKey } from "./ticket-keys.js";

/** How the certificates of clients are judged, and what becomes of the nonces of clients. */
export interface ClientCertificateOcsp extends Partial<Omit<ClientOcspOptions, "responders">>, LookupChoice {
  /**
   * "forward": the responders are asked afresh with the nonce of a client that sends one (RFC 6066 section 8), as
   * often as the Stapler allows. False by default: it gets the staple that is kept, without its nonce.
   */
  readonly nonce?: false | "forward";
  /** Certificates of responders that are trusted though no CA delegated them. */
  readonly responders?: Certificates;
}

/** Options of `createServer`: those of node:tls, as far as they make sense here, and those of net.Server. */
export interface ServerOptions
  extends SecureContextOptions,
    CommonOptions,
    Omit<ServerOpts, "allowHalfOpen"> {
  /** What to show a client that asks for this name. */
  readonly SNICallback?: SNICallback;
  /** Ask clients for a certificate. "optional": a client may do without, but one that it shows must be good. */
  readonly requestCert?: boolean | "optional";
  /** With `requestCert`, false: take any certificate of a client, and none. Nothing is verified then. */
  readonly rejectUnauthorized?: boolean;
  /** The CAs of clients' certificates, instead of the ones that Node brings. */
  readonly ca?: Certificates;
  readonly ocsp?: ClientCertificateOcsp;
  /** Where staples come from. By default a Stapler of the server's own; "off": nothing is fetched. */
  readonly stapler?: StapleSource | "off";
  /**
   * In TLS 1.3 staple for each certificate of the chain (RFC 8446 4.4.2.1); false: for the first alone, as wolfSSL's
   * clients up to 5.5 refuse more. True by default.
   */
  readonly stapleChain?: boolean;
  /**
   * What a standard asks of TLS, for a charger: versions, suites, groups, signatures, staples, and whether vehicles show a
   * certificate. What is given beside it must be within the standard.
   */
  readonly profile?: ProfileName;
  /** Seconds for which a session can be resumed, 7 days at most, 7,200 by default; 0: none can. */
  readonly sessionTimeout?: number;
  /**
   * Keys of 48 bytes for session tickets: the first seals, all open. Or the store that many servers share theirs through,
   * which are made, and replaced every `sessionTimeout`, by whichever of them comes first. By default made here, and renewed.
   */
  readonly ticketKeys?: Uint8Array | readonly Uint8Array[] | SharedTickets;
  /** As for net.Server; with it data still goes out after the client's end. */
  readonly allowHalfOpen?: boolean;
  /** Every handshake message, alert and ChangeCipherSpec of each connection, for debugging. */
  readonly onMessage?: (
    sent: boolean,
    type: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    socket: ServerSocket,
  ) => void;
  /** The transports' bytes, as they are written and read; they must be copied. */
  readonly onCipher?: (sent: boolean, bytes: Uint8Array, socket: ServerSocket) => void;
}

/** What a server and its connections work with. */
export interface ServerSettings
  extends Pick<ServerLayer, "SNICallback" | "profile" | "stapleChain" | "stapler" | "ticketKeys"> {
  /** Without what each connection adds. */
  readonly core: Omit<CoreOptions, "select" | "ticketKeys" | "exporting">;
  readonly connection: ConnectionSettings;
  readonly sessionTimeout: number;
  readonly clock: () => number | undefined;
  readonly pauseOnConnect: boolean;
  readonly forwardNonce: boolean;
}

/** What concerns each connection, beyond its core. */
export interface ConnectionSettings extends Pick<ServerOptions, "onMessage" | "onCipher"> {
  readonly stream: { readonly allowHalfOpen: boolean; readonly highWaterMark: number | undefined };
  readonly roots: readonly Root[];
  /** Whether a client's certificate is verified. */
  readonly verify: boolean;
  readonly handshakeTimeout: number;
  readonly lookup: InquirySettings | undefined;
  /** Makes what judges a client's certificates by CRLs. */
  readonly crls: (() => Crls) | undefined;
  readonly crlPolicy: ServerOptions["crlPolicy"];
}

/**
 * Reads and checks what `createServer` was given, but for certificates and keys.
 * @throws TypeError or RangeError whose `code` begins with `ERR_TLSTAPLE_OPTION`
 */
export function settleServer(options: ServerOptions): ServerSettings {
  const {
    SNICallback,
    onCipher,
    onMessage,
    pauseOnConnect,
    profile,
    stapleChain,
    stapler,
    ticketKeys,
    ...given
  } = readAll(schema, options, "", refuseUnsafe);
  const layer = profile ? profiled(profile, given, options) : given;
  const { handshakeTimeout = 10_000, ocsp = {} } = layer;
  const { allowHalfOpen = false, highWaterMark } = options;
  const roots = layer.requestCert ? (layer.ca ?? defaultRoots()) : [];
  const core = coreOptions(layer, roots);
  const config = configured(() => configure({ ...core, select: () => faults.UNRECOGNIZED_NAME }));
  // A client that comes again is not asked about again while the answer lasts
  const lookup = inquirySettings(ocsp, config, { cache: new LookupCache() });
  const { verify } = config;
  const stream = { allowHalfOpen, highWaterMark };
  return {
    core,
    connection: {
      stream,
      roots,
      verify,
      handshakeTimeout,
      onMessage,
      onCipher,
      lookup,
      crls: crlsFrom(layer),
      crlPolicy: layer.crlPolicy,
    },
    sessionTimeout: config.ticketLifetime,
    clock: config.clock,
    pauseOnConnect: pauseOnConnect ?? false,
    forwardNonce: ocsp.nonce === "forward" && forwards(stapler),
    SNICallback,
    profile,
    stapler,
    stapleChain,
    ticketKeys,
  };
}

/** What is given, with what a profile sets: it staples, and vehicles show a certificate or have none. */
function profiled(profile: Profile, layer: CoreLayer, options: ServerOptions): CoreLayer {
  const { ca, requestCert = profile.mutual } = layer;
  if (requestCert !== profile.mutual)
    throw contradiction(
      profile,
      "requestCert",
      profile.mutual ? "vehicles must show a certificate" : "vehicles have no certificate in TLS",
    );
  if (profile.mutual && ca === undefined)
    throw contradiction(profile, "ca", "give the root CAs of vehicles' certificates");
  if (options.stapler === "off" && options.staples === undefined)
    throw contradiction(profile, "stapler", "chargers staple");
  if (options.stapleChain === false)
    throw contradiction(profile, "stapleChain", "chargers staple for each certificate of their chain");
  return { ...layer, ...commonOf(profile, layer), requestCert };
}

/** What is left once the server has taken what is its own. */
type CoreLayer = Omit<ServerLayer, keyof typeof ownSchema> & Pick<CoreOptions, "suites" | "schemes">;

function coreOptions(layer: CoreLayer, roots: readonly Root[]): ServerSettings["core"] {
  const { buffers, ocsp = {}, requestCert, sessionTimeout, ...common } = layer;
  const { nonce, ...judged } = ocsp;
  const clientAuth = clientAuthOf(layer);
  return {
    ...commonCore(common),
    clientAuth,
    trust: roots.map(({ anchor }) => anchor),
    ocsp: coreOcsp(judged),
    holdClients: clientAuth !== "none" && Boolean(ocsp.lookup),
    ticketLifetime: sessionTimeout,
    buffers: { ...defaultBuffers(clientAuth), ...buffers },
  };
}

/** Only a Stapler asks with a nonce. */
function forwards(stapler: ServerLayer["stapler"]): boolean {
  if (stapler === "off") throw valueError("ocsp.nonce", 'with stapler "off" no responder is asked');
  if (stapler && !stapler.fresh) throw valueError("ocsp.nonce", "this stapler has no method `fresh`");
  return true;
}

function clientAuthOf({ requestCert, rejectUnauthorized }: CoreLayer): CoreOptions["clientAuth"] {
  if (!requestCert) return "none";
  return requestCert === "optional" || rejectUnauthorized === false ? "request" : "require";
}

/** Input for two records, as more make no bulk data faster and every idle connection dearer; a store only for clients' certificates. */
function defaultBuffers(clientAuth: CoreOptions["clientAuth"]): BufferSizes {
  return clientAuth === "none"
    ? { input: 33792, output: 17408, store: 512 }
    : { input: 65536, output: 17408, store: 65536 };
}

// ---- Reading

const certificateRequest: Read<boolean | "optional"> = (value, name) => {
  if (typeof value === "boolean" || value === "optional") return value;
  throw typeError(name, 'a boolean or "optional"');
};

const staplesFrom: Read<StapleSource | "off"> = (value, name) => {
  const source = value as Partial<StapleSource> | null;
  if (value === "off" || typeof source?.ready === "function") return value as StapleSource | "off";
  throw typeError(name, 'a Stapler or "off"');
};

/** One key of 48 bytes. */
export const readTicketKey: Read<TicketKey> = (value, name) => {
  if (!(value instanceof Uint8Array)) throw typeError(name, "a Buffer");
  if (value.length !== TICKET_KEY)
    throw valueError(name, `a key has ${TICKET_KEY} bytes, not ${value.length}`);
  return ticketKey(value);
};

const readTicketKeys: Read<readonly TicketKey[] | TicketSharing> = (value, name) => {
  if (isOptions(value)) return readSharedTickets(value, name);
  const list = Array.isArray(value) ? value : [value];
  if (list.length === 0) throw valueError(name, "there is none; sessionTimeout 0 turns tickets off");
  return list.map((each) => readTicketKey(each, name));
};

/** Neither bytes nor an array of them. */
function isOptions(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

/** Options of the server's own. */
const ownSchema = {
  SNICallback: callback<SNICallback>(),
  stapler: staplesFrom,
  stapleChain: boolean,
  ticketKeys: readTicketKeys,
  pauseOnConnect: boolean,
  profile: readProfile,
  onMessage: callback<NonNullable<ServerOptions["onMessage"]>>(),
  onCipher: callback<NonNullable<ServerOptions["onCipher"]>>(),
};

const schema = {
  ...commonSchema,
  ...ownSchema,
  requestCert: certificateRequest,
  ocsp: nested({
    stapling: oneOf(...serverStaplings),
    mustStaple: boolean,
    ...commonOcspSchema,
    nonce: oneOf<false | "forward">(false, "forward"),
  } satisfies SchemaOf<ClientCertificateOcsp>),
  sessionTimeout: number,
} satisfies SchemaOf<Omit<ServerOptions, Elsewhere>>;

/** What SecureContext and net.Server read. */
type Elsewhere = keyof SecureContextOptions | Exclude<keyof ServerOpts, "pauseOnConnect">;

/** The options as they were read. */
type ServerLayer = Layer<typeof schema>;

/** What node:tls knows and we don't, with what to do instead. */
export const unsupported: Readonly<Record<string, string>> = Object.freeze({
  ...unsupportedAnywhere,
  context: "give cert and key, or call setSecureContext",
  pskIdentityHint: "pre-shared keys are not spoken",
  secureContext: "give cert and key, or call setSecureContext",
  sessionIdContext: "sessions are in tickets; servers that must not share them need ticketKeys of their own",
});

const refuseUnsafe = refuser([...contextNames, ...Object.keys(schema)], unsupported);
