import { alertOf, type Fault, faults, isFault } from "../wire/fault.js";
import { Reader } from "../wire/reader.js";
import { alert, contentType } from "../wire/registry.js";
import { PART, ROW } from "../wire/rows.js";
import { Writer } from "../wire/writer.js";
import { type Inbox, MESSAGE_HEADER } from "./inbox.js";
import type { Outbox } from "./outbox.js";
import { MAX_PLAINTEXT, type Opened, type Protection, plaintext, TAG } from "./protection.js";
import {
  CHANGE_CIPHER_SPEC,
  COLUMNS,
  IN_PARTS,
  type MachineTable,
  MEASURE,
  MOST,
  SENDS,
  STEP,
  WAITS,
} from "./row.js";

/** What a connection waits for, as bits of `wants`. */
export const wants = Object.freeze({
  /** `cipherIn` has room and nothing else can go on. */
  READ: 1,
  /** `cipherOut` has bytes for the transport. */
  WRITE: 2,
  /** `plainOut` has application data. */
  DATA: 4,
  /** `plainIn` takes application data. */
  SPACE: 8,
  /** `work()` has something to do. */
  WORK: 16,
  /** Nothing is left to send, and nothing more will be received. */
  CLOSED: 32,
});

/** In `Opened.type`: a record that means nothing; its content is not looked at. */
export const SKIPPED = 0;

/** What the engine drives: the negotiation's state and its table, whose rows are for it. */
export interface Machine {
  /** The table that is in force. */
  readonly table: MachineTable;
  /** The name of the state that is in force. */
  state: string;
  /** Every handshake message's bytes, after they were handled or written. */
  transcribe(bytes: Uint8Array, start: number, end: number): void;
  /** Application data has spent half of what the sending key may protect. */
  refreshKey(): void;
  /** Everything that goes over the wire in handshake messages, alerts and ChangeCipherSpec, for tracing. */
  trace(sent: boolean, type: number, bytes: Uint8Array, start: number, end: number): void;
  /** The connection is over: forget all secrets. */
  wipe(): void;
}

/** In the place of a row that is not there. */
const NONE = -1;

/** Empty records, warnings and messages without effect that are tolerated in a row. */
const MAX_IDLE = 32;
/** Room that a sending step finds behind records that still wait; it may always use an empty buffer. */
const STEP_ROOM = 1536;

const LEVEL_WARNING = 1;
const LEVEL_FATAL = 2;

/**
 * TLS records and handshake messages without sockets, clocks or promises, for either side. Bytes come and go
 * by the two buffers, as the ports show, after which it must `wake()`; `work()` does the rest, one costly step at a time.
 * The first fault is kept for good.
 */
export class Engine {
  readonly machine: Machine;
  readonly inbox: Inbox;
  readonly outbox: Outbox;
  /** The body of the message, or of the part of one, that a row handles. */
  readonly reader: Reader;
  /** The body of the message that is being written. */
  readonly writer: Writer;
  /** Where an opened record's content lies, kept for the whole connection. */
  readonly opened: Opened = { type: 0, start: 0, end: 0, sealed: false };

  inbound: Protection = plaintext;
  /** The longest plaintext of a protected record; in TLS 1.3 with its type and padding (RFC 8449 section 4). */
  maxInner = MAX_PLAINTEXT;
  /** Whether warning alerts are only warnings: TLS 1.2 (RFC 8446 6). */
  warnings = true;
  /** Whether application data may pass: the handshake is done. */
  established = false;

  /** The HandshakeType of the message that is being sent, and of the one that is being received. */
  private sending = 0;
  private type = 0;
  /** The row for that one, as `row` tells it. */
  private handler = NONE;
  private consumed = 0;
  /** Bytes of the message in progress, handled part by part, that are still to come. */
  left = 0;
  private idleMessages = 0;
  /** `work()` found nothing to do, and no bytes have moved since. */
  private stalled = false;
  /** The last answer of `step`, and what it was the answer for. */
  private stepRow = NONE;
  private stepState = "";
  private stepTable: MachineTable | undefined;

  fault: Fault | undefined;
  /** With PEER_ALERT the alert's number, with BUFFER_TOO_SMALL and STORE_TOO_SMALL the size needed, else 0. */
  faultDetail = 0;
  /** What was caught when the fault is INTERNAL_ERROR. */
  cause: unknown;
  /** The peer's close_notify came. */
  closedByPeer = false;
  private closing = false;
  private transportEnded = false;

  constructor(machine: Machine, inbox: Inbox, outbox: Outbox) {
    this.machine = machine;
    this.inbox = inbox;
    this.outbox = outbox;
    this.reader = new Reader(inbox.bytes, 0, 0);
    this.writer = new Writer(outbox.bytes, 0, 0);
  }

  // ---- What the connection's owner sees

  get wants(): number {
    const { inbox } = this;
    const flags = this.outbox.pending > 0 ? wants.WRITE : 0;
    if (this.over) return flags === 0 ? wants.CLOSED : flags;
    if (!this.stalled) return flags | wants.WORK;
    const data = inbox.plainAt < inbox.plainEnd ? wants.DATA : 0;
    const space = this.plainRoom > 0 ? wants.SPACE : 0;
    const read = inbox.room > 0 && !this.transportEnded && !this.closedByPeer ? wants.READ : 0;
    return flags | data | space | read;
  }

  /** Does what the bytes at hand allow, up to and including one costly step. Never throws: see `fault`. */
  work(): void {
    if (this.over) return;
    try {
      this.turn();
    } catch (thrown) {
      this.fail(thrown);
    }
  }

  /**
   * Sends close_notify (RFC 8446 6.1), and nothing after it. Data that the peer had sent by then may still be
   * read; a handshake is over.
   */
  close(): void {
    if (this.fault || this.closing) return;
    this.closing = true;
    this.sendAlert(LEVEL_WARNING, alert.close_notify);
    this.forget();
  }

  /** The transport delivers no more bytes. Without close_notify before that: TRUNCATED. */
  eof(): void {
    this.transportEnded = true;
    this.stalled = false;
    this.forget();
  }

  /** The connection is over, whatever still waits: no secret and no data stay. */
  wipe(): void {
    this.closing = this.transportEnded = true;
    this.forget();
    this.inbox.bytes.fill(0);
    this.outbox.bytes.fill(0);
  }

  /** Ends the connection with a fault that the owner found, such as a time-out; the peer gets its alert, or another. */
  fail(thrown: unknown, description?: number): void {
    if (this.fault) return;
    this.fault = isFault(thrown) ? thrown : faults.INTERNAL_ERROR;
    if (this.fault !== thrown) this.cause = thrown;
    if (this.fault === faults.BUFFER_TOO_SMALL) this.faultDetail = this.inbox.needed;
    const silent = this.closing || this.fault === faults.PEER_ALERT || this.fault === faults.TRUNCATED;
    if (!silent) this.sendAlert(LEVEL_FATAL, description ?? alertOf(this.fault));
    this.forget();
  }

  /** Nothing will change any more, but for what waits in `cipherOut`. */
  private get over(): boolean {
    const useless = !this.established || this.closedByPeer || this.transportEnded;
    return this.fault !== undefined || (this.closing && useless);
  }

  /** What is over needs no secrets. */
  private forget(): void {
    if (!this.over) return;
    this.receiveBy(plaintext);
    this.sendUnder(plaintext);
    this.machine.wipe();
  }

  // ---- For whoever moves bytes

  /** Some came, went or were read, so there may be something to do. */
  wake(): void {
    this.stalled = false;
  }

  /** Bytes of application data that may be written at once. */
  get plainRoom(): number {
    const open = this.established && !this.closing && this.fault === undefined;
    return open && this.step === NONE ? this.outbox.room : 0;
  }

  /** Seals `n` bytes of application data that lie at `outbox.contentStart`; more than may be written, or none, it does not. */
  sendPlain(n: number): void {
    const { protection } = this.outbox;
    if (n === 0 || n > this.plainRoom) return;
    try {
      if (protection.sequence >= protection.capacity) throw faults.KEY_EXHAUSTED;
      this.outbox.emit(contentType.application_data, n);
    } catch (thrown) {
      this.fail(thrown);
      return;
    }
    if (protection.sequence * 2 >= protection.capacity) this.machine.refreshKey();
  }

  // ---- For the rows

  /** Begins a handshake message where it will be sent from; write its body, then `send`. */
  begin(type: number): Writer {
    const writer = this.beginRaw(type);
    writer.u8(type);
    writer.begin24();
    return writer;
  }

  /** Finishes the message that `begin` began, and makes records of it. */
  send(): void {
    const start = this.outbox.contentStart;
    this.writer.finish24(start + 1);
    this.sendRaw();
  }

  /** Begins or continues a message that is too long for the buffer: its header is the caller's to write. */
  beginRaw(type: number): Writer {
    this.sending = type;
    return this.writer.over(this.outbox.bytes, this.outbox.contentStart, this.outbox.contentLimit);
  }

  /** Makes records of the bytes that were written; of none after close_notify (RFC 8446 6.1). */
  sendRaw(): void {
    const { outbox, machine } = this;
    if (this.closing) return;
    const start = outbox.contentStart;
    const end = this.writer.at;
    machine.trace(true, (contentType.handshake << 8) | this.sending, outbox.bytes, start, end);
    machine.transcribe(outbox.bytes, start, end);
    outbox.emit(contentType.handshake, end - start);
  }

  sendChangeCipherSpec(): void {
    const { outbox } = this;
    outbox.bytes[outbox.contentStart] = 1;
    outbox.emit(contentType.change_cipher_spec, 1);
    this.machine.trace(true, contentType.change_cipher_spec << 8, outbox.bytes, outbox.end - 1, outbox.end);
  }

  /** From here on records come under `protection`; no message may reach across (RFC 8446 5.1). */
  receiveUnder(protection: Protection): void {
    if (this.left > 0 || this.inbox.messageEnd !== this.consumed) throw faults.UNEXPECTED_MESSAGE;
    this.receiveBy(protection);
  }

  private receiveBy(protection: Protection): void {
    this.inbound.dispose();
    this.inbound = protection;
  }

  sendUnder(protection: Protection): void {
    const { outbox } = this;
    outbox.protection.dispose();
    outbox.protection = protection;
  }

  /** Counts what has no effect, so that it can't go on for ever. */
  countIdle(): void {
    if (++this.idleMessages > MAX_IDLE) throw faults.TOO_MANY_EMPTY_RECORDS;
  }

  // ---- The machine

  /** Where in the table the row for what happens in the present state begins, or NONE. */
  private row(on: number): number {
    const { table, state } = this.machine;
    const { rows } = table;
    for (let i = 0, n = rows.length; i < n; i += COLUMNS + 1)
      if (rows[i] === on && (rows[i + 1] === state || rows[i + 1] === "ANY")) return i;
    return NONE;
  }

  /** The conditions of a row, as bits. */
  private conditions(row: number): number {
    return this.machine.table.rows[row + 2] as number;
  }

  /** Runs a row, which tells the next state. */
  private run(row: number): string {
    return this.call(row, 0, this.machine) as string;
  }

  /** Has a row do something for `subject`: 0, or MEASURE. */
  private call(row: number, what: number, subject: Machine | Reader): unknown {
    const { rows, parts } = this.machine.table;
    const number = rows[row + COLUMNS] as number;
    return parts[number >> PART].call((number & ROW) | what, subject as never);
  }

  /** What the present state does by itself, if anything: kept, as every record asks for it several times. */
  private get step(): number {
    const { table, state } = this.machine;
    if (this.stepState !== state || this.stepTable !== table) {
      this.stepRow = this.row(STEP);
      this.stepState = state;
      this.stepTable = table;
    }
    return this.stepRow;
  }

  private turn(): void {
    do {
      const { step } = this;
      if (step !== NONE) {
        const conditions = this.conditions(step);
        this.stalled = (conditions & WAITS) !== 0 || ((conditions & SENDS) !== 0 && !this.canSend());
        if (!this.stalled) this.machine.state = this.run(step);
        return;
      }
    } while (this.advanceInput());
    this.stalled = true;
  }

  private canSend(): boolean {
    const { outbox } = this;
    return outbox.pending === 0 || outbox.contentLimit - outbox.contentStart >= STEP_ROOM;
  }

  /** Handles a message, or opens a record; false when more bytes, or their reader, must come first. */
  private advanceInput(): boolean {
    const { inbox } = this;
    if (this.closedByPeer || inbox.plainAt < inbox.plainEnd) return false;
    const n = this.nextMessage();
    if (n > 0) this.handle(n);
    else if (!this.openRecord()) return this.awaitInput();
    return true;
  }

  private awaitInput(): false {
    if (this.transportEnded) throw faults.TRUNCATED;
    this.inbox.makeRoom();
    this.consumed = this.inbox.messageAt;
    return false;
  }

  /** Bytes of the next message, or of the next part of one, header and all; 0 while they are not all there. */
  private nextMessage(): number {
    const { inbox } = this;
    inbox.messageAt = this.consumed;
    if (this.left > 0) return this.nextPart();
    if (inbox.messageLeft < MESSAGE_HEADER) return 0;
    const reader = this.reader.over(inbox.bytes, inbox.messageAt, inbox.messageEnd);
    this.type = reader.u8();
    const length = reader.u24();
    const row = this.row(this.type);
    if (row === NONE) throw faults.UNEXPECTED_MESSAGE;
    this.handler = row;
    const conditions = this.conditions(row);
    const most = conditions >> MOST;
    if (most !== 0 && length >= most) throw faults.DECODE_ERROR;
    if ((conditions & IN_PARTS) !== 0) return this.beginParts(length);
    inbox.admit(MESSAGE_HEADER + length);
    return inbox.messageLeft < MESSAGE_HEADER + length ? 0 : MESSAGE_HEADER + length;
  }

  private beginParts(length: number): number {
    const { inbox } = this;
    if (length === 0) throw faults.DECODE_ERROR;
    this.machine.transcribe(inbox.bytes, inbox.messageAt, inbox.messageAt + MESSAGE_HEADER);
    inbox.messageAt += MESSAGE_HEADER;
    this.consumed = inbox.messageAt;
    this.left = length;
    return this.nextPart();
  }

  private nextPart(): number {
    const { inbox } = this;
    const row = this.row(this.type);
    if (row === NONE || (this.conditions(row) & IN_PARTS) === 0) throw faults.DECODE_ERROR;
    this.handler = row;
    const have = Math.min(inbox.messageLeft, this.left);
    const part = this.reader.over(inbox.bytes, inbox.messageAt, inbox.messageAt + have);
    const n = this.call(row, MEASURE, part) as number;
    if (n > this.left || (n === 0 && have === this.left)) throw faults.DECODE_ERROR;
    inbox.admit(n);
    return have < n ? 0 : n;
  }

  /** Runs the row for `n` bytes of message. It stands high on the stack: the deepest calls begin here. */
  private handle(n: number): void {
    const { inbox, reader, machine } = this;
    const start = inbox.messageAt;
    this.consumed = start + n;
    reader.over(inbox.bytes, this.left > 0 ? start : start + MESSAGE_HEADER, start + n);
    if (this.left > 0) this.left -= n;
    machine.trace(false, (contentType.handshake << 8) | this.type, inbox.bytes, start, start + n);
    const { handler } = this;
    const isPart = machine.table.rows[handler + 1] !== "ANY";
    const next = this.run(handler);
    reader.finish();
    if (isPart) machine.transcribe(inbox.bytes, start, start + n);
    machine.state = next;
  }

  /** Opens the next record, if it is there whole, and hands its content on. */
  private openRecord(): boolean {
    const { inbox, opened, inbound } = this;
    const length = inbox.record();
    if (length === 0) return false;
    const at = inbox.rawAt;
    inbound.open(inbox.bytes, at, at + length, opened);
    inbox.rawAt += length;
    const excess = opened.sealed
      ? length - inbound.prefix - TAG - this.maxInner
      : opened.end - opened.start - MAX_PLAINTEXT;
    if (excess > 0) throw faults.RECORD_OVERFLOW;
    this.checkProtection();
    this.receive(opened.type, opened.start, opened.end);
    return true;
  }

  /** With keys, only the ChangeCipherSpec of RFC 8446 D.4 comes in the clear, and the alert of a peer that has none yet. */
  private checkProtection(): void {
    const { inbound, opened } = this;
    if (inbound.suffix === 0) return;
    if (opened.type === contentType.alert && inbound.sequence === 0 && !this.established) return;
    if (opened.sealed === (opened.type === contentType.change_cipher_spec)) throw faults.UNEXPECTED_MESSAGE;
  }

  private receive(type: number, start: number, end: number): void {
    if (type === SKIPPED) return;
    if (type === contentType.handshake) this.receiveHandshake(start, end);
    else if (type === contentType.alert) this.receiveAlert(start, end);
    else if (this.inbox.messageLeft > 0 || this.left > 0) throw faults.UNEXPECTED_MESSAGE;
    else if (type === contentType.application_data) this.receivePlain(start, end);
    else if (type === contentType.change_cipher_spec) this.receiveChangeCipherSpec(start, end);
    else throw faults.UNEXPECTED_MESSAGE;
  }

  /** Zero-length fragments of handshake messages are not allowed (RFC 8446 5.1). */
  private receiveHandshake(start: number, end: number): void {
    if (start === end) throw faults.UNEXPECTED_MESSAGE;
    this.inbox.append(start, end);
    this.consumed = this.inbox.messageAt;
  }

  private receivePlain(start: number, end: number): void {
    if (!this.established) throw faults.UNEXPECTED_MESSAGE;
    if (start === end) this.countIdle();
    else this.idleMessages = 0;
    const { inbox } = this;
    inbox.plainAt = start;
    inbox.plainEnd = end;
    // Or it would keep what the buffer has outgrown
    this.reader.bytes = inbox.bytes;
  }

  private receiveChangeCipherSpec(start: number, end: number): void {
    const row = this.row(CHANGE_CIPHER_SPEC);
    if (row === NONE || end - start !== 1 || this.inbox.bytes[start] !== 1) throw faults.UNEXPECTED_MESSAGE;
    this.countIdle();
    this.machine.trace(false, contentType.change_cipher_spec << 8, this.inbox.bytes, start, end);
    this.machine.state = this.run(row);
  }

  /** Alert, RFC 8446 section 6: all but closure are fatal in TLS 1.3, whatever their level says. None is empty (5.4). */
  private receiveAlert(start: number, end: number): void {
    const { bytes } = this.inbox;
    if (start === end) throw faults.UNEXPECTED_MESSAGE;
    if (end - start !== 2) throw faults.DECODE_ERROR;
    this.machine.trace(false, contentType.alert << 8, bytes, start, end);
    const description = bytes[start + 1];
    const closes = description === alert.close_notify;
    const warns = this.warnings && bytes[start] === LEVEL_WARNING && !closes;
    // In the clear it may be anybody's: it ends the handshake, whatever it says
    const bare = this.inbound.suffix > 0 && !this.opened.sealed;
    // Before the handshake is done, closing it is failing it
    if (closes && this.established) this.receiveEnd();
    else if (!bare && (warns || description === alert.user_canceled)) this.countIdle();
    else this.failByAlert(description);
  }

  private receiveEnd(): void {
    this.closedByPeer = true;
    this.forget();
  }

  private failByAlert(description: number): never {
    this.faultDetail = description;
    throw faults.PEER_ALERT;
  }

  protected sendAlert(level: number, description: number): void {
    const { outbox } = this;
    const start = outbox.contentStart;
    outbox.bytes[start] = level;
    outbox.bytes[start + 1] = description;
    this.machine.trace(true, contentType.alert << 8, outbox.bytes, start, start + 2);
    try {
      outbox.emitReserved(contentType.alert, 2);
    } catch (thrown) {
      // The provider's failure; the peer then hears of ours by the end of the connection
      this.cause ??= thrown;
    }
  }
}
