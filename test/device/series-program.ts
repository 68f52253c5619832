import { RamCache } from "../../hosts/moddable/cache.js";
import type { SecureOptions, TLSSocket, TlsError } from "../../hosts/moddable/socket.js";
import { fromHex, toText } from "../../hosts/xs/text.js";
import type { Kind, SeriesJob } from "./job.js";
import { provider } from "./provider.js";
import { connect, platformOf, play, tick, transportOf } from "./replayed.js";

// Replays connections of many kinds in one machine, over and over, with what sockets keep from one to the next. After each
// round it marks what is in use.

const { kinds, rounds }: SeriesJob = JSON.parse(toText(host.readFile(programArguments[0])));

/** What a kind needs, in flash. */
const made = kinds.map(({ name, job, server, end }: Kind) => {
  const session = job.kept?.session;
  const offered = session ? fromHex(session).buffer : undefined;
  const cache = {
    get: () => offered,
    set: (_: string, bytes: ArrayBuffer | undefined) => (globalThis.world.cache as RamCache).set(name, bytes),
  };
  const secure: SecureOptions = { cache: job.kept ? cache : false, onSecure: heard, onError: failed };
  const forgetful = { ...secure, verifiedSignatures: 0 };
  const transport = transportOf(new Uint8Array(host.readFile(server)));
  return { name, job, end, trust: fromHex(job.trust), secure, forgetful, transport };
});
const platform = platformOf(provider, kinds[0].job.clock, new Uint8Array(0));

function heard({ session }: TLSSocket): void {
  globalThis.world.end = session?.resumed ? "resumed" : "good";
}

function failed({ code }: TlsError): void {
  globalThis.world.end = code;
}

/** Every other round remembers signatures. */
function run(
  { name, job, end, trust, secure, forgetful, transport }: (typeof made)[number],
  round: number,
): void {
  globalThis.world.end = "nothing";
  const socket = connect(job, trust, transport, platform, round % 2 === 0 ? secure : forgetful);
  play();
  // What is still under way breaks off
  if (globalThis.world.end === "nothing") globalThis.world.tcp?.options.onError?.();
  tick();
  socket.close();
  globalThis.world.tcp = globalThis.world.callback = undefined;
  if (globalThis.world.end !== end) throw new Error(`${name}: ${globalThis.world.end}`);
}

/** Twice, as what the first collection finalizes goes with the second. */
function takeStock(): void {
  host.collect();
  host.collect();
  host.mark("round");
}

globalThis.main = function main(): void {
  globalThis.world = { tcp: undefined, callback: undefined, established: false };
  globalThis.world.cache = new RamCache();
  globalThis.world.end = "";
  takeStock();
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < made.length; i++) run(made[i], round);
    takeStock();
  }
};
