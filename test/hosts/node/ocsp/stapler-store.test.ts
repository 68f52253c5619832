import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import Keyv from "keyv";
import {
  type FaultName,
  FileStore,
  type KeyValueStore,
  Stapler,
  type StaplerFailure,
  type StaplerOptions,
  type TlsError,
} from "../../../../hosts/node/index.js";
import { digest } from "../../../../hosts/node/ocsp/subject.js";
import { scratch } from "../scratch.js";
import { handClock, type Link, makeLeaf, makePki, respond, source, until } from "./responders.js";

/** One Stapler and its store: what outlives it, and what is believed of what is stored. */

const url = "http://ocsp.invalid";
const { ca, leaf, chain } = makePki({ urls: [url] });
const other = makeLeaf(ca, [url]);
const id = digest([leaf.der, ca.der]);
const stapleKey = `tlstaple-staple-${id}`;
const leaseKey = `tlstaple-lease-${id}`;
const HOUR = 3_600_000;

function open(t: ExecutionContext, store: KeyValueStore, options: StaplerOptions = {}) {
  const fetch = source(
    (link) => respond(link),
    () => [leaf, other] as readonly Link[],
  );
  const stapler = new Stapler({ store, fetch, ...options });
  t.teardown(() => stapler.close());
  const failures: StaplerFailure[] = [];
  stapler.on("failure", (failure) => failures.push(failure));
  const one = async () => (await stapler.staples(chain, 1)).staples[0];
  return { stapler, fetch, failures, one };
}

const base64 = (der: Uint8Array) => Buffer.from(der).toString("base64");
const stored = (der: Uint8Array, asked = Date.now() / 1000) => JSON.stringify({ asked, der: base64(der) });

/** A store with the leaf's staple. */
async function saved(t: ExecutionContext, store: KeyValueStore = new Keyv()): Promise<KeyValueStore> {
  const { stapler, one } = open(t, store);
  await one();
  await until(async () => (await store.get(stapleKey)) !== undefined, "the staple in the store");
  stapler.close();
  return store;
}

test("after a restart there is no request", async (t) => {
  const directory = join(scratch(t), "not", "there", "yet");
  await saved(t, new FileStore(directory));
  const { stapler, fetch, one } = open(t, new FileStore(directory));
  t.is(stapler.ready(chain, 1), undefined, "it is being read");
  const staple = await one();
  t.is(`${await new FileStore(directory).get(stapleKey)}`.includes(base64(staple!)), true);
  t.is(fetch.count, 0);
  t.like(stapler.counters, { loaded: 1, requests: 0, failures: 0, rejected: 0, storeErrors: 0 });
  t.truthy(stapler.ready(chain, 1)!.staples[0]);
});

test("a restart continues the schedule: what was due is refreshed, and handed out meanwhile", async (t) => {
  const store = await saved(t);
  const clock = handClock();
  const early = open(t, store, { clock, random: () => 0 });
  clock.now += 1760;
  t.truthy(await early.one());
  t.is(early.fetch.count, 0, "due after half of 3540 seconds");
  const late = open(t, store, { clock, random: () => 0 });
  clock.now += 20;
  t.truthy(await late.one());
  await until(() => late.fetch.count === 1, "the refresh");
});

const bad: [string, () => string, FaultName][] = [
  ["tampered with", () => stored(flip(respond(leaf))), "OCSP_SIGNATURE"],
  ["of another certificate", () => stored(respond(other)), "OCSP_WRONG_CERT"],
  [
    "stale",
    () => stored(respond(leaf, { thisUpdate: Math.floor(Date.now() / 1000) - 9000 })),
    "OCSP_EXPIRED",
  ],
  [
    "about to end",
    () => stored(respond(leaf, { thisUpdate: Math.floor(Date.now() / 1000) - 3590 })),
    "OCSP_EXPIRED",
  ],
  ["unknown", () => stored(respond(leaf, { status: "unknown" })), "OCSP_CERT_UNKNOWN"],
  ["cut off", () => stored(respond(leaf).subarray(0, 50)), "OCSP_MALFORMED"],
  ["empty", () => "", "OCSP_MALFORMED"],
  ["no JSON", () => "{", "OCSP_MALFORMED"],
  ["null", () => "null", "OCSP_MALFORMED"],
  ["another release's", () => JSON.stringify({ response: "" }), "OCSP_MALFORMED"],
  ["huge", () => stored(Buffer.alloc(200_000)), "OCSP_MALFORMED"],
];

function flip(der: Buffer): Buffer {
  der[der.length - 1] ^= 1;
  return der;
}

for (const [what, value, code] of bad)
  test(`what is ${what} in the store is refused, and replaced by what is fetched`, async (t) => {
    const store = new Keyv();
    await store.set(stapleKey, value(), HOUR);
    const { stapler, fetch, failures, one } = open(t, store);
    const staple = await one();
    t.truthy(staple);
    t.is(fetch.count, 1);
    t.like(stapler.counters, { loaded: 0, rejected: 1, requests: 1 });
    await until(() => failures.length > 0, "the failure");
    t.is((failures[0].error as TlsError).code, code);
    t.is(failures.length, 1);
    const next = open(t, store);
    await until(
      async () => String(await store.get(stapleKey)).includes(base64(staple!)),
      "the staple in the store",
    );
    t.deepEqual(await next.one(), Buffer.from(staple!));
    t.is(next.fetch.count, 0);
  });

test("a store of other values than strings is an empty one", async (t) => {
  const store = new Keyv();
  await store.set(stapleKey, { asked: 0, der: "" }, HOUR);
  const { stapler, one } = open(t, store);
  t.truthy(await one());
  t.like(stapler.counters, { loaded: 0, rejected: 0, requests: 1 });
});

test("a revocation survives a restart", async (t) => {
  const store = await saved(t);
  const revoked = respond(leaf, { status: "revoked" });
  await store.set(stapleKey, stored(revoked), HOUR);
  t.deepEqual(Buffer.from((await open(t, store).one())!), revoked);
});

test("what is older than what one has is refused", async (t) => {
  const store = await saved(t);
  const clock = handClock();
  const { stapler, fetch, failures, one } = open(t, store, { clock, fetch: undefined });
  const staple = await one();
  const old = respond(leaf, { thisUpdate: clock.now - 100, nextUpdate: clock.now + 9000 });
  await store.set(stapleKey, stored(old, clock.now + 2800), HOUR);
  clock.now += 2800;
  t.is(await one(), staple);
  await until(() => failures.length > 0, "the failure");
  t.is((failures[0].error as TlsError).code, "OCSP_EXPIRED");
  t.like(stapler.counters, { loaded: 1, rejected: 1 });
  t.is(fetch.count, 0);
});

test("what does not count is never saved", async (t) => {
  const store = new Keyv();
  const { one } = open(t, store, { fetch: async () => flip(respond(leaf)) });
  t.is(await one(), undefined);
  await until(async () => (await store.get(leaseKey)) === "failed", "the note");
  t.is(await store.get(stapleKey), undefined);
});

/** A store that does this whatever it is asked. */
const always = (act: () => unknown): KeyValueStore => ({ get: act, set: act, delete: act });

test("a store that fails, at once or later, takes no staple away", async (t) => {
  const failing = [
    always(() => {
      throw new Error("down");
    }),
    always(() => Promise.reject(new Error("down"))),
  ];
  for (const store of failing) {
    const { stapler, failures, one, fetch } = open(t, store);
    t.truthy(await one());
    t.is(fetch.count, 1);
    t.like(stapler.counters, { requests: 1, failures: 0 });
    t.true(stapler.counters.storeErrors > 0);
    await until(() => failures.length > 0, "the failure");
    t.like(failures[0], { id, error: { message: "down" } });
  }
});

test("a store that never answers is waited for once", async (t) => {
  const { stapler, failures, one } = open(
    t,
    always(() => new Promise(() => undefined)),
  );
  const start = performance.now();
  t.truthy(await one());
  const took = performance.now() - start;
  t.true(took > 900 && took < 2500, `${took} ms`);
  await until(() => failures.length > 0, "the failure");
  t.like(failures[0].error, { code: "ERR_TLSTAPLE_STORE_TIMEOUT" });
  t.is(stapler.counters.storeErrors, 1, "it is left alone then");
});

test("what can be no store is refused at once", (t) => {
  for (const store of ["/var/cache/staples", {}, null, { get: () => 1, set: () => 1 }])
    t.throws(() => new Stapler({ store: store as never }), { code: "ERR_TLSTAPLE_OPTION_TYPE" });
});

test("a directory that cannot be written to is told, and nothing else", async (t) => {
  const directory = scratch(t);
  const { stapler, failures, one } = open(t, new FileStore(directory));
  rmSync(directory, { recursive: true });
  t.truthy(await one());
  await until(() => failures.length > 0, "the failure");
  t.is((failures[0].error as NodeJS.ErrnoException).code, "ENOENT");
  t.truthy(stapler.ready(chain, 1)!.staples[0]);
  t.throws(() => readdirSync(directory));
});
