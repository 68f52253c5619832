import { createPrivateKey } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { credential } from "../../certs/fixtures.js";
import { attempt, heading, note } from "./report.js";
import type { Builder } from "./sdk.js";

/** The examples of the package, built where they are in it: for the simulator, and up to C for the device. */
export async function testExamples(builder: Builder, folder: string): Promise<void> {
  heading("The examples in the package");
  const examples = join(folder, "node_modules/tlstaple/hosts/moddable/examples");
  giveCredentials(join(examples, "mqtts-client-certificate"));
  for (const name of readdirSync(examples)) {
    const app = join(examples, name);
    await attempt(`${name} for lin`, () => builder.lin(app));
    await attempt(`${name} for esp32, up to mc.xs.c`, () => builder.esp32(app));
  }
  if (!builder.realIdf)
    note(
      "for esp32, empty folders stood in for ESP-IDF ($IDF_PATH and idf.py are not set): C was not compiled",
    );
}

/** The files that this example asks its user for. */
function giveCredentials(app: string): void {
  const device = credential("client", "p256");
  writeFileSync(join(app, "broker-ca.der"), credential("p256", "root").chain[0]);
  writeFileSync(join(app, "device.der"), device.chain[0]);
  const key = createPrivateKey(readFileSync(device.keyFile));
  writeFileSync(join(app, "device-key.der"), key.export({ type: "pkcs8", format: "der" }));
}
