import type { Verification } from "../crypto/provider.js";
import { findScheme, fitsKey } from "../crypto/suites.js";
import { faults } from "../wire/fault.js";
import type { Reader } from "../wire/reader.js";
import type { Writer } from "../wire/writer.js";
import { at } from "./memory.js";
import type { ServerSession } from "./session.js";

/** Writes the (EC)DHE secret at `at.shared` and returns its length. */
export function agree(s: ServerSession): number {
  const { memory, exchange } = s;
  const n = exchange?.agree(memory, at.peerShare, at.peerShare + s.peerShareLength, memory, at.shared) ?? 0;
  if (n === 0) throw faults.KEY_SHARE;
  return n;
}

/** The key pair is spent: its secret is agreed on, and its public key sent. */
export function dropKeyPair(s: ServerSession): void {
  s.exchange?.dispose();
  s.exchange = undefined;
}

export function makeKeyPair(s: ServerSession): void {
  s.exchange = s.config.provider.exchange(s.group);
}

/** Refuses a scheme that was not asked for or does not fit the client's key. */
export function checkScheme(s: ServerSession, id: number): void {
  const scheme = s.config.schemes.includes(id) ? findScheme(id) : undefined;
  if (!scheme || !fitsKey(scheme, s.verifier.leaf.key.kind)) throw faults.SIGNATURE_SCHEME;
}

/** Notes where the client's signature lies, for the step that verifies it. */
export function readSignature(s: ServerSession, r: Reader, verification: Verification): void {
  verification.end();
  s.verification = verification;
  const signature = r.enter16();
  s.signatureStart = r.skip(r.left);
  s.signatureEnd = r.at;
  r.leave(signature);
}

/** Verifies the client's signature by the key of its certificate. */
export function settleVerification(s: ServerSession): void {
  const { bytes } = s.engine.inbox;
  const verified = s.verification?.settle(s.verifier.leaf.key, bytes, s.signatureStart, s.signatureEnd);
  s.verification = undefined;
  if (verified !== true) throw faults.HANDSHAKE_SIGNATURE;
}

/** DigitallySigned, RFC 8446 4.4.3 and RFC 5246 4.7: our scheme and signature over the spans, one after another. */
export function sign(s: ServerSession, w: Writer, spans: readonly [Uint8Array, number, number][]): void {
  const signature = s.identity.signer.begin(s.scheme);
  for (const [bytes, start, end] of spans) signature.update(bytes, start, end);
  w.u16(s.scheme);
  const length = w.begin16();
  w.skip(signature.sign(w.bytes, w.at));
  w.finish16(length);
}

/** Keeps a share, `bytes[start…end)`, as the client's public key. */
export function keepPeerShare(s: ServerSession, bytes: Uint8Array, start: number, end: number): void {
  const n = end - start;
  if (n > at.schedule - at.peerShare) throw faults.KEY_SHARE;
  s.memory.set(bytes.subarray(start, end), at.peerShare);
  s.peerShareLength = n;
}
