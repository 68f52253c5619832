import type { TrustedAuthority } from "../handshake/authorities.js";
import type { Hello } from "./options.js";

/** A KeyShareEntry, RFC 8446 4.2.8: where its key_exchange lies in the ClientHello. */
export interface Share {
  readonly group: number;
  readonly start: number;
  readonly end: number;
}

/**
 * What a ClientHello offers, as far as the server could take it up: of suites and schemes those that it may use
 * itself, of groups those that it knows, in the client's order. Offsets are into the message, so they end with its handling.
 */
export class Offer {
  legacyVersion = 0;
  /** legacy_compression_methods is null(0) alone, as TLS 1.3 has it. */
  nullCompressionAlone = false;
  /** SHA-256 of what stands before the extensions. */
  digest: Uint8Array = new Uint8Array(0);
  /** TLS_FALLBACK_SCSV, RFC 7507. */
  fallback = false;
  /** TLS_EMPTY_RENEGOTIATION_INFO_SCSV or renegotiation_info, RFC 5746. */
  renegotiationInfo = false;
  readonly suites: number[] = [];
  /** Types of all extensions. */
  readonly extensions = new Set<number>();
  /** What supported_versions lists. */
  tls13 = false;
  tls12 = false;
  serverName: string | undefined;
  alpn: readonly string[] = [];
  /** What trusted_ca_keys lists, and certificate_authorities: the first of them. */
  trustedCaKeys: readonly TrustedAuthority[] = [];
  authorities: readonly TrustedAuthority[] = [];
  readonly groups: number[] = [];
  readonly shares: Share[] = [];
  readonly schemes: number[] = [];
  /** What signature_algorithms_cert lists of the schemes that we know. */
  readonly certificateSchemes: number[] = [];
  /** CertificateStatusType ocsp in status_request; ocsp and ocsp_multi in status_request_v2. */
  status = false;
  statusV2 = false;
  statusMulti = false;
  /** The nonce of each of these requests (RFC 9654), where there is one. */
  readonly nonces: Partial<Record<Hello["stapling"], Uint8Array>> = {};
  /** MaxFragmentLength's enum, RFC 6066 section 4, or 0. */
  fragmentCode = 0;
  /** RFC 8449, or 0. */
  recordSizeLimit = 0;
  /** The contents of session_ticket, RFC 5077. */
  ticketStart = 0;
  ticketEnd = 0;
  /** psk_dhe_ke among psk_key_exchange_modes. */
  pskDhe = false;
  /** OfferedPsks, RFC 8446 4.2.11: the contents of both lists; `bindersAt` is where the second one's length stands. */
  identitiesStart = 0;
  identitiesEnd = 0;
  bindersAt = 0;
  bindersEnd = 0;

  has(extension: number): boolean {
    return this.extensions.has(extension);
  }
}
