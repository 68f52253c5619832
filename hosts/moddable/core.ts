/** Module `tlstaple/core`: what the device's other modules share, and the client without I/O. */

export type * from "../../src/client/index.js";
export { responder, TlsClient, trustAnchor, wants } from "../../src/client/index.js";
export { findScheme, fitsKey, groups, schemes } from "../../src/crypto/index.js";
export { Der, keyRows, readCurve, readKeyAlgorithm, tag } from "../../src/pki/index.js";
export {
  equalBytes,
  faults,
  isFault,
  namedGroup,
  signatureScheme,
  TlsError,
  version,
} from "../../src/wire/index.js";
