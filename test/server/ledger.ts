import type { ServerHandshake } from "../../src/server/handshake.js";
import type { Lender, TlsServer } from "../../src/server/index.js";

/** Lends memory, sees that what comes back is what was lent, once and wiped, and hands it on at once. */
export class Ledger implements Lender {
  /** What is lent at present. */
  readonly lent = new Set<Uint8Array>();
  private readonly free: Uint8Array[] = [];
  /** How often memory was lent that somebody had before. */
  reused = 0;

  take(size: number): Uint8Array {
    const known = this.free.findIndex(({ length }) => length === size);
    const [bytes] = known < 0 ? [new Uint8Array(size)] : this.free.splice(known, 1);
    if (known >= 0) this.reused++;
    this.lent.add(bytes);
    return bytes;
  }

  give(bytes: Uint8Array): void {
    if (!this.lent.delete(bytes)) throw new Error("it was not lent");
    if (bytes.some((byte) => byte !== 0)) throw new Error("it is not wiped");
    this.free.push(bytes);
  }

  /** The sizes of what is lent. */
  get sizes(): number[] {
    return [...this.lent].map(({ length }) => length).sort((a, b) => a - b);
  }
}

export function engineOf(server: TlsServer): ServerHandshake["engine"] {
  return (server as unknown as { handshake: ServerHandshake }).handshake.engine;
}

/** The memory that a server reads in at present. */
export function inputOf(server: TlsServer): Uint8Array {
  return engineOf(server).inbox.bytes;
}
