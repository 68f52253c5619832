import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect as connectTls } from "node:tls";
import test, { type ExecutionContext } from "ava";
import Keyv from "keyv";
import { credential } from "../../../../certs/fixtures.js";
import type { KeyValueStore, SharedTickets } from "../../../../hosts/node/index.js";
import { readSharedTickets, SharedTicketKeys } from "../../../../hosts/node/server/shared-ticket-keys.js";
import { handClock, until } from "../ocsp/responders.js";
import { type Ours, serveOurs } from "../ours.js";
import { rootOf } from "../servers.js";
import { openStores, withStores } from "../stores.js";

/** Keys of tickets that many servers share through a store. */

const secret = Buffer.alloc(32, 3);
const PERIOD = 60;

interface Member {
  readonly keys: SharedTicketKeys;
  readonly errors: Error[];
  /** The key that seals, and all that open. */
  readonly sealing: () => string | undefined;
  readonly opening: () => string[];
}

/** What one server has of the keys; its clock may be wrong by some seconds. */
function member(t: ExecutionContext, sharing: SharedTickets, clock: () => number | undefined): Member {
  const errors: Error[] = [];
  const read = readSharedTickets(sharing, "ticketKeys");
  const keys = new SharedTicketKeys(read, PERIOD, clock, (error) => errors.push(error));
  t.teardown(() => keys.stop());
  const opening = () => keys.current.map(({ name, key }) => Buffer.concat([name, key]).toString("hex"));
  return { keys, errors, opening, sealing: () => opening()[0] };
}

/** Has a server look at the store now. */
async function look({ keys }: Member): Promise<void> {
  keys.stop();
  keys.start();
  await new Promise((resolve) => setTimeout(resolve, 20));
}

/** Values that are not forgotten by time, with what was asked of them. */
function memory(): KeyValueStore & { readonly values: Map<string, string>; readonly ttls: number[] } {
  const values = new Map<string, string>();
  const ttls: number[] = [];
  const set = (key: string, value: string, ttl: number) => {
    values.set(key, value);
    ttls.push(ttl);
  };
  return {
    values,
    ttls,
    get: (key) => values.get(key),
    set,
    delete: (key) => values.delete(key),
    add: (key, value, ttl) => (values.has(key) ? undefined : set(key, value, ttl)),
  };
}

test("keys are the same everywhere, seal for a period, open for the next, and are worth nothing then", async (t) => {
  const store = memory();
  const clock = handClock();
  clock.now = 1000 * PERIOD;
  const one = member(t, { store, secret }, clock);
  const fast = member(t, { store, secret }, () => clock.now + 5);
  const slow = member(t, { store, secret }, () => clock.now - 5);
  const all = [one, fast, slow];
  for (const each of all) await look(each);
  const first = one.sealing()!;
  t.is(first.length, 96);
  t.is(fast.sealing(), first);
  clock.now += 10;
  for (const each of all) await look(each);
  clock.now += PERIOD - 13;
  t.is(one.sealing(), first);
  const second = fast.sealing()!;
  t.not(second, first, "it is ahead, with a key that the others have already");
  t.true(one.opening().includes(second));
  t.true(slow.opening().includes(second));
  for (const each of all) await look(each);
  clock.now += 3;
  t.deepEqual(one.opening().slice(0, 2), [second, first]);
  t.true(slow.opening().includes(second));
  for (const each of all) await look(each);
  clock.now += PERIOD;
  t.false(one.opening().includes(first), "though the store has it still");
  t.true(one.opening().includes(second));
  t.true(store.ttls.every((ttl) => ttl > PERIOD * 1000 && ttl <= 3 * PERIOD * 1000));
  for (const each of all) await look(each);
  t.deepEqual(
    all.flatMap(({ errors }) => errors),
    [],
  );
  t.is(store.values.size, 4 + 1, "five periods were seen or begun");
});

test("without a look at the store, keys end all the same", async (t) => {
  const clock = handClock();
  const one = member(t, { store: memory(), secret }, clock);
  await look(one);
  t.is(one.opening().length, 2);
  one.keys.stop();
  const { current } = one.keys;
  clock.now += PERIOD;
  t.true(one.keys.current.length > 0, "a store that is away for a period is not missed");
  one.keys.stop();
  clock.now += PERIOD * 2;
  one.keys.stop();
  t.deepEqual(one.keys.current, []);
  t.is(current.length, 2);
});

test("a server that starts opens what was sealed a period before; others do though the store has lost that", async (t) => {
  const store = memory();
  const clock = handClock();
  clock.now = 1000 * PERIOD;
  const one = member(t, { store, secret }, clock);
  await look(one);
  const old = one.sealing()!;
  clock.now += PERIOD;
  const two = member(t, { store, secret }, clock);
  await look(two);
  t.is(two.opening()[1], old);
  store.values.clear();
  await look(one);
  t.is(one.opening()[1], old);
});

test("a clock that was never set has no keys", async (t) => {
  const one = member(t, { store: memory(), secret }, () => undefined);
  await look(one);
  t.deepEqual(one.keys.current, []);
  t.deepEqual(one.errors, []);
});

test("without `add`, those that come at once agree, and what was overwritten is taken", async (t) => {
  const store = new Keyv();
  const clock = handClock();
  clock.now = 1000 * PERIOD;
  const all = Array.from({ length: 6 }, () => member(t, { store, secret }, clock));
  for (const { keys } of all) keys.start();
  await until(() => all.every(({ keys }) => keys.current.length === 2), "keys");
  t.is(new Set(all.map(({ sealing }) => sealing())).size, 1);
  t.is(new Set(all.map(({ opening }) => `${opening()}`)).size, 1);
  const elsewhere = memory();
  const late = member(t, { store: elsewhere, secret }, clock);
  await look(late);
  const name = `tlstaple-ticket-key-${PERIOD}-1000`;
  await store.set(name, elsewhere.values.get(name), 60_000);
  await look(all[0]);
  t.not(late.sealing(), all[1].sealing());
  t.is(all[0].sealing(), late.sealing());
});

test("a fresh key is looked at again soon: without `add`, somebody slow may have overwritten it", async (t) => {
  const { add, ...store } = memory();
  const clock = handClock();
  clock.now = 1000 * PERIOD;
  const elsewhere = memory();
  const quick = member(t, { store, secret }, clock);
  const slow = member(t, { store: elsewhere, secret }, clock);
  await look(slow);
  quick.keys.start();
  await until(() => quick.keys.current.length === 2, "keys");
  const name = `tlstaple-ticket-key-${PERIOD}-1000`;
  store.values.set(name, elsewhere.values.get(name)!);
  await until(() => quick.sealing() === slow.sealing(), "what is stored by then");
  t.is(quick.sealing(), slow.sealing());
});

test("a key that the store has lost is stored again", async (t) => {
  const store = memory();
  const clock = handClock();
  const [one, two] = [member(t, { store, secret }, clock), member(t, { store, secret }, clock)];
  await look(one);
  const had = one.opening();
  store.values.clear();
  await look(one);
  t.deepEqual(one.opening(), had);
  await look(two);
  t.deepEqual(two.opening(), had);
});

test("what is stored is sealed with the application's secret, and for its period", async (t) => {
  const store = memory();
  const clock = handClock();
  clock.now = 1000 * PERIOD;
  const one = member(t, { store, secret }, clock);
  await look(one);
  const hidden = [...store.values.values()]
    .map((value) => Buffer.from(value, "base64").toString("hex"))
    .join();
  for (const key of one.opening())
    t.false(hidden.includes(key.slice(0, 32)) || hidden.includes(key.slice(32)));
  const renewed = member(t, { store, secret: [Buffer.alloc(40, 4), secret] }, clock);
  await look(renewed);
  t.deepEqual(renewed.opening(), one.opening());

  const [now, next] = [1000, 1001].map((period) => `tlstaple-ticket-key-${PERIOD}-${period}`);
  const [first, second] = [store.values.get(now)!, store.values.get(next)!];
  const bent = Buffer.from(first, "base64");
  bent[20] ^= 1;
  const worthless: [string, SharedTickets, string][] = [
    ["another secret", { store, secret: Buffer.alloc(32, 5) }, first],
    ["another period's", { store, secret }, second],
    ["tampered with", { store, secret }, bent.toString("base64")],
    ["in clear", { store, secret }, Buffer.alloc(48, 9).toString("base64")],
    ["cut off", { store, secret }, first.slice(0, -8)],
    ["empty", { store, secret }, ""],
  ];
  for (const [what, sharing, value] of worthless) {
    store.values.set(now, value);
    const other = member(t, sharing, clock);
    await look(other);
    t.deepEqual(other.keys.current, [], what);
    t.true(other.errors.length > 0, what);
    t.like(other.errors[0], { code: "ERR_TLSTAPLE_TICKET_KEY" }, what);
    t.is(store.values.get(now), value, "who has another secret does not take the keys away from the rest");
  }
});

test("failures are told once, and again after it went well", async (t) => {
  const store = memory();
  let down = true;
  const get = (key: string) => {
    if (down) throw new Error("down");
    return store.values.get(key);
  };
  const one = member(t, { store: { ...store, get }, secret }, handClock());
  for (const now of [true, true, false, true]) {
    down = now;
    await look(one);
  }
  t.deepEqual(
    one.errors.map(({ message }) => message),
    ["down", "down"],
  );
  t.is(one.opening().length, 2, "what it had stays");
});

test("what can be no sharing is refused at once", (t) => {
  const store = memory();
  const wrong: [object, string][] = [
    [{}, "TYPE"],
    [{ store: {}, secret }, "TYPE"],
    [{ secret }, "TYPE"],
    [{ store }, "TYPE"],
    [{ store, secret: "secret" }, "TYPE"],
    [{ store, secret: [] }, "VALUE"],
    [{ store, secret: Buffer.alloc(31) }, "VALUE"],
    [{ store, secrets: secret }, "UNSUPPORTED"],
  ];
  for (const [sharing, code] of wrong)
    t.throws(() => readSharedTickets(sharing, "ticketKeys"), { code: `ERR_TLSTAPLE_OPTION_${code}` });
});

// ---- Servers

const answer = (socket: { end(text: string): void }) => socket.end(".");

/** A client's connection: whether it was resumed, and its session. */
async function visit({ port }: Ours, session?: Buffer) {
  const facts = { host: "127.0.0.1", ca: rootOf("p256"), servername: "server1.tlstaple.test" };
  const socket = connectTls({ ...facts, port, session });
  let latest = session;
  socket.on("session", (fresh) => {
    latest = fresh;
  });
  await once(socket, "secureConnect");
  const reused = socket.isSessionReused();
  socket.resume();
  await once(socket, "close");
  return { reused, session: latest };
}

const agree = (servers: readonly Ours[]) =>
  until(
    () => servers.every(({ server }) => server.getTicketKeys().equals(servers[0].server.getTicketKeys())),
    "the same key everywhere",
  );

for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const)
  withStores(`${maxVersion}: each server resumes the others' sessions`, async (t, kind, place) => {
    const stores = openStores(t, kind, place, 3);
    const [first, ...others] = await Promise.all(
      stores.map((store) => serveOurs(t, { maxVersion, ticketKeys: { store, secret } }, answer)),
    );
    await agree([first, ...others]);
    const { reused, session } = await visit(first);
    t.false(reused);
    for (const other of [...others, first]) t.true((await visit(other, session)).reused);
    const strange = await serveOurs(t, { maxVersion }, answer);
    t.false((await visit(strange, session)).reused);
    const stranger = await serveOurs(
      t,
      { maxVersion, ticketKeys: { store: stores[0], secret: Buffer.alloc(32) } },
      answer,
    );
    const [error] = await once(stranger.server, "ticketError");
    t.like(error, { code: "ERR_TLSTAPLE_TICKET_KEY" });
    t.false((await visit(stranger, session)).reused);
  });

test("a store that is away: the sessions are each server's own, until it is back", async (t) => {
  const store = memory();
  let down = true;
  const get = (key: string) => (down ? Promise.reject(new Error("down")) : store.values.get(key));
  const ticketKeys = { store: { ...store, get }, secret };
  const errors: Error[] = [];
  const ours = await serveOurs(t, { ticketKeys, sessionTimeout: 3 }, answer);
  ours.server.on("ticketError", (error) => errors.push(error));
  const { session } = await visit(ours);
  t.true((await visit(ours, session)).reused);
  t.is(errors[0]?.message, "down");
  const own = ours.server.getTicketKeys();
  down = false;
  await until(() => !ours.server.getTicketKeys().equals(own), "a shared key");
  t.true((await visit(ours, session)).reused, "its own tickets count on");
});

test("after setSecureContext: shared keys stay, a ticket is for its certificate; setTicketKeys ends the sharing", async (t) => {
  const store = memory();
  const servers = [
    await serveOurs(t, { ticketKeys: { store, secret } }, answer),
    await serveOurs(t, { ticketKeys: { store, secret } }, answer),
  ];
  await agree(servers);
  const [one, two] = servers;
  const { session } = await visit(one);
  const { certificateFile, keyFile } = credential("rsa", "server1");
  two.server.setSecureContext({ cert: readFileSync(certificateFile), key: readFileSync(keyFile) });
  await agree(servers);
  const refused = connectTls({ host: "127.0.0.1", port: two.port, session, rejectUnauthorized: false });
  await once(refused, "secureConnect");
  t.false(refused.isSessionReused());
  refused.destroy();
  one.server.setTicketKeys(Buffer.alloc(48, 7));
  t.false((await visit(one, session)).reused);
  t.deepEqual(one.server.getTicketKeys(), Buffer.alloc(48, 7));
});

test("a server that is closed leaves the store alone", async (t) => {
  const store = memory();
  let looks = 0;
  const get = (key: string) => {
    looks++;
    return store.values.get(key);
  };
  const ours = await serveOurs(
    t,
    { ticketKeys: { store: { ...store, get }, secret }, sessionTimeout: 2 },
    answer,
  );
  await until(() => looks > 8, "looks");
  ours.server.close();
  await once(ours.server, "close");
  await new Promise((resolve) => setTimeout(resolve, 300));
  const before = looks;
  await new Promise((resolve) => setTimeout(resolve, 600));
  t.is(looks, before);
});
