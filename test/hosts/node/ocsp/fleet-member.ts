/** One server of a fleet, as a process: takes a staple from the store, or fetches it, and tells what it has. */

import { createHash } from "node:crypto";
import { Stapler } from "../../../../hosts/node/index.js";
import { openStore, type StoreKind } from "../open-store.js";

const [kind, place, timeout, ...chain] = process.argv.slice(2);
const { store, close } = openStore(kind as StoreKind, place);
const stapler = new Stapler({ store, timeout: Number(timeout), wait: 60_000 });
const certificates = chain.map((der) => Buffer.from(der, "base64"));

// All come at once
process.once("message", async () => {
  const { staples } = await stapler.staples(certificates, 1);
  const staple = staples[0] && createHash("sha256").update(staples[0]).digest("hex");
  process.send!({ staple, counters: stapler.counters });
  process.once("message", async () => {
    stapler.close();
    await close();
    process.disconnect();
  });
});
process.send!("ready");
