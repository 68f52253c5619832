import { Cursor } from "./cursor.js";
import { type Fault, faults } from "./fault.js";

export { none } from "./cursor.js";

/** Reads big-endian fields of `bytes[at…end)` and refuses to pass `end`. `enter…` goes into a length-prefixed vector. */
export class Reader extends Cursor {
  get fault(): Fault {
    return faults.DECODE_ERROR;
  }

  get left(): number {
    return this.end - this.at;
  }

  u8(): number {
    return this.bytes[this.skip(1)];
  }

  u16(): number {
    const at = this.skip(2);
    return (this.bytes[at] << 8) | this.bytes[at + 1];
  }

  u24(): number {
    const at = this.skip(3);
    return (this.bytes[at] << 16) | (this.bytes[at + 1] << 8) | this.bytes[at + 2];
  }

  u32(): number {
    const high = this.u16();
    return high * 0x10000 + this.u16();
  }

  enter8(): number {
    return this.enter(this.u8());
  }

  enter16(): number {
    return this.enter(this.u16());
  }

  enter24(): number {
    return this.enter(this.u24());
  }

  /** Narrows the view to the next `n` bytes; returns the outer end, for `leave`. */
  enter(n: number): number {
    const outer = this.end;
    if (n > outer - this.at) throw this.fault;
    this.end = this.at + n;
    return outer;
  }
}
