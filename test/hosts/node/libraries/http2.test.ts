/** HTTP/2 over our socket and over our server, and what is built on it. */

import { once } from "node:events";
import { type ClientHttp2Session, connect as connectHttp2, createSecureServer } from "node:http2";
import { get } from "node:https";
import { text } from "node:stream/consumers";
import grpc from "@grpc/grpc-js";
import test, { type ExecutionContext } from "ava";
import { connect, connectHttp2 as connectOurs } from "../../../../hosts/node/index.js";
import { type Facts, type Holder, serve } from "./front.js";

const ALPNProtocols = ["h2", "http/1.1"];

async function serveHttp2(t: ExecutionContext, who: Holder): Promise<Facts> {
  const http2 = createSecureServer({ allowHTTP1: true }, (request, response) => {
    response.end(`hello by ${request.httpVersion}`);
  });
  return serve(t, who, (socket) => http2.emit("secureConnection", socket), { ALPNProtocols });
}

const ask = (session: ClientHttp2Session) => text(session.request({ ":path": "/" }));

test("http2.connect over our socket", async (t) => {
  const facts = await serveHttp2(t, "good");
  const socket = connect({ ...facts, ALPNProtocols });
  const session = connectHttp2("https://localhost", { createConnection: () => socket });
  t.is(await ask(session), "hello by 2.0");
  t.is(socket.alpnProtocol, "h2");
  session.close();
});

test("connectHttp2: the session knows what it stands on", async (t) => {
  const facts = await serveHttp2(t, "good");
  const session = connectOurs("https://localhost", facts);
  t.deepEqual([session.encrypted, session.alpnProtocol], [undefined, undefined]);
  await once(session, "connect");
  t.deepEqual([session.encrypted, session.alpnProtocol], [true, "h2"]);
  t.is(session.tlsSocket.ocsp[0].status, "good");
  t.is(await ask(session), "hello by 2.0");
  session.close();
  const refused = connectOurs("https://localhost", await serveHttp2(t, "revoked"));
  const [error] = await once(refused, "error");
  t.is(error.code, "OCSP_CERT_REVOKED");
});

test("http2.createSecureServer({ allowHTTP1 }): an HTTP/1 client is served", async (t) => {
  const facts = await serveHttp2(t, "good");
  for (const offered of [undefined, ["http/1.1"]]) {
    const request = get({ ...facts, agent: false, createConnection: connect, ALPNProtocols: offered });
    const [response] = await once(request, "response");
    t.is(await text(response), "hello by 1.1");
  }
});

const bytes = (data: Buffer) => data;

test("grpc-js: a server that connections are injected into, and its own client", async (t) => {
  const server = new grpc.Server();
  const path = "/greeter/Greet";
  const greet = {
    path,
    requestStream: false,
    responseStream: false,
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  } as const;
  server.addService(
    { greet },
    {
      greet: (call: { request: Buffer }, callback: grpc.sendUnaryData<Buffer>) =>
        callback(null, Buffer.from(`hello ${call.request}`)),
    },
  );
  const injector = server.createConnectionInjector(grpc.ServerCredentials.createInsecure());
  const facts = await serve(t, "good", (socket) => injector.injectConnection(socket), { ALPNProtocols });
  const client = new grpc.Client(`localhost:${facts.port}`, grpc.credentials.createSsl(facts.ca));
  const answer = await new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, bytes, bytes, Buffer.from("world"), (error, value) =>
      error ? reject(error) : resolve(value),
    );
  });
  t.is(`${answer}`, "hello world");
  client.close();
  injector.destroy();
});
