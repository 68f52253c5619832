/**
 * In the place of src/wire/nth.ts, on a device: a list's words are packed, as rollup.texts.js does it, into half of the
 * flash. A byte below 128 is a character, any other one a pair of bytes.
 */

/** The pairs, one after another: the build writes them here. */
declare const PAIRS: Uint8Array;
const pairs = PAIRS;

const FIRST = 128;
const END = 0x0a;

/** The nth word, from 0. */
export function nth(words: Uint8Array, n: number): string {
  let at = 0;
  for (; n > 0; n--) at = words.indexOf(END, at) + 1;
  let word = "";
  for (; words[at] !== END; at++) word += unpacked(words[at]);
  return word;
}

/** What a byte stands for: no deeper than the pairs are nested, which the build bounds. */
function unpacked(byte: number): string {
  if (byte < FIRST) return String.fromCharCode(byte);
  const pair = (byte - FIRST) * 2;
  return unpacked(pairs[pair]) + unpacked(pairs[pair + 1]);
}
