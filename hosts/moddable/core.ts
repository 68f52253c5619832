/** Module `tlstaple/core`: what every application has, and the client without I/O. */

export type * from "../../src/client/index.js";
export { BareClient, features, wants } from "../../src/client/index.js";
export { responder, trustAnchor } from "../../src/pki/index.js";
export { TlsError } from "../../src/wire/index.js";
