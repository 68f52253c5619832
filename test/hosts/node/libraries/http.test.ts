/** HTTP clients over our socket, and servers' frameworks behind ours. */

import { createServer as createHttp, type RequestListener } from "node:http";
import { get } from "node:https";
import { type ConnectionOptions, checkServerIdentity } from "node:tls";
import test, { type ExecutionContext } from "ava";
import axios from "axios";
import express from "express";
import fastify from "fastify";
import got from "got";
import { Client, Agent as Dispatcher, fetch } from "undici";
import { Agent, connect } from "../../../../hosts/node/index.js";
import { type Facts, type Holder, serve } from "./front.js";

const revoked = { code: "OCSP_CERT_REVOKED" };

async function serveHttp(
  t: ExecutionContext,
  who: Holder,
  listener: RequestListener = hello,
): Promise<Facts> {
  const http = createHttp(listener);
  t.teardown(() => http.closeAllConnections());
  return serve(t, who, (socket) => http.emit("connection", socket));
}

const hello: RequestListener = (_request, response) => void response.end("hello");
const urlOf = ({ port }: Facts) => `https://localhost:${port}/`;

/** What the clients' connections are made of: they name host and port themselves. */
const settings = ({ ca, ocsp }: Facts) => ({ ca, ocsp, family: 4 });

test("got", async (t) => {
  const ask = async (facts: Facts) => {
    const agent = new Agent(settings(facts));
    return got(urlOf(facts), { agent: { https: agent }, retry: { limit: 0 } }).text();
  };
  t.is(await ask(await serveHttp(t, "good")), "hello");
  await t.throwsAsync(ask(await serveHttp(t, "revoked")), revoked);
});

test("axios", async (t) => {
  const ask = async (facts: Facts) => {
    const { data } = await axios.get(urlOf(facts), { httpsAgent: new Agent(settings(facts)) });
    return data;
  };
  t.is(await ask(await serveHttp(t, "good")), "hello");
  await t.throwsAsync(ask(await serveHttp(t, "revoked")), revoked);
});

test("undici and its fetch", async (t) => {
  const connector =
    (facts: Facts): Client.Options["connect"] =>
    ({ hostname, port }, callback) => {
      const socket = connect({ ...settings(facts), host: hostname, port: Number(port) });
      socket.once("secureConnect", () => callback(null, socket as never));
      socket.once("error", (error) => callback(error, null));
    };
  const facts = await serveHttp(t, "good");
  const client = new Client(urlOf(facts), { connect: connector(facts) });
  const { body } = await client.request({ path: "/", method: "GET" });
  t.is(await body.text(), "hello");
  await client.close();
  const dispatcher = new Dispatcher({ connect: connector(facts) });
  t.is(await (await fetch(urlOf(facts), { dispatcher })).text(), "hello");
  await dispatcher.close();
  const bad = await serveHttp(t, "revoked");
  const refused = fetch(urlOf(bad), { dispatcher: new Dispatcher({ connect: connector(bad) }) });
  const error = await t.throwsAsync(refused);
  t.like(error?.cause, revoked);
});

async function textOf(facts: Facts, path: string): Promise<string> {
  const options = { ...settings(facts), createConnection: connect };
  const response = await new Promise<AsyncIterable<Buffer>>((resolve, reject) => {
    get(new URL(path, urlOf(facts)), options, resolve).on("error", reject);
  });
  let text = "";
  for await (const chunk of response) text += chunk;
  return text;
}

test("express", async (t) => {
  const app = express();
  app.get("/:name", (request, response) => {
    response.send(`hello ${request.params.name}, ${request.secure} ${request.protocol}`);
  });
  t.is(await textOf(await serveHttp(t, "good", app), "/x"), "hello x, true https");
});

test("fastify", async (t) => {
  const app = fastify();
  app.get("/:name", async ({ params, protocol }) => ({ ...(params as object), protocol }));
  await app.ready();
  t.teardown(() => app.close());
  const facts = await serveHttp(t, "good", (request, response) => app.routing(request, response));
  t.is(await textOf(facts, "/x"), '{"name":"x","protocol":"https"}');
});

test("Node's own checkServerIdentity, as got passes it, is what is done anyway", async (t) => {
  const options: ConnectionOptions = { checkServerIdentity };
  const facts = await serveHttp(t, "good");
  const socket = connect({ ...facts, ...(options as object) });
  await t.notThrowsAsync(
    new Promise((resolve, reject) => socket.on("secureConnect", resolve).on("error", reject)),
  );
  socket.destroy();
});
