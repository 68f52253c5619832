import type {
  Aead,
  AeadAlgorithm,
  Exchange,
  Hash,
  HashAlgorithm,
  Provider,
  Verification,
} from "../../src/crypto/index.js";
import { namedGroup, signatureScheme } from "../../src/wire/index.js";
import type { PsaNative } from "./native.js";

/** AES first, which most devices have hardware for. */
const aeads: readonly AeadAlgorithm[] = Object.freeze<AeadAlgorithm[]>([
  "aes-128-gcm",
  "aes-256-gcm",
  "chacha20-poly1305",
]);

// The lists of src/crypto would stay in a device's flash, where these do not; a test holds them to those

const { x25519, secp256r1, secp384r1 } = namedGroup;
const groups: readonly number[] = Object.freeze([x25519, secp256r1, secp384r1]);

const s = signatureScheme;

/** Best first; those of P-521 last, where few have such keys. */
const schemes: readonly number[] = Object.freeze([
  s.ecdsa_secp256r1_sha256,
  s.ed25519,
  s.ecdsa_secp384r1_sha384,
  s.rsa_pss_rsae_sha256,
  s.rsa_pss_rsae_sha384,
  s.rsa_pss_rsae_sha512,
  s.rsa_pkcs1_sha256,
  s.rsa_pkcs1_sha384,
  s.rsa_pkcs1_sha512,
  s.ecdsa_secp521r1_sha512,
]);

/** What PSA Crypto lacks. */
export interface PsaOptions {
  /** Verifies Ed25519 signatures. Without it the scheme is not offered. */
  readonly ed25519?: () => Verification;
}

/** The provider over the PSA Crypto API, with whatever the library at hand was built to do. */
export function psa(native: PsaNative, { ed25519 }: PsaOptions = {}): Provider {
  const supports = (what: AeadAlgorithm | number) => native.supports(what);
  const verifies = (scheme: number) => (scheme === s.ed25519 ? !!ed25519 : supports(scheme));
  const has = {
    aeads: Object.freeze(aeads.filter(supports)),
    groups: Object.freeze(groups.filter(supports)),
    schemes: Object.freeze(schemes.filter(verifies)),
  };
  return Object.freeze(new PsaProvider(native, has, ed25519));
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

  constructor(
    native: PsaNative,
    { aeads, groups, schemes }: Pick<Provider, "aeads" | "groups" | "schemes">,
    ed25519: PsaOptions["ed25519"],
  ) {
    this.aeads = aeads;
    this.groups = groups;
    this.schemes = schemes;
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
    if (scheme === s.ed25519 && this.ed25519) return this.ed25519();
    return new this.native.Verification(scheme);
  }
}
