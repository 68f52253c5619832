import test from "ava";
import { scheduleSize12 } from "../../src/crypto/keys12.js";
import { scheduleSize13 } from "../../src/crypto/keys13.js";
import { at } from "../../src/handshake/memory.js";

test("the memory has room for either key schedule, and not more", (t) => {
  t.is(at.peerShare - at.schedule, Math.max(scheduleSize12, scheduleSize13));
});

test("what lies in the memory does not overlap, but for what is named so", (t) => {
  const shared = new Map([
    ["resumptionSecret", "applicationSecret"],
    ["shared", "applicationSecret"],
    ["keys", "peerShare"],
  ]);
  const own = Object.entries(at).filter(([name]) => !shared.has(name));
  for (const [name, other] of shared) t.is(at[name as keyof typeof at], at[other as keyof typeof at]);
  for (const [i, [name, start]] of own.entries())
    if (i > 0) t.true(start - own[i - 1][1] >= 32, `${own[i - 1][0]} reaches into ${name}`);
});

test("the longest secret ends before what is needed with it", (t) => {
  const P521 = 66;
  t.true(at.shared + P521 <= at.hash);
});
