import type { Verdict } from "../../../src/client/index.js";
import { type FaultName, faultName } from "../../../src/wire/index.js";

/** What was found out about one certificate of the path. Fields are absent where the response lacks them. */
export interface OcspVerdict {
  /** "none": no staple came; "bad": one came that does not count, see `fault`; "unchecked": it was not looked at. */
  status: Verdict["status"];
  thisUpdate?: Date;
  nextUpdate?: Date;
  producedAt?: Date;
  revokedAt?: Date;
  /** CRLReason, by its name in RFC 5280 5.3.1. */
  revocationReason?: string;
  /** How the response names its signer. */
  responder?: "byName" | "byKey";
  /** Whether the signer is a delegate of the CA, not the CA itself. */
  delegated?: boolean;
  /** Why the staple, or its absence, was refused. */
  fault?: FaultName;
  /** It was found out when the session began that this connection resumed; a resumption brings no staples. */
  resumed?: true;
}

const times = ["thisUpdate", "nextUpdate", "producedAt", "revokedAt"] as const;

/** A time that is absent is NaN, or what JSON makes of that. */
export function toVerdict(verdict: Verdict): OcspVerdict {
  const { status, responder, delegated } = verdict;
  const found: OcspVerdict = { status };
  if (verdict.fault) found.fault = faultName(verdict.fault);
  if (!Number.isFinite(verdict.producedAt)) return found;
  Object.assign(found, { responder, delegated });
  for (const name of times) if (Number.isFinite(verdict[name])) found[name] = new Date(verdict[name] * 1000);
  if (verdict.revocationReason >= 0) found.revocationReason = revocationReason(verdict.revocationReason);
  return found;
}

/** Each status that a verdict may have. */
const statuses: Readonly<Record<OcspVerdict["status"], true>> = Object.freeze({
  good: true,
  revoked: true,
  unknown: true,
  none: true,
  bad: true,
  unchecked: true,
});

/** A verdict out of JSON; undefined for what is none. */
export function readVerdict(saved: OcspVerdict): OcspVerdict | undefined {
  if (!Object.hasOwn(statuses, saved.status)) return undefined;
  const verdict = { ...saved };
  for (const name of times) if (saved[name] !== undefined) verdict[name] = new Date(saved[name]);
  return times.some((name) => Number.isNaN(verdict[name]?.getTime())) ? undefined : verdict;
}

/** The name of a CRLReason. */
export function revocationReason(reason: number): string {
  return revocationReasons[reason] ?? String(reason);
}

/** CRLReason, RFC 5280 5.3.1; 7 is not used. */
const revocationReasons: readonly string[] = Object.freeze([
  "unspecified",
  "keyCompromise",
  "cACompromise",
  "affiliationChanged",
  "superseded",
  "cessationOfOperation",
  "certificateHold",
  "unused",
  "removeFromCRL",
  "privilegeWithdrawn",
  "aACompromise",
]);
