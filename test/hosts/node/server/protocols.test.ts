/** Node's HTTP server and WebSockets over our server; its staples from a responder. */

import { once } from "node:events";
import { createServer as createHttp, type IncomingMessage } from "node:http";
import { get, Agent as NodeAgent, request } from "node:https";
import test, { type ExecutionContext } from "ava";
import { WebSocket, WebSocketServer } from "ws";
import { Agent, connect, type ServerOptions, type ServerSocket } from "../../../../hosts/node/index.js";
import { honest, type Link, makePki } from "../ocsp/responders.js";
import { type Ours, serveOurs } from "../ours.js";
import { rootOf } from "../servers.js";

const ca = rootOf("p256");

/** An HTTPS server that echoes what is posted, and tells each request its connection's number. */
async function serveHttps(t: ExecutionContext, options: ServerOptions = {}): Promise<Ours> {
  const http = createHttp(async (message, response) => {
    const body: Buffer[] = [];
    for await (const chunk of message) body.push(chunk);
    const number = ours.sockets.indexOf(message.socket as unknown as ServerSocket) + 1;
    response.end(`${message.method} ${message.url} on ${number} ${Buffer.concat(body)}`);
  });
  const ours = await serveOurs(t, options, (socket) => http.emit("connection", socket));
  t.teardown(() => http.closeAllConnections());
  return ours;
}

async function textOf(sent: ReturnType<typeof get>): Promise<string> {
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  let text = "";
  for await (const chunk of response) text += chunk;
  return text;
}

interface AgentFacts {
  readonly ca: Buffer;
  readonly servername: string;
}

const agents = {
  "node:https": (options: AgentFacts) => new NodeAgent({ ...options, keepAlive: true }),
  "our agent": (options: AgentFacts) => new Agent({ ...options, keepAlive: true, ocsp: { policy: "chain" } }),
};

for (const [who, agentFor] of Object.entries(agents))
  test(`HTTPS with ${who}: connections are kept and used again`, async (t) => {
    const ours = await serveHttps(t);
    const agent = agentFor({ ca, servername: "localhost" });
    t.teardown(() => agent.destroy());
    const options = { host: "127.0.0.1", port: ours.port, agent };
    t.is(await textOf(get({ ...options, path: "/a" })), "GET /a on 1 ");
    const body = "x".repeat(300_000);
    t.is(await textOf(request({ ...options, path: "/b", method: "POST" }).end(body)), `POST /b on 1 ${body}`);
    t.deepEqual(ours.errors, []);
  });

test("HTTPS: a client's certificate is seen by the request's handler", async (t) => {
  const seen: unknown[] = [];
  const http = createHttp((message, response) => {
    const { authorized, encrypted } = message.socket as unknown as ServerSocket;
    seen.push(authorized, encrypted);
    response.end();
  });
  const { port } = await serveOurs(t, {}, (socket) => http.emit("connection", socket));
  await textOf(get({ host: "127.0.0.1", port, ca, servername: "localhost", agent: false }));
  t.deepEqual(seen, [false, true]);
});

test("WebSocket: ws over our server", async (t) => {
  const http = createHttp();
  new WebSocketServer({ server: http }).on("connection", (peer) =>
    peer.on("message", (data) => peer.send(`echo ${data}`)),
  );
  const { port } = await serveOurs(t, {}, (socket) => http.emit("connection", socket));
  for (const ours of [false, true]) {
    const options = { ca, servername: "localhost", ...(ours && { createConnection: connect as never }) };
    const socket = new WebSocket(`wss://127.0.0.1:${port}/`, options);
    await once(socket, "open");
    for (const message of ["hello", "x".repeat(100_000)]) {
      socket.send(message);
      t.is(`${(await once(socket, "message"))[0]}`, `echo ${message}`);
    }
    socket.close();
    t.is((await once(socket, "close"))[0], 1005);
  }
});

for (const version of ["TLSv1.2", "TLSv1.3"] as const)
  test(`${version}: staples of the server's own Stapler, asked for once`, async (t) => {
    const served: Link[] = [];
    const responder = await honest(t, () => served);
    const pki = makePki({ urls: [responder.url], rootUrls: [responder.url] });
    served.push(pki.leaf, pki.ca, pki.root);
    const options: ServerOptions = {
      cert: pki.chain,
      key: pki.leaf.key.pem,
      staples: undefined,
      stapler: undefined,
      minVersion: version,
      maxVersion: version,
    };
    const ours = await serveOurs(t, options, (socket) => socket.end());
    const policy = version === "TLSv1.3" ? "chain" : "leaf";
    const open = () =>
      connect({
        host: "127.0.0.1",
        port: ours.port,
        servername: "localhost",
        ca: pki.root.der,
        ocsp: { policy },
      });
    for (let i = 0; i < 2; i++) {
      const socket = open().resume();
      await once(socket, "secureConnect");
      t.is(socket.ocsp[0].status, "good");
      await once(socket, "close");
    }
    t.is(responder.requests.length, version === "TLSv1.3" ? 3 : 1);
    const done = once(ours.server, "close");
    ours.server.close();
    await done;
  });
