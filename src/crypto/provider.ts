/**
 * What a host lends to the core: the primitives, synchronous, over (bytes, start, end) spans.
 * A provider is one frozen record; `suites`, `groups` and `schemes` are what it can do, best first.
 */

export type HashAlgorithm = "sha1" | "sha256" | "sha384" | "sha512";
export type AeadAlgorithm = "aes-128-gcm" | "aes-256-gcm" | "chacha20-poly1305";
export type KeyKind = "p256" | "p384" | "p521" | "rsa" | "ed25519" | "ed448";

/** A public key as its certificate holds it: the contents of the SPKI's BIT STRING (point, RSAPublicKey, 32 or 57 bytes). */
export interface PublicKey {
  readonly kind: KeyKind;
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** A private key where it stands: the scalar (EC), the secret octets of Ed25519 (32) or Ed448 (57), or the DER of an RSAPrivateKey. */
export interface PrivateKeySpan {
  readonly kind: KeyKind;
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

export interface Hash {
  update(bytes: Uint8Array, start: number, end: number): void;
  /** Writes the digest of everything so far at `out[at…]`; hashing may go on afterwards. */
  digest(out: Uint8Array, at: number): void;
}

/** A keyed AEAD with 12-byte nonces and 16-byte tags, working in place. */
export interface Aead {
  /** Encrypts `bytes[start…end)` and writes the tag at `bytes[end…end+16)`. `aad` is a span of any array. */
  seal(
    nonce: Uint8Array,
    aad: Uint8Array,
    aadStart: number,
    aadEnd: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void;
  /** Decrypts `bytes[start…end-16)`, the tag being the last 16 bytes. False, and no plaintext kept, when it does not verify. */
  open(
    nonce: Uint8Array,
    aad: Uint8Array,
    aadStart: number,
    aadEnd: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): boolean;
  /**
   * What the last `seal` or `open` made, if it is in memory of its own as well: the ciphertext without its tag, or the
   * plaintext. It is the caller's from then on, and told once.
   */
  apart?(): Uint8Array | undefined;
  /** Wipes the key where the host can. Never throws. */
  dispose(): void;
}

/**
 * One ephemeral key pair. Of a group with a KEM, whoever agrees before asking for `publicKey` responds: what it sends
 * depends on the peer's key.
 */
export interface Exchange {
  /** Writes the public key (RFC 8446 4.2.8.2: uncompressed point, or 32 or 56 bytes) and returns its length. */
  publicKey(out: Uint8Array, at: number): number;
  /**
   * Writes the shared secret at `out[at…]` and returns its length, or 0 when the peer's key is malformed,
   * off the curve or gives the all-zero secret.
   */
  agree(peer: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number;
  /** Wipes the private key where the host can. Never throws. */
  dispose(): void;
}

/**
 * The verification of one signature. The message streams in first; the key may come later (a chain's issuer
 * comes after its subject), and several keys may be tried.
 */
export interface Verification {
  update(bytes: Uint8Array, start: number, end: number): void;
  /** No more will be updated: a digest may take the place of a running hash, which is much larger. */
  end(): void;
  /**
   * Writes a digest of all that was updated at `out[at…]`, by the hash of the scheme's row, and returns its length. The message
   * may be hashed to its end by that.
   */
  digest(out: Uint8Array, at: number): number;
  /** Whether the signature is the key's over all that was updated. False too for a malformed key or signature. Throws only when the host can't verify: out of memory. */
  settle(key: PublicKey, signature: Uint8Array, start: number, end: number): boolean;
}

/** One signature in the making, with the private key of a `Signer`. */
export interface Signature {
  update(bytes: Uint8Array, start: number, end: number): void;
  /** Writes the signature at `out[at…]` and returns its length, 512 bytes at most. */
  sign(out: Uint8Array, at: number): number;
}

/** A private key that a host holds for client (or server) authentication. */
export interface Signer {
  /** The schemes the key can sign with, best first. */
  readonly schemes: readonly number[];
  begin(scheme: number): Signature;
}

/** A certificate chain in DER, leaf first, and the leaf's private key. */
export interface Identity {
  readonly certificates: readonly Uint8Array[];
  readonly signer: Signer;
}

export interface Provider {
  readonly name: string;
  /** AEADs, named groups and signature schemes that this provider has, best first. */
  readonly aeads: readonly AeadAlgorithm[];
  readonly groups: readonly number[];
  /** Groups that it has too, for those who ask for them by name. */
  readonly moreGroups?: readonly number[];
  /** Bytes by which the longest share of these groups is longer than P-384's, which has 97; 0 where none is. */
  readonly longShare?: (groups: readonly number[]) => number;
  readonly schemes: readonly number[];
  /** Fills `bytes[start…end)` with unpredictable bytes. */
  random(bytes: Uint8Array, start: number, end: number): void;
  hash(algorithm: HashAlgorithm): Hash;
  /** HMAC, RFC 2104, of `data[start…end)` to `out[at…]`, also where the key is: `keyBytes[keyStart…keyEnd)`. */
  hmac(
    algorithm: HashAlgorithm,
    keyBytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    data: Uint8Array,
    start: number,
    end: number,
    out: Uint8Array,
    at: number,
  ): void;
  aead(algorithm: AeadAlgorithm, key: Uint8Array, start: number, end: number): Aead;
  /** A fresh ephemeral key pair in one of `groups`. */
  exchange(group: number): Exchange;
  /** `scheme` is a SignatureScheme of `schemes`; in certificates the ECDSA ones go with every curve. */
  verification(scheme: number): Verification;
}
