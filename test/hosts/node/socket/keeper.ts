/** The process of one connection of ours, whose memory is searched for what it should have forgotten. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import {
  type ConnectOptions,
  connect,
  createServer,
  type ServerSocket,
  type TLSSocket,
} from "../../../../hosts/node/index.js";
import { contentType, handshakeType } from "../../../../src/wire/registry.js";
import { stapledContext } from "../ours.js";
import { rootOf } from "../servers.js";

/** What to do: open a connection, to `port` or from anywhere; come to its end; or destroy it. */
export interface Task {
  readonly open?: "client" | "server";
  readonly version?: ConnectOptions["minVersion"];
  readonly port?: number;
  readonly close?: "end" | "destroy";
}

export interface Told {
  readonly pid: number;
  readonly port?: number;
  /** The server's, as soon as it is known. */
  readonly random?: string;
}

/** Kept to the end, so that nothing is forgotten by being collected. */
let socket: TLSSocket | ServerSocket | undefined;
let random: string | undefined;

const SERVER_HELLO = (contentType.handshake << 8) | handshakeType.server_hello;

function onMessage(_sent: boolean, type: number, bytes: Uint8Array, start: number): void {
  if (type === SERVER_HELLO) random = Buffer.from(bytes.subarray(start + 6, start + 38)).toString("hex");
}

async function open({ open: side, version, port }: Task): Promise<number | undefined> {
  const only = { minVersion: version, maxVersion: version, onMessage };
  if (side === "client") {
    const client = connect({ host: "127.0.0.1", port, servername: "localhost", ca: rootOf("p256"), ...only });
    socket = client.resume();
    await once(client, "secureConnect");
    return port;
  }
  const server = createServer({ ...stapledContext("p256", "server1"), stapler: "off", ...only }, (served) => {
    socket = served.resume();
    served.on("error", () => undefined);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

async function close(how: "end" | "destroy"): Promise<void> {
  if (how === "destroy") socket!.destroy();
  else socket!.end();
  if (!socket!.closed) await once(socket!, "close");
}

async function perform(task: Task): Promise<Told> {
  const port = task.open && (await open(task));
  if (task.close) await close(task.close);
  // What node:crypto holds goes with its objects
  for (let i = 0; i < 8; i++) {
    globalThis.gc!();
    await turn();
  }
  return { pid: process.pid, port, random };
}

process.once("disconnect", () => process.exit());
process.on("message", async (task: Task) => process.send!(await perform(task)));
process.send!({});
