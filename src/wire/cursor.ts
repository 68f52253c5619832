import type { Fault } from "./fault.js";

/** No bytes: what a span is of before it is of anything. */
export const none = new Uint8Array(0);

/**
 * A position in `bytes[at…end)`, and what is thrown where that does not suffice. A length-prefixed element narrows the view
 * and keeps the outer end, which `leave` or `drop` takes back: offsets instead of views, which would cost slots on XS.
 */
export abstract class Cursor {
  bytes: Uint8Array;
  at: number;
  end: number;
  abstract readonly fault: Fault;

  constructor(bytes: Uint8Array = none, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  /** Goes to another span with the same object, so that a device makes no new one. */
  over(bytes: Uint8Array, at: number, end: number): this {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
    return this;
  }

  /** Passes over `n` bytes and returns the offset where they begin. */
  skip(n: number): number {
    const at = this.at;
    if (n > this.end - at) throw this.fault;
    this.at = at + n;
    return at;
  }

  /** Ends an element: refuses what nobody read of it. */
  leave(outer: number): void {
    if (this.at !== this.end) throw this.fault;
    this.end = outer;
  }

  /** Ends an element and passes over what is left of it. */
  drop(outer: number): void {
    this.at = this.end;
    this.end = outer;
  }

  /** Refuses trailing bytes. */
  finish(): void {
    if (this.at !== this.end) throw this.fault;
  }
}
