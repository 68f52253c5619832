/** Module `tlstaple/pem`: certificates and keys in PEM (RFC 7468). An application may do without. */

const BEGIN = "-----BEGIN ";
const DASHES = "-----";

/**
 * Decodes to `found` the blocks whose label is this one or ends with it: `PRIVATE KEY` finds `EC PRIVATE KEY` too. Text
 * between them is passed over.
 * @throws TypeError when there is none, or one is encrypted
 */
export function readPem(input: Uint8Array | string, label: string, found: Uint8Array[]): void {
  const text = typeof input === "string" ? input : latin1(input);
  const before = found.length;
  for (let at = text.indexOf(BEGIN); at >= 0; at = text.indexOf(BEGIN, at)) {
    at += BEGIN.length;
    const name = text.slice(at, text.indexOf(DASHES, at));
    const from = at + name.length + DASHES.length;
    at = text.indexOf(`${DASHES}END ${name}${DASHES}`, from);
    if (at < 0) break;
    if (name.endsWith(label)) found.push(decode64(text, from, at));
  }
  if (found.length === before) throw new TypeError(`neither DER nor PEM with a ${label}`);
}

function latin1(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(bytes[i]);
  return text;
}

const COLON = 0x3a;

/** Base64, RFC 4648 section 4, over lines. */
function decode64(text: string, start: number, end: number): Uint8Array {
  const bytes = new Uint8Array(((end - start) * 3) >> 2);
  let at = 0;
  let bits = 0;
  let value = 0;
  for (let i = start; i < end; i++) {
    const c = text.charCodeAt(i);
    // RFC 1421 4.6.1.1: a header, which only encrypted keys have
    if (c === COLON) throw new TypeError("the PEM is encrypted: decrypt it first");
    const digit = digitOf(c);
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
