import { ed25519 } from "@noble/curves/ed25519.js";
import { p256, p384 } from "@noble/curves/nist.js";
import { findScheme, type PrivateKeySpan, type Signature, type Signer } from "../../src/crypto/index.js";
import { signatureScheme } from "../../src/wire/index.js";
import { append } from "./edwards.js";
import { hashes } from "./provider.js";

type SignerKind = "p256" | "p384" | "ed25519";

/** A curve has the one scheme that TLS 1.3 binds to it, RFC 8446 4.2.3. */
const schemeOf = Object.freeze({
  p256: signatureScheme.ecdsa_secp256r1_sha256,
  p384: signatureScheme.ecdsa_secp384r1_sha384,
  ed25519: signatureScheme.ed25519,
});

/** Of a message that is kept until it is whole. */
export abstract class KeptSignature<K extends string> implements Signature {
  protected readonly kind: K;
  protected readonly privateKey: Uint8Array;
  protected message: Uint8Array = new Uint8Array(0);

  constructor(kind: K, privateKey: Uint8Array) {
    this.kind = kind;
    this.privateKey = privateKey;
  }

  update(bytes: Uint8Array, start: number, end: number): void {
    this.message = append(this.message, bytes, start, end);
  }

  sign(out: Uint8Array, at: number): number {
    const signature = this.raw();
    out.set(signature, at);
    return signature.length;
  }

  protected abstract raw(): Uint8Array;
}

class PortableSignature extends KeptSignature<SignerKind> {
  protected raw(): Uint8Array {
    if (this.kind === "ed25519") return ed25519.sign(this.message, this.privateKey);
    const curve = this.kind === "p256" ? p256 : p384;
    const digest = hashes[findScheme(schemeOf[this.kind])!.hash](this.message);
    return curve.sign(digest, this.privateKey, { prehash: false, lowS: false, format: "der" });
  }
}

/**
 * Signs with a private key that was found in DER.
 * @throws TypeError when it is of a kind that nothing is signed with here
 */
export function signerOf({ kind, bytes, start, end }: PrivateKeySpan): Signer {
  if (!(kind in schemeOf))
    throw new TypeError("without PSA Crypto nothing is signed with RSA keys: use P-256, P-384 or Ed25519");
  return signer(kind as SignerKind, bytes.slice(start, end));
}

/**
 * Signs with a private key for client authentication. ECDSA nonces are those of RFC 6979.
 * @param privateKey the scalar, big-endian (32 or 48 bytes), or Ed25519's 32 secret bytes
 * @throws Error when it is no private key of that kind
 */
export function signer(kind: SignerKind, privateKey: Uint8Array): Signer {
  const curve = kind === "p256" ? p256 : kind === "p384" ? p384 : ed25519;
  const valid = curve.utils.isValidSecretKey(privateKey);
  return signerWith(kind, schemeOf[kind], valid, () => new PortableSignature(kind, privateKey));
}

/** A signer for one scheme. Throws TypeError when its key is not `valid`. */
export function signerWith(kind: string, scheme: number, valid: boolean, begin: () => Signature): Signer {
  if (!valid) throw new TypeError(`this is no private key for ${kind}`);
  return Object.freeze({
    schemes: Object.freeze([scheme]),
    begin(wanted: number): Signature {
      if (wanted !== scheme) throw new Error(`this private key cannot sign with scheme ${wanted}`);
      return begin();
    },
  });
}
