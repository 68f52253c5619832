/** Module `tlstaple/verifiedSignatures`: signatures that were verified before. An application may do without. */

import { SignatureMemory } from "../../src/pki/index.js";
import { attempt } from "./attempt.js";
import { bytesOf } from "./bytes.js";
import type { Platform, SignatureStore } from "./platform.js";

/** How many are remembered, unless an application says how many. */
const USUAL = 8;

/** What all sockets share, in RAM. Made where a module begins, it is in flash until it changes. */
const shared: { memory: SignatureMemory | undefined } = { memory: undefined };

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

/** What remembers a connection's signatures: so many at least with all others', or those that the application keeps. */
export function remember(platform: Platform, given: number | SignatureStore = USUAL): SignatureMemory {
  if (typeof given !== "number") return new Kept(platform, given);
  const { provider } = platform;
  const known = shared.memory?.provider === provider ? shared.memory : undefined;
  if (known && known.count >= given) return known;
  shared.memory = new SignatureMemory(provider, given, known?.bytes);
  return shared.memory;
}
