/** DER that is written and read by hand, where there is much of it, or where the libraries would take long to load. */

import { type Der, tag } from "../../../src/pki/index.js";

/** An element, X.690 8.1: its identifier octet, and its contents. */
export function element(identifier: number, ...contents: readonly Uint8Array[]): Buffer {
  const size = contents.reduce((sum, each) => sum + each.length, 0);
  return Buffer.concat([Buffer.from([identifier, ...lengthOctets(size)]), ...contents]);
}

function lengthOctets(size: number): number[] {
  if (size < 0x80) return [size];
  const octets: number[] = [];
  for (let rest = size; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return [0x80 | octets.length, ...octets];
}

/** Goes into the BasicOCSPResponse of an OCSPResponse, past responseStatus and responseType: RFC 6960 4.2.1. */
export function enterBasicResponse(der: Der): void {
  der.enter(tag.SEQUENCE);
  der.skip();
  der.enter(tag.CONSTRUCTED);
  der.enter(tag.SEQUENCE);
  der.oid();
  der.enter(tag.OCTET_STRING);
  der.enter(tag.SEQUENCE);
}
