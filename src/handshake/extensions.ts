import { expect, faults } from "../wire/fault.js";
import type { Reader } from "../wire/reader.js";
import { extensionType } from "../wire/registry.js";
import { PART, ROW } from "../wire/rows.js";
import type { Writer } from "../wire/writer.js";
import { COLUMNS, inMessage, READ, WRITE } from "./extensionrow.js";
import type { Handshake } from "./handshake.js";

/** These ask: what we don't know in them is ignored. In the others only that may stand which we have offered. */
const requests = inMessage.client_hello | inMessage.certificate_request | inMessage.new_session_ticket;

/** Numbers for each row of a table. */
const WIDTH = COLUMNS + 1;

/** Writes a message's extensions and notes which. */
export function writeExtensions(s: Handshake, w: Writer, where: number): void {
  const { rows, parts } = s.extensions;
  const all = w.begin16();
  s.offered = 0;
  for (let i = 0, bit = 1; i < rows.length; i += WIDTH, bit <<= 1) {
    if ((rows[i + 1] & where) === 0) continue;
    const part = parts[rows[i + COLUMNS] >> PART];
    const row = rows[i + COLUMNS] & ROW;
    if (part.call(row, s as never, undefined, where) !== true) continue;
    s.offered |= bit;
    w.u16(rows[i]);
    const data = w.begin16();
    part.call(row | WRITE, s as never, w, where);
    w.finish16(data);
  }
  w.finish16(all);
}

/** Whether our message has anything in its block, which may be absent in TLS 1.2 (RFC 5246 7.4.1.3). */
export function hasExtensions(s: Handshake, where: number): boolean {
  const { rows, parts } = s.extensions;
  for (let i = 0; i < rows.length; i += WIDTH) {
    const row = rows[i + COLUMNS];
    const may = (rows[i + 1] & where) !== 0;
    if (may && parts[row >> PART].call(row & ROW, s as never, undefined, where) === true) return true;
  }
  return false;
}

/** Reads a message's extensions, RFC 8446 4.2. What was found is in `s.seen`: see `saw`. */
export function readExtensions(s: Handshake, r: Reader, where: number): void {
  const all = r.enter16();
  const start = r.at;
  s.seen = 0;
  while (r.left > 0) {
    const i = indexOf(s, r.u16());
    const data = r.enter16();
    if (i < 0) skipUnknown(r, where, start);
    else readKnown(s, r, i, where);
    r.leave(data);
  }
  r.leave(all);
}

function readKnown(s: Handshake, r: Reader, i: number, where: number): void {
  const { rows, parts } = s.extensions;
  const bit = 1 << (i / WIDTH);
  const unasked = (where & requests) === 0 && (s.offered & bit) === 0;
  if ((rows[i + 1] & where) === 0)
    throw unasked ? faults.UNSUPPORTED_EXTENSION : faults.EXTENSION_NOT_ALLOWED;
  // The cookie alone comes unasked (RFC 8446 4.2.2)
  if (unasked && rows[i] !== extensionType.cookie) throw faults.UNSUPPORTED_EXTENSION;
  if ((s.seen & bit) !== 0) throw faults.DUPLICATE_EXTENSION;
  s.seen |= bit;
  const row = rows[i + COLUMNS];
  parts[row >> PART].call((row & ROW) | READ, s as never, r, where);
}

/** Extensions that one of an unknown type is compared with, at most. */
const MAX_BEFORE = 64;

/** An unknown type is refused in answers, and elsewhere ignored; but none may stand there twice (RFC 8446 4.2). */
function skipUnknown(r: Reader, where: number, start: number): void {
  if ((where & requests) === 0) throw faults.UNSUPPORTED_EXTENSION;
  // A server looks over all of them before, as there may be thousands
  if (where !== inMessage.client_hello) refuseDuplicate(r, start);
  r.skip(r.left);
}

function refuseDuplicate(r: Reader, start: number): void {
  const { bytes } = r;
  const own = r.at - 4;
  let count = 0;
  for (let other = start; other < own; other += 4 + ((bytes[other + 2] << 8) | bytes[other + 3])) {
    expect(bytes[other] !== bytes[own] || bytes[other + 1] !== bytes[own + 1], faults.DUPLICATE_EXTENSION);
    expect(++count < MAX_BEFORE, faults.ILLEGAL_PARAMETER);
  }
}

/** Whether the message that was read last had this extension. */
export function saw(s: Handshake, extension: number): boolean {
  const i = indexOf(s, extension);
  return i >= 0 && (s.seen & (1 << (i / WIDTH))) !== 0;
}

/** Where in the table the row of an extension begins; −1 where there is none. */
function indexOf(s: Handshake, extension: number): number {
  const { rows } = s.extensions;
  for (let i = 0, n = rows.length; i < n; i += WIDTH) if (rows[i] === extension) return i;
  return -1;
}

// extension_data that both roles write or read alike

export const always = (): boolean => true;

/** For a vector that was entered, and may not be empty: hands on its outer end, for `leave`. */
export function nonEmpty(r: Reader, outer: number): number {
  expect(r.left > 0, faults.DECODE_ERROR);
  return outer;
}

export function writeList16(w: Writer, values: readonly number[]): void {
  const list = w.begin16();
  for (let i = 0; i < values.length; i++) w.u16(values[i]);
  w.finish16(list);
}

/** ProtocolNameList, RFC 7301 3.1. */
export function writeProtocols(w: Writer, names: readonly string[]): void {
  const list = w.begin16();
  for (let i = 0; i < names.length; i++) {
    const name = w.begin8();
    w.ascii(names[i]);
    w.finish8(name);
  }
  w.finish16(list);
}

/** KeyShareEntry, RFC 8446 4.2.8: our key pair's. */
export function writeShare(s: Handshake, w: Writer): void {
  w.u16(s.group);
  const share = w.begin16();
  w.skip(s.exchange!.publicKey(w.bytes, w.at));
  w.finish16(share);
}
