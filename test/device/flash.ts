import { psa } from "../../hosts/psa/index.js";
import { fromHex, toText } from "../../hosts/xs/text.js";
import type { Provider } from "../../src/crypto/provider.js";
import type { Job } from "./job.js";

// What the programs have in flash: the recorded connection, and a provider that plays along.

export const job: Job & { server: string } = JSON.parse(toText(host.readFile(programArguments[0])));
/** All that the server sends. */
export const recorded = new Uint8Array(host.readFile(job.server));
export const trust = fromHex(job.trust);
const privateKey = new Uint8Array(32).fill(0x42);
/** Bytes of a TCP segment. */
export const SEGMENT = 1460;

/** A provider that draws what the recording's drew; in flash, as firmware's is. */
export const provider: Provider = Object.freeze(
  Object.create(psa(globalThis.psa), {
    aeads: { value: Object.freeze(["aes-128-gcm"]) },
    random: { value: (bytes: Uint8Array, start: number, end: number) => void bytes.fill(0x24, start, end) },
    exchange: { value: (group: number) => new globalThis.psa.Exchange(group, privateKey, 0, 32) },
  }),
);
