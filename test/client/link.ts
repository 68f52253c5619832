import { NOW } from "../../certs/fixtures.js";
import { provider } from "../../hosts/node/provider.js";
import { type ClientOptions, type Port, TlsClient, trustAnchor, wants } from "../../src/client/index.js";
import { identity } from "../peers/identity.js";
import { Puppet } from "../peers/puppet.js";
import type { Script } from "../peers/script.js";

/** Our client and a puppet server, connected in memory. */

export const trust = [identity("p256", "root"), identity("rsa", "root")].map(({ chain }) =>
  trustAnchor(chain[0]),
);

export const defaults: ClientOptions = Object.freeze({
  provider,
  serverName: "localhost",
  trust,
  clock: () => NOW,
});

/** Takes all that the port holds. */
function drain(port: Port): Buffer {
  const bytes = Buffer.from(port.bytes.subarray(port.start, port.end));
  port.advance(bytes.length);
  return bytes;
}

export class Link {
  readonly client: TlsClient;
  readonly puppet: Puppet;
  /** Application data that the client received. */
  received = Buffer.alloc(0);
  /** Bytes under way to the client. */
  private toClient = Buffer.alloc(0);
  /** While true, what the client sends stays where it is. */
  stuck = false;
  /** The most bytes that reach the client at once. */
  private readonly chunk: number;

  constructor(script: Script, options: Partial<ClientOptions> = {}, chunk = Number.POSITIVE_INFINITY) {
    this.client = new TlsClient({ ...defaults, ...options });
    this.puppet = new Puppet(script);
    this.chunk = chunk;
  }

  /** Lets both sides do all that they can. */
  run(): this {
    for (let turns = 0; this.turn(); turns++) if (turns > 1e6) throw new Error("the client never rests");
    return this;
  }

  /** Puts bytes of the puppet's on the way to the client, and runs. */
  deliver(bytes: Buffer): this {
    this.toClient = Buffer.concat([this.toClient, bytes]);
    return this.run();
  }

  /** Sends application data, record by record as room comes up. */
  write(data: Buffer): this {
    for (let at = 0; at < data.length; ) {
      const { plainIn } = this.client;
      const n = Math.min(plainIn.end - plainIn.start, data.length - at);
      if (n === 0) throw new Error(`no room to write in state ${this.client.state}`);
      plainIn.bytes.set(data.subarray(at, at + n), plainIn.start);
      plainIn.advance(n);
      at += n;
      this.run();
    }
    return this;
  }

  /** The server's end of the transport closes. */
  eof(): this {
    this.client.eof();
    return this.run();
  }

  close(): this {
    this.client.close();
    return this.run();
  }

  /** One thing of what the client waits for; false when nothing can go on. */
  private turn(): boolean {
    const { client, puppet } = this;
    const flags = client.wants;
    if (flags & wants.WORK) client.work();
    else if (flags & wants.WRITE && !this.stuck)
      this.toClient = Buffer.concat([this.toClient, puppet.feed(drain(client.cipherOut))]);
    else if (flags & wants.DATA) this.received = Buffer.concat([this.received, drain(client.plainOut)]);
    else if (flags & wants.READ && this.toClient.length > 0) this.read();
    else return false;
    return true;
  }

  private read(): void {
    const { cipherIn } = this.client;
    const n = Math.min(cipherIn.end - cipherIn.start, this.toClient.length, this.chunk);
    cipherIn.bytes.set(this.toClient.subarray(0, n), cipherIn.start);
    cipherIn.advance(n);
    this.toClient = this.toClient.subarray(n);
  }
}
