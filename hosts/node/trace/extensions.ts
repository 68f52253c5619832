/** TLS extensions as words, those that matter with what they say. */

import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import { Extensions } from "@peculiar/asn1-x509";
import { identifierType, extensionType as known, nameOf, statusType } from "../../../src/client/index.js";
import { Reader } from "../../../src/wire/index.js";
import { describeName } from "../common/describe.js";
import {
  type Extension,
  malformed,
  numbered,
  readGroup,
  readList8,
  readList16,
  readScheme,
  readVector8,
  readVector16,
  readVersion,
  shortened,
} from "./fields.js";

/** Extensions in words: those that fit in a line together, and those that fill one each. */
export interface Words {
  readonly short: string[];
  readonly long: string[];
}

/** The message that an extension is in, where that changes its form. */
export type Place = "request" | "answer";

/** Names that only a trace needs: extensions that other implementations send. */
const foreign = Object.freeze({
  signed_certificate_timestamp: 18,
  padding: 21,
  encrypt_then_mac: 22,
  compress_certificate: 27,
  early_data: 42,
  post_handshake_auth: 49,
});

const LONG: readonly number[] = [
  known.supported_groups,
  known.signature_algorithms,
  known.signature_algorithms_cert,
  known.certificate_authorities,
  known.trusted_ca_keys,
];

/** `place` is "answer" for those of a ServerHello or HelloRetryRequest. */
export function describeExtensions(extensions: readonly Extension[], place: Place = "request"): Words {
  const words = (long: boolean) =>
    extensions
      .filter(({ type, data }) => (LONG.includes(type) && data.length > 0) === long)
      .map((extension) => describeExtension(extension, place))
      .filter((word) => word !== "");
  return { short: words(false), long: words(true) };
}

function describeExtension({ type, data }: Extension, place: Place): string {
  const name = nameOf(foreign, type) ?? numbered(known, type);
  const describe = (place === "answer" ? answers[type] : undefined) ?? forms[type];
  if (data.length === 0 || describe === undefined) return name;
  try {
    return describe(new Reader(data), name);
  } catch {
    return `${name} ${malformed(data)}`;
  }
}

type Describe = (r: Reader, name: string) => string;

/** `name`, then what the items of a list are. */
const listed =
  (read: (r: Reader) => string[]): Describe =>
  (r, name) =>
    `${name} ${read(r).join(" ")}`.trimEnd();

/** Extensions whose data is worth reading, as clients send them; elsewhere most look the same. */
const forms: Readonly<Record<number, Describe>> = {
  [known.server_name]: (r) => `SNI ${readList16(r, readServerName).join(" ")}`,
  [known.max_fragment_length]: (r, name) => `${name} ${256 << r.u8()}`,
  [known.status_request]: (r, name) => `${name} ${describeStatusRequest(r, r.u8())}`,
  [known.supported_groups]: listed((r) => readList16(r, readGroup)),
  [known.ec_point_formats]: () => "",
  [known.signature_algorithms]: listed((r) => readList16(r, readScheme)),
  [known.application_layer_protocol_negotiation]: (r) => `ALPN ${readList16(r, readText8).join(" ")}`,
  [known.status_request_v2]: (r, name) => `${name} ${readList16(r, readStatusItem).join(", ")}`,
  [known.record_size_limit]: (r, name) => `${name} ${r.u16()}`,
  [known.session_ticket]: (r, name) => `${name} of ${r.left} bytes`,
  [known.pre_shared_key]: (r, name) => `${name} ${readList16(r, readIdentity).join(", ")}`,
  [known.supported_versions]: (r) => readList8(r, readVersion).join(" "),
  [known.cookie]: (r, name) => `${name} of ${r.u16()} bytes`,
  [known.psk_key_exchange_modes]: listed((r) => readList8(r, readMode)),
  [known.certificate_authorities]: listed((r) => readAuthorities(r)),
  [known.trusted_ca_keys]: listed((r) => readList16(r, readTrustedAuthority)),
  [known.signature_algorithms_cert]: listed((r) => readList16(r, readScheme)),
  [known.key_share]: listed((r) => readList16(r, readShare)),
  [foreign.early_data]: (r, name) => `${name} of up to ${r.u32()} bytes`,
};

/** Those that look different in a ServerHello. */
const answers: Readonly<Record<number, Describe>> = {
  [known.pre_shared_key]: (r, name) => `${name} ${r.u16()}`,
  [known.supported_versions]: readVersion,
  [known.key_share]: (r, name) => `${name} ${readGroup(r)}`,
};

/** ServerName, RFC 6066 section 3. */
function readServerName(r: Reader): string {
  r.u8();
  return readVector16(r).toString("latin1");
}

/** ProtocolName, RFC 7301 3.1. */
function readText8(r: Reader): string {
  return readVector8(r).toString("latin1");
}

/** KeyShareEntry, RFC 8446 4.2.8. */
function readShare(r: Reader): string {
  const group = readGroup(r);
  readVector16(r);
  return group;
}

/** PskIdentity, RFC 8446 4.2.11. */
function readIdentity(r: Reader): string {
  const { length } = readVector16(r);
  r.u32();
  return `ticket of ${length} bytes`;
}

/** PskKeyExchangeMode, RFC 8446 4.2.9. */
function readMode(r: Reader): string {
  const mode = r.u8();
  return ["psk_ke", "psk_dhe_ke"][mode] ?? `mode ${mode}`;
}

/** DistinguishedName, RFC 8446 4.2.4; each is one word of the list. */
export function readAuthorities(r: Reader): string[] {
  return readList16(r, () => `[${describeName(readVector16(r))}]`);
}

/** TrustedAuthority, RFC 6066 section 6. */
function readTrustedAuthority(r: Reader): string {
  const type = r.u8();
  const name = nameOf(identifierType, type);
  if (type === identifierType.x509_name) return `[${describeName(readVector16(r))}]`;
  if (name === undefined) throw new RangeError("its length is unknown");
  if (type === identifierType.pre_agreed) return name;
  const start = r.skip(SHA1);
  return `${name} ${shortened(Buffer.from(r.bytes.subarray(start, r.at)).toString("hex"))}`;
}

/** Bytes of a hash in it. */
const SHA1 = 20;

// ---- Requests for staples

/** CertificateStatusRequestItemV2, RFC 6961 2.2. */
function readStatusItem(r: Reader): string {
  const type = r.u8();
  const request = new Reader(readVector16(r));
  return describeStatusRequest(request, type);
}

/** OCSPStatusRequest, RFC 6066 section 8. */
function describeStatusRequest(r: Reader, type: number): string {
  const name = nameOf(statusType, type);
  if (name === undefined) return `type ${type}`;
  const responders = readList16(r, readVector16).length;
  const extensions = readVector16(r);
  const from = responders > 0 ? ` from ${responders} responders` : "";
  return name + from + describeNonce(extensions);
}

/** The nonce in the Extensions of a request, RFC 9654. */
function describeNonce(der: Buffer): string {
  if (der.length === 0) return "";
  const nonce = AsnConvert.parse(der, Extensions).find(({ extnID }) => extnID === "1.3.6.1.5.5.7.48.1.2");
  if (nonce === undefined) return "";
  const value = AsnConvert.parse(nonce.extnValue.buffer, OctetString);
  return ` nonce ${shortened(Buffer.from(value.buffer).toString("hex"))}`;
}
