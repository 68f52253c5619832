import type { Verification } from "../crypto/provider.js";
import { fitsKey } from "../crypto/suites.js";
import { faults } from "../wire/fault.js";
import type { Reader } from "../wire/reader.js";
import type { Handshake } from "./handshake.js";

/** Reads the scheme of the peer's signature: it must have been offered, and fit the key of its certificate. */
export function readScheme(s: Handshake, r: Reader): number {
  const scheme = r.u16();
  const { key } = s.verifier.leaf;
  if (!s.config.schemes.includes(scheme) || !fitsKey(scheme, key.kind)) throw faults.SIGNATURE_SCHEME;
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
  // A provider that answers with a promise has not verified anything
  if (verified !== true) throw faults.HANDSHAKE_SIGNATURE;
}
