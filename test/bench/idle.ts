/** What a server's connections take on which nothing happens. */

import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, type SecureVersion } from "node:tls";
import type { Held, Idler } from "./idler.js";
import { Helper } from "./process.js";

/** "silent": not a byte has come from the client. Else the handshake is done, and all that was said is read. */
export type Idleness = "silent" | SecureVersion;

/** Bytes for each connection. */
export interface Idle {
  readonly server: Idler;
  readonly state: Idleness;
  readonly connections: number;
  readonly resident: number;
  readonly heap: number;
  readonly buffers: number;
}

/** Connections that come and go before anything is counted, so that code and pools are there. */
const BEFORE = 150;
/** Connections that are there when counting begins. */
const FIRST = 50;

/** Opens so many connections to a server in a process of its own, beyond the first few, and tells what each takes. */
export async function idle(server: Idler, state: Idleness, connections: number): Promise<Idle> {
  const helper = new Helper<object>("idler.js", [server], ["--max-semi-space-size=1"]);
  const { port } = await helper.answer<{ port: number }>();
  const sockets: Socket[] = [];
  try {
    for (let i = 0; i < BEFORE; i++) (await open(port, state)).destroy();
    for (let i = 0; i < FIRST; i++) sockets.push(await open(port, state));
    const before = await settled(helper, server, state, FIRST);
    for (let i = 0; i < connections; i++) sockets.push(await open(port, state));
    const after = await settled(helper, server, state, FIRST + connections);
    const each = (name: keyof Held) => (after[name] - before[name]) / connections;
    const found = { resident: each("resident"), heap: each("heap"), buffers: each("buffers") };
    return { server, state, connections, ...found };
  } finally {
    for (const socket of sockets) socket.destroy();
    helper.close();
  }
}

async function open(port: number, state: Idleness): Promise<Socket> {
  const where = { host: "127.0.0.1", port };
  if (state === "silent") {
    const socket = connectTcp(where);
    await once(socket, "connect");
    return socket;
  }
  // Trusted or not: it is the server that is looked at
  const socket = connect({ ...where, rejectUnauthorized: false, minVersion: state, maxVersion: state });
  await once(socket, "secureConnect");
  socket.write("a few words");
  return socket.resume();
}

/** Once the server has as many connections as it should. */
async function settled(
  helper: Helper<object>,
  server: Idler,
  state: Idleness,
  wanted: number,
): Promise<Held> {
  const counted = state === "silent" ? "connections" : "secured";
  for (let tries = 0; tries < 50; tries++) {
    const held = await helper.ask<Held>({});
    if (held[counted] === wanted && held.connections === wanted) return held;
    await sleep(50);
  }
  throw new Error(`${server}: not ${wanted} connections`);
}
