import type { SessionCache } from "../../hosts/moddable/platform.js";
import type { TLSSocket } from "../../hosts/moddable/socket.js";
import { fromHex } from "../../hosts/xs/text.js";
import { job, recorded, trust } from "./flash.js";
import { provider } from "./provider.js";
import { connect, platformOf, play, transportOf } from "./replayed.js";

// Replays a recorded handshake through the Moddable socket.

const { kept } = job;
const transport = transportOf(recorded);
const platform = platformOf(provider, job.clock, fromHex(kept?.signatures ?? ""));
const offered = kept?.session ? fromHex(kept.session).buffer : undefined;
const cache: SessionCache = Object.freeze({
  get: () => offered,
  set(_: string, bytes: ArrayBuffer | undefined): void {
    globalThis.world.kept = bytes;
  },
});
const secure = Object.freeze({
  cache: kept ? cache : false,
  verifiedSignatures: kept ? undefined : 0,
  onSecure: kept ? checkResumed : undefined,
});

function checkResumed({ session: spoken }: TLSSocket): void {
  if (spoken?.resumed !== (offered !== undefined)) throw new Error("resumed, or not");
}

globalThis.main = function main(): void {
  globalThis.world = { tcp: undefined, callback: undefined, established: false };
  const socket = connect(job, trust, transport, platform, secure);
  note("CONSTRUCTED");
  play();
  note("ESTABLISHED");
  if (!globalThis.world.established)
    throw new Error(socket.session === undefined ? "it ended" : "it stopped");
  host.print("established");
};

function note(label: string): void {
  if (job.live) host.collect();
  host.mark(label);
}
