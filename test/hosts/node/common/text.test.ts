import test from "ava";
import { printable, toJson } from "../../../../hosts/node/common/text.js";

/** Every code point whose category or property lets it steer a terminal, or the order in which text is shown. */
const steering = Array.from({ length: 0x110000 }, (_, code) => code).filter((code) =>
  /[\p{Cc}\p{Cf}\p{Cs}\p{Bidi_Control}\u2028\u2029]/u.test(String.fromCodePoint(code)),
);
const harmless = 'Größe "x", \\ £ 日本 🙂 é';

test("what steers a terminal is shown in text, and nothing else", (t) => {
  t.true(steering.length > 2000);
  for (const code of steering) t.regex(printable(String.fromCodePoint(code)), /^(\\u[0-9a-f]{4}){1,2}$/);
  t.is(printable(harmless), harmless);
  t.is(printable("a\u{e0001}\ud800b"), "a\\udb40\\udc01\\ud800b");
});

test("JSON has none of it either, and says the same", (t) => {
  const value = { text: String.fromCodePoint(...steering.slice(0, 5000)), "k\u009b\u2029": [harmless] };
  for (const json of [toJson(value), toJson(value, 2)]) {
    t.deepEqual(JSON.parse(json), value);
    t.notRegex(json, /[^\P{Cc}\n]|[\p{Cf}\p{Cs}\p{Bidi_Control}\u2028\u2029]/u);
  }
  t.is(toJson(value, 2).split("\n").length, 6);
  t.is(toJson([undefined, "é\n"]), '[null,"é\\n"]');
});
