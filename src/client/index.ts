/**
 * The TLS client without I/O. Give it bytes from a socket through `cipherIn`, send what `cipherOut` holds,
 * call `work()` while `wants` has WORK, and talk through `plainIn` and `plainOut`.
 */

import { BareClient } from "./client.js";
import { tls12 } from "./client12.js";
import { clientCertificates } from "./clientcertificates.js";
import { features } from "./features.js";
import { type ClientConfig, type ClientOptions, configure as configureWith } from "./options.js";
import { resumption } from "./resumption.js";
import { statusV2 } from "./statusv2.js";

export type {
  Aead,
  AeadAlgorithm,
  Exchange,
  Hash,
  HashAlgorithm,
  Identity,
  KeyKind,
  Provider,
  PublicKey,
  Signature,
  Signer,
  Verification,
} from "../crypto/provider.js";
export { findScheme, findSuite } from "../crypto/suites.js";
export type { BufferSizes } from "../handshake/options.js";
export { type TrustAnchor, trustAnchor } from "../pki/chain.js";
export { type Responder, responder } from "../pki/ocsp.js";
export type { Verdict } from "../pki/verdict.js";
export { wants } from "../record/engine.js";
export type { Port } from "../record/ports.js";
export { type Fault, faults, isFault } from "../wire/fault.js";
export * from "../wire/registry.js";
export { BareClient } from "./client.js";
export type { Features } from "./feature.js";
export { features } from "./features.js";
export {
  type ClientConfig,
  type ClientOptions,
  isV2,
  type OcspOptions,
  type OcspRequirement,
  type Stapling,
} from "./options.js";
export type { Demanded, Session } from "./savedsession.js";
export { clientCertificates, resumption, statusV2, tls12 };

/** All that a client can be made of. */
export const everything = features({ tls12, statusV2, clientCertificates, resumption });

/** The options of a TlsClient with their defaults filled in and checked. Throws RangeError or TypeError for options that can't be. */
export function configure(options: ClientOptions): ClientConfig {
  return configureWith(options, everything);
}

/** One connection's client, made of everything, unless its options say of what. */
export class TlsClient extends BareClient {
  /** As BareClient's. */
  constructor(options: ClientOptions, arena?: Uint8Array) {
    super(options, everything, arena);
  }
}
