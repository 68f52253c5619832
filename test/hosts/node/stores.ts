import test, { type ExecutionContext } from "ava";
import type { KeyValueStore } from "../../../hosts/node/index.js";
import { redisServer } from "../../peers/services.js";
import { withPeer } from "../../peers/with-peer.js";
import { openStore, type StoreKind } from "./open-store.js";
import { scratch } from "./scratch.js";

export type { StoreKind };

type Body = (t: ExecutionContext, kind: StoreKind, place: string) => Promise<void>;

/** The same test with every kind of store, fresh. */
export function withStores(title: string, body: Body): void {
  test.serial(`files: ${title}`, async (t) => {
    await body(t, "file", scratch(t));
  });
  for (const kind of ["ioredis", "keyv-redis"] as const)
    withPeer("redis")(`${kind}: ${title}`, async (t) => {
      const redis = await redisServer();
      t.teardown(() => redis.stop());
      await body(t, kind, `${redis.port}`);
    });
}

/** The same store, opened so many times, until the test ends. */
export function openStores(
  t: ExecutionContext,
  kind: StoreKind,
  place: string,
  count: number,
): KeyValueStore[] {
  const open = Array.from({ length: count }, () => openStore(kind, place));
  t.teardown(() => Promise.all(open.map((each) => each.close())));
  return open.map(({ store }) => store);
}
