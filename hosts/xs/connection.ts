import { type Port, type TlsClient, wants } from "../../src/client/index.js";
import { TCP } from "./tcp.js";

/** Who a connection is for. */
export interface Owner {
  /** The handshake and every check passed. */
  opened(): void;
  /** Application data came. */
  received(bytes: Uint8Array, start: number, end: number): void;
  /** It is over. The client knows of faults; `error` is the network's. Nothing comes after it. */
  ended(error: Error | undefined): void;
}

/** A TlsClient on a TCP socket. */
export class Connection {
  private readonly client: TlsClient;
  private readonly owner: Owner;
  private readonly tcp: TCP;
  private readable = 0;
  private writable = 0;
  private secured = false;
  private over = false;

  /** Begins to connect. Throws Error when the address can't be. */
  constructor(client: TlsClient, address: string, port: number, owner: Owner) {
    this.client = client;
    this.owner = owner;
    this.tcp = new TCP({
      address,
      port,
      onReadable: (count) => this.onReadable(count),
      onWritable: (count) => this.onWritable(count),
      onError: (error) => this.onError(error),
    });
  }

  /** Sends what there is room for of `bytes[start…end)`, in one record; returns how much that was. */
  write(bytes: Uint8Array, start: number, end: number): number {
    const { plainIn } = this.client;
    const n = Math.min(end - start, plainIn.end - plainIn.start);
    plainIn.bytes.set(bytes.subarray(start, start + n), plainIn.start);
    plainIn.advance(n);
    this.run();
    return n;
  }

  /** Sends close_notify; the server's answer is awaited. */
  close(): void {
    this.client.close();
    this.run();
  }

  /** Ends it at once. */
  drop(error?: Error): void {
    if (this.over) return;
    this.over = true;
    this.client.wipe();
    this.tcp.close();
    this.owner.ended(error);
  }

  private onReadable(count: number): void {
    this.readable = count;
    this.run();
  }

  private onWritable(count: number): void {
    this.writable = count;
    this.run();
  }

  private onError(error: Error | undefined): void {
    if (error && !this.client.fault) {
      this.drop(error);
      return;
    }
    this.writable = 0;
    this.client.eof();
    this.run();
    this.drop();
  }

  /** Lets the client do all that it can. */
  private run(): void {
    while (!this.over && this.step());
    if (this.over) return;
    if (this.client.wants & wants.CLOSED) this.drop();
    else if (this.client.closedByPeer) this.close();
  }

  /** One thing of what the client waits for; false when nothing can go on. */
  private step(): boolean {
    const { client } = this;
    const now = client.wants;
    if (now & wants.WORK) client.work();
    else if (now & wants.WRITE && this.writable > 0) this.send(client.cipherOut);
    else if (now & wants.DATA) this.deliver(client.plainOut);
    else if (now & wants.READ && this.readable > 0) this.receive(client.cipherIn);
    else return this.announce();
    return true;
  }

  private send(port: Port): void {
    const n = Math.min(port.end - port.start, this.writable);
    this.writable = this.tcp.write(port.bytes.subarray(port.start, port.start + n));
    port.advance(n);
  }

  private receive(port: Port): void {
    const n = Math.min(port.end - port.start, this.readable);
    this.tcp.read(port.bytes.subarray(port.start, port.start + n));
    this.readable -= n;
    port.advance(n);
  }

  private deliver(port: Port): void {
    this.owner.received(port.bytes, port.start, port.end);
    port.advance(port.end - port.start);
  }

  private announce(): boolean {
    if (this.secured || !this.client.established) return false;
    this.secured = true;
    this.owner.opened();
    return true;
  }
}
