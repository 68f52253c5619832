import type { Signature, Verification } from "../crypto/provider.js";
import { findScheme, fitsKey } from "../crypto/suites.js";
import { faults } from "../wire/fault.js";
import type { Reader } from "../wire/reader.js";
import { handshakeType } from "../wire/registry.js";
import { at } from "./memory.js";
import type { ClientSession } from "./session.js";

/** Writes the (EC)DHE secret at `at.shared` and returns its length; the key pair is spent. */
export function agree(s: ClientSession): number {
  const { memory, exchange } = s;
  const n = exchange?.agree(memory, at.peerShare, at.peerShare + s.peerShareLength, memory, at.shared) ?? 0;
  s.exchange?.dispose();
  s.exchange = undefined;
  if (n === 0) throw faults.KEY_SHARE;
  return n;
}

/** Begins to verify a handshake signature: the scheme must have been offered, and fit the server's key. */
export function beginVerification(s: ClientSession, id: number): Verification {
  const scheme = findScheme(id);
  if (scheme === undefined || !s.config.schemes.includes(id)) throw faults.SIGNATURE_SCHEME;
  if (!fitsKey(scheme, s.verifier.leaf.key.kind)) throw faults.SIGNATURE_SCHEME;
  s.verification = s.config.provider.verification(id);
  return s.verification;
}

/** Notes where the server's signature lies, for the step that verifies it: all that it covers is known. */
export function readSignature(s: ClientSession, r: Reader): void {
  s.verification?.end();
  const signature = r.enter16();
  s.signatureStart = r.skip(r.left);
  s.signatureEnd = r.at;
  r.leave(signature);
}

/** CertificateVerify, RFC 8446 4.4.3 and RFC 5246 7.4.8: our scheme and signature. */
export function sendSignature(s: ClientSession, signature: Signature): string {
  const w = s.engine.begin(handshakeType.certificate_verify);
  w.u16(s.clientScheme);
  const length = w.begin16();
  w.skip(signature.sign(w.bytes, w.at));
  w.finish16(length);
  s.engine.send();
  return "SEND_FINISHED";
}

/** Verifies the handshake signature by the key of the server's certificate. */
export function settleVerification(s: ClientSession): void {
  const { bytes } = s.engine.inbox;
  const verified = s.verification?.settle(s.verifier.leaf.key, bytes, s.signatureStart, s.signatureEnd);
  s.verification = undefined;
  if (verified !== true) throw faults.HANDSHAKE_SIGNATURE;
}
