import { faults } from "../wire/fault.js";
import { HEADER, MAX_PLAINTEXT, type Protection, plaintext, TAG } from "./protection.js";

/** What is kept free for an alert or a KeyUpdate, however full the buffer is: two small records. */
const RESERVE = 2 * (HEADER + 8 + 5 + 1 + TAG);

/**
 * The output buffer, `bytes[base…limit)`: finished records that wait for the transport in `[at…end)`, and
 * behind them room where the next record's content is written, at its final place.
 */
export class Outbox {
  bytes: Uint8Array;
  private readonly base: number;
  protected readonly limit: number;
  at: number;
  end: number;
  protection: Protection = plaintext;
  /** The longest content of a record that the peer takes. */
  maxContent = MAX_PLAINTEXT;

  constructor(bytes: Uint8Array, base: number, limit: number) {
    this.bytes = bytes;
    this.base = base;
    this.limit = limit;
    this.at = this.end = base;
  }

  get pending(): number {
    return this.end - this.at;
  }

  /** The transport took `n` bytes. */
  sent(n: number): void {
    this.at += n;
    if (this.at === this.end) this.at = this.end = this.base;
  }

  /** Where the next record's content begins. */
  get contentStart(): number {
    return this.end + this.protection.prefix;
  }

  /** Where the content of the next message must end at the latest; a message longer than a record is split. */
  get contentLimit(): number {
    return this.limit - RESERVE - this.protection.suffix;
  }

  /** Bytes of application data that the next record takes. */
  get room(): number {
    return Math.max(0, Math.min(this.maxContent, this.contentLimit - this.contentStart));
  }

  /**
   * Makes records of the `n` bytes at `contentStart`. Longer than a record may be, they are cut, and the
   * pieces moved apart, the last one first, to leave room for the headers between them.
   */
  emit(type: number, n: number): void {
    const { bytes, maxContent, protection } = this;
    const overhead = protection.prefix + protection.suffix;
    const records = Math.max(1, Math.ceil(n / maxContent));
    if (this.contentStart + n + (records - 1) * overhead > this.contentLimit) throw faults.OUTPUT_TOO_SMALL;
    const start = this.contentStart;
    for (let i = records - 1; i > 0; i--) {
      const from = start + i * maxContent;
      bytes.copyWithin(from + i * overhead, from, Math.min(from + maxContent, start + n));
    }
    for (let left = n, i = 0; i < records; i++, left -= maxContent)
      this.end = protection.seal(bytes, this.end, Math.min(left, maxContent), type);
  }

  /** Makes a record of the few bytes at `contentStart`, for which RESERVE is kept. */
  emitReserved(type: number, n: number): void {
    this.end = this.protection.seal(this.bytes, this.end, n, type);
  }
}
