import {
  cipherSuite,
  contentType,
  extensionType,
  handshakeType,
  namedGroup,
  nameOf,
  signatureScheme,
  statusType,
} from "../../src/client/index.js";
import { Reader } from "../../src/wire/reader.js";
import { describeCertificate, describeResponse, type SingleInfo } from "./describe.js";
import { alertOf } from "./errors.js";
import { printable } from "./text.js";

/** What one message says: a summary, and lines of detail below it. A part that continues a message has no summary. */
interface Description {
  readonly summary?: string;
  readonly details?: readonly string[];
}

/** HandshakeType and length, in front of each message. */
const HEADER = 4;

const message = handshakeType;
const extension = extensionType;

/**
 * Turns what `onMessage` reports into lines for people: an arrow for the direction, the message's name, and
 * the fields that matter; certificates and staples decoded. It trusts nothing, and verifies nothing.
 */
export class Trace {
  private readonly print: (line: string) => unknown;
  /** Certificate messages come in parts, the list's length first: parts of the server's, seen so far. */
  private parts = 0;

  constructor(print: (line: string) => unknown) {
    this.print = print;
  }

  /** To be called as `onMessage`. */
  record(sent: boolean, type: number, bytes: Uint8Array, start: number, end: number): void {
    const body = Buffer.from(bytes.subarray(start, end));
    const description = this.describe(sent, type, body);
    if (description === undefined) return;
    const { summary, details = [] } = description;
    const arrow = sent ? "→" : "←";
    if (summary !== undefined)
      this.print(printable(`${arrow} ${messageName(type).padEnd(20)} ${summary}`.trimEnd()));
    for (const line of details) this.print(printable(`${" ".repeat(23)}${line}`));
  }

  private describe(sent: boolean, type: number, bytes: Buffer): Description | undefined {
    try {
      if (type >> 8 === contentType.alert) return { summary: describeAlert(bytes) };
      if (type >> 8 !== contentType.handshake) return { summary: "" };
      if ((type & 0xff) === message.certificate && !sent) return this.certificatePart(bytes);
      if ((type & 0xff) === message.certificate_status && !sent) return describeStatusPart(bytes);
      return bodies[type & 0xff]?.(new Reader(bytes, HEADER)) ?? { summary: "" };
    } catch {
      return { summary: `malformed, ${bytes.length} bytes` };
    }
  }

  /** A list's length is worth no line; each entry is. */
  private certificatePart(bytes: Buffer): Description | undefined {
    return this.parts++ === 0 ? undefined : describeEntry(new Reader(bytes));
  }
}

function messageName(type: number): string {
  const content = type >> 8;
  const name =
    content === contentType.handshake ? nameOf(message, type & 0xff) : nameOf(contentType, content);
  return camel(name ?? `message_${type & 0xff}`);
}

/** client_hello is written ClientHello, as in the RFCs' prose. */
function camel(name: string): string {
  return name
    .split("_")
    .map((word) => word[0].toUpperCase() + word.slice(1))
    .join("");
}

function describeAlert(bytes: Buffer): string {
  const { name, number } = alertOf(bytes[1]);
  return `${bytes[0] === 1 ? "warning" : "fatal"} ${name} (${number})`;
}

const bodies: Readonly<Record<number, (r: Reader) => Description>> = {
  [message.client_hello]: describeClientHello,
  [message.server_hello]: describeServerHello,
  [message.encrypted_extensions]: (r) => ({ summary: describeExtensions(r) }),
  [message.server_key_exchange]: describeServerKeyExchange,
  [message.certificate_verify]: (r) => ({ summary: schemeName(r.u16()) }),
  [message.new_session_ticket]: () => ({ summary: "ignored: no resumption in this release" }),
};

/** ClientHello, RFC 8446 4.1.2. */
function describeClientHello(r: Reader): Description {
  r.skip(2 + 32);
  skipVector8(r);
  const suites = readList16(r, (id) => nameOf(cipherSuite, id) ?? hex16(id));
  skipVector8(r);
  const words = readExtensions(r, false);
  const isList = (word: string) => listed.some((name) => word.startsWith(`${name} `));
  const summary = words.filter((word) => !isList(word)).join("; ");
  return { summary, details: [`suites ${suites.join(" ")}`, ...words.filter(isList)] };
}

/** Extensions so long that each gets a line of its own. */
const listed = ["supported_groups", "signature_algorithms"];

/** The random that makes a ServerHello a HelloRetryRequest, RFC 8446 4.1.3. */
const RETRY = "cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c";

/** ServerHello, RFC 8446 4.1.3. */
function describeServerHello(r: Reader): Description {
  r.skip(2);
  const random = readVector(r, 32).toString("hex");
  skipVector8(r);
  const suite = r.u16();
  r.u8();
  const retry = random === RETRY ? "(HelloRetryRequest) " : "";
  return { summary: `${retry}${nameOf(cipherSuite, suite) ?? hex16(suite)}; ${describeExtensions(r, true)}` };
}

/** CertificateEntry, RFC 8446 4.4.2; in TLS 1.2 no extensions follow the certificate. */
function describeEntry(r: Reader): Description {
  const { subject, issuer, notAfter } = describeCertificate(readVector(r, r.u24()));
  const summary = `${subject}; issuer ${issuer}; until ${notAfter}`;
  return { summary, details: r.left > 0 ? readStaples(r) : [] };
}

function readStaples(r: Reader): string[] {
  const outer = r.enter16();
  const details: string[] = [];
  while (r.left > 0) {
    const type = r.u16();
    const body = readVector(r, r.u16());
    if (type === extension.status_request) details.push(...describeStatus(new Reader(body)));
  }
  r.leave(outer);
  return details;
}

/** CertificateStatus, RFC 6066 section 8. */
function describeStatus(r: Reader): string[] {
  if (r.u8() !== statusType.ocsp) return ["status of an unknown type"];
  return describeStaple(readVector(r, r.u24()));
}

/** Bytes of an OCSPResponse's length, and of the list's. */
const LENGTH = 3;

/** CertificateStatus of TLS 1.2 comes in parts: its type; of a list the length; each response. RFC 6961 2.2. */
function describeStatusPart(bytes: Buffer): Description {
  if (bytes.length === 1) return { summary: nameOf(statusType, bytes[0]) ?? `type ${bytes[0]}` };
  if (bytes.length > LENGTH) return { details: describeStaple(bytes.subarray(LENGTH)) };
  return { details: bytes.readUIntBE(0, LENGTH) === 0 ? ["no OCSP response"] : [] };
}

/** What an OCSP response claims, one line for each certificate in it. */
function describeStaple(der: Buffer): string[] {
  try {
    const { responseStatus, responses, producedAt } = describeResponse(der);
    if (responses === undefined) return [`OCSP response: ${responseStatus}`];
    return responses.map((single) => `OCSP ${describeSingle(single)}, produced ${producedAt}`);
  } catch {
    return [`OCSP response of ${der.length} bytes, malformed`];
  }
}

function describeSingle(single: SingleInfo): string {
  const { certID, certStatus, revocationTime, revocationReason, thisUpdate, nextUpdate } = single;
  const since = revocationTime ? ` since ${revocationTime}` : "";
  const why = revocationReason ? ` (${revocationReason})` : "";
  const until = nextUpdate ?? "no nextUpdate";
  return `${certStatus}${since}${why}, serial ${certID.serialNumber}, ${thisUpdate} to ${until}`;
}

/** ServerKeyExchange, RFC 8422 5.4: a named curve, the public key, the signature's scheme. */
function describeServerKeyExchange(r: Reader): Description {
  r.u8();
  const group = groupName(r.u16());
  skipVector8(r);
  return { summary: `${group}, ${schemeName(r.u16())}` };
}

function describeExtensions(r: Reader, answer = false): string {
  return readExtensions(r, answer).join("; ") || "no extensions";
}

function readExtensions(r: Reader, answer: boolean): string[] {
  if (r.left === 0) return [];
  const outer = r.enter16();
  const words: string[] = [];
  while (r.left > 0) {
    const type = r.u16();
    words.push(describeExtension(type, new Reader(readVector(r, r.u16())), answer));
  }
  r.leave(outer);
  return words.filter((word) => word !== "");
}

function describeExtension(type: number, r: Reader, answer: boolean): string {
  const name = nameOf(extension, type) ?? hex16(type);
  if (r.left === 0) return name;
  const describe = (answer ? answers[type] : undefined) ?? extensions[type];
  return describe ? describe(r) : name;
}

/** Extensions whose contents are worth reading, as in a ClientHello or EncryptedExtensions. */
const extensions: Readonly<Record<number, (r: Reader) => string>> = {
  [extension.server_name]: (r) => `SNI ${readVector(r, skipAnd16(r, 3)).toString("latin1")}`,
  [extension.supported_versions]: (r) => readList8(r, versionName).join(" "),
  [extension.supported_groups]: (r) => `supported_groups ${readList16(r, groupName).join(" ")}`,
  [extension.signature_algorithms]: (r) => `signature_algorithms ${readList16(r, schemeName).join(" ")}`,
  [extension.application_layer_protocol_negotiation]: (r) => `ALPN ${readNames(r).join(" ")}`,
  [extension.key_share]: (r) => `key_share ${readShares(r).join(" ")}`,
  [extension.record_size_limit]: (r) => `record_size_limit ${r.u16()}`,
  [extension.max_fragment_length]: (r) => `max_fragment_length ${256 << r.u8()}`,
  [extension.ec_point_formats]: () => "",
};

/** Those that look different in a ServerHello. */
const answers: Readonly<Record<number, (r: Reader) => string>> = {
  [extension.supported_versions]: (r) => versionName(r.u16()),
  [extension.key_share]: (r) => `key_share ${groupName(r.u16())}`,
};

// ---- Fields

function skipVector8(r: Reader): void {
  r.skip(r.u8());
}

function skipAnd16(r: Reader, n: number): number {
  r.skip(n);
  return r.u16();
}

function readVector(r: Reader, length: number): Buffer {
  const at = r.skip(length);
  return Buffer.from(r.bytes.subarray(at, at + length));
}

function readList8(r: Reader, name: (id: number) => string): string[] {
  return readRest(r, r.enter8(), name);
}

function readList16(r: Reader, name: (id: number) => string): string[] {
  return readRest(r, r.enter16(), name);
}

function readRest(r: Reader, outer: number, name: (id: number) => string): string[] {
  const names: string[] = [];
  while (r.left > 0) names.push(name(r.u16()));
  r.leave(outer);
  return names;
}

/** ProtocolNameList, RFC 7301 3.1. */
function readNames(r: Reader): string[] {
  const outer = r.enter16();
  const names: string[] = [];
  while (r.left > 0) names.push(readVector(r, r.u8()).toString("latin1"));
  r.leave(outer);
  return names;
}

/** KeyShareClientHello, RFC 8446 4.2.8. */
function readShares(r: Reader): string[] {
  const outer = r.enter16();
  const names: string[] = [];
  while (r.left > 0) {
    names.push(groupName(r.u16()));
    r.skip(r.u16());
  }
  r.leave(outer);
  return names;
}

function versionName(id: number): string {
  return id > 0x300 && id <= 0x304 ? `TLSv1.${id - 0x301}` : hex16(id);
}

function groupName(id: number): string {
  return nameOf(namedGroup, id) ?? hex16(id);
}

function schemeName(id: number): string {
  return nameOf(signatureScheme, id) ?? hex16(id);
}

function hex16(id: number): string {
  return `0x${id.toString(16).padStart(4, "0")}`;
}
