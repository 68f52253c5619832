/** Module `tlstaple/portable`: noble, with randomness from the system. */

import random from "tlstaple/entropy";
import type { PrivateKeySpan, Signer } from "../../src/crypto/index.js";
import { portable } from "../portable/provider.js";
import { signerOf } from "../portable/signer.js";

export const provider = portable({ random, lean: true });

/** Signs with P-256, P-384 and Ed25519. */
export function signer(key: PrivateKeySpan): Signer {
  return signerOf(key);
}

/** What `Modules.importNow` returns of a module. */
export default Object.freeze({ provider, signer });
