import type { TrustAnchor } from "../pki/path.js";
import type { ServerHandshake } from "./handshake.js";

/** Bytes of names that a CertificateRequest lists at most: it must fit the smallest output buffer. */
const MAX_NAMES = 512;

/**
 * The CAs that a CertificateRequest names, to help a client choose (RFC 8446 4.2.4, RFC 5246 7.4.4). They are a
 * hint; when there are too many, none is named, which means any.
 */
export function authorities(s: ServerHandshake): readonly TrustAnchor[] {
  const { trust } = s.config;
  let length = 0;
  for (const { nameStart, nameEnd } of trust) length += 2 + nameEnd - nameStart;
  return length <= MAX_NAMES ? trust : [];
}
