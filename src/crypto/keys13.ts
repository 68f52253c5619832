import { copyBytes, writeAscii } from "../wire/writer.js";
import type { HashAlgorithm, Provider } from "./provider.js";
import { hashSize } from "./suites.js";

/** Labels of the secrets that are derived with a transcript, RFC 8446 7.1. */
export const secretLabel = Object.freeze({
  clientHandshake: "c hs traffic",
  serverHandshake: "s hs traffic",
  clientApplication: "c ap traffic",
  serverApplication: "s ap traffic",
  exporter: "exp master",
});

const maxHash = 48;
/** An HkdfLabel with the longest label and context, and the counter that HKDF-Expand puts behind it. */
const maxInfo = 2 + 1 + 18 + 1 + maxHash + 1;
/**
 * The schedule's own memory: the Early, then the Handshake, then the Master Secret; the HkdfLabel; and what
 * HKDF-Expand-Label gave, which is wiped as soon as it is used.
 */
const INFO = maxHash;
const BLOCK = INFO + maxInfo;
/** Bytes of it. */
export const scheduleSize13 = BLOCK + maxHash;
const zeros: Uint8Array = new Uint8Array(maxHash);
/** What every label begins with. It stays in its place, and is written once. */
const prefix = "tls13 ";

/**
 * The key schedule of TLS 1.3, RFC 8446 7.1. `start`, `handshake` and `master` go from one secret to the next; `derive`
 * takes traffic secrets from the present one.
 *
 * Secrets, hashes and keys are offsets into `memory`, the owner's. Secrets and transcript hashes are `size`
 * bytes long; nothing derived is longer, so HKDF-Expand (RFC 5869 2.3) is a single HMAC everywhere.
 */
export class KeySchedule13 {
  /** Bytes of the suite's hash. */
  readonly size: number;
  readonly provider: Provider;
  readonly hash: HashAlgorithm;
  readonly memory: Uint8Array;
  private readonly own: number;

  /** `memory[own…]` has `scheduleSize13` bytes for the schedule itself. */
  constructor(provider: Provider, hash: HashAlgorithm, memory: Uint8Array, own: number) {
    this.provider = provider;
    this.hash = hash;
    this.memory = memory;
    this.own = own;
    this.size = hashSize[hash];
    writeAscii(prefix, memory, own + INFO + 3);
  }

  /** Early Secret = HKDF-Extract(0, PSK); without a PSK, which is as long as the hash, HKDF-Extract(0, 0). */
  start(psk = zeros): void {
    this.extract(psk, 0, this.size);
  }

  /** Handshake Secret = HKDF-Extract(Derive-Secret(Early Secret, "derived", ""), (EC)DHE), at `start…end`. */
  handshake(start: number, end: number): void {
    this.next(this.memory, start, end);
  }

  /** Master Secret = HKDF-Extract(Derive-Secret(Handshake Secret, "derived", ""), 0). */
  master(): void {
    this.next(zeros, 0, this.size);
  }

  /** Writes Derive-Secret(present secret, label, messages) at `at`; `label` is of `secretLabel`, the messages' hash at `hashAt`. */
  derive(label: string, hashAt: number, at: number): void {
    this.expandLabel(this.own, label, hashAt, this.size, this.size, at);
  }

  /** Writes a traffic secret's key at `keyAt`, and its IV to `iv`, 12 bytes: RFC 8446 7.3. */
  trafficKeys(secretAt: number, keyAt: number, keyLength: number, iv: Uint8Array): void {
    const { memory } = this;
    const block = this.own + BLOCK;
    this.expandLabel(secretAt, "key", 0, 0, keyLength, block);
    memory.copyWithin(keyAt, block, block + keyLength);
    this.expandLabel(secretAt, "iv", 0, 0, 12, block);
    copyBytes(memory, block, block + 12, iv, 0);
    this.wipeBlock();
  }

  /** Writes the verify_data of the Finished whose sender has this traffic secret at `at`, RFC 8446 4.4.4. */
  finished(secretAt: number, hashAt: number, at: number): void {
    const { size } = this;
    this.expandLabel(secretAt, "finished", 0, 0, size, this.own + BLOCK);
    this.hmacByBlock(this.memory, hashAt, hashAt + size, at);
  }

  /** Replaces an application traffic secret by the next one, for a KeyUpdate: RFC 8446 7.2. */
  updateSecret(secretAt: number): void {
    this.expandLabel(secretAt, "traffic upd", 0, 0, this.size, secretAt);
  }

  /** Forgets the present secret. `trafficKeys`, `finished` and `updateSecret` still work. */
  forgetSecret(): void {
    this.memory.fill(0, this.own, this.own + maxHash);
  }

  /** HKDF-Extract, RFC 5869 2.2, with the block as salt: zero at the start, "derived" later. */
  private extract(ikm: Uint8Array, start: number, end: number): void {
    this.hmacByBlock(ikm, start, end, this.own);
  }

  /**
   * HKDF-Expand-Label(secret, label, context, length), RFC 8446 7.1, of which `size` bytes are written at `at`, also where
   * the secret is: `struct { uint16 length; opaque label<7..255>; opaque context<0..255>; } HkdfLabel`.
   */
  expandLabel(
    secretAt: number,
    label: string,
    contextAt: number,
    contextLength: number,
    length: number,
    at: number,
  ): void {
    const { memory, size } = this;
    const info = this.own + INFO;
    memory[info] = 0;
    memory[info + 1] = length;
    memory[info + 2] = prefix.length + label.length;
    let end = info + 3 + prefix.length;
    // As `writeAscii`, for want of stack: it is nowhere higher
    const characters: string = Object(label);
    for (let i = 0, n = characters.length; i < n; i++) memory[end++] = characters.charCodeAt(i);
    memory[end++] = contextLength;
    memory.copyWithin(end, contextAt, contextAt + contextLength);
    end += contextLength;
    memory[end++] = 1;
    this.provider.hmac(this.hash, memory, secretAt, secretAt + size, memory, info, end, memory, at);
  }

  /** From one secret to the next, which "derived" salts. */
  private next(ikm: Uint8Array, start: number, end: number): void {
    const block = this.own + BLOCK;
    this.provider.hash(this.hash).digest(this.memory, block);
    this.derive("derived", block, block);
    this.extract(ikm, start, end);
  }

  /** HMAC by the block, which is spent. */
  private hmacByBlock(bytes: Uint8Array, start: number, end: number, at: number): void {
    const { provider, hash, size, memory } = this;
    const block = this.own + BLOCK;
    provider.hmac(hash, memory, block, block + size, bytes, start, end, memory, at);
    this.wipeBlock();
  }

  private wipeBlock(): void {
    this.memory.fill(0, this.own + BLOCK, this.own + scheduleSize13);
  }
}
