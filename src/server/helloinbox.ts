import { Inbox, MESSAGE_HEADER } from "../record/inbox.js";
import { MAX_RECORD } from "../record/protection.js";
import { faults } from "../wire/fault.js";

/** Bytes of the longest ClientHello, its header not counted: few have more than 2,000. */
const MAX_CLIENT_HELLO = 0x10000;
/** The last record of such a one comes behind the rest. */
const LARGE = MESSAGE_HEADER + MAX_CLIENT_HELLO + MAX_RECORD;

/**
 * The server's input buffer. A ClientHello that it can't hold moves to memory of its own, once so much of it has come,
 * and that is given back when all of it has been read: idle connections need not have room for one.
 */
export class HelloInbox extends Inbox {
  private readonly arena: Uint8Array;
  private readonly size: number;
  private readonly awaitsHello: () => boolean;

  /** The buffer is `arena[0…size)`. */
  constructor(arena: Uint8Array, size: number, awaitsHello: () => boolean) {
    super(arena, 0, size);
    this.arena = arena;
    this.size = size;
    this.awaitsHello = awaitsHello;
  }

  override admit(n: number): void {
    if (!this.awaitsHello()) super.admit(n);
    else if (n > MESSAGE_HEADER + MAX_CLIENT_HELLO) throw faults.MESSAGE_TOO_LONG;
  }

  override makeRoom(): void {
    const empty = this.messageLeft === 0 && this.plainAt === this.plainEnd && this.rawAt === this.rawEnd;
    if (empty && !this.awaitsHello()) this.giveBack();
    super.makeRoom();
  }

  protected override tooSmall(needed: number): void {
    if (this.limit === LARGE || !this.awaitsHello()) super.tooSmall(needed);
    const large = new Uint8Array(LARGE);
    large.set(this.bytes.subarray(0, this.limit));
    this.bytes = large;
    this.limit = LARGE;
  }

  private giveBack(): void {
    if (this.bytes === this.arena) return;
    this.bytes = this.arena;
    this.limit = this.size;
    this.messageAt = this.messageEnd = this.plainAt = this.plainEnd = this.rawAt = this.rawEnd = 0;
  }
}
