/** Keys of session tickets that many servers share through a store. */

import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import type { TicketKey } from "../../../src/server/index.js";
import { coded, typeError, valueError } from "../common/errors.js";
import { nested, type Read, type SchemaOf } from "../common/read.js";
import { BoundedStore, type KeyValueStore, keyValueStore } from "../common/store.js";
import { bytesOf, type KeySource, TICKET_KEY, ticketKey } from "./ticket-keys.js";

/** Where many servers have the keys of their tickets, so that each resumes the sessions of the others. */
export interface SharedTickets {
  readonly store: KeyValueStore;
  /**
   * A secret of the application, 32 random bytes or more, that what is stored is sealed with: then who can read the store
   * learns no key, and who can write to it can give none. Of several the first seals, all open.
   */
  readonly secret: Uint8Array | readonly Uint8Array[];
}

/** The same, read: keys of AES-256-GCM. */
export interface TicketSharing {
  readonly store: KeyValueStore;
  readonly secret: readonly Buffer[];
}

const SECRET = 32;
const NONCE = 12;
const TAG = 16;

const secrets: Read<readonly Buffer[]> = (value, name) => {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  if (list.length === 0) throw valueError(name, "there is none");
  return list.map((each) => {
    if (!(each instanceof Uint8Array)) throw typeError(name, "a Buffer, or an array of these");
    if (each.length < SECRET) throw valueError(name, `${each.length} bytes are too few: ${SECRET} at least`);
    return Buffer.from(hkdfSync("sha256", each, "", "tlstaple ticket keys", 32));
  });
};

/** @throws TypeError or RangeError whose `code` begins with `ERR_TLSTAPLE_OPTION` */
export const readSharedTickets: Read<TicketSharing> = (value, name) => {
  const { store, secret } = nested({
    store: keyValueStore,
    secret: secrets,
  } satisfies SchemaOf<SharedTickets>)(value, name);
  if (store === undefined) throw typeError(`${name}.store`, "a store");
  if (secret === undefined) throw typeError(`${name}.secret`, "a Buffer, or an array of these");
  return { store, secret };
};

/** The part of a period after which the store is looked at again, and the milliseconds that takes at least and at most. */
const LOOKS = 8;
const SOONEST = 250;
const LATEST = 600_000;

/**
 * For each period, which has the length of a ticket's life, there is a key, which is made a period before it seals for the
 * first time, and opens for one period after. So when it begins to seal all servers have it, and a store that is away for
 * less than a period is not missed. Every server agrees with what is stored, whoever has stored it.
 */
export class SharedTicketKeys implements KeySource {
  private readonly store: BoundedStore;
  private readonly secret: readonly Buffer[];
  private readonly period: number;
  private readonly clock: () => number | undefined;
  private readonly onError: (error: Error) => void;
  /** By their periods. */
  private keys: ReadonlyMap<number, TicketKey> = new Map();
  /** The last look found a key that we did not have: where two have stored one at a time, only the next one tells whose stays. */
  private moved = false;
  private timer: NodeJS.Timeout | undefined;
  private running = false;
  private told = "";

  /** `period` in seconds; `clock` tells seconds since 1970; `onError` is told of each failure once, until it is another. */
  constructor(
    { store, secret }: TicketSharing,
    period: number,
    clock: () => number | undefined,
    onError: (error: Error) => void,
  ) {
    this.store = new BoundedStore(store);
    this.secret = secret;
    this.period = period;
    this.clock = clock;
    this.onError = onError;
  }

  /** The first seals, all open. None while there is none that may seal now. */
  get current(): readonly TicketKey[] {
    this.start();
    const now = this.now;
    if (now === undefined || !this.keys.has(now)) return [];
    return [now, now - 1, now + 1].flatMap((period) => this.keys.get(period) ?? []);
  }

  /** Looks at the store from now on. */
  start(): void {
    if (this.running) return;
    this.running = true;
    void this.refresh();
  }

  stop(): void {
    this.running = false;
    clearTimeout(this.timer);
  }

  /** The number of the period that goes on. */
  private get now(): number | undefined {
    const seconds = this.clock();
    return seconds === undefined ? undefined : Math.floor(seconds / this.period);
  }

  private async refresh(): Promise<void> {
    const problems = await this.agree();
    if (problems.length === 0) this.told = "";
    else this.complain(problems[0]);
    if (!this.running) return;
    const usual = Math.min(Math.max((this.period * 1000) / LOOKS, SOONEST), LATEST);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.refresh(), this.moved ? SOONEST : usual).unref();
  }

  private complain(error: Error): void {
    if (error.message === this.told) return;
    this.told = error.message;
    this.onError(error);
  }

  /** Has the keys that are stored for the periods before, now and next; makes what is missing of the latter two. */
  private async agree(): Promise<Error[]> {
    const { now } = this;
    this.moved = false;
    if (now === undefined) return [];
    this.keys = new Map([...this.keys].filter(([period]) => period >= now - 1));
    const periods = [now, now + 1, now - 1];
    const done = await Promise.allSettled(periods.map((period) => this.agreeOn(period, period >= now)));
    return done.flatMap((each) => (each.status === "rejected" ? [each.reason as Error] : []));
  }

  /** A key that the store has lost, and we have not, is stored again. */
  private async agreeOn(period: number, make: boolean): Promise<void> {
    const name = `tlstaple-ticket-key-${this.period}-${period}`;
    const had = this.keys.get(period);
    const ours = had ? bytesOf(had) : make ? randomBytes(TICKET_KEY) : undefined;
    const ttl = Math.ceil(((period + 2) * this.period - (this.clock() ?? 0)) * 1000);
    const stored = ours
      ? await this.store.settle(name, this.seal(name, ours), Math.max(1, ttl))
      : await this.store.get(name);
    if (stored === undefined) return;
    const key = this.open(name, stored);
    if (!key) throw coded(new Error(`what is stored as ${name} is no key`), "ERR_TLSTAPLE_TICKET_KEY");
    if (had && bytesOf(had).equals(key)) return;
    this.moved = true;
    this.keys = new Map([...this.keys, [period, ticketKey(key)]]);
  }

  // ---- As it is stored: sealed under its name, in base64

  private seal(name: string, key: Buffer): string {
    const nonce = randomBytes(NONCE);
    const cipher = createCipheriv("aes-256-gcm", this.secret[0], nonce).setAAD(Buffer.from(name));
    const sealed = [nonce, cipher.update(key), cipher.final(), cipher.getAuthTag()];
    return Buffer.concat(sealed).toString("base64");
  }

  private open(name: string, stored: string): Buffer | undefined {
    const bytes = Buffer.from(stored, "base64");
    if (bytes.length !== NONCE + TICKET_KEY + TAG) return undefined;
    for (const each of this.secret) {
      const key = unseal(each, name, bytes);
      if (key) return key;
    }
    return undefined;
  }
}

function unseal(secret: Buffer, name: string, sealed: Buffer): Buffer | undefined {
  const decipher = createDecipheriv("aes-256-gcm", secret, sealed.subarray(0, NONCE));
  decipher.setAAD(Buffer.from(name)).setAuthTag(sealed.subarray(-TAG));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(NONCE, -TAG)), decipher.final()]);
  } catch {
    return undefined;
  }
}
