import { type BufferSizes, firstInput, mostInput } from "../handshake/options.js";
import { Engine, type Machine } from "../record/engine.js";
import { none } from "../wire/reader.js";
import type { Writer } from "../wire/writer.js";
import { ServerInbox } from "./inbox.js";
import type { Lender } from "./lender.js";
import { ServerOutbox } from "./outbox.js";

/**
 * An engine that has memory only for what is on its way: a connection on which nothing happens has none. While a step
 * runs, which may call the owner back, it keeps what it has.
 */
export class ServerEngine extends Engine {
  declare readonly inbox: ServerInbox;
  declare readonly outbox: ServerOutbox;
  private working = false;
  private wiped = false;

  /** `awaitsHello`: whether what comes is the client's first message. */
  constructor(machine: Machine, buffers: BufferSizes, lender: Lender, awaitsHello: () => boolean) {
    const inbox = new ServerInbox(lender, firstInput(buffers), mostInput(buffers), awaitsHello);
    super(machine, inbox, new ServerOutbox(lender, buffers.output));
  }

  override work(): void {
    this.working = true;
    super.work();
    this.working = false;
    this.tidy();
  }

  override wake(): void {
    super.wake();
    this.tidy();
  }

  override wipe(): void {
    super.wipe();
    this.wiped = true;
    this.tidy();
  }

  override beginRaw(type: number): Writer {
    this.outbox.hold();
    return super.beginRaw(type);
  }

  override sendChangeCipherSpec(): void {
    this.outbox.hold();
    super.sendChangeCipherSpec();
  }

  protected override sendAlert(level: number, description: number): void {
    this.outbox.hold();
    super.sendAlert(level, description);
  }

  /** Gives back what nothing is in. Nor may reader and writer keep it. */
  private tidy(): void {
    const { inbox, outbox, reader, writer } = this;
    if (this.working) return;
    if (this.wiped) inbox.close();
    if (this.wiped || outbox.pending === 0) outbox.release();
    if (reader.bytes !== inbox.bytes) reader.over(none, 0, 0);
    if (writer.bytes !== outbox.bytes) writer.over(none, 0, 0);
  }
}
