/** `tlstaple check`: visits a server as clients do, and says whether its staples are what they need. */

import { setMaxListeners } from "node:events";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { TlsError } from "../../../src/wire/index.js";
import { assess, lifeOf, worst } from "./assess.js";
import { Judge } from "./judge.js";
import { lookUp } from "./lookups.js";
import type { Checked, CheckOptions, Facts, Seen } from "./model.js";
import { lacksVersion, type Target, type Visit, visit, type Way, ways } from "./visit.js";

/** Milliseconds for a server to fetch the staple that its first visitor did not get. */
const PAUSE = 1000;

/**
 * Visits a server once in each way, then once more, and asks the responders.
 * @throws TypeError or RangeError whose `code` begins with `ERR_TLSTAPLE_OPTION`, and nothing else
 */
export async function check(options: CheckOptions): Promise<Checked> {
  const { target, version } = options;
  const start = performance.now();
  const signal = AbortSignal.timeout(options.timeout);
  // Each connection listens, and each lookup
  setMaxListeners(0, signal);
  const tour = new Tour(target, signal);
  await tour.go(ways.filter((way) => version === undefined || way.version === version));
  const { seen, unspoken } = tour;
  const lookups = options.lookup ? await lookUp(seen, options, signal) : [];
  const life = lifeOf(seen, options.policy, Date.now() / 1000);
  const facts: Facts = { seen, unspoken, lookups, life };
  const findings = assess(facts, options);
  return { ...facts, findings, status: worst(findings), milliseconds: performance.now() - start };
}

/** The visits to one server. */
class Tour implements Pick<Facts, "seen" | "unspoken"> {
  readonly seen: Seen[] = [];
  readonly unspoken: Visit[] = [];
  private readonly target: Target;
  private readonly signal: AbortSignal;
  private readonly judge: Judge;

  constructor(target: Target, signal: AbortSignal) {
    this.target = target;
    this.signal = signal;
    this.judge = new Judge(target);
  }

  /** Once in each way, then once more; where a staple was missing, with time for the server to fetch it. */
  async go(chosen: readonly Way[]): Promise<void> {
    if (!(await this.round("first", chosen))) return;
    if (this.seen.some(isBare)) await pause(this.signal);
    await this.round("second", chosen);
  }

  /** False: there is nobody to visit. */
  private async round(time: Seen["time"], chosen: readonly Way[]): Promise<boolean> {
    for (const way of chosen) {
      if (this.unspoken.some((each) => each.way.version === way.version)) continue;
      const found = await visit(this.target, way, this.signal);
      if (lacksVersion(found)) this.unspoken.push(found);
      else this.seen.push({ ...found, time, opinions: this.judge.judge(found) });
      if (isLost(found)) return false;
    }
    return true;
  }
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
