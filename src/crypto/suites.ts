import { cipherSuite, namedGroup, signatureScheme, version } from "../wire/registry.js";
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

/** What a signature scheme is made of. */
export interface Scheme {
  readonly id: number;
  readonly hash: HashAlgorithm;
  /** The kind of key. One of ECDSA is bound to its curve in handshakes of TLS 1.3 alone (RFC 8446 4.2.3): see `fitsKey`. */
  readonly key: KeyKind;
  /** RSA PKCS#1 v1.5: in certificates and TLS 1.2 only. */
  readonly pkcs1?: boolean;
}

const s = signatureScheme;

/** All signature schemes, best first; those of P-521 and Ed448 last, where few have such keys. Ed448 hashes by itself. */
export const schemes = table<Scheme>([
  { id: s.ecdsa_secp256r1_sha256, hash: "sha256", key: "p256" },
  { id: s.ed25519, hash: "sha512", key: "ed25519" },
  { id: s.ecdsa_secp384r1_sha384, hash: "sha384", key: "p384" },
  { id: s.rsa_pss_rsae_sha256, hash: "sha256", key: "rsa" },
  { id: s.rsa_pss_rsae_sha384, hash: "sha384", key: "rsa" },
  { id: s.rsa_pss_rsae_sha512, hash: "sha512", key: "rsa" },
  { id: s.rsa_pkcs1_sha256, hash: "sha256", key: "rsa", pkcs1: true },
  { id: s.rsa_pkcs1_sha384, hash: "sha384", key: "rsa", pkcs1: true },
  { id: s.rsa_pkcs1_sha512, hash: "sha512", key: "rsa", pkcs1: true },
  { id: s.ecdsa_secp521r1_sha512, hash: "sha512", key: "p521" },
  { id: s.ed448, hash: "sha512", key: "ed448" },
]);

/** The scheme with this number, or undefined. */
export function findScheme(id: number): Scheme | undefined {
  for (let i = 0; i < schemes.length; i++) if (schemes[i].id === id) return schemes[i];
  return undefined;
}

/** Whether a key is of the scheme's kind; in certificates and TLS 1.2 an ECDSA scheme goes with every curve. */
export function fitsKey(scheme: Scheme, kind: KeyKind): boolean {
  const { key } = scheme;
  return key === kind || (key[0] === "p" && kind[0] === "p");
}

/** The groups that are taken by default, best first. */
export const groups: readonly number[] = Object.freeze([
  namedGroup.x25519,
  namedGroup.secp256r1,
  namedGroup.secp384r1,
]);

/** Those that are taken where they are asked for. */
export const moreGroups: readonly number[] = Object.freeze([
  namedGroup.secp521r1,
  namedGroup.x448,
  namedGroup.x25519mlkem768,
]);
