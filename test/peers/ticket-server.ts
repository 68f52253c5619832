import { NOW } from "../../certs/fixtures.js";
import { provider } from "../../hosts/node/provider.js";
import { wants } from "../../src/client/index.js";
import { type ServerOptions, TlsServer } from "../../src/server/index.js";
import { drain, selection, staples } from "../server/pair.js";
import { concat } from "./bytes.js";

const ticketKeys = [{ name: new Uint8Array(16).fill(1), key: new Uint8Array(32).fill(2) }];

/** Our own server, which gives tickets and resumes their sessions, without I/O: bytes in, bytes out. */
export class TicketServer {
  readonly end: TlsServer;
  received = "";

  constructor(options: Partial<ServerOptions> = {}) {
    this.end = new TlsServer({
      provider,
      select: () => ({ ...selection("p256"), staples: staples("p256").slice(0, 1) }),
      clock: () => NOW,
      ticketKeys,
      ticketLifetime: 3600,
      ...options,
    });
  }

  get open(): boolean {
    return this.end.established;
  }

  feed(bytes: Uint8Array): Buffer {
    const { end } = this;
    const out: Buffer[] = [];
    for (let at = 0; ; ) {
      if (end.wants & wants.WORK) end.work();
      else if (end.wants & wants.WRITE) out.push(drain(end.cipherOut));
      else if (end.wants & wants.DATA) this.received += drain(end.plainOut).toString();
      else if (at < bytes.length) {
        const { cipherIn } = end;
        const n = Math.min(bytes.length - at, cipherIn.end - cipherIn.start);
        if (n === 0) throw new Error("the server takes no more");
        cipherIn.bytes.set(bytes.subarray(at, at + n), cipherIn.start);
        cipherIn.advance(n);
        at += n;
      } else return concat(...out);
    }
  }

  /** Data for the client, sealed. */
  send(data: Uint8Array): Buffer {
    this.end.plainIn.bytes.set(data, this.end.plainIn.start);
    this.end.plainIn.advance(data.length);
    return this.feed(new Uint8Array(0));
  }
}
