/**
 * An OCSP responder: the package's entry `tlstaple/responder`, and what is behind the command of that name.
 *
 * @example
 * const responder = await createResponder({
 *   authorities: [{ issuer: ca, index: "index.txt", signer: { cert, key } }],
 *   validity: 3600,
 * });
 * const server = await listen(responder, { port: 2560 });
 */

export {
  type Metric,
  type MetricSource,
  metricsHandler,
  metricsText,
  type Sample,
} from "../common/metrics.js";
export { ResponderError } from "./error.js";
export {
  createHandler,
  type Exchange,
  type HandlerOptions,
  type ListenOptions,
  listen,
} from "./http.js";
export type { CertificateStatus, IndexListener, Revoked } from "./index-file.js";
export { type Pregenerated, pregenerate } from "./pregenerate.js";
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
