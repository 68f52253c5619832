import { Cursor } from "../wire/cursor.js";
import type { Fault } from "../wire/fault.js";
import { faults } from "../wire/fault.js";
import { equalBytes } from "../wire/writer.js";

/** The identifier octets that certificates and OCSP responses are made of, X.690 8.1.2. */
export const tag = Object.freeze({
  BOOLEAN: 0x01,
  INTEGER: 0x02,
  BIT_STRING: 0x03,
  OCTET_STRING: 0x04,
  NULL: 0x05,
  OID: 0x06,
  ENUMERATED: 0x0a,
  UTC_TIME: 0x17,
  GENERALIZED_TIME: 0x18,
  SEQUENCE: 0x30,
  SET: 0x31,
  /** Plus the number: [n] of a primitive type, IMPLICIT. */
  CONTEXT: 0x80,
  /** Plus the number: [n] EXPLICIT, or IMPLICIT of a SEQUENCE or SET. */
  CONSTRUCTED: 0xa0,
});

/** More than any certificate or response has; it bounds the search for duplicates. */
const maxExtensions = 64;

/**
 * A cursor over DER in `bytes[at…end)` (X.690). It refuses all that is not the one canonical encoding:
 * indefinite and longer than minimal lengths, long-form tags, padded integers, trailing data. What it throws
 * is `fault`. A span is an offset returned by the method that passes over an element; it ends at `at`.
 * Nothing here recurses, so that nesting costs no stack however deep it is.
 */
export class Der extends Cursor {
  fault: Fault;

  constructor(fault: Fault = faults.CERT_MALFORMED, bytes?: Uint8Array, at?: number, end?: number) {
    super(bytes, at, end);
    this.fault = fault;
  }

  get more(): boolean {
    return this.at < this.end;
  }

  /** The tag of the next element, or -1 at the end. */
  peek(): number {
    return this.at < this.end ? this.bytes[this.at] : -1;
  }

  /** Narrows the view to the contents of the next element; returns the outer end, for `leave`. */
  enter(expected: number): number {
    const outer = this.end;
    const length = this.header(expected);
    this.end = this.at + length;
    return outer;
  }

  /** Passes over the next element and returns where its contents begin; they end at `at`. */
  value(expected: number): number {
    const length = this.header(expected);
    const start = this.at;
    this.at = start + length;
    return start;
  }

  /** Passes over the next element, whatever it is, and returns where it begins; it ends at `at`. */
  override skip(): number {
    const start = this.at;
    const length = this.header(this.peek());
    this.at += length;
    return start;
  }

  /** INTEGER, X.690 8.3: passes over it and returns where its contents begin; they may be negative. */
  integer(): number {
    return this.minimal(tag.INTEGER);
  }

  /** A small INTEGER (or ENUMERATED) from 0 to 2^31 - 1. */
  small(expected: number = tag.INTEGER): number {
    const start = this.minimal(expected);
    if (this.at - start > 4 || this.bytes[start] >= 0x80) throw this.fault;
    let value = 0;
    for (let i = start; i < this.at; i++) value = (value << 8) | this.bytes[i];
    return value;
  }

  /** The same, EXPLICIT. */
  explicit(outerTag: number, expected: number): number {
    const outer = this.enter(outerTag);
    const value = this.small(expected);
    this.leave(outer);
    return value;
  }

  /** BOOLEAN DEFAULT FALSE, X.690 11.1 and 11.5: true is 0xff, false absent, where it may not be 0. */
  flag(mayBeFalse: boolean): boolean {
    if (this.peek() !== tag.BOOLEAN) return false;
    const start = this.value(tag.BOOLEAN);
    const value = this.bytes[start];
    if (this.at - start !== 1 || (value !== 0xff && !(mayBeFalse && value === 0))) throw this.fault;
    return value === 0xff;
  }

  /** NULL, or nothing at all. */
  optionalNull(): void {
    if (this.peek() === tag.NULL && this.value(tag.NULL) !== this.at) throw this.fault;
  }

  /** OBJECT IDENTIFIER, X.690 8.19: passes over it and returns where its contents begin. */
  oid(): number {
    const start = this.value(tag.OID);
    const { bytes, at } = this;
    if (start === at || bytes[at - 1] >= 0x80) throw this.fault;
    // The first octet of an arc is no padding
    for (let i = start; i < at; i++)
      if (bytes[i] === 0x80 && (i === start || bytes[i - 1] < 0x80)) throw this.fault;
    return start;
  }

  /**
   * The same, as an `Oid`; none when it is longer than any that is known. To compare texts is quick; to look into one, XS makes
   * an object of it each time.
   */
  identifier(): Oid {
    const start = this.oid();
    const { bytes, at } = this;
    let text = "";
    let i = start;
    if (at - start > LONGEST_OID) return text;
    // Three at a time leave less garbage, and many have three
    for (; i + 2 < at; i += 3) text += String.fromCharCode(bytes[i], bytes[i + 1], bytes[i + 2]);
    for (; i < at; i++) text += String.fromCharCode(bytes[i]);
    return text;
  }

  /** BIT STRING of whole octets: passes over it and returns where they begin. */
  octets(): number {
    const start = this.bits();
    if (this.bytes[start] !== 0) throw this.fault;
    return start + 1;
  }

  /** BIT STRING with a meaning for each bit: the first 16, bit 0 being 0x8000. */
  namedBits(): number {
    const start = this.bits() + 1;
    const high = start < this.at ? this.bytes[start] : 0;
    const low = start + 1 < this.at ? this.bytes[start + 1] : 0;
    return (high << 8) | low;
  }

  /**
   * A certificate's date in seconds since 1970, RFC 5280 4.1.2.5. That GeneralizedTime begins with 2050 is a
   * rule for CAs, which even a widely trusted root breaks; we "MUST be able to process" both.
   */
  date(): number {
    return this.time(this.peek() === tag.UTC_TIME ? tag.UTC_TIME : tag.GENERALIZED_TIME);
  }

  /** GeneralizedTime, in seconds since 1970. */
  generalizedTime(): number {
    return this.time(tag.GENERALIZED_TIME);
  }

  /**
   * Reads tag and length, X.690 8.1; `at` is then where the contents begin. Returns their length. All else here
   * rests on it, so it calls nothing for a short length.
   */
  private header(expected: number): number {
    const { bytes, at, end } = this;
    // 0x1f: the number stands in further octets; nothing in a certificate needs that
    if (end - at < 2 || bytes[at] !== expected || (expected & 0x1f) === 0x1f) throw this.fault;
    this.at = at + 2;
    let length = bytes[at + 1];
    if (length >= 0x80) length = this.longLength(length & 0x7f);
    if (length > end - this.at) throw this.fault;
    return length;
  }

  /** X.690 10.1: definite, in the fewest octets. Three are all that a handshake message has room for. */
  private longLength(octets: number): number {
    if (octets > 3 || octets > this.end - this.at) throw this.fault;
    let length = 0;
    for (let i = 0; i < octets; i++) length = (length << 8) | this.bytes[this.at++];
    if (length < 0x80 || length < 1 << (8 * octets - 8)) throw this.fault;
    return length;
  }

  /** X.690 8.3.2: at least one octet, and the first nine bits are not all the same. */
  private minimal(expected: number): number {
    const start = this.value(expected);
    const size = this.at - start;
    const nine = (this.bytes[start] << 1) | (this.bytes[start + 1] >> 7);
    if (size === 0 || (size > 1 && (nine === 0 || nine === 0x1ff))) throw this.fault;
    return start;
  }

  /** X.690 8.6.2 and 11.2.1: 0 to 7 unused bits, all zero. Returns where their number stands. */
  private bits(): number {
    const start = this.value(tag.BIT_STRING);
    const size = this.at - start;
    const unused = this.bytes[start];
    // Without any bits, the last octet is the number, which must be 0 then
    if (size === 0 || unused > 7 || this.bytes[this.at - 1] & ((1 << unused) - 1)) throw this.fault;
    return start;
  }

  /**
   * YYMMDDHHMMSSZ, RFC 5280 4.1.2.5.1, where 50 to 99 are 1950 to 1999, or YYYYMMDDHHMMSSZ, 4.1.2.5.2: on a day that the
   * calendar has, and no leap second.
   */
  private time(expected: number): number {
    const start = this.value(expected);
    const at = this.at - 11;
    const isUtc = expected === tag.UTC_TIME;
    if (at - start !== (isUtc ? 2 : 4) || this.bytes[at + 10] !== 0x5a) throw this.fault;
    let year = this.digits(start);
    if (!isUtc) year = year * 100 + this.digits(start + 2);
    else year += year < 50 ? 2000 : 1900;
    const month = this.digits(at);
    const day = this.digits(at + 2);
    const hour = this.digits(at + 4);
    const minute = this.digits(at + 6);
    const second = this.digits(at + 8);
    const first = daysBefore(year * 12 + month);
    const size = daysBefore(year * 12 + month + 1) - first;
    if (month < 1 || month > 12 || day < 1 || day > size) throw this.fault;
    if (hour > 23 || minute > 59 || second > 59) throw this.fault;
    return (((first + day - 1) * 24 + hour) * 60 + minute) * 60 + second;
  }

  private digits(at: number): number {
    const tens = this.bytes[at] - 0x30;
    const units = this.bytes[at + 1] - 0x30;
    if (tens < 0 || tens > 9 || units < 0 || units > 9) throw this.fault;
    return tens * 10 + units;
  }
}

/** Days from 1970 to a month's first, in the proleptic Gregorian calendar. January of the year 0 is month 1. */
function daysBefore(month: number): number {
  // Counted from March 401 BC on: so nothing is negative, and the leap day comes last in a year
  const months = month + 4797;
  const year = (months / 12) | 0;
  const leaps = (year >> 2) - ((year / 100) | 0) + ((year / 400) | 0);
  return year * 365 + leaps + ((((months % 12) * 153 + 2) / 5) | 0) - 865_565;
}

/** An OID's contents, one character for each octet: a string is the smallest constant a device can hold. */
export type Oid = string;
/** Octets of the longest that is known. */
const LONGEST_OID = 16;

/** One known extension: `read` gets a cursor narrowed to the value and must read it to its end. */
export interface ExtensionRow<T> {
  readonly oid: Oid;
  readonly read: (der: Der, to: T, critical: boolean) => void;
}

/**
 * Reads Extensions, RFC 5280 4.1.2.9 and 4.2, handing each known one to its row. Returns whether there is a
 * critical one that no row knows. None may stand twice.
 */
export function readExtensions<T>(der: Der, rows: readonly ExtensionRow<T>[], to: T): boolean {
  let unknownCritical = false;
  let seen = 0;
  let count = 0;
  const outer = der.enter(tag.SEQUENCE);
  const first = der.at;
  while (der.more) {
    if (++count > maxExtensions) throw der.fault;
    const self = der.at;
    const extension = der.enter(tag.SEQUENCE);
    const id = der.at;
    const i = findRow(rows, der.identifier());
    if (i >= 0) {
      if (seen & (1 << i)) throw der.fault;
    } else if (standsBefore(der, id, first, self)) throw der.fault;
    const critical = der.flag(false);
    const value = der.enter(tag.OCTET_STRING);
    if (i < 0) {
      if (critical) unknownCritical = true;
      der.drop(value);
    } else {
      seen |= 1 << i;
      rows[i].read(der, to, critical);
      der.leave(value);
    }
    der.leave(extension);
  }
  der.leave(outer);
  return unknownCritical;
}

/** The row of the OID, or -1. */
export function findRow(rows: readonly { readonly oid: Oid }[], oid: Oid): number {
  for (let i = 0, n = rows.length; i < n; i++) if (rows[i].oid === oid) return i;
  return -1;
}

/** Whether the extnID that begins at `id` stands in `first…self` too. */
function standsBefore(der: Der, id: number, first: number, self: number): boolean {
  let found = false;
  der.at = id;
  const start = der.value(tag.OID);
  const end = der.at;
  for (der.at = first; der.at < self; ) {
    const outer = der.enter(tag.SEQUENCE);
    const other = der.value(tag.OID);
    if (equalBytes(der.bytes, start, end, der.bytes, other, der.at)) found = true;
    der.drop(outer);
  }
  der.at = end;
  return found;
}
