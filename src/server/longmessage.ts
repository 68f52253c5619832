import type { Engine } from "../record/engine.js";

/** A handshake message that may be longer than the output buffer: it goes out as there is room. */
export class LongMessage {
  private readonly type: number;
  private readonly parts: readonly Uint8Array[];
  private readonly length: number;
  private part = 0;
  private offset = 0;
  private begun = false;

  /** `parts`, one after another, are the body. */
  constructor(type: number, parts: readonly Uint8Array[]) {
    this.type = type;
    this.parts = parts;
    this.length = parts.reduce((sum, { length }) => sum + length, 0);
  }

  /** Sends as much as there is room for; true when that was the rest. */
  send(engine: Engine): boolean {
    const w = engine.beginRaw(this.type);
    if (!this.begun) {
      w.u8(this.type);
      w.u24(this.length);
      this.begun = true;
    }
    while (this.part < this.parts.length && w.room > 0) {
      const bytes = this.parts[this.part];
      const end = Math.min(bytes.length, this.offset + w.room);
      w.copy(bytes, this.offset, end);
      this.offset = end === bytes.length ? 0 : end;
      if (end === bytes.length) this.part++;
    }
    engine.sendRaw();
    return this.part === this.parts.length;
  }
}

export function u8(value: number): Uint8Array {
  return Uint8Array.of(value);
}

export function u24(value: number): Uint8Array {
  return Uint8Array.of(value >> 16, value >> 8, value);
}
