import { constants, type KeyObject, sign, verify } from "node:crypto";
import { signatureScheme as s } from "../../src/wire/registry.js";

/** Signatures of TLS over node:crypto. SHA-1 is here too, so that the puppet can sign what must be refused. */

interface Scheme {
  key: "ec" | "rsa" | "ed25519";
  hash?: string;
  pss?: boolean;
  curve?: string;
}

const schemes: Readonly<Record<number, Scheme>> = {
  [s.ecdsa_secp256r1_sha256]: { key: "ec", hash: "sha256", curve: "prime256v1" },
  [s.ecdsa_secp384r1_sha384]: { key: "ec", hash: "sha384", curve: "secp384r1" },
  [s.ecdsa_secp521r1_sha512]: { key: "ec", hash: "sha512", curve: "secp521r1" },
  [s.ed25519]: { key: "ed25519" },
  [s.rsa_pss_rsae_sha256]: { key: "rsa", hash: "sha256", pss: true },
  [s.rsa_pss_rsae_sha384]: { key: "rsa", hash: "sha384", pss: true },
  [s.rsa_pss_rsae_sha512]: { key: "rsa", hash: "sha512", pss: true },
  [s.rsa_pkcs1_sha256]: { key: "rsa", hash: "sha256" },
  [s.rsa_pkcs1_sha384]: { key: "rsa", hash: "sha384" },
  [s.rsa_pkcs1_sha512]: { key: "rsa", hash: "sha512" },
  513: { key: "rsa", hash: "sha1" },
  515: { key: "ec", hash: "sha1" },
};

function options(key: KeyObject, scheme: Scheme) {
  const { RSA_PKCS1_PSS_PADDING, RSA_PKCS1_PADDING, RSA_PSS_SALTLEN_DIGEST } = constants;
  if (scheme.key !== "rsa") return { key };
  return scheme.pss
    ? { key, padding: RSA_PKCS1_PSS_PADDING, saltLength: RSA_PSS_SALTLEN_DIGEST }
    : { key, padding: RSA_PKCS1_PADDING };
}

export function signWith(id: number, key: KeyObject, bytes: Buffer): Buffer {
  const scheme = schemes[id];
  return sign(scheme.hash, bytes, options(key, scheme));
}

export function verifyWith(id: number, key: KeyObject, bytes: Buffer, signature: Buffer): boolean {
  const scheme = schemes[id];
  if (!scheme || !fits(id, key)) return false;
  return verify(scheme.hash, bytes, options(key, scheme), signature);
}

/** Whether TLS 1.3 lets this key sign with this scheme: the curve is bound, and PKCS#1 v1.5 is not allowed. */
export function fits13(id: number, key: KeyObject): boolean {
  const scheme = schemes[id];
  if (!scheme || !fits(id, key) || scheme.hash === "sha1") return false;
  if (scheme.key === "rsa") return scheme.pss === true;
  return !scheme.curve || key.asymmetricKeyDetails?.namedCurve === scheme.curve;
}

/** Whether the scheme is for this kind of key, which is all that TLS 1.2 asks. */
export function fits(id: number, key: KeyObject): boolean {
  return schemes[id]?.key === key.asymmetricKeyType;
}
