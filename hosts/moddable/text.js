/** The string of `bytes[start…end)` as they are, by text.c: they need be no UTF-8, as a character may go on in the next record. */
export default function text(bytes, start, end) {
  return native("tlstaple_text").call(this, bytes, start, end);
}
