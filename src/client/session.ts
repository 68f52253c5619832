import type { OcspRequirement, Stapling } from "../pki/policy.js";

/**
 * What resumes a session, and what was verified when it began: a resumption brings neither certificates nor
 * staples, so it is worth no more than that. It holds a secret.
 */
export interface Session {
  readonly version: number;
  readonly suite: number;
  /** The PSK of TLS 1.3, the master secret of TLS 1.2. */
  readonly secret: Uint8Array;
  readonly ticket: Uint8Array;
  /** ticket_age_add, RFC 8446 4.6.1. */
  readonly ageAdd: number;
  /** Seconds since 1970: when the ticket came, and when it ends, with the first staple or certificate at the latest. */
  readonly receivedAt: number;
  readonly until: number;
  /** The earliest thisUpdate of the staples, or when the session began: what `maxAge` counts from. */
  readonly verifiedAt: number;
  readonly serverName: string | undefined;
  /** Whether the server was verified, up to this anchor: the SHA-256 of its certificate. */
  readonly anchor: Uint8Array | undefined;
  /** The policy that the staples met, and whether the server's certificate, or a CA's, demands one (RFC 7633). */
  readonly policy: OcspRequirement;
  readonly mustStaple: boolean;
  readonly demanded: Demanded;
}

/** What else was demanded of the staples: who demands more now makes a full handshake. */
export interface Demanded {
  readonly stapling: Stapling;
  readonly skew: number;
  readonly allowMissingNextUpdate: boolean;
  /** For each responder trusted by configuration the SHA-256 of its name and key, one after another. */
  readonly responders: Uint8Array;
}
