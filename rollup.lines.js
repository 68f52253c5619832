// Which line of a module a statement comes from, for a source map: as a comment that the other steps carry along.
import { addMapping, GenMapping, toEncodedMap } from "@jridgewell/gen-mapping";
import { edited, visit } from "./rollup.syntax.js";

/** The code with its own line before each statement of a function and each member of a class or object, as a comment. */
export function withLines(code, parse) {
  const starts = lineStarts(code);
  const edits = [];
  visit(parse(code), ({ type, body, properties }) => {
    const parts = /^(BlockStatement|ClassBody)$/.test(type)
      ? body
      : type === "ObjectExpression"
        ? properties
        : [];
    for (const { start } of parts) edits.push({ start, end: start, by: `/*@${lineAt(starts, start)}*/` });
  });
  return edited(code, edits);
}

/** What the minifier is to leave of comments. */
export const isLine = /^@\d+$/;

const comment = /\/\*@(\d+)\*\/[^\S\n]*/g;

/**
 * The code without these comments, and the source map that they make: of each line, as engines ask for no more, where
 * its first statement or member came from; else of one that opens a block, where the next did, and of others where the last did.
 */
export function mapped(code, file, source) {
  const map = new GenMapping({ file });
  const lines = code.split("\n").map((text) => ({
    opens: text.endsWith("{"),
    // What was before something that went is before something else, and nearer is right
    from: [...text.matchAll(/(?:\/\*@(\d+)\*\/\s*)+/g)].map(([, line]) => Number(line)),
  }));
  let last = 1;
  for (const [i, { opens, from }] of lines.entries()) {
    const next = opens ? lines.slice(i).find((each) => each.from.length > 0)?.from[0] : undefined;
    const line = from[0] ?? next ?? last;
    addMapping(map, { generated: { line: i + 1, column: 0 }, source, original: { line, column: 0 } });
    last = from.at(-1) ?? line;
  }
  return { code: code.replace(comment, ""), map: JSON.stringify(toEncodedMap(map)) };
}

const lineStarts = (code) => [0, ...[...code.matchAll(/\n/g)].map(({ index }) => index + 1)];

/** The number of the line, from 1, that a place is in. */
function lineAt(starts, at) {
  let [low, high] = [0, starts.length];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (starts[middle] <= at) low = middle;
    else high = middle;
  }
  return low + 1;
}
