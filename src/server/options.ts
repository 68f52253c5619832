import type { Identity } from "../crypto/provider.js";
import type { TrustedAuthority } from "../handshake/authorities.js";
import type { CommonOptions } from "../handshake/options.js";
import type { ClientOcspOptions, Stapling } from "../pki/policy.js";
import type { Fault } from "../wire/fault.js";

/** What a ClientHello says that matters for choosing the certificate and its staples. */
export interface Hello {
  /** host_name of server_name (RFC 6066 section 3), lower case. */
  readonly serverName: string | undefined;
  /** The protocols that the client offers, best first (RFC 7301). */
  readonly alpn: readonly string[];
  /** The ProtocolVersion that will be spoken. */
  readonly version: number;
  /** The signature schemes of the client that this version, these suites and groups allow for the server's certificate. */
  readonly schemes: readonly number[];
  /** Those that the client takes for the signatures in certificates; a chain with others may be sent if there is none without. */
  readonly certificateSchemes: readonly number[];
  /**
   * CAs that the client trusts, as far as it says so: by trusted_ca_keys in TLS 1.2 (RFC 6066 section 6), by the names in
   * certificate_authorities in TLS 1.3 (RFC 8446 4.2.4).
   */
  readonly authorities: readonly TrustedAuthority[];
  /** How the client wants to hear of revocation; "v2" and "v2-multi" only in TLS 1.2 (RFC 6961). */
  readonly stapling: Stapling;
  /** The nonce that the client wants repeated in its staples, 1 to 128 bytes (RFC 9654). */
  readonly nonce: Uint8Array | undefined;
  /**
   * Whether the client's ticket is of a session with this identity's certificate. If the answer has such a one, the
   * session is resumed, and no staple is sent; else the handshake is a full one.
   */
  readonly resumes: (identity: Identity) => boolean;
}

/** What the server answers a ClientHello with. */
export interface Selection {
  readonly identity: Identity;
  /** It was chosen because the client names a CA of its chain, which is answered in TLS 1.2. */
  readonly named?: boolean;
  /** One OCSP response in DER for each of the identity's certificates, undefined where there is none; as many are sent as the client asked for. */
  readonly staples?: readonly (Uint8Array | undefined)[];
  /** Seconds since 1970 at which the first of the staples ends: no ticket outlives it. */
  readonly staplesUntil?: number;
}

/** A client's certificate: asked for, demanded, or neither. */
export type ClientAuth = "none" | "request" | "require";

/** A key that seals tickets: 16 bytes of name and 32 of AES-256-GCM key. */
export interface TicketKey {
  readonly name: Uint8Array;
  readonly key: Uint8Array;
}

export interface ServerOptions extends CommonOptions {
  /**
   * Chooses the certificate for a client, or refuses it with a fault (UNRECOGNIZED_NAME); it is asked for clients that
   * resume a session too. Undefined: the answer comes later through `proceed`, and the handshake waits.
   */
  readonly select: (hello: Hello) => Selection | Fault | undefined;
  readonly clientAuth?: ClientAuth;
  readonly ocsp?: Partial<ClientOcspOptions>;
  /** Once a client's certificate is verified, wait for `approve` before anything is granted. */
  readonly holdClients?: boolean;
  /** The first seals, all open; none: no tickets. Clients that showed a certificate get none. */
  readonly ticketKeys?: readonly TicketKey[];
  /** Seconds; 7 days at most (RFC 8446 4.6.1). */
  readonly ticketLifetime?: number;
  /** Keep what `exportKeyingMaterial` derives from, for as long as the connection stands. */
  readonly exporting?: boolean;
}
