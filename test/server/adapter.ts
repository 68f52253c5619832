import { createServer, type Server, type Socket } from "node:net";
import type { ExecutionContext } from "ava";
import { wants } from "../../src/client/index.js";
import type { TlsServer } from "../../src/server/index.js";
import { listen } from "../hosts/node/servers.js";
import { drain } from "./pair.js";

/** Our server behind a real socket, for real clients: it sends back each line that it gets, in reverse. */

export interface Served {
  readonly port: number;
  /** The servers of all connections so far. */
  readonly connections: TlsServer[];
}

export async function serve(t: ExecutionContext, make: () => TlsServer): Promise<Served> {
  const connections: TlsServer[] = [];
  const server: Server = createServer((socket) => {
    const end = make();
    connections.push(end);
    socket.on("data", (bytes) => feed(end, socket, bytes));
    socket.on("end", () => {
      end.eof();
      run(end, socket);
    });
  });
  return { port: await listen(t, server), connections };
}

function feed(end: TlsServer, socket: Socket, bytes: Buffer): void {
  for (let at = 0, n = 1; at < bytes.length && n > 0; at += n) {
    const { cipherIn } = end;
    n = Math.min(cipherIn.end - cipherIn.start, bytes.length - at);
    cipherIn.bytes.set(bytes.subarray(at, at + n), cipherIn.start);
    cipherIn.advance(n);
    run(end, socket);
  }
}

function run(end: TlsServer, socket: Socket): void {
  for (;;) {
    const flags = end.wants;
    if (flags & wants.WORK) end.work();
    else if (flags & wants.WRITE) socket.write(drain(end.cipherOut));
    else if (flags & wants.DATA) reverse(end, drain(end.plainOut));
    else if (end.closedByPeer && !(flags & wants.CLOSED)) end.close();
    else break;
  }
  if (end.wants === wants.CLOSED) socket.end();
}

function reverse({ plainIn }: TlsServer, line: Buffer): void {
  const text = line.toString().trimEnd().split("").reverse().join("");
  const bytes = Buffer.from(`${text}\n`);
  plainIn.bytes.set(bytes, plainIn.start);
  plainIn.advance(bytes.length);
}
