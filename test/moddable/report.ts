/** What `npm run test:moddable` prints: headings, checks and tables. */

let failures = 0;

/** How many checks have failed. */
export const failed = () => failures;

export function heading(text: string): void {
  console.log(`\n${text}`);
}

/** Something to know that is no failure. */
export function note(text: string): void {
  console.log(`      ${text}`);
}

/** One check: what was looked at, what came out, and whether it is as it must be. */
export function check(passed: boolean, what: string, outcome: string): void {
  if (!passed) failures++;
  console.log(`  ${passed ? "ok " : "BAD"} ${what}: ${outcome}`);
}

/** A check that is passed when nothing is thrown; what `work` returned. */
export async function attempt<T>(what: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    const result = await work();
    check(true, what, "done");
    return result;
  } catch (error) {
    check(false, what, (error as Error).message);
    return undefined;
  }
}

/** Prints rows below each other, words to the left, numbers to the right. */
export function table(rows: readonly (readonly (string | number)[])[]): void {
  const texts = rows.map((row) => row.map(format));
  const widths = texts[0].map((_, column) => Math.max(...texts.map((row) => row[column].length)));
  for (const [i, row] of texts.entries()) {
    const align = (text: string, column: number) =>
      typeof rows[i][column] === "number" ? text.padStart(widths[column]) : text.padEnd(widths[column]);
    console.log(`      ${row.map(align).join("  ").trimEnd()}`);
  }
}

const format = (cell: string | number) => (typeof cell === "number" ? cell.toLocaleString("en") : cell);

export function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1];
}
