import { type Der, tag } from "./der.js";

/** The forms of GeneralName that are told apart here, by the tag they stand under. RFC 5280 4.2.1.6. */
export const generalName = Object.freeze({
  rfc822Name: tag.CONTEXT + 1,
  dNSName: tag.CONTEXT + 2,
  directoryName: tag.CONSTRUCTED + 4,
  iPAddress: tag.CONTEXT + 7,
});

/** Passes over a Name, RFC 5280 4.1.2.4: SEQUENCE OF SET SIZE (1..MAX) OF attribute. */
export function readName(der: Der): void {
  const name = der.enter(tag.SEQUENCE);
  while (der.more) {
    const set = der.enter(tag.SET);
    do readAttribute(der);
    while (der.more);
    der.leave(set);
  }
  der.leave(name);
}

/** AttributeTypeAndValue ::= SEQUENCE { type OBJECT IDENTIFIER, value ANY }. */
function readAttribute(der: Der): void {
  const outer = der.enter(tag.SEQUENCE);
  der.oid();
  der.skip();
  der.leave(outer);
}

/** Passes over a GeneralName, RFC 5280 4.2.1.6; of its content, a directoryName's form is checked. */
export function readGeneralName(der: Der): void {
  const form = der.peek();
  if ((form & 0xc0) !== tag.CONTEXT) throw der.fault;
  const outer = der.enter(form);
  if (form === generalName.directoryName) readName(der);
  else der.at = der.end;
  der.leave(outer);
}

/** The ASCII letter in lower case; anything else as it is. */
export function foldCase(octet: number): number {
  return octet >= 0x41 && octet <= 0x5a ? octet + 0x20 : octet;
}

/** Whether two spans hold the same characters, ASCII letters in whatever case. */
export function equalsFolded(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): boolean {
  if (aEnd - aStart !== bEnd - bStart) return false;
  const offset = bStart - aStart;
  for (let i = aStart; i < aEnd; i++) {
    const other = b[i + offset];
    if (a[i] !== other && foldCase(a[i]) !== foldCase(other)) return false;
  }
  return true;
}
