import { cipherSuite, contentType, extensionType, handshakeType, nameOf } from "../../../src/client/index.js";
import { alertName, Reader } from "../../../src/wire/index.js";
import { printable } from "../common/text.js";
import { describeExtensions, readAuthorities } from "./extensions.js";
import {
  type Extension,
  malformed,
  numbered,
  readExtensions,
  readGroup,
  readList8,
  readList16,
  readScheme,
  readVector8,
  readVector16,
} from "./fields.js";
import { type Description, describeItem } from "./items.js";
import { MessageParts } from "./parts.js";
import { readServerHello } from "./server-hello.js";

/** HandshakeType and length, in front of each message. */
const HEADER = 4;

const message = handshakeType;

/**
 * Turns what `onMessage` reports of one connection, client's or server's, into lines for people: an arrow for
 * the direction, → being what this end sent, the message's name, and the fields that matter; certificates and
 * staples decoded. It trusts nothing, and verifies nothing.
 */
export class Trace {
  private readonly print: (line: string) => unknown;
  /** Whether the ServerHello chose TLS 1.3. */
  private tls13 = false;
  private readonly parts = new MessageParts();

  constructor(print: (line: string) => unknown) {
    this.print = print;
  }

  /** To be called as `onMessage`. */
  record(sent: boolean, type: number, bytes: Uint8Array, start: number, end: number): void {
    const body = Buffer.from(bytes.subarray(start, end));
    for (const { summary, details = [] } of this.describe(sent, type, body)) {
      const name = messageName(type).padEnd(20);
      if (summary !== undefined) this.print(printable(`${sent ? "→" : "←"} ${name} ${summary}`.trimEnd()));
      for (const line of details) this.print(printable(`${" ".repeat(23)}${line}`));
    }
  }

  private describe(sent: boolean, type: number, bytes: Buffer): Description[] {
    if (type >> 8 === contentType.handshake) return this.handshake(sent, type & 0xff, bytes);
    if (type >> 8 === contentType.alert) return [{ summary: describeAlert(bytes) }];
    return [{ summary: "" }];
  }

  private handshake(sent: boolean, type: number, bytes: Buffer): Description[] {
    const items = this.parts.take(sent, type, bytes, this.tls13);
    if (items !== undefined) return items.map(describeItem);
    try {
      if (type === message.server_hello) this.tls13 = isTls13(new Reader(bytes, HEADER));
      return [bodies[type]?.(new Reader(bytes, HEADER), this.tls13) ?? { summary: "" }];
    } catch {
      return [{ summary: malformed(bytes) }];
    }
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

/** Alert, RFC 8446 section 6. */
function describeAlert(bytes: Buffer): string {
  if (bytes.length !== 2) return malformed(bytes);
  return `${bytes[0] === 1 ? "warning" : "fatal"} ${alertName(bytes[1])} (${bytes[1]})`;
}

const bodies: Readonly<Record<number, (r: Reader, tls13: boolean) => Description>> = {
  [message.client_hello]: describeClientHello,
  [message.server_hello]: describeServerHello,
  [message.new_session_ticket]: (r, tls13) => (tls13 ? describeTicket13(r) : describeTicket12(r)),
  [message.encrypted_extensions]: (r) => inWords(readExtensions(r)),
  [message.server_key_exchange]: describeServerKeyExchange,
  [message.certificate_request]: (r, tls13) => (tls13 ? describeRequest13(r) : describeRequest12(r)),
  [message.certificate_verify]: (r) => ({ summary: readScheme(r) }),
  [message.key_update]: (r) => ({ summary: r.u8() === 1 ? "update_requested" : "update_not_requested" }),
};

function inWords(extensions: readonly Extension[]): Description {
  const { short, long } = describeExtensions(extensions);
  return { summary: extensions.length > 0 ? short.join("; ") : "no extensions", details: long };
}

/** ClientHello, RFC 8446 4.1.2. */
function describeClientHello(r: Reader): Description {
  r.skip(2 + 32);
  readVector8(r);
  const suites = readList16(r, (each) => numbered(cipherSuite, each.u16()));
  readVector8(r);
  const { short, long } = describeExtensions(readExtensions(r));
  return { summary: short.join("; "), details: [`suites ${suites.join(" ")}`, ...long] };
}

function isTls13(r: Reader): boolean {
  return readServerHello(r).extensions.some(({ type }) => type === extensionType.supported_versions);
}

function describeServerHello(r: Reader): Description {
  const { retry, suite, extensions } = readServerHello(r);
  const words = describeExtensions(extensions, "answer").short.join("; ");
  return { summary: `${retry ? "(HelloRetryRequest) " : ""}${suite}; ${words || "no extensions"}` };
}

/** ServerKeyExchange, RFC 8422 5.4: a named curve, the public key, the signature's scheme. */
function describeServerKeyExchange(r: Reader): Description {
  r.u8();
  const group = readGroup(r);
  readVector8(r);
  return { summary: `${group}, ${readScheme(r)}` };
}

/** ClientCertificateType, RFC 5246 7.4.4 and RFC 8422 5.5. */
const certificateType = Object.freeze({ rsa_sign: 1, dss_sign: 2, ecdsa_sign: 64 });

/** CertificateRequest of TLS 1.2, RFC 5246 7.4.4. */
function describeRequest12(r: Reader): Description {
  const types = readList8(r, (each) => numbered(certificateType, each.u8()));
  const schemes = readList16(r, readScheme);
  const authorities = readAuthorities(r);
  const details = [`signature_algorithms ${schemes.join(" ")}`];
  if (authorities.length > 0) details.push(`certificate_authorities ${authorities.join(" ")}`);
  return { summary: types.join(" "), details };
}

/** CertificateRequest of TLS 1.3, RFC 8446 4.3.2. */
function describeRequest13(r: Reader): Description {
  const context = readVector8(r);
  const { summary, details } = inWords(readExtensions(r));
  const prefix = context.length > 0 ? `context ${context.toString("hex")}; ` : "";
  return { summary: `${prefix}${summary}`, details };
}

/** NewSessionTicket of TLS 1.2, RFC 5077 3.3: a server that changed its mind sends an empty one. */
function describeTicket12(r: Reader): Description {
  const lifetime = r.u32();
  const { length } = readVector16(r);
  return { summary: length > 0 ? `${length} bytes, for ${lifetime} s` : "none" };
}

/** NewSessionTicket of TLS 1.3, RFC 8446 4.6.1. */
function describeTicket13(r: Reader): Description {
  const lifetime = r.u32();
  r.u32();
  readVector8(r);
  const { length } = readVector16(r);
  const { short } = describeExtensions(readExtensions(r));
  return { summary: [`${length} bytes, for ${lifetime} s`, ...short].join("; ") };
}
