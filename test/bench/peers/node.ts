import { once } from "node:events";
import {
  type ConnectionOptions,
  connect,
  createSecureContext,
  type SecureContext,
  type TLSSocket,
} from "node:tls";
import { type Peer, receive, scenariosOf, type Target } from "./peer.js";

const contexts = new Map<string, SecureContext>();

/** One context for all connections, as a careful program has it; suites in our order, so that all take the same. */
function contextOf({ root, version }: Target): SecureContext {
  const key = root + version;
  const known = contexts.get(key) ?? createSecureContext({ ca: root, minVersion: "TLSv1.2", ciphers });
  contexts.set(key, known);
  return known;
}

const ciphers = "TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256";

export const peer: Peer = {
  verifies: "chain, name",
  limits: "gets the staple, but leaves it to its caller",
  scenarios: [...scenariosOf("1.3", "1.2"), "1.3 P-256 delegate"],
  staples: true,
  async fetch(target: Target, n: number): Promise<string> {
    const socket = connect({
      port: target.port,
      host: "127.0.0.1",
      servername: target.name,
      secureContext: contextOf(target),
      requestOCSP: target.staple,
    } as ConnectionOptions & { port: number });
    let staple = 0;
    socket.on("OCSPResponse", (response: Buffer) => {
      staple = response.length;
    });
    await once(socket, "secureConnect");
    if (staple > 0 !== target.staple) throw new Error("no staple came, or one that was not asked for");
    const facts = describe(socket);
    await receive(socket, n);
    return facts;
  },
};

function describe(socket: TLSSocket): string {
  return `${socket.getProtocol()} ${socket.getCipher().standardName}`;
}
