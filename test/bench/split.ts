/**
 * The process that measures the library without network and server: a recorded connection is played to one
 * client over and over, with the real provider and then with one that only repeats answers. The difference
 * between the two is the provider's part.
 *
 * Bytes allocated are the growth of V8's heap (`heapUsed`) and of what lies outside it (`arrayBuffers`) while
 * no garbage collection runs; new objects go to a young generation that was made large enough for the window.
 */

import { X509Certificate } from "node:crypto";
import { PerformanceObserver } from "node:perf_hooks";
import { setImmediate } from "node:timers/promises";
import { provider } from "../../hosts/node/index.js";
import { type ClientOptions, type Provider, TlsClient, trustAnchor } from "../../src/client/index.js";
import { Echo, play, Repeater, record } from "./replay.js";
import { findScenario, SERVER_NAME, trustedRoot } from "./scenarios.js";

/** What this process is asked for. */
export interface SplitOrder {
  readonly scenario: string;
  readonly port: number;
  readonly milliseconds: number;
}

/** Of one handshake, or of one record. */
export interface Cost {
  readonly cpuMicroseconds: number;
  /** Bytes of objects. */
  readonly heap: number;
  /** Bytes of Buffers' contents outside the heap. */
  readonly buffers: number;
}

export interface Split {
  readonly scenario: string;
  /** With the real provider, and with none: the core. */
  readonly handshake: { readonly all: Cost; readonly core: Cost };
  /** Of 16 KiB. */
  readonly record: { readonly all: Cost; readonly core: Cost };
  /** A new client in its default buffers. */
  readonly construction: Cost;
}

/** Flags for V8: young objects stay where they are until 2 x 64 MiB are full. */
export const flags = ["--min-semi-space-size=64", "--max-semi-space-size=64"];

const RECORD = 16384;
const RECORDS = 256;

function optionsOf(scenario: string, crypto: Provider): ClientOptions {
  const root = new X509Certificate(trustedRoot(findScenario(scenario).edition));
  return {
    provider: crypto,
    serverName: SERVER_NAME,
    trust: [trustAnchor(root.raw)],
    clock: () => Math.floor(Date.now() / 1000),
    ocsp: { policy: "leaf" },
  };
}

/** Plays one recording, again and again. */
type Run = () => void;

interface Recording {
  readonly all: Run;
  readonly core: Run;
}

async function prepare({ scenario, port }: SplitOrder, bytes: number): Promise<Recording> {
  const repeater = new Repeater(provider);
  const echo = new Echo(repeater.provider);
  const recorded = await record(port, optionsOf(scenario, echo.recorder), bytes);
  const run = (crypto: Provider, rewind: () => void) => {
    const client = new TlsClient(optionsOf(scenario, crypto));
    return () => {
      rewind();
      client.reset();
      if (play(client, recorded) !== bytes) throw new Error("the recording plays differently");
    };
  };
  return {
    all: run(repeater.provider, () => repeater.rewind()),
    core: run(echo.provider, () => echo.rewind()),
  };
}

let collections = 0;
new PerformanceObserver((list) => {
  collections += list.getEntries().length;
}).observe({ entryTypes: ["gc"] });

/** Bytes that `times` runs allocate, for each of them. */
async function allocated(run: Run, times: number): Promise<Pick<Cost, "heap" | "buffers">> {
  // Buffers are freed in the background, which the next collection waits for
  globalThis.gc?.();
  globalThis.gc?.();
  await setImmediate();
  await setImmediate();
  const earlier = collections;
  const before = process.memoryUsage();
  for (let i = 0; i < times; i++) run();
  const after = process.memoryUsage();
  await setImmediate();
  await setImmediate();
  if (collections > earlier) throw new Error("a garbage collection spoilt the count");
  return {
    heap: (after.heapUsed - before.heapUsed) / times,
    buffers: (after.arrayBuffers - before.arrayBuffers) / times,
  };
}

function cpuTime(run: Run, milliseconds: number): number {
  globalThis.gc?.();
  const end = performance.now() + milliseconds;
  const before = process.cpuUsage();
  let times = 0;
  for (; performance.now() < end; times++) run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / times;
}

/** The first half of the time is for warming up. */
async function costOf(run: Run, times: number, milliseconds: number): Promise<Cost> {
  cpuTime(run, milliseconds);
  const cpuMicroseconds = cpuTime(run, milliseconds);
  return { cpuMicroseconds, ...(await allocated(run, times)) };
}

/** A record's cost: that of a connection with many, less that of one with none to speak of. */
function perRecord(bulk: Cost, handshake: Cost): Cost {
  return {
    cpuMicroseconds: (bulk.cpuMicroseconds - handshake.cpuMicroseconds) / RECORDS,
    heap: (bulk.heap - handshake.heap) / RECORDS,
    buffers: (bulk.buffers - handshake.buffers) / RECORDS,
  };
}

async function measure(order: SplitOrder): Promise<Split> {
  const { scenario, milliseconds } = order;
  const short = await prepare(order, 1);
  const long = await prepare(order, RECORD * RECORDS);
  const all = await costOf(short.all, 20, milliseconds);
  const core = await costOf(short.core, 20, milliseconds);
  const options = optionsOf(scenario, provider);
  return {
    scenario,
    handshake: { all, core },
    record: {
      all: perRecord(await costOf(long.all, 1, milliseconds), all),
      core: perRecord(await costOf(long.core, 1, milliseconds), core),
    },
    construction: await costOf(() => new TlsClient(options), 20, milliseconds),
  };
}

if (process.send) {
  process.once("disconnect", () => process.exit());
  process.on("message", async (order: SplitOrder) => {
    try {
      process.send?.(await measure(order));
    } catch (error) {
      process.send?.({ error: (error as Error).stack });
    }
  });
  process.send({});
}
