import { createPrivateKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import type { ExecutionContext } from "ava";
import { credential, type Edition } from "../../certs/fixtures.js";
import { provider, signer } from "../../hosts/node/provider.js";
import { wants } from "../../src/client/index.js";
import { type Selection, type ServerOptions, TlsServer } from "../../src/server/index.js";
import { listen } from "../hosts/servers.js";
import { Side } from "../server/pair.js";

/** The server's core behind a port, without the Node host: who talks to it hears its own data. */

/** A server of the good PKI, and what it staples for each of its certificates. */
export function selectionOf(edition: Edition, name: string, staples: Selection["staples"] = []): Selection {
  const { chain, keyFile } = credential(edition, name);
  const key = createPrivateKey(readFileSync(keyFile));
  return { identity: { certificates: chain, signer: signer(key) }, staples };
}

export interface CoreServer {
  port: number;
  /** Those of all connections so far. */
  servers: TlsServer[];
}

/** Serves until the test ends. */
export async function serveCore(t: ExecutionContext, options: Omit<ServerOptions, "provider" | "clock">) {
  const servers: TlsServer[] = [];
  const tcp = createServer((socket) => {
    const server = new TlsServer({ provider, clock: () => Date.now() / 1000, ...options });
    servers.push(server);
    echo(socket, new Side(server));
  });
  return { port: await listen(t, tcp), servers } satisfies CoreServer;
}

function echo(socket: Socket, side: Side<TlsServer>): void {
  socket.on("data", (bytes: Buffer) => {
    side.incoming = Buffer.concat([side.incoming, bytes]);
    do {
      side.received = side.received.subarray(side.write(side.received));
      while (side.turn((sent) => socket.write(sent)));
    } while (side.received.length > 0 && side.end.wants & wants.SPACE);
    if (side.end.closedByPeer) side.end.close();
    if (side.end.wants & wants.CLOSED) socket.end();
  });
}
