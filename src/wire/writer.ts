import { Cursor } from "./cursor.js";
import { type Fault, faults } from "./fault.js";

/** Writes big-endian fields to `bytes[at…end)` and refuses to pass `end` (OUTPUT_TOO_SMALL). */
export class Writer extends Cursor {
  get fault(): Fault {
    return faults.OUTPUT_TOO_SMALL;
  }

  get room(): number {
    return this.end - this.at;
  }

  u8(value: number): void {
    this.bytes[this.skip(1)] = value;
  }

  u16(value: number): void {
    const at = this.skip(2);
    this.bytes[at] = value >> 8;
    this.bytes[at + 1] = value;
  }

  u24(value: number): void {
    const at = this.skip(3);
    this.bytes[at] = value >> 16;
    this.bytes[at + 1] = value >> 8;
    this.bytes[at + 2] = value;
  }

  copy(bytes: Uint8Array, start = 0, end = bytes.length): void {
    copyBytes(bytes, start, end, this.bytes, this.skip(end - start));
  }

  /** Writes text of ASCII characters, a byte each. */
  ascii(text: string): void {
    const at = this.skip(text.length);
    writeAscii(text, this.bytes, at);
  }

  begin8(): number {
    return this.skip(1);
  }

  begin16(): number {
    return this.skip(2);
  }

  begin24(): number {
    return this.skip(3);
  }

  finish8(mark: number): void {
    this.fill(mark, 1);
  }

  finish16(mark: number): void {
    this.fill(mark, 2);
  }

  finish24(mark: number): void {
    this.fill(mark, 3);
  }

  /** Fills in the length prefix of `size` bytes at `mark`, once the vector behind it is written. */
  private fill(mark: number, size: number): void {
    let length = this.at - mark - size;
    if (length >= 2 ** (8 * size)) throw this.fault;
    for (let at = mark + size; at > mark; length >>>= 8) this.bytes[--at] = length;
  }
}

/**
 * Copies `from[start…end)` to `to[at…]`. Within one array, and for all but the shortest runs, that is the engine's own copy,
 * between two at the price of a view; a few bytes go through a loop, which costs no memory in XS.
 */
export function copyBytes(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): void {
  if (from === to) to.copyWithin(at, start, end);
  else if (end - start > 16) to.set(from.subarray(start, end), at);
  else for (let i = start; i < end; i++) to[at + i - start] = from[i];
}

/** Writes text of ASCII characters, a byte each, and returns where it ends. */
export function writeAscii(text: string, to: Uint8Array, at: number): number {
  // XS makes an object of a string for each look into it, but once for all of these
  const characters: string = Object(text);
  const { length } = characters;
  for (let i = 0; i < length; i++) to[at + i] = characters.charCodeAt(i);
  return at + length;
}

/** Whether two spans hold the same bytes; not constant-time, for public data only. */
export function equalBytes(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): boolean {
  if (aEnd - aStart !== bEnd - bStart) return false;
  // To take `i++` and `j++` as values would be a third slower in XS
  const offset = bStart - aStart;
  for (let i = aStart; i < aEnd; i++) if (a[i] !== b[i + offset]) return false;
  return true;
}

/** Memory for a secret: V8's collector moves other short arrays, and leaves copies behind. */
export function secretBytes(n: number): Uint8Array {
  return new Uint8Array(new ArrayBuffer(n));
}

/** A copy of a secret, `bytes[start…end)`. */
export function copySecret(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const copy = secretBytes(end - start);
  copyBytes(bytes, start, end, copy, 0);
  return copy;
}

/** Whether two spans of `n` bytes hold the same bytes, in time that depends on `n` alone. */
export function equalSecret(
  a: Uint8Array,
  aStart: number,
  b: Uint8Array,
  bStart: number,
  n: number,
): boolean {
  let difference = 0;
  for (let i = 0; i < n; i++) difference |= a[aStart + i] ^ b[bStart + i];
  return difference === 0;
}
