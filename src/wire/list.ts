/** Lists of words as one string, which takes a device less than an object for each. */

/** Each word, with `END` behind it. */
export function list(words: readonly string[]): string {
  return words.map((word) => word + END).join("");
}

export const END = "\n";
