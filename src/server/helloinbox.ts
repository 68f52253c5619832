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
  private readonly awaitsHello: () => boolean;
  /** The buffer while a long ClientHello is elsewhere. */
  private own: Uint8Array | undefined;
  private readonly first: number;

  constructor(bytes: Uint8Array, size: number, most: number, awaitsHello: () => boolean) {
    super(bytes, size, most);
    this.first = size;
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

  protected override grow(needed: number): void {
    if (this.own !== undefined || !this.awaitsHello()) {
      super.grow(needed);
      return;
    }
    this.own = this.bytes;
    this.move(new Uint8Array(LARGE));
  }

  private giveBack(): void {
    if (this.own === undefined) return;
    this.bytes = this.own;
    this.own = undefined;
    this.size = this.first;
    this.messageAt = this.messageEnd = this.plainAt = this.plainEnd = this.rawAt = this.rawEnd = 0;
  }
}
