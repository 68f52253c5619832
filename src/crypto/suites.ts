import { cipherSuite, signatureScheme, version } from "../wire/registry.js";
import { table } from "../wire/table.js";
import type { AeadAlgorithm, HashAlgorithm, KeyKind } from "./provider.js";

/** Bytes of each hash's digest. */
export const hashSize: Readonly<Record<HashAlgorithm, number>> = Object.freeze({
  sha1: 20,
  sha256: 32,
  sha384: 48,
  sha512: 64,
});

/** An AEAD as TLS uses it; nonces have 12 bytes and tags 16. */
export interface AeadUse {
  readonly name: AeadAlgorithm;
  /** Bytes of its key. */
  readonly key: number;
  /** Bytes of a nonce that TLS 1.2 derives; what is left of it is in each record (RFC 5288, RFC 7905). */
  readonly salt: number;
  /** Records that one key may protect (RFC 8446 5.5). */
  readonly records: number;
}

function aeadUse(name: AeadAlgorithm, key: number, salt: number, records: number): AeadUse {
  return Object.freeze({ name, key, salt, records });
}

/** AES-GCM keeps its margin for 2^24.5 full records; ChaCha20-Poly1305 has no such limit. */
const AES_GCM_RECORDS = 2 ** 24;
const aes128Gcm = aeadUse("aes-128-gcm", 16, 4, AES_GCM_RECORDS);
const aes256Gcm = aeadUse("aes-256-gcm", 32, 4, AES_GCM_RECORDS);
const chacha20Poly1305 = aeadUse("chacha20-poly1305", 32, 12, Number.MAX_SAFE_INTEGER);

/** A cipher suite. `auth` is what signs the ServerKeyExchange of TLS 1.2; TLS 1.3 leaves that to the schemes. */
export interface Suite {
  readonly id: number;
  readonly version: number;
  readonly aead: AeadUse;
  readonly hash: HashAlgorithm;
  readonly auth?: "ecdsa" | "rsa";
}

function suite(
  id: number,
  version: number,
  aead: AeadUse,
  hash: HashAlgorithm,
  auth?: "ecdsa" | "rsa",
): Suite {
  return auth ? { id, version, aead, hash, auth } : { id, version, aead, hash };
}

const c = cipherSuite;

/** All suites, in the order of preference among those of one AEAD. RFC 8446 B.4, RFC 5289, RFC 7905. */
export const suites = table<Suite>([
  suite(c.TLS_AES_128_GCM_SHA256, version.tls13, aes128Gcm, "sha256"),
  suite(c.TLS_AES_256_GCM_SHA384, version.tls13, aes256Gcm, "sha384"),
  suite(c.TLS_CHACHA20_POLY1305_SHA256, version.tls13, chacha20Poly1305, "sha256"),
  suite(c.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, version.tls12, aes128Gcm, "sha256", "ecdsa"),
  suite(c.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, version.tls12, aes128Gcm, "sha256", "rsa"),
  suite(c.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, version.tls12, aes256Gcm, "sha384", "ecdsa"),
  suite(c.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, version.tls12, aes256Gcm, "sha384", "rsa"),
  suite(c.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, version.tls12, chacha20Poly1305, "sha256", "ecdsa"),
  suite(c.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, version.tls12, chacha20Poly1305, "sha256", "rsa"),
]);

/** The suite with this number, or undefined. */
export function findSuite(id: number): Suite | undefined {
  for (let i = 0; i < suites.length; i++) if (suites[i].id === id) return suites[i];
  return undefined;
}

/** The version that all these suites are of, if they are of one: no other can be spoken then. */
export function soleVersion(ids: readonly number[]): number | undefined {
  const only = findSuite(ids[0])?.version;
  for (let i = 1; i < ids.length; i++) if (findSuite(ids[i])?.version !== only) return undefined;
  return only;
}

const s = signatureScheme;

/**
 * The kind of key that a SignatureScheme takes; undefined for one that nothing here knows. One of ECDSA is bound to its curve
 * in handshakes of TLS 1.3 alone (RFC 8446 4.2.3): see `fitsKey`.
 */
export function keyOf(scheme: number): KeyKind | undefined {
  switch (scheme) {
    case s.ecdsa_secp256r1_sha256:
      return "p256";
    case s.ecdsa_secp384r1_sha384:
      return "p384";
    case s.ecdsa_secp521r1_sha512:
      return "p521";
    case s.ed25519:
      return "ed25519";
    case s.ed448:
      return "ed448";
    case s.rsa_pss_rsae_sha256:
    case s.rsa_pss_rsae_sha384:
    case s.rsa_pss_rsae_sha512:
    case s.rsa_pkcs1_sha256:
    case s.rsa_pkcs1_sha384:
    case s.rsa_pkcs1_sha512:
      return "rsa";
    default:
      return undefined;
  }
}

/** The hash of a scheme, by RFC 5246's number for it: the first byte, or of what came with TLS 1.3 the second. */
export function hashOf(scheme: number): HashAlgorithm {
  const number = scheme < 0x0800 ? scheme >> 8 : scheme & 0xff;
  return number === 4 ? "sha256" : number === 5 ? "sha384" : "sha512";
}

/** Whether a scheme is RSA PKCS#1 v1.5, for certificates and TLS 1.2 only: its second byte is RFC 5246's `rsa`. */
export function isPkcs1(scheme: number): boolean {
  return (scheme & 0xff) === 1;
}

/** Whether a key is of the scheme's kind; in certificates and TLS 1.2 an ECDSA scheme goes with every curve. */
export function fitsKey(scheme: number, kind: KeyKind): boolean {
  const key = keyOf(scheme);
  return key === kind || (key?.[0] === "p" && kind[0] === "p");
}
