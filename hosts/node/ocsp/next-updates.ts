import { Der, tag } from "../../../src/pki/index.js";
import { faults } from "../../../src/wire/index.js";
import { enterBasicResponse } from "../common/der.js";

/**
 * When what an OCSP response says of each certificate ends, in seconds since 1970; 0 where it does not tell. Nothing is
 * verified here. RFC 6960 4.2.1.
 * @throws Fault OCSP_MALFORMED, also where it speaks of none
 */
export function nextUpdatesOf(response: Uint8Array): number[] {
  const der = new Der(faults.OCSP_MALFORMED, response);
  enterBasicResponse(der);
  enterResponses(der);
  const ends: number[] = [];
  do ends.push(readSingle(der));
  while (der.more);
  return ends;
}

/** ResponseData: version, responderID, producedAt, responses. */
function enterResponses(der: Der): void {
  der.enter(tag.SEQUENCE);
  if (der.peek() === tag.CONSTRUCTED) der.skip();
  der.skip();
  der.generalizedTime();
  der.enter(tag.SEQUENCE);
}

/** SingleResponse: certID, certStatus, thisUpdate, nextUpdate. */
function readSingle(der: Der): number {
  const single = der.enter(tag.SEQUENCE);
  der.skip();
  der.skip();
  der.generalizedTime();
  const end = der.peek() === tag.CONSTRUCTED ? readExplicitTime(der) : 0;
  der.drop(single);
  return end;
}

function readExplicitTime(der: Der): number {
  const outer = der.enter(tag.CONSTRUCTED);
  const time = der.generalizedTime();
  der.leave(outer);
  return time;
}
