import type { Resumption, Session } from "../../src/client/index.js";
import { attempt } from "./attempt.js";
import { bytesOf } from "./bytes.js";
import type { Platform, SessionCache } from "./platform.js";

interface Entry {
  readonly key: string;
  readonly bytes: ArrayBuffer;
}

const noEntries: readonly Entry[] = Object.freeze([]);
/** Servers whose sessions are kept in RAM. */
const MAX_SERVERS = 4;

/**
 * A session for each of the servers used last, in RAM. Made where a module begins, its one field is in flash until it
 * changes; entries are never there.
 */
export class RamCache implements SessionCache {
  private entries = noEntries;

  get(key: string): ArrayBuffer | undefined {
    return this.entries.find((entry) => entry.key === key)?.bytes;
  }

  set(key: string, bytes: ArrayBuffer | undefined): void {
    const { entries } = this;
    const others = entries.filter((entry) => entry.key !== key);
    if (bytes) others.push({ key, bytes });
    this.entries = others.slice(-MAX_SERVERS);
    const keeps = (old: Entry) => this.entries.some((entry) => entry.bytes === old.bytes);
    entries.forEach((old) => {
      if (!keeps(old)) new Uint8Array(old.bytes).fill(0);
    });
  }
}

/** There is one where there is a Keeper. */
function codecOf({ features }: Platform): Resumption {
  return features.resumption!;
}

/** What one connection has of a cache: the session to offer, and those that come. */
export class Keeper {
  private readonly cache: SessionCache;
  private readonly key: string;
  private readonly platform: Platform;
  offer: Session | undefined;
  /** The latest session that came, until the cache has it. */
  private fresh: ArrayBuffer | undefined;
  /** The cache has one of ours. */
  private kept: boolean;

  /** Bytes that are no session of ours are none, and so is what `get` throws. */
  constructor(platform: Platform, cache: SessionCache, key: string) {
    this.platform = platform;
    this.cache = cache;
    this.key = key;
    this.offer = attempt(platform, () => {
      const bytes = cache.get(key);
      return bytes ? codecOf(platform).decode(platform.provider, bytesOf(bytes)) : undefined;
    });
    this.kept = this.offer !== undefined;
  }

  /** Takes a session from the core, in the midst of its work: the cache gets it later. */
  readonly take = (session: Session): void => {
    const { platform } = this;
    this.fresh = codecOf(platform).encode(platform.provider, session).buffer as ArrayBuffer;
    session.secret.fill(0);
  };

  /** Hands the cache what has come. */
  store(): void {
    const { fresh } = this;
    if (fresh === undefined) return;
    this.fresh = undefined;
    this.kept = true;
    attempt(this.platform, () => this.cache.set(this.key, fresh));
  }

  /** Forgets the session, that it be not offered again. */
  forget(): void {
    this.fresh = undefined;
    if (this.kept) attempt(this.platform, () => this.cache.set(this.key, undefined));
    this.kept = false;
  }

  /** The session was resumed, or there will be no handshake any more. */
  wipe(): void {
    this.offer?.secret.fill(0);
    this.offer = undefined;
  }
}
