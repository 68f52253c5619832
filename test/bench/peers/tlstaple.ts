import { once } from "node:events";
import { type Context, connect, createContext, type TLSSocket } from "../../../hosts/node/index.js";
import type { Provider } from "../../../src/client/index.js";
import { type Peer, receive, scenariosOf, type Target } from "./peer.js";

/**
 * Ourselves, with one provider or another. By default all signatures are verified each time, as others do; `remembered`:
 * how many that were verified before need not be again.
 */
export function tlstaple(crypto: Provider, remembered = 0): Peer {
  const contexts = new Map<string, Context>();
  const contextOf = (root: string) => {
    const options = { ca: root, provider: crypto, verifiedSignatures: remembered };
    const known = contexts.get(root) ?? createContext(options);
    contexts.set(root, known);
    return known;
  };
  return {
    verifies: "chain, name, staple",
    limits: remembered > 0 ? "what it verified before counts" : "",
    scenarios: [...scenariosOf("1.3", "1.2"), "1.3 P-256 delegate"],
    staples: true,
    async fetch({ port, name, root, staple }: Target, n: number): Promise<string> {
      const ocsp = staple ? ({ policy: "leaf" } as const) : ({ stapling: "off" } as const);
      const socket = connect({ port, host: "127.0.0.1", servername: name, context: contextOf(root), ocsp });
      await once(socket, "secureConnect");
      const facts = describe(socket, staple);
      await receive(socket, n);
      return facts;
    },
  };
}

function describe(socket: TLSSocket, staple: boolean): string {
  if (!socket.authorized) throw new Error("not authorized");
  if (staple && socket.ocsp[0].status !== "good") throw new Error(`staple: ${socket.ocsp[0].status}`);
  return `${socket.getProtocol()} ${socket.getCipher()?.standardName}`;
}
