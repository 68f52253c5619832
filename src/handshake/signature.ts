import type { Verification } from "../crypto/provider.js";
import { findScheme, fitsKey, type Scheme } from "../crypto/suites.js";
import { faults } from "../wire/fault.js";
import type { Reader } from "../wire/reader.js";
import type { Handshake } from "./handshake.js";

/** A scheme of the peer's: it must have been offered, and fit the key of its certificate. */
export function checkScheme(s: Handshake, id: number): Scheme {
  const scheme = s.config.schemes.includes(id) ? findScheme(id) : undefined;
  if (scheme === undefined || !fitsKey(scheme, s.verifier.leaf.key.kind)) throw faults.SIGNATURE_SCHEME;
  return scheme;
}

/** Notes where the peer's signature lies, for the step that verifies it: all that it covers is known. */
export function readSignature(s: Handshake, r: Reader, verification: Verification): void {
  verification.end();
  s.verification = verification;
  s.signatureStart = r.skip(r.u16());
  s.signatureEnd = r.at;
}

/** Verifies the handshake signature by the key of the peer's certificate. */
export function settleVerification(s: Handshake): void {
  const { bytes } = s.engine.inbox;
  const verified = s.verification!.settle(s.verifier.leaf.key, bytes, s.signatureStart, s.signatureEnd);
  s.verification = undefined;
  if (!verified) throw faults.HANDSHAKE_SIGNATURE;
}
