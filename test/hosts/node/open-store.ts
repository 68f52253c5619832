import KeyvRedis from "@keyv/redis";
import { Redis } from "ioredis";
import Keyv from "keyv";
import { FileStore, type KeyValueStore } from "../../../hosts/node/index.js";

/** The stores that servers can share: how one opens each. */

export type StoreKind = "file" | "ioredis" | "keyv-redis";

export interface OpenStore {
  readonly store: KeyValueStore;
  close(): Promise<unknown>;
}

/** `place` is a directory, or Redis's port. */
export function openStore(kind: StoreKind, place: string): OpenStore {
  if (kind === "file") return { store: new FileStore(place), close: async () => undefined };
  if (kind === "ioredis") {
    const redis = new Redis(Number(place), "127.0.0.1");
    return { store: redisStore(redis), close: () => redis.quit() };
  }
  const store = new Keyv(new KeyvRedis(`redis://127.0.0.1:${place}`));
  return { store, close: () => store.disconnect() };
}

/** As docs/operations.md shows it. */
function redisStore(redis: Redis): KeyValueStore {
  return {
    get: (key) => redis.get(key),
    set: (key, value, ttl) => redis.set(key, value, "PX", ttl),
    delete: (key) => redis.del(key),
    add: (key, value, ttl) => redis.set(key, value, "PX", ttl, "NX"),
  };
}
