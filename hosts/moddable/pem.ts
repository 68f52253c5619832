/** Module `tlstaple/pem`: certificates and keys in PEM (RFC 7468). An application may do without. */

/**
 * Decodes the blocks with this label to `found`; text between them is passed over.
 * @throws TypeError when there is none
 */
export function readPem(input: Uint8Array | string, label: string, found: Uint8Array[]): void {
  const text = typeof input === "string" ? input : latin1(input);
  const begin = `-----BEGIN ${label}-----`;
  const end = `-----END ${label}-----`;
  const before = found.length;
  for (let at = text.indexOf(begin); at >= 0; at = text.indexOf(begin, at)) {
    const from = at + begin.length;
    at = text.indexOf(end, from);
    if (at < 0) break;
    found.push(decode64(text, from, at));
  }
  if (found.length === before) throw new TypeError(`neither DER nor PEM with a ${label}`);
}

function latin1(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(bytes[i]);
  return text;
}

/** Base64, RFC 4648 section 4, over lines. */
function decode64(text: string, start: number, end: number): Uint8Array {
  const bytes = new Uint8Array(((end - start) * 3) >> 2);
  let at = 0;
  let bits = 0;
  let value = 0;
  for (let i = start; i < end; i++) {
    const digit = digitOf(text.charCodeAt(i));
    if (digit < 0) continue;
    value = ((value << 6) | digit) & 0xffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes[at++] = value >> bits;
  }
  return bytes.slice(0, at);
}

/** A character's six bits, or -1 for line ends and padding. */
function digitOf(c: number): number {
  if (c >= 0x41 && c <= 0x5a) return c - 0x41;
  if (c >= 0x61 && c <= 0x7a) return c - 0x61 + 26;
  if (c >= 0x30 && c <= 0x39) return c - 0x30 + 52;
  return c === 0x2b ? 62 : c === 0x2f ? 63 : -1;
}
