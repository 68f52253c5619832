import test from "ava";
import { parseAst } from "rollup/parseAst";
import { list } from "../src/wire/list.js";

/** The build step that packs lists of words, and what unpacks them on a device. */

const { packed, pairsOf, withPacked } = await import(new URL("../../rollup.texts.js", import.meta.url).href);
const words = [
  "the certificate has expired",
  "",
  "the certificate is for another name",
  "the clock was never set",
];
const many = list(Array.from({ length: 40 }, (_, i) => `${words[i % words.length]} ${i % 7}`));

/** As hosts/moddable/nth.ts, with these pairs. */
async function reader(
  pairs: readonly (readonly number[])[],
): Promise<(words: Uint8Array, n: number) => string> {
  const source = await import("node:fs").then(({ readFileSync }) =>
    readFileSync(new URL("../hosts/moddable/nth.js", import.meta.url), "utf8"),
  );
  const code = source.replace("PAIRS", `Uint8Array.of(${pairs.flat()})`);
  return (await import(`data:text/javascript,${encodeURIComponent(code)}`)).nth;
}

test("each word comes out as it went in, an empty one too", async (t) => {
  const pairs = pairsOf([many]);
  const bytes = Uint8Array.from(packed(many, pairs));
  const nth = await reader(pairs);
  t.true(
    bytes.length + 2 * pairs.length < many.length / 2,
    `${bytes.length} + ${2 * pairs.length} of ${many.length}`,
  );
  for (const [i, word] of many.split("\n").slice(0, -1).entries()) t.is(nth(bytes, i), word);
});

test("words that no pair was learned from come out too", async (t) => {
  const pairs = pairsOf([many]);
  const other = list(["~!?", "another certificate", "x"]);
  const nth = await reader(pairs);
  const bytes = Uint8Array.from(packed(other, pairs));
  t.deepEqual(
    [0, 1, 2].map((i) => nth(bytes, i)),
    ["~!?", "another certificate", "x"],
  );
});

test("lists become bytes where they stand; texts that are none stay", (t) => {
  const code = `const a = ${JSON.stringify(many)}; const b = "one\\n"; const c = "no list";`;
  const out = withPacked(code, pairsOf([many]), parseAst);
  t.regex(
    out,
    /^const a = \/\*#__PURE__\*\/ Uint8Array\.from\(".*", \(each\) => each\.charCodeAt\(0\)\); const b = "one\\n"; const c = "no list";$/s,
  );
  t.throws(() => packed("caf\u00e9\n", []), { message: /ASCII/ });
});
