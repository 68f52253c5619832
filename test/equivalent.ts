/** Mutants that change nothing that can be seen, each with the reason. See mutants.ts. */

interface Row {
  /** The end of the file's path below build/. */
  readonly file: string;
  /** Part of the line as compiled. */
  readonly code: string;
  /** Part of what the mutant removes, where the line has more than one. */
  readonly text?: string;
  readonly because: string;
}

export const equivalent: readonly Row[] = [
  {
    file: ".js",
    code: "throw faults.INTERNAL_ERROR",
    because: "these tell the type checker what the state table guarantees",
  },
];
