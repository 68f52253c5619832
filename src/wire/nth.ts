import { END } from "./list.js";

/** The nth word of a list, from 0. */
export function nth(words: string, n: number): string {
  let at = 0;
  for (; n > 0; n--) at = words.indexOf(END, at) + 1;
  return words.slice(at, words.indexOf(END, at));
}
