/** Lists of words as one string, which takes a device less than an object for each. */

/** Each word, with `END` behind it. */
export function list(words: readonly string[]): string {
  return words.map((word) => word + END).join("");
}

/** The nth word, from 0. */
export function nth(words: string, n: number): string {
  let at = 0;
  for (; n > 0; n--) at = words.indexOf(END, at) + 1;
  return words.slice(at, words.indexOf(END, at));
}

const END = "\n";
