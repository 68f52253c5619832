import { fromHex, toText } from "../../hosts/xs/text.js";
import type { Job } from "./job.js";

// What the programs have in flash: the recorded connection.

export const job: Job & { server: string } = JSON.parse(toText(host.readFile(programArguments[0])));
/** All that the server sends. */
export const recorded = new Uint8Array(host.readFile(job.server));
export const trust = fromHex(job.trust);
