import { equalBytes } from "../../src/wire/index.js";
import { bytesOf } from "./bytes.js";
import type { ByteBuffer } from "./platform.js";

const none: readonly ByteBuffer[] = Object.freeze([]);

/** CAs that an application has registered. Made where a module begins, its one field is in flash until it changes. */
export class Registered {
  all = none;

  /** Trusts one more CA, in DER or PEM; one that is there already is not added again. */
  add(certificate: ByteBuffer): void {
    const bytes = bytesOf(certificate);
    const { all } = this;
    for (let i = 0; i < all.length; i++) {
      const other = bytesOf(all[i]);
      if (equalBytes(other, 0, other.length, bytes, 0, bytes.length)) return;
    }
    this.all = all.concat(certificate);
  }
}
