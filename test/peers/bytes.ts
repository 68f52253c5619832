/** Building and reading TLS's big-endian structs: plain and allocating, since this is test code. */

export const none = Buffer.alloc(0);

export function u8(value: number): Buffer {
  return Buffer.from([value]);
}

export function u16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 255]);
}

export function u24(value: number): Buffer {
  return Buffer.from([value >> 16, (value >> 8) & 255, value & 255]);
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function concat(...parts: Uint8Array[]): Buffer {
  return Buffer.concat(parts);
}

/** `opaque<0..2^8-1>`: the parts behind a one-byte length. */
export function vec8(...parts: Uint8Array[]): Buffer {
  const body = concat(...parts);
  return concat(u8(body.length), body);
}

export function vec16(...parts: Uint8Array[]): Buffer {
  const body = concat(...parts);
  return concat(u16(body.length), body);
}

export function vec24(...parts: Uint8Array[]): Buffer {
  const body = concat(...parts);
  return concat(u24(body.length), body);
}

/** The bytes with one bit flipped; a negative index counts from the end. */
export function flip(bytes: Buffer, index = -1): Buffer {
  const copy = Buffer.from(bytes);
  copy[index < 0 ? copy.length + index : index] ^= 1;
  return copy;
}

/** The bytes cut into pieces of `size`, the last one shorter. */
export function chunks(bytes: Buffer, size: number): Buffer[] {
  const out: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) out.push(bytes.subarray(at, at + size));
  return out;
}

/** Reads a struct front to back; `what` names it in the error. */
export class Cursor {
  private at = 0;
  private readonly bytes: Buffer;
  private readonly what: string;

  constructor(bytes: Buffer, what: string) {
    this.bytes = bytes;
    this.what = what;
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  take(length: number): Buffer {
    if (length > this.left) throw new Error(`${this.what} is cut short`);
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  u8(): number {
    return this.take(1)[0];
  }

  u16(): number {
    return this.take(2).readUInt16BE();
  }

  u24(): number {
    return this.take(3).readUIntBE(0, 3);
  }

  vec8(): Buffer {
    return this.take(this.u8());
  }

  vec16(): Buffer {
    return this.take(this.u16());
  }

  vec24(): Buffer {
    return this.take(this.u24());
  }

  /** Refuses trailing bytes. */
  end(): void {
    if (this.left > 0) throw new Error(`${this.what} has ${this.left} bytes too many`);
  }
}

/** The u16 numbers in a vector's contents. */
export function u16List(bytes: Buffer, what: string): number[] {
  const cursor = new Cursor(bytes, what);
  const out: number[] = [];
  while (cursor.left > 0) out.push(cursor.u16());
  return out;
}
