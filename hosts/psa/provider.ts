import {
  type Aead,
  type AeadAlgorithm,
  type Exchange,
  groups,
  type Hash,
  type HashAlgorithm,
  type Provider,
  schemes,
  type Verification,
} from "../../src/crypto/index.js";
import { signatureScheme } from "../../src/wire/index.js";
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
export function psa(native: PsaNative, options: PsaOptions = {}): Provider {
  return Object.freeze(new PsaProvider(native, options));
}

/** A class, as its methods lie in flash, where those of a literal would be closures in RAM. */
class PsaProvider implements Provider {
  readonly name = "psa";
  readonly aeads: readonly AeadAlgorithm[];
  readonly groups: readonly number[];
  readonly schemes: readonly number[];
  readonly random: Provider["random"];
  readonly hmac: Provider["hmac"];
  private readonly native: PsaNative;
  private readonly ed25519: (() => Verification) | undefined;

  constructor(native: PsaNative, { ed25519 }: PsaOptions) {
    const supports = (what: AeadAlgorithm | number) => native.supports(what);
    const verifies = (scheme: number) => (scheme === signatureScheme.ed25519 ? !!ed25519 : supports(scheme));
    this.aeads = Object.freeze(aeads.filter(supports));
    this.groups = Object.freeze(groups.filter(supports));
    this.schemes = Object.freeze(schemes.map(({ id }) => id).filter(verifies));
    this.random = native.random;
    this.hmac = native.hmac;
    this.native = native;
    this.ed25519 = ed25519;
  }

  hash(algorithm: HashAlgorithm): Hash {
    return new this.native.Hash(algorithm);
  }

  aead(algorithm: AeadAlgorithm, key: Uint8Array, start: number, end: number): Aead {
    return new this.native.Aead(algorithm, key, start, end);
  }

  exchange(group: number): Exchange {
    return new this.native.Exchange(group);
  }

  verification(scheme: number): Verification {
    if (scheme === signatureScheme.ed25519 && this.ed25519) return this.ed25519();
    return new this.native.Verification(scheme);
  }
}
