import { createHash } from "node:crypto";
import { extensionType as ext, handshakeType, namedGroup, statusType } from "../../src/wire/registry.js";
import { Cursor, concat, none, u8, u16, u16List, u32, vec8, vec16, vec24 } from "./bytes.js";

/** Handshake messages: the server's are built here, the client's are parsed strictly. */

export interface Extension {
  type: number;
  data: Buffer;
}

export interface KeyShare {
  group: number;
  share: Buffer;
}

export interface ClientHello {
  message: Buffer;
  legacyVersion: number;
  random: Buffer;
  sessionId: Buffer;
  suites: number[];
  extensions: Extension[];
  /** What the extensions say; absent when not offered. */
  serverName?: string;
  versions: number[];
  groups: number[];
  shares: KeyShare[];
  schemes: number[];
  certificateSchemes?: number[];
  alpn?: string[];
  cookie?: Buffer;
  recordSizeLimit?: number;
  /** Bytes, decoded from the code. */
  maxFragmentLength?: number;
  status: boolean;
  statusNonce?: Buffer;
  /** The CertificateStatusType in status_request_v2. */
  statusV2?: number;
  ems: boolean;
  renegotiationInfo: boolean;
}

/** A handshake message: type and u24 length before the body. */
export function message(type: number, ...body: Uint8Array[]): Buffer {
  return concat(u8(type), vec24(...body));
}

export function bodyOf(message: Buffer): Buffer {
  return message.subarray(4);
}

export function extension(type: number, ...data: Uint8Array[]): Extension {
  return { type, data: concat(...data) };
}

export function extensionBlock(list: Extension[]): Buffer {
  return vec16(...list.map(({ type, data }) => concat(u16(type), vec16(data))));
}

/** Throws, which fails the test, when the client broke the rule. */
export function demand(condition: boolean, rule: string): asserts condition {
  if (!condition) throw new Error(`the client breaks a rule: ${rule}`);
}

/** Parses an extension block; RFC 8446 4.2 forbids the same type twice. */
export function parseExtensions(block: Buffer, what: string): Extension[] {
  const cursor = new Cursor(block, what);
  const list: Extension[] = [];
  while (cursor.left > 0) list.push({ type: cursor.u16(), data: cursor.vec16() });
  demand(new Set(list.map(({ type }) => type)).size === list.length, `${what}: no duplicate extension`);
  return list;
}

// ClientHello, RFC 8446 4.1.2

export function parseClientHello(bytes: Buffer): ClientHello {
  const cursor = new Cursor(bodyOf(bytes), "ClientHello");
  const hello: ClientHello = {
    message: bytes,
    legacyVersion: cursor.u16(),
    random: cursor.take(32),
    sessionId: cursor.vec8(),
    suites: u16List(cursor.vec16(), "cipher_suites"),
    extensions: [],
    versions: [],
    groups: [],
    shares: [],
    schemes: [],
    status: false,
    ems: false,
    renegotiationInfo: false,
  };
  demand(cursor.vec8().equals(u8(0)), "legacy_compression_methods is the null method alone");
  hello.extensions = parseExtensions(cursor.vec16(), "ClientHello");
  cursor.end();
  for (const { type, data } of hello.extensions)
    readExtension(hello, type, new Cursor(data, `extension ${type}`));
  checkHello(hello);
  return hello;
}

/** One row per extension that a client may send; a type without a row is ignored, as a server must. */
const readers: Readonly<Record<number, (hello: ClientHello, cursor: Cursor) => void>> = {
  [ext.server_name]: (hello, cursor) => {
    const list = new Cursor(cursor.vec16(), "server_name");
    demand(list.u8() === 0, "server_name holds a host_name");
    hello.serverName = list.vec16().toString("latin1");
    list.end();
  },
  [ext.max_fragment_length]: (hello, cursor) => {
    const code = cursor.u8();
    demand(code >= 1 && code <= 4, "max_fragment_length is 1 to 4");
    hello.maxFragmentLength = 2 ** (8 + code);
  },
  [ext.status_request]: (hello, cursor) => {
    demand(cursor.u8() === 1, "status_request is of type ocsp");
    hello.status = true;
    cursor.vec16();
    hello.statusNonce = readNonce(cursor.vec16());
  },
  [ext.status_request_v2]: (hello, cursor) => {
    const item = new Cursor(cursor.vec16(), "status_request_v2");
    hello.statusV2 = item.u8();
    demand(hello.statusV2 === 1 || hello.statusV2 === 2, "the item is of type ocsp or ocsp_multi");
    const request = new Cursor(item.vec16(), "OCSPStatusRequest");
    item.end();
    request.vec16();
    hello.statusNonce = readNonce(request.vec16());
    request.end();
  },
  [ext.supported_groups]: (hello, cursor) => {
    hello.groups = u16List(cursor.vec16(), "supported_groups");
  },
  [ext.ec_point_formats]: (_, cursor) => {
    demand(cursor.vec8().includes(0), "ec_point_formats holds uncompressed");
  },
  [ext.signature_algorithms]: (hello, cursor) => {
    hello.schemes = u16List(cursor.vec16(), "signature_algorithms");
  },
  [ext.application_layer_protocol_negotiation]: (hello, cursor) => {
    const list = new Cursor(cursor.vec16(), "ALPN");
    hello.alpn = [];
    while (list.left > 0) hello.alpn.push(list.vec8().toString("latin1"));
    demand(hello.alpn.length > 0 && !hello.alpn.includes(""), "ALPN lists non-empty names");
  },
  [ext.extended_master_secret]: (hello) => {
    hello.ems = true;
  },
  [ext.record_size_limit]: (hello, cursor) => {
    hello.recordSizeLimit = cursor.u16();
    demand(hello.recordSizeLimit >= 64, "record_size_limit is 64 or more");
    demand(hello.recordSizeLimit <= 2 ** 14 + 1, "record_size_limit is 2^14+1 or less");
  },
  [ext.supported_versions]: (hello, cursor) => {
    hello.versions = u16List(cursor.vec8(), "supported_versions");
  },
  [ext.cookie]: (hello, cursor) => {
    hello.cookie = cursor.vec16();
    demand(hello.cookie.length > 0, "the cookie is not empty");
  },
  [ext.signature_algorithms_cert]: (hello, cursor) => {
    hello.certificateSchemes = u16List(cursor.vec16(), "signature_algorithms_cert");
  },
  [ext.key_share]: (hello, cursor) => {
    const list = new Cursor(cursor.vec16(), "key_share");
    while (list.left > 0) hello.shares.push({ group: list.u16(), share: list.vec16() });
  },
  [ext.renegotiation_info]: (hello, cursor) => {
    demand(cursor.vec8().length === 0, "renegotiation_info is empty in a first handshake");
    hello.renegotiationInfo = true;
  },
};

function readExtension(hello: ClientHello, type: number, cursor: Cursor): void {
  const read = readers[type];
  if (!read) return;
  read(hello, cursor);
  cursor.end();
}

/** id-pkix-ocsp-nonce, 1.3.6.1.5.5.7.48.1.2, up to the contents of the OCTET STRING in the OCTET STRING. */
const nonceOid = Buffer.from("06092b0601050507300102", "hex");

/** The nonce in the Extensions of a status request; they hold nothing else here. */
function readNonce(extensions: Buffer): Buffer | undefined {
  const at = extensions.indexOf(nonceOid);
  if (at < 0) return undefined;
  const value = new Cursor(extensions.subarray(at + nonceOid.length), "OCSP nonce");
  demand(value.u8() === 0x04, "extnValue is an OCTET STRING");
  const inner = new Cursor(value.vec8(), "OCSP nonce");
  value.end();
  demand(inner.u8() === 0x04, "the nonce is an OCTET STRING");
  return inner.vec8();
}

function checkHello(hello: ClientHello): void {
  demand(hello.legacyVersion === 0x0303, "legacy_version is 0x0303");
  demand(hello.sessionId.length <= 32, "legacy_session_id has at most 32 bytes");
  demand(hello.suites.length > 0, "cipher_suites is not empty");
  demand(unique(hello.suites), "no cipher suite twice");
  demand(unique(hello.groups), "no group twice");
  demand(unique(hello.schemes), "no signature scheme twice");
  demand(hello.schemes.length > 0, "signature_algorithms is there");
  demand(hello.groups.length > 0, "supported_groups is there");
  checkServerName(hello.serverName);
  if (hello.versions.includes(0x0304)) checkHello13(hello);
}

/** RFC 6066 section 3: an ASCII host name without trailing dot, no IP address. */
function checkServerName(name: string | undefined): void {
  if (name === undefined) return;
  demand(/^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/i.test(name), "server_name is a DNS name");
  demand(!/^[0-9.]+$/.test(name), "server_name is not an IP address");
}

const shareLength: Readonly<Record<number, number>> = {
  [namedGroup.secp256r1]: 65,
  [namedGroup.secp384r1]: 97,
  [namedGroup.x25519]: 32,
};

/** RFC 8446 4.2.8: shares are for offered groups, in their order, at most one each. */
function checkHello13(hello: ClientHello): void {
  const shared = hello.shares.map(({ group }) => group);
  demand(
    hello.extensions.some(({ type }) => type === ext.key_share),
    "key_share is there",
  );
  const inOrder = hello.groups.filter((group) => shared.includes(group));
  demand(inOrder.join() === shared.join(), "key shares follow supported_groups");
  for (const { group, share } of hello.shares) {
    const length = shareLength[group];
    demand(length === undefined || share.length === length, "a key share has its group's length");
  }
}

function unique(list: number[]): boolean {
  return new Set(list).size === list.length;
}

/** RFC 8446 4.1.2: what a client may change in the ClientHello that answers a HelloRetryRequest. */
export function checkSecondHello(first: ClientHello, second: ClientHello): void {
  const changing: number[] = [ext.key_share, ext.cookie];
  const fixed = (hello: ClientHello) => ({
    random: hello.random.toString("hex"),
    sessionId: hello.sessionId.toString("hex"),
    suites: hello.suites,
    extensions: hello.extensions
      .filter(({ type }) => !changing.includes(type))
      .map(({ type, data }) => `${type}: ${data.toString("hex")}`),
  });
  demand(
    JSON.stringify(fixed(first)) === JSON.stringify(fixed(second)),
    "the second ClientHello is the first one but for key_share and cookie",
  );
}

// ServerHello, RFC 8446 4.1.3 and RFC 5246 7.4.1.3

export interface ServerHello {
  legacyVersion: number;
  random: Buffer;
  sessionId: Buffer;
  suite: number;
  compression: number;
}

export function serverHello(hello: ServerHello, extensions: Extension[]): Buffer {
  return message(
    handshakeType.server_hello,
    u16(hello.legacyVersion),
    hello.random,
    vec8(hello.sessionId),
    u16(hello.suite),
    u8(hello.compression),
    extensions.length > 0 ? extensionBlock(extensions) : none,
  );
}

/** The random that makes a ServerHello a HelloRetryRequest, RFC 8446 4.1.3. */
export const retryRandom = createHash("sha256").update("HelloRetryRequest").digest();

/** The last bytes of a random that betray a downgrade from TLS 1.3 to 1.2, and from 1.2 to 1.1. */
export const sentinel = { to12: Buffer.from("DOWNGRD\x01"), to11: Buffer.from("DOWNGRD\x00") };

// Certificate, RFC 8446 4.4.2 and RFC 5246 7.4.2

/** CertificateStatus's contents, RFC 6066 section 8. */
export function certificateStatus(response: Buffer): Buffer {
  return concat(u8(1), vec24(response));
}

/** CertificateStatus with an OCSPResponseList, RFC 6961 2.2. */
export function certificateStatusMulti(responses: readonly (Buffer | undefined)[]): Buffer {
  return concat(u8(2), vec24(...responses.map((response) => vec24(response ?? Buffer.alloc(0)))));
}

export function certificate13(chain: Buffer[], extensions: (index: number) => Extension[]): Buffer {
  const entries = chain.map((der, i) => concat(vec24(der), extensionBlock(extensions(i))));
  return message(handshakeType.certificate, vec8(), vec24(...entries));
}

export function certificate12(chain: Buffer[]): Buffer {
  return message(handshakeType.certificate, vec24(...chain.map((der) => vec24(der))));
}

/** The client's chain, and the staples of those certificates that have one, which may only be there if they were asked for. */
export function parseCertificate13(
  bytes: Buffer,
  context: Buffer,
  stapled: boolean,
): { chain: Buffer[]; staples: (Buffer | undefined)[] } {
  const cursor = new Cursor(bodyOf(bytes), "Certificate");
  demand(cursor.vec8().equals(context), "certificate_request_context is echoed");
  const list = new Cursor(cursor.vec24(), "certificate_list");
  cursor.end();
  const chain: Buffer[] = [];
  const staples: (Buffer | undefined)[] = [];
  while (list.left > 0) {
    chain.push(list.vec24());
    const found = parseExtensions(list.vec16(), "CertificateEntry");
    const asked = found.every(({ type }) => stapled && type === ext.status_request);
    demand(asked, "no extension that was not asked for in the Certificate");
    staples.push(found.length > 0 ? parseCertificateStatus(found[0].data) : undefined);
  }
  return { chain, staples };
}

/** CertificateStatus, RFC 6066 section 8. */
function parseCertificateStatus(data: Buffer): Buffer {
  const cursor = new Cursor(data, "CertificateStatus");
  demand(cursor.u8() === statusType.ocsp, "the status_type of CertificateStatus is ocsp");
  const response = cursor.vec24();
  cursor.end();
  demand(response.length > 0, "an OCSPResponse is not empty");
  return response;
}

export function parseCertificate12(bytes: Buffer): Buffer[] {
  const cursor = new Cursor(bodyOf(bytes), "Certificate");
  const list = new Cursor(cursor.vec24(), "certificate_list");
  cursor.end();
  const chain: Buffer[] = [];
  while (list.left > 0) chain.push(list.vec24());
  return chain;
}

/** CertificateVerify and the end of ServerKeyExchange: scheme and signature. */
export function signed(scheme: number, signature: Buffer): Buffer {
  return concat(u16(scheme), vec16(signature));
}

export function parseSigned(bytes: Buffer): { scheme: number; signature: Buffer } {
  const cursor = new Cursor(bodyOf(bytes), "CertificateVerify");
  const parsed = { scheme: cursor.u16(), signature: cursor.vec16() };
  cursor.end();
  return parsed;
}

/** What CertificateVerify signs in TLS 1.3, RFC 8446 4.4.3. */
export function verifyInput(context: string, transcriptHash: Buffer): Buffer {
  return concat(Buffer.alloc(64, 0x20), Buffer.from(context), u8(0), transcriptHash);
}

// CertificateRequest, RFC 8446 4.3.2 and RFC 5246 7.4.4

export function certificateRequest13(context: Buffer, extensions: Extension[]): Buffer {
  return message(handshakeType.certificate_request, vec8(context), extensionBlock(extensions));
}

/** `authorities` are the DER names of the CAs that the server takes. */
export function certificateRequest12(schemes: number[], authorities: Buffer[]): Buffer {
  const ecdsaAndRsa = Buffer.from([64, 1]);
  return message(
    handshakeType.certificate_request,
    vec8(ecdsaAndRsa),
    vec16(...schemes.map(u16)),
    vec16(...authorities.map((name) => vec16(name))),
  );
}

// ServerKeyExchange and ClientKeyExchange, RFC 8422 5.4 and 5.7

export function ecdhParams(group: number, share: Buffer): Buffer {
  return concat(u8(3), u16(group), vec8(share));
}

export function parseClientKeyExchange(bytes: Buffer): Buffer {
  const cursor = new Cursor(bodyOf(bytes), "ClientKeyExchange");
  const share = cursor.vec8();
  cursor.end();
  return share;
}

// NewSessionTicket, RFC 8446 4.6.1 and RFC 5077 3.3; KeyUpdate, RFC 8446 4.6.3

export function newSessionTicket13(ticket: Buffer, lifetime = 3600, extensions: Extension[] = []): Buffer {
  return message(
    handshakeType.new_session_ticket,
    u32(lifetime),
    u32(0),
    vec8(u8(0)),
    vec16(ticket),
    extensionBlock(extensions),
  );
}

export function newSessionTicket12(ticket: Buffer, lifetime = 3600): Buffer {
  return message(handshakeType.new_session_ticket, u32(lifetime), vec16(ticket));
}

export function keyUpdate(requested: boolean): Buffer {
  return message(handshakeType.key_update, u8(requested ? 1 : 0));
}
