const digits = "0123456789abcdef";

/** Text in UTF-8. */
export function fromText(text: string): Uint8Array {
  return new Uint8Array(ArrayBuffer.fromString(text));
}

/** The text that UTF-8 is. */
export function toText(bytes: ArrayBuffer): string {
  return String.fromArrayBuffer(bytes);
}

/** Bytes as hexadecimal digits. */
export function toHex(bytes: Uint8Array): string {
  const text = new Uint8Array(2 * bytes.length);
  for (let i = 0; i < bytes.length; i++) {
    text[2 * i] = digits.charCodeAt(bytes[i] >> 4);
    text[2 * i + 1] = digits.charCodeAt(bytes[i] & 15);
  }
  return toText(text.buffer);
}

/** The bytes of lower-case hexadecimal digits. */
export function fromHex(text: string): Uint8Array {
  const codes = fromText(text);
  const bytes = new Uint8Array(codes.length >> 1);
  for (let i = 0; i < bytes.length; i++) bytes[i] = (digit(codes[2 * i]) << 4) | digit(codes[2 * i + 1]);
  return bytes;
}

function digit(code: number): number {
  return code < 0x61 ? code - 0x30 : code - 0x61 + 10;
}
