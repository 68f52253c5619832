/** What a host must lend, a `Provider`, and the suites, schemes and groups that it is asked for. */

export { groups, moreGroups } from "./groups.js";
export { HybridExchange, type Kem } from "./hybrid.js";
export { longShare } from "./longshare.js";
export type {
  Aead,
  AeadAlgorithm,
  Exchange,
  Hash,
  HashAlgorithm,
  Identity,
  KeyKind,
  PrivateKeySpan,
  Provider,
  PublicKey,
  Signature,
  Signer,
  Verification,
} from "./provider.js";
export { findScheme, type Scheme, schemes } from "./schemes.js";
export { findSuite, fitsKey, hashOf, hashSize, keyOf } from "./suites.js";
