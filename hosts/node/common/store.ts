/** Stores that many servers share: what they are, and what is asked of them. */

import { setTimeout as pause } from "node:timers/promises";
import { coded, typeError } from "./errors.js";
import type { Read } from "./read.js";

/**
 * Values by keys, both strings, that are forgotten after `ttl` milliseconds. It has the methods of Keyv, so that a Keyv over
 * Redis or any other storage is one; they may return promises.
 */
export interface KeyValueStore {
  /** Undefined or null where there is no value. */
  get(key: string): unknown;
  set(key: string, value: string, ttl: number): unknown;
  delete(key: string): unknown;
  /**
   * Sets a value unless there is one, atomically: `SET NX PX` of Redis. Without it servers that come at the very same time
   * may do a thing twice.
   */
  add?(key: string, value: string, ttl: number): unknown;
}

const methods = ["get", "set", "delete"] as const;

export const keyValueStore: Read<KeyValueStore> = (value, name) => {
  const store = value as Partial<KeyValueStore> | null | undefined;
  if (store && methods.every((method) => typeof store[method] === "function")) return value as KeyValueStore;
  throw typeError(name, `a store, with methods ${methods.join(", ")}`);
};

/** Milliseconds that a store may take for an answer, in steps, and for which it is left alone when it took longer. */
const PATIENCE = 1000;
const STEPS = 10;
const RECOVERY = 5000;
/** Milliseconds between writing and reading back, where there is no `add`: longer than another's way from reading to writing. */
const SETTLING = 100;

/** A store, within limits of time. What its methods reject with is the store's own error, or that it took too long. */
export class BoundedStore {
  private readonly store: KeyValueStore;
  /** When it may be asked again, by `performance.now()`. */
  private leftUntil = 0;

  constructor(store: KeyValueStore) {
    this.store = store;
  }

  /** Whether it took too long lately, and is left alone: all methods reject at once. */
  get rests(): boolean {
    return performance.now() < this.leftUntil;
  }

  /** Undefined for what is no string, too. */
  async get(key: string): Promise<string | undefined> {
    const value = await this.within(() => this.store.get(key));
    return typeof value === "string" ? value : undefined;
  }

  async set(key: string, value: string, ttl: number): Promise<void> {
    await this.within(() => this.store.set(key, value, ttl));
  }

  async delete(key: string): Promise<void> {
    await this.within(() => this.store.delete(key));
  }

  /**
   * Sets a value where there is none, and resolves with the one that is there then. With an `add` of the store all who do
   * so get the same one; without, those do whose ways from reading to writing take less than 100 ms.
   */
  async settle(key: string, value: string, ttl: number): Promise<string | undefined> {
    const there = await this.get(key);
    if (there !== undefined) return there;
    if (this.store.add) await this.within(() => this.store.add!(key, value, ttl));
    else {
      await this.set(key, value, ttl);
      await pause(SETTLING);
    }
    return this.get(key);
  }

  private async within<T>(act: () => T): Promise<Awaited<T>> {
    if (this.rests) throw unanswered();
    const done = new AbortController();
    const enough = this.lose(done.signal);
    try {
      return await Promise.race([act(), enough]);
    } finally {
      enough.catch(() => undefined);
      done.abort();
    }
  }

  /** Loses patience. Work that holds up all events is no fault of the store's: it costs a step, however long it is. */
  private async lose(signal: AbortSignal): Promise<never> {
    for (let i = 0; i < STEPS; i++) await pause(PATIENCE / STEPS, undefined, { signal });
    this.leftUntil = performance.now() + RECOVERY;
    throw unanswered();
  }
}

function unanswered(): Error {
  return coded(new Error(`the store gave no answer in ${PATIENCE} ms`), "ERR_TLSTAPLE_STORE_TIMEOUT");
}
