import { type Fault, faults } from "../wire/fault.js";
import type { Reader } from "../wire/reader.js";
import { extensionType as type, version } from "../wire/registry.js";
import { table } from "../wire/table.js";
import type { Writer } from "../wire/writer.js";
import { at } from "./memory.js";
import { authorities } from "./request.js";
import type { ServerSession } from "./session.js";

/** The messages that the server writes extensions in (RFC 8446 4.2), as bits. */
export const inMessage = Object.freeze({
  server_hello12: 1,
  server_hello: 2,
  hello_retry_request: 4,
  encrypted_extensions: 8,
  certificate_request: 16,
});

/** One extension: all that we know of it. */
interface ExtensionRow {
  readonly type: number;
  /** Reads the ClientHello's extension_data, to its end. */
  readonly read: (s: ServerSession, r: Reader) => void;
  /** The messages of the server where it may stand. */
  readonly where: number;
  /** Whether it does stand there. */
  readonly answers: (s: ServerSession, where: number) => boolean;
  /** Writes the server's extension_data. */
  readonly write: (s: ServerSession, w: Writer, where: number) => void;
}

const nothing = (): void => {};
const skip = (_: ServerSession, r: Reader): void => {
  r.skip(r.left);
};
const never = (): boolean => false;
const always = (): boolean => true;
const m = inMessage;
const hellos = m.server_hello12 | m.encrypted_extensions;

/**
 * The table of extensions, in the order in which they are answered. What no row has is ignored (RFC 8446 4.1.2);
 * what stands twice is refused by `readExtensions`.
 */
const extensions = table<ExtensionRow>([
  {
    type: type.server_name,
    read: readServerName,
    where: hellos,
    // RFC 6066 section 3: not when a session is resumed
    answers: (s) => s.offer.serverName !== undefined && !s.resumed,
    write: nothing,
  },
  {
    type: type.max_fragment_length,
    read: readMaxFragmentLength,
    where: hellos,
    answers: (s) => s.offer.fragmentCode > 0 && s.offer.recordSizeLimit === 0,
    write: (s, w) => w.u8(s.offer.fragmentCode),
  },
  {
    type: type.status_request,
    read: readStatusRequest,
    where: m.server_hello12 | m.certificate_request,
    answers: (s, where) => (where === m.server_hello12 ? s.announced : s.config.ocsp.stapling) === "v1",
    write: nothing,
  },
  {
    type: type.supported_groups,
    read: readSupportedGroups,
    where: 0,
    answers: never,
    write: nothing,
  },
  {
    type: type.ec_point_formats,
    read: readPointFormats,
    where: m.server_hello12,
    answers: (s) => s.offer.has(type.ec_point_formats),
    write: writePointFormats,
  },
  {
    type: type.signature_algorithms,
    read: readSignatureAlgorithms,
    where: m.certificate_request,
    answers: always,
    write: (s, w) => writeList16(w, s.config.schemes),
  },
  {
    type: type.application_layer_protocol_negotiation,
    read: readAlpn,
    where: hellos,
    answers: (s) => s.alpn !== undefined,
    write: writeAlpn,
  },
  {
    type: type.status_request_v2,
    read: readStatusRequestV2,
    where: m.server_hello12,
    answers: (s) => s.announced === "v2" || s.announced === "v2-multi",
    write: nothing,
  },
  {
    type: type.extended_master_secret,
    read: nothing,
    where: m.server_hello12,
    answers: (s) => s.offer.has(type.extended_master_secret),
    write: nothing,
  },
  {
    type: type.record_size_limit,
    read: readRecordSizeLimit,
    where: hellos,
    answers: (s) => s.offer.recordSizeLimit > 0,
    write: (s, w) => w.u16(s.recordSizeLimit),
  },
  {
    type: type.session_ticket,
    read: readSessionTicket,
    where: m.server_hello12,
    answers: (s) => s.ticketAnnounced,
    write: nothing,
  },
  {
    type: type.supported_versions,
    read: readSupportedVersions,
    where: m.server_hello | m.hello_retry_request,
    answers: always,
    write: (_, w) => w.u16(version.tls13),
  },
  {
    type: type.key_share,
    read: readKeyShare,
    where: m.server_hello | m.hello_retry_request,
    answers: always,
    write: writeKeyShare,
  },
  {
    type: type.psk_key_exchange_modes,
    read: readPskModes,
    where: 0,
    answers: never,
    write: nothing,
  },
  {
    // Never granted, as no ticket of ours allows it: see `Skipper`
    type: type.early_data,
    read: nothing,
    where: 0,
    answers: never,
    write: nothing,
  },
  {
    type: type.certificate_authorities,
    read: skip,
    where: m.certificate_request,
    answers: (s) => authorities(s).length > 0,
    write: writeAuthorities,
  },
  {
    type: type.renegotiation_info,
    read: readRenegotiationInfo,
    where: m.server_hello12,
    answers: (s) => s.offer.renegotiationInfo,
    write: (_, w) => w.u8(0),
  },
  {
    type: type.pre_shared_key,
    read: readPreSharedKey,
    where: m.server_hello,
    answers: (s) => s.resumed,
    write: (s, w) => w.u16(s.selectedPsk),
  },
]);

function expect(holds: boolean, fault: Fault): void {
  if (!holds) throw fault;
}

/** Reads the ClientHello's extensions, RFC 8446 4.2; `pre_shared_key` must be the last (4.2.11). */
export function readExtensions(s: ServerSession, r: Reader): void {
  const all = r.enter16();
  while (r.left > 0) {
    expect(!s.offer.has(type.pre_shared_key), faults.ILLEGAL_PARAMETER);
    const extension = r.u16();
    const data = r.enter16();
    expect(!s.offer.has(extension), faults.DUPLICATE_EXTENSION);
    s.offer.extensions.add(extension);
    const read = findReader(extension);
    read(s, r);
    r.leave(data);
  }
  r.leave(all);
}

function findReader(extension: number): ExtensionRow["read"] {
  for (let i = 0; i < extensions.length; i++) if (extensions[i].type === extension) return extensions[i].read;
  return skip;
}

/** Whether there is anything to answer: in TLS 1.2 the block may be absent altogether (RFC 5246 7.4.1.3). */
export function hasExtensions(s: ServerSession, where: number): boolean {
  return extensions.some((row) => (row.where & where) !== 0 && row.answers(s, where));
}

/** Writes a message's extensions. */
export function writeExtensions(s: ServerSession, w: Writer, where: number): void {
  const all = w.begin16();
  for (let i = 0; i < extensions.length; i++) {
    const row = extensions[i];
    if ((row.where & where) === 0 || !row.answers(s, where)) continue;
    w.u16(row.type);
    const data = w.begin16();
    row.write(s, w, where);
    w.finish16(data);
  }
  w.finish16(all);
}

/** Reads the u16 numbers of a vector and keeps those that we may use, each once. */
export function readList16(r: Reader, usable: readonly number[], found: number[]): void {
  expect(r.left > 0, faults.DECODE_ERROR);
  while (r.left > 0) {
    const value = r.u16();
    if (usable.includes(value) && !found.includes(value)) found.push(value);
  }
}

function writeList16(w: Writer, values: readonly number[]): void {
  const list = w.begin16();
  for (let i = 0; i < values.length; i++) w.u16(values[i]);
  w.finish16(list);
}

/** The rest of the view as text, a character for a byte. */
function readText(r: Reader): string {
  let text = "";
  while (r.left > 0) text += String.fromCharCode(r.u8());
  return text;
}

const HOST_NAME = 0;

/** ServerNameList, RFC 6066 section 3: one name of each type, each with a length of 16 bits. */
function readServerName(s: ServerSession, r: Reader): void {
  const list = r.enter16();
  expect(r.left > 0, faults.DECODE_ERROR);
  while (r.left > 0) {
    const nameType = r.u8();
    const name = r.enter16();
    expect(r.left > 0, faults.DECODE_ERROR);
    if (nameType === HOST_NAME) readHostName(s, r);
    else r.skip(r.left);
    r.leave(name);
  }
  r.leave(list);
}

/** Letters, digits and what else stands in host names; "without a trailing dot". */
const hostName = /^[\w-]+(\.[\w-]+)*$/;

function readHostName(s: ServerSession, r: Reader): void {
  const name = readText(r);
  expect(s.offer.serverName === undefined, faults.ILLEGAL_PARAMETER);
  expect(name.length < 256 && hostName.test(name), faults.ILLEGAL_PARAMETER);
  s.offer.serverName = name.toLowerCase();
}

/** RFC 6066 section 4. */
function readMaxFragmentLength(s: ServerSession, r: Reader): void {
  s.offer.fragmentCode = r.u8();
  expect(s.offer.fragmentCode >= 1 && s.offer.fragmentCode <= 4, faults.ILLEGAL_PARAMETER);
}

const OCSP = 1;
const OCSP_MULTI = 2;

/** CertificateStatusRequest, RFC 6066 section 8; a status_type that is not known says nothing to us. */
function readStatusRequest(s: ServerSession, r: Reader): void {
  s.offer.status = r.u8() === OCSP;
  if (s.offer.status) readOcspRequest(r);
  else r.skip(r.left);
}

/** OCSPStatusRequest: responder_id_list and request_extensions, of which a stapler that asks in advance can heed neither. */
function readOcspRequest(r: Reader): void {
  const ids = r.enter16();
  while (r.left > 0) {
    const id = r.enter16();
    expect(r.left > 0, faults.DECODE_ERROR);
    r.drop(id);
  }
  r.leave(ids);
  r.drop(r.enter16());
}

/** CertificateStatusRequestListV2, RFC 6961 2.2: items in any order. */
function readStatusRequestV2(s: ServerSession, r: Reader): void {
  const list = r.enter16();
  expect(r.left > 0, faults.DECODE_ERROR);
  while (r.left > 0) {
    const statusType = r.u8();
    const request = r.enter16();
    if (statusType === OCSP || statusType === OCSP_MULTI) readOcspRequest(r);
    else r.skip(r.left);
    r.leave(request);
    if (statusType === OCSP) s.offer.statusV2 = true;
    if (statusType === OCSP_MULTI) s.offer.statusMulti = true;
  }
  r.leave(list);
}

/** NamedGroupList, RFC 8446 4.2.7. */
function readSupportedGroups(s: ServerSession, r: Reader): void {
  const list = r.enter16();
  readList16(r, s.config.groups, s.offer.groups);
  r.leave(list);
}

/** ECPointFormatList, RFC 8422 5.1.2: it must have uncompressed(0). */
function readPointFormats(_: ServerSession, r: Reader): void {
  const list = r.enter8();
  let uncompressed = false;
  while (r.left > 0) if (r.u8() === 0) uncompressed = true;
  r.leave(list);
  expect(uncompressed, faults.ILLEGAL_PARAMETER);
}

function writePointFormats(_: ServerSession, w: Writer): void {
  w.u8(1);
  w.u8(0);
}

/** SignatureSchemeList, RFC 8446 4.2.3. */
function readSignatureAlgorithms(s: ServerSession, r: Reader): void {
  const list = r.enter16();
  readList16(r, s.config.schemes, s.offer.schemes);
  r.leave(list);
}

/** ProtocolNameList, RFC 7301 3.1. */
function readAlpn(s: ServerSession, r: Reader): void {
  const names: string[] = [];
  const list = r.enter16();
  expect(r.left > 0, faults.DECODE_ERROR);
  while (r.left > 0) {
    const name = r.enter8();
    expect(r.left > 0, faults.DECODE_ERROR);
    names.push(readText(r));
    r.leave(name);
  }
  r.leave(list);
  s.offer.alpn = names;
}

function writeAlpn(s: ServerSession, w: Writer): void {
  const list = w.begin16();
  const name = w.begin8();
  w.ascii(s.alpn ?? "");
  w.finish8(name);
  w.finish16(list);
}

/** RFC 8449 section 4: a limit below 64 is illegal, one above what the protocol has is not. */
function readRecordSizeLimit(s: ServerSession, r: Reader): void {
  s.offer.recordSizeLimit = r.u16();
  expect(s.offer.recordSizeLimit >= 64, faults.ILLEGAL_PARAMETER);
}

/** RFC 5077 3.2: the ticket is the whole extension_data, empty from a client that has none. */
function readSessionTicket(s: ServerSession, r: Reader): void {
  s.offer.ticketStart = r.skip(r.left);
  s.offer.ticketEnd = r.at;
}

/** RFC 8446 4.2.1. */
function readSupportedVersions(s: ServerSession, r: Reader): void {
  const list = r.enter8();
  expect(r.left > 0, faults.DECODE_ERROR);
  while (r.left > 0) {
    const offered = r.u16();
    if (offered === version.tls13) s.offer.tls13 = true;
    if (offered === version.tls12) s.offer.tls12 = true;
  }
  r.leave(list);
}

/** KeyShareClientHello, RFC 8446 4.2.8: no group twice; the list may be empty, to ask for a HelloRetryRequest. */
function readKeyShare(s: ServerSession, r: Reader): void {
  const { shares } = s.offer;
  const list = r.enter16();
  while (r.left > 0) {
    const group = r.u16();
    const share = r.enter16();
    expect(r.left > 0, faults.DECODE_ERROR);
    const start = r.skip(r.left);
    r.leave(share);
    if (!s.config.groups.includes(group)) continue;
    expect(!shares.some((other) => other.group === group), faults.ILLEGAL_PARAMETER);
    shares.push({ group, start, end: r.at });
  }
  r.leave(list);
}

/** KeyShareServerHello is our entry, KeyShareHelloRetryRequest the group that we want one for. */
function writeKeyShare(s: ServerSession, w: Writer, where: number): void {
  w.u16(s.group);
  if (where === inMessage.hello_retry_request) return;
  const share = w.begin16();
  if (s.exchange) w.skip(s.exchange.publicKey(w.bytes, w.at));
  w.finish16(share);
}

const PSK_DHE_KE = 1;

/** PskKeyExchangeModes, RFC 8446 4.2.9. */
function readPskModes(s: ServerSession, r: Reader): void {
  const list = r.enter8();
  expect(r.left > 0, faults.DECODE_ERROR);
  while (r.left > 0) if (r.u8() === PSK_DHE_KE) s.offer.pskDhe = true;
  r.leave(list);
}

function writeAuthorities(s: ServerSession, w: Writer): void {
  const list = w.begin16();
  for (const { nameBytes, nameStart, nameEnd } of authorities(s)) {
    const name = w.begin16();
    w.copy(nameBytes, nameStart, nameEnd);
    w.finish16(name);
  }
  w.finish16(list);
}

/** RFC 5746 3.6: empty in a first handshake, and there is no other. */
function readRenegotiationInfo(s: ServerSession, r: Reader): void {
  expect(r.u8() === 0, faults.RENEGOTIATION_INFO);
  s.offer.renegotiationInfo = true;
}

/** The shortest PskBinderEntry, RFC 8446 4.2.11. */
const MIN_BINDER = 32;

/** OfferedPsks, RFC 8446 4.2.11: as many binders as identities. */
function readPreSharedKey(s: ServerSession, r: Reader): void {
  const { offer } = s;
  const identities = r.enter16();
  expect(r.left > 0, faults.DECODE_ERROR);
  offer.identitiesStart = r.at;
  let count = 0;
  for (; r.left > 0; count++) {
    const identity = r.enter16();
    expect(r.left > 0, faults.DECODE_ERROR);
    r.drop(identity);
    r.u32();
  }
  offer.identitiesEnd = r.at;
  r.leave(identities);
  offer.bindersAt = r.at;
  const binders = r.enter16();
  expect(r.left > 0, faults.DECODE_ERROR);
  for (; r.left > 0; count--) {
    const binder = r.enter8();
    expect(r.left >= MIN_BINDER, faults.DECODE_ERROR);
    r.drop(binder);
  }
  offer.bindersEnd = r.at;
  r.leave(binders);
  expect(count === 0, faults.ILLEGAL_PARAMETER);
}

/** The extensions of one CertificateEntry of a client, RFC 8446 4.4.2: a staple if we asked, and nothing else. */
export function readEntryExtensions(s: ServerSession, r: Reader): void {
  const all = r.enter16();
  let seen = false;
  while (r.left > 0) {
    const wanted = r.u16() === type.status_request && s.config.ocsp.stapling === "v1";
    expect(wanted, faults.UNSUPPORTED_EXTENSION);
    expect(!seen, faults.DUPLICATE_EXTENSION);
    seen = true;
    const data = r.enter16();
    readCertificateStatus(s, r);
    r.leave(data);
  }
  r.leave(all);
}

/** CertificateStatus, RFC 6066 section 8: ocsp(1), OCSPResponse<1..2^24-1>. */
function readCertificateStatus(s: ServerSession, r: Reader): void {
  expect(r.u8() === OCSP, faults.OCSP_MALFORMED);
  const response = r.enter24();
  expect(r.left > 0, faults.OCSP_MALFORMED);
  const start = r.skip(r.left);
  s.takeStaple(s.certificatesSent - 1, r.bytes, start, r.end);
  r.leave(response);
}

/** Keeps a share, `bytes[start…end)`, as the client's public key. */
export function keepPeerShare(s: ServerSession, bytes: Uint8Array, start: number, end: number): void {
  const n = end - start;
  if (n === 0 || n > at.schedule - at.peerShare) throw faults.KEY_SHARE;
  s.memory.set(bytes.subarray(start, end), at.peerShare);
  s.peerShareLength = n;
}
