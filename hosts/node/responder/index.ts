/** An OCSP responder: as a library, and behind `tlstaple responder`. */

export { ResponderError } from "./error.js";
export {
  createHandler,
  type Exchange,
  type HandlerOptions,
  type ListenOptions,
  listen as listenOcsp,
} from "./http.js";
export type { CertificateStatus, IndexListener, Revoked } from "./index-file.js";
export {
  type AuthorityOptions,
  createResponder,
  type Lookup,
  MAX_VALIDITY,
  type Reply,
  Responder,
  type ResponderCounters,
  type ResponderOptions,
} from "./responder.js";
export type { SignatureDigest, SignerOptions } from "./signer.js";
