import type { AeadAlgorithm, Provider, Verification } from "../../src/crypto/provider.js";
import { groups, schemes } from "../../src/crypto/suites.js";
import { signatureScheme } from "../../src/wire/registry.js";
import type { PsaNative } from "./native.js";

/** AES first, which most devices have hardware for. */
const aeads: readonly AeadAlgorithm[] = Object.freeze<AeadAlgorithm[]>([
  "aes-128-gcm",
  "aes-256-gcm",
  "chacha20-poly1305",
]);

/** What PSA Crypto lacks. */
export interface PsaOptions {
  /** Verifies Ed25519 signatures. Without it the scheme is not offered. */
  readonly ed25519?: () => Verification;
}

/** The provider over the PSA Crypto API, with whatever the library at hand was built to do. */
export function psa(native: PsaNative, { ed25519 }: PsaOptions = {}): Provider {
  const supports = (what: AeadAlgorithm | number) => native.supports(what);
  const verifies = (scheme: number) => (scheme === signatureScheme.ed25519 ? !!ed25519 : supports(scheme));
  return Object.freeze<Provider>({
    name: "psa",
    aeads: Object.freeze(aeads.filter(supports)),
    groups: Object.freeze(groups.filter(supports)),
    schemes: Object.freeze(schemes.map(({ id }) => id).filter(verifies)),
    random: native.random,

    hash(algorithm) {
      return new native.Hash(algorithm);
    },

    hmac: native.hmac,

    aead(algorithm, key, start, end) {
      return new native.Aead(algorithm, key, start, end);
    },

    exchange(group) {
      return new native.Exchange(group);
    },

    verification(scheme) {
      if (scheme === signatureScheme.ed25519 && ed25519) return ed25519();
      return new native.Verification(scheme);
    },
  });
}
