import type { ExecutionContext } from "ava";

/** Seconds-long by default; a night's run sets TLSTAPLE_FUZZ to a factor. */
const factor = Number(process.env.TLSTAPLE_FUZZ ?? 1);
/** Whether the run is long enough for a test to have met what it is about. */
export const thorough = factor >= 1;
const seed = Number(process.env.TLSTAPLE_SEED ?? 8446);

/** How often to try something that is tried `n` times in an ordinary run. */
export function times(n: number): number {
  return Math.ceil(n * factor);
}

/** Positions below `end`, `n` apart in an ordinary run; which ones depends on the seed. */
export function* steps(end: number, n: number): Generator<number> {
  const stride = Math.max(1, Math.round(n / factor));
  for (let at = seed % stride; at < end; at += stride) yield at;
}

/** A seeded source of choices (xorshift32), so that a run can be repeated. */
export class Random {
  private state: number;

  /** TLSTAPLE_SEED, printed when the test fails, makes all choices. */
  constructor(t: Pick<ExecutionContext, "log">) {
    t.log(`TLSTAPLE_SEED=${seed}`);
    this.state = (seed ^ 0x9e3779b9) | 1;
    for (let i = 0; i < 8; i++) this.below(2);
  }

  /** A whole number from 0 to `n - 1`. */
  below(n: number): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x;
    return (x >>> 0) % n;
  }

  /** From `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)];
  }

  bytes(n: number): Buffer {
    return Buffer.from(Array.from({ length: n }, () => this.below(256)));
  }
}
