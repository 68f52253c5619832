/** P-521, X448 and Ed448 by noble, apart from the rest: few peers have them. */

import { ed448, x448 } from "@noble/curves/ed448.js";
import { p521 } from "@noble/curves/nist.js";
import { sha512 } from "@noble/hashes/sha2.js";
import {
  type Exchange,
  longShare,
  type Provider,
  type PublicKey,
  type Signer,
  type Verification,
} from "../../src/crypto/index.js";
import { namedGroup, signatureScheme } from "../../src/wire/index.js";
import { EdwardsVerification } from "./edwards.js";
import { ecGroup, type Group, PortableExchange, verifyEcdsa } from "./provider.js";
import { KeptSignature, signerWith } from "./signer.js";

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

const ed448Verify = (signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array) =>
  ed448.verify(signature, message, publicKey);

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
      if (scheme === signatureScheme.ed448) return new EdwardsVerification("ed448", ed448Verify);
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

class MoreSignature extends KeptSignature<MoreKind> {
  protected raw(): Uint8Array {
    if (this.kind === "ed448") return ed448.sign(this.message, this.privateKey);
    const options = { prehash: false, lowS: false, format: "der" } as const;
    return p521.sign(sha512(this.message), this.privateKey, options);
  }
}

/**
 * Signs with a private key on P-521, or with one of Ed448. ECDSA nonces are those of RFC 6979.
 * @param privateKey the scalar, big-endian (66 bytes), or Ed448's 57 secret bytes
 * @throws Error when it is no private key of that kind
 */
export function moreSigner(kind: MoreKind, privateKey: Uint8Array): Signer {
  const curve = kind === "p521" ? p521 : ed448;
  const valid = curve.utils.isValidSecretKey(privateKey);
  return signerWith(kind, schemeOf[kind], valid, () => new MoreSignature(kind, privateKey));
}
