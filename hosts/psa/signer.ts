import {
  findScheme,
  type Hash,
  type PrivateKeySpan,
  type Signature,
  type Signer,
  schemes,
} from "../../src/crypto/index.js";
import type { PrivateKey, PrivateKeyKind, PsaNative } from "./native.js";

/** A signer whose key PSA holds. */
export interface PsaSigner extends Signer {
  /** Destroys the key; the signer is of no more use. */
  dispose(): void;
}

/**
 * Signs with a private key for client authentication: ECDSA P-256 or P-384, RSA of 2048 to 4096 bits. PSA has
 * a copy of the key afterwards, so that the caller may wipe it.
 * @throws TypeError when it is none, or of another kind
 */
export function signer(native: PsaNative, { kind, bytes, start, end }: PrivateKeySpan): PsaSigner {
  if (kind === "ed25519")
    throw new TypeError("PSA Crypto does not sign with Ed25519 keys: use P-256, P-384 or RSA");
  const key = new native.PrivateKey(kind as PrivateKeyKind, bytes, start, end);
  const usable = Object.freeze(schemesOf(native, kind as PrivateKeyKind));
  return Object.freeze({
    schemes: usable,
    begin(scheme: number): Signature {
      if (!usable.includes(scheme)) throw new Error(`this private key cannot sign with scheme ${scheme}`);
      return new PsaSignature(native, scheme, key);
    },
    dispose(): void {
      key.dispose();
    },
  });
}

/** A curve has the one scheme that TLS 1.3 binds to it, RFC 8446 4.2.3. */
function schemesOf(native: PsaNative, kind: PrivateKeyKind): number[] {
  return schemes
    .filter((scheme) => scheme.key === kind)
    .map((scheme) => scheme.id)
    .filter((id) => native.supports(id));
}

class PsaSignature implements Signature {
  private readonly hash: Hash;
  private readonly scheme: number;
  private readonly key: PrivateKey;

  constructor(native: PsaNative, scheme: number, key: PrivateKey) {
    this.hash = new native.Hash(findScheme(scheme)!.hash);
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
