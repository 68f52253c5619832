import { fixture, NOW } from "../../certs/fixtures.js";
import { provider, signer } from "../../hosts/node/provider.js";
import { type ClientOptions, type Port, TlsClient, wants } from "../../src/client/index.js";
import { type Selection, type ServerOptions, TlsServer } from "../../src/server/index.js";
import { trust } from "../client/link.js";
import { servers } from "../peers/identity.js";

/** Our client and our server, connected in memory. */

export { trust };

/** What a server answers with: a chain of the good PKI and its key, and staples if wanted. */
export function selection(kind: keyof typeof servers): Selection {
  const { chain, key } = servers[kind];
  return { identity: { certificates: chain, signer: signer(key) } };
}

/** The staples of server1's chain: leaf, intermediate; the root is known anyway. */
export function staples(edition: "p256" | "rsa"): Uint8Array[] {
  return [fixture(`good/${edition}/server1-ocsp.der`), fixture(`good/${edition}/intermediate1-ocsp.der`)];
}

export const clientDefaults: ClientOptions = Object.freeze({
  provider,
  serverName: "localhost",
  trust,
  clock: () => NOW,
});

export const serverDefaults: ServerOptions = Object.freeze({
  provider,
  select: () => selection("p256"),
  clock: () => NOW,
});

type End = TlsClient | TlsServer;

/** Takes all that the port holds. */
export function drain(port: Port): Buffer {
  const bytes = Buffer.from(port.bytes.subarray(port.start, port.end));
  port.advance(bytes.length);
  return bytes;
}

/** One side, what is under way to it, and what it has read. */
export class Side<E extends End> {
  readonly end: E;
  incoming = Buffer.alloc(0);
  received = Buffer.alloc(0);
  /** All bytes that it sent. */
  sent: Buffer[] = [];
  /** The most bytes that it gets at once. */
  chunk = Number.POSITIVE_INFINITY;

  constructor(end: E) {
    this.end = end;
  }

  /** One thing of what it waits for; false when nothing can go on. */
  turn(send: (bytes: Buffer) => void): boolean {
    const { end } = this;
    const flags = end.wants;
    if (flags & wants.WORK) end.work();
    else if (flags & wants.WRITE) {
      const bytes = drain(end.cipherOut);
      this.sent.push(bytes);
      send(bytes);
    } else if (flags & wants.DATA) this.received = Buffer.concat([this.received, drain(end.plainOut)]);
    else if (flags & wants.READ && this.incoming.length > 0) this.read();
    else return false;
    return true;
  }

  private read(): void {
    const { cipherIn } = this.end;
    const n = Math.min(cipherIn.end - cipherIn.start, this.incoming.length, this.chunk);
    cipherIn.bytes.set(this.incoming.subarray(0, n), cipherIn.start);
    cipherIn.advance(n);
    this.incoming = this.incoming.subarray(n);
  }

  /** Writes as much of the data as there is room for; returns how much. */
  write(data: Buffer): number {
    const { plainIn } = this.end;
    const n = Math.min(plainIn.end - plainIn.start, data.length);
    plainIn.bytes.set(data.subarray(0, n), plainIn.start);
    plainIn.advance(n);
    return n;
  }
}

export class Pair {
  readonly client: Side<TlsClient>;
  readonly server: Side<TlsServer>;

  /** `end`: a server that is there already. */
  constructor(server: Partial<ServerOptions> = {}, client: Partial<ClientOptions> = {}, end?: TlsServer) {
    this.client = new Side(new TlsClient({ ...clientDefaults, ...client }));
    this.server = new Side(end ?? new TlsServer({ ...serverDefaults, ...server }));
  }

  /** Lets both sides do all that they can. */
  run(): this {
    const { client, server } = this;
    const toServer = (bytes: Buffer) => {
      server.incoming = Buffer.concat([server.incoming, bytes]);
    };
    const toClient = (bytes: Buffer) => {
      client.incoming = Buffer.concat([client.incoming, bytes]);
    };
    for (let turns = 0; ; turns++) {
      if (turns > 1e6) throw new Error("never at rest");
      const moved = client.turn(toServer);
      if (!server.turn(toClient) && !moved) return this;
    }
  }

  /** Sends data from one side to the other, whatever its length. */
  send(from: "client" | "server", data: Buffer): this {
    for (let at = 0; at < data.length; ) {
      const n = this[from].write(data.subarray(at));
      if (n === 0) throw new Error(`no room to write in state ${this[from].end.state}`);
      at += n;
      this.run();
    }
    return this;
  }
}
