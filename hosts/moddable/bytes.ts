import type { ByteBuffer } from "./platform.js";

/** A view of the bytes, whatever holds them: nothing is copied. */
export function bytesOf(data: ByteBuffer): Uint8Array {
  if (data instanceof Uint8Array) return data;
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (typeof data?.byteLength !== "number") throw new TypeError("bytes: an ArrayBuffer or a view of one");
  return new Uint8Array(data as ArrayBuffer);
}
