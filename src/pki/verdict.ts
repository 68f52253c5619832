import { type Fault, faults } from "../wire/fault.js";
import type { Staple, Status } from "./ocsp.js";

/**
 * What was found out about one certificate of a path.
 * "none": no staple came; "bad": one came that does not count, see `fault`; "unchecked": the handshake ended,
 * or verification is off, before it was looked at.
 */
export interface Verdict {
  readonly status: Status | "none" | "bad" | "unchecked";
  readonly fault?: Fault;
  /** Seconds since 1970; NaN where the response has none. */
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  readonly producedAt: number;
  readonly revokedAt: number;
  /** CRLReason, RFC 5280 5.3.1, or -1. */
  readonly revocationReason: number;
  /** How the response names its signer, and whether that is a delegate of the CA rather than the CA itself. */
  readonly responder: "byName" | "byKey";
  readonly delegated: boolean;
}

/**
 * The verdict on the certificate at `position` of the path, when those before `settled` are settled and `fault`,
 * if any, ended the handshake there.
 */
export function verdictOn(
  staple: Staple,
  position: number,
  settled: number,
  fault: Fault | undefined,
): Verdict {
  const { thisUpdate, nextUpdate, producedAt, revokedAt, revocationReason, responder, delegated } = staple;
  const found = { thisUpdate, nextUpdate, producedAt, revokedAt, revocationReason, responder, delegated };
  if (position < settled) return Object.assign({ status: staple.present ? "good" : "none" } as const, found);
  if (position > settled || fault === undefined)
    return Object.assign({ status: staple.present ? "unchecked" : "none" } as const, found);
  return Object.assign({ status: judged(fault), fault }, found);
}

function judged(fault: Fault): Verdict["status"] {
  if (fault === faults.OCSP_CERT_REVOKED) return "revoked";
  if (fault === faults.OCSP_CERT_UNKNOWN) return "unknown";
  return fault === faults.OCSP_STAPLE_MISSING ? "none" : "bad";
}
