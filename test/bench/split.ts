/**
 * The process that measures the library without network and server: a recorded connection is played to one
 * client over and over, with the real provider and then with one that only repeats answers. The difference
 * between the two is the provider's part.
 *
 * One process measures time, as programs do. Another counts bytes: the growth of V8's heap (`heapUsed`) and of
 * what lies outside it (`arrayBuffers`) while no garbage is collected, which takes a large young generation.
 */

import { X509Certificate } from "node:crypto";
import { PerformanceObserver } from "node:perf_hooks";
import { setImmediate } from "node:timers/promises";
import { provider } from "../../hosts/node/index.js";
import { type ClientOptions, type Provider, TlsClient, trustAnchor } from "../../src/client/index.js";
import { Echo, play, Repeater, record } from "./replay.js";
import { findScenario, SERVER_NAME, trustedRoot } from "./scenarios.js";
import { median } from "./stats.js";

/** What this process is asked for. */
export interface SplitOrder {
  readonly scenario: string;
  readonly port: number;
  readonly milliseconds: number;
}

/** Of one handshake, or of one record. What a process does not measure is 0. */
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

/** V8's flags for counting: young objects stay where they are until 64 MiB are full. */
export const countingFlags = ["--min-semi-space-size=64", "--max-semi-space-size=64"];

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
  const run = (crypto: Provider, rewind: () => void) => () => {
    rewind();
    const client = new TlsClient(optionsOf(scenario, crypto));
    if (play(client, recorded) !== bytes) throw new Error("the recording plays differently");
  };
  return {
    all: run(repeater.provider, () => repeater.rewind()),
    core: run(echo.provider, () => echo.rewind()),
  };
}

let collections = 0;

function watchCollections(): void {
  new PerformanceObserver((list) => {
    collections += list.getEntries().length;
  }).observe({ entryTypes: ["gc"] });
}

/** Bytes that `times` runs allocate, for each of them, once the code is compiled. */
async function count(run: Run, times: number, milliseconds: number): Promise<Cost> {
  cpuTime(run, milliseconds);
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
    cpuMicroseconds: 0,
    heap: (after.heapUsed - before.heapUsed) / times,
    buffers: (after.arrayBuffers - before.arrayBuffers) / times,
  };
}

const WINDOWS = 10;

/** CPU time of a run: the median of several windows, after as long a time for warming up. */
function time(run: Run, milliseconds: number): Cost {
  const windows: number[] = [];
  for (let i = 0; i < 2 * WINDOWS; i++) windows.push(cpuTime(run, milliseconds / WINDOWS));
  return { cpuMicroseconds: median(windows.slice(WINDOWS)), heap: 0, buffers: 0 };
}

function cpuTime(run: Run, milliseconds: number): number {
  const end = performance.now() + milliseconds;
  const before = process.cpuUsage();
  let times = 0;
  do {
    run();
    times++;
  } while (performance.now() < end);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / times;
}

const counting = process.argv[2] === "count";

async function costOf(run: Run, times: number, milliseconds: number): Promise<Cost> {
  return counting ? await count(run, times, milliseconds) : time(run, milliseconds);
}

/** What two processes measured of the same thing. */
export function add(a: Cost, b: Cost): Cost {
  return {
    cpuMicroseconds: a.cpuMicroseconds + b.cpuMicroseconds,
    heap: a.heap + b.heap,
    buffers: a.buffers + b.buffers,
  };
}

export function subtract(a: Cost, b: Cost): Cost {
  return add(a, { cpuMicroseconds: -b.cpuMicroseconds, heap: -b.heap, buffers: -b.buffers });
}

/** A record's cost: that of a connection with many, less that of one with none to speak of. */
function perRecord(bulk: Cost, handshake: Cost): Cost {
  const { cpuMicroseconds, heap, buffers } = subtract(bulk, handshake);
  return { cpuMicroseconds: cpuMicroseconds / RECORDS, heap: heap / RECORDS, buffers: buffers / RECORDS };
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
  watchCollections();
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
