import type { Inbox } from "./inbox.js";
import type { Outbox } from "./outbox.js";

/** A window on one of the four buffers. Use `bytes[start…end)`, then `advance` by what was used. */
export interface Port {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  /** Throws RangeError when `n` is no whole number from 0 to `end - start`. */
  advance(n: number): void;
}

/** What the ports open a window on. */
interface Owner {
  readonly inbox: Inbox;
  readonly outbox: Outbox;
  /** Bytes of application data that may be written at once. */
  readonly plainRoom: number;
  /** Seals `n` bytes of application data. */
  sendPlain(n: number): void;
  /** A port moved, so there may be something to do. */
  wake(): void;
}

abstract class Window implements Port {
  protected readonly owner: Owner;

  constructor(owner: Owner) {
    this.owner = owner;
  }

  abstract get bytes(): Uint8Array;
  abstract get start(): number;
  abstract get end(): number;
  protected abstract use(n: number): void;

  advance(n: number): void {
    const held = this.end - this.start;
    if (!(Number.isInteger(n) && n >= 0 && n <= held))
      throw new RangeError(`advance(${n}): the port holds ${held} bytes`);
    this.use(n);
    this.owner.wake();
  }
}

/** Bytes from the transport: the free end of the input buffer. */
export class CipherIn extends Window {
  get bytes(): Uint8Array {
    return this.owner.inbox.bytes;
  }

  get start(): number {
    return this.owner.inbox.rawEnd;
  }

  get end(): number {
    return this.start + this.owner.inbox.room;
  }

  protected use(n: number): void {
    this.owner.inbox.rawEnd += n;
  }
}

/** Bytes for the transport: finished records. */
export class CipherOut extends Window {
  get bytes(): Uint8Array {
    return this.owner.outbox.bytes;
  }

  get start(): number {
    return this.owner.outbox.at;
  }

  get end(): number {
    return this.owner.outbox.end;
  }

  protected use(n: number): void {
    this.owner.outbox.sent(n);
  }
}

/** Application data to send: the content of the next record. */
export class PlainIn extends Window {
  get bytes(): Uint8Array {
    return this.owner.outbox.bytes;
  }

  get start(): number {
    return this.owner.outbox.contentStart;
  }

  get end(): number {
    return this.start + this.owner.plainRoom;
  }

  protected use(n: number): void {
    this.owner.sendPlain(n);
  }
}

/** Application data received: one record's, or what is left of it. */
export class PlainOut extends Window {
  get bytes(): Uint8Array {
    return this.owner.inbox.bytes;
  }

  get start(): number {
    return this.owner.inbox.plainAt;
  }

  get end(): number {
    return this.owner.inbox.plainEnd;
  }

  protected use(n: number): void {
    this.owner.inbox.plainAt += n;
  }
}
