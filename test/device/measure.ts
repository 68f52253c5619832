import type { DeviceCase } from "./cases.js";
import type { Job } from "./job.js";
import { record } from "./record.js";
import { replay, type Stats } from "./xs.js";

/** What a connection costs on a device, all told in bytes of 32-bit XS. */
export interface Cost {
  /** Peak of slots and chunks, buffers included, over what is preloaded, in the smallest arena. */
  readonly totalBytes: number;
  readonly slotPeakBytes: number;
  readonly chunkPeakBytes: number;
  /** The client's buffers: they are chunks. */
  readonly bufferBytes: number;
  readonly stackPeakSlots: number;
  /** The smallest arena that passes: slots, chunks, and a stack of the slots that it needs. */
  readonly arenaBytes: number;
  /** Bytecodes and calls from the first to the last, without those of the collector and of cryptography in C. */
  readonly computrons: number;
  /** What the crypto library allocates by itself. */
  readonly nativeHeapPeakBytes: number;
}

export interface Measurement {
  readonly cost: Cost;
  /** In an arena with room to spare, with live objects only at each mark. */
  readonly roomy: Stats;
}

/** Enough for anything measured here. */
const ROOMY = 1 << 20;
/** The search for the smallest arena stops at steps of so many bytes. */
const GRAIN = 64;
/** The first arena that is tried; stacks are larger than what their peak says by a frame or two. */
const SLOT = 16;
const FRAME = 24;

/** Replays a connection in arenas of falling size. Throws when it fails for another reason than memory. */
export function measure(device: DeviceCase): Measurement {
  const job = record(device);
  const roomy = passing(job, ROOMY, 1024);
  if (roomy === undefined) throw new Error(`${device.name} does not fit in ${ROOMY} bytes`);
  const stack = roomy.stackPeakSlots + FRAME;
  const arenaBytes = smallest(job, stack);
  const tight = passing(job, arenaBytes, stack);
  if (tight === undefined) throw new Error(`${device.name} does not pass twice`);
  const { input, output, store } = device.buffers;
  const cost: Cost = {
    totalBytes: tight.slotPeak + tight.chunkPeak,
    slotPeakBytes: tight.slotPeak,
    chunkPeakBytes: tight.chunkPeak,
    bufferBytes: input + output + store,
    stackPeakSlots: roomy.stackPeakSlots,
    arenaBytes,
    computrons: roomy.computrons - roomy.baseline.computrons,
    nativeHeapPeakBytes: roomy.nativePeak,
  };
  return { cost, roomy };
}

/** The statistics of a run, or undefined when there was too little memory. */
function passing(job: Job, arena: number, stack: number): Stats | undefined {
  const { code, output, stats } = replay(job, arena, stack);
  if (code === 0 && output.startsWith("established")) return stats;
  if (code === OUT_OF_MEMORY) return undefined;
  throw new Error(`exit ${code}: ${output}`);
}

/** As hosts/xs/host.h has it. */
const OUT_OF_MEMORY = 70;

function smallest(job: Job, stack: number): number {
  let fails = stack * SLOT;
  let passes = fails + 65536;
  while (passes - fails > GRAIN) {
    const middle = (fails + passes) >> 1;
    if (passing(job, middle & -GRAIN, stack)) passes = middle & -GRAIN;
    else fails = middle;
  }
  return passes;
}
