import { Store } from "../pki/store.js";
import { Inbox } from "../record/inbox.js";
import { Outbox } from "../record/outbox.js";
import { type BufferSizes, firstInput, mostInput } from "./options.js";

// One array for a connection's bytes: the input buffer, the output buffer, the store. Where the input buffer may grow,
// it and the store are arrays of their own, which can be given back: the one when it is too small, the other after the
// handshake.

/** The arena that the sizes ask for, or the one that is given. Throws RangeError for one that is too small. */
export function arenaOf(buffers: BufferSizes, given: Uint8Array | undefined): Uint8Array {
  const input = inArena(buffers);
  const needed = input + buffers.output + (input > 0 ? buffers.store : 0);
  if (given === undefined) return new Uint8Array(needed);
  if (given.length < needed) throw new RangeError(`tlstaple: the arena needs ${needed} bytes`);
  return given;
}

/** Bytes of the arena that are the input buffer's; 0 where that, and with it the store, are not there. */
function inArena(buffers: BufferSizes): number {
  const { input } = buffers;
  return typeof input === "number" ? input : 0;
}

export function inboxOf(buffers: BufferSizes, arena: Uint8Array): Inbox {
  const first = firstInput(buffers);
  const bytes = inArena(buffers) > 0 ? arena : new Uint8Array(first);
  return new Inbox(bytes, first, mostInput(buffers));
}

export function outboxOf(buffers: BufferSizes, arena: Uint8Array): Outbox {
  const start = inArena(buffers);
  return new Outbox(arena, start, start + buffers.output);
}

export function storeOf(buffers: BufferSizes, arena: Uint8Array): Store {
  const input = inArena(buffers);
  if (input === 0) return new Store(new Uint8Array(buffers.store));
  const start = input + buffers.output;
  return new Store(arena, start, start + buffers.store);
}
