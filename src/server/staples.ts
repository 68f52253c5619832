import { extensionType, handshakeType, statusType, version } from "../wire/registry.js";
import type { Hello } from "./options.js";
import { LongMessage, u8, u16, u24 } from "./parts.js";
import type { ServerSession } from "./session.js";

const noBytes = new Uint8Array(0);

/** The staple at hand for our certificate at `index`. */
function stapleOf(s: ServerSession, index: number): Uint8Array | undefined {
  const staple = s.selection?.staples?.[index];
  return staple && staple.length > 0 ? staple : undefined;
}

/** Which CertificateStatus TLS 1.2 announces: what the client asked for, if there is something to put in it. */
export function announcement(s: ServerSession, wanted: Hello["stapling"]): Hello["stapling"] {
  const any = s.identity.certificates.some((_, i) => stapleOf(s, i) !== undefined);
  const has = wanted === "v2-multi" ? any : stapleOf(s, 0) !== undefined;
  return has ? wanted : "off";
}

/** Certificate: RFC 8446 4.4.2, where each entry has extensions, and RFC 5246 7.4.2. */
export function certificateMessage(s: ServerSession): LongMessage {
  const tls13 = s.version === version.tls13;
  const list: Uint8Array[] = [];
  for (const [i, der] of s.identity.certificates.entries()) {
    list.push(u24(der.length), der);
    if (tls13) list.push(...entryExtensions(s, i));
  }
  const head = tls13 ? [u8(0), u24(sizeOf(list))] : [u24(sizeOf(list))];
  return new LongMessage(handshakeType.certificate, [...head, ...list]);
}

/** A staple, if there is one and the client wants it (RFC 8446 4.4.2.1), or an empty list. */
function entryExtensions(s: ServerSession, index: number): Uint8Array[] {
  const staple = s.offer.status ? stapleOf(s, index) : undefined;
  if (staple === undefined) return [u16(0)];
  const status = [u8(statusType.ocsp), u24(staple.length), staple];
  const size = sizeOf(status);
  return [u16(4 + size), u16(extensionType.status_request), u16(size), ...status];
}

/** CertificateStatus of TLS 1.2: one response, or in RFC 6961's list one for each certificate, empty where there is none. */
export function statusMessage(s: ServerSession): LongMessage {
  if (s.announced !== "v2-multi") {
    const staple = stapleOf(s, 0) ?? noBytes;
    return new LongMessage(handshakeType.certificate_status, [
      u8(statusType.ocsp),
      u24(staple.length),
      staple,
    ]);
  }
  const list = s.identity.certificates.flatMap((_, i) => {
    const staple = stapleOf(s, i) ?? noBytes;
    return [u24(staple.length), staple];
  });
  return new LongMessage(handshakeType.certificate_status, [
    u8(statusType.ocsp_multi),
    u24(sizeOf(list)),
    ...list,
  ]);
}

function sizeOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}
