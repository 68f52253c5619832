import type { Provider } from "../../../src/crypto/index.js";
import { type Remembered, SignatureMemory } from "../../../src/pki/index.js";
import { valueError } from "../common/errors.js";
import { number, type Read } from "../common/read.js";

/** A memory for each provider, so that none takes the word of another. */
class Memories implements Remembered {
  private readonly memories = new WeakMap<Provider, SignatureMemory>();
  private readonly count: number;

  constructor(count: number) {
    this.count = count;
  }

  settle(...all: Parameters<Remembered["settle"]>): boolean {
    return this.memoryOf(all[0]).settle(...all);
  }

  private memoryOf(provider: Provider): SignatureMemory {
    const memory = this.memories.get(provider) ?? new SignatureMemory(provider, this.count);
    this.memories.set(provider, memory);
    return memory;
  }
}

const usual = 256;
const most = 4096;

/** What all connections of the process share by default. */
export const sharedMemories: Remembered = new Memories(usual);

const none: Remembered = Object.freeze<Remembered>({
  settle: (_provider, _scheme, verification, ...what) => verification.settle(...what),
});

/** How many are remembered; the usual number in what all share, others apart. */
export const readVerifiedSignatures: Read<Remembered> = (value, name) => {
  const count = number(value, name);
  if (count > most) throw valueError(name, `${count} is more than ${most}`);
  if (count === 0) return none;
  return count === usual ? sharedMemories : new Memories(count);
};
