/** Ed25519 signatures by noble, apart from the rest: PSA Crypto has none, so a device may want these alone. */

import { ed25519 } from "@noble/curves/ed25519.js";
import { sha512 } from "@noble/hashes/sha2.js";
import type { PublicKey, Verification } from "../../src/crypto/index.js";

/** Ed25519 hashes the message twice, RFC 8032 5.1.7, so the message is kept. */
export class Ed25519Verification implements Verification {
  private message: Uint8Array = new Uint8Array(0);

  update(bytes: Uint8Array, start: number, end: number): void {
    this.message = append(this.message, bytes, start, end);
  }

  end(): void {}

  digest(out: Uint8Array, at: number): number {
    const digest = sha512(this.message);
    out.set(digest, at);
    return digest.length;
  }

  settle(key: PublicKey, signature: Uint8Array, start: number, end: number): boolean {
    if (key.kind !== "ed25519") return false;
    const publicKey = key.bytes.subarray(key.start, key.end);
    try {
      // RFC 8032 as written; noble's default, ZIP 215, takes keys and points of more than one encoding
      return ed25519.verify(signature.subarray(start, end), this.message, publicKey, { zip215: false });
    } catch {
      return false;
    }
  }
}

/** A message and one more span of it. */
export function append(message: Uint8Array, bytes: Uint8Array, start: number, end: number): Uint8Array {
  const longer = new Uint8Array(message.length + end - start);
  longer.set(message);
  longer.set(bytes.subarray(start, end), message.length);
  return longer;
}
