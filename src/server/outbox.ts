import { Outbox } from "../record/outbox.js";
import { none } from "../wire/reader.js";
import type { Lender } from "./lender.js";

/** The server's output buffer, whose memory is lent: `hold` takes it, `release` gives it back. */
export class ServerOutbox extends Outbox {
  private readonly lender: Lender;

  constructor(lender: Lender, size: number) {
    super(none, 0, size);
    this.lender = lender;
  }

  /** Takes memory, if there is none, for what is to be sent. */
  hold(): void {
    if (this.bytes === none) this.bytes = this.lender.take(this.limit);
  }

  /** What still waits in it is for nobody. */
  release(): void {
    const { bytes } = this;
    if (bytes === none) return;
    this.bytes = none;
    this.at = this.end = 0;
    bytes.fill(0);
    this.lender.give(bytes);
  }
}
