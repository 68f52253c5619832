import type { faults } from "../src/wire/fault.js";

export type FaultName = keyof typeof faults;

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
