import { cases } from "./cases.js";
import { type Cost, measure } from "./measure.js";

// npm run device [-- --json] [case ...]: what connections cost on a device, measured in XS.

const json = process.argv.includes("--json");
const only = process.argv.slice(2).filter((name) => !name.startsWith("--"));
const costs: Record<string, Cost> = {};
for (const device of cases) {
  if (only.length > 0 && !only.includes(device.name)) continue;
  const { cost } = measure(device);
  costs[device.name] = cost;
  if (!json) console.log(device.name, cost);
}
if (json) console.log(JSON.stringify(costs, null, 2));
