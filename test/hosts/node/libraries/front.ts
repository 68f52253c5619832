import { connect as connectTcp } from "node:net";
import type { ExecutionContext } from "ava";
import type { ConnectOptions, ServerOptions, ServerSocket } from "../../../../hosts/node/index.js";
import { serveOurs, stapledContext } from "../ours.js";
import { rootOf } from "../servers.js";

/** How clients find the server of a test, and what they demand of it. */
export interface Facts extends Required<Pick<ConnectOptions, "host" | "port" | "servername" | "ocsp">> {
  readonly ca: Buffer;
}

export type Holder = "good" | "revoked";

/** A server of ours with a certificate that is good or revoked, as its staple says. */
export async function serve(
  t: ExecutionContext,
  who: Holder,
  onConnection: (socket: ServerSocket) => void,
  options: ServerOptions = {},
): Promise<Facts> {
  const context = stapledContext("p256", who === "good" ? "server1" : "server2");
  const { port } = await serveOurs(t, { ...context, ...options }, onConnection);
  return { host: "127.0.0.1", port, servername: "localhost", ca: rootOf("p256"), ocsp: { policy: "leaf" } };
}

/** The same in front of a server without TLS: what comes is passed on. */
export function serveBefore(t: ExecutionContext, who: Holder, port: number): Promise<Facts> {
  return serve(t, who, (socket) => {
    const plain = connectTcp(port, "127.0.0.1");
    plain.on("error", () => socket.destroy());
    socket.on("close", () => plain.destroy());
    socket.pipe(plain).pipe(socket);
  });
}
