import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import type { KeyValueStore } from "../../../hosts/node/index.js";
import { redisServer } from "../../peers/services.js";
import { withPeer } from "../../peers/with-peer.js";
import { openStore, type StoreKind } from "./open-store.js";

export type { StoreKind };

type Body = (t: ExecutionContext, kind: StoreKind, place: string) => Promise<void>;

/** The same test with every kind of store, fresh. */
export function withStores(title: string, body: Body): void {
  test.serial(`files: ${title}`, async (t) => {
    const directory = mkdtempSync(join(tmpdir(), "store-"));
    t.teardown(() => rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 }));
    await body(t, "file", directory);
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
