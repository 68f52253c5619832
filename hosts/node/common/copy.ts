/**
 * A copy in memory of its own, for what is kept: a small `Buffer.from` is a part of a pool, of 64 KB as of Node 24, which
 * it keeps alive as a whole.
 */
export function ownCopy(bytes: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}
