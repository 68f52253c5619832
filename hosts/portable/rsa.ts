/**
 * RSA signature verification, RFC 8017: RSASSA-PKCS1-v1_5 and RSASSA-PSS. Only public values pass through
 * here, so BigInt's uneven timing tells nobody anything.
 */

import { bytesToNumberBE, numberToBytesBE } from "@noble/curves/utils.js";
import type { CHash } from "@noble/hashes/utils.js";
import { Der, tag } from "../../src/pki/index.js";
import { equalBytes } from "../../src/wire/index.js";

export interface RsaKey {
  readonly modulus: bigint;
  readonly exponent: bigint;
  /** Bits of the modulus. */
  readonly bits: number;
}

/**
 * Parses an RSAPublicKey, RFC 8017 A.1.1; undefined when it is malformed. Which sizes and exponents are
 * acceptable was settled when the certificate was parsed.
 */
export function parseRsaKey(bytes: Uint8Array, start: number, end: number): RsaKey | undefined {
  try {
    const der = new Der(undefined, bytes, start, end);
    const outer = der.enter(tag.SEQUENCE);
    const modulus = positive(der);
    const exponent = positive(der);
    der.leave(outer);
    der.finish();
    return { modulus, exponent, bits: modulus.toString(2).length };
  } catch {
    return undefined;
  }
}

function positive(der: Der): bigint {
  const start = der.integer();
  if (der.bytes[start] >= 0x80) throw der.fault;
  return bytesToNumberBE(der.bytes.subarray(start, der.at));
}

/**
 * RSASSA-PKCS1-v1_5, RFC 8017 8.2.2. The one right encoding is made and compared whole: a parser of what came
 * out of the signature is where Bleichenbacher's forgery of 2006 gets in.
 */
export function verifyPkcs1(
  key: RsaKey,
  digestInfo: readonly number[],
  digest: Uint8Array,
  signature: Uint8Array,
): boolean {
  const length = Math.ceil(key.bits / 8);
  const em = recover(key, signature, length);
  const expected = encodePkcs1(digestInfo, digest, length);
  if (em === undefined || expected === undefined) return false;
  return equalBytes(em, 0, length, expected, 0, length);
}

/** EMSA-PKCS1-v1_5, RFC 8017 9.2: 00 01 ff…ff 00 DigestInfo, with 8 octets of ff at least. */
function encodePkcs1(
  digestInfo: readonly number[],
  digest: Uint8Array,
  length: number,
): Uint8Array | undefined {
  const at = length - digest.length - digestInfo.length;
  if (at < 11) return undefined;
  const em = new Uint8Array(length).fill(0xff, 2, at - 1);
  em[1] = 1;
  em.set(digestInfo, at);
  em.set(digest, length - digest.length);
  return em;
}

/** RSASSA-PSS, RFC 8017 8.1.2, with MGF1 over the same hash and a salt as long as the digest, RFC 8446 4.2.3. */
export function verifyPss(key: RsaKey, hash: CHash, digest: Uint8Array, signature: Uint8Array): boolean {
  const em = recover(key, signature, Math.ceil((key.bits - 1) / 8));
  return em !== undefined && checkPss(em, key.bits - 1, hash, digest);
}

/** EMSA-PSS-VERIFY, RFC 8017 9.1.2: EM = maskedDB || H || bc, DB = 0…0 01 salt, H = Hash(0^8 || mHash || salt). */
function checkPss(em: Uint8Array, emBits: number, hash: CHash, digest: Uint8Array): boolean {
  const size = digest.length;
  const dbLength = em.length - size - 1;
  const saltAt = dbLength - size;
  const unused = 8 * em.length - emBits;
  if (saltAt < 1 || em[em.length - 1] !== 0xbc || em[0] >> (8 - unused) !== 0) return false;
  const h = em.subarray(dbLength, dbLength + size);
  const db = mgf1(hash, h, dbLength);
  for (let i = 0; i < dbLength; i++) db[i] ^= em[i];
  db[0] &= 0xff >> unused;
  for (let i = 0; i < saltAt - 1; i++) if (db[i] !== 0) return false;
  if (db[saltAt - 1] !== 1) return false;
  const expected = hash
    .create()
    .update(new Uint8Array(8))
    .update(digest)
    .update(db.subarray(saltAt))
    .digest();
  return equalBytes(h, 0, size, expected, 0, size);
}

/** MGF1, RFC 8017 B.2.1. */
function mgf1(hash: CHash, seed: Uint8Array, length: number): Uint8Array {
  const mask = new Uint8Array(length);
  const counter = new Uint8Array(4);
  for (let at = 0; at < length; at += hash.outputLen, counter[3]++) {
    const block = hash.create().update(seed).update(counter).digest();
    mask.set(block.subarray(0, length - at), at);
  }
  return mask;
}

/** RSAVP1 and I2OSP, RFC 8017 5.2.2 and 4.1: the encoded message, if there is one of `length` octets. */
function recover(key: RsaKey, signature: Uint8Array, length: number): Uint8Array | undefined {
  if (signature.length !== Math.ceil(key.bits / 8)) return undefined;
  const s = bytesToNumberBE(signature);
  if (s >= key.modulus) return undefined;
  const m = power(s, key.exponent, key.modulus);
  return m >> BigInt(8 * length) === 0n ? numberToBytesBE(m, length) : undefined;
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  let square = base;
  for (let e = exponent; e > 0n; e >>= 1n) {
    if (e & 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}
