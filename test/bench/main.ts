/** npm run bench: see docs/benchmarks.md. */

import { loadingRows, measureLoading } from "./loading.js";
import { measure, type Plan } from "./measure.js";
import { report, table } from "./report.js";

const plans: Readonly<Record<"full" | "quick", Plan>> = Object.freeze({
  full: { rounds: 7, milliseconds: 200, warmUp: 3000, idle: 800 },
  quick: { rounds: 3, milliseconds: 60, warmUp: 1000, idle: 200 },
});

const options = process.argv.slice(2);
const unknown = options.find((option) => option !== "--json" && option !== "--quick");
if (unknown !== undefined) {
  console.error(`unknown option ${unknown}; there are --json and --quick`);
  process.exit(2);
}

const progress = (what: string) => console.error(what);
const plan = options.includes("--quick") ? plans.quick : plans.full;
progress("imports");
const loading = await measureLoading(3 * plan.rounds);
const results = await measure(plan, progress);
const text = () =>
  [report(results), "Imports, beyond Node's start", table(loadingRows(loading), "lrrrr")].join("\n\n");
console.log(options.includes("--json") ? JSON.stringify({ ...results, loading }, undefined, 1) : text());
