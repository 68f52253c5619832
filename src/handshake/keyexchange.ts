import { faults } from "../wire/fault.js";
import { copyBytes } from "../wire/writer.js";
import type { Handshake } from "./handshake.js";
import { at, MAX_SHARE } from "./memory.js";

/** A fresh key pair of the group that is settled. */
export function makeKeyPair(s: Handshake): void {
  s.exchange = s.config.provider.exchange(s.group);
}

/** The key pair is spent, or of a group that is not the one. */
export function dropKeyPair(s: Handshake): void {
  s.exchange?.dispose();
  s.exchange = undefined;
}

const shareAt = (n: number) => (n > MAX_SHARE ? at.end : at.peerShare);

/** Keeps a share, `bytes[start…end)`, as the peer's public key. */
export function keepPeerShare(s: Handshake, bytes: Uint8Array, start: number, end: number): void {
  const n = end - start;
  if (n === 0 || n > Math.max(MAX_SHARE, s.memory.length - at.end)) throw faults.KEY_SHARE;
  copyBytes(bytes, start, end, s.memory, shareAt(n));
  s.peerShareLength = n;
}

/** Writes the (EC)DHE secret at `at.shared` and returns its length. */
export function agree(s: Handshake): number {
  const { memory, exchange, peerShareLength } = s;
  const start = shareAt(peerShareLength);
  const n = exchange?.agree(memory, start, start + peerShareLength, memory, at.shared) ?? 0;
  if (n === 0) throw faults.KEY_SHARE;
  return n;
}
