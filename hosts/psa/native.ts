import type {
  Aead,
  AeadAlgorithm,
  Exchange,
  Hash,
  HashAlgorithm,
  Provider,
  Verification,
} from "../../src/crypto/index.js";

/** Kinds of private keys. */
export type PrivateKeyKind = "p256" | "p384" | "p521" | "rsa";

/** A private key that PSA holds. */
export interface PrivateKey {
  /** Signs what was hashed, by `hash` of the scheme's algorithm: writes at `out[at…]` and returns the length. */
  sign(scheme: number, hash: Hash, out: Uint8Array, at: number): number;
  /** Destroys PSA's copy. */
  dispose(): void;
}

/**
 * What psa.c gives to JavaScript. Arguments of the wrong type throw TypeError; spans outside their array, and
 * names and numbers that the library does not know, throw RangeError.
 */
export interface PsaNative {
  readonly Hash: new (algorithm: HashAlgorithm) => Hash;
  readonly Aead: new (algorithm: AeadAlgorithm, key: Uint8Array, start: number, end: number) => Aead;
  /** A fresh key pair; a private key is given in tests only. */
  readonly Exchange: new (
    group: number,
    privateKey?: Uint8Array,
    start?: number,
    end?: number,
  ) => Exchange;
  /** After `end`, no more may be updated, and only the digest is kept. */
  readonly Verification: new (
    scheme: number,
  ) => Verification & { end(): void };
  /** `bytes` are the scalar, big-endian and as long as the curve's order, or the DER of an RSAPrivateKey. */
  readonly PrivateKey: new (
    kind: PrivateKeyKind,
    bytes: Uint8Array,
    start: number,
    end: number,
  ) => PrivateKey;
  readonly random: Provider["random"];
  readonly hmac: Provider["hmac"];
  /** Whether the library was built with an AEAD, a NamedGroup or a SignatureScheme. */
  supports(what: AeadAlgorithm | number): boolean;
}
