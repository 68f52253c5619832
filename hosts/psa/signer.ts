import {
  type Hash,
  hashOf,
  keyOf,
  type PrivateKeySpan,
  type Provider,
  type Signature,
  type Signer,
} from "../../src/crypto/index.js";
import type { PrivateKey, PrivateKeyKind, PsaNative } from "./native.js";

/** A signer whose key PSA holds. */
export interface PsaSigner extends Signer {
  /** Destroys the key; the signer is of no more use. */
  dispose(): void;
}

/**
 * Signs with a private key for client authentication: ECDSA P-256 or P-384, RSA of 2048 to 4096 bits, by those `schemes`, best
 * first, that are for its kind. PSA has a copy of the key afterwards, so that the caller may wipe it.
 * @throws TypeError when it is none, or of another kind
 */
export function signer(
  native: PsaNative,
  { schemes }: Pick<Provider, "schemes">,
  key: PrivateKeySpan,
): PsaSigner {
  const { kind, bytes, start, end } = key;
  if (kind === "ed25519")
    throw new TypeError("PSA Crypto does not sign with Ed25519 keys: use P-256, P-384 or RSA");
  const held = new native.PrivateKey(kind as PrivateKeyKind, bytes, start, end);
  // A curve has the one scheme that TLS 1.3 binds to it, RFC 8446 4.2.3
  const usable = Object.freeze(schemes.filter((scheme) => keyOf(scheme) === kind));
  return Object.freeze({
    schemes: usable,
    begin(scheme: number): Signature {
      if (!usable.includes(scheme)) throw new Error(`this private key cannot sign with scheme ${scheme}`);
      return new PsaSignature(native, scheme, held);
    },
    dispose(): void {
      held.dispose();
    },
  });
}

class PsaSignature implements Signature {
  private readonly hash: Hash;
  private readonly scheme: number;
  private readonly key: PrivateKey;

  constructor(native: PsaNative, scheme: number, key: PrivateKey) {
    this.hash = new native.Hash(hashOf(scheme));
    this.scheme = scheme;
    this.key = key;
  }

  update(bytes: Uint8Array, start: number, end: number): void {
    this.hash.update(bytes, start, end);
  }

  sign(out: Uint8Array, at: number): number {
    return this.key.sign(this.scheme, this.hash, out, at);
  }
}
