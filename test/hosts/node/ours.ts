import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { ExecutionContext } from "ava";
import { credential, type Edition, fixture } from "../../../certs/fixtures.js";
import {
  createServer,
  type SecureContextOptions,
  type Server,
  type ServerOptions,
  type ServerSocket,
} from "../../../hosts/node/index.js";
import { listen } from "./servers.js";

/** A server of ours. */
export interface Ours {
  readonly port: number;
  readonly server: Server;
  /** What `tlsClientError` told, in order. */
  readonly errors: Error[];
  /** The connections whose handshake is done, in order. */
  readonly sockets: ServerSocket[];
}

/** Whose certificate a server's own is. */
const issuers: Readonly<Record<string, string>> = {
  server1: "intermediate1",
  server2: "intermediate1",
  server3: "intermediate2",
  server4: "intermediate2",
  server5: "intermediate3",
};

/** A server certificate of the good PKI, its key, and the staples of its chain. */
export function stapledContext(
  edition: Edition,
  name: keyof typeof issuers,
): Required<Pick<SecureContextOptions, "cert" | "key" | "staples">> {
  const { certificateFile, keyFile } = credential(edition, name);
  const staples = [name, issuers[name]].map((each) => fixture(`good/${edition}/${each}-ocsp.der`));
  return { cert: readFileSync(certificateFile), key: readFileSync(keyFile), staples };
}

/** Listens on a free port of 127.0.0.1 until the test ends. It has server1's certificate and fetches nothing by default. */
export async function serveOurs(
  t: ExecutionContext,
  options: ServerOptions = {},
  onConnection: (socket: ServerSocket) => void = () => undefined,
): Promise<Ours> {
  const errors: Error[] = [];
  const sockets: ServerSocket[] = [];
  const server = createServer({ ...stapledContext("p256", "server1"), stapler: "off", ...options });
  server.on("secureConnection", (socket: ServerSocket) => {
    sockets.push(socket);
    onConnection(socket);
  });
  server.on("tlsClientError", (error) => errors.push(error));
  return { port: await listen(t, server), server, errors, sockets };
}

/** The next handshake that fails at this server. */
export async function clientError({ server }: Ours): Promise<Error & { code?: string }> {
  const [error] = await once(server, "tlsClientError");
  return error;
}
