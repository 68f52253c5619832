/** Module `tlstaple/provider` over the PSA Crypto API of ESP-IDF's Mbed TLS. */

import native from "tlstaple/psa";
import type { PrivateKeySpan, Signer } from "../../src/crypto/index.js";
import { signatureScheme } from "../../src/wire/index.js";
import { psa } from "../psa/provider.js";
import { signer as psaSigner } from "../psa/signer.js";

/**
 * What ESP-IDF builds by default: all but Poly1305. It is settled here because this module is preloaded, on a
 * machine that cannot ask the device.
 */
function supports(what: string | number): boolean {
  return what !== "chacha20-poly1305" && what !== signatureScheme.ed25519 && what !== signatureScheme.ed448;
}

const device = Object.freeze(Object.assign({}, native, { supports }));

export const provider = psa(device);

/** Signs with P-256, P-384 and RSA, and with P-521. */
export function signer(key: PrivateKeySpan): Signer {
  return psaSigner(device, provider, key);
}
