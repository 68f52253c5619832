import { type RootCertsDatabase, SocketReadQueue, startTls, TrustedCert } from "subtls";
import { openTcp, type Peer, request, scenariosOf, type Target } from "./peer.js";

const databases = new Map<string, RootCertsDatabase>();

async function databaseOf(root: string): Promise<RootCertsDatabase> {
  const known = databases.get(root) ?? (await TrustedCert.databaseFromPEM(root));
  databases.set(root, known);
  return known;
}

export const peer: Peer = {
  verifies: "chain, name",
  limits: "TLS 1.3 with P-256 and AES-128-GCM only; no staples",
  scenarios: scenariosOf("1.3"),
  staples: false,
  async fetch({ port, name, root }: Target, n: number): Promise<string> {
    const database = await databaseOf(root);
    const socket = openTcp(port);
    const queue = new SocketReadQueue(socket);
    const { read, write } = await startTls(
      name,
      database,
      queue.read.bind(queue), // it takes an argument more than its type tells
      (data) => socket.write(data),
    );
    await write(request(n));
    for (let left = n; left > 0; ) {
      const chunk = await read();
      if (chunk === undefined) throw new Error(`closed, with ${left} bytes to come`);
      left -= chunk.length;
    }
    socket.destroy();
    return "TLSv1.3 TLS_AES_128_GCM_SHA256";
  },
};
