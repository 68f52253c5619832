import { faults } from "../wire/fault.js";
import { contentType } from "../wire/registry.js";
import { HEADER, MAX_CIPHERTEXT } from "./protection.js";

/** Bytes of a handshake message's header: HandshakeType and u24 length (RFC 8446 section 4). */
export const MESSAGE_HEADER = 4;

/**
 * The input buffer, `bytes[0…size)`. From low to high it holds, each possibly empty:
 *
 *   message [messageAt…messageEnd)  handshake bytes: opened, put next to each other, not consumed yet
 *   plain   [plainAt…plainEnd)      one record's application data that the caller has not read yet
 *   raw     [rawAt…rawEnd)          bytes from the transport: whole records and the beginning of one
 *
 * Invariants: messageEnd ≤ rawAt, plainEnd ≤ rawAt ≤ rawEnd ≤ size; at most one of message and plain is
 * not empty, because no other record may come between a handshake message's fragments (RFC 8446 5.1).
 * Records are opened where they lie; bytes move only down, and only when the record in progress would
 * otherwise not fit. What fits into no buffer of this size moves to a larger one, of at most `most` bytes: a server
 * with short records costs no more memory than they need.
 */
export class Inbox {
  bytes: Uint8Array;
  protected size: number;
  private readonly most: number;
  messageAt: number;
  messageEnd: number;
  plainAt: number;
  plainEnd: number;
  rawAt: number;
  rawEnd: number;
  /** After BUFFER_TOO_SMALL: the size of buffer that would have sufficed for what was seen. */
  needed = 0;

  constructor(bytes: Uint8Array, size: number, most: number) {
    this.bytes = bytes;
    this.size = size;
    this.most = most;
    this.messageAt = this.messageEnd = this.plainAt = this.plainEnd = this.rawAt = this.rawEnd = 0;
  }

  /** Bytes of handshake messages that wait. */
  get messageLeft(): number {
    return this.messageEnd - this.messageAt;
  }

  /** Bytes that the transport may put at `rawEnd`. */
  get room(): number {
    return this.size - this.rawEnd;
  }

  /** The length of the record at `rawAt`, header and all, or 0 while its header or its body is incomplete. */
  record(): number {
    const length = this.recordLength();
    return this.rawEnd - this.rawAt >= length ? length : 0;
  }

  /** TLSPlaintext and TLSCiphertext's header (RFC 8446 5.1, 5.2): refused as soon as it is there. */
  private recordLength(): number {
    const { bytes, rawAt } = this;
    if (this.rawEnd - rawAt < HEADER) return 0;
    const type = bytes[rawAt];
    if (type < contentType.change_cipher_spec || type > contentType.application_data)
      throw faults.UNKNOWN_RECORD_TYPE;
    if (bytes[rawAt + 1] !== 3) throw faults.RECORD_VERSION;
    const length = (bytes[rawAt + 3] << 8) | bytes[rawAt + 4];
    if (length > MAX_CIPHERTEXT) throw faults.RECORD_OVERFLOW;
    return HEADER + length;
  }

  /** Takes an opened record's handshake bytes, `bytes[start…end)`, behind those that wait. */
  append(start: number, end: number): void {
    if (this.messageLeft === 0) this.messageAt = this.messageEnd = start;
    else if (this.messageEnd !== start) this.bytes.copyWithin(this.messageEnd, start, end);
    this.messageEnd += end - start;
  }

  /** Refuses a message of `n` bytes that can never be in the buffer whole. */
  admit(n: number): void {
    if (n <= this.most) return;
    this.needed = n;
    throw faults.BUFFER_TOO_SMALL;
  }

  /**
   * Makes room for the record in progress, when nothing but the transport can bring the next step. Only
   * handshake bytes stay in front of it, since plain data has been read by then.
   */
  makeRoom(): void {
    if (this.plainAt < this.plainEnd) return;
    const needed = Math.max(this.recordLength(), HEADER);
    if (this.messageLeft + needed > this.size) this.grow(this.messageLeft + needed);
    if (this.rawAt === this.rawEnd || this.rawAt + needed > this.size) this.moveDown();
  }

  protected moveDown(): void {
    const { bytes, rawAt } = this;
    bytes.copyWithin(0, this.messageAt, this.messageEnd);
    this.messageEnd = this.messageLeft;
    this.messageAt = 0;
    bytes.copyWithin(this.messageEnd, rawAt, this.rawEnd);
    this.rawEnd -= rawAt - this.messageEnd;
    this.rawAt = this.plainAt = this.plainEnd = this.messageEnd;
  }

  /** Gets so many bytes, or refuses. */
  protected grow(needed: number): void {
    this.admit(needed);
    this.move(new Uint8Array(needed));
  }

  /** Goes on in other memory, and leaves nothing behind. */
  protected move(to: Uint8Array): void {
    const held = this.bytes.subarray(0, this.size);
    to.set(held);
    held.fill(0);
    this.bytes = to;
    this.size = to.length;
  }
}
