import { Inbox, MESSAGE_HEADER } from "../record/inbox.js";
import { MAX_RECORD } from "../record/protection.js";
import { faults } from "../wire/fault.js";
import { none } from "../wire/reader.js";
import type { Lender } from "./lender.js";

/** Bytes of the longest ClientHello, its header not counted: few have more than 2,000. */
const MAX_CLIENT_HELLO = 0x10000;
/** The last record of such a one comes behind the rest. */
const LARGE = MESSAGE_HEADER + MAX_CLIENT_HELLO + MAX_RECORD;
/** Where the beginning of a record waits for the rest of it, however long that is. */
const SMALL = 2048;

/**
 * The server's input buffer. Its memory is lent: `hold` takes it, and while nothing is in it there is none. A
 * ClientHello that is longer than the buffer may ever be moves to a larger one until it is read.
 */
export class ServerInbox extends Inbox {
  private readonly lender: Lender;
  private readonly first: number;
  private readonly small: number;
  private readonly limit: number;
  private readonly awaitsHello: () => boolean;

  constructor(lender: Lender, first: number, most: number, awaitsHello: () => boolean) {
    super(none, first, most);
    this.lender = lender;
    this.first = first;
    this.small = Math.min(SMALL, first);
    this.limit = most;
    this.awaitsHello = awaitsHello;
  }

  /** Takes memory, if there is none, for what is to be received. */
  hold(): void {
    if (this.bytes.length < this.size) this.bytes = this.lender.take(this.size);
  }

  /** Nothing more is to be received. */
  close(): void {
    this.release();
    this.size = 0;
  }

  /** Bytes of a record or message that is not complete. */
  get waiting(): number {
    return this.messageLeft + this.rawEnd - this.rawAt;
  }

  override admit(n: number): void {
    if (!this.awaitsHello()) super.admit(n);
    else if (n > MESSAGE_HEADER + MAX_CLIENT_HELLO) throw faults.MESSAGE_TOO_LONG;
  }

  override makeRoom(): void {
    if (this.plainAt < this.plainEnd) return;
    const { waiting } = this;
    if (waiting === 0) this.release();
    else if (waiting < this.small && this.size >= this.small) this.shrink();
    else super.makeRoom();
  }

  protected override grow(needed: number): void {
    if (needed > this.limit && !this.awaitsHello()) super.grow(needed);
    else this.move(this.lender.take(needed > this.limit ? LARGE : this.limit));
  }

  protected override move(to: Uint8Array): void {
    const { bytes } = this;
    super.move(to);
    this.lender.give(bytes);
  }

  /** Until more has come than a small buffer holds, whatever the record's length is. */
  private shrink(): void {
    this.moveDown();
    const { bytes } = this;
    if (this.size === this.small) return;
    this.bytes = this.lender.take(this.small);
    this.size = this.small;
    this.bytes.set(bytes.subarray(0, this.rawEnd));
    this.giveBack(bytes);
  }

  private release(): void {
    this.giveBack(this.bytes);
    this.bytes = none;
    this.size = this.first;
    this.messageAt = this.messageEnd = this.plainAt = this.plainEnd = this.rawAt = this.rawEnd = 0;
  }

  private giveBack(bytes: Uint8Array): void {
    if (bytes === none) return;
    bytes.fill(0);
    this.lender.give(bytes);
  }
}
