import type { Provider } from "./provider.js";
import { hashSize } from "./suites.js";

/** The SHA-256 of `bytes[start…end)`. */
export function sha256(provider: Provider, bytes: Uint8Array, start = 0, end = bytes.length): Uint8Array {
  const digest = new Uint8Array(hashSize.sha256);
  const hash = provider.hash("sha256");
  hash.update(bytes, start, end);
  hash.digest(digest, 0);
  return digest;
}
