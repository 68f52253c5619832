import type { Provider, PublicKey, Verification } from "../crypto/provider.js";
import { hashSize } from "../crypto/suites.js";
import { demand } from "../wire/demand.js";
import { none } from "../wire/reader.js";
import { copyBytes, equalBytes, Writer } from "../wire/writer.js";
import type { Remembered } from "./certificate.js";

const SIZE = hashSize.sha256;
/** Bytes of the longest digest of what is signed. */
const MAX_DIGEST = 64;
/** Every entry may be looked at each time: with more, that would take longer than to verify. */
const maxEntries = 4096;

/**
 * Signatures that were verified before, for the option `remembered`: one that is found here costs a hash, and no operation
 * with a public key. Nothing else is remembered: what was signed is read and judged anew. Of each an entry of 32 bytes
 * is kept, a SHA-256 over the provider's name, key, scheme, signature, and digest of what is signed; the one that was asked
 * for least lately goes first.
 *
 * A memory is one provider's: what another would verify, it verifies by itself.
 */
export class SignatureMemory implements Remembered {
  readonly provider: Provider;
  /** Something was added since it was made. */
  changed = false;
  /**
   * The entry that was asked for last comes first; zeros are none. Behind `end` is room for the one that is looked for. Made
   * when there is something to remember.
   */
  private entries: Uint8Array = none;
  private readonly end: number;

  /**
   * Remembers `count` signatures, 1 to 4096. `saved` are the `bytes` of an earlier memory of the same provider, of whatever
   * length; whoever can write them has any signature taken for verified. Throws RangeError.
   */
  constructor(provider: Provider, count: number, saved: Uint8Array = none) {
    demand(Number.isInteger(count) && count >= 1 && count <= maxEntries, `count: 1 to ${maxEntries}`);
    this.provider = provider;
    this.end = count * SIZE;
    if (saved.length > 0) copyBytes(saved, 0, Math.min(saved.length, this.end), this.begun(), 0);
  }

  /** How many it remembers. */
  get count(): number {
    return this.end / SIZE;
  }

  /** A copy of the entries, to be given to another memory. No secret, but not to be changed by others. */
  get bytes(): Uint8Array {
    return this.begun().slice(0, this.end);
  }

  private begun(): Uint8Array {
    if (this.entries.length === 0) this.entries = new Uint8Array(this.end + MAX_DIGEST);
    return this.entries;
  }

  /** As the verification's own, which is asked about what is not remembered; only what it found good is remembered then. */
  settle(
    provider: Provider,
    scheme: number,
    verification: Verification,
    key: PublicKey,
    signature: Uint8Array,
    start: number,
    end: number,
  ): boolean {
    if (provider !== this.provider) return verification.settle(key, signature, start, end);
    this.writeEntry(scheme, verification, key, signature, start, end);
    const place = this.findEntry();
    if (place < 0 && !verification.settle(key, signature, start, end)) return false;
    this.changed ||= place < 0;
    this.putFirst(place < 0 ? this.end - SIZE : place);
    return true;
  }

  /** Where the entry stands that is looked for, or -1. */
  private findEntry(): number {
    const { entries, end } = this;
    const first = entries[end];
    for (let i = 0; i < end; i += SIZE)
      if (entries[i] === first && equalBytes(entries, i, i + SIZE, entries, end, end + SIZE)) return i;
    return -1;
  }

  /** Those before offset `at` move up, over what stands there, and the entry that was looked for takes their place. */
  private putFirst(at: number): void {
    const { entries, end } = this;
    entries.copyWithin(SIZE, 0, at);
    entries.copyWithin(0, end, end + SIZE);
  }

  /**
   * Writes the entry to be looked for. All lengths but the last part's stand in front, so that no two of what is hashed are
   * equal unless all their parts are.
   */
  private writeEntry(
    scheme: number,
    verification: Verification,
    key: PublicKey,
    signature: Uint8Array,
    start: number,
    end: number,
  ): void {
    const { provider, end: at } = this;
    const { kind } = key;
    const entries = this.begun();
    const name = provider.name.slice(0, SIZE);
    const hash = provider.hash("sha256");
    const w = new Writer(entries, at);
    w.u8(kind.length);
    w.ascii(kind);
    w.u16(scheme);
    w.u8(name.length);
    w.u24(key.end - key.start);
    w.u24(end - start);
    w.ascii(name);
    hash.update(entries, at, w.at);
    hash.update(key.bytes, key.start, key.end);
    hash.update(signature, start, end);
    hash.update(entries, at, at + verification.digest(entries, at));
    hash.digest(entries, at);
  }
}
