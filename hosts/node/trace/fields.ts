/** Fields of TLS messages as words. Readers throw DECODE_ERROR where a field is cut off. */

import { namedGroup, nameOf, signatureScheme } from "../../../src/client/index.js";
import type { Reader } from "../../../src/wire/index.js";
import { describeResponse, type ResponseInfo, type SingleInfo } from "../common/describe.js";

/** The next `length` bytes, copied. */
export function readBytes(r: Reader, length: number): Buffer {
  const at = r.skip(length);
  return Buffer.from(r.bytes.subarray(at, at + length));
}

export function readVector8(r: Reader): Buffer {
  return readBytes(r, r.u8());
}

export function readVector16(r: Reader): Buffer {
  return readBytes(r, r.u16());
}

export function readVector24(r: Reader): Buffer {
  return readBytes(r, r.u24());
}

/** All items of a vector of vectors, whose length is of two bytes. */
export function readList16<T>(r: Reader, item: (r: Reader) => T): T[] {
  return readItems(r, r.enter16(), item);
}

export function readList8<T>(r: Reader, item: (r: Reader) => T): T[] {
  return readItems(r, r.enter8(), item);
}

function readItems<T>(r: Reader, outer: number, item: (r: Reader) => T): T[] {
  const items: T[] = [];
  while (r.left > 0) items.push(item(r));
  r.leave(outer);
  return items;
}

// ---- Names

export const readGroup = (r: Reader) => numbered(namedGroup, r.u16());
export const readScheme = (r: Reader) => numbered(signatureScheme, r.u16());

export function readVersion(r: Reader): string {
  const id = r.u16();
  return id > 0x300 && id <= 0x304 ? `TLSv1.${id - 0x301}` : numbered({}, id);
}

/** The name of a registry's number; those of RFC 8701 are there to be ignored. */
export function numbered(table: Readonly<Record<string, number>>, id: number): string {
  const isGrease = (id & 0x0f0f) === 0x0a0a && id >> 8 === (id & 0xff);
  return nameOf(table, id) ?? (isGrease ? "GREASE" : `0x${id.toString(16).padStart(4, "0")}`);
}

// ---- Bytes

/** Bytes of malformed input that are shown. */
const SHOWN = 64;

export function malformed(bytes: Buffer): string {
  const rest = bytes.length > SHOWN ? `… (${bytes.length} bytes)` : "";
  return `malformed: ${bytes.toString("hex", 0, SHOWN)}${rest}`;
}

/** As much of a hash as tells it from others. */
export function shortened(hex: string): string {
  return hex.length > 16 ? `${hex.slice(0, 8)}…` : hex;
}

// ---- Staples

/** What an OCSP response claims: each certificate's status, then who says so. */
export function describeStaple(der: Buffer): string[] {
  let response: ResponseInfo;
  try {
    response = describeResponse(der);
  } catch {
    return [`OCSP response ${malformed(der)}`];
  }
  const { responseStatus, responses, producedAt } = response;
  if (responses === undefined) return [`OCSP response: ${responseStatus}`];
  const singles = responses.flatMap((single) => [
    `OCSP ${describeSingle(single)}, produced ${producedAt}`,
    `  ${describeCertID(single)}`,
  ]);
  return [...singles, `  ${describeSigner(response)}`];
}

function describeSingle(single: SingleInfo): string {
  const { certID, certStatus, revocationTime, revocationReason, thisUpdate, nextUpdate } = single;
  const since = revocationTime ? ` since ${revocationTime}` : "";
  const why = revocationReason ? ` (${revocationReason})` : "";
  const until = nextUpdate ?? "no nextUpdate";
  return `${certStatus}${since}${why}, serial ${certID.serialNumber}, ${thisUpdate} to ${until}`;
}

function describeCertID({ certID }: SingleInfo): string {
  const { hashAlgorithm, issuerNameHash, issuerKeyHash } = certID;
  return `issuerNameHash ${shortened(issuerNameHash)}, issuerKeyHash ${shortened(issuerKeyHash)} (${hashAlgorithm})`;
}

function describeSigner({ responderID, signatureAlgorithm, nonce }: ResponseInfo): string {
  const nonceText = nonce === null || nonce === undefined ? "no nonce" : `nonce ${shortened(nonce)}`;
  return `responder ${responderID}; ${signatureAlgorithm}; ${nonceText}`;
}
