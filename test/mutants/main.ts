/**
 * Breaks the compiled code, one thing at a time, and runs the tests that run it: whatever survives is not tested.
 *
 *   npm run mutants                                      all of src and hosts/{node,moddable}
 *   npm run mutants -- src/pki/ocsp --most 50            50 of files whose path contains that, the same ones each time
 *   npm run mutants -- record --kinds checks,defaults    of these kinds
 *
 * Verdicts are kept in build/mutants.json: a run that is stopped goes on where it was, and only what has changed, or
 * survived, is tried again.
 */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Bench } from "./bench.js";
import { equivalent } from "./equivalent.js";
import { compiled, digest, root, textOf } from "./files.js";
import { importers, judgesOf, prove } from "./judges.js";
import { type Kind, kinds, type Mutant, mutantsOf } from "./mutations.js";

const ledger = join(root, "build/mutants.json");
const targets = ["src", "hosts/node", "hosts/moddable"];

type Verdict = "killed" | "survived" | "not run by any test";

/** By mutant; a mutant of a changed file is another one. */
const verdicts: Record<string, Verdict> = existsSync(ledger) ? JSON.parse(readFileSync(ledger, "utf8")) : {};

function keyOf({ file, start, end, by }: Mutant): string {
  return `${file} ${digest(textOf(file))} ${start} ${end} ${by}`;
}

function note(mutant: Mutant, verdict: Verdict): void {
  verdicts[keyOf(mutant)] = verdict;
  writeFileSync(ledger, JSON.stringify(verdicts, undefined, 1));
}

const short = (text: string) => text.replace(/\s+/g, " ").slice(0, 100);

function describe(mutant: Mutant): string {
  const { file, line, text, by, code, kind } = mutant;
  return [
    `${verdicts[keyOf(mutant)]}: ${file.replace(/js$/, "ts")} (line ${line} compiled, ${kind})`,
    `    for: ${short(text)}`,
    `    put: ${short(by)}`,
    `    in:  ${short(code)}`,
  ].join("\n");
}

async function judge(bench: Bench, mutant: Mutant): Promise<Verdict> {
  const judges = judgesOf(mutant.file, mutant.start);
  for (const chosen of judges) if (!(await bench.passesWith(mutant, chosen))) return "killed";
  return judges.length > 0 ? "survived" : "not run by any test";
}

function isEquivalent({ file, code, text, by }: Mutant): boolean {
  return equivalent.some(
    (row) =>
      file.endsWith(row.file) &&
      code.includes(row.code) &&
      text.includes(row.text ?? "") &&
      by === (row.by ?? by),
  );
}

/** A sample that is the same in each run. */
function sample(mutants: readonly Mutant[], most: number): Mutant[] {
  const ordered = mutants.map((mutant) => ({ mutant, at: digest(keyOf(mutant)) }));
  ordered.sort((a, b) => (a.at < b.at ? -1 : 1));
  return ordered.slice(0, most).map(({ mutant }) => mutant);
}

async function main(filters: readonly string[], wanted: readonly Kind[], most: number): Promise<void> {
  const files = targets
    .flatMap((folder) => compiled(folder, ".ts"))
    .filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)));
  const all = files.flatMap((file) => mutantsOf(join(root, "build", file), file, wanted));
  const chosen = sample(
    all.filter((mutant) => !isEquivalent(mutant)),
    most,
  );
  const queue = chosen.filter((mutant) => verdicts[keyOf(mutant)] !== "killed");
  console.log(`${all.length} mutants, ${chosen.length} chosen, ${queue.length} to try`);
  const bench = new Bench();
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => {
      bench.remove();
      process.exit(1);
    });
  try {
    await prove(bench, [...new Set(queue.flatMap(({ file }) => importers(file)))]);
    for (const [i, mutant] of queue.entries()) {
      note(mutant, await judge(bench, mutant));
      if (verdicts[keyOf(mutant)] !== "killed") console.log(describe(mutant));
      if (i % 20 === 19) console.log(`${queue.length - i - 1} to go`);
    }
  } finally {
    bench.remove();
  }
  const left = chosen.filter((mutant) => verdicts[keyOf(mutant)] !== "killed");
  console.log(`${chosen.length - left.length} of ${chosen.length} were noticed`);
  process.exitCode = left.length > 0 ? 1 : 0;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { most: { type: "string" }, kinds: { type: "string" } },
});
const wanted =
  values.kinds === undefined ? kinds : kinds.filter((kind) => values.kinds!.split(",").includes(kind));
await main(positionals, wanted, Number(values.most ?? Infinity));
