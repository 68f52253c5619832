/** Fields of TLS messages as words. Readers throw DECODE_ERROR where a field is cut off. */

import { namedGroup, nameOf, signatureScheme } from "../../../src/client/index.js";
import { Reader } from "../../../src/wire/index.js";

/** The next `length` bytes, copied. */
export function readBytes(r: Reader, length: number): Buffer {
  const at = r.skip(length);
  return Buffer.from(r.bytes.subarray(at, at + length));
}

export function readVector8(r: Reader): Buffer {
  return readBytes(r, r.u8());
}

export function readVector16(r: Reader): Buffer {
  return readBytes(r, r.u16());
}

export function readVector24(r: Reader): Buffer {
  return readBytes(r, r.u24());
}

/** All items of a vector of vectors, whose length is of two bytes. */
export function readList16<T>(r: Reader, item: (r: Reader) => T): T[] {
  return readItems(r, r.enter16(), item);
}

export function readList8<T>(r: Reader, item: (r: Reader) => T): T[] {
  return readItems(r, r.enter8(), item);
}

function readItems<T>(r: Reader, outer: number, item: (r: Reader) => T): T[] {
  const items: T[] = [];
  while (r.left > 0) items.push(item(r));
  r.leave(outer);
  return items;
}

// ---- Extensions

/** One extension of a block; its data is not read yet. */
export interface Extension {
  readonly type: number;
  readonly data: Buffer;
}

/** An extension block; none is there where a TLS 1.2 message ends before it. */
export function readExtensions(r: Reader): Extension[] {
  return r.left > 0 ? splitExtensions(readVector16(r)) : [];
}

/** @throws DECODE_ERROR */
export function splitExtensions(block: Buffer): Extension[] {
  const r = new Reader(block);
  const extensions: Extension[] = [];
  while (r.left > 0) extensions.push({ type: r.u16(), data: readVector16(r) });
  return extensions;
}

// ---- Names

export const readGroup = (r: Reader) => numbered(namedGroup, r.u16());
export const readScheme = (r: Reader) => numbered(signatureScheme, r.u16());

export function readVersion(r: Reader): string {
  const id = r.u16();
  return id > 0x300 && id <= 0x304 ? `TLSv1.${id - 0x301}` : numbered({}, id);
}

/** The name of a registry's number; those of RFC 8701 are there to be ignored. */
export function numbered(table: Readonly<Record<string, number>>, id: number): string {
  const isGrease = (id & 0x0f0f) === 0x0a0a && id >> 8 === (id & 0xff);
  return nameOf(table, id) ?? (isGrease ? "GREASE" : `0x${id.toString(16).padStart(4, "0")}`);
}

// ---- Bytes

/** Bytes of malformed input that are shown. */
const SHOWN = 64;

export function malformed(bytes: Buffer): string {
  const rest = bytes.length > SHOWN ? `… (${bytes.length} bytes)` : "";
  return `malformed: ${bytes.toString("hex", 0, SHOWN)}${rest}`;
}

/** As much of a hash as tells it from others. */
export function shortened(hex: string): string {
  return hex.length > 16 ? `${hex.slice(0, 8)}…` : hex;
}
