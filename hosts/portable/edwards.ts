import { sha512 } from "@noble/hashes/sha2.js";
import type { KeyKind, Verification } from "../../src/crypto/index.js";

/** Whether a signature of these bytes is the key's. May throw for bytes that are none. */
type Verify = (signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array) => boolean;

/** Ed25519 and Ed448 hash the message twice, RFC 8032 5.1.7 and 5.2.7, so the message is kept. */
export function edwardsVerification(kind: KeyKind, verify: Verify): Verification {
  let message: Uint8Array = new Uint8Array(0);
  return {
    update(bytes, start, end) {
      message = append(message, bytes, start, end);
    },
    end() {},
    digest(out, at) {
      const digest = sha512(message);
      out.set(digest, at);
      return digest.length;
    },
    settle(key, signature, start, end) {
      if (key.kind !== kind) return false;
      try {
        return verify(signature.subarray(start, end), message, key.bytes.subarray(key.start, key.end));
      } catch {
        return false;
      }
    },
  };
}

/** A message and one more span of it. */
export function append(message: Uint8Array, bytes: Uint8Array, start: number, end: number): Uint8Array {
  const longer = new Uint8Array(message.length + end - start);
  longer.set(message);
  longer.set(bytes.subarray(start, end), message.length);
  return longer;
}
