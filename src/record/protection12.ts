import type { Aead } from "../crypto/provider.js";
import { faults } from "../wire/fault.js";
import {
  HEADER,
  type Opened,
  type Protection,
  Sealer,
  TAG,
  upperHalf,
  writeHeader,
  writeU32,
} from "./protection.js";

const EXPLICIT_NONCE = 8;

/** Bytes of TLS 1.2's additional_data. */
export const AAD = 13;

/** GenericAEADCipher, RFC 5246 6.2.3.3; AES-GCM as in RFC 5288, ChaCha20-Poly1305 as in RFC 7905. */
export class Protection12 extends Sealer implements Protection {
  readonly prefix: number;
  private readonly aad: Uint8Array;

  /**
   * `iv`: 12 bytes; for AES-GCM the 4 of the implicit salt come first and the rest is zero. `aad`: where the
   * additional data is written for each record; two directions may share it.
   */
  constructor(aead: Aead, iv: Uint8Array, capacity: number, explicitNonce: boolean, aad: Uint8Array) {
    super(aead, iv, capacity);
    this.aad = aad;
    this.prefix = HEADER + (explicitNonce ? EXPLICIT_NONCE : 0);
  }

  get suffix(): number {
    return TAG;
  }

  seal(bytes: Uint8Array, at: number, n: number, type: number): number {
    const start = at + this.prefix;
    writeHeader(bytes, at, type, this.prefix - HEADER + n + TAG);
    this.writeAad(bytes, at, n);
    this.nextNonce();
    for (let i = at + HEADER, j = 4; i < start; ) bytes[i++] = this.nonce[j++];
    this.aead.seal(this.nonce, this.aad, 0, AAD, bytes, start, start + n);
    return start + n + TAG;
  }

  open(bytes: Uint8Array, at: number, end: number, out: Opened): void {
    const start = at + this.prefix;
    const n = end - start - TAG;
    if (n < 0) throw faults.BAD_RECORD_MAC;
    this.writeAad(bytes, at, n);
    this.nextNonce();
    for (let i = at + HEADER, j = 4; i < start; ) this.nonce[j++] = bytes[i++];
    if (!this.aead.open(this.nonce, this.aad, 0, AAD, bytes, start, end)) throw faults.BAD_RECORD_MAC;
    out.type = bytes[at];
    out.start = start;
    out.end = end - TAG;
    out.sealed = true;
  }

  /** additional_data = seq_num + type + version + length of the plaintext. */
  private writeAad(bytes: Uint8Array, at: number, n: number): void {
    const { aad, sequence } = this;
    writeU32(aad, 0, upperHalf(sequence));
    writeU32(aad, 4, sequence);
    for (let i = 0; i < 3; i++) aad[8 + i] = bytes[at + i];
    aad[11] = n >> 8;
    aad[12] = n;
  }
}
