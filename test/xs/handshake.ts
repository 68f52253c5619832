import { type AddressInfo, createServer, type Server } from "node:net";
import { programFile, type Ran, runJob, type Target } from "../../hosts/xs/driver/machine.js";
import { Puppet } from "../peers/puppet.js";
import type { Script } from "../peers/script.js";
import type { HandshakeCase, HandshakeJob, HandshakeResult } from "./handshake-job.js";

/** Milliseconds for all of them. */
const PATIENCE = 240_000;

/** A handshake: what the server does, and with which options the client in XS meets it. */
export interface Meeting {
  readonly script: Script;
  readonly client: Omit<HandshakeCase, "trust" | "responders"> & {
    readonly trust: readonly Uint8Array[];
    readonly responders?: readonly Uint8Array[];
  };
}

/** A handshake and what must become of it. */
export interface Row extends Meeting {
  readonly title: string;
  readonly expected: string;
  /** What the server must hear; close_notify after a good handshake. */
  readonly alert: number | undefined;
  /** In TLS 1.2 it shows only after the client's Finished. */
  readonly late?: boolean;
}

/** What became of it on either side. */
export interface Met extends HandshakeResult {
  readonly puppet: Puppet;
  /** The connection was reset: the system drops an alert with what a client has not read yet. */
  readonly reset: boolean;
}

export interface Meetings {
  readonly met: readonly (Met | undefined)[];
  readonly ran: Ran;
}

/** Lets one machine in XS, with so many bytes of RAM, do all these handshakes over TCP, one after the other. */
export async function meet(
  meetings: readonly Meeting[],
  arena: number,
  interval: number,
  target?: Target,
): Promise<Meetings> {
  const puppets = meetings.map(({ script }) => new Puppet(script));
  const resets = new Set<Puppet>();
  const server = await serve(puppets, resets);
  const { port } = server.address() as AddressInfo;
  const job = { port, interval, ...toCases(meetings) };
  let output = "";
  const receive = (bytes: Buffer) => {
    output += bytes;
  };
  const options = { arena, patience: PATIENCE, target };
  const ran = await runJob(programFile("handshakes"), job, options, receive);
  server.close();
  const results = output
    .split("\n")
    .slice(0, -1)
    .map((line): HandshakeResult => JSON.parse(line));
  return {
    ran,
    met: puppets.map((puppet, i) => results[i] && { ...results[i], puppet, reset: resets.has(puppet) }),
  };
}

/** Each connection gets the next puppet. */
async function serve(puppets: readonly Puppet[], resets: Set<Puppet>): Promise<Server> {
  let connections = 0;
  const server = createServer((socket) => {
    const puppet = puppets[connections++];
    socket.on("error", () => {
      resets.add(puppet);
      socket.destroy();
    });
    socket.on("data", (bytes) => {
      try {
        socket.write(puppet.feed(bytes));
        if (puppet.ended !== undefined) socket.end();
      } catch {
        socket.destroy();
      }
    });
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return server;
}

function toCases(meetings: readonly Meeting[]): Pick<HandshakeJob, "cases" | "certificates"> {
  const places = new Map<string, number>();
  const place = (der: Uint8Array): number => {
    const hex = Buffer.from(der).toString("hex");
    if (!places.has(hex)) places.set(hex, places.size);
    return places.get(hex)!;
  };
  const cases = meetings.map(({ client: { trust, responders = [], ...rest } }) => ({
    ...rest,
    trust: trust.map(place),
    responders: responders.map(place),
  }));
  return { cases, certificates: [...places.keys()] };
}
