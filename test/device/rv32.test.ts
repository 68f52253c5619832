import test from "ava";
import { cases } from "./cases.js";
import { readRv32Budget } from "./main.js";
import { type Cost, measureOnRv32 } from "./measure.js";
import { incomparable } from "./xs.js";

// What connections cost on RV32, against test/device/budget-rv32.json. `npm run device -- --target rv32 --write`
// writes it.

const budget = readRv32Budget();
const { rv32: obstacle } = incomparable;
if (obstacle) console.log(`skipped: costs on RV32: ${obstacle}`);
const device = obstacle ? test.skip : test;
/** Signatures are random, and some take longer to verify. */
const LEEWAY = 1.02;

test("the budget for RV32 has every case, and nothing else", (t) => {
  t.deepEqual(
    Object.keys(budget.cases),
    cases.map(({ name }) => name),
  );
});

for (const each of cases)
  device(`${each.name} keeps to its budget on RV32`, async (t) => {
    const { instructions, ...cost } = await measureOnRv32(each);
    const { instructions: limits, ...limit } = budget.cases[each.name];
    for (const [name, most] of Object.entries(limit))
      t.true(cost[name as keyof Cost] <= most, `${name}: ${cost[name as keyof Cost]}, the budget is ${most}`);
    for (const [name, count] of Object.entries(instructions ?? {})) {
      const most = limits![name as keyof typeof limits];
      t.true(count <= most * LEEWAY, `instructions, ${name}: ${count}, the budget is ${most}`);
    }
  });
