import test from "ava";
import { cases } from "./cases.js";
import { readBudget } from "./main.js";
import { type Cost, measure, steps } from "./measure.js";
import { measureRom } from "./rom.js";
import { incomparable } from "./xs.js";

// What connections cost on a device, against test/device/budget.json. `npm run device -- --write` writes it.

const budget = readBudget();

/** Without 32-bit XS and PSA there is nothing to compare: slots of 64 bits are twice as large. */
const { native: obstacle } = incomparable;
if (obstacle) console.log(`skipped: costs on a device: ${obstacle}`);
const device = obstacle ? test.skip : test;

test("the budget has every case, and nothing else", (t) => {
  t.deepEqual(
    Object.keys(budget.cases),
    cases.map(({ name }) => name),
  );
});

for (const each of cases)
  device(`${each.name} keeps to its budget`, async (t) => {
    const cost = await measure(each);
    for (const [name, limit] of Object.entries(budget.cases[each.name]))
      t.true(
        cost[name as keyof Cost] <= limit,
        `${name}: ${cost[name as keyof Cost]}, the budget is ${limit}`,
      );
  });

device("the modules for devices keep to their budget in flash", async (t) => {
  const { all, small } = await measureRom();
  t.true(all <= budget.rom.all, `${all} bytes, the budget is ${budget.rom.all}`);
  t.true(small <= budget.rom.small, `${small} bytes without options, the budget is ${budget.rom.small}`);
});

const KB = 1024;

device("a handshake with a verified staple takes 16 KB, and any program 64 KB with room", (t) => {
  for (const { name } of cases.filter(({ name }) =>
    /p256-staple1|socket-(bare|small)|again|resumed/.test(name),
  ))
    t.true(budget.cases[name].totalBytes <= 16 * KB, name);
  for (const { arenaBytes } of Object.values(budget.cases)) t.true(arenaBytes <= 49152, `${arenaBytes}`);
});

device("by default a connection takes 26 KB, and 14 KB while it stands", (t) => {
  const { totalBytes, standingBytes } = budget.cases["tls1.3-socket-default"];
  t.true(totalBytes <= 26 * KB && standingBytes <= 14 * KB, `${totalBytes}, ${standingBytes}`);
});

for (const each of cases.filter(({ receive, send, socket }) => (receive || send) && !socket))
  device(
    `${each.name}: from the 10th record to the last, nothing grows and each costs the same`,
    async (t) => {
      const [tenth, eleventh, ...last] = (await steps(each)).marks.filter(({ label }) =>
        label.startsWith("record "),
      );
      t.is(last.length, 2);
      for (const { slotBytes, chunkBytes } of last)
        t.deepEqual([slotBytes, chunkBytes], [tenth.slotBytes, tenth.chunkBytes]);
      t.is(last[1].computrons - last[0].computrons, eleventh.computrons - tenth.computrons);
    },
  );
