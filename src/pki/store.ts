import { faults } from "../wire/fault.js";
import { copyBytes } from "../wire/writer.js";

/**
 * What is kept of a handshake's certificates and staples: one region `bytes[start…limit)`, filled from below. What
 * would merely be good to have is kept from above and is overwritten as soon as what is needed reaches it.
 */
export class Store {
  bytes: Uint8Array;
  readonly start: number;
  readonly limit: number;
  /** Where the next needed byte goes; what was kept from above is intact if it begins at or after this. */
  at: number;
  /** Bytes asked for so far, whether they fitted or not: what a store for this peer must have at least. */
  needed = 0;
  private top: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.start = start;
    this.limit = end;
    this.at = start;
    this.top = end;
  }

  /** Copies a span and returns its offset here. Throws STORE_TOO_SMALL, `needed` then telling the size. */
  save(bytes: Uint8Array, start: number, end: number): number {
    const at = this.reserve(end - start);
    copyBytes(bytes, start, end, this.bytes, at);
    return at;
  }

  /** Takes room for `n` bytes, all or nothing, and returns its offset. Throws STORE_TOO_SMALL. */
  reserve(n: number): number {
    this.needed += n;
    const at = this.at;
    if (n > this.limit - at) throw faults.STORE_TOO_SMALL;
    this.at = at + n;
    return at;
  }

  /** Copies a span that can be done without; returns its offset, or -1 when there is no room for it. */
  keep(bytes: Uint8Array, start: number, end: number): number {
    this.needed += end - start;
    if (end - start > this.top - this.at) return -1;
    this.top -= end - start;
    copyBytes(bytes, start, end, this.bytes, this.top);
    return this.top;
  }

  /** Whether what `keep` put at this offset is still there. */
  holds(offset: number): boolean {
    return offset >= this.at;
  }
}
