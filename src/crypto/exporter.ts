import type { HashAlgorithm, Provider } from "./provider.js";
import { hashSize } from "./suites.js";

/** Keying material for applications. Labels and contexts are of any length here, and so is what comes out. */

/**
 * TLS-Exporter(label, context, length), RFC 8446 7.5: HKDF-Expand-Label(Derive-Secret(secret, label, ""), "exporter",
 * Hash(context), length). `secret` is exporter_master_secret.
 */
export function export13(
  provider: Provider,
  hash: HashAlgorithm,
  secret: Uint8Array,
  label: string,
  context: Uint8Array,
  length: number,
): Uint8Array {
  const derived = expandLabel(provider, hash, secret, label, new Uint8Array(0), hashSize[hash]);
  const exported = expandLabel(provider, hash, derived, "exporter", context, length);
  derived.fill(0);
  return exported;
}

/** HKDF-Expand-Label, RFC 8446 7.1, with the hash of `context` as its context. */
function expandLabel(
  provider: Provider,
  hash: HashAlgorithm,
  secret: Uint8Array,
  label: string,
  context: Uint8Array,
  length: number,
): Uint8Array {
  const size = hashSize[hash];
  const name = ascii(`tls13 ${label}`);
  const info = new Uint8Array(2 + 1 + name.length + 1 + size);
  info[0] = length >> 8;
  info[1] = length;
  info[2] = name.length;
  info.set(name, 3);
  info[3 + name.length] = size;
  const digest = provider.hash(hash);
  digest.update(context, 0, context.length);
  digest.digest(info, 4 + name.length);
  return expand(provider, hash, secret, info, length);
}

/** HKDF-Expand, RFC 5869 2.3: T(i) = HMAC(secret, T(i-1) + info + i). */
function expand(
  provider: Provider,
  hash: HashAlgorithm,
  secret: Uint8Array,
  info: Uint8Array,
  length: number,
): Uint8Array {
  const size = hashSize[hash];
  const out = new Uint8Array(Math.ceil(length / size) * size);
  const input = new Uint8Array(size + info.length + 1);
  input.set(info, size);
  for (let at = 0; at < length; at += size) {
    input[input.length - 1]++;
    const start = at === 0 ? size : 0;
    provider.hmac(hash, secret, 0, secret.length, input, start, input.length, out, at);
    input.set(out.subarray(at, at + size));
  }
  return cut(out, length);
}

/**
 * PRF(master_secret, label, seed), RFC 5705 section 4 and RFC 5246 section 5; the seed is both randoms, and then the
 * context behind its length, if there is one.
 */
export function export12(
  provider: Provider,
  hash: HashAlgorithm,
  master: Uint8Array,
  randoms: Uint8Array,
  label: string,
  context: Uint8Array | undefined,
  length: number,
): Uint8Array {
  const size = hashSize[hash];
  const out = new Uint8Array(Math.ceil(length / size) * size);
  const name = ascii(label);
  const seed = size + name.length + randoms.length;
  // A(i), and what stands behind it
  const input = new Uint8Array(seed + (context ? 2 + context.length : 0));
  input.set(name, size);
  input.set(randoms, size + name.length);
  if (context) {
    input[seed] = context.length >> 8;
    input[seed + 1] = context.length;
    input.set(context, seed + 2);
  }
  provider.hmac(hash, master, 0, master.length, input, size, input.length, input, 0);
  for (let at = 0; at < length; at += size) {
    provider.hmac(hash, master, 0, master.length, input, 0, input.length, out, at);
    provider.hmac(hash, master, 0, master.length, input, 0, size, input, 0);
  }
  return cut(out, length);
}

function ascii(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** The first bytes, and nothing of the others. */
function cut(bytes: Uint8Array, length: number): Uint8Array {
  const first = bytes.slice(0, length);
  bytes.fill(0);
  return first;
}
