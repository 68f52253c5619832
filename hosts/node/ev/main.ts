/**
 * `npm run ev`: an electric vehicle meets chargers on 127.0.0.1, by ISO 15118-2 and by ISO 15118-20. It must take the good ones
 * and refuse the others. Exits with 0 only if it does.
 */

import { describeVerdict } from "../commands/report.js";
import { demonstrate, judged } from "../common/demonstration.js";
import type { ProfileName } from "../index.js";
import { Trace } from "../trace/trace.js";
import { meet, type Scene, type Stage, stageOf } from "./scenes.js";

/** Milliseconds for everything. */
const PATIENCE = 60_000;

const profiles: readonly ProfileName[] = ["iso15118-2", "iso15118-20"];

/** One meeting, shown; whether it ended as it must. */
async function show(stage: Stage, scene: Scene): Promise<boolean> {
  console.log(`\n${stage.profile}: ${scene.what}`);
  const trace = new Trace((line) => console.log(`  ${line}`));
  const { got, socket, charger } = await meet(stage, scene, {
    onMessage: (...message) => trace.record(...message),
  });
  for (const verdict of socket.ocsp) console.log(`  verdict: ${describeVerdict(verdict)}`);
  console.log(`  the charger: ${charger}`);
  return judged(scene.expected, got);
}

async function meetings(): Promise<boolean[]> {
  const results: boolean[] = [];
  for (const profile of profiles) {
    const stage = await stageOf(profile);
    for (const scene of stage.scenes) results.push(await show(stage, scene));
    stage.close();
  }
  return results;
}

await demonstrate("meetings", PATIENCE, meetings);
