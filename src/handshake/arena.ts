import { Store } from "../pki/store.js";
import { Outbox } from "../record/outbox.js";
import { type BufferSizes, firstInput } from "./options.js";

// One array for a connection's bytes: the input buffer, the output buffer, the store. Where the input buffer may grow,
// it and the store are arrays of their own, which can be given back: the one when it is too small, the other after the
// handshake.

/** The arena that the sizes ask for, or the one that is given. Throws RangeError for one that is too small. */
export function arenaOf(buffers: BufferSizes, given: Uint8Array | undefined): Uint8Array {
  const needed = outputEnd(buffers) + (isWhole(buffers) ? buffers.store : 0);
  if (given === undefined) return new Uint8Array(needed);
  if (given.length < needed) throw new RangeError(`tlstaple: the arena needs ${needed} bytes`);
  return given;
}

/** Whether all is in the arena. */
function isWhole({ input }: BufferSizes): boolean {
  return typeof input === "number";
}

/** Where the output buffer begins, and ends. */
function outputStart(buffers: BufferSizes): number {
  return isWhole(buffers) ? firstInput(buffers) : 0;
}

function outputEnd(buffers: BufferSizes): number {
  return outputStart(buffers) + buffers.output;
}

/** The input buffer's bytes. */
export function inputOf(buffers: BufferSizes, arena: Uint8Array): Uint8Array {
  return isWhole(buffers) ? arena : new Uint8Array(firstInput(buffers));
}

export function outboxOf(buffers: BufferSizes, arena: Uint8Array): Outbox {
  return new Outbox(arena, outputStart(buffers), outputEnd(buffers));
}

export function storeOf(buffers: BufferSizes, arena: Uint8Array): Store {
  if (!isWhole(buffers)) return new Store(new Uint8Array(buffers.store));
  const start = outputEnd(buffers);
  return new Store(arena, start, start + buffers.store);
}
