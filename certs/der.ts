/**
 * A DER writer, X.690: every function returns the bytes of one TLV. It writes what it is told: the fixtures
 * that need a bad encoding replace or bend the bytes of one field and take all others from here.
 */

/** Tag numbers of X.680 that these fixtures use. */
export const tag = Object.freeze({
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
});

/** One TLV with the shortest length, X.690 section 10.1. */
export function tlv(tag: number, ...contents: Uint8Array[]): Buffer {
  const body = Buffer.concat(contents);
  return Buffer.concat([Buffer.from([tag]), derLength(body.length), body]);
}

function derLength(n: number): Buffer {
  if (n < 0x80) return Buffer.from([n]);
  const octets = unsigned(BigInt(n));
  return Buffer.concat([Buffer.from([0x80 | octets.length]), octets]);
}

function unsigned(n: bigint): Buffer {
  const hex = n.toString(16);
  return Buffer.from(hex.length % 2 ? `0${hex}` : hex, "hex");
}

export const sequence = (...parts: Uint8Array[]) => tlv(tag.sequence, ...parts);
export const set = (...parts: Uint8Array[]) => tlv(tag.set, ...parts);
export const nil = tlv(tag.null);
export const boolean = (value: boolean) => tlv(tag.boolean, Buffer.from([value ? 0xff : 0]));
export const octets = (...contents: Uint8Array[]) => tlv(tag.octetString, ...contents);
export const utf8 = (text: string) => tlv(tag.utf8String, Buffer.from(text, "utf8"));
export const printable = (text: string) => tlv(tag.printableString, Buffer.from(text, "latin1"));
export const ia5 = (text: string) => tlv(tag.ia5String, Buffer.from(text, "latin1"));
export const enumerated = (value: number) => tlv(tag.enumerated, Buffer.from([value]));

/** Context-specific tags: `explicit` wraps a TLV; `implicit` replaces the tag of primitive contents. */
export const explicit = (n: number, ...parts: Uint8Array[]) => tlv(0xa0 | n, ...parts);
export const implicit = (n: number, ...contents: Uint8Array[]) => tlv(0x80 | n, ...contents);

/** A non-negative INTEGER. */
export function integer(value: number | bigint): Buffer {
  const octets = unsigned(BigInt(value));
  return octets[0] & 0x80 ? tlv(tag.integer, Buffer.from([0]), octets) : tlv(tag.integer, octets);
}

/** A BIT STRING of whole octets. */
export const bits = (...contents: Uint8Array[]) => tlv(tag.bitString, Buffer.from([0]), ...contents);

/** A BIT STRING of named bits, without trailing zero bits: X.690 section 11.2.2. */
export function namedBits(...positions: number[]): Buffer {
  const last = Math.max(...positions);
  const octets = Buffer.alloc((last >> 3) + 1);
  for (const n of positions) octets[n >> 3] |= 0x80 >> (n & 7);
  return tlv(tag.bitString, Buffer.from([7 - (last & 7)]), octets);
}

/** An OBJECT IDENTIFIER from its dotted form. */
export function oid(dotted: string): Buffer {
  const arcs = dotted.split(".").map(BigInt);
  const octets = [arcs[0] * 40n + arcs[1], ...arcs.slice(2)].flatMap(base128);
  return tlv(tag.oid, Buffer.from(octets));
}

function base128(arc: bigint): number[] {
  const octets = [Number(arc & 0x7fn)];
  for (let rest = arc >> 7n; rest > 0n; rest >>= 7n) octets.unshift(Number(rest & 0x7fn) | 0x80);
  return octets;
}

/** The digits that an ISO date has in an ASN.1 time: YYYYMMDDHHMMSSZ. */
const digits = (iso: string) => `${new Date(iso).toISOString().slice(0, 19).replace(/\D/g, "")}Z`;

export const utcTime = (iso: string) => tlv(tag.utcTime, Buffer.from(digits(iso).slice(2)));
export const generalizedTime = (iso: string) => tlv(tag.generalizedTime, Buffer.from(digits(iso)));

/** A Time as RFC 5280 section 4.1.2.5 wants it: UTCTime through 2049, GeneralizedTime from 2050 on. */
export const time = (iso: string) =>
  new Date(iso).getUTCFullYear() < 2050 ? utcTime(iso) : generalizedTime(iso);

/** The contents of a TLV: what follows its header. */
export function contents(der: Uint8Array): Buffer {
  return Buffer.from(der.subarray(headerSize(der)));
}

/** The TLVs that a constructed TLV holds. */
export function children(der: Uint8Array): Buffer[] {
  const found: Buffer[] = [];
  let rest = contents(der);
  while (rest.length > 0) {
    const size = headerSize(rest) + contentSize(rest);
    found.push(rest.subarray(0, size));
    rest = rest.subarray(size);
  }
  return found;
}

const headerSize = (der: Uint8Array) => (der[1] < 0x80 ? 2 : 2 + (der[1] & 0x7f));
const contentSize = (der: Buffer) => (der[1] < 0x80 ? der[1] : der.readUIntBE(2, der[1] & 0x7f));

/** The same bytes but for the last bit: what a signature or a hash must not survive. */
export function flipLastBit(bytes: Uint8Array): Buffer {
  const bent = Buffer.from(bytes);
  bent[bent.length - 1] ^= 1;
  return bent;
}
