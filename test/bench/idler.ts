/**
 * The process of a server whose connections are silent: of node:tls or of ours. Any message is answered with
 * what they are, and with the memory that they take.
 */

import { readFileSync } from "node:fs";
import type { Server, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { createServer as createTlsServer } from "node:tls";
import { credential } from "../../certs/fixtures.js";
import { createServer as createOurs } from "../../hosts/node/index.js";

export type Idler = "node:tls" | "tlstaple";

/** Bytes, after a collection. */
export interface Held {
  /** TCP connections that are open. */
  readonly connections: number;
  /** Those of them whose handshake is done. */
  readonly secured: number;
  /** Of the process. */
  readonly resident: number;
  readonly heap: number;
  /** Of ArrayBuffers, which are outside the heap. */
  readonly buffers: number;
}

const { certificateFile, keyFile } = credential("p256", "server1");
const identity = { cert: readFileSync(certificateFile), key: readFileSync(keyFile) };
/** Those that say nothing wait for longer than anybody measures. */
const patience = { ...identity, handshakeTimeout: 600_000 };

const makers: Readonly<Record<Idler, () => Server>> = {
  "node:tls": () => createTlsServer(patience),
  tlstaple: () => createOurs({ ...patience, stapler: "off" }),
};

let secured = 0;
let connections = 0;
const server = makers[process.argv[2] as Idler]();
server.on("secureConnection", (socket: Duplex) => {
  secured++;
  socket.on("close", () => secured--);
  socket.on("error", () => undefined);
  socket.resume();
});
server.on("connection", (socket: Socket) => {
  connections++;
  socket.on("close", () => connections--);
  socket.on("error", () => undefined);
});

/** Buffers are freed in the background, which the next collection waits for. */
async function held(): Promise<Held> {
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.();
    await sleep(50);
  }
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
  return { connections, secured, resident: rss, heap: heapUsed, buffers: arrayBuffers };
}

process.once("disconnect", () => process.exit());
process.on("message", async () => process.send?.(await held()));
server.listen(0, "127.0.0.1", () => process.send?.({ port: (server.address() as { port: number }).port }));
