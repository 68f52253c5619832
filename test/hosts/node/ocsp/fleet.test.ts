import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import test, { type ExecutionContext } from "ava";
import Keyv from "keyv";
import {
  type KeyValueStore,
  type StapleError,
  Stapler,
  type StaplerCounters,
  type StaplerOptions,
} from "../../../../hosts/node/index.js";
import { digest } from "../../../../hosts/node/ocsp/subject.js";
import { openStores, type StoreKind, withStores } from "../stores.js";
import { handClock, honest, type Link, makePki, respond, send, serve, source, until } from "./responders.js";

/** Many servers that share a store: one of them asks, for all. */

const url = "http://ocsp.invalid";
const pki = makePki({ urls: [url] });
const { ca, leaf, chain } = pki;
const id = digest([leaf.der, ca.der]);
const leaseKey = `tlstaple-lease-${id}`;
const stapleKey = `tlstaple-staple-${id}`;
const SERVERS = 6;

/** Servers whose clock and responder are ours. */
function fleet(t: ExecutionContext, store: KeyValueStore, options: StaplerOptions = {}) {
  const clock = handClock();
  const script: { says: (link: Link) => Uint8Array | undefined } = {
    says: (link) => respond(link, { thisUpdate: clock.now }),
  };
  const fetch = source(
    (link) => script.says(link),
    () => [leaf],
  );
  const staplers = Array.from({ length: SERVERS }, () => new Stapler({ store, clock, fetch, ...options }));
  t.teardown(() => {
    for (const stapler of staplers) stapler.close();
  });
  const all = () => Promise.all(staplers.map(async (each) => (await each.staples(chain, 1)).staples[0]));
  const sum = (name: keyof StaplerCounters) => staplers.reduce((n, { counters }) => n + counters[name], 0);
  return { clock, script, fetch, staplers, all, sum };
}

withStores("one request for all servers while a staple is fresh", async (t, kind, place) => {
  const served: Link[] = [];
  const responder = await honest(t, () => served);
  const real = makePki({ urls: [responder.url] });
  served.push(real.leaf, real.ca);
  const staplers = openStores(t, kind, place, SERVERS).map((store) => new Stapler({ store, wait: 20_000 }));
  t.teardown(() => staplers.map((each) => each.close()));
  const take = async (each: Stapler) => (await each.staples(real.chain, 1)).staples[0];
  const all = await Promise.all([...staplers, ...staplers].map(take));
  t.true(all.every((staple) => staple !== undefined && Buffer.from(all[0]!).equals(staple)));
  t.is(responder.requests.length, 1);
  t.is(staplers.filter(({ counters }) => counters.loaded === 1).length, SERVERS - 1);
  for (const { counters } of staplers) t.like(counters, { failures: 0, rejected: 0, storeErrors: 0 });
});

withStores("one refresh for all, and what it brings reaches all", async (t, kind, place) => {
  const [store, ...others] = openStores(t, kind, place, SERVERS);
  const { clock, fetch, staplers, all, sum } = fleet(t, store);
  t.is(others.length, SERVERS - 1);
  await all();
  t.is(fetch.count, 1);
  const first = await all();
  // Due everywhere, and fresh yet
  clock.now += 2700;
  t.deepEqual(await all(), first);
  await until(async () => {
    const [one, ...rest] = await all();
    return one !== first[0] && rest.every((each) => Buffer.from(one!).equals(each!));
  }, "the new one everywhere");
  t.is(fetch.count, 2);
  t.is(sum("requests"), 2);
  t.is(sum("loaded"), 2 * (staplers.length - 1));
});

test("a responder that says the same again is asked once for all, too", async (t) => {
  const { clock, fetch, script, all } = fleet(t, new Keyv());
  const same = respond(leaf, { thisUpdate: clock.now });
  script.says = () => same;
  await all();
  clock.now += 2700;
  await all();
  await until(() => fetch.count === 2, "the refresh");
  for (let i = 0; i < 5; i++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    await all();
  }
  t.is(fetch.count, 2);
});

test("a responder that fails is asked by one for all, until it is asked again", async (t) => {
  const store = new Keyv();
  const { clock, fetch, script, staplers, all, sum } = fleet(t, store, { random: () => 0 });
  const errors: StapleError[] = [];
  for (const stapler of staplers) stapler.on("stapleError", (error) => errors.push(error));
  script.says = () => undefined;
  t.false((await all()).some(Boolean));
  t.is(fetch.count, 1);
  t.is(sum("failures"), SERVERS);
  await until(() => errors.length === SERVERS, "an error of each");
  const codes = errors.map(({ code }) => code).sort();
  const others = Array.from({ length: SERVERS - 1 }, () => "ERR_TLSTAPLE_STAPLE_ELSEWHERE");
  t.deepEqual(codes, ["ERR_TLSTAPLE_OCSP_NETWORK", ...others]);
  // The note ends by itself, before the next try
  await until(async () => (await store.get(leaseKey)) === undefined, "the end of the note");
  script.says = (link) => respond(link, { thisUpdate: clock.now });
  clock.now += 6;
  await all();
  await until(async () => (await all()).every(Boolean), "a staple for each");
  t.is(fetch.count, 2);
});

test("a note that stays silences nobody for good", async (t) => {
  const store = new Keyv();
  await store.set(leaseKey, "failed", 3_600_000);
  const { clock, fetch, staplers } = fleet(t, store, { random: () => 0 });
  const one = async () => (await staplers[0].staples(chain, 1)).staples[0];
  for (let i = 0; i < 7; i++) {
    t.is(await one(), undefined);
    await until(() => staplers[0].counters.failures === i + 1);
    t.is(fetch.count, 0);
    clock.now += 301;
  }
  await one();
  await until(async () => (await one()) !== undefined, "a staple");
  t.is(fetch.count, 1);
});

test("a lease ends though its holder has died, and another server asks", async (t) => {
  const store = new Keyv();
  await store.set(leaseKey, "of a server that died", 700);
  const { fetch, all } = fleet(t, store);
  const start = performance.now();
  t.true((await all()).every(Boolean));
  t.is(fetch.count, 1);
  t.true(performance.now() - start > 600);
});

test("a lease that never ends holds up nobody for longer than asking may take", async (t) => {
  const store = new Keyv();
  await store.set(leaseKey, "of a server that died", 3_600_000);
  const { fetch, staplers } = fleet(t, store, { timeout: 100, wait: 20_000 });
  const start = performance.now();
  t.truthy((await staplers[0].staples(chain, 1)).staples[0]);
  t.is(fetch.count, 1);
  t.true(performance.now() - start > 2000);
});

test("what another server stored between our look and our turn is taken, and the turn ends", async (t) => {
  const inner = new Keyv();
  const other = JSON.stringify({ asked: Date.now() / 1000, der: respond(leaf).toString("base64") });
  const store: KeyValueStore = {
    get: (key) => inner.get(key),
    set: (key, value, ttl) => inner.set(key, value, ttl),
    delete: (key) => inner.delete(key),
    add: async (key, value, ttl) => {
      await inner.set(stapleKey, other, 3_600_000);
      await inner.set(key, value, ttl);
    },
  };
  const { fetch, staplers } = fleet(t, store);
  t.truthy((await staplers[0].staples(chain, 1)).staples[0]);
  t.is(fetch.count, 0);
  await until(async () => (await inner.get(leaseKey)) === undefined, "the end of the lease");
});

test("who can write to the store cannot keep a staple beyond its end", async (t) => {
  const store = new Keyv();
  const { clock, fetch, staplers } = fleet(t, store);
  const [stapler] = staplers;
  const one = async () => (await stapler.staples(chain, 1)).staples[0];
  const first = await one();
  const forged = JSON.stringify({ asked: 1e12, der: Buffer.from(first!).toString("base64") });
  for (const age of [2700, 500, 300]) {
    await until(async () => (await store.get(stapleKey)) !== undefined);
    await store.set(stapleKey, forged, 3_600_000);
    clock.now += age;
    t.is(await one(), first);
    await new Promise((resolve) => setTimeout(resolve, 50));
    t.is(fetch.count, 1, "it looks as if just fetched");
  }
  await store.set(stapleKey, forged, 3_600_000);
  clock.now += 41;
  const second = await one();
  t.truthy(second);
  t.not(second, first);
  t.is(fetch.count, 2);
});

// ---- Processes

interface Told {
  readonly staple: string | undefined;
  readonly counters: StaplerCounters;
}

const program = fileURLToPath(new URL("fleet-member.js", import.meta.url));

async function member(t: ExecutionContext, kind: StoreKind, place: string, certificates: readonly Buffer[]) {
  const der = certificates.map((each) => each.toString("base64"));
  const child = fork(program, [kind, place, "500", ...der], { execArgv: [] });
  t.teardown(() => child.kill("SIGKILL"));
  await once(child, "message");
  return child;
}

async function ask(child: ChildProcess): Promise<Told> {
  child.send("go");
  const [told] = (await once(child, "message")) as [Told];
  return told;
}

withStores("processes: one request, and one of them dies while it asks", async (t, kind, place) => {
  let hanging = true;
  const served: Link[] = [];
  const responder = await serve(t, (response) => {
    // The first one waits in vain, until it is killed
    if (!hanging) send(response, respond(served[0]));
  });
  const real = makePki({ urls: [responder.url] });
  served.push(real.leaf);
  const children = await Promise.all(Array.from({ length: 4 }, () => member(t, kind, place, real.chain)));
  const [first, ...others] = children;
  first.send("go");
  await until(() => responder.requests.length === 1, "the first request");
  first.kill("SIGKILL");
  await once(first, "exit");
  hanging = false;
  const told = await Promise.all(others.map(ask));
  t.is(responder.requests.length, 2, "the dead one's, and one for all others");
  t.truthy(told[0].staple);
  for (const each of told) t.is(each.staple, told[0].staple);
  t.deepEqual(told.map(({ counters }) => counters.loaded).sort(), [0, 1, 1]);
  for (const child of others) child.send("end");
  await Promise.all(others.map((child) => once(child, "exit")));
});
