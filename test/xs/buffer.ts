/** What our tests use of Node's Buffer, in XS. */

import { fromHex, fromText, toHex, toText } from "../../hosts/xs/text.js";

const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** The six bits of a character, of either alphabet of base64; -1 of all others. */
const values = new Int8Array(128).fill(-1);
for (let i = 0; i < 64; i++) values[digits.charCodeAt(i)] = i;
values["-".charCodeAt(0)] = 62;
values["_".charCodeAt(0)] = 63;

function fromBase64(text: string): Uint8Array {
  const codes = fromText(text);
  const bytes = new Uint8Array((codes.length * 3) >> 2);
  let at = 0;
  for (let i = 0, held = 0, bits = 0; i < codes.length; i++) {
    const value = values[codes[i]];
    if (value < 0) continue;
    held = (held << 6) | value;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes[at++] = held >> bits;
    held &= (1 << bits) - 1;
  }
  return bytes.subarray(0, at);
}

function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const three = (bytes[i] << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    for (let k = 0; k < 4; k++) text += i + k > bytes.length ? "=" : digits[(three >> (18 - 6 * k)) & 63];
  }
  return text;
}

function fromLatin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function toLatin1(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 256)
    text += String.fromCharCode.apply(null, Array.from(bytes.subarray(at, at + 256)));
  return text;
}

function toUtf8(bytes: Uint8Array): string {
  return toText(new Uint8Array(bytes).buffer);
}

const readers: Readonly<Record<string, (text: string) => Uint8Array>> = {
  hex: (text) => fromHex(text.toLowerCase()),
  base64: fromBase64,
  base64url: fromBase64,
  latin1: fromLatin1,
  // XS has two bytes for NUL
  utf8: (text) => (text.includes("\0") ? fromLatin1(text) : fromText(text)),
};

const writers: Readonly<Record<string, (bytes: Uint8Array) => string>> = {
  hex: toHex,
  base64: toBase64,
  latin1: toLatin1,
  utf8: toUtf8,
};

/** As Node's, without its pool. */
export class Buffer extends Uint8Array {
  static override from(
    source: string | ArrayBuffer | ArrayLike<number> | Iterable<number>,
    second?: string | number | ((value: number, index: number) => number),
    length?: number,
  ): Buffer {
    if (typeof source === "string") return Buffer.over(readers[(second as string) ?? "utf8"](source));
    if (source instanceof ArrayBuffer) return new Buffer(source, second as number | undefined, length);
    return Buffer.over(typeof second === "function" ? Array.from(source as number[], second) : source);
  }

  static override of(...bytes: number[]): Buffer {
    return Buffer.over(bytes);
  }

  static alloc(size: number, fill: number | string = 0): Buffer {
    return new Buffer(size).fill(typeof fill === "string" ? fill.charCodeAt(0) : fill) as Buffer;
  }

  static allocUnsafe(size: number): Buffer {
    return new Buffer(size);
  }

  static isBuffer(value: unknown): boolean {
    return value instanceof Buffer;
  }

  static concat(parts: readonly Uint8Array[]): Buffer {
    const all = new Buffer(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }

  static compare(a: Uint8Array, b: Uint8Array): number {
    for (let i = 0; i < a.length && i < b.length; i++) if (a[i] !== b[i]) return a[i] < b[i] ? -1 : 1;
    return Math.sign(a.length - b.length);
  }

  private static over(bytes: ArrayLike<number> | Iterable<number>): Buffer {
    const source = "length" in bytes ? bytes : [...bytes];
    const made = new Buffer(source.length);
    made.set(source);
    return made;
  }

  override toString(encoding = "utf8", start = 0, end = this.length): string {
    return writers[encoding](this.subarray(start, end));
  }

  override slice(start?: number, end?: number): Buffer {
    return this.subarray(start, end) as Buffer;
  }

  equals(other: Uint8Array): boolean {
    return Buffer.compare(this, other) === 0;
  }

  copy(target: Uint8Array, at = 0, start = 0, end = this.length): number {
    const part = this.subarray(start, Math.min(end, start + target.length - at));
    target.set(part, at);
    return part.length;
  }

  override indexOf(what: number | string | Uint8Array, from = 0): number {
    if (typeof what === "number") return super.indexOf(what, from);
    const bytes = typeof what === "string" ? Buffer.from(what) : what;
    for (let at = from; at + bytes.length <= this.length; at++)
      if (Buffer.compare(this.subarray(at, at + bytes.length), bytes) === 0) return at;
    return -1;
  }

  override includes(what: number | string | Uint8Array, from = 0): boolean {
    return this.indexOf(what, from) >= 0;
  }

  readUIntBE(at: number, size: number): number {
    let value = 0;
    for (let i = 0; i < size; i++) value = value * 256 + this[at + i];
    return value;
  }

  readUInt16BE(at = 0): number {
    return this.readUIntBE(at, 2);
  }

  readUInt32BE(at = 0): number {
    return this.readUIntBE(at, 4);
  }

  readBigUInt64BE(at = 0): bigint {
    return (BigInt(this.readUInt32BE(at)) << 32n) | BigInt(this.readUInt32BE(at + 4));
  }

  writeUIntBE(value: number, at: number, size: number): number {
    for (let i = size - 1, left = value; i >= 0; i--, left = Math.floor(left / 256))
      this[at + i] = left & 255;
    return at + size;
  }

  writeUInt16BE(value: number, at = 0): number {
    return this.writeUIntBE(value, at, 2);
  }

  writeUInt32BE(value: number, at = 0): number {
    return this.writeUIntBE(value, at, 4);
  }

  toJSON(): object {
    return { type: "Buffer", data: Array.from(this) };
  }
}
