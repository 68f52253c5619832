import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer as createHttps } from "node:https";
import { connect, type Server, type Socket } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { createServer as createTls, type TLSSocket, type TlsOptions } from "node:tls";
import { type WebSocket, WebSocketServer } from "ws";
import { credential, stapleFile } from "../../certs/fixtures.js";
import { freePort, launch, type Peer, which } from "../peers/process.js";
import { broker } from "./broker.js";

/** The servers that the SDK's clients meet, all on 127.0.0.1. */

export type ServerName = "node:https" | "openssl" | "node:tls + broker" | "mosquitto" | "ws";
export type Version = "TLSv1.2" | "TLSv1.3";
export type Staple = "good" | "revoked" | "missing";

/** A server to be: what it is, and where it will listen. */
export interface Endpoint {
  readonly server: ServerName;
  readonly client: "http" | "mqtt" | "ws";
  readonly version: Version;
  readonly staple: Staple;
  readonly port: number;
}

/** What becomes of a connection that demands a staple. */
export const faultOf = { good: "ok", revoked: "OCSP_CERT_REVOKED", missing: "OCSP_STAPLE_MISSING" };

const versions: readonly Version[] = ["TLSv1.2", "TLSv1.3"];
const staples: readonly Staple[] = ["good", "revoked", "missing"];

/** Every server there can be here, in every version, with every staple. Mosquitto by itself can't staple. */
export async function plan(): Promise<Endpoint[]> {
  const kinds: [ServerName, Endpoint["client"]][] = [
    ["node:https", "http"],
    ["node:tls + broker", "mqtt"],
    ["ws", "ws"],
  ];
  if (which("openssl")) kinds.push(["openssl", "http"]);
  if (which("mosquitto")) kinds.push(["mosquitto", "mqtt"]);
  const endpoints: Endpoint[] = [];
  for (const version of versions)
    for (const [server, client] of kinds)
      for (const staple of server === "mosquitto" ? (["missing"] as const) : staples)
        endpoints.push({ server, client, version, staple, port: await freePort() });
  return endpoints;
}

/** Starts all of them; a function that ends them. */
export async function serve(endpoints: readonly Endpoint[], folder: string): Promise<() => Promise<void>> {
  const behind = which("mosquitto") ? await startPlainMosquitto(folder) : undefined;
  const running = await Promise.all(endpoints.map((endpoint) => start(endpoint, folder, behind?.port)));
  return async () => {
    await Promise.all([...running, behind].map((each) => each?.stop()));
  };
}

export type Running = Pick<Peer, "stop">;

function start(endpoint: Endpoint, folder: string, brokerPort: number | undefined): Promise<Running> {
  if (endpoint.server === "openssl") return startOpenssl(endpoint, folder);
  if (endpoint.server === "mosquitto") return startMosquitto(endpoint, folder);
  const options = tlsOptions(endpoint);
  if (endpoint.client === "mqtt")
    return listen(
      createTls(options, (socket) => (brokerPort ? relay(socket, brokerPort) : broker(socket))),
      endpoint,
    );
  const server = createHttps({ ...options, ALPNProtocols: ["http/1.1"] }, answer);
  if (endpoint.client === "ws") new WebSocketServer({ server }).on("connection", answerMessages);
  return listen(server, endpoint);
}

// ---- Servers of Node

/** server1 is good, server2 revoked. */
const holder = ({ staple }: Pick<Endpoint, "staple">) => (staple === "revoked" ? "server2" : "server1");

/** What a server of Node is made with. */
export function tlsOptions(endpoint: Pick<Endpoint, "version" | "staple">): TlsOptions {
  const { certificateFile, keyFile } = credential("p256", holder(endpoint));
  const { version } = endpoint;
  const identity = { cert: readFileSync(certificateFile), key: readFileSync(keyFile) };
  return { ...identity, minVersion: version, maxVersion: version };
}

/** Starts a server of Node, which staples what it should. */
export async function listen(server: Server, endpoint: Pick<Endpoint, "port" | "staple">): Promise<Running> {
  const sockets = new Set<Socket>();
  const staple = endpoint.staple === "missing" ? null : readFileSync(stapleFile("p256", holder(endpoint)));
  server.on("OCSPRequest", (_certificate: Buffer, _issuer: Buffer, callback) => callback(null, staple));
  server.on("tlsClientError", () => {}); // the client refuses: that is what many are here for
  server.on("connection", (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(endpoint.port, "127.0.0.1", resolve));
  const stop = () =>
    new Promise<void>((resolve) => {
      for (const socket of sockets) socket.destroy();
      server.close(() => resolve());
    });
  return { stop };
}

/** What main.js expects: the byte at a place. */
function pattern(length: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, i) => (i * 7) & 255));
}

/** /fixed/N: N bytes of a known length; /chunked/N: in chunks; /late: what was sent, once all of it has come; else at once. */
export async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [, kind, length] = request.url!.split("/");
  const bytes = pattern(Number(length));
  if (kind === "fixed") response.setHeader("content-length", bytes.length).end(bytes);
  else if (kind === "chunked") sendChunks(response, bytes);
  else if (kind === "late") sendChunks(response, await buffer(request));
  else request.pipe(response);
}

function sendChunks(response: ServerResponse, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; at += 3333) response.write(bytes.subarray(at, at + 3333));
  response.end();
}

/** "send N": N bytes, and a ping. */
function answerMessages(socket: WebSocket): void {
  socket.on("error", () => socket.terminate());
  socket.on("message", (text: Buffer) => {
    socket.send(pattern(Number(`${text}`.split(" ")[1])));
    socket.ping();
  });
}

/** To mosquitto. */
function relay(socket: TLSSocket, port: number): void {
  const behind = connect(port, "127.0.0.1");
  for (const each of [socket, behind])
    each.on("error", () => {
      socket.destroy();
      behind.destroy();
    });
  socket.pipe(behind).pipe(socket);
}

// ---- Servers of others

/** The number of the path that s_server has a file for: it answers with what is in it. */
export const FIXED = 20_000;

function startOpenssl({ version, staple, port }: Endpoint, folder: string): Promise<Peer> {
  const name = holder({ staple });
  const { certificateFile, keyFile } = credential("p256", name);
  const root = join(folder, "www");
  mkdirSync(join(root, "fixed"), { recursive: true });
  const head = `HTTP/1.0 200 OK\r\nContent-Length: ${FIXED}\r\n\r\n`;
  writeFileSync(join(root, `fixed/${FIXED}`), Buffer.concat([Buffer.from(head), pattern(FIXED)]));
  const identity = ["-cert", certificateFile, "-cert_chain", certificateFile, "-key", keyFile];
  const staples = staple === "missing" ? [] : ["-status_file", stapleFile("p256", name)];
  const args = ["s_server", "-accept", `127.0.0.1:${port}`, version === "TLSv1.2" ? "-tls1_2" : "-tls1_3"];
  // s_server serves from where it stands
  const script = 'cd "$0" && exec "$@"';
  return launch("sh", ["-c", script, root, which("openssl")!, ...args, "-HTTP", ...identity, ...staples], {
    port,
  });
}

const startPlainMosquitto = async (folder: string) => mosquitto(folder, await freePort(), []);

function startMosquitto({ version, port }: Endpoint, folder: string): Promise<Peer> {
  const { certificateFile, keyFile } = credential("p256", "server1");
  const tls = [`certfile ${certificateFile}`, `keyfile ${keyFile}`, `tls_version ${version.toLowerCase()}`];
  return mosquitto(folder, port, tls);
}

function mosquitto(folder: string, port: number, more: string[]): Promise<Peer> {
  const file = join(folder, `mosquitto-${port}.conf`);
  const user = `user ${userInfo().username}`; // it stays who we are, to read the key
  const lines = [`listener ${port} 127.0.0.1`, "allow_anonymous true", user, ...more, ""];
  writeFileSync(file, lines.join("\n"));
  return launch(which("mosquitto")!, ["-c", file], { port });
}
