import { sha512 } from "@noble/hashes/sha2.js";
import type { KeyKind, PublicKey, Verification } from "../../src/crypto/index.js";

/** Whether a signature of these bytes is the key's. May throw for bytes that are none. */
type Verify = (signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array) => boolean;

/** Ed25519 and Ed448 hash the message twice, RFC 8032 5.1.7 and 5.2.7, so the message is kept. */
export class EdwardsVerification implements Verification {
  private readonly kind: KeyKind;
  private readonly verify: Verify;
  private message: Uint8Array = new Uint8Array(0);

  constructor(kind: KeyKind, verify: Verify) {
    this.kind = kind;
    this.verify = verify;
  }

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
    if (key.kind !== this.kind) return false;
    const publicKey = key.bytes.subarray(key.start, key.end);
    try {
      return this.verify(signature.subarray(start, end), this.message, publicKey);
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
