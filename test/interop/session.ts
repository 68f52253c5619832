import { once } from "node:events";
import { credential, type Edition } from "../../certs/fixtures.js";
import { connect, type TLSSocket } from "../../hosts/node/index.js";
import { provider } from "../../hosts/node/provider.js";
import type { ConnectOptions } from "../../hosts/node/socket/options.js";
import type { Provider } from "../../src/client/index.js";
import type { Peer } from "../peers/peers.js";

/** A provider with fewer algorithms, so that both sides can only agree on one. */
export function only(limits: Partial<Pick<Provider, "aeads" | "groups" | "schemes">>): Provider {
  return { ...provider, ...limits };
}

/** Connects to a peer that has one of the good PKI's certificates. */
export function session(peer: Peer, edition: Edition, name: string, options: ConnectOptions = {}): TLSSocket {
  const socket = connect({
    host: "127.0.0.1",
    port: peer.port,
    servername: `${name}.tlstaple.test`,
    ca: credential(edition, "root").chain[0],
    ...options,
  });
  // Tests look at errors through `outcome` and `receive`; one that comes as a peer is stopped is nobody's
  socket.on("error", () => {});
  return socket;
}

/** The session once it is secure; its fault's name when it is refused. */
export async function outcome(socket: TLSSocket): Promise<string> {
  try {
    await once(socket, "secureConnect");
    return "good";
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

/** All that arrives until `enough` bytes are there, or the server ends. */
export async function receive(socket: TLSSocket, enough: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= enough) break;
  }
  return Buffer.concat(chunks);
}
