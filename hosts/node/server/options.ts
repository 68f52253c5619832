import type { ServerOpts } from "node:net";
import { version } from "../../../src/client/index.js";
import type { Provider } from "../../../src/crypto/index.js";
import {
  type BufferSizes,
  type ClientOcspOptions,
  type ServerOptions as CoreOptions,
  configure,
  type TicketKey,
} from "../../../src/server/index.js";
import { faults } from "../../../src/wire/index.js";
import { coded, typeError, valueError } from "../common/errors.js";
import type { Certificates } from "../common/pem.js";
import {
  boolean,
  callback,
  clockFunction,
  cryptoProvider,
  defaultRoots,
  groups,
  milliseconds,
  nested,
  number,
  oneOf,
  protocols,
  protocolVersion,
  type Read,
  type Root,
  readAll,
  readResponders,
  readRoots,
  refuser,
  type Schema,
  unsupportedAnywhere,
} from "../common/read.js";
import { LookupCache } from "../ocsp/lookup.js";
import { provider } from "../provider.js";
import { type InquirySettings, inquirySettings, type LookupChoice, lookupSchema } from "../socket/inquiry.js";
import type { ProtocolVersion } from "../socket/options.js";
import { contextNames, type SecureContextOptions } from "./secure-context.js";
import type { SNICallback, StapleSource } from "./selector.js";
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

/** The same, read. */
interface OcspLayer extends Partial<ClientOcspOptions>, LookupChoice, Pick<ClientCertificateOcsp, "nonce"> {}

/** Options of `createServer`: those of node:tls, as far as they make sense here, and those of net.Server. */
export interface ServerOptions extends SecureContextOptions, Omit<ServerOpts, "allowHalfOpen"> {
  /** What to show a client that asks for this name. */
  readonly SNICallback?: SNICallback;
  readonly ALPNProtocols?: readonly string[];
  /** Groups of the key exchange, best first: "X25519", "P-256", "P-384", which is the default. */
  readonly groups?: readonly string[];
  readonly minVersion?: ProtocolVersion;
  readonly maxVersion?: ProtocolVersion;
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
  /** Milliseconds from the TCP connection to the end of the handshake; 10,000 by default, 0 for no limit. */
  readonly handshakeTimeout?: number;
  /** Seconds for which a session can be resumed, 7 days at most, 7,200 by default; 0: none can. */
  readonly sessionTimeout?: number;
  /** Keys of 48 bytes for session tickets: the first seals, all open. By default made here, and renewed. */
  readonly ticketKeys?: Uint8Array | readonly Uint8Array[];
  /** Refuse TLS 1.2 clients without extended_master_secret. */
  readonly requireEms?: boolean;
  /** RFC 8449, 64 to 16385 bytes. */
  readonly recordSizeLimit?: number;
  readonly buffers?: Partial<BufferSizes>;
  /** Seconds since 1970, or undefined when the clock was never set. */
  readonly clock?: () => number | undefined;
  readonly provider?: Provider;
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

/** The options as they were read. Absent: not given. */
interface Layer {
  SNICallback: SNICallback;
  ALPNProtocols: readonly string[];
  groups: readonly number[];
  minVersion: number;
  maxVersion: number;
  requestCert: boolean | "optional";
  rejectUnauthorized: boolean;
  ca: readonly Root[];
  ocsp: OcspLayer;
  stapler: StapleSource | "off";
  stapleChain: boolean;
  handshakeTimeout: number;
  sessionTimeout: number;
  ticketKeys: readonly TicketKey[];
  requireEms: boolean;
  recordSizeLimit: number;
  buffers: Partial<BufferSizes>;
  clock: () => number | undefined;
  provider: Provider;
  pauseOnConnect: boolean;
  onMessage: NonNullable<ServerOptions["onMessage"]>;
  onCipher: NonNullable<ServerOptions["onCipher"]>;
}

/** What a server and its connections work with. */
export interface ServerSettings
  extends Partial<Pick<Layer, "SNICallback" | "stapleChain" | "stapler" | "ticketKeys">> {
  /** Without what each connection adds. */
  readonly core: Omit<CoreOptions, "select" | "ticketKeys">;
  readonly connection: ConnectionSettings;
  readonly sessionTimeout: number;
  readonly pauseOnConnect: boolean;
  readonly forwardNonce: boolean;
}

/** What concerns each connection, beyond its core. */
export interface ConnectionSettings extends Partial<Pick<Layer, "onMessage" | "onCipher">> {
  readonly stream: { readonly allowHalfOpen: boolean; readonly highWaterMark: number | undefined };
  readonly roots: readonly Root[];
  readonly handshakeTimeout: number;
  readonly lookup: InquirySettings | undefined;
}

/** RFC 8446 4.6.1 allows seven days; these are OpenSSL's two hours. */
const SESSION_TIMEOUT = 7200;

/**
 * Reads and checks what `createServer` was given, but for certificates and keys.
 * @throws TypeError or RangeError whose `code` begins with `ERR_TLSTAPLE_OPTION`
 */
export function settleServer(options: ServerOptions): ServerSettings {
  const layer = readAll(schema, options, "", refuseUnsafe);
  const { handshakeTimeout = 10_000, sessionTimeout = SESSION_TIMEOUT, pauseOnConnect = false } = layer;
  const { SNICallback, onCipher, onMessage, stapleChain, stapler, ticketKeys } = layer;
  const { allowHalfOpen = false, highWaterMark } = options;
  const roots = layer.requestCert ? (layer.ca ?? defaultRoots()) : [];
  const core = configured(coreOptions(layer, roots));
  const lookup = lookupOf(layer, core);
  const stream = { allowHalfOpen, highWaterMark };
  return {
    core,
    connection: { stream, roots, handshakeTimeout, onMessage, onCipher, lookup },
    sessionTimeout,
    pauseOnConnect,
    forwardNonce: forwardsNonce(layer),
    SNICallback,
    stapler,
    stapleChain,
    ticketKeys,
  };
}

function coreOptions(layer: Partial<Layer>, roots: readonly Root[]): ServerSettings["core"] {
  const clientAuth = clientAuthOf(layer);
  return {
    provider: layer.provider ?? provider,
    clock: layer.clock ?? (() => Math.floor(Date.now() / 1000)),
    minVersion: layer.minVersion ?? version.tls12,
    maxVersion: layer.maxVersion ?? version.tls13,
    alpn: layer.ALPNProtocols,
    groups: layer.groups,
    requireEms: layer.requireEms,
    clientAuth,
    verify: layer.rejectUnauthorized,
    trust: roots.map(({ anchor }) => anchor),
    ocsp: coreOcsp(layer.ocsp ?? {}),
    holdClients: clientAuth !== "none" && Boolean(layer.ocsp?.lookup),
    ticketLifetime: layer.sessionTimeout ?? SESSION_TIMEOUT,
    recordSizeLimit: layer.recordSizeLimit,
    buffers: { ...defaultBuffers(clientAuth), ...layer.buffers },
  };
}

/** What the core has of it. Where certificates are looked up, a staple is not the only way to meet `policy`. */
function coreOcsp({ lookup, overrideUrl, nonce, ...ocsp }: OcspLayer): Partial<ClientOcspOptions> {
  return lookup ? { ...ocsp, policy: "if-present" } : ocsp;
}

/** A client that comes again is not asked about again while the answer lasts. */
function lookupOf({ ocsp = {} }: Partial<Layer>, core: ServerSettings["core"]): InquirySettings | undefined {
  const { skew, maxAge, allowMissingNextUpdate, responders } = completed(core).ocsp;
  const policy = { skew, maxAge, allowMissingNextUpdate, responders };
  const settings = {
    policy,
    requirement: ocsp.policy ?? "leaf",
    clock: core.clock,
    cache: new LookupCache(),
  };
  return inquirySettings(ocsp, settings);
}

/** Only a Stapler asks with a nonce. */
function forwardsNonce({ ocsp, stapler }: Partial<Layer>): boolean {
  if (ocsp?.nonce !== "forward") return false;
  if (stapler === "off") throw valueError("ocsp.nonce", 'with stapler "off" no responder is asked');
  if (stapler && !stapler.fresh) throw valueError("ocsp.nonce", "this stapler has no method `fresh`");
  return true;
}

function clientAuthOf({ requestCert, rejectUnauthorized }: Partial<Layer>): CoreOptions["clientAuth"] {
  if (!requestCert) return "none";
  return requestCert === "optional" || rejectUnauthorized === false ? "request" : "require";
}

/** Input for two records, as more make no bulk data faster and every idle connection dearer; a store only for clients' certificates. */
function defaultBuffers(clientAuth: CoreOptions["clientAuth"]): BufferSizes {
  return clientAuth === "none"
    ? { input: 33792, output: 17408, store: 512 }
    : { input: 65536, output: 17408, store: 65536 };
}

/** The core's options with its defaults. */
function completed(options: ServerSettings["core"]): ReturnType<typeof configure> {
  return configure({ ...options, select: () => faults.UNRECOGNIZED_NAME });
}

/** Has the core check ranges and what options demand of each other. */
function configured(options: ServerSettings["core"]): ServerSettings["core"] {
  try {
    completed(options);
    return options;
  } catch (error) {
    throw coded(error as RangeError, "ERR_TLSTAPLE_OPTION_VALUE");
  }
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

const readTicketKeys: Read<readonly TicketKey[]> = (value, name) => {
  const list = Array.isArray(value) ? value : [value];
  if (list.length === 0) throw valueError(name, "there is none; sessionTimeout 0 turns tickets off");
  return list.map((each) => readTicketKey(each, name));
};

const schema: Schema<Layer> = {
  SNICallback: callback(),
  ALPNProtocols: protocols,
  groups,
  minVersion: protocolVersion,
  maxVersion: protocolVersion,
  requestCert: certificateRequest,
  rejectUnauthorized: boolean,
  ca: readRoots,
  ocsp: nested<Required<OcspLayer>>({
    stapling: oneOf("off", "v1"),
    policy: oneOf("if-present", "leaf", "chain"),
    skew: number,
    maxAge: number,
    allowMissingNextUpdate: boolean,
    responders: readResponders,
    nonce: oneOf<false | "forward">(false, "forward"),
    ...lookupSchema,
  }),
  stapler: staplesFrom,
  stapleChain: boolean,
  handshakeTimeout: milliseconds,
  sessionTimeout: number,
  ticketKeys: readTicketKeys,
  requireEms: boolean,
  recordSizeLimit: number,
  buffers: nested<BufferSizes>({ input: number, output: number, store: number }),
  clock: clockFunction,
  provider: cryptoProvider,
  pauseOnConnect: boolean,
  onMessage: callback(),
  onCipher: callback(),
};

const refuseUnsafe = refuser([...contextNames, ...Object.keys(schema)], {
  ...unsupportedAnywhere,
  ALPNCallback: "give ALPNProtocols",
  clientCertEngine: "give ca",
  context: "give cert and key, or call setSecureContext",
  pskIdentityHint: "pre-shared keys are not spoken",
  secureContext: "give cert and key, or call setSecureContext",
  sessionIdContext: "sessions are in tickets; servers that must not share them need ticketKeys of their own",
});
