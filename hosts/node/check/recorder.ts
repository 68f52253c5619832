import { contentType, statusType } from "../../../src/client/index.js";
import { type Item, MessageParts, readStatuses } from "../trace/parts.js";

/** The certificates that a server sends, and what it staples, as they pass: nothing is judged here. */
export class Recorder {
  /** DER, in the order sent. */
  readonly certificates: Buffer[] = [];
  /** For each certificate its OCSP response, where there is one. */
  readonly staples: (Buffer | undefined)[] = [];
  private readonly parts = new MessageParts();
  private readonly tls13: boolean;

  constructor(tls13: boolean) {
    this.tls13 = tls13;
  }

  /** To be called as `onMessage`. */
  readonly record = (sent: boolean, type: number, bytes: Uint8Array, start: number, end: number): void => {
    if (sent || type >> 8 !== contentType.handshake) return;
    const part = Buffer.from(bytes.subarray(start, end));
    for (const item of this.parts.take(sent, type & 0xff, part, this.tls13) ?? []) this.take(item);
  };

  private take(item: Item): void {
    if (item.kind === "certificate") {
      this.staples[this.certificates.length] = item.extensions && stapleIn(item.extensions);
      this.certificates.push(item.der);
    } else if (item.kind === "response" && item.der.length > 0) this.staples[item.index ?? 0] = item.der;
  }
}

/** What can't be read the core has refused already. */
function stapleIn(block: Buffer): Buffer | undefined {
  try {
    return readStatuses(block).find(({ type }) => type === statusType.ocsp)?.der;
  } catch {
    return undefined;
  }
}
