/** Strict DER, certificates, paths, names and OCSP: verifying only, and without TLS. */

export { readCurve, readKeyKind } from "./algorithm.js";
export { Certificate } from "./certificate.js";
export { type TrustAnchor, trustAnchor } from "./chain.js";
export { Der, type ExtensionRow, type Oid, readExtensions, tag } from "./der.js";
export { parseIp, parseReference } from "./hostname.js";
export { generalName } from "./name.js";
export {
  type Nonce,
  type OcspPolicy,
  type Responder,
  responder,
  Staple,
  StapleVerifier,
  type Status,
} from "./ocsp.js";
export { Store } from "./store.js";
