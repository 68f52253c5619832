/** Carries the lines between a test, which sleeps meanwhile, and the XS host. */

import { spawn } from "node:child_process";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { type MessagePort, workerData } from "node:worker_threads";

export interface WorkerData {
  readonly binary: string;
  readonly program: string;
  readonly port: MessagePort;
  /** Becomes 1 when there is a message. */
  readonly signal: Int32Array;
}

/** A line of the host's, or why there will be none any more. */
export interface WorkerMessage {
  readonly line?: string;
  readonly failure?: string;
}

const { binary, program, port, signal } = workerData as WorkerData;

function tell(message: WorkerMessage): void {
  port.postMessage(message);
  Atomics.store(signal, 0, 1);
  Atomics.notify(signal, 0);
}

const server = createServer((socket: Socket) => {
  let line = "";
  server.close();
  port.on("message", (text: string) => socket.write(text));
  socket.setEncoding("latin1").on("data", (part: string) => {
    line += part;
    if (!line.endsWith("\n")) return;
    tell({ line });
    line = "";
  });
  tell({ line: "" });
});

server.listen(0, "127.0.0.1", () => {
  const child = spawn(binary, [program, String((server.address() as AddressInfo).port)]);
  let said = "";
  child.stdout.on("data", (part) => (said += part));
  child.stderr.on("data", (part) => (said += part));
  child.on("error", (error) => tell({ failure: error.message }));
  child.on("close", (code, signal) => tell({ failure: `the XS host ended: ${signal ?? code} ${said}` }));
});
