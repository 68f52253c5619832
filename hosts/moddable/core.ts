/** Module `tlstaple/core`: what the device's other modules share, and the client without I/O. */

export type * from "../../src/client/index.js";
export { TlsClient, wants } from "../../src/client/index.js";
export { findScheme, fitsKey, groups, schemes } from "../../src/crypto/suites.js";
export { readCurve, readKeyKind } from "../../src/pki/algorithm.js";
export { trustAnchor } from "../../src/pki/chain.js";
export { Der, tag } from "../../src/pki/der.js";
export { responder } from "../../src/pki/ocsp.js";
export { TlsError } from "../../src/wire/error.js";
export { faults, isFault } from "../../src/wire/fault.js";
export { namedGroup, signatureScheme, version } from "../../src/wire/registry.js";
export { equalBytes } from "../../src/wire/writer.js";
