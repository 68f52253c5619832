/**
 * `npm run test:moddable`: the package in the Moddable SDK that `$MODDABLE` names, which CI does not have. It ends
 * with 0 when all is well, 1 when a check failed, 2 when something is missing. With KEEP=1 what was built stays.
 */

import { rmSync } from "node:fs";
import { testClassic } from "./classic.js";
import { testClients } from "./clients.js";
import { testExamples } from "./examples.js";
import { testFetch } from "./fetch.js";
import { testNetwork } from "./network.js";
import { failed } from "./report.js";
import { Builder, missing, sdkVersion, short } from "./sdk.js";
import { measureSizes, testReplacement } from "./sizes.js";
import { testTypes } from "./types.js";
import { makeWorkplace } from "./workplace.js";

async function main(): Promise<number> {
  const lacks = await missing();
  if (lacks.length > 0) {
    console.error(`npm run test:moddable needs the Moddable SDK. Missing:\n  - ${lacks.join("\n  - ")}`);
    return 2;
  }
  console.log(`Moddable SDK ${await sdkVersion()} in ${short(process.env.MODDABLE!)}`);
  const folder = makeWorkplace();
  try {
    const builder = new Builder(folder);
    await testClients(builder, folder);
    await testNetwork(builder, folder);
    await testFetch(builder, folder);
    await testClassic(builder, folder);
    await testExamples(builder, folder);
    await testTypes(builder, folder);
    await testReplacement(builder, folder);
    await measureSizes(builder, folder);
  } finally {
    if (process.env.KEEP) console.log(`kept: ${folder}`);
    else rmSync(folder, { recursive: true, force: true });
  }
  console.log(failed() === 0 ? "\nAll is well." : `\n${failed()} checks failed.`);
  return failed() === 0 ? 0 : 1;
}

process.exitCode = await main();
