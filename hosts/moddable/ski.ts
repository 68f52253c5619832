import type { TrustIndex } from "../../src/client/index.js";
import {
  Der,
  type ExtensionRow,
  readExtensions,
  type TrustAnchor,
  tag,
  trustAnchor,
} from "../../src/pki/index.js";
import { equalBytes } from "../../src/wire/index.js";
import { bytesOf } from "./bytes.js";
import type { Platform } from "./platform.js";

/** Bytes of an entry, and of a SHA-256. */
const KEY_ID = 20;
const SUM = 32;

/** A span of bytes. */
interface Span {
  start: number;
  end: number;
}

/** 2.5.29.35; RFC 5280 4.2.1.1: of AuthorityKeyIdentifier the keyIdentifier [0], if there is one. */
const authorityKeyIdentifier: ExtensionRow<Span> = Object.freeze({
  oid: "\x55\x1d\x23",
  read(der: Der, to: Span): void {
    const outer = der.enter(tag.SEQUENCE);
    if (der.peek() === tag.CONTEXT) {
      to.start = der.value(tag.CONTEXT);
      to.end = der.at;
    }
    der.drop(outer);
  },
});
const rows = Object.freeze([authorityKeyIdentifier]);

/** So few CAs are all read: the index may be the SDK's, as its manifests bring it, and the CAs the application's own. */
const FEW = 8;

/**
 * CAs by the SDK's `ca.ski`: the subjectKeyIdentifier of `ca0.der`, that of `ca1.der` and so on, 20 bytes each. Only those
 * CAs are read that a certificate of the chain names as its issuer's. That is a hint, and proves nothing: the path then
 * compares names and verifies signatures as with any other anchor.
 */
export class CaIndex implements TrustIndex {
  /** What is trusted already: for a path's options, to which more is added as it is found. */
  trust: TrustAnchor[] = [];
  /** How many CAs it knows, from number 0 on. */
  readonly count: number;
  private readonly ids: Uint8Array;
  private readonly platform: Platform;
  private readonly numbers: number[] = [];

  constructor(ids: Uint8Array, platform: Platform) {
    this.count = Math.floor(ids.length / KEY_ID);
    this.ids = ids;
    this.platform = platform;
  }

  /** Whether there are more of its CAs than can be read for each connection. */
  get many(): boolean {
    let few = FEW;
    for (let i = 0; i < this.count; i++) if (this.platform.resource(`ca${i}.der`) && few-- === 0) return true;
    return false;
  }

  /** Throws the fault for which a CA that is found can't be used. */
  find(bytes: Uint8Array, start: number, end: number): void {
    const id = keyIdOf(new Der(undefined, bytes, start, end));
    const length = id.end - id.start;
    if (length === 0) return;
    // A shorter one stands at the end of its entry
    for (let i = 0, at = KEY_ID; i < this.count; i++, at += KEY_ID)
      if (equalBytes(this.ids, at - length, at, bytes, id.start, id.end)) this.add(i);
  }

  /** Finds the CA whose certificate has this SHA-256, as the anchor of a session is known. */
  recall(sum: Uint8Array): void {
    for (let i = 0; i < this.count; i++) {
      const der = resourceOf(this.platform, `ca${i}.der`);
      if (der === undefined) continue;
      const own = this.sumOf(der);
      if (!equalBytes(own, 0, SUM, sum, 0, sum.length)) continue;
      this.add(i);
      return;
    }
  }

  private add(index: number): void {
    if (this.numbers.includes(index)) return;
    const der = resourceOf(this.platform, `ca${index}.der`);
    if (der === undefined) return;
    this.trust.push(trustAnchor(der, this.platform.features.pki));
    this.numbers.push(index);
  }

  private sumOf(der: Uint8Array): Uint8Array {
    const sum = new Uint8Array(SUM);
    const hash = this.platform.provider.hash("sha256");
    hash.update(der, 0, der.length);
    hash.digest(sum, 0);
    return sum;
  }
}

/** The index, where the application has it and so many CAs that it needs it. */
export function caIndex(platform: Platform): CaIndex | undefined {
  const ids = resourceOf(platform, "ca.ski");
  const index = ids && new CaIndex(ids, platform);
  return index?.many ? index : undefined;
}

/** A resource, where it lies. */
function resourceOf(platform: Platform, name: string): Uint8Array | undefined {
  const found = platform.resource(name);
  return found && bytesOf(found);
}

/** Where a certificate, RFC 5280 4.1, names its issuer's key; an empty span where it does not. */
function keyIdOf(der: Der): Span {
  const span = { start: 0, end: 0 };
  der.enter(tag.SEQUENCE);
  der.enter(tag.SEQUENCE);
  while (der.more && der.peek() !== tag.CONSTRUCTED + 3) der.skip();
  if (der.more) {
    der.enter(tag.CONSTRUCTED + 3);
    readExtensions(der, rows, span);
  }
  return span;
}
