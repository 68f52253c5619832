import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { createServer as createHttps, get } from "node:https";
import {
  createServer,
  type TLSSocket as NodeSocket,
  connect as nodeConnect,
  type SecureVersion,
  type Server,
} from "node:tls";
import test, { type ExecutionContext } from "ava";
import { pem } from "../../certs/certificate.js";
import { credential } from "../../certs/fixtures.js";
import { Agent, connect, StapleCache, type StaplerOptions, TlsError } from "../../hosts/node/index.js";
import { opensslResponder } from "../peers/peers.js";
import { withPeer } from "../peers/with-peer.js";
import {
  honest,
  type Link,
  makePki,
  type Pki,
  type Responder,
  respond,
  type Statement,
  send,
  serve,
} from "./responders.js";
import { listen } from "./servers.js";

interface Served {
  readonly responder: Responder;
  readonly pki: Pki;
  readonly state: { says: Statement };
}

/** A PKI whose responder is there. */
async function served(t: ExecutionContext): Promise<Served> {
  const links: Link[] = [];
  const state = { says: {} };
  const responder = await honest(
    t,
    () => links,
    () => state.says,
  );
  const pki = makePki({ urls: [responder.url] });
  links.push(pki.leaf, pki.ca);
  return { responder, pki, state };
}

const identityOf = ({ leaf, ca }: Pki) => ({ cert: pem(leaf.der, ca.der), key: leaf.key.pem });

function cacheFor(t: ExecutionContext, options: StaplerOptions = {}): StapleCache {
  const cache = new StapleCache(options);
  t.teardown(() => cache.close());
  return cache;
}

/** Connects with our client, which demands a staple; "good" or the fault. */
async function meet(port: number, ca: Buffer, version?: "TLSv1.2" | "TLSv1.3"): Promise<string> {
  const socket = connect({
    host: "127.0.0.1",
    port,
    servername: "localhost",
    ca,
    minVersion: version,
    maxVersion: version,
    handshakeTimeout: 30_000,
    ocsp: { policy: "leaf" },
  });
  try {
    await once(socket, "secureConnect");
    return socket.ocsp[0].status;
  } catch (error) {
    return error instanceof TlsError ? error.code : String(error);
  } finally {
    socket.destroy();
  }
}

test("200 connections at once to a fresh tls server cause one request, the next ones none", async (t) => {
  const { responder, pki } = await served(t);
  const cache = cacheFor(t, { wait: 20_000, timeout: 20_000 });
  const server = createServer(identityOf(pki), (socket) => socket.on("error", () => undefined));
  t.is(cache.attach(server), server);
  const port = await listen(t, server);
  const all = await Promise.all(Array.from({ length: 200 }, () => meet(port, pki.root.der)));
  t.deepEqual([...new Set(all)], ["good"]);
  t.is(responder.requests.length, 1);
  t.is(await meet(port, pki.root.der, "TLSv1.2"), "good");
  t.is(await meet(port, pki.root.der, "TLSv1.3"), "good");
  t.is(responder.requests.length, 1);
  t.is(cache.counters.requests, 1);
  t.is(cache.counters.hits + cache.counters.misses, 202);
  await responder.stop();
  t.is(await meet(port, pki.root.der), "good", "nor is the responder needed");
});

test("https.createServer", async (t) => {
  const { responder, pki } = await served(t);
  const cache = cacheFor(t);
  const server = cache.attach(createHttps(identityOf(pki), (_request, response) => response.end("hello")));
  const port = await listen(t, server);
  const agent = new Agent({ ca: pki.root.der, servername: "localhost", ocsp: { policy: "leaf" } });
  for (let i = 0; i < 2; i++) {
    const request = get({ host: "127.0.0.1", port, agent });
    const [response] = await once(request, "response");
    t.is(response.statusCode, 200);
    response.destroy();
  }
  t.is(responder.requests.length, 1);
});

test("a revoked certificate is stapled as such", async (t) => {
  const { pki, state } = await served(t);
  state.says = { status: "revoked" };
  const port = await listen(t, cacheFor(t).attach(createServer(identityOf(pki))));
  t.is(await meet(port, pki.root.der), "OCSP_CERT_REVOKED");
});

/** What node:tls's own client sees: the staple, or null. */
async function stapleSeen(port: number, { root }: Pki, version?: SecureVersion): Promise<Buffer | null> {
  const options = { host: "127.0.0.1", port, servername: "localhost", ca: pem(root.der), requestOCSP: true };
  const socket: NodeSocket = nodeConnect({ ...options, minVersion: version, maxVersion: version });
  const [[staple]] = await Promise.all([once(socket, "OCSPResponse"), once(socket, "secureConnect")]);
  socket.destroy();
  return staple;
}

const broken: [string, (response: ServerResponse, pki: Pki) => void][] = [
  ["down", (response) => response.destroy()],
  ["silent", () => undefined],
  ["failing", (response) => response.writeHead(500).end()],
  ["huge", (response) => response.end(Buffer.alloc(100_000))],
  ["lying", (response, { leaf, root }) => send(response, respond(leaf, { signer: root }))],
];

for (const [what, answer] of broken)
  test(`a responder that is ${what} fails no handshake`, async (t) => {
    let pki: Pki | undefined;
    const responder = await serve(t, (response) => answer(response, pki!));
    pki = makePki({ urls: [responder.url] });
    const server = createServer(identityOf(pki));
    cacheFor(t, { wait: 100 }).attach(server);
    const port = await listen(t, server);
    for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
      t.is(await stapleSeen(port, pki, version), null);
      t.is(await meet(port, pki.root.der, version), "OCSP_STAPLE_MISSING");
    }
    t.is(responder.requests.length, 1);
  });

test("an issuer that Node does not know is found among `issuers`, or else there is no staple", async (t) => {
  const { pki } = await served(t);
  const identity = { cert: pem(pki.leaf.der), key: pki.leaf.key.pem };
  const serveWith = (options: StaplerOptions) =>
    listen(t, cacheFor(t, options).attach(createServer(identity)));
  t.is(await meet(await serveWith({}), pki.ca.der), "OCSP_STAPLE_MISSING");
  t.is(await meet(await serveWith({ issuers: pki.ca.der }), pki.ca.der), "good");
});

test("detached, it staples no longer", async (t) => {
  const { pki } = await served(t);
  const cache = cacheFor(t);
  const server: Server = cache.detach(cache.attach(createServer(identityOf(pki))));
  t.is(server.listenerCount("OCSPRequest"), 0);
});

withPeer("responder")("with openssl ocsp as the responder", async (t) => {
  const peer = await opensslResponder("rsa", "intermediate1");
  t.teardown(() => peer.stop());
  const { certificateFile, keyFile } = credential("rsa", "server1");
  const server = createServer({ cert: readFileSync(certificateFile), key: readFileSync(keyFile) });
  const cache = cacheFor(t, { overrideUrl: `http://127.0.0.1:${peer.port}` });
  const port = await listen(t, cache.attach(server));
  const [root] = credential("rsa", "root").chain;
  for (let i = 0; i < 3; i++) t.is(await meet(port, root), "good");
  t.is(cache.counters.requests, 1);
});
