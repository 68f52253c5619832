import { groups, moreGroups } from "../crypto/groups.js";
import { schemes } from "../crypto/schemes.js";
import {
  readCertificateAuthorities,
  readTrustedCaKeys as readTrustedAuthorities,
} from "../handshake/authorities.js";
import { readCertificateStatus } from "../handshake/certificates.js";
import { inMessage } from "../handshake/extensionrow.js";
import { nonEmpty, writeShare } from "../handshake/extensions.js";
import { expect, faults } from "../wire/fault.js";
import type { Reader } from "../wire/reader.js";
import { statusType, version } from "../wire/registry.js";
import type { Writer } from "../wire/writer.js";
import type { ServerHandshake } from "./handshake.js";
import { nonceIn } from "./nonce.js";
import { authorities } from "./request.js";

/** The extension_data of each extension: how the client's is read, to its end, and how ours is written. */

const knownGroups = Object.freeze(groups.concat(moreGroups));

/** Reads the u16 numbers of a vector and keeps those that we may use, each once. */
export function readList16(r: Reader, usable: readonly number[], found: number[]): void {
  expect(r.left > 0, faults.DECODE_ERROR);
  while (r.left > 0) {
    const value = r.u16();
    if (usable.includes(value) && !found.includes(value)) found.push(value);
  }
}

/** The rest of the view as text, a character for a byte. */
function readText(r: Reader): string {
  let text = "";
  while (r.left > 0) text += String.fromCharCode(r.u8());
  return text;
}

const HOST_NAME = 0;

/** ServerNameList, RFC 6066 section 3: one name of each type, each with a length of 16 bits. */
export function readServerName(s: ServerHandshake, r: Reader): void {
  const list = nonEmpty(r, r.enter16());
  while (r.left > 0) {
    const nameType = r.u8();
    const name = nonEmpty(r, r.enter16());
    if (nameType === HOST_NAME) readHostName(s, r);
    else r.skip(r.left);
    r.leave(name);
  }
  r.leave(list);
}

/** Letters, digits and what else stands in host names; "without a trailing dot". */
const hostName = /^[\w-]+(\.[\w-]+)*$/;

function readHostName(s: ServerHandshake, r: Reader): void {
  const name = readText(r);
  expect(s.offer.serverName === undefined, faults.ILLEGAL_PARAMETER);
  expect(name.length < 256 && hostName.test(name), faults.ILLEGAL_PARAMETER);
  s.offer.serverName = name.toLowerCase();
}

/** RFC 6066 section 4. */
export function readMaxFragmentLength(s: ServerHandshake, r: Reader): void {
  s.offer.fragmentCode = r.u8();
  expect(s.offer.fragmentCode >= 1 && s.offer.fragmentCode <= 4, faults.ILLEGAL_PARAMETER);
}

/** In a ClientHello what is wanted, from a client's certificate on its staple, if we asked. */
export function readStatusRequest(s: ServerHandshake, r: Reader, where: number): void {
  if (where === inMessage.client_hello) readCertificateStatusRequest(s, r);
  else readCertificateStatus(s, r);
}

/** CertificateStatusRequest, RFC 6066 section 8; a status_type that is not known says nothing to us. */
function readCertificateStatusRequest(s: ServerHandshake, r: Reader): void {
  s.offer.status = r.u8() === statusType.ocsp;
  if (s.offer.status) s.offer.nonces.v1 = readOcspRequest(r);
  else r.skip(r.left);
}

/** OCSPStatusRequest: of responder_id_list a stapler can heed nothing, of request_extensions the nonce. */
function readOcspRequest(r: Reader): Uint8Array | undefined {
  const ids = r.enter16();
  while (r.left > 0) {
    const id = nonEmpty(r, r.enter16());
    r.drop(id);
  }
  r.leave(ids);
  const extensions = r.enter16();
  const nonce = nonceIn(r.bytes, r.at, r.end);
  r.drop(extensions);
  return nonce;
}

/** CertificateStatusRequestListV2, RFC 6961 2.2: items in any order. */
export function readStatusRequestV2(s: ServerHandshake, r: Reader): void {
  const list = nonEmpty(r, r.enter16());
  while (r.left > 0) {
    const kind = r.u8();
    const request = r.enter16();
    if (kind === statusType.ocsp) s.offer.nonces.v2 = readOcspRequest(r);
    else if (kind === statusType.ocsp_multi) s.offer.nonces["v2-multi"] = readOcspRequest(r);
    else r.skip(r.left);
    r.leave(request);
    if (kind === statusType.ocsp) s.offer.statusV2 = true;
    if (kind === statusType.ocsp_multi) s.offer.statusMulti = true;
  }
  r.leave(list);
}

/** NamedGroupList, RFC 8446 4.2.7: all that we know, as in TLS 1.2 a certificate may be on a curve that we exchange no keys on. */
export function readSupportedGroups(s: ServerHandshake, r: Reader): void {
  const list = r.enter16();
  readList16(r, knownGroups, s.offer.groups);
  r.leave(list);
}

/** SignatureSchemeList, RFC 8446 4.2.3. */
export function readSignatureAlgorithms(s: ServerHandshake, r: Reader): void {
  const list = r.enter16();
  readList16(r, s.config.schemes, s.offer.schemes);
  r.leave(list);
}

const knownSchemes: readonly number[] = Object.freeze(schemes.map(({ id }) => id));

/** SignatureSchemeList of signature_algorithms_cert, RFC 8446 4.2.3: what may sign certificates. */
export function readCertificateSchemes(s: ServerHandshake, r: Reader): void {
  const list = r.enter16();
  readList16(r, knownSchemes, s.offer.certificateSchemes);
  r.leave(list);
}

/** ProtocolNameList, RFC 7301 3.1. */
export function readAlpn(s: ServerHandshake, r: Reader): void {
  const names: string[] = [];
  const list = nonEmpty(r, r.enter16());
  while (r.left > 0) {
    const name = nonEmpty(r, r.enter8());
    names.push(readText(r));
    r.leave(name);
  }
  r.leave(list);
  s.offer.alpn = names;
}

/** RFC 8449 section 4: a limit below 64 is illegal, one above what the protocol has is not. */
export function readRecordSizeLimit(s: ServerHandshake, r: Reader): void {
  s.offer.recordSizeLimit = r.u16();
  expect(s.offer.recordSizeLimit >= 64, faults.ILLEGAL_PARAMETER);
}

/** RFC 5077 3.2: the ticket is the whole extension_data, empty from a client that has none. */
export function readSessionTicket(s: ServerHandshake, r: Reader): void {
  s.offer.ticketStart = r.skip(r.left);
  s.offer.ticketEnd = r.at;
}

/** RFC 8446 4.2.1. */
export function readSupportedVersions(s: ServerHandshake, r: Reader): void {
  const list = nonEmpty(r, r.enter8());
  while (r.left > 0) {
    const offered = r.u16();
    if (offered === version.tls13) s.offer.tls13 = true;
    if (offered === version.tls12) s.offer.tls12 = true;
  }
  r.leave(list);
}

/** KeyShareClientHello, RFC 8446 4.2.8: no group twice; the list may be empty, to ask for a HelloRetryRequest. */
export function readKeyShare(s: ServerHandshake, r: Reader): void {
  const { shares } = s.offer;
  const list = r.enter16();
  while (r.left > 0) {
    const group = r.u16();
    const share = nonEmpty(r, r.enter16());
    const start = r.skip(r.left);
    r.leave(share);
    if (!s.config.groups.includes(group)) continue;
    expect(!shares.some((other) => other.group === group), faults.ILLEGAL_PARAMETER);
    shares.push({ group, start, end: r.at });
  }
  r.leave(list);
}

/** KeyShareServerHello is our entry, KeyShareHelloRetryRequest the group that we want one for. */
export function writeKeyShare(s: ServerHandshake, w: Writer, where: number): void {
  if (where === inMessage.hello_retry_request) w.u16(s.group);
  else writeShare(s, w);
}

const PSK_DHE_KE = 1;

/** PskKeyExchangeModes, RFC 8446 4.2.9. */
export function readPskModes(s: ServerHandshake, r: Reader): void {
  const list = nonEmpty(r, r.enter8());
  while (r.left > 0) if (r.u8() === PSK_DHE_KE) s.offer.pskDhe = true;
  r.leave(list);
}

/** In TLS 1.2 the CAs that the client trusts, RFC 6066 section 6. */
export function readTrustedCaKeys(s: ServerHandshake, r: Reader): void {
  s.offer.trustedCaKeys = readTrustedAuthorities(r);
}

/** In TLS 1.3 the same, by their names: RFC 8446 4.2.4. */
export function readAuthorities(s: ServerHandshake, r: Reader): void {
  s.offer.authorities = readCertificateAuthorities(r);
}

export function writeAuthorities(s: ServerHandshake, w: Writer): void {
  const list = w.begin16();
  for (const { nameBytes, nameStart, nameEnd } of authorities(s)) {
    const name = w.begin16();
    w.copy(nameBytes, nameStart, nameEnd);
    w.finish16(name);
  }
  w.finish16(list);
}

/** RFC 5746 3.6: empty in a first handshake, and there is no other. */
export function readRenegotiationInfo(s: ServerHandshake, r: Reader): void {
  expect(r.u8() === 0, faults.RENEGOTIATION_INFO);
  s.offer.renegotiationInfo = true;
}

/** The shortest PskBinderEntry, RFC 8446 4.2.11. */
const MIN_BINDER = 32;

/** OfferedPsks, RFC 8446 4.2.11: as many binders as identities. */
export function readPreSharedKey(s: ServerHandshake, r: Reader): void {
  const { offer } = s;
  const identities = nonEmpty(r, r.enter16());
  offer.identitiesStart = r.at;
  let count = 0;
  for (; r.left > 0; count++) {
    const identity = nonEmpty(r, r.enter16());
    r.drop(identity);
    r.u32();
  }
  offer.identitiesEnd = r.at;
  r.leave(identities);
  offer.bindersAt = r.at;
  const binders = nonEmpty(r, r.enter16());
  for (; r.left > 0; count--) {
    const binder = r.enter8();
    expect(r.left >= MIN_BINDER, faults.DECODE_ERROR);
    r.drop(binder);
  }
  offer.bindersEnd = r.at;
  r.leave(binders);
  expect(count === 0, faults.ILLEGAL_PARAMETER);
}
