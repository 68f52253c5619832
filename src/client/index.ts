/**
 * The TLS client without I/O. Give it bytes from a socket through `cipherIn`, send what `cipherOut` holds,
 * call `work()` while `wants` has WORK, and talk through `plainIn` and `plainOut`.
 */

import { everything } from "../pki/everything.js";
import { type Responder, responder as readResponder } from "../pki/ocsp.js";
import { type Path, trustAnchor as readTrustAnchor, type TrustAnchor } from "../pki/path.js";
import type { Verdict } from "../pki/verifier.js";
import { Endpoint } from "../record/endpoint.js";
import { type ClientOptions, type Config, configure } from "./options.js";
import { ClientSession } from "./session.js";

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
export type { OcspOptions, OcspRequirement, Stapling } from "../pki/policy.js";
export type { Verdict } from "../pki/verifier.js";
export { wants } from "../record/engine.js";
export type { Port } from "../record/ports.js";
export { type Fault, faults, isFault } from "../wire/fault.js";
export * from "../wire/registry.js";
export {
  type BufferSizes,
  type ClientOptions,
  type Config,
  configure,
} from "./options.js";
export { type Demanded, type Resumption, resumption, type Session } from "./resumption.js";
export type { Responder, TrustAnchor };

/**
 * The trust anchor that a CA's certificate stands for. `der` is kept, not copied: it may be in flash, and must
 * not change. Its dates and its own signature mean nothing, as it is trusted by name and key (RFC 5280 6.1.1
 * (d)), but all limits that it puts on the CA are honoured. Throws CERT_MALFORMED, CERT_KEY,
 * CERT_ALGORITHM_MISMATCH or CERT_CRITICAL_EXTENSION.
 */
export function trustAnchor(der: Uint8Array): TrustAnchor {
  return readTrustAnchor(der, everything);
}

/**
 * The responder that a certificate in DER names. `der` is kept, not copied, and must not change. Only name and
 * key are taken from it, as from a trust anchor: neither its dates nor its signature are looked at. Throws
 * CERT_MALFORMED, CERT_KEY or CERT_ALGORITHM_MISMATCH.
 */
export function responder(der: Uint8Array): Responder {
  return readResponder(der, everything);
}

/** One connection's client. */
export class TlsClient extends Endpoint<ClientSession> {
  /**
   * All memory for bytes is taken here, `arena` if given; nothing is allocated for a record or message later.
   * Throws RangeError for options that can't be.
   */
  constructor(options: ClientOptions, arena?: Uint8Array) {
    const config: Config = configure(options);
    const { input, output, store } = config.buffers;
    const needed = input + output + store;
    if (arena && arena.length < needed) throw new RangeError(`tlstaple: the arena needs ${needed} bytes`);
    super(new ClientSession(config, arena ?? new Uint8Array(needed)));
  }

  /** The server resumed the session that was offered: it sent no certificate, and no staple. */
  get resumed(): boolean {
    return this.session.resumed;
  }

  /** The server's certificates, and the path to the anchor once it is found. */
  get path(): Path {
    return this.session.verifier.path;
  }

  /**
   * One verdict for each certificate of the path, the server's first, and for a trust anchor that came with a
   * staple. Empty before the path is found.
   */
  get verdicts(): readonly Verdict[] {
    return this.session.verifier.verdicts(this.session.engine.fault);
  }
}
