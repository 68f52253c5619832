import { faults } from "../wire/fault.js";
import type { Reader } from "../wire/reader.js";
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

/** Keeps a share, the next `n` bytes, as the peer's public key. */
export function keepPeerShare(s: Handshake, r: Reader, n: number): void {
  const start = r.skip(n);
  if (n === 0 || n > s.memory.length - at.peerShare) throw faults.KEY_SHARE;
  copyBytes(r.bytes, start, r.at, s.memory, at.peerShare);
  s.peerShareLength = n;
}

/** Writes the (EC)DHE secret at `at.shared` and returns its length. */
export function agree(s: Handshake): number {
  const { memory } = s;
  const end = at.peerShare + s.peerShareLength;
  const n = s.exchange!.agree(memory, at.peerShare, end, memory, at.shared);
  if (n === 0) throw faults.KEY_SHARE;
  return n;
}
