import { Der, type ExtensionRow, readExtensions, tag } from "../pki/der.js";
import { faults, isFault } from "../wire/fault.js";
import { table } from "../wire/table.js";

/** Bytes of request_extensions that are looked at; a nonce has 19 around it. */
const MAX_EXTENSIONS = 1024;
/** RFC 9654 section 2.1. */
const MAX_NONCE = 128;

/**
 * A copy of the nonce in the Extensions of an OCSPStatusRequest (RFC 6066 section 8), `bytes[start…end)`. It is a
 * client's wish: where something is odd about it there is none, and no handshake fails.
 */
export function nonceIn(bytes: Uint8Array, start: number, end: number): Uint8Array | undefined {
  if (start === end || end - start > MAX_EXTENSIONS) return undefined;
  try {
    return readNonce(new Der(faults.DECODE_ERROR, bytes, start, end));
  } catch (fault) {
    if (isFault(fault)) return undefined;
    throw fault;
  }
}

/** What stands beside the nonce is not passed on: if that is critical, the responder must not answer for us. */
function readNonce(der: Der): Uint8Array | undefined {
  const found: Found = { nonce: undefined };
  const unknownCritical = readExtensions(der, rows, found);
  der.finish();
  return unknownCritical ? undefined : found.nonce;
}

interface Found {
  nonce: Uint8Array | undefined;
}

/** id-pkix-ocsp-nonce, RFC 9654 section 2.1: an OCTET STRING of 1 to 128 bytes. */
const rows = table<ExtensionRow<Found>>([
  {
    oid: "\x2b\x06\x01\x05\x05\x07\x30\x01\x02",
    read(der, found) {
      const start = der.value(tag.OCTET_STRING);
      const length = der.at - start;
      if (length >= 1 && length <= MAX_NONCE)
        found.nonce = Uint8Array.from(der.bytes.subarray(start, der.at));
    },
  },
]);
