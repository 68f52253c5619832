import test from "ava";
import { Stapler } from "../../../../hosts/node/index.js";
import { handClock, makePki, respond } from "./responders.js";

/** The timers of a Stapler, which are taken in place of Node's here: a test must not wait for days. */

const DAY = 86_400;
const { leaf, chain } = makePki({ urls: ["http://ocsp.invalid"] });
const another = makePki({ urls: ["http://ocsp.invalid"] });
/** Lets what is under way come to its end. */
const rest = async () => {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
};

/** The timers of an hour or more that are set from now on, by their seconds. */
function takeTimers(t: { teardown(undo: () => void): void }): { seconds: number; ring: () => void }[] {
  const taken: { seconds: number; ring: () => void }[] = [];
  const { setTimeout: usual } = globalThis;
  t.teardown(() => {
    globalThis.setTimeout = usual;
  });
  globalThis.setTimeout = ((ring: () => void, milliseconds: number) => {
    if (milliseconds < 3_600_000) return usual(ring, milliseconds);
    taken.push({ seconds: milliseconds / 1000, ring });
    return usual(() => undefined, 0);
  }) as typeof setTimeout;
  return taken;
}

test.serial("a timer waits for a day at most, and is set again for the rest", async (t) => {
  const clock = handClock();
  const timers = takeTimers(t);
  let fetches = 0;
  const fetch = async () => {
    fetches++;
    return respond(leaf, { thisUpdate: clock.now, nextUpdate: clock.now + 30 * DAY });
  };
  const stapler = new Stapler({ clock, fetch, random: () => 0.5 });
  await stapler.staples(chain, 1);
  await rest();
  t.deepEqual(
    timers.map(({ seconds }) => seconds),
    [DAY],
  );
  clock.now += DAY;
  timers[0].ring();
  await rest();
  t.is(fetches, 1, "it is due after a day and a quarter");
  t.is(timers[1].seconds, DAY / 4);
  clock.now += DAY / 4;
  timers[1].ring();
  await rest();
  t.is(fetches, 2);
  t.is(timers[2].seconds, DAY, "and so on");
  stapler.close();
});

test.serial("what nobody has asked for in a week is not refreshed", async (t) => {
  const clock = handClock();
  const timers = takeTimers(t);
  let fetches = 0;
  const fetch = async () => {
    fetches++;
    return respond(leaf, { thisUpdate: clock.now, nextUpdate: clock.now + 30 * DAY });
  };
  const stapler = new Stapler({ clock, fetch });
  await stapler.staples(chain, 1);
  await rest();
  clock.now += 7 * DAY + 1;
  timers[0].ring();
  await rest();
  t.is(fetches, 1);
  t.is(timers.length, 1);
  stapler.close();
});

test("a certificate that is forgotten is no longer asked about", async (t) => {
  const signals: AbortSignal[] = [];
  const fetch = (_url: string, _request: Uint8Array, signal: AbortSignal) => {
    signals.push(signal);
    return new Promise<Uint8Array>(() => undefined);
  };
  const stapler = new Stapler({ fetch, maxEntries: 1, wait: 1 });
  await stapler.staples(chain, 1);
  t.false(signals[0].aborted);
  await stapler.staples(another.chain, 1);
  await rest();
  t.true(signals[0].aborted);
  t.false(signals[1].aborted);
  t.is(stapler.counters.evicted, 1);
  stapler.close();
  await rest();
  t.true(signals[1].aborted);
});
