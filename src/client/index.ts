/**
 * The TLS client without I/O. Give it bytes from a socket through `cipherIn`, send what `cipherOut` holds,
 * call `work()` while `wants` has WORK, and talk through `plainIn` and `plainOut`.
 */

import { exportKeyingMaterial } from "../handshake/exporter.js";
import type { Staples } from "../handshake/handshake.js";
import { nameConstraints } from "../pki/constraints.js";
import { everything as allTables } from "../pki/everything.js";
import { type Responder, responder as readResponder } from "../pki/ocsp.js";
import { type Path, trustAnchor as readTrustAnchor, type TrustAnchor, type TrustIndex } from "../pki/path.js";
import { rsa } from "../pki/rsa.js";
import { BareClient } from "./client.js";
import { tls12 } from "./client12.js";
import { clientCertificates } from "./clientcertificates.js";
import { type AskStaples, staple, stapling } from "./clientstaples.js";
import { exporting } from "./exporter.js";
import type { Features } from "./feature.js";
import { features } from "./features.js";
import { type ClientConfig, type ClientOptions, configure as configureWith } from "./options.js";
import { resumption } from "./resumption.js";
import { statusV2 } from "./statusv2.js";

export { HybridExchange, type Kem } from "../crypto/hybrid.js";
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
export { findScheme } from "../crypto/schemes.js";
export { findSuite } from "../crypto/suites.js";
export { identify, type TrustedAuthority } from "../handshake/authorities.js";
export type { BufferSizes } from "../handshake/options.js";
export { type CrlPieces, type CrlSource, Crls, type CrlVerdict } from "../pki/crls.js";
export type { OcspOptions, OcspRequirement, Stapling } from "../pki/policy.js";
export { SignatureMemory } from "../pki/remembered.js";
export type { Verdict } from "../pki/verifier.js";
export { type ApartRecord, openedApart, sealedApart } from "../record/apart.js";
export { wants } from "../record/engine.js";
export type { Port } from "../record/ports.js";
export { alertName } from "../wire/alerts.js";
export { TlsError, type Words } from "../wire/error.js";
export { alertOf, type Fault, type FaultName, faultName, faults, isFault } from "../wire/fault.js";
export * from "../wire/registry.js";
export { type Announcement, announcing } from "./authorities.js";
export { BareClient, clientHandshake } from "./client.js";
export type { Resumption } from "./feature.js";
export { features, type Parts } from "./features.js";
export type { ClientHandshake } from "./handshake.js";
export type { ClientConfig, ClientIdentity, ClientOptions } from "./options.js";
export type { Demanded, Session } from "./session.js";
export type { AskStaples, Features, Path, Responder, Staples, TrustAnchor, TrustIndex };
export { clientCertificates, exporting, nameConstraints, resumption, rsa, stapling, statusV2, tls12 };

/** What a device has unless its application leaves something out, or has more. */
export const usual = features({ tls12, statusV2, clientCertificates, resumption, nameConstraints, rsa });

/** All that a client can be made of, but for what `exporting` and `stapling` add. */
export const everything: Features = Object.freeze(Object.assign({}, usual, { pki: allTables }));

/**
 * The trust anchor that a CA's certificate stands for. `der` is kept, not copied: it may be in flash, and must
 * not change. Its dates and its own signature mean nothing, as it is trusted by name and key (RFC 5280 6.1.1
 * (d)), but all limits that it puts on the CA are honoured. Throws CERT_MALFORMED, CERT_KEY,
 * CERT_ALGORITHM_MISMATCH or CERT_CRITICAL_EXTENSION.
 */
export function trustAnchor(der: Uint8Array): TrustAnchor {
  return readTrustAnchor(der, everything.pki);
}

/**
 * The responder that a certificate in DER names. `der` is kept, not copied, and must not change. Only name and
 * key are taken from it, as from a trust anchor: neither its dates nor its signature are looked at. Throws
 * CERT_MALFORMED, CERT_KEY or CERT_ALGORITHM_MISMATCH.
 */
export function responder(der: Uint8Array): Responder {
  return readResponder(der, everything.pki);
}

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

  /** Hands over the staples that who is asked had not at once, none too. Without effect when nothing is awaited: see `stapling`. */
  staple(staples: Staples): void {
    staple(this.handshake, staples);
  }

  /** See `exportKeyingMaterial`; undefined too unless its features are those that `exporting` returns. */
  exportKeyingMaterial(length: number, label: string, context?: Uint8Array): Uint8Array | undefined {
    return exportKeyingMaterial(this.handshake, length, label, context);
  }
}
