import { SKIPPED } from "../record/engine.js";
import {
  MAX_RECORD,
  type Opened,
  type Protection,
  type Protection13,
  plaintext,
} from "../record/protection.js";
import { faults } from "../wire/fault.js";
import { contentType } from "../wire/registry.js";

/** Bytes of early data, in records, that are passed over at most: a full record or several small ones. */
const MAX_SKIPPED = MAX_RECORD;

/** What both ways of passing over early data share, RFC 8446 4.2.10: it is never granted, as it could be replayed. */
abstract class Skipper implements Protection {
  protected readonly inner: Protection;
  /** Bytes that may still be passed over. */
  private room = MAX_SKIPPED;

  constructor(inner: Protection) {
    this.inner = inner;
  }

  get prefix(): number {
    return this.inner.prefix;
  }

  get suffix(): number {
    return this.inner.suffix;
  }

  get sequence(): number {
    return this.inner.sequence;
  }

  get capacity(): number {
    return this.inner.capacity;
  }

  seal(bytes: Uint8Array, at: number, n: number, type: number): number {
    return this.inner.seal(bytes, at, n, type);
  }

  abstract open(bytes: Uint8Array, at: number, end: number, out: Opened): void;

  protected skip(n: number, out: Opened): boolean {
    this.room -= n;
    if (this.room < 0) return false;
    out.type = SKIPPED;
    out.start = out.end = 0;
    return true;
  }

  dispose(): void {
    this.inner.dispose();
  }
}

/** After a HelloRetryRequest: records of application data, until the second ClientHello. */
export class PlaintextSkipper extends Skipper {
  constructor() {
    super(plaintext);
  }

  open(bytes: Uint8Array, at: number, end: number, out: Opened): void {
    this.inner.open(bytes, at, end, out);
    if (out.type === contentType.application_data && !this.skip(end - at, out))
      throw faults.UNEXPECTED_MESSAGE;
  }
}

/** Under the handshake keys: records that do not decrypt, until one does. */
export class ProtectedSkipper extends Skipper {
  private readonly sealed: Protection13;
  private ended = false;

  constructor(inner: Protection13) {
    super(inner);
    this.sealed = inner;
  }

  open(bytes: Uint8Array, at: number, end: number, out: Opened): void {
    const { sequence } = this.sealed;
    try {
      this.inner.open(bytes, at, end, out);
      this.ended ||= out.sealed;
    } catch (thrown) {
      if (this.ended || thrown !== faults.BAD_RECORD_MAC || !this.skip(end - at, out)) throw thrown;
      this.sealed.sequence = sequence;
      out.sealed = true;
    }
  }
}
