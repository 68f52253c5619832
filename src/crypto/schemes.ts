import { signatureScheme } from "../wire/registry.js";
import { table } from "../wire/table.js";
import type { HashAlgorithm, KeyKind } from "./provider.js";
import { hashOf, isPkcs1, keyOf } from "./suites.js";

/** What a signature scheme is made of, for whoever makes it. */
export interface Scheme {
  readonly id: number;
  readonly hash: HashAlgorithm;
  readonly key: KeyKind;
  /** RSA PKCS#1 v1.5: in certificates and TLS 1.2 only. */
  readonly pkcs1: boolean;
}

const s = signatureScheme;

/** All signature schemes, best first; those of P-521 and Ed448 last, where few have such keys. Ed448 hashes by itself. */
export const schemes: readonly Scheme[] = table(
  [
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
    s.ed448,
  ].map((id) => ({ id, hash: hashOf(id), key: keyOf(id)!, pkcs1: isPkcs1(id) })),
);

/** The scheme with this number, or undefined. */
export function findScheme(id: number): Scheme | undefined {
  return schemes.find((each) => each.id === id);
}
