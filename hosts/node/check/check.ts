/** `tlstaple check`: visits a server as clients do, and says whether its staples are what they need. */

import { setMaxListeners } from "node:events";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { TlsError } from "../../../src/wire/index.js";
import { assess, lifeOf, worst } from "./assess.js";
import { Judge } from "./judge.js";
import { lookUp } from "./lookups.js";
import type { Checked, CheckOptions, Facts, Seen } from "./model.js";
import { lacksVersion, type Visit, visit, type Way, ways } from "./visit.js";

/** Milliseconds for a server to fetch the staple that its first visitor did not get. */
const PAUSE = 1000;

/**
 * Visits a server once in each way, then once more, and asks the responders.
 * @throws TypeError or RangeError whose `code` begins with `ERR_TLSTAPLE_OPTION`, and nothing else
 */
export async function check(options: CheckOptions): Promise<Checked> {
  const start = performance.now();
  const signal = AbortSignal.timeout(options.timeout);
  // Each connection listens, and each lookup
  setMaxListeners(0, signal);
  const { seen, unspoken } = await visitAll(options, signal);
  const lookups = options.lookup ? await lookUp(seen, options, signal) : [];
  const life = lifeOf(seen, options.policy, Date.now() / 1000);
  const facts: Facts = { seen, unspoken, lookups, life };
  const findings = assess(facts, options);
  return { ...facts, findings, status: worst(findings), milliseconds: performance.now() - start };
}

type Visits = Pick<Facts, "seen" | "unspoken">;

async function visitAll({ target, version }: CheckOptions, signal: AbortSignal): Promise<Visits> {
  const judge = new Judge(target);
  const seen: Seen[] = [];
  const unspoken: Way[] = [];
  for (const time of ["first", "second"] as const) {
    if (time === "second" && seen.some(isBare)) await pause(signal);
    for (const way of ways) {
      if (version !== undefined && way.version !== version) continue;
      if (unspoken.some((each) => each.version === way.version)) continue;
      const found = await visit(target, way, signal);
      if (lacksVersion(found)) unspoken.push(way);
      else seen.push({ ...found, time, opinions: judge.judge(found) });
      if (isLost(found)) return { seen, unspoken };
    }
  }
  return { seen, unspoken };
}

/** Whether a staple is missing that the server may be fetching now. */
function isBare({ way, staples }: Visit): boolean {
  return way.stapling === "v1" && staples[0] === undefined;
}

function pause(signal: AbortSignal): Promise<void> {
  return sleep(PAUSE, undefined, { signal }).catch(() => undefined);
}

/** There is nobody who speaks TLS, so that it is no use to come again. */
function isLost({ error }: Visit): boolean {
  return error !== undefined && !(error instanceof TlsError);
}
