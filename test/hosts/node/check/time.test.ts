import test from "ava";
import { spanText } from "../../../../hosts/node/check/span.js";
import { parseThreshold, secondsOf } from "../../../../hosts/node/check/threshold.js";

test("a time span: its greatest unit and the next", (t) => {
  const spans: Record<number, string> = {
    0: "0 s",
    59.9: "59 s",
    60: "1 min",
    61: "1 min 1 s",
    3599: "59 min 59 s",
    3600: "1 h",
    3661: "1 h 1 min",
    86399: "23 h 59 min",
    86400: "1 d",
    90000: "1 d 1 h",
    8640000: "100 d",
  };
  for (const [seconds, text] of Object.entries(spans)) t.is(spanText(Number(seconds)), text);
});

test("thresholds: seconds, units, percent", (t) => {
  const hour = 3600;
  const known: Record<string, number> = {
    "0": 0,
    "90": 90,
    "90s": 90,
    "2m": 120,
    "1h": hour,
    "2d": 48 * hour,
  };
  for (const [text, seconds] of Object.entries(known)) t.is(secondsOf(parseThreshold(text)!, 10), seconds);
  t.is(secondsOf(parseThreshold("25%")!, 400), 100);
  t.is(secondsOf(parseThreshold("100%:")!, 400), 400);
  for (const text of ["", "x", "-1", "1w", "1.5h", "%", "1 h", "10:20", "1234567890", "1e3"])
    t.is(parseThreshold(text), undefined, text);
});
