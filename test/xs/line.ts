/** A connection from XS to Node, for which XS waits. */
export class Line {
  private readonly socket: number;

  constructor(port: number) {
    this.socket = host.connect({ ready: () => undefined }, "127.0.0.1", port);
    host.watch(this.socket, false, false);
    // Node says something as soon as it is connected
    this.receive(1);
  }

  send(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) at += host.send(this.socket, bytes, at, bytes.length);
  }

  receive(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; ) {
      host.wait(this.socket);
      const n = host.read(this.socket, bytes, at, length);
      if (n === 0) throw new Error("Node has gone");
      if (n > 0) at += n;
    }
    return bytes;
  }
}
