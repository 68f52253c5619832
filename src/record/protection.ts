import type { Aead } from "../crypto/provider.js";
import { faults } from "../wire/fault.js";
import { contentType, version } from "../wire/registry.js";

/** Bytes of a record's header: ContentType, legacy_record_version, length (RFC 8446 5.1). */
export const HEADER = 5;
/** Bytes of an AEAD's tag. */
export const TAG = 16;
/** The longest plaintext that a record may hold (RFC 8446 5.1). */
export const MAX_PLAINTEXT = 16384;
/** The longest body of a record: TLS 1.3 allows 256 bytes of expansion, TLS 1.2's AEADs use 24 (RFC 8446 5.2). */
export const MAX_CIPHERTEXT = MAX_PLAINTEXT + 256;
/** The largest input buffer that any conforming record needs. */
export const MAX_RECORD = HEADER + MAX_CIPHERTEXT;

/**
 * How one direction's records are protected: not at all (before the keys), by TLS 1.2 or by TLS 1.3. A record
 * is sealed and opened where it lies: `prefix` bytes precede the content, `suffix` bytes follow it.
 */
export interface Protection {
  readonly prefix: number;
  readonly suffix: number;
  /** Records protected so far. */
  readonly sequence: number;
  /** Records that one key may protect (RFC 8446 5.5). */
  readonly capacity: number;
  /** Makes a record of the `n` bytes of content at `bytes[at + prefix…]`; returns where it ends. */
  seal(bytes: Uint8Array, at: number, n: number, type: number): number;
  /** Opens the record `bytes[at…end)`: `out` gets its content's type, start and end. */
  open(bytes: Uint8Array, at: number, end: number, out: Opened): void;
  dispose(): void;
}

/** Where an opened record's content lies. */
export interface Opened {
  type: number;
  start: number;
  end: number;
  /** Whether it came under protection. */
  sealed: boolean;
}

export function writeHeader(bytes: Uint8Array, at: number, type: number, length: number): void {
  bytes[at] = type;
  bytes[at + 1] = version.tls12 >> 8;
  bytes[at + 2] = version.tls12 & 0xff;
  bytes[at + 3] = length >> 8;
  bytes[at + 4] = length;
}

/** Records before any key: TLSPlaintext, RFC 8446 5.1. */
export const plaintext: Protection = Object.freeze({
  prefix: HEADER,
  suffix: 0,
  sequence: 0,
  capacity: Number.POSITIVE_INFINITY,
  seal(bytes: Uint8Array, at: number, n: number, type: number): number {
    writeHeader(bytes, at, type, n);
    return at + HEADER + n;
  },
  open(bytes: Uint8Array, at: number, end: number, out: Opened): void {
    out.type = bytes[at];
    out.start = at + HEADER;
    out.end = end;
    out.sealed = false;
  },
  dispose(): void {},
});

const UPPER_HALF = 0x100000000;

/**
 * The upper half of a number below 2^53, as a 64-bit one has it; the lower half is what the operators take. A
 * small number is not divided, as a fraction may cost an object.
 */
export function upperHalf(n: number): number {
  return n < UPPER_HALF ? 0 : Math.floor(n / UPPER_HALF);
}

export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 24;
  bytes[at + 1] = value >> 16;
  bytes[at + 2] = value >> 8;
  bytes[at + 3] = value;
}

function readU32(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
}

/** What both versions share: the keyed AEAD, its IV and the 64-bit record sequence number. */
export class Sealer {
  readonly aead: Aead;
  /** At first the IV; its first four bytes stay. */
  readonly nonce: Uint8Array;
  readonly capacity: number;
  sequence = 0;
  private ivUpper: number;
  private ivLower: number;

  /** `iv`: 12 bytes, which are this object's from now on. */
  constructor(aead: Aead, iv: Uint8Array, capacity: number) {
    this.aead = aead;
    this.nonce = iv;
    this.capacity = capacity;
    this.ivUpper = readU32(iv, 4);
    this.ivLower = readU32(iv, 8);
  }

  /** Per-record nonce: the sequence number, padded on the left, XOR the IV (RFC 8446 5.3, RFC 7905 2). */
  nextNonce(): void {
    const { nonce, sequence } = this;
    writeU32(nonce, 4, this.ivUpper ^ upperHalf(sequence));
    writeU32(nonce, 8, this.ivLower ^ sequence);
    this.sequence++;
  }

  dispose(): void {
    this.aead.dispose();
    this.nonce.fill(0);
    this.ivUpper = this.ivLower = 0;
  }
}

/** TLSCiphertext and TLSInnerPlaintext, RFC 8446 5.2. */
export class Protection13 extends Sealer implements Protection {
  get prefix(): number {
    return HEADER;
  }

  get suffix(): number {
    return 1 + TAG;
  }

  seal(bytes: Uint8Array, at: number, n: number, type: number): number {
    const start = at + HEADER;
    const end = start + n + 1;
    bytes[end - 1] = type;
    writeHeader(bytes, at, contentType.application_data, n + 1 + TAG);
    this.nextNonce();
    this.aead.seal(this.nonce, bytes, at, start, bytes, start, end);
    return end + TAG;
  }

  open(bytes: Uint8Array, at: number, end: number, out: Opened): void {
    if (bytes[at] !== contentType.application_data) {
      plaintext.open(bytes, at, end, out);
      return;
    }
    const start = at + HEADER;
    if (end - start < TAG + 1) throw faults.BAD_RECORD_MAC;
    this.nextNonce();
    if (!this.aead.open(this.nonce, bytes, at, start, bytes, start, end)) throw faults.BAD_RECORD_MAC;
    unpad(bytes, start, end - TAG, out);
  }
}

/** Finds the content type behind the zero padding; a record of nothing but zeros is refused (RFC 8446 5.4). */
function unpad(bytes: Uint8Array, start: number, end: number, out: Opened): void {
  let last = end - 1;
  while (last >= start && bytes[last] === 0) last--;
  if (last < start) throw faults.UNEXPECTED_MESSAGE;
  out.type = bytes[last];
  out.start = start;
  out.end = last;
  out.sealed = true;
}
