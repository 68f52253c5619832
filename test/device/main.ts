import { cases } from "./cases.js";
import { record } from "./record.js";
import { replay } from "./xs.js";

const only = process.argv.slice(2);
for (const device of cases) {
  if (only.length > 0 && !only.includes(device.name)) continue;
  const job = record(device);
  const { code, output, stats } = replay(job, 1 << 20, 1024);
  console.log(device.name, code, output.trim());
  for (const mark of stats.marks)
    console.log(
      `  ${mark.label.padEnd(28)} slots ${mark.slotBytes} chunks ${mark.chunkBytes} native ${mark.nativeBytes} ${mark.computrons}`,
    );
  console.log(`  stack ${stats.stackPeakSlots} nativePeak ${stats.nativePeak} shared ${stats.sharedBytes}`);
}
