/** What `check` is asked for, and what it finds. */

import type { OcspRequirement } from "../../../src/pki/index.js";
import type { FaultName } from "../../../src/wire/index.js";
import type { LookupReport } from "../ocsp/lookup.js";
import type { OcspVerdict } from "../ocsp/verdict.js";
import type { Opinions } from "./judge.js";
import type { Threshold } from "./threshold.js";
import type { Target, Visit, Way } from "./visit.js";

export interface CheckOptions {
  readonly target: Target;
  /** Speak this version alone. */
  readonly version?: Way["version"];
  /** Which certificates must have a good staple. */
  readonly policy: OcspRequirement;
  readonly warn: Threshold;
  readonly crit: Threshold;
  /** Ask the responders too. */
  readonly lookup: boolean;
  /** Whom to ask in place of the responder of the server's own certificate. */
  readonly overrideUrl?: string;
  /** Milliseconds for all of it. */
  readonly timeout: number;
}

/** A visit: the first of its way or the second, and what clients say to it. */
export interface Seen extends Visit {
  readonly time: "first" | "second";
  readonly opinions: Opinions;
}

/** What a responder says about a certificate of the path. */
export interface LookedUp {
  /** Place in the path, the server's own being 0. */
  readonly position: number;
  readonly verdict: OcspVerdict;
  readonly fault: FaultName | undefined;
  readonly cause: unknown;
  /** Who was asked. */
  readonly reports: readonly LookupReport[];
}

/** Seconds that a staple lives, and that are left of it. */
export interface Life {
  readonly left: number;
  readonly whole: number;
}

export interface Finding {
  readonly status: "WARNING" | "CRITICAL";
  readonly text: string;
  /** Where a client would refuse the server. */
  readonly fault?: FaultName;
  /** The ways that it was found in. */
  readonly ways: readonly Way[];
}

/** All that was seen. */
export interface Facts {
  readonly seen: readonly Seen[];
  /** Visits in vain, each for a version that the server has not got. */
  readonly unspoken: readonly Visit[];
  readonly lookups: readonly LookedUp[];
  /** Of the staple that ends first, among those that the policy looks at. */
  readonly life: Life | undefined;
}

export interface Checked extends Facts {
  readonly findings: readonly Finding[];
  readonly status: "OK" | Finding["status"];
  readonly milliseconds: number;
}
