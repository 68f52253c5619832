import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { credential } from "../../certs/fixtures.js";
import { attempt } from "./report.js";
import type { Builder } from "./sdk.js";

/** An application that is an example with a configuration of its own, built for the simulator. */
export function buildExample(
  builder: Builder,
  folder: string,
  name: string,
  config: Record<string, unknown>,
): Promise<string | undefined> {
  const app = join(folder, `example-${name}`);
  mkdirSync(app);
  writeFileSync(join(app, "ca0.der"), credential("p256", "root").chain[0]);
  const include = [`../node_modules/tlstaple/hosts/moddable/examples/${name}/manifest.json`];
  writeFileSync(join(app, "manifest.json"), JSON.stringify({ include, data: { "*": "./ca0" }, config }));
  return attempt(`${name} is built`, () => builder.lin(app));
}
