/** `npm run ev`: every meeting of a vehicle and a charger ends as it must, and the program says so. */

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import test from "ava";
import { meet, stageOf } from "../../../hosts/node/ev/scenes.js";

for (const profile of ["iso15118-2", "iso15118-20"] as const)
  test(`${profile}: every scene`, async (t) => {
    const stage = await stageOf(profile);
    t.teardown(() => stage.close());
    t.true(stage.scenes.length >= 6);
    for (const scene of stage.scenes) {
      const { got, socket, charger } = await meet(stage, scene);
      t.is(got, scene.expected, scene.what);
      if (!scene.expected.startsWith("Charger")) continue;
      t.deepEqual(
        socket.ocsp.map(({ status }) => status),
        ["good", "good", "good"],
        scene.what,
      );
      t.is(charger, profile === "iso15118-20" ? "Vehicle 1" : "a vehicle without a certificate");
    }
  });

test("the program shows them, and ends with 0", async (t) => {
  const program = fileURLToPath(new URL("../../../hosts/node/ev/main.js", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [program], { timeout: 60_000 });
  t.regex(stdout, /\n13 of 13 meetings ended as they must\.\n$/);
  t.false(stdout.includes("WRONG"));
  t.regex(stdout, /trusted_ca_keys \[O=tlstaple test, CN=V2G Root South, DC=V2G\]/);
  t.regex(stdout, /certificate_authorities \[O=tlstaple test, CN=V2G Root South, DC=V2G\]/);
});
