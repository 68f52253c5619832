/** Strict DER, certificates, paths, names and OCSP: verifying only, and without TLS. */

export { keyRows, readCurve, readKeyAlgorithm } from "./algorithm.js";
export { acceptAnyName } from "./anyname.js";
export {
  Certificate,
  extendedKeyUsage,
  type PkiFeature,
  type PkiOptions,
  type PkiTables,
  type Remembered,
} from "./certificate.js";
export { nameConstraints } from "./constraints.js";
export { CrlReader, withCrlExtensions } from "./crl.js";
export { type CrlPieces, type CrlSource, Crls, type CrlVerdict } from "./crls.js";
export { Der, type ExtensionRow, type Oid, readExtensions, tag } from "./der.js";
export { everything } from "./everything.js";
export { parseIp, parseReference } from "./hostname.js";
export { generalName } from "./name.js";
export { type Responder, responder, Staple, type Status } from "./ocsp.js";
export { isP521, withP521 } from "./p521.js";
export { type TrustAnchor, type TrustIndex, trustAnchor } from "./path.js";
export {
  isV2,
  type Nonce,
  nonces,
  type OcspPolicy,
  type OcspRequirement,
  requirements,
  requires,
  type Stapling,
  serverStaplings,
  staplings,
} from "./policy.js";
export { SignatureMemory } from "./remembered.js";
export { rsa } from "./rsa.js";
export { Store } from "./store.js";
export { pkiTables, withFeature } from "./tables.js";
export { answers, type Judgment, judge, type Revocation, type Verdict, Verifier } from "./verifier.js";
