/** The process of somebody who reads nothing, or keeps all that he has read: what a peer's records cost it. */

import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { connect, createServer } from "../../../../hosts/node/index.js";
import { stapledContext } from "../ours.js";
import { rootOf } from "../servers.js";

/** Without `side`: tell what is held. */
export interface Hoard {
  readonly side?: "client" | "server";
  /** Where a client connects to. */
  readonly port?: number;
  /** Nothing is read. */
  readonly paused?: boolean;
}

export interface Holding {
  /** Where the server listens. */
  readonly port?: number;
  /** Bytes in use after a collection, in the heap and outside. */
  readonly memory: number;
  /** Bytes of data that are held. */
  readonly data: number;
}

const context = { ...stapledContext("p256", "server1"), stapler: "off" } as const;
const kept: Buffer[] = [];
let socket: Duplex | undefined;

function hold(connection: Duplex, paused: boolean): void {
  socket = connection.on("error", () => undefined);
  if (!paused) connection.on("data", (chunk: Buffer) => kept.push(chunk));
}

function open({ side, port, paused = false }: Hoard): Promise<Partial<Holding>> {
  return new Promise((resolve) => {
    if (side === "client") {
      const options = { host: "127.0.0.1", port, servername: "localhost", ca: rootOf("p256") };
      hold(
        connect(options, () => resolve({})),
        paused,
      );
      return;
    }
    const server = createServer(context, (connection) => hold(connection, paused));
    server.listen(0, "127.0.0.1", () => resolve({ port: (server.address() as AddressInfo).port }));
  });
}

function holding(): Holding {
  for (let i = 0; i < 4; i++) globalThis.gc!();
  const { heapUsed, external } = process.memoryUsage();
  const data = kept.reduce((sum, chunk) => sum + chunk.length, socket?.readableLength ?? 0);
  return { memory: heapUsed + external, data };
}

process.once("disconnect", () => process.exit());
process.on("message", async (hoard: Hoard) => {
  const opened = hoard.side ? await open(hoard) : {};
  process.send!({ ...holding(), ...opened });
});
process.send!({});
