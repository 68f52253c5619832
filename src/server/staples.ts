import { handshakeType, statusType } from "../wire/registry.js";
import type { ServerHandshake } from "./handshake.js";
import { LongMessage, u8, u24 } from "./longmessage.js";
import type { Hello } from "./options.js";

const noBytes = new Uint8Array(0);

/** Which CertificateStatus TLS 1.2 announces: what the client asked for, if there is something to put in it. */
export function announcement(s: ServerHandshake, wanted: Hello["stapling"]): Hello["stapling"] {
  const any = s.chosen.certificates.some((_, i) => s.stapleAt(i) !== undefined);
  const has = wanted === "v2-multi" ? any : s.stapleAt(0) !== undefined;
  return has ? wanted : "off";
}

/** CertificateStatus of TLS 1.2: one response, or in RFC 6961's list one for each certificate, empty where there is none. */
export function statusMessage(s: ServerHandshake): LongMessage {
  if (s.announced !== "v2-multi") {
    const staple = s.stapleAt(0) ?? noBytes;
    return new LongMessage(handshakeType.certificate_status, [
      u8(statusType.ocsp),
      u24(staple.length),
      staple,
    ]);
  }
  const list = s.chosen.certificates.flatMap((_, i) => {
    const staple = s.stapleAt(i) ?? noBytes;
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
