/** The provider over @noble/hashes, @noble/curves and @noble/ciphers: for wherever there is only JavaScript. */

import { gcm } from "@noble/ciphers/aes.js";
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { ed25519, x25519 } from "@noble/curves/ed25519.js";
import { p256, p384 } from "@noble/curves/nist.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha1 } from "@noble/hashes/legacy.js";
import { sha256, sha384, sha512 } from "@noble/hashes/sha2.js";
import type { CHash } from "@noble/hashes/utils.js";
import {
  type Aead,
  type AeadAlgorithm,
  type Exchange,
  findScheme,
  fitsKey,
  groups,
  type Hash,
  type HashAlgorithm,
  type Provider,
  type PublicKey,
  type Scheme,
  schemes,
  type Verification,
} from "../../src/crypto/index.js";
import { namedGroup, signatureScheme } from "../../src/wire/index.js";
import { ed25519Verification } from "./ed25519.js";
import { parseRsaKey, verifyPkcs1, verifyPss } from "./rsa.js";

export const hashes: Readonly<Record<HashAlgorithm, CHash>> = Object.freeze({ sha1, sha256, sha384, sha512 });

/** A noble cipher takes one nonce, so each record makes one. */
const ciphers = Object.freeze({
  "aes-128-gcm": gcm,
  "aes-256-gcm": gcm,
  "chacha20-poly1305": chacha20poly1305,
});

class PortableHash implements Hash {
  private readonly hash;

  constructor(algorithm: HashAlgorithm) {
    this.hash = hashes[algorithm].create();
  }

  update(bytes: Uint8Array, start: number, end: number): void {
    this.hash.update(bytes.subarray(start, end));
  }

  digest(out: Uint8Array, at: number): void {
    out.set(this.hash.clone().digest(), at);
  }
}

class PortableAead implements Aead {
  private readonly algorithm: AeadAlgorithm;
  private readonly key: Uint8Array;

  constructor(algorithm: AeadAlgorithm, key: Uint8Array) {
    this.algorithm = algorithm;
    this.key = key;
  }

  seal(
    nonce: Uint8Array,
    aad: Uint8Array,
    aadStart: number,
    aadEnd: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    const cipher = ciphers[this.algorithm](this.key, nonce, aad.subarray(aadStart, aadEnd));
    bytes.set(cipher.encrypt(bytes.subarray(start, end)), start);
  }

  open(
    nonce: Uint8Array,
    aad: Uint8Array,
    aadStart: number,
    aadEnd: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): boolean {
    const cipher = ciphers[this.algorithm](this.key, nonce, aad.subarray(aadStart, aadEnd));
    try {
      bytes.set(cipher.decrypt(bytes.subarray(start, end)), start);
      return true;
    } catch {
      bytes.fill(0, start, end);
      return false;
    }
  }

  dispose(): void {
    this.key.fill(0);
  }
}

/** What an ephemeral key exchange needs of a curve. */
export interface Group {
  readonly publicSize: number;
  /** Bytes of randomness that make a private key with negligible bias, FIPS 186-5 A.2.1. */
  readonly seedSize: number;
  privateKey(seed: Uint8Array): Uint8Array;
  publicKey(privateKey: Uint8Array): Uint8Array;
  /** Throws when the peer's key is not on the curve or of small order. */
  shared(privateKey: Uint8Array, peer: Uint8Array): Uint8Array;
}

/** RFC 7748 section 6.1. */
const x25519Group: Group = Object.freeze({
  publicSize: 32,
  seedSize: 32,
  // noble's randomSecretKey(seed) is the seed itself, which is wiped
  privateKey: (seed: Uint8Array) => seed.slice(),
  publicKey: x25519.getPublicKey,
  shared: x25519.getSharedSecret,
});

/** Uncompressed points, RFC 8446 4.2.8.2; the secret is the X coordinate, 7.4.2. */
export function ecGroup(curve: typeof p256): Group {
  const size = curve.lengths.secretKey!;
  return Object.freeze({
    publicSize: 1 + 2 * size,
    seedSize: curve.lengths.seed!,
    privateKey: curve.utils.randomSecretKey,
    publicKey: (privateKey: Uint8Array) => curve.getPublicKey(privateKey, false),
    shared: (privateKey: Uint8Array, peer: Uint8Array) =>
      curve.getSharedSecret(privateKey, peer, false).subarray(1, 1 + size),
  });
}

const p256Group = ecGroup(p256);
const p384Group = ecGroup(p384);

function findGroup(group: number): Group {
  if (group === namedGroup.x25519) return x25519Group;
  if (group === namedGroup.secp256r1) return p256Group;
  if (group === namedGroup.secp384r1) return p384Group;
  throw new RangeError(`no such group: ${group}`);
}

export class PortableExchange implements Exchange {
  private readonly group: Group;
  private readonly privateKey: Uint8Array;

  constructor(group: Group, random: Provider["random"]) {
    const seed = new Uint8Array(group.seedSize);
    random(seed, 0, seed.length);
    this.group = group;
    this.privateKey = group.privateKey(seed);
    seed.fill(0);
  }

  publicKey(out: Uint8Array, at: number): number {
    out.set(this.group.publicKey(this.privateKey), at);
    return this.group.publicSize;
  }

  agree(peer: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number {
    if (end - start !== this.group.publicSize) return 0;
    try {
      const secret = this.group.shared(this.privateKey, peer.subarray(start, end));
      out.set(secret, at);
      return secret.length;
    } catch {
      return 0;
    }
  }

  dispose(): void {
    this.privateKey.fill(0);
  }
}

/** Hash, then verify: a certificate or staple of any size leaves only its digest. */
class DigestVerification implements Verification {
  private readonly scheme: Scheme;
  private readonly hash;
  private sum: Uint8Array | undefined;

  constructor(scheme: Scheme) {
    this.scheme = scheme;
    this.hash = hashes[scheme.hash].create();
  }

  update(bytes: Uint8Array, start: number, end: number): void {
    this.hash.update(bytes.subarray(start, end));
  }

  end(): void {
    this.sum ??= this.hash.digest();
  }

  digest(out: Uint8Array, at: number): number {
    this.end();
    out.set(this.sum!, at);
    return this.sum!.length;
  }

  settle(key: PublicKey, signature: Uint8Array, start: number, end: number): boolean {
    if (!fitsKey(this.scheme.id, key.kind)) return false;
    this.end();
    const signed = signature.subarray(start, end);
    if (key.kind === "rsa") return verifyRsa(this.scheme, key, this.sum!, signed);
    return key.kind !== "p521" && verifyEcdsa(key.kind === "p256" ? p256 : p384, key, this.sum!, signed);
  }
}

/** FIPS 186-5 6.4.2; the key is an uncompressed point, the signature strict DER, RFC 8446 4.2.3. */
export function verifyEcdsa(
  curve: typeof p256,
  key: PublicKey,
  digest: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (key.end - key.start !== curve.lengths.publicKeyUncompressed) return false;
  const point = key.bytes.subarray(key.start, key.end);
  try {
    return curve.verify(signature, digest, point, { prehash: false, lowS: false, format: "der" });
  } catch {
    return false;
  }
}

function verifyRsa(scheme: Scheme, key: PublicKey, digest: Uint8Array, signature: Uint8Array): boolean {
  const rsa = parseRsaKey(key.bytes, key.start, key.end);
  if (rsa === undefined) return false;
  return scheme.pkcs1
    ? verifyPkcs1(rsa, digestInfo(scheme.hash), digest, signature)
    : verifyPss(rsa, hashes[scheme.hash], digest, signature);
}

/** The DER of a DigestInfo without the digest at its end, RFC 8017 9.2 note 1; only the hash's number differs. */
function digestInfo(algorithm: HashAlgorithm): readonly number[] {
  const size = hashes[algorithm].outputLen;
  const sha2 = algorithm === "sha256" ? 1 : algorithm === "sha384" ? 2 : 3;
  const oid = [0x06, 9, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, sha2];
  return [0x30, 17 + size, 0x30, 13, ...oid, 0x05, 0, 0x04, size];
}

function webRandom(bytes: Uint8Array, start: number, end: number): void {
  globalThis.crypto.getRandomValues(bytes.subarray(start, end));
}

export interface PortableOptions {
  /** Fills `bytes[start…end)` with unpredictable bytes. By default `crypto.getRandomValues`. */
  readonly random?: (bytes: Uint8Array, start: number, end: number) => void;
  /**
   * Keeps noble from making tables of multiples of the base points: for devices. It saves 390 KB for each
   * curve in use and makes a key pair as slow as a key agreement, in the whole program.
   */
  readonly lean?: boolean;
}

/** A provider in plain JavaScript. */
export function portable(options: PortableOptions = {}): Provider {
  const random = options.random ?? webRandom;
  if (options.lean) forgoTables();
  return Object.freeze<Provider>({
    name: "portable",
    // ChaCha20 first: AES in software is slower, and needs large tables
    aeads: Object.freeze<AeadAlgorithm[]>(["chacha20-poly1305", "aes-128-gcm", "aes-256-gcm"]),
    groups,
    schemes: Object.freeze(schemes.map(({ id }) => id).filter((id) => id !== signatureScheme.ed448)),
    random,

    hash(algorithm) {
      return new PortableHash(algorithm);
    },

    hmac(algorithm, keyBytes, keyStart, keyEnd, data, start, end, out, at) {
      const key = keyBytes.subarray(keyStart, keyEnd);
      out.set(hmac(hashes[algorithm], key, data.subarray(start, end)), at);
    },

    aead(algorithm, key, start, end) {
      // not slice, which of a Buffer is a view
      return new PortableAead(algorithm, new Uint8Array(key.subarray(start, end)));
    },

    exchange(group) {
      return new PortableExchange(findGroup(group), random);
    },

    verification(scheme) {
      const known = findScheme(scheme);
      if (known === undefined) throw new RangeError(`no such signature scheme: ${scheme}`);
      return known.key === "ed25519" ? ed25519Verification() : new DigestVerification(known);
    },
  });
}

/** A window of one bit needs no table. */
function forgoTables(): void {
  p256.Point.BASE.precompute(1);
  p384.Point.BASE.precompute(1);
  ed25519.Point.BASE.precompute(1);
}
