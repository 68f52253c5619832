import { createPrivateKey, createPublicKey } from "node:crypto";
import { EcExchange, provider as node, X448Exchange, X25519Exchange } from "../../hosts/node/provider.js";
import { moreCurves, portable } from "../../hosts/portable/index.js";
import type { AeadAlgorithm, Exchange, HashAlgorithm, KeyKind, Provider } from "../../src/crypto/provider.js";
import { hashSize } from "../../src/crypto/suites.js";
import { namedGroup } from "../../src/wire/registry.js";
import { startPsa } from "./psa/remote.js";

/** A provider, and what only a test asks of it: a key exchange whose private key is known. */
export interface Subject {
  readonly provider: Provider;
  exchangeOf(group: number, privateKey: Uint8Array): Exchange;
  /** Groups that it has not. */
  readonly lacks?: readonly number[];
  /** Whether it has RSA keys of so many bits; all sizes by default. */
  takesRsa?(bits: number): boolean;
}

/** PSA Crypto, as it runs in XS; absent where the XS host was not built with it. */
const psa = await startPsa();

/** All providers: every vector goes through each. */
export const subjects: readonly Subject[] = [
  { provider: node, exchangeOf: nodeExchange },
  { provider: moreCurves(portable()), exchangeOf: portableExchange },
  ...(psa ? [psa] : []),
];

const curveName: Record<number, string> = {
  [namedGroup.secp256r1]: "prime256v1",
  [namedGroup.secp384r1]: "secp384r1",
  [namedGroup.secp521r1]: "secp521r1",
};

/** PKCS #8 of RFC 8410 section 7, but for the key. */
const montgomery: Record<number, string> = {
  [namedGroup.x25519]: "302e020100300506032b656e04220420",
  [namedGroup.x448]: "3046020100300506032b656f043a0438",
};

function nodeExchange(group: number, privateKey: Uint8Array): Exchange {
  if (!(group in montgomery)) return new EcExchange(curveName[group], privateKey);
  const der = Buffer.concat([hex(montgomery[group]), privateKey]);
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const pair = { privateKey: key, publicKey: createPublicKey(key) };
  return group === namedGroup.x448 ? new X448Exchange(pair) : new X25519Exchange(pair);
}

/** Feeds the randomness that becomes this key: of NIST curves seed mod (n - 1) + 1, FIPS 186-5 A.2.1. */
function portableExchange(group: number, privateKey: Uint8Array): Exchange {
  const random = (bytes: Uint8Array, start: number, end: number) => {
    const scalar = BigInt(`0x${toHex(privateKey)}`) - 1n;
    const seed = group in montgomery ? privateKey : hex(scalar.toString(16).padStart(2 * (end - start), "0"));
    bytes.set(seed, start);
  };
  return moreCurves(portable({ random })).exchange(group);
}

export function hex(text: string): Buffer {
  return Buffer.from(text.replace(/\s/g, ""), "hex");
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

// What follows calls a provider with spans inside larger arrays, so that an offset lost anywhere shows.

const margin = 3;

/** The bytes with others around them. */
function inside(bytes: Uint8Array, room = 0): { bytes: Uint8Array; start: number; end: number } {
  const all = new Uint8Array(bytes.length + room + 2 * margin).fill(0xa5);
  all.set(bytes, margin);
  return { bytes: all, start: margin, end: margin + bytes.length };
}

export function digest(provider: Provider, algorithm: HashAlgorithm, ...messages: Uint8Array[]): string {
  const hash = provider.hash(algorithm);
  for (const message of messages) {
    const { bytes, start, end } = inside(message);
    hash.update(bytes, start, end);
  }
  const out = new Uint8Array(hashSize[algorithm] + 2 * margin);
  hash.digest(out, margin);
  return toHex(out.subarray(margin, -margin));
}

export function mac(provider: Provider, algorithm: HashAlgorithm, key: Uint8Array, data: Uint8Array): string {
  const k = inside(key);
  const d = inside(data);
  const out = new Uint8Array(hashSize[algorithm] + 2 * margin);
  provider.hmac(algorithm, k.bytes, k.start, k.end, d.bytes, d.start, d.end, out, margin);
  return toHex(out.subarray(margin, -margin));
}

export interface Sealed {
  readonly algorithm: AeadAlgorithm;
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
  readonly aad: Uint8Array;
}

/** Ciphertext and tag, in hex. */
export function seal(provider: Provider, box: Sealed, plaintext: Uint8Array): string {
  const k = inside(box.key);
  const a = inside(box.aad);
  const p = inside(plaintext, 16);
  const aead = provider.aead(box.algorithm, k.bytes, k.start, k.end);
  aead.seal(box.nonce, a.bytes, a.start, a.end, p.bytes, p.start, p.end);
  return toHex(p.bytes.subarray(p.start, p.end + 16));
}

/** What `open` said and what the bytes hold afterwards. */
export function open(
  provider: Provider,
  box: Sealed,
  sealed: Uint8Array,
): { ok: boolean; bytes: Uint8Array } {
  const k = inside(box.key);
  const a = inside(box.aad);
  const s = inside(sealed);
  const aead = provider.aead(box.algorithm, k.bytes, k.start, k.end);
  const ok = aead.open(box.nonce, a.bytes, a.start, a.end, s.bytes, s.start, s.end);
  return { ok, bytes: s.bytes.subarray(s.start, s.end) };
}

/** The shared secret in hex; empty when the peer's key is refused. */
export function agree(exchange: Exchange, peer: Uint8Array): string {
  const p = inside(peer);
  const out = new Uint8Array(66 + margin);
  const length = exchange.agree(p.bytes, p.start, p.end, out, margin);
  return toHex(out.subarray(margin, margin + length));
}

export function publicKey(exchange: Exchange): Uint8Array {
  const out = new Uint8Array(133 + margin);
  const length = exchange.publicKey(out, margin);
  return out.slice(margin, margin + length);
}

export interface Signed {
  readonly scheme: number;
  readonly kind: KeyKind;
  readonly key: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

export function verifies(provider: Provider, signed: Signed): boolean {
  const verification = provider.verification(signed.scheme);
  const m = inside(signed.message);
  const half = (m.start + m.end) >> 1;
  verification.update(m.bytes, m.start, half);
  verification.update(m.bytes, half, m.end);
  m.bytes.fill(0);
  const s = inside(signed.signature);
  return verification.settle({ kind: signed.kind, ...inside(signed.key) }, s.bytes, s.start, s.end);
}

/** RSAPublicKey, RFC 8017 A.1.1, of numbers without leading zeros. */
export function rsaPublicKey(modulus: string, exponent: string): Uint8Array {
  return der(0x30, Buffer.concat([derInteger(hex(modulus)), derInteger(hex(exponent))]));
}

function derInteger(value: Uint8Array): Uint8Array {
  return der(0x02, value[0] >= 0x80 ? Buffer.concat([hex("00"), value]) : value);
}

export function der(tag: number, contents: Uint8Array): Uint8Array {
  const { length } = contents;
  const prefix =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...prefix]), contents]);
}
