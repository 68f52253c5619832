/** Responses that many servers share, and whose turn it is to ask for the next. What is stored is not trusted: its reader verifies. */

import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { BoundedStore, type KeyValueStore } from "../common/store.js";

/** A response as it is stored. */
export interface SharedStaple {
  readonly der: Uint8Array;
  /** When the responder was asked for it, seconds since 1970. */
  readonly asked: number;
}

/** A server that needs a response, as its Stapler sees it. */
export interface Seeker {
  /** Milliseconds that asking may take. */
  readonly lease: number;
  /** Aborted when the response is not needed any more. */
  readonly signal: AbortSignal;
  /** Asks even if another server has just got no answer that counts. */
  readonly insists: boolean;
  /** Takes what is stored, if it counts; true when nobody needs to ask then. */
  take(stored: SharedStaple): boolean;
  /** Asks the responder. */
  ask(): Promise<Outcome>;
}

/** What came of asking: a response to share for so many seconds, or none, so that nobody needs to ask for so many. */
export interface Outcome {
  readonly staple?: SharedStaple;
  readonly seconds: number;
}

/** Who may ask: this server, or nobody for now. A lease ends by itself, also when its holder has died. */
type Turn = "ours" | "failed";

/** Milliseconds of a lease beyond the asking itself, for the store. */
const MARGIN = 2000;
/** Milliseconds between looks at what another server is asking for. */
const POLL = 200;

const FAILED = "failed";

/** What is read where something else is stored than a response. */
const garbage: SharedStaple = Object.freeze({ der: new Uint8Array(0), asked: 0 });

/**
 * Responses in a store, under the ids of Staplers. It never rejects: a store that fails is told of, and then each server is on its
 * own, as without one.
 */
export class SharedStaples {
  private readonly store: BoundedStore;
  private readonly maxBytes: number;
  private readonly onError: (id: string, error: unknown) => void;
  /** What this server's leases are known by. */
  private readonly name = randomBytes(16).toString("hex");

  /** Responses have `maxBytes` at most. */
  constructor(store: KeyValueStore, maxBytes: number, onError: (id: string, error: unknown) => void) {
    this.store = new BoundedStore(store);
    this.maxBytes = maxBytes;
    this.onError = onError;
  }

  /**
   * Has one of all servers ask, and gives its response to all. Resolves when there is nothing more to be had: false when
   * another server has asked in vain.
   */
  async seek(id: string, seeker: Seeker): Promise<boolean> {
    const turn = await this.await(id, seeker);
    if (turn !== "ours") return turn !== "failed";
    // Between our look and our turn another server may have come to its end
    const outcome = (await this.look(id, seeker)) ? undefined : await seeker.ask();
    // No handshake waits for that
    void (outcome && !seeker.signal.aborted ? this.tell(id, outcome) : this.release(id));
    return true;
  }

  /** Waits while another server asks, as long as that may take, and once more for who follows one that has died. */
  private async await(id: string, seeker: Seeker): Promise<Turn | undefined> {
    const { signal, insists } = seeker;
    const lease = seeker.lease + MARGIN;
    const start = performance.now();
    let end = start + lease;
    let before: string | undefined;
    for (;;) {
      if (await this.look(id, seeker)) return undefined;
      const holder = await this.holder(id, lease);
      if (holder === this.name || signal.aborted) return "ours";
      if (holder === FAILED) return insists ? "ours" : "failed";
      if (before !== undefined && before !== holder) end = Math.min(performance.now(), start + lease) + lease;
      if (performance.now() > end) return "ours";
      before = holder;
      await pause(POLL, undefined, { ref: false });
    }
  }

  private async look(id: string, seeker: Seeker): Promise<boolean> {
    const text = await this.attempt(id, undefined, () => this.store.get(stapleKey(id)));
    return text !== undefined && seeker.take(parse(text, this.maxBytes));
  }

  /** Whose turn it is: ours if it was nobody's, and where the store fails. */
  private holder(id: string, lease: number): Promise<string> {
    return this.attempt(id, this.name, async () => {
      return (await this.store.settle(leaseKey(id), this.name, lease)) ?? this.name;
    });
  }

  /** Shares what came of our turn, which ends with that. */
  private async tell(id: string, { staple, seconds }: Outcome): Promise<void> {
    const ttl = Math.max(1, Math.ceil(seconds * 1000));
    if (!staple) return this.end(id, () => this.store.set(leaseKey(id), FAILED, ttl));
    const text = JSON.stringify({ asked: staple.asked, der: Buffer.from(staple.der).toString("base64") });
    await this.attempt(id, undefined, () => this.store.set(stapleKey(id), text, ttl));
    return this.release(id);
  }

  private release(id: string): Promise<void> {
    return this.end(id, () => this.store.delete(leaseKey(id)));
  }

  /** Ends our turn, if it is ours still. */
  private end(id: string, how: () => Promise<void>): Promise<void> {
    return this.attempt(id, undefined, async () => {
      if ((await this.store.get(leaseKey(id))) === this.name) await how();
    });
  }

  private async attempt<T>(id: string, otherwise: T, act: () => Promise<T>): Promise<T> {
    if (this.store.rests) return otherwise;
    try {
      return await act();
    } catch (error) {
      this.onError(id, error);
      return otherwise;
    }
  }
}

const stapleKey = (id: string) => `tlstaple-staple-${id}`;
const leaseKey = (id: string) => `tlstaple-lease-${id}`;

function parse(text: string, maxBytes: number): SharedStaple {
  // Base64 has a third more, and the rest is short
  if (text.length > 2 * maxBytes + 100) return garbage;
  try {
    const { asked, der } = JSON.parse(text) as { asked: unknown; der: unknown };
    const fits = typeof asked === "number" && typeof der === "string";
    return fits ? { asked, der: Buffer.from(der, "base64") } : garbage;
  } catch {
    return garbage;
  }
}
