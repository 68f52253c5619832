/** Carries the frames between a test, which sleeps meanwhile, and the XS host. */

import { spawn } from "node:child_process";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { type MessagePort, workerData } from "node:worker_threads";
import { HEADER } from "../../xs/remote-protocol.js";

export interface WorkerData {
  readonly binary: string;
  readonly program: string;
  readonly port: MessagePort;
  /** Becomes 1 when there is a message. */
  readonly signal: Int32Array;
}

/** A frame of the host's, or why there will be none any more. */
export interface WorkerMessage {
  readonly frame?: Uint8Array;
  readonly failure?: string;
}

const { binary, program, port, signal } = workerData as WorkerData;

function tell(message: WorkerMessage): void {
  port.postMessage(message);
  Atomics.store(signal, 0, 1);
  Atomics.notify(signal, 0);
}

const server = createServer((socket: Socket) => {
  let parts: Buffer[] = [];
  server.close();
  port.on("message", (frame: Uint8Array) => socket.write(frame));
  // the host waits for a first byte
  socket.setNoDelay(true).write(Buffer.of(0));
  socket.on("data", (part: Buffer) => {
    parts.push(part);
    const frame = Buffer.concat(parts);
    if (frame.length < lengthOf(frame)) return;
    tell({ frame });
    parts = [];
  });
  tell({ frame: Buffer.alloc(HEADER) });
});

function lengthOf(frame: Buffer): number {
  return frame.length < HEADER ? HEADER : HEADER + frame.readUInt32BE(0) + frame.readUInt32BE(4);
}

server.listen(0, "127.0.0.1", () => {
  const child = spawn(binary, [program, String((server.address() as AddressInfo).port)]);
  let said = "";
  child.stdout.on("data", (part) => (said += part));
  child.stderr.on("data", (part) => (said += part));
  child.on("error", (error) => tell({ failure: error.message }));
  child.on("close", (code, signal) => tell({ failure: `the XS host ended: ${signal ?? code} ${said}` }));
});
