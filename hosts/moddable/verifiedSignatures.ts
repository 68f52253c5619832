/** Module `tlstaple/verifiedSignatures`: signatures that were verified before. An application may do without. */

import type { Provider } from "../../src/crypto/index.js";
import { SignatureMemory } from "../../src/pki/index.js";
import { attempt } from "./attempt.js";
import { bytesOf } from "./bytes.js";
import type { Platform, SignatureStore } from "./platform.js";

/** How many are remembered, unless an application says how many. */
const USUAL = 8;

/** What all sockets share, in RAM. Made where a module begins, its one field is in flash until it changes. */
class Shared {
  private memory: SignatureMemory | undefined;

  /** Of so many at least. */
  of(provider: Provider, count: number): SignatureMemory {
    const known = this.memory?.provider === provider ? this.memory : undefined;
    if (known && known.count >= count) return known;
    this.memory = new SignatureMemory(provider, count, known?.bytes);
    return this.memory;
  }
}

const shared = new Shared();

/** One connection's, of what the application keeps. */
class Kept extends SignatureMemory {
  private readonly platform: Platform;
  private readonly store: SignatureStore;

  constructor(platform: Platform, store: SignatureStore) {
    const saved = attempt(platform, () => store.get());
    super(platform.provider, USUAL, saved ? bytesOf(saved) : undefined);
    this.platform = platform;
    this.store = store;
  }

  /** Hands the application what is new. */
  hand(): void {
    if (this.changed) attempt(this.platform, () => this.store.set(this.bytes.buffer as ArrayBuffer));
  }
}

/** What remembers a connection's signatures: so many with all others', or those that the application keeps. */
export function remember(platform: Platform, given: number | SignatureStore = USUAL): SignatureMemory {
  return typeof given === "number" ? shared.of(platform.provider, given) : new Kept(platform, given);
}
