import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { AddressInfo, Server, Socket } from "node:net";
import { createServer, type TLSSocket, type TlsOptions } from "node:tls";
import type { ExecutionContext } from "ava";
import { credential, type Edition } from "../../../certs/fixtures.js";
import { ocspResponse } from "../../peers/openssl.js";

/** A server certificate of the good PKI for node:tls, with its staple. */
export interface Stapled {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly staple: Buffer;
}

/** server1 is good, server2 revoked; both are issued by intermediate1. */
export async function stapled(edition: Edition, name: "server1" | "server2"): Promise<Stapled> {
  const { certificateFile, keyFile } = credential(edition, name);
  const staple = await ocspResponse(edition, name, "intermediate1");
  return { cert: readFileSync(certificateFile), key: readFileSync(keyFile), staple };
}

/** The root CA of an edition, PEM. */
export function rootOf(edition: Edition): Buffer {
  return readFileSync(credential(edition, "root").certificateFile);
}

/** Listens on a free port of 127.0.0.1 until the test ends. */
export async function listen(t: ExecutionContext, server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
  });
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/**
 * A node:tls server that staples; its port. A connection comes a little late, because in TLS 1.3 node:tls omits
 * the close_notify of a socket that ends within the event `secureConnection`.
 */
export function serveTls(
  t: ExecutionContext,
  identity: Partial<Stapled>,
  onConnection: (socket: TLSSocket) => void = () => undefined,
  options: TlsOptions = {},
): Promise<number> {
  const { cert, key, staple } = identity;
  const server = createServer({ cert, key, ...options }, (socket) => {
    socket.on("error", () => undefined);
    setImmediate(onConnection, socket);
  });
  server.on("OCSPRequest", (_certificate, _issuer, callback) => callback(null, staple as Buffer));
  return listen(t, server);
}
