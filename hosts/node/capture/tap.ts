import type { OnCipher } from "../socket/transport.js";
import type { TransportSocket } from "../socket/transport-socket.js";
import type { Capture, Flow } from "./pcapng.js";

/** Records one socket's connection in a capture: give it `onCipher` as it is made, and then let the tap `watch` it. */
export class Tap {
  private readonly capture: Capture;
  /** Whether the socket opened the connection. */
  private readonly client: boolean;
  private socket: TransportSocket | undefined;
  private flow: Flow | undefined;

  constructor(capture: Capture, client: boolean) {
    this.capture = capture;
    this.client = client;
  }

  readonly onCipher: OnCipher = (sent, bytes) => {
    this.flow ??= this.open();
    this.flow?.cipher(sent, bytes);
  };

  watch(socket: TransportSocket): void {
    this.socket = socket;
    socket.on("keylog", (line: Buffer) => this.flow?.secret(line));
    socket.on("close", () => this.flow?.close());
  }

  /** Not before bytes flow: until then the addresses are not known. */
  private open(): Flow | undefined {
    if (this.socket === undefined) return undefined;
    const { localAddress, localPort = 0, remoteAddress, remotePort = 0 } = this.socket;
    return this.capture.open({
      local: { address: localAddress ?? "127.0.0.1", port: localPort },
      remote: { address: remoteAddress ?? "127.0.0.1", port: remotePort },
      client: this.client,
    });
  }
}
