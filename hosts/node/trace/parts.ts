/** Messages that come in parts, taken apart: certificates and their status, each item as soon as it is there. */

import { extensionType, handshakeType, statusType } from "../../../src/client/index.js";
import { Reader } from "../../../src/wire/index.js";
import { readVector24, splitExtensions } from "./fields.js";

/** What such a message brings. */
export type Item =
  /** A certificate, and in TLS 1.3 its entry's extensions. */
  | { readonly kind: "certificate"; readonly der: Buffer; readonly extensions?: Buffer }
  /** A list of certificates with none in it. */
  | { readonly kind: "nobody" }
  /** A CertificateStatus of this type begins. */
  | { readonly kind: "status"; readonly type: number }
  /** An OCSP response, empty for none; in a list for the certificate at `index`, else for the first. */
  | { readonly kind: "response"; readonly der: Buffer; readonly index?: number }
  /** What has no place in it. */
  | { readonly kind: "surplus"; readonly bytes: Buffer };

/** Reads a message field by field: a number asks for as many bytes, an item is there. */
type Fields<T = void> = Generator<number | Item, T, Buffer>;

const messages: Readonly<Record<number, (tls13: boolean) => Fields>> = {
  [handshakeType.certificate]: certificate,
  [handshakeType.certificate_status]: certificateStatus,
};

/** HandshakeType and length. */
const HEADER = 4;
const nothing = Buffer.alloc(0);

/** The messages of one connection that come in parts. */
export class MessageParts {
  /** The one that is in progress. */
  private open: { readonly sent: boolean; readonly type: number; readonly parts: Parts } | undefined;

  /** What is complete with these bytes of a handshake message, or of a part of one; undefined where it comes whole. */
  take(sent: boolean, type: number, bytes: Buffer, tls13: boolean): Item[] | undefined {
    if (this.open?.type === type && this.open.sent === sent) return this.feed(this.open.parts, bytes);
    const fields = messages[type];
    if (fields === undefined) return undefined;
    const parts = new Parts(fields(tls13));
    this.open = { sent, type, parts };
    return this.feed(parts, withoutHeader(type, bytes));
  }

  private feed(parts: Parts, bytes: Buffer): Item[] {
    const items = parts.take(bytes);
    if (parts.done) this.open = undefined;
    return items;
  }
}

/** A message that may come in parts, cut anywhere. */
class Parts {
  /** Whether all of it was there. */
  done = false;
  private readonly fields: Fields;
  private next: IteratorResult<number | Item, void>;
  private bytes = nothing;

  constructor(fields: Fields) {
    this.fields = fields;
    this.next = fields.next();
  }

  /** What is complete with these bytes. */
  take(bytes: Buffer): Item[] {
    this.bytes = Buffer.concat([this.bytes, bytes]);
    const items: Item[] = [];
    while (!this.next.done && this.step(this.next.value, items));
    this.done = this.next.done === true;
    if (this.done && this.bytes.length > 0) items.push({ kind: "surplus", bytes: this.bytes });
    return items;
  }

  private step(value: number | Item, items: Item[]): boolean {
    if (typeof value !== "number") items.push(value);
    const wanted = typeof value === "number" ? value : 0;
    if (this.bytes.length < wanted) return false;
    const field = this.bytes.subarray(0, wanted);
    this.bytes = this.bytes.subarray(wanted);
    this.next = this.fields.next(field);
    return true;
  }
}

/** The first part without the message's header, which is there unless the engine has consumed it already. */
function withoutHeader(type: number, bytes: Buffer): Buffer {
  const isHeader =
    bytes.length >= HEADER && bytes[0] === type && bytes.length - HEADER <= bytes.readUIntBE(1, 3);
  return isHeader ? bytes.subarray(HEADER) : bytes;
}

function* vector(bytesOfLength: 1 | 2 | 3): Fields<Buffer> {
  const length = yield bytesOfLength;
  return yield length.readUIntBE(0, bytesOfLength);
}

/** Certificate, RFC 8446 4.4.2; in TLS 1.2 (RFC 5246 7.4.2) without context and extensions. */
function* certificate(tls13: boolean): Fields {
  if (tls13) yield* vector(1);
  let left = (yield 3).readUIntBE(0, 3);
  if (left === 0) yield { kind: "nobody" };
  while (left > 0) {
    const der = yield* vector(3);
    const extensions = tls13 ? yield* vector(2) : undefined;
    left -= 3 + der.length + (extensions ? 2 + extensions.length : 0);
    yield { kind: "certificate", der, extensions };
  }
}

/** CertificateStatus, RFC 6066 section 8 and RFC 6961 2.2. */
function* certificateStatus(): Fields {
  const [type] = yield 1;
  yield { kind: "status", type };
  if (type === statusType.ocsp) yield { kind: "response", der: yield* vector(3) };
  if (type === statusType.ocsp_multi) yield* responseList();
}

/** OCSPResponseList, RFC 6961 2.2: in the order of the certificates; an empty one stands for none. */
function* responseList(): Fields {
  let left = (yield 3).readUIntBE(0, 3);
  for (let index = 0; left > 0; index++) {
    const der = yield* vector(3);
    left -= 3 + der.length;
    yield { kind: "response", der, index };
  }
}

/** A CertificateStatus as the extension of a CertificateEntry, RFC 8446 4.4.2.1; `der` where it is of type ocsp. */
export interface StatusExtension {
  readonly type: number;
  readonly der?: Buffer;
}

/** Those in a block of extensions. @throws DECODE_ERROR */
export function readStatuses(block: Buffer): StatusExtension[] {
  const extensions = splitExtensions(block).filter(({ type }) => type === extensionType.status_request);
  return extensions.map(({ data }) => {
    const r = new Reader(data);
    const type = r.u8();
    return type === statusType.ocsp ? { type, der: readVector24(r) } : { type };
  });
}
