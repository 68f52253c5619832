import test from "ava";
import fc from "fast-check";
import { Stapler } from "../../../../hosts/node/index.js";
import { keep, refreshAt, retryAt } from "../../../../hosts/node/ocsp/entry.js";
import { Lru } from "../../../../hosts/node/ocsp/lru.js";
import { readSubject } from "../../../../hosts/node/ocsp/subject.js";
import { judge } from "../../../../hosts/node/ocsp/verify.js";
import { makePki, respond, source } from "./responders.js";

const url = "http://ocsp.invalid";
const { ca, leaf, delegate, chain } = makePki({ urls: [url] });
const subject = readSubject({ certificate: leaf.der, issuer: ca.der });
const fraction = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const moment = fc.integer({ min: 1.7e9, max: 2e9 });

test("a refresh comes after 50 to 75 percent of what is left, of two days at most", (t) => {
  fc.assert(
    fc.property(moment, fc.integer({ min: 4, max: 1e8 }), fraction, (now, left, random) => {
      const wait = refreshAt(now + left, now, () => random) - now;
      const life = Math.min(left, 172_800);
      t.true(wait >= life * 0.5 - 1e-6 && wait <= life * 0.75 + 1e-6);
    }),
  );
  t.true(refreshAt(1001, 1000, () => 0) >= 1001, "and never at once");
});

test("retries wait for longer each time, up to five minutes", (t) => {
  fc.assert(
    fc.property(moment, fc.integer({ min: 1, max: 2000 }), fraction, (now, failures, random) => {
      const wait = retryAt(failures, now, () => random) - now;
      const most = Math.min(300, 5 * 2 ** (failures - 1));
      t.true(wait >= most / 2 - 1e-6 && wait <= most + 1e-6);
    }),
  );
});

test("a staple ends before nextUpdate, by a minute or a tenth of its life", (t) => {
  const judged = {
    staple: { status: "good", thisUpdate: 1000, nextUpdate: 0 },
    signerUntil: Number.POSITIVE_INFINITY,
  };
  const untilOf = (nextUpdate: number, maxAge?: number, signerUntil = judged.signerUntil) =>
    keep({ ...judged, staple: { ...judged.staple, nextUpdate }, signerUntil } as never, maxAge).until;
  t.is(untilOf(1000 + 86_400), 1000 + 86_340);
  t.is(untilOf(1100), 1090);
  t.is(untilOf(1000 + 86_400, 500), 1500);
  t.is(untilOf(1000 + 86_400, undefined, 5000), 5000);
  t.is(untilOf(Number.NaN), 4600);
  t.is(untilOf(Number.NaN, 50), 1050);
});

test("what was used last is kept", (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.array(fc.integer({ min: 0, max: 12 })), (limit, keys) => {
      const evicted: number[] = [];
      const lru = new Lru<number>(limit, (value) => evicted.push(value));
      let made = 0;
      for (const key of keys)
        t.is(
          lru.use(String(key), () => {
            made++;
            return key;
          }),
          key,
        );
      const recent = [...new Set([...keys].reverse())].slice(0, limit).reverse();
      t.deepEqual(lru.values(), recent);
      t.is(lru.values().length + evicted.length, made);
    }),
  );
});

// Whatever happens

type Step =
  | { readonly do: "pass"; readonly seconds: number }
  | { readonly do: "ask" }
  | { readonly do: "say"; readonly what: keyof typeof sayings };

/** Seconds that responses live. */
const life = 1000;
const sayings = {
  good: (now: number) => respond(leaf, { thisUpdate: now, nextUpdate: now + life }),
  delegated: (now: number) =>
    respond(leaf, {
      thisUpdate: now,
      nextUpdate: now + life,
      signer: delegate,
      certificates: [delegate.der],
    }),
  revoked: (now: number) => respond(leaf, { status: "revoked", thisUpdate: now, nextUpdate: now + life }),
  unknown: (now: number) => respond(leaf, { status: "unknown", thisUpdate: now, nextUpdate: now + life }),
  replayed: (now: number) => respond(leaf, { thisUpdate: now - 700, nextUpdate: now - 700 + life }),
  stale: (now: number) => respond(leaf, { thisUpdate: now - 2000, nextUpdate: now - 10 }),
  future: (now: number) => respond(leaf, { thisUpdate: now + 500, nextUpdate: now + 2000 }),
  forged: (now: number) => respond(leaf, { thisUpdate: now, nextUpdate: now + life, signer: delegate }),
  garbage: () => Buffer.from("3003020101", "hex"),
  nothing: () => undefined,
};

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant("pass" as const), seconds: fc.integer({ min: -300, max: 900 }) }),
  fc.record({ do: fc.constant("ask" as const) }),
  fc.record({
    do: fc.constant("say" as const),
    what: fc.constantFrom(...(Object.keys(sayings) as Array<keyof typeof sayings>)),
  }),
);

/** What a client without any tolerance would demand. */
const strict = { skew: 0, allowMissingNextUpdate: false, responders: [] };

test("whatever responders and clocks do, what is handed out is verified, fresh and no step back", async (t) => {
  let handedOut = 0;
  const run = async (steps: readonly Step[]) => {
    let now = 1.8e9;
    let saying: keyof typeof sayings = "good";
    let newest = 0;
    const fetch = source(
      () => sayings[saying](now),
      () => [leaf],
    );
    const stapler = new Stapler({ fetch, clock: () => now, skew: 0 });
    for (const each of steps) {
      if (each.do === "pass") now += each.seconds;
      else if (each.do === "say") saying = each.what;
      else {
        const { staples } = await stapler.staples(chain, 1);
        await new Promise((resolve) => setImmediate(resolve));
        if (!staples[0]) continue;
        handedOut++;
        const { staple } = judge(staples[0], subject, strict, now);
        t.true(staple.status === "good" || staple.status === "revoked");
        t.true(now < staple.nextUpdate && staple.thisUpdate >= newest);
        newest = staple.thisUpdate;
      }
    }
    stapler.close();
  };
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), run), { numRuns: 60 });
  t.true(handedOut > 50, `${handedOut} handed out`);
});
