import { isPkcs1 } from "../crypto/suites.js";
import { readAuthorities, readCertificateStatus } from "../handshake/certificates.js";
import { extensionRows, inMessage } from "../handshake/extensionrow.js";
import { always, nonEmpty, writeList16, writeProtocols, writeShare } from "../handshake/extensions.js";
import { dropKeyPair, keepPeerShare } from "../handshake/keyexchange.js";
import { isV2 } from "../pki/policy.js";
import { expect, faults } from "../wire/fault.js";
import type { Reader } from "../wire/reader.js";
import { statusType, extensionType as type, version } from "../wire/registry.js";
import type { Writer } from "../wire/writer.js";
import type { ClientHandshake } from "./handshake.js";
import { fragmentCode } from "./options.js";

const with13 = (s: ClientHandshake): boolean => s.speaks(version.tls13);
const m = inMessage;
/** Offered by us, and answered there in either version. */
const offered = m.client_hello | m.server_hello12 | m.encrypted_extensions;

/**
 * The table of extensions, in the order of the ClientHello. An answer that no row allows, that was not asked
 * for or that stands twice is refused by `readExtensions`, not by the rows.
 */
export const extensions = extensionRows<ClientHandshake>([
  {
    type: type.server_name,
    where: offered,
    sends: (s) => s.config.sni !== undefined,
    write: writeServerName,
  },
  {
    type: type.max_fragment_length,
    where: offered,
    sends: (s) => s.config.maxFragmentLength !== undefined,
    write: (s, w) => w.u8(fragmentCode(s.config.maxFragmentLength!)),
    read: readMaxFragmentLength,
  },
  {
    type: type.status_request,
    where: m.client_hello | m.server_hello12 | m.peer_certificate | m.certificate_request,
    sends: offersV1,
    write: writeStatusRequest,
    read: readStatusRequest,
  },
  {
    type: type.supported_groups,
    where: offered,
    sends: always,
    write: (s, w) => writeList16(w, s.config.groups),
    read: readSupportedGroups,
  },
  {
    type: type.signature_algorithms,
    where: m.client_hello | m.certificate_request,
    sends: always,
    write: (s, w) => writeList16(w, s.config.schemes),
    read: readSignatureAlgorithms,
  },
  {
    type: type.application_layer_protocol_negotiation,
    where: offered,
    sends: (s) => s.config.alpn.length > 0,
    write: (s, w) => writeProtocols(w, s.config.alpn),
    read: readAlpn,
  },
  {
    type: type.record_size_limit,
    where: offered,
    sends: (s) => s.config.recordSizeLimit !== undefined,
    write: (s, w) => w.u16(s.config.recordSizeLimit!),
    read: readRecordSizeLimit,
  },
  {
    type: type.supported_versions,
    where: m.client_hello | m.server_hello | m.hello_retry_request,
    sends: with13,
    write: writeSupportedVersions,
    read: (_, r) => expect(r.u16() === version.tls13, faults.ILLEGAL_PARAMETER),
  },
  {
    type: type.cookie,
    where: m.client_hello | m.hello_retry_request,
    sends: (s) => s.cookie !== undefined,
    write: writeCookie,
    read: readCookie,
  },
  {
    type: type.key_share,
    where: m.client_hello | m.server_hello | m.hello_retry_request,
    sends: with13,
    write: writeKeyShare,
    read: readKeyShare,
  },
  {
    type: type.certificate_authorities,
    where: m.certificate_request,
    sends: always,
    read: (_, r) => readAuthorities(r, 3),
  },
]);

/** What else the server would like (RFC 8446 4.2.7). In a ServerHello it has no place, but BIG-IP sends it. */
function readSupportedGroups(_: ClientHandshake, r: Reader, where: number): void {
  if (where === m.server_hello12) r.skip(r.left);
  else r.drop(r.enter16());
}

/** RFC 6066 section 3: ServerNameList { host_name(0), HostName }. */
function writeServerName(s: ClientHandshake, w: Writer): void {
  const sni = s.config.sni!;
  const list = w.begin16();
  w.u8(0);
  w.u16(sni.length);
  w.ascii(sni);
  w.finish16(list);
}

/** RFC 6066 section 4: the server answers the length that was asked for, and both sides keep to it. */
function readMaxFragmentLength(s: ClientHandshake, r: Reader): void {
  const length = s.config.maxFragmentLength!;
  expect(r.u8() === fragmentCode(length) && !s.limited, faults.ILLEGAL_PARAMETER);
  s.limited = true;
  s.engine.outbox.maxContent = length;
  s.engine.maxInner = length + innerType(s);
}

/**
 * RFC 8449 section 4: the limit of what the server wants to receive; ours holds for what it sends. In TLS 1.3
 * both count the content type. Never together with max_fragment_length (section 5).
 */
function readRecordSizeLimit(s: ClientHandshake, r: Reader): void {
  const limit = r.u16();
  expect(limit >= 64 && !s.limited, faults.ILLEGAL_PARAMETER);
  s.limited = true;
  s.engine.outbox.maxContent = Math.min(s.engine.outbox.maxContent, limit - innerType(s));
  s.engine.maxInner = Math.min(s.engine.maxInner, s.config.recordSizeLimit!);
}

/** Bytes of content type inside a protected record. */
function innerType(s: ClientHandshake): number {
  return s.version === version.tls13 ? 1 : 0;
}

/** TLS 1.3 knows no other. */
function offersV1(s: ClientHandshake): boolean {
  const { stapling, alsoV1 } = s.config.ocsp;
  return stapling === "v1" || (isV2(stapling) && (alsoV1 || s.speaks(version.tls13)));
}

/** CertificateStatusRequest, RFC 6066 section 8. */
function writeStatusRequest(s: ClientHandshake, w: Writer): void {
  w.u8(statusType.ocsp);
  writeOcspStatusRequest(s, w);
}

/** The CertificateStatusType that is asked for by status_request_v2. */
export function wantedStatus(s: ClientHandshake): number {
  return s.config.ocsp.stapling === "v2-multi" ? statusType.ocsp_multi : statusType.ocsp;
}

/** OCSPStatusRequest: any responder, and extensions with the nonce if wanted. */
export function writeOcspStatusRequest(s: ClientHandshake, w: Writer): void {
  w.u16(0);
  const requestExtensions = w.begin16();
  const { nonce } = s.verifier;
  if (nonce) writeNonce(w, nonce);
  w.finish16(requestExtensions);
}

/** Extensions ::= SEQUENCE OF one, id-pkix-ocsp-nonce, its value an OCTET STRING in the extension's (RFC 9654 2.1). */
function writeNonce(w: Writer, nonce: Uint8Array): void {
  w.ascii("\x30\x31\x30\x2f\x06\x09\x2b\x06\x01\x05\x05\x07\x30\x01\x02\x04\x22\x04\x20");
  w.copy(nonce);
}

/** In TLS 1.2 an empty announcement; in TLS 1.3 the staple of one certificate, or the wish for ours, whatever it says. */
function readStatusRequest(s: ClientHandshake, r: Reader, where: number): void {
  if (where === m.server_hello12) announceStatus(s, type.status_request);
  else if (where === m.peer_certificate) readCertificateStatus(s, r);
  else {
    r.skip(r.left);
    s.staples = s.identity?.staples;
  }
}

/** The server answers one of the two (RFC 6961 2.2). */
export function announceStatus(s: ClientHandshake, by: number): void {
  expect(s.announced === 0, faults.ILLEGAL_PARAMETER);
  s.announced = by;
}

/** The schemes that the server takes from a client's certificate, RFC 8446 4.2.3. */
export function readSignatureAlgorithms(s: ClientHandshake, r: Reader): void {
  const list = nonEmpty(r, r.enter16());
  while (r.left > 0) acceptScheme(s, r.u16());
  r.leave(list);
}

/** Takes a scheme of the server's, if our certificate's key can sign with it and likes none of those before better. */
function acceptScheme(s: ClientHandshake, id: number): void {
  const schemes = s.identity?.signer.schemes;
  if (schemes === undefined || (s.version === version.tls13 && isPkcs1(id))) return;
  const rank = schemes.indexOf(id);
  const present = schemes.indexOf(s.scheme);
  if (rank >= 0 && (present < 0 || rank < present)) s.scheme = id;
}

/** The server answers exactly one name, one of ours (RFC 7301 3.1). */
function readAlpn(s: ClientHandshake, r: Reader): void {
  const { alpn } = s.config;
  const list = r.enter16();
  const length = r.u8();
  const name = r.skip(length);
  for (let i = 0; i < alpn.length; i++)
    if (alpn[i].length === length && startsWith(r.bytes, name, alpn[i])) s.alpn = alpn[i];
  expect(s.alpn !== undefined, faults.ILLEGAL_PARAMETER);
  r.leave(list);
}

/** Whether the bytes at `at` are this text of characters of a byte each. */
export function startsWith(bytes: Uint8Array, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
}

function writeSupportedVersions(s: ClientHandshake, w: Writer): void {
  const list = w.begin8();
  w.u16(version.tls13);
  if (s.speaks(version.tls12)) w.u16(version.tls12);
  w.finish8(list);
}

function writeCookie(s: ClientHandshake, w: Writer): void {
  const cookie = w.begin16();
  w.copy(s.cookie!);
  w.finish16(cookie);
}

function readCookie(s: ClientHandshake, r: Reader): void {
  const length = r.u16();
  expect(length > 0, faults.DECODE_ERROR);
  const start = r.skip(length);
  // Not `slice`, which of a Buffer gives a view
  s.cookie = new Uint8Array(r.bytes.subarray(start, r.at));
}

/** KeyShareClientHello, RFC 8446 4.2.8: one KeyShareEntry. */
function writeKeyShare(s: ClientHandshake, w: Writer): void {
  const list = w.begin16();
  writeShare(s, w);
  w.finish16(list);
}

/** KeyShareServerHello is an entry of our group; KeyShareHelloRetryRequest names another one that we offered. */
function readKeyShare(s: ClientHandshake, r: Reader, where: number): void {
  const group = r.u16();
  if (where === m.hello_retry_request) {
    expect(group !== s.group && s.config.groups.includes(group), faults.ILLEGAL_PARAMETER);
    dropKeyPair(s);
    s.group = group;
    return;
  }
  expect(group === s.group, faults.KEY_SHARE);
  keepPeerShare(s, r, r.u16());
}
