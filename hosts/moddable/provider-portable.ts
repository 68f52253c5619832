/** Module `tlstaple/portable`, where there is no PSA Crypto: noble, with randomness from the system. */

import random from "tlstaple/entropy";
import type { Signer } from "../../src/crypto/index.js";
import { portable } from "../portable/provider.js";
import { signer as portableSigner } from "../portable/signer.js";
import { readPrivateKey } from "./pkcs8.js";

export const provider = portable({ random, lean: true });

/** Signs with a private key in PKCS #8 DER. */
export function signer(der: Uint8Array): Signer {
  const { kind, start, end } = readPrivateKey(der);
  return portableSigner(kind, der.slice(start, end));
}

export default { provider, signer };
