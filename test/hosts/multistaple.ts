import { contentType, extensionType as ext, handshakeType } from "../../src/wire/registry.js";
import { concat, u8, u16, vec8, vec16, vec24 } from "../peers/bytes.js";
import { certificate12, extension, extensionBlock, message, serverHello } from "../peers/messages.js";

/** Flights of a TLS 1.2 handshake with RFC 6961's extension, written by hand: no peer at hand sends all of it. */

const suite = 0xc02b;

/** One handshake message, or several, in a record. */
function record(...messages: Buffer[]): Buffer {
  return concat(u8(contentType.handshake), u16(0x0303), vec16(...messages));
}

/** CertificateStatusRequestItemV2, RFC 6961 2.2: without responders, with or without extensions. */
export function statusItem(type: number, extensions: Buffer = Buffer.alloc(0)): Buffer {
  return concat(u8(type), vec16(vec16(), vec16(extensions)));
}

/** A ClientHello with status_request_v2 alone, of those types of status. */
export function hello12(...types: number[]): Buffer {
  const list = vec16(...types.map((type) => statusItem(type)));
  const extensions = extensionBlock([extension(ext.status_request_v2, list)]);
  const fixed = concat(u16(0x0303), Buffer.alloc(32, 1), vec8(), vec16(u16(suite)), vec8(u8(0)));
  return record(message(handshakeType.client_hello, fixed, extensions));
}

/** CertificateStatus of type ocsp_multi, RFC 6961 2.2; an empty response stands for none. */
export function certificateStatusMulti(responses: readonly Buffer[]): Buffer {
  return concat(u8(2), vec24(...responses.map((der) => vec24(der))));
}

/** The server's flight up to its CertificateStatus; without responses it sends none. */
export function multiStatus(chain: Buffer[], responses: readonly Buffer[]): Buffer {
  const hello = {
    legacyVersion: 0x0303,
    random: Buffer.alloc(32, 2),
    sessionId: u8(7),
    suite,
    compression: 0,
  };
  const status = message(handshakeType.certificate_status, certificateStatusMulti(responses));
  const messages = [serverHello(hello, [extension(ext.status_request_v2)]), certificate12(chain)];
  return record(...messages, ...(responses.length > 0 ? [status] : []));
}
