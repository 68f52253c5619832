import { readAuthorities } from "../record/certificates.js";
import { faults } from "../wire/fault.js";
import type { Reader } from "../wire/reader.js";
import { extensionType as type, version } from "../wire/registry.js";
import { table } from "../wire/table.js";
import type { Writer } from "../wire/writer.js";
import {
  expect,
  readAlpn,
  readCertificateSchemes,
  readKeyShare,
  readMaxFragmentLength,
  readPointFormats,
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
  writeAlpn,
  writeAuthorities,
  writeKeyShare,
  writeList16,
  writePointFormats,
} from "./extensiondata.js";
import { inMessage } from "./messages.js";
import { authorities } from "./request.js";
import type { ServerSession } from "./session.js";

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
    type: type.signature_algorithms_cert,
    read: readCertificateSchemes,
    where: 0,
    answers: never,
    write: nothing,
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
    read: (_, r) => readAuthorities(r, 3),
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
