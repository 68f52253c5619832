/** Messages that come in parts: certificates and their status, each item shown as soon as it is there. */

import { extensionType, handshakeType, nameOf, statusType } from "../../../src/client/index.js";
import { Reader } from "../../../src/wire/index.js";
import { describeCertificate } from "../common/describe.js";
import { splitExtensions } from "./extensions.js";
import { describeStaple, malformed, readVector24 } from "./fields.js";

/** What a message, or a part of one, says: a summary, and lines of detail below it or below the last one. */
export interface Description {
  readonly summary?: string;
  readonly details?: readonly string[];
}

/** Reads a message field by field: a number asks for as many bytes, a description is to be shown. */
type Fields<T = void> = Generator<number | Description, T, Buffer>;

const messages: Readonly<Record<number, (tls13: boolean) => Fields>> = {
  [handshakeType.certificate]: certificate,
  [handshakeType.certificate_status]: certificateStatus,
};

/** HandshakeType and length. */
const HEADER = 4;
const nothing = Buffer.alloc(0);

/** A message that may come in parts, cut anywhere. */
export class Parts {
  /** Whether all of it was there. */
  done = false;
  private readonly fields: Fields;
  private next: IteratorResult<number | Description, void>;
  private bytes = nothing;

  /** Undefined for a message that comes whole. */
  static of(type: number, tls13: boolean): Parts | undefined {
    return messages[type] && new Parts(messages[type](tls13));
  }

  private constructor(fields: Fields) {
    this.fields = fields;
    this.next = fields.next();
  }

  /** What is complete with these bytes. */
  take(bytes: Buffer): Description[] {
    this.bytes = Buffer.concat([this.bytes, bytes]);
    const shown: Description[] = [];
    while (!this.next.done && this.step(this.next.value, shown));
    this.done = this.next.done === true;
    if (this.done && this.bytes.length > 0) shown.push({ details: [malformed(this.bytes)] });
    return shown;
  }

  private step(value: number | Description, shown: Description[]): boolean {
    if (typeof value !== "number") shown.push(value);
    const wanted = typeof value === "number" ? value : 0;
    if (this.bytes.length < wanted) return false;
    const field = this.bytes.subarray(0, wanted);
    this.bytes = this.bytes.subarray(wanted);
    this.next = this.fields.next(field);
    return true;
  }
}

/** The first part without the message's header, which is there unless the engine has consumed it already. */
export function withoutHeader(type: number, bytes: Buffer): Buffer {
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
  if (left === 0) yield { summary: "empty" };
  while (left > 0) {
    const der = yield* vector(3);
    const extensions = tls13 ? yield* vector(2) : undefined;
    left -= 3 + der.length + (extensions ? 2 + extensions.length : 0);
    yield { summary: describeSubject(der), details: extensions && stapledIn(extensions) };
  }
}

function describeSubject(der: Buffer): string {
  try {
    const { subject, issuer, notAfter } = describeCertificate(der);
    return `${subject}; issuer ${issuer}; until ${notAfter}`;
  } catch {
    return malformed(der);
  }
}

/** The staples among a certificate's extensions. */
function stapledIn(block: Buffer): string[] {
  try {
    const extensions = splitExtensions(block);
    const staples = extensions.filter(({ type }) => type === extensionType.status_request);
    return staples.flatMap(({ data }) => describeStatus(new Reader(data)));
  } catch {
    return [`extensions ${malformed(block)}`];
  }
}

/** CertificateStatus in an extension, RFC 8446 4.4.2.1: of type ocsp. */
function describeStatus(r: Reader): string[] {
  const type = r.u8();
  return type === statusType.ocsp ? describeStaple(readVector24(r)) : [`status of type ${type}`];
}

/** CertificateStatus, RFC 6066 section 8 and RFC 6961 2.2. */
function* certificateStatus(): Fields {
  const [type] = yield 1;
  yield { summary: nameOf(statusType, type) ?? `type ${type}` };
  if (type === statusType.ocsp) yield { details: describeStaple(yield* vector(3)) };
  if (type === statusType.ocsp_multi) yield* responseList();
}

/** OCSPResponseList, RFC 6961 2.2: in the order of the certificates; an empty one stands for none. */
function* responseList(): Fields {
  let left = (yield 3).readUIntBE(0, 3);
  for (let i = 0; left > 0; i++) {
    const der = yield* vector(3);
    left -= 3 + der.length;
    const [first, ...rest] = der.length > 0 ? describeStaple(der) : ["none"];
    yield { details: [`${i}: ${first}`, ...rest.map((line) => `   ${line}`)] };
  }
}
