import { faults } from "../wire/fault.js";
import { copyBytes } from "../wire/writer.js";
import type { Handshake } from "./handshake.js";
import { at } from "./memory.js";

/** A fresh key pair of the group that is settled. */
export function makeKeyPair(s: Handshake): void {
  s.exchange = s.config.provider.exchange(s.group);
}

/** The key pair is spent, or of a group that is not the one. */
export function dropKeyPair(s: Handshake): void {
  s.exchange?.dispose();
  s.exchange = undefined;
}

/** Keeps a share, `bytes[start…end)`, as the peer's public key. */
export function keepPeerShare(s: Handshake, bytes: Uint8Array, start: number, end: number): void {
  const n = end - start;
  if (n === 0 || n > s.memory.length - at.peerShare) throw faults.KEY_SHARE;
  copyBytes(bytes, start, end, s.memory, at.peerShare);
  s.peerShareLength = n;
}

/** Writes the (EC)DHE secret at `at.shared` and returns its length. */
export function agree(s: Handshake): number {
  const { memory, exchange } = s;
  const end = at.peerShare + s.peerShareLength;
  const n = exchange?.agree(memory, at.peerShare, end, memory, at.shared) ?? 0;
  if (n === 0) throw faults.KEY_SHARE;
  return n;
}
