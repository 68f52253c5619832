/**
 * A client process: one peer, so that CPU, compiled code and garbage are that peer's alone. Takes orders over
 * IPC, and runs them one after the other.
 */

import type { Provider } from "../../src/client/index.js";
import type { Peer, Target } from "./peers/peer.js";

export const peerNames = [
  "ciphers",
  "tcp",
  "node:tls",
  "tlstaple",
  "tlstaple again",
  "tlstaple portable",
  "subtls",
  "reclaim",
  "forge",
];

async function tlstaple(provider: Provider, remembered?: number): Promise<Peer> {
  return (await import("./peers/tlstaple.js")).tlstaple(provider, remembered);
}

/** A peer's modules are loaded in its own process only. */
async function load(name: string): Promise<Peer> {
  switch (name) {
    case "ciphers":
      return (await import("./peers/ciphers.js")).peer;
    case "tcp":
      return (await import("./peers/tcp.js")).peer;
    case "node:tls":
      return (await import("./peers/node.js")).peer;
    case "tlstaple":
      return tlstaple((await import("../../hosts/node/index.js")).provider);
    case "tlstaple again":
      return tlstaple((await import("../../hosts/node/index.js")).provider, 256);
    case "tlstaple portable":
      return tlstaple((await import("../../hosts/portable/index.js")).portable());
    case "subtls":
      return (await import("./peers/subtls.js")).peer;
    case "reclaim":
      return (await import("./peers/reclaim.js")).peer;
    case "forge":
      return (await import("./peers/forge.js")).peer;
    default:
      throw new Error(`no such peer: ${name}`);
  }
}

/** Fetches `bytes` over and over, one connection after the other, for about `milliseconds`. */
export interface Order {
  readonly target: Target;
  readonly bytes: number;
  readonly milliseconds: number;
}

/** What came of it. Times are totals in milliseconds. */
export interface Sample {
  readonly connections: number;
  readonly wall: number;
  /** All threads of the process, user and system. */
  readonly cpu: number;
  /** What was negotiated. */
  readonly facts: string;
}

/** What a peer says of itself when it is ready. */
export type Introduction = Pick<Peer, "verifies" | "limits" | "scenarios" | "staples">;

/** No collection is forced between samples: it would throw compiled code away, of which node:tls has little. */
async function run(peer: Peer, { target, bytes, milliseconds }: Order): Promise<Sample> {
  const cpuStart = process.cpuUsage();
  const start = performance.now();
  let facts = "";
  let connections = 0;
  for (; performance.now() - start < milliseconds; connections++) facts = await peer.fetch(target, bytes);
  const wall = performance.now() - start;
  const { user, system } = process.cpuUsage(cpuStart);
  return { connections, wall, cpu: (user + system) / 1000, facts };
}

async function main(name: string): Promise<void> {
  const peer = await load(name);
  process.once("disconnect", () => process.exit());
  process.on("message", async (order: Order) => {
    try {
      process.send?.(await run(peer, order));
    } catch (error) {
      process.send?.({ error: `${name}: ${(error as Error).message}` });
    }
  });
  const { verifies, limits, scenarios, staples } = peer;
  process.send?.({ verifies, limits, scenarios, staples } satisfies Introduction);
}

if (process.send) await main(process.argv[2]);
