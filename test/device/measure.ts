import type { Stats, Target } from "../../hosts/xs/driver/machine.js";
import { firstInput } from "../../src/handshake/options.js";
import type { DeviceCase } from "./cases.js";
import { count, type Instructions } from "./instructions.js";
import { record } from "./record.js";
import { type Replayable, replay } from "./xs.js";

/** What a connection costs on a device, all told in bytes of 32-bit XS. */
export interface Cost {
  /** Peak of slots and chunks, buffers included, over what is preloaded, in the smallest arena. */
  readonly totalBytes: number;
  readonly slotPeakBytes: number;
  readonly chunkPeakBytes: number;
  /** The client's buffers, at first: they are chunks. */
  readonly bufferBytes: number;
  /** What is live once all that the server sent was taken. */
  readonly standingBytes: number;
  readonly stackPeakSlots: number;
  /** The smallest arena that passes: slots, chunks, and a stack of the slots that it needs. */
  readonly arenaBytes: number;
  /** Bytecodes and calls from the first to the last, without those of the collector and of cryptography in C. */
  readonly computrons: number;
  /** What the crypto library allocates by itself. */
  readonly nativeHeapPeakBytes: number;
}

/** What it costs on RV32. */
export interface Rv32Cost extends Cost {
  /** From the first to the last, by whose they are; undefined where the emulator can't count. */
  readonly instructions: Instructions | undefined;
}

/** Enough for anything measured here. */
const ROOMY = 1 << 20;
/** The search for the smallest arena stops at steps of so many bytes. */
const GRAIN = 64;
const SLOT = 16;
/** A call checks for more stack than it takes. */
const FRAME = 24;

/** Replays a connection in arenas of falling size. Throws when it fails for another reason than memory. */
export async function measure(device: DeviceCase, target: Target = "native"): Promise<Cost> {
  const recorded = { ...record(device), target };
  const roomy = await passing(recorded, ROOMY, 1024);
  if (roomy === undefined) throw new Error(`${device.name} does not fit in ${ROOMY} bytes`);
  const stack = roomy.stackPeakSlots + FRAME;
  const arenaBytes = await smallest(recorded, stack);
  const tight = await passing(recorded, arenaBytes, stack);
  if (tight === undefined) throw new Error(`${device.name} does not pass twice`);
  const { output, store } = device.buffers;
  return {
    totalBytes: tight.slotPeak + tight.chunkPeak,
    slotPeakBytes: tight.slotPeak,
    chunkPeakBytes: tight.chunkPeak,
    bufferBytes: firstInput(device.buffers) + output + store,
    standingBytes: await standing(recorded),
    stackPeakSlots: roomy.stackPeakSlots,
    arenaBytes,
    computrons: roomy.computrons - roomy.baseline.computrons,
    nativeHeapPeakBytes: roomy.nativePeak,
  };
}

/** The same on RV32, and the instructions. */
export async function measureOnRv32(device: DeviceCase): Promise<Rv32Cost> {
  return { ...(await measure(device, "rv32")), instructions: await count(record(device)) };
}

/** The steps of a connection, with what is live after each. */
export async function steps(device: DeviceCase, target: Target = "native"): Promise<Stats> {
  const recorded = record(device);
  const stats = await passing({ ...recorded, target, job: { ...recorded.job, live: true } }, ROOMY, 1024);
  if (stats === undefined) throw new Error(`${device.name} does not fit in ${ROOMY} bytes`);
  return stats;
}

async function standing(recorded: Replayable): Promise<number> {
  const stats = await passing({ ...recorded, job: { ...recorded.job, live: true } }, ROOMY, 1024);
  const last = stats?.marks.at(-1);
  if (last === undefined) throw new Error("no connection stands");
  return last.slotBytes + last.chunkBytes;
}

/** The statistics of a run, or undefined when there was too little memory. */
async function passing(recorded: Replayable, arena: number, stack: number): Promise<Stats | undefined> {
  const { code, output, stats } = await replay(recorded, arena, stack);
  if (code === 0 && output.startsWith("established")) return stats;
  if (code === OUT_OF_MEMORY) return undefined;
  throw new Error(`exit ${code}: ${output}`);
}

/** As hosts/xs/host.h has it. */
const OUT_OF_MEMORY = 70;

async function smallest(recorded: Replayable, stack: number): Promise<number> {
  let fails = stack * SLOT;
  let passes = fails + 65536;
  while (passes - fails > GRAIN) {
    const middle = (fails + passes) >> 1;
    if (await passing(recorded, middle & -GRAIN, stack)) passes = middle & -GRAIN;
    else fails = middle;
  }
  return passes;
}
