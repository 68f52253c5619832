/** Module `tlstaple/core`: what the device's other modules share, and the client without I/O. */

export type * from "../../src/client/index.js";
export { TlsClient, wants } from "../../src/client/index.js";
export { findScheme, fitsKey, groups, schemes } from "../../src/crypto/index.js";
export { Der, readCurve, readKeyKind, responder, tag, trustAnchor } from "../../src/pki/index.js";
export {
  equalBytes,
  faults,
  isFault,
  namedGroup,
  signatureScheme,
  TlsError,
  version,
} from "../../src/wire/index.js";
