import { copyBytes } from "../wire/writer.js";
import type { HashAlgorithm, Provider } from "./provider.js";
import { hashSize } from "./suites.js";

/** Labels of the two Finished messages, RFC 5246 7.4.9. */
export const finishedLabel = Object.freeze({ client: "client finished", server: "server finished" });

/** Bytes of verify_data, RFC 5246 7.4.9. */
export const verifyDataSize = 12;

const masterSize = 48;
const randomSize = 32;
const maxHash = 48;
/** The longest label, "extended master secret", and the longest seed, two randoms. */
const maxSeed = 22 + 2 * randomSize;

/**
 * The key derivation of TLS 1.2, RFC 5246 sections 5, 6.3 and 8.1. `hash` is that of the suite's PRF,
 * SHA-256 or SHA-384. Randoms (32 bytes) and transcript hashes stand at the beginning of the arrays given.
 */
export class KeySchedule12 {
  /** The master secret: 48 bytes, whatever the hash. */
  readonly master = new Uint8Array(masterSize);
  private readonly provider: Provider;
  private readonly hash: HashAlgorithm;
  private readonly size: number;
  /** A(i), and behind it label and seed, so that A(i) + label + seed is one span. */
  private readonly scratch = new Uint8Array(maxHash + maxSeed);
  private readonly block = new Uint8Array(maxHash);

  constructor(provider: Provider, hash: HashAlgorithm) {
    this.provider = provider;
    this.hash = hash;
    this.size = hashSize[hash];
  }

  /** master_secret = PRF(pre_master_secret, "master secret", ClientHello.random + ServerHello.random), RFC 5246 8.1. */
  masterSecret(
    premaster: Uint8Array,
    start: number,
    end: number,
    clientRandom: Uint8Array,
    serverRandom: Uint8Array,
  ): void {
    let at = this.label("master secret");
    at = this.seed(clientRandom, randomSize, at);
    at = this.seed(serverRandom, randomSize, at);
    this.prf(premaster, start, end, at, this.master, masterSize);
  }

  /** master_secret = PRF(pre_master_secret, "extended master secret", session_hash), RFC 7627 section 4. */
  extendedMasterSecret(premaster: Uint8Array, start: number, end: number, sessionHash: Uint8Array): void {
    const at = this.seed(sessionHash, this.size, this.label("extended master secret"));
    this.prf(premaster, start, end, at, this.master, masterSize);
  }

  /**
   * The first `length` bytes of the key_block, RFC 5246 6.3: for an AEAD client_write_key, server_write_key,
   * client_write_IV, server_write_IV. Here, unlike above, the server's random comes first.
   */
  keyBlock(clientRandom: Uint8Array, serverRandom: Uint8Array, out: Uint8Array, length: number): void {
    let at = this.label("key expansion");
    at = this.seed(serverRandom, randomSize, at);
    at = this.seed(clientRandom, randomSize, at);
    this.prf(this.master, 0, masterSize, at, out, length);
  }

  /** verify_data = PRF(master_secret, finished_label, Hash(handshake_messages)), RFC 5246 7.4.9. */
  verifyData(label: string, transcriptHash: Uint8Array, out: Uint8Array): void {
    const at = this.seed(transcriptHash, this.size, this.label(label));
    this.prf(this.master, 0, masterSize, at, out, verifyDataSize);
  }

  wipe(): void {
    this.master.fill(0);
  }

  /** Begins the PRF's input; returns where the seed goes. */
  private label(label: string): number {
    let at = this.size;
    for (let i = 0; i < label.length; i++) this.scratch[at++] = label.charCodeAt(i);
    return at;
  }

  private seed(bytes: Uint8Array, length: number, at: number): number {
    copyBytes(bytes, 0, length, this.scratch, at);
    return at + length;
  }

  /**
   * PRF(secret, label, seed) = P_hash(secret, label + seed), RFC 5246 section 5; label and seed end at `end`.
   * P_hash = HMAC(secret, A(1) + seed) + HMAC(secret, A(2) + seed) + …; A(0) = seed, A(i) = HMAC(secret, A(i-1)).
   */
  private prf(
    secret: Uint8Array,
    secretStart: number,
    secretEnd: number,
    end: number,
    out: Uint8Array,
    length: number,
  ): void {
    const { provider, hash, size, scratch, block } = this;
    provider.hmac(hash, secret, secretStart, secretEnd, scratch, size, end, block, 0);
    for (let at = 0; at < length; at += size) {
      copyBytes(block, 0, size, scratch, 0);
      provider.hmac(hash, secret, secretStart, secretEnd, scratch, 0, end, block, 0);
      copyBytes(block, 0, Math.min(size, length - at), out, at);
      provider.hmac(hash, secret, secretStart, secretEnd, scratch, 0, size, block, 0);
    }
    scratch.fill(0);
    block.fill(0);
  }
}
