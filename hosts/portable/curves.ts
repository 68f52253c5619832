/** P-521, X448 and Ed448 by noble, apart from the rest: few peers have them. */

import { ed448, x448 } from "@noble/curves/ed448.js";
import { p521 } from "@noble/curves/nist.js";
import { sha512 } from "@noble/hashes/sha2.js";
import {
  type Exchange,
  longShare,
  type Provider,
  type PublicKey,
  type Signature,
  type Signer,
  type Verification,
} from "../../src/crypto/index.js";
import { namedGroup, signatureScheme } from "../../src/wire/index.js";
import { append } from "./ed25519.js";
import { ecGroup, type Group, PortableExchange, verifyEcdsa } from "./provider.js";

/** RFC 7748 section 6.2. */
const x448Group: Group = Object.freeze({
  publicSize: 56,
  seedSize: 56,
  // noble's randomSecretKey(seed) is the seed itself, which is wiped
  privateKey: (seed: Uint8Array) => seed.slice(),
  publicKey: x448.getPublicKey,
  shared: x448.getSharedSecret,
});

const groups: Readonly<Record<number, Group>> = Object.freeze({
  [namedGroup.secp521r1]: ecGroup(p521),
  [namedGroup.x448]: x448Group,
});

/** Another's verification, whose digest P-521 keys verify: an ECDSA scheme goes with every curve. */
class P521Verification implements Verification {
  private readonly inner: Verification;

  constructor(inner: Verification) {
    this.inner = inner;
  }

  update(bytes: Uint8Array, start: number, end: number): void {
    this.inner.update(bytes, start, end);
  }

  end(): void {
    this.inner.end();
  }

  digest(out: Uint8Array, at: number): number {
    return this.inner.digest(out, at);
  }

  settle(key: PublicKey, signature: Uint8Array, start: number, end: number): boolean {
    if (key.kind !== "p521") return this.inner.settle(key, signature, start, end);
    const digest = new Uint8Array(sha512.outputLen);
    const size = this.digest(digest, 0);
    return verifyEcdsa(p521, key, digest.subarray(0, size), signature.subarray(start, end));
  }
}

/** Ed448 hashes the message twice, RFC 8032 5.2.7, so the message is kept. */
class Ed448Verification implements Verification {
  private message: Uint8Array = new Uint8Array(0);

  update(bytes: Uint8Array, start: number, end: number): void {
    this.message = append(this.message, bytes, start, end);
  }

  end(): void {}

  digest(out: Uint8Array, at: number): number {
    const digest = sha512(this.message);
    out.set(digest, at);
    return digest.length;
  }

  settle(key: PublicKey, signature: Uint8Array, start: number, end: number): boolean {
    if (key.kind !== "ed448") return false;
    const publicKey = key.bytes.subarray(key.start, key.end);
    try {
      return ed448.verify(signature.subarray(start, end), this.message, publicKey);
    } catch {
      return false;
    }
  }
}

const ecdsa: readonly number[] = Object.freeze([
  signatureScheme.ecdsa_secp256r1_sha256,
  signatureScheme.ecdsa_secp384r1_sha384,
  signatureScheme.ecdsa_secp521r1_sha512,
]);

/**
 * The provider with P-521, X448 and Ed448, which are slow in JavaScript: groups for those who ask for them by name, and keys
 * of certificates.
 */
export function moreCurves(provider: Provider): Provider {
  const { moreGroups = [], schemes } = provider;
  return Object.freeze<Provider>({
    ...provider,
    moreGroups: Object.freeze([...moreGroups, namedGroup.secp521r1, namedGroup.x448]),
    schemes: Object.freeze([...schemes, signatureScheme.ed448]),
    longShare,
    exchange(group): Exchange {
      return group in groups
        ? new PortableExchange(groups[group], provider.random)
        : provider.exchange(group);
    },
    verification(scheme): Verification {
      if (scheme === signatureScheme.ed448) return new Ed448Verification();
      const inner = provider.verification(scheme);
      return ecdsa.includes(scheme) ? new P521Verification(inner) : inner;
    },
  });
}

const schemeOf = Object.freeze({
  p521: signatureScheme.ecdsa_secp521r1_sha512,
  ed448: signatureScheme.ed448,
});

type MoreKind = keyof typeof schemeOf;

class MoreSignature implements Signature {
  private readonly kind: MoreKind;
  private readonly privateKey: Uint8Array;
  private message: Uint8Array = new Uint8Array(0);

  constructor(kind: MoreKind, privateKey: Uint8Array) {
    this.kind = kind;
    this.privateKey = privateKey;
  }

  update(bytes: Uint8Array, start: number, end: number): void {
    this.message = append(this.message, bytes, start, end);
  }

  sign(out: Uint8Array, at: number): number {
    const options = { prehash: false, lowS: false, format: "der" } as const;
    const signature =
      this.kind === "ed448"
        ? ed448.sign(this.message, this.privateKey)
        : p521.sign(sha512(this.message), this.privateKey, options);
    out.set(signature, at);
    return signature.length;
  }
}

/**
 * Signs with a private key on P-521, or with one of Ed448. ECDSA nonces are those of RFC 6979.
 * @param privateKey the scalar, big-endian (66 bytes), or Ed448's 57 secret bytes
 * @throws Error when it is no private key of that kind
 */
export function moreSigner(kind: MoreKind, privateKey: Uint8Array): Signer {
  const curve = kind === "p521" ? p521 : ed448;
  if (!curve.utils.isValidSecretKey(privateKey)) throw new TypeError(`this is no private key for ${kind}`);
  const scheme = schemeOf[kind];
  return Object.freeze({
    schemes: Object.freeze([scheme]),
    begin(wanted: number): Signature {
      if (wanted !== scheme) throw new Error(`this private key cannot sign with scheme ${wanted}`);
      return new MoreSignature(kind, privateKey);
    },
  });
}
