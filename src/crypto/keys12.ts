import { writeAscii } from "../wire/writer.js";
import type { HashAlgorithm, Provider } from "./provider.js";
import { hashSize } from "./suites.js";

/** Bytes of verify_data, RFC 5246 7.4.9. */
export const verifyDataSize = 12;

/** Bytes of the master secret, RFC 5246 8.1. */
export const masterSize = 48;
const randomSize = 32;
const maxHash = 48;
/** The longest label, "extended master secret", and the longest seed, two randoms. */
const maxSeed = 22 + 2 * randomSize;
/** The schedule's own memory: the master secret, a block of output, and A(i) with label and seed behind it. */
const BLOCK = masterSize;
const SCRATCH = BLOCK + maxHash;
/** Bytes of it. */
export const scheduleSize12 = SCRATCH + maxHash + maxSeed;

/**
 * The key derivation of TLS 1.2, RFC 5246 sections 5, 6.3 and 8.1. `hash` is that of the suite's PRF,
 * SHA-256 or SHA-384. Secrets, randoms (32 bytes) and transcript hashes are offsets into `memory`, the owner's.
 */
export class KeySchedule12 {
  /** Where the master secret lies, 48 bytes whatever the hash; behind it the block and A(i). */
  readonly master: number;
  private readonly provider: Provider;
  private readonly hash: HashAlgorithm;
  readonly memory: Uint8Array;
  private readonly size: number;

  /** `memory[own…]` has `scheduleSize12` bytes for the schedule itself. */
  constructor(provider: Provider, hash: HashAlgorithm, memory: Uint8Array, own: number) {
    this.master = own;
    this.provider = provider;
    this.hash = hash;
    this.memory = memory;
    this.size = hashSize[hash];
  }

  /**
   * master_secret = PRF(pre_master_secret, "master secret", ClientHello.random + ServerHello.random), RFC 5246 8.1. Both
   * randoms lie at `randomsAt`, one after the other.
   */
  masterSecret(start: number, end: number, randomsAt: number): void {
    this.prf(start, end, "master secret", randomsAt, 2 * randomSize, this.master, masterSize);
  }

  /** master_secret = PRF(pre_master_secret, "extended master secret", session_hash), RFC 7627 section 4. */
  sessionMasterSecret(start: number, end: number, hashAt: number): void {
    this.prf(start, end, "extended master secret", hashAt, this.size, this.master, masterSize);
  }

  /** verify_data = PRF(master_secret, finished_label, Hash(handshake_messages)), RFC 5246 7.4.9. */
  verifyData(label: string, hashAt: number, out: number): void {
    this.prf(this.master, this.master + masterSize, label, hashAt, this.size, out, verifyDataSize);
  }

  /** Forgets the master secret. */
  eraseMaster(): void {
    this.memory.fill(0, this.master, this.master + scheduleSize12);
  }

  /**
   * PRF(secret, label, seed) = P_hash(secret, label + seed), RFC 5246 section 5.
   * P_hash = HMAC(secret, A(1) + seed) + HMAC(secret, A(2) + seed) + …; A(0) = seed, A(i) = HMAC(secret, A(i-1)).
   */
  prf(
    secretStart: number,
    secretEnd: number,
    label: string,
    seedAt: number,
    seedLength: number,
    out: number,
    length: number,
  ): void {
    const { provider, hash, size, memory } = this;
    const block = this.master + BLOCK;
    const scratch = this.master + SCRATCH;
    const seed = writeAscii(label, memory, scratch + size);
    const end = seed + seedLength;
    memory.copyWithin(seed, seedAt, seedAt + seedLength);
    provider.hmac(hash, memory, secretStart, secretEnd, memory, scratch + size, end, memory, block);
    for (let at = 0; at < length; at += size) {
      memory.copyWithin(scratch, block, block + size);
      provider.hmac(hash, memory, secretStart, secretEnd, memory, scratch, end, memory, block);
      memory.copyWithin(out + at, block, block + Math.min(size, length - at));
      provider.hmac(hash, memory, secretStart, secretEnd, memory, scratch, scratch + size, memory, block);
    }
    memory.fill(0, block, this.master + scheduleSize12);
  }
}

/**
 * Writes the first `length` bytes of the key_block at `out`, RFC 5246 6.3: for an AEAD client_write_key,
 * server_write_key, client_write_IV, server_write_IV. The randoms are as for the master secret; here the server's comes first.
 */
export function keyBlock(keys: KeySchedule12, randomsAt: number, out: number, length: number): void {
  const { memory, master } = keys;
  const seed = master + BLOCK;
  memory.copyWithin(seed, randomsAt + randomSize, randomsAt + 2 * randomSize);
  memory.copyWithin(seed + randomSize, randomsAt, randomsAt + randomSize);
  keys.prf(master, master + masterSize, "key expansion", seed, 2 * randomSize, out, length);
}
