import { Store } from "../pki/store.js";
import { Outbox } from "../record/outbox.js";
import { type BufferSizes, firstInput } from "./options.js";

// One array for a connection's bytes: the input buffer, the output buffer, the store.

/** The arena that the sizes ask for, or the one that is given. Throws RangeError for one that is too small. */
export function arenaOf(buffers: BufferSizes, given: Uint8Array | undefined): Uint8Array {
  const needed = inputEnd(buffers) + buffers.output + buffers.store;
  if (given === undefined) return new Uint8Array(needed);
  if (given.length < needed) throw new RangeError(`tlstaple: the arena needs ${needed} bytes`);
  return given;
}

/** Where the input buffer ends. One that may grow has memory of its own, which can be given back. */
function inputEnd({ input }: BufferSizes): number {
  return typeof input === "number" ? input : 0;
}

/** The input buffer's bytes. */
export function inputOf(buffers: BufferSizes, arena: Uint8Array): Uint8Array {
  return inputEnd(buffers) > 0 ? arena : new Uint8Array(firstInput(buffers));
}

export function outboxOf(buffers: BufferSizes, arena: Uint8Array): Outbox {
  const start = inputEnd(buffers);
  return new Outbox(arena, start, start + buffers.output);
}

export function storeOf(buffers: BufferSizes, arena: Uint8Array): Store {
  const start = inputEnd(buffers) + buffers.output;
  return new Store(arena, start, start + buffers.store);
}
