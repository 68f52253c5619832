import { copyBytes } from "../wire/writer.js";
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
/** "tls13 " */
const prefix = Object.freeze([0x74, 0x6c, 0x73, 0x31, 0x33, 0x20]);
const zeros = new Uint8Array(maxHash);

/**
 * The key schedule of TLS 1.3 without PSK, RFC 8446 7.1. `start`, `handshake` and `master` go from one secret
 * to the next; `derive` takes traffic secrets from the present one.
 *
 * Secrets, hashes and keys stand at the beginning of the arrays given. Secrets and transcript hashes are
 * `size` bytes long; nothing derived is longer, so HKDF-Expand (RFC 5869 2.3) is a single HMAC everywhere.
 */
export class KeySchedule13 {
  /** Bytes of the suite's hash. */
  readonly size: number;
  private readonly provider: Provider;
  private readonly hash: HashAlgorithm;
  /** The Early, then the Handshake, then the Master Secret. */
  private readonly secret = new Uint8Array(maxHash);
  private readonly info = new Uint8Array(maxInfo);
  /** What HKDF-Expand-Label gave; wiped as soon as it is used. */
  private readonly block = new Uint8Array(maxHash);

  constructor(provider: Provider, hash: HashAlgorithm) {
    this.provider = provider;
    this.hash = hash;
    this.size = hashSize[hash];
  }

  /** Early Secret = HKDF-Extract(0, 0), as there is no PSK. */
  start(): void {
    this.extract(zeros, 0, this.size);
  }

  /** Handshake Secret = HKDF-Extract(Derive-Secret(Early Secret, "derived", ""), (EC)DHE). */
  handshake(shared: Uint8Array, start: number, end: number): void {
    this.derived();
    this.extract(shared, start, end);
  }

  /** Master Secret = HKDF-Extract(Derive-Secret(Handshake Secret, "derived", ""), 0). */
  master(): void {
    this.derived();
    this.extract(zeros, 0, this.size);
  }

  /** Derive-Secret(present secret, label, messages) of the messages' hash; `label` is one of `secretLabel`. */
  derive(label: string, transcriptHash: Uint8Array, out: Uint8Array): void {
    this.expandLabel(this.secret, label, transcriptHash, this.size, this.size);
    this.emit(out, this.size);
  }

  /** The key and the 12-byte IV of a traffic secret, RFC 8446 7.3. */
  trafficKeys(secret: Uint8Array, key: Uint8Array, iv: Uint8Array, keyLength: number): void {
    this.expandLabel(secret, "key", zeros, 0, keyLength);
    this.emit(key, keyLength);
    this.expandLabel(secret, "iv", zeros, 0, 12);
    this.emit(iv, 12);
  }

  /** The verify_data of the Finished whose sender has this traffic secret, RFC 8446 4.4.4. */
  finished(secret: Uint8Array, transcriptHash: Uint8Array, out: Uint8Array): void {
    const { size } = this;
    this.expandLabel(secret, "finished", zeros, 0, size);
    this.provider.hmac(this.hash, this.block, 0, size, transcriptHash, 0, size, out, 0);
    this.block.fill(0);
  }

  /** Replaces an application traffic secret by the next one, for a KeyUpdate: RFC 8446 7.2. */
  update(secret: Uint8Array): void {
    this.expandLabel(secret, "traffic upd", zeros, 0, this.size);
    this.emit(secret, this.size);
  }

  /** Forgets the present secret. `trafficKeys`, `finished` and `update` still work. */
  wipe(): void {
    this.secret.fill(0);
  }

  /** HKDF-Extract, RFC 5869 2.2, with the block as salt: zero at the start, "derived" later. */
  private extract(ikm: Uint8Array, start: number, end: number): void {
    this.provider.hmac(this.hash, this.block, 0, this.size, ikm, start, end, this.secret, 0);
    this.block.fill(0);
  }

  private derived(): void {
    this.provider.hash(this.hash).digest(this.block, 0);
    this.expandLabel(this.secret, "derived", this.block, this.size, this.size);
  }

  /**
   * HKDF-Expand-Label(secret, label, context, length) to the block, RFC 8446 7.1:
   * `struct { uint16 length; opaque label<7..255>; opaque context<0..255>; } HkdfLabel`.
   */
  private expandLabel(
    secret: Uint8Array,
    label: string,
    context: Uint8Array,
    contextLength: number,
    length: number,
  ): void {
    const { info } = this;
    info[0] = 0;
    info[1] = length;
    info[2] = prefix.length + label.length;
    let at = 3;
    for (let i = 0; i < prefix.length; i++) info[at++] = prefix[i];
    for (let i = 0; i < label.length; i++) info[at++] = label.charCodeAt(i);
    info[at++] = contextLength;
    for (let i = 0; i < contextLength; i++) info[at++] = context[i];
    info[at++] = 1;
    this.provider.hmac(this.hash, secret, 0, this.size, info, 0, at, this.block, 0);
  }

  private emit(out: Uint8Array, length: number): void {
    copyBytes(this.block, 0, length, out, 0);
    this.block.fill(0);
  }
}
