import { randomBytes } from "node:crypto";
import type { TicketKey } from "../../../src/server/index.js";

/** Bytes of a key as node:tls has it, for us 16 of name and 32 of AES-256-GCM key. */
export const TICKET_KEY = 48;
const NAME = 16;

/** Keys that come from elsewhere, as long as they are looked for. */
export interface KeySource {
  /** The first seals, all open; none while there is none that may seal now. */
  readonly current: readonly TicketKey[];
  start(): void;
  stop(): void;
}

/**
 * The keys that seal a server's session tickets. One that came from outside stays until another comes; our own is
 * replaced when it has sealed for as long as a ticket lives, and opens for as long again. Keys that are shared go first;
 * while there are none, our own do.
 */
export class TicketKeys {
  private keys: readonly TicketKey[];
  private readonly lifetime: number;
  private rotates: boolean;
  private shared: KeySource | undefined;
  /** When the first key was made, by `performance.now()`. */
  private since = performance.now();

  /** `lifetime` of a ticket in seconds, 0 for no tickets at all; `given` keys, the first of which seals, or `shared` ones. */
  constructor(lifetime: number, given?: readonly TicketKey[], shared?: KeySource) {
    this.lifetime = lifetime * 1000;
    this.shared = shared;
    this.rotates = given === undefined;
    this.keys = given ?? [freshKey()];
  }

  /** The first seals, all open. */
  get current(): readonly TicketKey[] {
    if (this.lifetime === 0) return [];
    const age = performance.now() - this.since;
    if (this.rotates && age >= this.lifetime) this.rotate(age);
    return this.shared ? [...this.shared.current, ...this.keys] : this.keys;
  }

  /** The one that seals, as node:tls has it. */
  get(): Buffer {
    return bytesOf([...(this.shared?.current ?? []), ...this.keys][0]);
  }

  /** Seals with this one alone from now on, and opens no others. */
  set(key: TicketKey): void {
    this.shared?.stop();
    this.shared = undefined;
    this.keys = [key];
    this.rotates = false;
  }

  /** Seals and opens with a fresh key of our own alone, or with that and the shared ones. */
  renew(): void {
    this.keys = [freshKey()];
    this.rotates = true;
    this.since = performance.now();
  }

  /** Looks for shared keys from now on. */
  start(): void {
    if (this.lifetime > 0) this.shared?.start();
  }

  stop(): void {
    this.shared?.stop();
  }

  private rotate(age: number): void {
    const previous = age < 2 * this.lifetime ? this.keys.slice(0, 1) : [];
    this.keys = [freshKey(), ...previous];
    this.since = performance.now();
  }
}

function freshKey(): TicketKey {
  return ticketKey(randomBytes(TICKET_KEY));
}

/** The 48 bytes of a key. */
export function bytesOf({ name, key }: TicketKey): Buffer {
  return Buffer.concat([name, key]);
}

/** A key of 48 bytes, taken apart. */
export function ticketKey(bytes: Uint8Array): TicketKey {
  const copy = Uint8Array.from(bytes);
  return { name: copy.subarray(0, NAME), key: copy.subarray(NAME) };
}
