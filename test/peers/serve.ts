import { type AddressInfo, createServer, type Socket } from "node:net";
import { Puppet } from "./puppet.js";
import type { Script } from "./script.js";

/** Puppets behind a port of 127.0.0.1, one per connection. */
export interface PuppetServer {
  port: number;
  puppets: Puppet[];
  /** What puppets threw, and errors of sockets. */
  errors: unknown[];
  /** The first connection has ended: nothing more will come from the client. */
  ended: Promise<void>;
  /** Sends what a method of the first puppet returned. */
  send(bytes: Buffer): void;
  close(): Promise<void>;
}

/** Serves puppets until `close`. A puppet that throws drops its connection. */
export async function servePuppet(script: Script): Promise<PuppetServer> {
  const puppets: Puppet[] = [];
  const errors: unknown[] = [];
  const sockets: Socket[] = [];
  let end: () => void;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const server = createServer((socket) => {
    const puppet = new Puppet(script);
    puppets.push(puppet);
    sockets.push(socket);
    socket.on("close", () => end());
    socket.on("error", (error) => errors.push(error));
    socket.on("data", (bytes) => {
      try {
        socket.write(puppet.feed(bytes));
        if (puppet.ended !== undefined) socket.end();
      } catch (error) {
        errors.push(error);
        socket.destroy();
      }
    });
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  const close = () =>
    new Promise<void>((closed) => {
      for (const socket of sockets) socket.destroy();
      server.close(() => closed());
    });
  return { port, puppets, errors, ended, send: (bytes) => sockets[0].write(bytes), close };
}
