import { Der, tag } from "../../../src/pki/index.js";
import { equalBytes, type Fault, faults } from "../../../src/wire/index.js";
import { enterBasicResponse } from "../common/der.js";

/** What an OCSP response says before it is verified: for those who hand it on, as who judges it trusts nothing of this. */

/** What is said of one certificate. Times are in seconds since 1970; nextUpdate 0: there is none. */
export interface Claim {
  /** The contents of its serialNumber. */
  readonly serialNumber: Uint8Array;
  readonly thisUpdate: number;
  readonly nextUpdate: number;
}

/** All that a response says. Throws OCSP_MALFORMED, also where it speaks of no certificate. */
export function claimsOf(response: Uint8Array): Claim[] {
  const der = new Der(faults.OCSP_MALFORMED, response);
  enterBasicResponse(der);
  enterResponses(der);
  const claims: Claim[] = [];
  do claims.push(readSingle(der));
  while (der.more);
  return claims;
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
function readSingle(der: Der): Claim {
  const single = der.enter(tag.SEQUENCE);
  const serialNumber = readCertId(der);
  der.skip();
  const thisUpdate = der.generalizedTime();
  const nextUpdate = der.peek() === tag.CONSTRUCTED ? readExplicitTime(der) : 0;
  der.drop(single);
  return { serialNumber, thisUpdate, nextUpdate };
}

/** CertID: hashAlgorithm, issuerNameHash, issuerKeyHash, serialNumber. */
function readCertId(der: Der): Uint8Array {
  const certId = der.enter(tag.SEQUENCE);
  for (let i = 0; i < 3; i++) der.skip();
  const start = der.integer();
  const serialNumber = der.bytes.subarray(start, der.at);
  der.leave(certId);
  return serialNumber;
}

function readExplicitTime(der: Der): number {
  const outer = der.enter(tag.CONSTRUCTED);
  const time = der.generalizedTime();
  der.leave(outer);
  return time;
}

/**
 * When what a response says of each certificate ends, in seconds since 1970; 0 where it does not tell. Throws as `claimsOf`.
 */
export function nextUpdatesOf(response: Uint8Array): number[] {
  return claimsOf(response).map(({ nextUpdate }) => nextUpdate);
}

/** What a response says of this certificate, by its serial number. Throws OCSP_WRONG_CERT where that is nothing. */
export function claimsAbout(response: Uint8Array, certificate: Uint8Array): Claim[] {
  const serial = serialNumberOf(certificate);
  const claims = claimsOf(response).filter(({ serialNumber: said }) =>
    equalBytes(said, 0, said.length, serial, 0, serial.length),
  );
  if (claims.length === 0) throw faults.OCSP_WRONG_CERT;
  return claims;
}

/** Of TBSCertificate, RFC 5280 4.1: version, serialNumber. */
function serialNumberOf(certificate: Uint8Array): Uint8Array {
  const der = new Der(faults.CERT_MALFORMED, certificate);
  der.enter(tag.SEQUENCE);
  der.enter(tag.SEQUENCE);
  if (der.peek() === tag.CONSTRUCTED) der.skip();
  const start = der.integer();
  return certificate.subarray(start, der.at);
}

/** How long before nextUpdate a response is no longer handed out, or a tenth of its life if that is less. */
const margin = 60;

/** When a response is no longer handed out: a little before nextUpdate, so that it is still fresh where it arrives. */
export function freshUntil(thisUpdate: number, nextUpdate: number): number {
  return nextUpdate - Math.min(margin, (nextUpdate - thisUpdate) / 10);
}

/** Seconds by which a responder's clock may be ahead of one who hands on. */
const skew = 60;

/** Why a response that says this of a certificate must not be handed on at `now`, if it must not. */
export function untimely(claims: readonly Claim[], now: number): Fault | undefined {
  for (let i = 0; i < claims.length; i++) {
    const { thisUpdate, nextUpdate } = claims[i];
    if (thisUpdate > now + skew) return faults.OCSP_NOT_YET_VALID;
    if (nextUpdate > 0 && now >= freshUntil(thisUpdate, nextUpdate)) return faults.OCSP_EXPIRED;
  }
  return undefined;
}
