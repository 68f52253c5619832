import { faults } from "./fault.js";

/** No bytes: what a span is of before it is of anything. */
export const none = new Uint8Array(0);

/**
 * A cursor over `bytes[at…end)` that reads big-endian fields and refuses to pass `end` (DECODE_ERROR).
 * `enter…` narrows the view to a length-prefixed vector and returns the outer end, `leave` takes that end
 * back and refuses trailing bytes: offsets instead of views, which would cost slots on XS.
 */
export class Reader {
  bytes: Uint8Array;
  at: number;
  end: number;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  /** Reads another span with the same object, so that a device makes no new one. */
  over(bytes: Uint8Array, at: number, end: number): this {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
    return this;
  }

  get left(): number {
    return this.end - this.at;
  }

  u8(): number {
    return this.bytes[this.skip(1)];
  }

  u16(): number {
    const at = this.skip(2);
    return (this.bytes[at] << 8) | this.bytes[at + 1];
  }

  u24(): number {
    const at = this.skip(3);
    return (this.bytes[at] << 16) | (this.bytes[at + 1] << 8) | this.bytes[at + 2];
  }

  u32(): number {
    const high = this.u16();
    return high * 0x10000 + this.u16();
  }

  /** Passes over `n` bytes and returns the offset where they begin. */
  skip(n: number): number {
    const at = this.at;
    if (n > this.end - at) throw faults.DECODE_ERROR;
    this.at = at + n;
    return at;
  }

  enter8(): number {
    return this.enter(this.u8());
  }

  enter16(): number {
    return this.enter(this.u16());
  }

  enter24(): number {
    return this.enter(this.u24());
  }

  /** Narrows the view to the next `n` bytes; returns the outer end, for `leave`. */
  enter(n: number): number {
    const outer = this.end;
    if (n > outer - this.at) throw faults.DECODE_ERROR;
    this.end = this.at + n;
    return outer;
  }

  /** Ends a vector: refuses bytes that nobody read. */
  leave(outer: number): void {
    this.finish();
    this.end = outer;
  }

  /** Ends a vector and passes over what is left of it. */
  drop(outer: number): void {
    this.at = this.end;
    this.end = outer;
  }

  /** Refuses trailing bytes. */
  finish(): void {
    if (this.at !== this.end) throw faults.DECODE_ERROR;
  }
}
