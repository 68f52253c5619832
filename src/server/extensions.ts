import { extensionRows, inMessage } from "../handshake/extensionrow.js";
import { always, writeList16, writeProtocols } from "../handshake/extensions.js";
import { readPointFormats, writePointFormats } from "../handshake/handshake12.js";
import { expect, faults } from "../wire/fault.js";
import type { Reader } from "../wire/reader.js";
import { extensionType as type, version } from "../wire/registry.js";
import {
  readAlpn,
  readAuthorities,
  readCertificateSchemes,
  readKeyShare,
  readMaxFragmentLength,
  readPreSharedKey,
  readPskModes,
  readRecordSizeLimit,
  readRenegotiationInfo,
  readServerName,
  readSessionTicket,
  readSignatureAlgorithms,
  readStatusRequest,
  readStatusRequestV2,
  readSupportedGroups,
  readSupportedVersions,
  readTrustedCaKeys,
  writeAuthorities,
  writeKeyShare,
} from "./extensiondata.js";
import type { ServerHandshake } from "./handshake.js";
import { authorities } from "./request.js";

const never = (): boolean => false;
const m = inMessage;
const hellos = m.client_hello | m.server_hello12 | m.encrypted_extensions;

/**
 * The table of extensions, in the order in which they are answered. What no row has is ignored (RFC 8446 4.1.2);
 * what stands twice, or behind pre_shared_key, is refused by `listExtensions`.
 */
export const extensions = extensionRows<ServerHandshake>([
  {
    type: type.server_name,
    read: readServerName,
    where: hellos,
    // RFC 6066 section 3: not when a session is resumed
    sends: (s) => s.offer.serverName !== undefined && !s.resumed,
  },
  {
    type: type.max_fragment_length,
    read: readMaxFragmentLength,
    where: hellos,
    sends: (s) => s.offer.fragmentCode > 0 && s.offer.recordSizeLimit === 0,
    write: (s, w) => w.u8(s.offer.fragmentCode),
  },
  {
    type: type.trusted_ca_keys,
    read: readTrustedCaKeys,
    where: m.client_hello | m.server_hello12,
    // RFC 6066 section 6: when it guided the choice
    sends: (s) => s.selection?.named === true && !s.resumed,
  },
  {
    type: type.status_request,
    read: readStatusRequest,
    where: m.client_hello | m.server_hello12 | m.certificate_request | m.peer_certificate,
    sends: (s, where) => (where === m.server_hello12 ? s.announced : s.config.ocsp.stapling) === "v1",
  },
  {
    type: type.supported_groups,
    read: readSupportedGroups,
    where: m.client_hello,
    sends: never,
  },
  {
    type: type.ec_point_formats,
    read: readPointFormats,
    where: m.client_hello | m.server_hello12,
    sends: (s) => s.offer.has(type.ec_point_formats),
    write: writePointFormats,
  },
  {
    type: type.signature_algorithms,
    read: readSignatureAlgorithms,
    where: m.client_hello | m.certificate_request,
    sends: always,
    write: (s, w) => writeList16(w, s.config.schemes),
  },
  {
    type: type.signature_algorithms_cert,
    read: readCertificateSchemes,
    where: m.client_hello,
    sends: never,
  },
  {
    type: type.application_layer_protocol_negotiation,
    read: readAlpn,
    where: hellos,
    sends: (s) => s.alpn !== undefined,
    write: (s, w) => writeProtocols(w, [s.alpn ?? ""]),
  },
  {
    type: type.status_request_v2,
    read: readStatusRequestV2,
    where: m.client_hello | m.server_hello12,
    sends: (s) => s.announced === "v2" || s.announced === "v2-multi",
  },
  {
    type: type.extended_master_secret,
    where: m.client_hello | m.server_hello12,
    sends: (s) => s.offer.has(type.extended_master_secret),
  },
  {
    type: type.record_size_limit,
    read: readRecordSizeLimit,
    where: hellos,
    sends: (s) => s.offer.recordSizeLimit > 0,
    write: (s, w) => w.u16(s.recordSizeLimit),
  },
  {
    type: type.session_ticket,
    read: readSessionTicket,
    where: m.client_hello | m.server_hello12,
    sends: (s) => s.ticketAnnounced,
  },
  {
    type: type.supported_versions,
    read: readSupportedVersions,
    where: m.client_hello | m.server_hello | m.hello_retry_request,
    sends: always,
    write: (_, w) => w.u16(version.tls13),
  },
  {
    type: type.key_share,
    read: readKeyShare,
    where: m.client_hello | m.server_hello | m.hello_retry_request,
    sends: always,
    write: writeKeyShare,
  },
  {
    type: type.psk_key_exchange_modes,
    read: readPskModes,
    where: m.client_hello,
    sends: never,
  },
  {
    // Never granted, as no ticket of ours allows it: see `Skipper`
    type: type.early_data,
    where: m.client_hello,
    sends: never,
  },
  {
    type: type.certificate_authorities,
    read: readAuthorities,
    where: m.client_hello | m.certificate_request,
    sends: (s) => authorities(s).length > 0,
    write: writeAuthorities,
  },
  {
    type: type.renegotiation_info,
    read: readRenegotiationInfo,
    where: m.client_hello | m.server_hello12,
    sends: (s) => s.offer.renegotiationInfo,
    write: (_, w) => w.u8(0),
  },
  {
    type: type.pre_shared_key,
    read: readPreSharedKey,
    where: m.client_hello | m.server_hello,
    sends: (s) => s.resumed,
    write: (s, w) => w.u16(s.selectedPsk),
  },
]);

/**
 * Notes the types of all extensions of a ClientHello. None may stand there twice (RFC 8446 4.2), nor any behind
 * pre_shared_key (4.2.11). The reader stays where it is.
 */
export function listExtensions(s: ServerHandshake, r: Reader): void {
  const { at, end } = r;
  const found = s.offer.extensions;
  r.enter16();
  while (r.left > 0) {
    expect(!found.has(type.pre_shared_key), faults.ILLEGAL_PARAMETER);
    const extension = r.u16();
    r.drop(r.enter16());
    expect(!found.has(extension), faults.DUPLICATE_EXTENSION);
    found.add(extension);
  }
  r.over(r.bytes, at, end);
}
