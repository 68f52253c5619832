import test from "ava";
import { cases, first } from "./cases.js";
import { readRv32Budget } from "./main.js";
import { type Cost, measureOnRv32 } from "./measure.js";
import { incomparable } from "./xs.js";

// What connections cost on RV32, against test/device/budget-rv32.json. `npm run device -- --target rv32 --write`
// writes it.

const budget = readRv32Budget();
const { rv32: obstacle } = incomparable;
if (obstacle) console.log(`skipped: costs on RV32: ${obstacle}`);
/** One after the other, as each has processes of its own. */
const device = obstacle ? test.serial.skip : test.serial;
/** Signatures are random, and the crypto library and the compiler are what Debian has now. */
const LEEWAY = 1.03;
const loose = ["nativeHeapPeakBytes"];

test("the budget for RV32 has every case, and nothing else", (t) => {
  t.deepEqual(
    Object.keys(budget.cases),
    cases.map(({ name }) => name),
  );
});

test("of the first handshake's instructions a second full one takes at most 42 %, a resumed one at most 25 %", (t) => {
  const total = (name: string) => budget.cases[name].instructions!.total;
  t.true(total("again") <= 0.42 * total(first), `${total("again") / total(first)}`);
  t.true(total("resumed") <= 0.25 * total(first), `${total("resumed") / total(first)}`);
});

for (const each of cases)
  device(`${each.name} keeps to its budget on RV32`, async (t) => {
    const { instructions, ...cost } = await measureOnRv32(each);
    const { instructions: limits, ...limit } = budget.cases[each.name];
    for (const [name, most] of Object.entries(limit)) {
      const value = cost[name as keyof Cost];
      t.true(value <= most * (loose.includes(name) ? LEEWAY : 1), `${name}: ${value}, the budget is ${most}`);
    }
    for (const [name, count] of Object.entries(instructions ?? {})) {
      const most = limits![name as keyof typeof limits];
      t.true(count <= most * LEEWAY, `instructions, ${name}: ${count}, the budget is ${most}`);
    }
  });
