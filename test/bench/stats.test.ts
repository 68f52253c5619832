import test from "ava";
import { median, ratio, spread } from "./stats.js";

test("median of an odd and of an even number of values, in any order", (t) => {
  const odd = Object.freeze([30, 1, 2]);
  t.is(median(odd), 2);
  t.is(median([4, 1, 30, 2]), 3);
});

test("spread is half the range, as a part of the median", (t) => {
  t.is(spread([8, 10, 14]), 0.3);
  t.is(spread([5, 5]), 0);
});

test("ratios are taken round by round, so that a slow round of both weighs nothing", (t) => {
  t.is(ratio([2, 20, 4], [1, 10, 2]), 2);
  t.is(ratio([3, 20, 2], [1, 10, 2]), 2);
});
