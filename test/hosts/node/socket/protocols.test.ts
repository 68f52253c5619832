/** HTTP, WebSocket and MQTT clients over our socket. */

import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { createServer as createHttps, get, Agent as HttpsAgent, type RequestOptions } from "node:https";
import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import test, { type ExecutionContext } from "ava";
import mqtt, { type IClientOptions } from "mqtt";
import { WebSocket, WebSocketServer } from "ws";
import {
  Agent,
  connect,
  createContext,
  provider,
  TLSSocket,
  TlsError,
} from "../../../../hosts/node/index.js";
import { listen, rootOf, type Stapled, serveTls, stapled } from "../servers.js";

const ca = rootOf("p256");
let good: Stapled;
let revoked: Stapled;

test.before(async () => {
  good = await stapled("p256", "server1");
  revoked = await stapled("p256", "server2");
});

/** An HTTPS server that staples and tells each request its connection's number. */
async function serveHttps(t: ExecutionContext, { cert, key, staple }: Stapled): Promise<number> {
  const server = createHttps({ cert, key });
  const seen: unknown[] = [];
  server.on("OCSPRequest", (_certificate, _issuer, callback) => callback(null, staple));
  server.on("request", ({ socket, url }, response) => {
    if (!seen.includes(socket)) seen.push(socket);
    response.end(`${url} on ${seen.indexOf(socket) + 1}`);
  });
  return listen(t, server);
}

async function fetchText(port: number, options: RequestOptions & object): Promise<string> {
  const request = get({ host: "127.0.0.1", port, servername: "localhost", ca, path: "/x", ...options });
  const [response] = (await once(request, "response")) as [IncomingMessage];
  let text = "";
  for await (const chunk of response) text += chunk;
  return text;
}

test("https.get with createConnection", async (t) => {
  const port = await serveHttps(t, good);
  t.is(await fetchText(port, { createConnection: connect }), "/x on 1");
  const refused = fetchText(await serveHttps(t, revoked), { createConnection: connect });
  const error = await t.throwsAsync(refused, { instanceOf: TlsError });
  t.is((error as TlsError).code, "OCSP_CERT_REVOKED");
});

test("https.get with an agent: connections are kept and used again", async (t) => {
  const port = await serveHttps(t, good);
  const agent = new Agent({ keepAlive: true, ca, ocsp: { policy: "leaf" } });
  t.teardown(() => agent.destroy());
  t.is(await fetchText(port, { agent }), "/x on 1");
  t.is(await fetchText(port, { agent }), "/x on 1");
});

type Moment = "before" | "while it connects" | "before the answer";

/** Idle connections once a request was aborted. There are no others, and none at all when the agent is destroyed. */
async function leftBy(t: ExecutionContext, agent: HttpsAgent, when: Moment): Promise<number> {
  const { cert, key } = good;
  let connections = 0;
  const server = createHttps({ cert, key }).on("request", () => abort.abort());
  server.on("connection", (peer) => {
    connections++;
    peer.on("close", () => connections--);
  });
  const port = await listen(t, server);
  const abort = new AbortController();
  if (when === "before") abort.abort();
  const { signal } = abort;
  const request = get({ host: "127.0.0.1", port, servername: "localhost", agent, signal });
  if (when === "while it connects") request.on("socket", () => abort.abort());
  const [error] = await once(request, "error");
  t.deepEqual([error.name, error.code], ["AbortError", "ABORT_ERR"]);
  const left = () => [agent.sockets, agent.freeSockets].map((sockets) => Object.keys(sockets).length);
  do await sleep(20);
  while (left()[0] > 0 || connections > left()[1]);
  const [, idle] = left();
  agent.destroy();
  while (connections > 0 || left()[1] > 0) await sleep(5);
  return idle;
}

// As of Node 24 an agent keeps what it has begun before, as an idle connection
for (const when of ["before", "while it connects", "before the answer"] as const)
  test(`a request with an agent is aborted ${when}: no more stays open than with Node's own`, async (t) => {
    const ours = await leftBy(t, new Agent({ keepAlive: true, ca }), when);
    t.is(ours, await leftBy(t, new HttpsAgent({ keepAlive: true, ca }), when));
  });

test("an agent's idle connection that the server closes without close_notify harms nobody", async (t) => {
  const { cert, key } = good;
  const server = createHttps({ cert, key });
  const peers: Duplex[] = [];
  server.on("secureConnection", (peer) => peers.push(peer));
  server.on("request", (_request, response) => response.end(`on ${peers.length}`));
  const port = await listen(t, server);
  const agent = new Agent({ keepAlive: true, ca });
  t.teardown(() => agent.destroy());
  const freed = once(agent, "free");
  t.is(await fetchText(port, { agent }), "on 1");
  const [idle] = (await freed) as [TLSSocket];
  peers[0].destroy();
  if (!idle.closed) await once(idle, "close").catch(() => undefined);
  t.true(idle.truncated);
  t.is(await fetchText(port, { agent }), "on 2");
});

test("an agent shares no connection between requests whose security differs", async (t) => {
  const port = await serveHttps(t, good);
  const agent = new Agent({ keepAlive: true });
  t.teardown(() => agent.destroy());
  const context = createContext({ ca });
  const clock = () => Math.floor(Date.now() / 1000);
  const requests: RequestOptions[] = [
    {},
    { ocsp: { stapling: "off" } },
    { ocsp: { policy: "leaf" } },
    { requireEms: true },
    { allowTruncation: true },
    { ALPNProtocols: ["http/1.1"] },
    { recordSizeLimit: 1024 },
    { maxFragmentLength: 1024 },
    { groups: ["P-256"] },
    { provider: { ...provider } },
    { context },
    { context: createContext({ ca }) },
    { clock },
  ];
  const first = [];
  for (const options of requests) first.push(await fetchText(port, { agent, ...options }));
  t.deepEqual(
    first,
    requests.map((_, i) => `/x on ${i + 1}`),
  );
  for (const [i, options] of requests.entries())
    t.is(await fetchText(port, { agent, ...options }), `/x on ${i + 1}`);
});

test("an agent resumes sessions, of requests with the same security", async (t) => {
  const port = await serveHttps(t, good);
  const agent = new Agent({ ca });
  const reused = async (options: object) => {
    const request = get({ host: "127.0.0.1", port, path: "/x", servername: "localhost", agent, ...options });
    const [response] = await once(request, "response");
    const { socket } = response as { socket: TLSSocket };
    response.resume();
    await once(response, "end");
    return socket.isSessionReused();
  };
  t.false(await reused({}));
  t.true(await reused({}));
  t.true(await reused({}));
  t.false(await reused({ ocsp: { policy: "leaf" } }));
  t.true(await reused({ ocsp: { policy: "leaf" } }));
});

test("a refused option of an agent's request is thrown", async (t) => {
  const agent = new Agent();
  const options = { agent, port: 1, ciphers: "ALL" };
  t.throws(() => get(options), { code: "ERR_TLSTAPLE_OPTION_UNSUPPORTED" });
});

test("WebSocket: ws over our socket", async (t) => {
  const server = createHttps(good);
  new WebSocketServer({ server }).on("connection", (peer) =>
    peer.on("message", (data) => peer.send(`echo ${data}`)),
  );
  const port = await listen(t, server);
  const options = { createConnection: connect, ca, servername: "localhost" };
  const socket = new WebSocket(`wss://127.0.0.1:${port}/`, options);
  await once(socket, "open");
  const big = "x".repeat(100_000);
  for (const message of ["hello", big]) {
    socket.send(message);
    const [answer] = await once(socket, "message");
    t.is(`${answer}`, `echo ${message}`);
  }
  socket.close();
  const [code] = await once(socket, "close");
  t.is(code, 1005);
});

test("MQTT: mqtt over our socket", async (t) => {
  const port = await serveTls(t, good, broker);
  const streams: TLSSocket[] = [];
  const builder = () => {
    const socket = connect({
      host: "127.0.0.1",
      port,
      servername: "localhost",
      ca,
      ocsp: { policy: "leaf" },
    });
    streams.push(socket);
    return socket;
  };
  const client = new mqtt.MqttClient(builder, { reconnectPeriod: 0 } as IClientOptions);
  await new Promise<void>((resolve) => client.once("connect", () => resolve()));
  await client.subscribeAsync("greetings");
  const message = new Promise((resolve) => client.once("message", (...received) => resolve(received)));
  client.publish("greetings", "hello");
  const [topic, payload] = (await message) as [string, Buffer];
  t.is(`${topic} ${payload}`, "greetings hello");
  t.is(streams[0].ocsp[0].status, "good");
  await client.endAsync();
  t.true(streams[0] instanceof TLSSocket);
  t.is(streams.length, 1);
});

/** As much of a broker, MQTT 3.1.1, as one client needs that talks to itself: small packets, QoS 0. */
function broker(peer: Duplex): void {
  let input = Buffer.alloc(0);
  peer.on("data", (chunk: Buffer) => {
    input = Buffer.concat([input, chunk]);
    while (input.length >= 2 && input.length >= 2 + input[1]) {
      answer(peer, input.subarray(0, 2 + input[1]));
      input = input.subarray(2 + input[1]);
    }
  });
}

function answer(peer: Duplex, packet: Buffer): void {
  const [CONNECT, PUBLISH, SUBSCRIBE] = [1, 3, 8];
  const type = packet[0] >> 4;
  if (type === CONNECT) peer.write(Buffer.from([0x20, 2, 0, 0]));
  else if (type === SUBSCRIBE) peer.write(Buffer.from([0x90, 3, packet[2], packet[3], 0]));
  else if (type === PUBLISH) peer.write(packet);
}
