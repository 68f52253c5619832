import type { Hash, Provider, PublicKey, Verification } from "../crypto/provider.js";
import { hashSize } from "../crypto/suites.js";
import { demand } from "../wire/demand.js";
import { none } from "../wire/reader.js";
import { copyBytes, equalBytes, Writer } from "../wire/writer.js";

const SIZE = hashSize.sha256;
/** Every entry may be looked at each time: with more, that would take longer than to verify. */
const maxEntries = 4096;

/**
 * Signatures that were verified before, for the option `remembered`: one that is found here costs a hash or two, and
 * no operation with a public key. Nothing else is remembered: what was signed is read and judged anew. Of each an entry
 * of 32 bytes is kept, a SHA-256 over the provider's name, key, scheme, digest of what is signed, and signature; the one
 * that was asked for least lately goes first.
 *
 * A memory is one provider's: what another would verify, it verifies by itself.
 */
export class SignatureMemory {
  readonly provider: Provider;
  /** The entry that was asked for last comes first; zeros are none. */
  private readonly entries: Uint8Array;

  /**
   * Remembers `count` signatures, 1 to 4096. `saved` are the `bytes` of an earlier memory of the same provider, of whatever
   * length; whoever can write them has any signature taken for verified. Throws RangeError.
   */
  constructor(provider: Provider, count: number, saved: Uint8Array = none) {
    demand(Number.isInteger(count) && count >= 1 && count <= maxEntries, `count: 1 to ${maxEntries}`);
    this.provider = provider;
    this.entries = new Uint8Array(count * SIZE);
    copyBytes(saved, 0, Math.min(saved.length, this.entries.length), this.entries, 0);
  }

  /** A copy of the entries, to be given to another memory. No secret, but not to be changed by others. */
  get bytes(): Uint8Array {
    return this.entries.slice();
  }

  /** As the provider's, which is asked about what is not remembered; only what it verified is remembered then. */
  verification(provider: Provider, scheme: number): Verification {
    const own = provider.verification(scheme);
    return provider === this.provider ? new RecallingVerification(this, own, scheme) : own;
  }

  /** Whether it is there; it is the one asked for last then. */
  has(entry: Uint8Array): boolean {
    const { entries } = this;
    for (let i = 0; i < entries.length; i += SIZE)
      if (equalBytes(entries, i, i + SIZE, entry, 0, SIZE)) {
        this.putFirst(entry, i);
        return true;
      }
    return false;
  }

  /** Puts it in the place of the one that was asked for least lately. */
  add(entry: Uint8Array): void {
    this.putFirst(entry, this.entries.length - SIZE);
  }

  /** Those before the one at offset `at` move up over it. */
  private putFirst(entry: Uint8Array, at: number): void {
    this.entries.copyWithin(SIZE, 0, at);
    copyBytes(entry, 0, SIZE, this.entries, 0);
  }
}

/** What is signed is hashed for the memory, and goes to the provider too: it can't be had again when it is not remembered. */
class RecallingVerification implements Verification {
  private readonly memory: SignatureMemory;
  private readonly own: Verification;
  private readonly scheme: number;
  /** Of what is signed; its digest from the end on, as a running hash is much larger. */
  private sum: Hash | Uint8Array;

  constructor(memory: SignatureMemory, own: Verification, scheme: number) {
    this.memory = memory;
    this.own = own;
    this.scheme = scheme;
    this.sum = memory.provider.hash("sha256");
  }

  update(bytes: Uint8Array, start: number, end: number): void {
    this.own.update(bytes, start, end);
    (this.sum as Hash).update(bytes, start, end);
  }

  end(): void {
    this.own.end();
    this.digest();
  }

  settle(key: PublicKey, signature: Uint8Array, start: number, end: number): boolean {
    const entry = this.entry(key, signature, start, end);
    if (this.memory.has(entry)) return true;
    const verified = this.own.settle(key, signature, start, end);
    if (verified) this.memory.add(entry);
    return verified;
  }

  private digest(): Uint8Array {
    const { sum: hash } = this;
    if (hash instanceof Uint8Array) return hash;
    const sum = new Uint8Array(SIZE);
    hash.digest(sum, 0);
    this.sum = sum;
    return sum;
  }

  /** All lengths stand in front, so that no two of what is hashed are equal unless all their parts are. */
  private entry(key: PublicKey, signature: Uint8Array, start: number, end: number): Uint8Array {
    const { provider } = this.memory;
    const { kind } = key;
    const name = provider.name.slice(0, SIZE);
    const hash = provider.hash("sha256");
    const entry = new Uint8Array(SIZE);
    const writer = new Writer(entry);
    writer.u8(kind.length);
    writer.ascii(kind);
    writer.u16(this.scheme);
    writer.u8(name.length);
    writer.u24(key.end - key.start);
    writer.u24(end - start);
    hash.update(entry, 0, writer.at);
    writer.over(entry, 0, SIZE).ascii(name);
    hash.update(entry, 0, writer.at);
    hash.update(this.digest(), 0, SIZE);
    hash.update(key.bytes, key.start, key.end);
    hash.update(signature, start, end);
    hash.digest(entry, 0);
    return entry;
  }
}
