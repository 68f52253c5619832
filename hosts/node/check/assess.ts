import { isDeepStrictEqual } from "node:util";
import { type OcspRequirement, requires } from "../../../src/pki/index.js";
import { type Fault, faults } from "../../../src/wire/index.js";
import { tlsError } from "../common/errors.js";
import { isInOrder } from "./chain.js";
import type { Checked, CheckOptions, Facts, Finding, Life, LookedUp, Seen } from "./model.js";
import { spanText } from "./span.js";
import { secondsOf } from "./threshold.js";
import type { Way } from "./visit.js";

/** What an operator should know of, the worst first. */
export function assess(facts: Facts, options: CheckOptions): Finding[] {
  const findings = [
    ...unreached(facts),
    ...facts.seen.flatMap((each) => refusal(each, facts.seen, options.policy)),
    ...ending(facts.life, options),
    ...facts.lookups.flatMap((each) => lookupFinding(each, facts.seen)),
    ...disorder(facts.seen),
  ];
  return merged(findings).sort((a, b) => rank[b.status] - rank[a.status]);
}

const rank = Object.freeze({ OK: 0, WARNING: 1, CRITICAL: 2 });

export function worst(findings: readonly Finding[]): Checked["status"] {
  return findings.reduce<Checked["status"]>(
    (status, each) => (rank[each.status] > rank[status] ? each.status : status),
    "OK",
  );
}

/** Whether a client of this policy asks in this way: for the staples of a whole chain TLS 1.2 has version 2. */
export function serves({ version, stapling }: Way, policy: OcspRequirement): boolean {
  return stapling === (policy === "chain" && version === "TLSv1.2" ? "v2-multi" : "v1");
}

// ---- Connections

function unreached({ seen, unspoken }: Facts): Finding[] {
  const failed = (seen.length > 0 ? seen : unspoken).filter(({ error }) => error !== undefined);
  return failed.map(({ error, way }) => ({ status: "CRITICAL", text: errorText(error!), ways: [way] }));
}

/** Why a visit came to nothing. */
export function errorText(error: Error & { code?: unknown }): string {
  if (error.name === "AbortError") return "the server did not answer in time";
  const { code, message } = error;
  return typeof code === "string" && !message.includes(code) ? `${code}: ${message}` : message;
}

// ---- Clients

/** Why a client would go away from a connection. */
function refusal(each: Seen, seen: readonly Seen[], policy: OcspRequirement): Finding[] {
  const { certificates, way } = each;
  const fault = faultOf(each, policy);
  if (fault === undefined || certificates.length === 0) return [];
  const later = seen.find(({ time, way: other }) => other === way && time === "second");
  const missing = fault === faults.OCSP_STAPLE_MISSING;
  if (!missing || later === undefined || each === later) return [refused(fault, way)];
  // Of what is still missing the second connection tells
  return faultOf(later, policy) === fault ? [] : [late(way)];
}

/** In a way that is not the policy's own, what does not come is not missed. */
function faultOf({ opinions, way }: Seen, policy: OcspRequirement): Fault | undefined {
  if (serves(way, policy)) return opinions[policy].fault;
  const { fault } = opinions["if-present"];
  return fault === faults.OCSP_STAPLE_MISSING ? undefined : fault;
}

function refused(fault: Fault, way: Way): Finding {
  const { code, message } = tlsError(fault);
  return { status: "CRITICAL", text: `${code}: ${message}`, fault: code, ways: [way] };
}

function late(way: Way): Finding {
  return { status: "WARNING", text: "the first connection got no staple, the second did", ways: [way] };
}

// ---- Time

/** Of the good staples that a policy looks at, the one that ends first. */
export function lifeOf(seen: readonly Seen[], policy: OcspRequirement, now: number): Life | undefined {
  const lives = seen.filter(({ way }) => serves(way, policy)).flatMap((each) => livesIn(each, policy, now));
  return lives.sort((a, b) => a.left - b.left)[0];
}

function livesIn({ opinions }: Seen, policy: OcspRequirement, now: number): Life[] {
  return opinions[policy].verdicts
    .filter(({ status }, i) => status === "good" && (i === 0 || requires(policy, i)))
    .map(({ nextUpdate, thisUpdate }) => ({ left: nextUpdate - now, whole: nextUpdate - thisUpdate }));
}

function ending(life: Life | undefined, { crit, warn }: CheckOptions): Finding[] {
  if (life === undefined) return [];
  const text =
    life.left < 0
      ? `the staple ended ${spanText(-life.left)} ago`
      : `the staple ends in ${spanText(life.left)}`;
  if (life.left < secondsOf(crit, life.whole)) return [{ status: "CRITICAL", text, ways: [] }];
  return life.left < secondsOf(warn, life.whole) ? [{ status: "WARNING", text, ways: [] }] : [];
}

// ---- Responders

/** A responder that fails is none of today's troubles, but the server's next staple is to come from it. */
function lookupFinding({ cause, fault, position, verdict }: LookedUp, seen: readonly Seen[]): Finding[] {
  if (fault === undefined || isUrlMissing(cause)) return [];
  const about = position === 0 ? "the certificate" : `CA certificate ${position}`;
  if (verdict.status !== "revoked") {
    const why = cause instanceof Error ? cause.message : tlsError(faults[fault]).message;
    return [{ status: "WARNING", text: `asked about ${about}, the responder fails: ${why}`, ways: [] }];
  }
  const stapled = seen.some(({ opinions }) => opinions["if-present"].verdicts[position]?.status === "good");
  const text = `the responder says that ${about} is revoked${stapled ? ", and the staple that it is good" : ""}`;
  return [{ status: "CRITICAL", text, fault, ways: [] }];
}

function isUrlMissing(cause: unknown): boolean {
  return (cause as { code?: unknown } | undefined)?.code === "ERR_TLSTAPLE_OCSP_URL";
}

// ---- Chain

function disorder(seen: readonly Seen[]): Finding[] {
  const text = "the chain is out of order: each certificate should certify the one before it";
  return seen
    .filter(
      ({ certificates, opinions }) => opinions["if-present"].path.length > 0 && !isInOrder(certificates),
    )
    .map(({ way }) => ({ status: "WARNING", text, ways: [way] }));
}

// ---- The same, found more than once

function merged(findings: readonly Finding[]): Finding[] {
  const kinds: Finding[] = [];
  for (const { ways, ...finding } of findings) {
    const at = kinds.findIndex(({ ways: _, ...kind }) => isDeepStrictEqual(kind, finding));
    if (at < 0) kinds.push({ ...finding, ways });
    else kinds[at] = { ...finding, ways: [...new Set([...kinds[at].ways, ...ways])] };
  }
  return kinds;
}
