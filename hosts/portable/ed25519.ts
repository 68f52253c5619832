/** Ed25519 signatures by noble, apart from the rest: PSA Crypto has none, so a device may want these alone. */

import { ed25519 } from "@noble/curves/ed25519.js";
import type { Verification } from "../../src/crypto/index.js";
import { EdwardsVerification } from "./edwards.js";

export function ed25519Verification(): Verification {
  return new EdwardsVerification("ed25519", (signature, message, publicKey) =>
    // RFC 8032 as written; noble's default, ZIP 215, takes keys and points of more than one encoding
    ed25519.verify(signature, message, publicKey, { zip215: false }),
  );
}
