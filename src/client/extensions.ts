import { groups } from "../crypto/suites.js";
import { isV2 } from "../pki/policy.js";
import { readAuthorities } from "../record/certificates.js";
import { type Fault, faults } from "../wire/fault.js";
import type { Reader } from "../wire/reader.js";
import { statusType, extensionType as type, version } from "../wire/registry.js";
import { table } from "../wire/table.js";
import { copyBytes, type Writer } from "../wire/writer.js";
import { at } from "./memory.js";
import { fragmentCode } from "./options.js";
import type { ClientSession } from "./session.js";

/** The messages that carry extensions (RFC 8446 4.2), as bits. */
export const inMessage = Object.freeze({
  server_hello12: 1,
  server_hello: 2,
  hello_retry_request: 4,
  encrypted_extensions: 8,
  certificate: 16,
  certificate_request: 32,
  new_session_ticket: 64,
});

/** In these the server may only answer what the client offered; others may hold what we don't know. */
const answers =
  inMessage.server_hello12 |
  inMessage.server_hello |
  inMessage.hello_retry_request |
  inMessage.encrypted_extensions |
  inMessage.certificate;

/** One extension: all that we know of it. */
export interface ExtensionRow {
  readonly type: number;
  /** The messages of the server where it may stand. */
  readonly where: number;
  /** Whether the ClientHello carries it. */
  readonly offered: (s: ClientSession) => boolean;
  /** Writes the ClientHello's extension_data. */
  readonly write: (s: ClientSession, w: Writer) => void;
  /** Reads the server's extension_data, to its end. */
  readonly read: (s: ClientSession, r: Reader, where: number) => void;
}

const nothing = (): void => {};
const never = (): boolean => false;
const always = (): boolean => true;
const with12 = (s: ClientSession): boolean => s.offers(version.tls12);
const with13 = (s: ClientSession): boolean => s.offers(version.tls13);
const m = inMessage;

/**
 * The table of extensions, in the order of the ClientHello. An answer that no row allows, that was not asked
 * for or that stands twice is refused by `readExtensions`, not by the rows.
 */
export const extensions = table<ExtensionRow>([
  {
    type: type.server_name,
    where: m.server_hello12 | m.encrypted_extensions,
    offered: (s) => s.config.sni !== undefined,
    write: writeServerName,
    read: nothing,
  },
  {
    type: type.max_fragment_length,
    where: m.server_hello12 | m.encrypted_extensions,
    offered: (s) => s.config.maxFragmentLength !== undefined,
    write: (s, w) => w.u8(fragmentCode(s.config.maxFragmentLength ?? 0)),
    read: readMaxFragmentLength,
  },
  {
    type: type.status_request,
    where: m.server_hello12 | m.certificate | m.certificate_request,
    offered: offersV1,
    write: writeStatusRequest,
    read: readStatusRequest,
  },
  {
    type: type.status_request_v2,
    where: m.server_hello12,
    offered: (s) => s.offers(version.tls12) && isV2(s.config.ocsp.stapling),
    write: writeStatusRequestV2,
    read: (s) => announceStatus(s, type.status_request_v2),
  },
  {
    type: type.supported_groups,
    where: m.server_hello12 | m.encrypted_extensions,
    offered: always,
    write: (s, w) => writeList16(w, s.config.groups),
    read: readSupportedGroups,
  },
  {
    type: type.ec_point_formats,
    where: m.server_hello12,
    offered: with12,
    write: writePointFormats,
    read: readPointFormats,
  },
  {
    type: type.signature_algorithms,
    where: m.certificate_request,
    offered: always,
    write: (s, w) => writeList16(w, s.config.schemes),
    read: readSignatureAlgorithms,
  },
  {
    type: type.application_layer_protocol_negotiation,
    where: m.server_hello12 | m.encrypted_extensions,
    offered: (s) => s.config.alpn.length > 0,
    write: writeAlpn,
    read: readAlpn,
  },
  {
    type: type.extended_master_secret,
    where: m.server_hello12,
    offered: with12,
    write: nothing,
    read: (s) => {
      s.extendedMasterSecret = true;
    },
  },
  {
    type: type.record_size_limit,
    where: m.server_hello12 | m.encrypted_extensions,
    offered: (s) => s.config.recordSizeLimit !== undefined,
    write: (s, w) => w.u16(s.config.recordSizeLimit ?? 0),
    read: readRecordSizeLimit,
  },
  {
    type: type.supported_versions,
    where: m.server_hello | m.hello_retry_request,
    offered: with13,
    write: writeSupportedVersions,
    read: (_, r) => expect(r.u16() === version.tls13, faults.ILLEGAL_PARAMETER),
  },
  {
    type: type.cookie,
    where: m.hello_retry_request,
    offered: (s) => s.cookie !== undefined,
    write: writeCookie,
    read: readCookie,
  },
  {
    type: type.key_share,
    where: m.server_hello | m.hello_retry_request,
    offered: with13,
    write: writeKeyShare,
    read: readKeyShare,
  },
  {
    type: type.renegotiation_info,
    where: m.server_hello12,
    offered: with12,
    write: (_, w) => w.u8(0),
    // RFC 5746 3.4
    read: (_, r) => expect(r.u8() === 0, faults.RENEGOTIATION_INFO),
  },
  {
    type: type.certificate_authorities,
    where: m.certificate_request,
    offered: never,
    write: nothing,
    read: (_, r) => readAuthorities(r, 3),
  },
]);

function expect(holds: boolean, fault: Fault): void {
  if (!holds) throw fault;
}

/** The table that is in force: with resumption it is a longer one. */
function rowsOf(s: ClientSession): readonly ExtensionRow[] {
  return s.config.resumption?.extensions ?? extensions;
}

/** Writes the ClientHello's extensions and remembers which. */
export function writeExtensions(s: ClientSession, w: Writer): void {
  const rows = rowsOf(s);
  const all = w.begin16();
  s.offered = 0;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i];
    if (!row.offered(s)) continue;
    s.offered |= 1 << i;
    w.u16(row.type);
    const data = w.begin16();
    row.write(s, w);
    w.finish16(data);
  }
  w.finish16(all);
}

/** Reads a message's extensions, RFC 8446 4.2. What was found is in `s.seen`: see `saw`. */
export function readExtensions(s: ClientSession, r: Reader, where: number): void {
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

function readKnown(s: ClientSession, r: Reader, i: number, where: number): void {
  const row = rowsOf(s)[i];
  const bit = 1 << i;
  if ((row.where & where) === 0)
    throw (s.offered & bit) === 0 && (where & answers) !== 0
      ? faults.UNSUPPORTED_EXTENSION
      : faults.EXTENSION_NOT_ALLOWED;
  // The cookie alone comes unasked (RFC 8446 4.2.2)
  const asked = (s.offered & bit) !== 0 || row.type === type.cookie;
  if ((where & answers) !== 0 && !asked) throw faults.UNSUPPORTED_EXTENSION;
  if ((s.seen & bit) !== 0) throw faults.DUPLICATE_EXTENSION;
  s.seen |= bit;
  row.read(s, r, where);
}

/** Extensions that one of an unknown type is compared with, at most. */
const MAX_BEFORE = 64;

/** An unknown type is refused in answers, and elsewhere ignored; but none may stand there twice (RFC 8446 4.2). */
function skipUnknown(r: Reader, where: number, start: number): void {
  if ((where & answers) !== 0) throw faults.UNSUPPORTED_EXTENSION;
  const { bytes } = r;
  const own = r.at - 4;
  let count = 0;
  for (let at = start; at < own; at += 4 + ((bytes[at + 2] << 8) | bytes[at + 3])) {
    expect(bytes[at] !== bytes[own] || bytes[at + 1] !== bytes[own + 1], faults.DUPLICATE_EXTENSION);
    expect(++count < MAX_BEFORE, faults.ILLEGAL_PARAMETER);
  }
  r.skip(r.left);
}

/** Whether the message that was read last had this extension. */
export function saw(s: ClientSession, extension: number): boolean {
  return (s.seen & (1 << indexOf(s, extension))) !== 0;
}

function indexOf(s: ClientSession, extension: number): number {
  const rows = rowsOf(s);
  for (let i = 0; i < rows.length; i++) if (rows[i].type === extension) return i;
  return -1;
}

function writeList16(w: Writer, values: readonly number[]): void {
  const list = w.begin16();
  for (let i = 0; i < values.length; i++) w.u16(values[i]);
  w.finish16(list);
}

/** What else the server would like (RFC 8446 4.2.7). In a ServerHello it has no place, but BIG-IP sends it. */
function readSupportedGroups(_: ClientSession, r: Reader, where: number): void {
  if (where === inMessage.server_hello12) r.skip(r.left);
  else r.drop(r.enter16());
}

/** RFC 6066 section 3: ServerNameList { host_name(0), HostName }. */
function writeServerName(s: ClientSession, w: Writer): void {
  const list = w.begin16();
  w.u8(0);
  const name = w.begin16();
  w.ascii(s.config.sni ?? "");
  w.finish16(name);
  w.finish16(list);
}

/** RFC 6066 section 4: the server answers the length that was asked for, and both sides keep to it. */
function readMaxFragmentLength(s: ClientSession, r: Reader): void {
  const length = s.config.maxFragmentLength ?? 0;
  expect(r.u8() === fragmentCode(length), faults.ILLEGAL_PARAMETER);
  expect(!s.recordSizeLimited, faults.ILLEGAL_PARAMETER);
  s.fragmentLimited = true;
  s.engine.outbox.maxContent = length;
  s.engine.maxInner = length + innerType(s);
}

/**
 * RFC 8449 section 4: the limit of what the server wants to receive; ours holds for what it sends. In TLS 1.3
 * both count the content type. Never together with max_fragment_length (section 5).
 */
function readRecordSizeLimit(s: ClientSession, r: Reader): void {
  const limit = r.u16();
  expect(limit >= 64 && !s.fragmentLimited, faults.ILLEGAL_PARAMETER);
  s.recordSizeLimited = true;
  s.engine.outbox.maxContent = Math.min(s.engine.outbox.maxContent, limit - innerType(s));
  s.engine.maxInner = Math.min(s.engine.maxInner, s.config.recordSizeLimit ?? 0);
}

/** Bytes of content type inside a protected record. */
function innerType(s: ClientSession): number {
  return s.version === version.tls13 ? 1 : 0;
}

/** TLS 1.3 knows no other. */
function offersV1(s: ClientSession): boolean {
  const { stapling, alsoV1 } = s.config.ocsp;
  return stapling === "v1" || (isV2(stapling) && (alsoV1 || s.offers(version.tls13)));
}

/** CertificateStatusRequest, RFC 6066 section 8. */
function writeStatusRequest(s: ClientSession, w: Writer): void {
  w.u8(statusType.ocsp);
  writeOcspStatusRequest(s, w);
}

/** CertificateStatusRequestListV2, RFC 6961 2.2: one item. */
function writeStatusRequestV2(s: ClientSession, w: Writer): void {
  const list = w.begin16();
  w.u8(wantedStatus(s));
  const request = w.begin16();
  writeOcspStatusRequest(s, w);
  w.finish16(request);
  w.finish16(list);
}

/** The CertificateStatusType that is asked for by status_request_v2. */
export function wantedStatus(s: ClientSession): number {
  return s.config.ocsp.stapling === "v2-multi" ? statusType.ocsp_multi : statusType.ocsp;
}

/** OCSPStatusRequest: any responder, and extensions with the nonce if wanted. */
function writeOcspStatusRequest(s: ClientSession, w: Writer): void {
  w.u16(0);
  const requestExtensions = w.begin16();
  const { nonce } = s.verifier;
  if (nonce) writeNonce(w, nonce);
  w.finish16(requestExtensions);
}

/** Extensions ::= SEQUENCE OF one, id-pkix-ocsp-nonce, its value an OCTET STRING in the extension's (RFC 9654 2.1). */
const nonceHeader = Object.freeze([
  0x30, 0x31, 0x30, 0x2f, 0x06, 0x09, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x02, 0x04, 0x22, 0x04,
  0x20,
]);

function writeNonce(w: Writer, nonce: Uint8Array): void {
  for (let i = 0; i < nonceHeader.length; i++) w.u8(nonceHeader[i]);
  w.copy(nonce);
}

/** In TLS 1.2 an empty announcement; in TLS 1.3 the staple of one certificate; a request for ours is ignored. */
function readStatusRequest(s: ClientSession, r: Reader, where: number): void {
  if (where === inMessage.server_hello12) announceStatus(s, type.status_request);
  else if (where === inMessage.certificate) readCertificateStatus(s, r);
  else r.skip(r.left);
}

/** The server answers one of the two (RFC 6961 2.2). */
function announceStatus(s: ClientSession, by: number): void {
  expect(s.announced === 0, faults.ILLEGAL_PARAMETER);
  s.announced = by;
}

/** CertificateStatus, RFC 6066 section 8, of the certificate before it. */
function readCertificateStatus(s: ClientSession, r: Reader): void {
  expect(r.u8() === statusType.ocsp, faults.OCSP_MALFORMED);
  readOcspResponse(s, r, s.verifier.sent - 1);
}

/** OCSPResponse<1..2^24-1>. */
export function readOcspResponse(s: ClientSession, r: Reader, certificate: number): void {
  const response = r.enter24();
  expect(r.left > 0, faults.OCSP_MALFORMED);
  const start = r.skip(r.left);
  s.verifier.staple(certificate, r.bytes, start, r.end);
  r.leave(response);
}

/** RFC 8422 5.1.2: uncompressed(0), the only format there is. */
function writePointFormats(_: ClientSession, w: Writer): void {
  w.u8(1);
  w.u8(0);
}

function readPointFormats(_: ClientSession, r: Reader): void {
  const list = r.enter8();
  let uncompressed = false;
  while (r.left > 0) if (r.u8() === 0) uncompressed = true;
  expect(uncompressed, faults.ILLEGAL_PARAMETER);
  r.leave(list);
}

/** The schemes that the server takes from a client's certificate, RFC 8446 4.2.3. */
export function readSignatureAlgorithms(s: ClientSession, r: Reader): void {
  const list = r.enter16();
  expect(r.left > 0, faults.DECODE_ERROR);
  while (r.left > 0) s.acceptScheme(r.u16());
  r.leave(list);
}

/** ProtocolNameList, RFC 7301 3.1. */
function writeAlpn(s: ClientSession, w: Writer): void {
  const list = w.begin16();
  for (let i = 0; i < s.config.alpn.length; i++) {
    const name = w.begin8();
    w.ascii(s.config.alpn[i]);
    w.finish8(name);
  }
  w.finish16(list);
}

/** The server answers exactly one name, one of ours (RFC 7301 3.1). */
function readAlpn(s: ClientSession, r: Reader): void {
  const list = r.enter16();
  const name = r.enter8();
  for (let i = 0; i < s.config.alpn.length; i++)
    if (equalsAscii(r, s.config.alpn[i])) s.alpn = s.config.alpn[i];
  expect(s.alpn !== undefined, faults.ILLEGAL_PARAMETER);
  r.skip(r.left);
  r.leave(name);
  r.leave(list);
}

function equalsAscii(r: Reader, text: string): boolean {
  if (r.left !== text.length) return false;
  for (let i = 0; i < text.length; i++) if (r.bytes[r.at + i] !== text.charCodeAt(i)) return false;
  return true;
}

function writeSupportedVersions(s: ClientSession, w: Writer): void {
  const list = w.begin8();
  w.u16(version.tls13);
  if (s.offers(version.tls12)) w.u16(version.tls12);
  w.finish8(list);
}

function writeCookie(s: ClientSession, w: Writer): void {
  const cookie = w.begin16();
  if (s.cookie) w.copy(s.cookie);
  w.finish16(cookie);
}

function readCookie(s: ClientSession, r: Reader): void {
  const cookie = r.enter16();
  expect(r.left > 0, faults.DECODE_ERROR);
  // Not `slice`, which of a Buffer gives a view
  s.cookie = new Uint8Array(r.left);
  copyBytes(r.bytes, r.at, r.end, s.cookie, 0);
  r.skip(r.left);
  r.leave(cookie);
}

/** KeyShareClientHello, RFC 8446 4.2.8: one KeyShareEntry. */
function writeKeyShare(s: ClientSession, w: Writer): void {
  const list = w.begin16();
  w.u16(s.group);
  const share = w.begin16();
  if (s.exchange) w.skip(s.exchange.publicKey(w.bytes, w.at));
  w.finish16(share);
  w.finish16(list);
}

/** KeyShareServerHello is an entry of our group; KeyShareHelloRetryRequest names another one that we offered. */
function readKeyShare(s: ClientSession, r: Reader, where: number): void {
  const group = r.u16();
  if (where === inMessage.hello_retry_request) {
    expect(group !== s.group && s.config.groups.includes(group), faults.ILLEGAL_PARAMETER);
    s.exchange?.dispose();
    s.exchange = undefined;
    s.group = group;
    return;
  }
  expect(group === s.group && groups.includes(group), faults.KEY_SHARE);
  const share = r.enter16();
  keepPeerShare(s, r);
  r.leave(share);
}

/** Keeps the rest of the view as the server's public key. */
export function keepPeerShare(s: ClientSession, r: Reader): void {
  const n = r.left;
  if (n === 0 || n > at.schedule - at.peerShare) throw faults.KEY_SHARE;
  const start = r.skip(n);
  copyBytes(r.bytes, start, start + n, s.memory, at.peerShare);
  s.peerShareLength = n;
}
