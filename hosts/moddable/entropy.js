/** Fills `bytes[start…end)` with unpredictable bytes from the system, by entropy.c: `Math.random` has none. */
export default function fill(bytes, start, end) {
  return native("tlstaple_entropy_fill").call(this, bytes, start, end);
}
