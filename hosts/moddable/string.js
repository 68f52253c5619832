/** The string of `bytes[start…end)` as they are, by string.c: they need be no UTF-8, as a character may go on in the next record. */
export default function string(bytes, start, end) {
  return native("tlstaple_string").call(this, bytes, start, end);
}
