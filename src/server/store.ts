import { Store } from "../pki/store.js";
import { none } from "../wire/reader.js";
import type { Lender } from "./lender.js";

/** Where a client's certificates are kept: in memory that is lent once the first of them comes. */
export class ServerStore extends Store {
  private readonly lender: Lender;

  constructor(lender: Lender, size: number) {
    super(none, 0, size);
    this.lender = lender;
  }

  override reserve(n: number): number {
    this.hold();
    return super.reserve(n);
  }

  override keep(bytes: Uint8Array, start: number, end: number): number {
    this.hold();
    return super.keep(bytes, start, end);
  }

  /** The client has been judged. */
  release(): void {
    const { bytes } = this;
    if (bytes === none) return;
    this.bytes = none;
    bytes.fill(0);
    this.lender.give(bytes);
  }

  private hold(): void {
    if (this.bytes === none) this.bytes = this.lender.take(this.limit);
  }
}
