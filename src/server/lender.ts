/** Where a connection's buffers come from, and go back to: it has them only while there is something in them. */
export interface Lender {
  /** Memory of `size` bytes, all zero, which is nobody else's until it is given back. */
  take(size: number): Uint8Array;
  /** Takes back what `take` gave, all of it wiped. */
  give(bytes: Uint8Array): void;
}

/** Makes new memory each time. */
export const fresh: Lender = Object.freeze({
  take: (size: number) => new Uint8Array(size),
  give: () => undefined,
});

/** Keeps what was given back for whoever asks next. */
export class Pool implements Lender {
  private readonly most: number;
  private readonly free = new Map<number, Uint8Array[]>();
  private kept = 0;

  /** `most`: bytes that are kept while nobody has them; what is given back beyond them is left to the collector. */
  constructor(most: number) {
    this.most = most;
  }

  /** Bytes that nobody has. */
  get size(): number {
    return this.kept;
  }

  /** The one that was given back last, as it is still in the processor's caches. */
  take(size: number): Uint8Array {
    const bytes = this.free.get(size)?.pop();
    if (bytes === undefined) return new Uint8Array(size);
    this.kept -= size;
    return bytes;
  }

  give(bytes: Uint8Array): void {
    const size = bytes.length;
    if (this.kept + size > this.most) return;
    const same = this.free.get(size);
    if (same) same.push(bytes);
    else this.free.set(size, [bytes]);
    this.kept += size;
  }
}
