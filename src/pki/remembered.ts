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
  /** Its name, a byte for each character. */
  readonly name: Uint8Array;
  /** The entry that was asked for last comes first; zeros are none. */
  private readonly entries: Uint8Array;

  /**
   * Remembers `count` signatures, 1 to 4096. `saved` are the `bytes` of an earlier memory of the same provider, of whatever
   * length; whoever can write them has any signature taken for verified. Throws RangeError.
   */
  constructor(provider: Provider, count: number, saved: Uint8Array = none) {
    demand(Number.isInteger(count) && count >= 1 && count <= maxEntries, `count: 1 to ${maxEntries}`);
    const { name } = provider;
    this.provider = provider;
    this.name = new Uint8Array(name.length);
    new Writer(this.name).ascii(name);
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

  /** Whether `bytes[at…at+32)` is an entry; it is the one asked for last then. */
  has(bytes: Uint8Array, at: number): boolean {
    const { entries } = this;
    for (let i = 0; i < entries.length; i += SIZE)
      if (equalBytes(entries, i, i + SIZE, bytes, at, at + SIZE)) {
        this.putFirst(bytes, at, i);
        return true;
      }
    return false;
  }

  /** Makes `bytes[at…at+32)` an entry, in the place of the last one. */
  add(bytes: Uint8Array, at: number): void {
    this.putFirst(bytes, at, this.entries.length - SIZE);
  }

  /** Those before offset `from` move up over the one there. */
  private putFirst(bytes: Uint8Array, at: number, from: number): void {
    this.entries.copyWithin(SIZE, 0, from);
    copyBytes(bytes, at, at + SIZE, this.entries, 0);
  }
}

/** What is signed is hashed for the memory, and goes to the provider too: it can't be had again when it is not remembered. */
class RecallingVerification implements Verification {
  private readonly memory: SignatureMemory;
  private readonly own: Verification;
  private readonly scheme: number;
  private hash: Hash | undefined;
  /** The digest of what is signed, then room for an entry; made at the end. */
  private sums: Uint8Array | undefined;

  constructor(memory: SignatureMemory, own: Verification, scheme: number) {
    this.memory = memory;
    this.own = own;
    this.scheme = scheme;
    this.hash = memory.provider.hash("sha256");
  }

  update(bytes: Uint8Array, start: number, end: number): void {
    this.own.update(bytes, start, end);
    this.hash!.update(bytes, start, end);
  }

  end(): void {
    this.own.end();
    this.digest();
  }

  settle(key: PublicKey, signature: Uint8Array, start: number, end: number): boolean {
    const sums = this.digest();
    this.hashAll(sums, key, signature, start, end);
    if (this.memory.has(sums, SIZE)) return true;
    const verified = this.own.settle(key, signature, start, end);
    if (verified) this.memory.add(sums, SIZE);
    return verified;
  }

  private digest(): Uint8Array {
    if (this.sums) return this.sums;
    const sums = new Uint8Array(2 * SIZE);
    this.hash!.digest(sums, 0);
    this.hash = undefined;
    this.sums = sums;
    return sums;
  }

  /** Writes the entry. All lengths stand in front, so that no two of what is hashed are equal unless all their parts are. */
  private hashAll(sums: Uint8Array, key: PublicKey, signature: Uint8Array, start: number, end: number): void {
    const { provider, name } = this.memory;
    const lengths = new Writer(sums, SIZE);
    lengths.u8(key.kind.length);
    lengths.ascii(key.kind);
    lengths.u16(this.scheme);
    lengths.u16(name.length);
    lengths.u24(key.end - key.start);
    lengths.u24(end - start);
    const hash = provider.hash("sha256");
    hash.update(sums, SIZE, lengths.at);
    hash.update(name, 0, name.length);
    hash.update(sums, 0, SIZE);
    hash.update(key.bytes, key.start, key.end);
    hash.update(signature, start, end);
    hash.digest(sums, SIZE);
  }
}
