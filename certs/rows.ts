import type { FaultName } from "../src/wire/index.js";

/** A row of cases.json; `fixtures.ts` reads it. Paths are relative to certs/. */
export interface ChainRow {
  readonly id: string;
  readonly description: string;
  /** PEM of the certificates as sent, the leaf first. */
  readonly chain: string;
  /** PEM of the trust anchors. */
  readonly anchors: string;
  /** PKCS#8 PEM of the leaf's key. */
  readonly key: string;
  /** The DNS name or address that the client asks for; absent: any. */
  readonly name?: string;
  /** The fault's name, or "good". */
  readonly expected: FaultName | "good";
  /** The number of the TLS alert that refuses it. */
  readonly alert?: number;
}

/** What a client is told about OCSP in a case; the rest is left to its defaults. */
export interface OcspOptions {
  /** Seconds. */
  readonly skew?: number;
  /** Seconds. */
  readonly maxAge?: number;
  readonly allowMissingNextUpdate?: boolean;
  /** PEM of responders that are trusted by configuration. */
  readonly responders?: string;
  /** Hex of the nonce that was asked for. */
  readonly nonce?: string;
}

/** A row of ocsp/cases.json. Paths are relative to certs/. */
export interface OcspRow {
  readonly id: string;
  readonly description: string;
  /** DER of the response. */
  readonly response: string;
  /** PEM of the certificate that it is stapled for, and of that one's issuer; in each the first. */
  readonly subject: string;
  readonly issuer: string;
  /** ISO time of the check; absent: NOW. */
  readonly at?: string;
  readonly options?: OcspOptions;
  /** The fault's name, or "good". */
  readonly expected: FaultName | "good";
  readonly alert?: number;
  /** The CRLReason that a revoked certificate's response tells. */
  readonly reason?: number;
}
