import { performance } from "node:perf_hooks";

const SECOND = 1000;

/** Lets so many in at once, and so many within any second. */
export class Gate {
  private readonly atOnce: number;
  private readonly perSecond: number;
  private readonly clock: () => number;
  private inside = 0;
  /** When those came in who count for the last second. */
  private readonly entered: number[] = [];

  /** `clock` tells milliseconds, and is never set back. */
  constructor(atOnce: number, perSecond: number, clock: () => number = () => performance.now()) {
    this.atOnce = atOnce;
    this.perSecond = perSecond;
    this.clock = clock;
  }

  /** Lets `n` in, or none of them. */
  enter(n: number): boolean {
    const now = this.clock();
    while (this.entered.length > 0 && this.entered[0] <= now - SECOND) this.entered.shift();
    if (this.inside + n > this.atOnce || this.entered.length + n > this.perSecond) return false;
    for (let i = 0; i < n; i++) this.entered.push(now);
    this.inside += n;
    return true;
  }

  leave(): void {
    this.inside--;
  }
}
