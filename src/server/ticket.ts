/** What a ticket says, once it is opened: RFC 5077 section 4, RFC 8446 4.6.1. */
export interface Ticket {
  readonly version: number;
  /** The CipherSuite. */
  readonly suite: number;
  /** TLS 1.2: whether the master secret is an extended one (RFC 7627). */
  readonly ems: boolean;
  /** Seconds since 1970. */
  readonly expires: number;
  readonly serverName: string | undefined;
  /** SHA-256 of the certificate that the session began with. */
  readonly certificate: Uint8Array;
  /** TLS 1.2: the master secret; TLS 1.3: the PSK. */
  readonly secret: Uint8Array;
}
