/** What a Stapler knows of one certificate, and when it asks again. Times are in seconds since 1970. */

import type { Answer } from "./ask.js";
import { freshUntil } from "./claims.js";
import type { Why } from "./staple-error.js";
import type { Subject } from "./subject.js";

/** A verified response. */
export interface Kept {
  readonly der: Uint8Array;
  readonly status: "good" | "revoked";
  readonly thisUpdate: number;
  /** When it is no longer handed out: a little before nextUpdate, so that it is still fresh where it arrives. */
  readonly until: number;
}

/** The life of a response without nextUpdate, where no `maxAge` limits it. */
const hour = 3600;
const day = 24 * hour;

export function keep({ der, staple, signerUntil }: Answer, maxAge: number | undefined): Kept {
  const { status, thisUpdate, nextUpdate } = staple;
  const open = Number.isNaN(nextUpdate);
  const age = maxAge ?? (open ? hour : Number.POSITIVE_INFINITY);
  const end = open ? Number.POSITIVE_INFINITY : freshUntil(thisUpdate, nextUpdate);
  const until = Math.floor(Math.min(end, thisUpdate + age, signerUntil));
  return { der, status: status as Kept["status"], thisUpdate, until };
}

/** Whether it may be handed out now; the responder's clock may be ahead of ours by `skew`. */
export function isFresh(kept: Kept | undefined, now: number, skew: number): kept is Kept {
  return kept !== undefined && kept.thisUpdate <= now + skew && now < kept.until;
}

/** A newer response replaces an older one, and of two that are equally new "revoked" counts. */
export function supersedes(next: Kept, old: Kept | undefined): boolean {
  if (old === undefined || next.thisUpdate > old.thisUpdate) return true;
  return next.thisUpdate === old.thisUpdate && (next.status === "revoked" || old.status === "good");
}

/**
 * When to refresh a response that was asked for at `now`: after 50 to 75 percent of the life that it has left, so that
 * many servers don't ask at once, and that enough is left for some more tries. However long it lives, a
 * revocation must not wait for that: a life of two days is the most that counts.
 */
export function refreshAt(until: number, now: number, random: () => number): number {
  const life = Math.min(until - now, 2 * day);
  return now + Math.max(1, life * (0.5 + 0.25 * random()));
}

/** When to ask again after a number of failures in a row: after 5 s, 10 s, … 5 min, or up to half less. */
export function retryAt(failures: number, now: number, random: () => number): number {
  return now + Math.min(300, 5 * 2 ** (failures - 1)) * (1 - 0.5 * random());
}

export class Entry {
  /** SHA-256 of the certificate and its issuer's, in hexadecimal. */
  readonly id: string;
  readonly subject: Subject;
  kept: Kept | undefined;
  /** Tries in a row that brought no response to keep. */
  failures = 0;
  /** What went wrong at the last of them, and what was told of that. */
  why: Why | undefined;
  told = "";
  /** When it was last asked for. */
  wanted = 0;
  /** When the responder was last asked, and when it is next. */
  asked = 0;
  due = 0;
  /** When, by us or by another server, it was asked for the response that is kept; and what was stored that did not count. */
  since = 0;
  refused: Uint8Array | undefined;
  /** The question that is under way; it never rejects. */
  flight: Promise<void> | undefined;
  private readonly controller = new AbortController();
  private timer: NodeJS.Timeout | undefined;

  constructor(id: string, subject: Subject) {
    this.id = id;
    this.subject = subject;
  }

  /** Whether to ask now. A clock that was set back since the last time says nothing about how long that is ago. */
  isDue(now: number, skew: number): boolean {
    return !this.flight && !this.signal.aborted && (now >= this.due || now < this.asked - skew);
  }

  /**
   * Calls back after these seconds, or a day, which a timer can wait for, in place of what was set before. That
   * keeps no process alive.
   */
  wake(seconds: number, callback: () => void): void {
    clearTimeout(this.timer);
    if (this.signal.aborted) return;
    const delay = Number.isFinite(seconds) ? Math.min(Math.max(seconds, 1), day) : day;
    this.timer = setTimeout(callback, delay * 1000).unref();
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Ends the question under way, and asks no more. */
  stop(): void {
    clearTimeout(this.timer);
    this.controller.abort();
  }
}
