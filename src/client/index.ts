/**
 * The TLS client without I/O. Give it bytes from a socket through `cipherIn`, send what `cipherOut` holds,
 * call `work()` while `wants` has WORK, and talk through `plainIn` and `plainOut`.
 */

import type { Path } from "../pki/chain.js";
import { type Verdict, verdictOn } from "../pki/verdict.js";
import { Endpoint } from "../record/endpoint.js";
import { stapleAt } from "./authenticate.js";
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
export { type TrustAnchor, trustAnchor } from "../pki/chain.js";
export { type Responder, responder } from "../pki/ocsp.js";
export type { Verdict } from "../pki/verdict.js";
export { wants } from "../record/engine.js";
export type { Port } from "../record/ports.js";
export { namedAlert, TlsError, type Words } from "../wire/error.js";
export { alertOf, type Fault, type FaultName, faultName, faults, isFault } from "../wire/fault.js";
export * from "../wire/registry.js";
export {
  type BufferSizes,
  type ClientOptions,
  type Config,
  configure,
  isV2,
  type OcspOptions,
  type OcspRequirement,
  type Stapling,
} from "./options.js";
export { type Demanded, type Resumption, resumption, type Session } from "./resumption.js";

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
    return this.session.path;
  }

  /**
   * One verdict for each certificate of the path, the server's first, and for a trust anchor that came with a
   * staple. Empty before the path is found.
   */
  get verdicts(): readonly Verdict[] {
    const { path, pathFound, stapleIndex, engine } = this.session;
    const verdicts: Verdict[] = [];
    for (let i = 0; pathFound && i < path.lengthWithAnchor; i++) {
      const staple = stapleAt(this.session, i);
      if (i < path.length || staple.present) verdicts.push(verdictOn(staple, i, stapleIndex, engine.fault));
    }
    return verdicts;
  }
}
