import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createServer as createNodeServer, type TLSSocket as NodeSocket, type TlsOptions } from "node:tls";
import test, { type ExecutionContext } from "ava";
import { purpose } from "../../../../certs/extensions.js";
import {
  type ConnectOptions,
  connect,
  createServer,
  type LookupReport,
  type ServerOptions,
  type ServerSocket,
  type TLSSocket,
} from "../../../../hosts/node/index.js";
import { openssl } from "../../../peers/openssl.js";
import { pem } from "../../../peers/pem.js";
import { Scratch } from "../../../peers/scratch.js";
import {
  honest,
  type Link,
  makeLeaf,
  makePki,
  type Pki,
  respond,
  type Statement,
  serve,
  until,
} from "../ocsp/responders.js";
import { listen } from "../servers.js";
import { innards } from "./innards.js";

/** `ocsp.lookup`: what a connection makes of a responder's answer, or of none. */

async function serveTls(
  t: ExecutionContext,
  { chain, leaf }: Pki,
  options: TlsOptions & { staple?: Buffer } = {},
  onConnection: (socket: NodeSocket) => void = () => undefined,
): Promise<number> {
  const cert = chain.map(pem).join("");
  const server = createNodeServer({
    cert,
    key: leaf.key.secret.export({ type: "pkcs8", format: "pem" }),
    ...options,
  });
  server.on("secureConnection", (socket) => {
    socket.on("error", () => undefined);
    setImmediate(onConnection, socket);
  });
  server.on("OCSPRequest", (_certificate, _issuer, callback) => callback(null, options.staple as Buffer));
  return listen(t, server);
}

function dial(port: number, pki: Pki, options: ConnectOptions): TLSSocket {
  const socket = connect({ host: "127.0.0.1", port, servername: "localhost", ca: pki.root.der, ...options });
  socket.on("error", () => undefined);
  return socket;
}

/** "good", or the fault, once the connection is there or refused. */
async function outcome(socket: TLSSocket): Promise<string> {
  return once(socket, "secureConnect").then(
    () => "good",
    (error: { code: string }) => error.code,
  );
}

const both = ["TLSv1.2", "TLSv1.3"] as const;
const statuses = { good: "good", revoked: "OCSP_CERT_REVOKED", unknown: "OCSP_CERT_UNKNOWN" } as const;

async function scene(t: ExecutionContext, statement: Statement = {}) {
  const all: Link[] = [];
  const responder = await honest(
    t,
    () => all,
    () => statement,
  );
  const pki = makePki({ urls: [responder.url], rootUrls: [responder.url] });
  all.push(pki.leaf, pki.ca);
  return { responder, pki };
}

for (const tls of both)
  for (const [status, expected] of Object.entries(statuses))
    test.serial(`${tls}, no staple, the responder says ${status}: ${expected}`, async (t) => {
      const { pki, responder } = await scene(t, { status: status as keyof typeof statuses });
      const port = await serveTls(t, pki, { minVersion: tls, maxVersion: tls });
      const reports: LookupReport[] = [];
      const socket = dial(port, pki, { ocsp: { lookup: true } });
      socket.on("ocspLookup", (report: LookupReport) => reports.push(report));
      t.is(await outcome(socket), expected);
      t.is(socket.authorized, status === "good");
      t.is(responder.requests.length, 1);
      t.is(reports.length, 1);
      t.is(socket.ocsp[0].status as string, status);
      socket.destroy();
    });

test.serial("a good staple is not asked about again; a bad one is not made good", async (t) => {
  const { pki, responder } = await scene(t);
  const good = await serveTls(t, pki, { staple: respond(pki.leaf) });
  t.is(await outcome(dial(good, pki, { ocsp: { lookup: true } })), "good");
  const bad = await serveTls(t, pki, { staple: respond(pki.leaf, { status: "revoked" }) });
  t.is(await outcome(dial(bad, pki, { ocsp: { lookup: true } })), "OCSP_CERT_REVOKED");
  t.is(responder.requests.length, 0);
});

test.serial("policy chain: each certificate below the root", async (t) => {
  const { pki, responder } = await scene(t);
  const port = await serveTls(t, pki);
  const socket = dial(port, pki, { ocsp: { lookup: true, policy: "chain" } });
  t.is(await outcome(socket), "good");
  t.deepEqual(
    socket.ocsp.map(({ status }) => status),
    ["good", "good"],
  );
  t.is(responder.requests.length, 2);
  socket.destroy();
});

test.serial("policy chain: a revoked intermediate", async (t) => {
  const all: Link[] = [];
  const responder = await serve(t, (response, der) => {
    const link = all.find(({ serial }) => der.includes(serial))!;
    response.setHeader("Content-Type", "application/ocsp-response");
    response.end(respond(link, { status: link === all[1] ? "revoked" : "good" }));
  });
  const pki = makePki({ urls: [responder.url], rootUrls: [responder.url] });
  all.push(pki.leaf, pki.ca);
  const port = await serveTls(t, pki);
  const socket = dial(port, pki, { ocsp: { lookup: true, policy: "chain" } });
  t.is(await outcome(socket), "OCSP_CERT_REVOKED");
  t.deepEqual(
    socket.ocsp.map(({ status }) => status),
    ["good", "revoked"],
  );
});

test.serial("nobody answers, or there is nobody to ask: never good", async (t) => {
  const mute = makePki({ urls: ["http://127.0.0.1:1/"] });
  t.is(await outcome(dial(await serveTls(t, mute), mute, { ocsp: { lookup: true } })), "OCSP_LOOKUP_FAIL");
  const none = makePki();
  const port = await serveTls(t, none);
  t.is(await outcome(dial(port, none, { ocsp: { lookup: true } })), "OCSP_LOOKUP_FAIL");
  t.is(await outcome(dial(port, none, { ocsp: {} })), "good");
});

/** A server whose certificate is its own root; how clients that trust it fare. */
async function ownRoot(t: ExecutionContext, ...extensions: string[]) {
  const scratch = new Scratch();
  t.teardown(scratch.remove);
  const [key, cert] = ["key", "cert"].map((name) => join(scratch.directory, name));
  const made = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost"];
  const more = ["subjectAltName=DNS:localhost", ...extensions].flatMap((each) => ["-addext", each]);
  await openssl("req", "-x509", ...made, "-keyout", key, "-out", cert, ...more);
  const ca = readFileSync(cert);
  const port = await listen(t, createNodeServer({ cert: ca, key: readFileSync(key) }));
  return (ocsp: ConnectOptions["ocsp"]) => {
    const socket = connect({ host: "127.0.0.1", port, servername: "localhost", ca, ocsp });
    t.teardown(() => socket.destroy());
    return outcome(socket.on("error", () => undefined));
  };
}

test.serial(
  "a root that is trusted itself: nobody is asked, unless it says whom or a policy wants that",
  async (t) => {
    const silent = await ownRoot(t);
    t.is(await silent({ lookup: true }), "good");
    t.is(await silent({ lookup: true, policy: "leaf" }), "OCSP_LOOKUP_FAIL");
    t.is(await silent({ lookup: true, policy: "chain" }), "OCSP_LOOKUP_FAIL");
    const naming = await ownRoot(t, "authorityInfoAccess=OCSP;URI:http://127.0.0.1:1/");
    t.is(await naming({ lookup: true }), "OCSP_LOOKUP_FAIL");
  },
);

test.serial("overrideUrl, and a function that fetches", async (t) => {
  const all: Link[] = [];
  const responder = await honest(t, () => all);
  const pki = makePki({ urls: ["http://127.0.0.1:1/"] });
  all.push(pki.leaf);
  const port = await serveTls(t, pki);
  t.is(await outcome(dial(port, pki, { ocsp: { lookup: true, overrideUrl: responder.url } })), "good");
  t.is(responder.requests.length, 1);
  const asked: string[] = [];
  const lookup = async (url: string) => {
    asked.push(url);
    return respond(pki.leaf);
  };
  t.is(await outcome(dial(port, pki, { ocsp: { lookup } })), "good");
  t.deepEqual(asked, ["http://127.0.0.1:1/"]);
});

test.serial("must-staple is the server's duty: a lookup does not stand in for it", async (t) => {
  const { pki, responder } = await scene(t);
  const port = await serveTls(t, pki);
  // The same chain without the demand is good
  t.is(await outcome(dial(port, pki, { ocsp: { lookup: true, mustStaple: true } })), "good");
  t.is(responder.requests.length, 1);
});

test.serial("what the server sends meanwhile is not handed on before the answer, and not lost", async (t) => {
  let answer: () => void = () => undefined;
  const responder = await serve(t, (response) => {
    answer = () => {
      response.setHeader("Content-Type", "application/ocsp-response");
      response.end(respond(pki.leaf));
    };
  });
  const pki = makePki({ urls: [responder.url] });
  const sent = Buffer.alloc(1_000_000, "data");
  const port = await serveTls(t, pki, {}, (socket) => socket.end(sent));
  const socket = dial(port, pki, { ocsp: { lookup: true } });
  const received: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => received.push(chunk));
  await until(() => responder.requests.length > 0);
  await new Promise((resolve) => setTimeout(resolve, 100));
  t.is(received.length, 0);
  t.true(socket.secureConnecting);
  answer();
  await once(socket, "close");
  t.deepEqual(Buffer.concat(received), sent);
});

test.serial(
  "what the server sends is never handed on when the answer is bad; it gets the alert",
  async (t) => {
    const { pki } = await scene(t, { status: "revoked" });
    const errors: string[] = [];
    const port = await serveTls(t, pki, {}, (socket) => {
      socket.on("error", (error: { code: string }) => errors.push(error.code));
      socket.write("secret");
      socket.resume();
    });
    const socket = dial(port, pki, { ocsp: { lookup: true } });
    const received: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => received.push(chunk));
    t.is(await outcome(socket), "OCSP_CERT_REVOKED");
    t.is(received.length, 0);
    await until(() => errors.length > 0, "the alert");
    t.regex(errors[0], /CERTIFICATE_REVOKED/i);
  },
);

test.serial("a responder that never answers: the handshake's time is up", async (t) => {
  const responder = await serve(t, () => undefined);
  const pki = makePki({ urls: [responder.url] });
  const port = await serveTls(t, pki);
  const socket = dial(port, pki, { ocsp: { lookup: true }, handshakeTimeout: 300 });
  t.is(await outcome(socket), "HANDSHAKE_TIMEOUT");
});

test.serial(
  "a socket that is destroyed meanwhile: what comes of the lookup is nobody's fault any more",
  async (t) => {
    const responder = await serve(t, () => undefined);
    const pki = makePki({ urls: [responder.url] });
    const port = await serveTls(t, pki);
    const socket = dial(port, pki, { ocsp: { lookup: true } });
    const reported = once(socket, "ocspLookup");
    await until(() => responder.requests.length > 0);
    socket.destroy();
    await reported;
    await sleep(10);
    t.is(innards(socket).engine.fault, undefined);
  },
);

test.serial("TLS 1.2: a server that the lookup finds revoked leaves no session behind", async (t) => {
  const { pki } = await scene(t, { status: "revoked" });
  const port = await serveTls(t, pki, { maxVersion: "TLSv1.2" });
  const socket = dial(port, pki, { ocsp: { lookup: true } });
  let told = false;
  socket.on("session", () => {
    told = true;
  });
  t.is(await outcome(socket), "OCSP_CERT_REVOKED");
  t.false(told);
  t.is(socket.getSession(), undefined);
});

test.serial("a resumed session is looked up again", async (t) => {
  const { pki, responder } = await scene(t);
  const port = await serveTls(t, pki, { maxVersion: "TLSv1.2" }, (socket) => socket.write("hi"));
  const visit = async (session?: Buffer) => {
    const socket = dial(port, pki, { ocsp: { lookup: true }, session });
    await once(socket, "data");
    socket.destroy();
    return socket;
  };
  const first = await visit();
  const second = await visit(first.getSession());
  t.true(second.isSessionReused());
  t.is(second.ocsp[0].status, "good");
  t.is(second.ocsp[0].resumed, undefined, "it is of this connection");
  t.is(responder.requests.length, 2);
});

// ---- Clients' certificates, at our server

async function clientScene(t: ExecutionContext, status: Statement["status"]) {
  const all: Link[] = [];
  const responder = await honest(
    t,
    () => all,
    () => ({ status }),
  );
  const pki = makePki({ urls: [responder.url], rootUrls: [responder.url] });
  const client = makeLeaf(pki.ca, [responder.url], purpose.clientAuth);
  all.push(client, pki.ca);
  return { responder, pki, client };
}

const keyOf = ({ key }: Link) => key.secret.export({ type: "pkcs8", format: "pem" });

/** Our server, which looks clients up; what it takes of them, and why it refuses them. */
async function serveOurs(t: ExecutionContext, pki: Pki, options: ServerOptions) {
  const server = createServer({
    cert: pki.chain,
    key: keyOf(pki.leaf),
    requestCert: true,
    ca: pki.root.der,
    stapler: "off",
    ...options,
  });
  const sockets: ServerSocket[] = [];
  const refusals: string[] = [];
  server.on("secureConnection", (socket) => {
    sockets.push(socket);
    socket.resume().write("welcome");
  });
  server.on("tlsClientError", (error: Error & { code?: string }) =>
    refusals.push(error.code ?? error.message),
  );
  return { port: await listen(t, server), sockets, refusals };
}

/** What the client reads, or the error, of a server that sends first. */
async function visit(port: number, pki: Pki, client: Link | undefined, options: ConnectOptions = {}) {
  const identity = client && { cert: [client.der, pki.ca.der], key: keyOf(client) };
  const socket = dial(port, pki, { ...identity, ...options });
  const outcome = await once(socket, "data").then(
    ([data]) => data.toString() as string,
    (error: { code: string; alert?: { number: number } }) => `${error.code} ${error.alert?.number}`,
  );
  socket.destroy();
  return { outcome, socket };
}

for (const tls of both) {
  const versions = { minVersion: tls, maxVersion: tls } as const;

  test.serial(`${tls}: a client with a good certificate is let in, and remembered`, async (t) => {
    const { pki, client, responder } = await clientScene(t, "good");
    const ours = await serveOurs(t, pki, { ...versions, ocsp: { lookup: true } });
    for (let i = 0; i < 3; i++) t.is((await visit(ours.port, pki, client)).outcome, "welcome");
    t.is(ours.sockets.length, 3);
    t.true(ours.sockets[0].authorized);
    t.is(ours.sockets[0].ocsp[0].status, "good");
    t.is(responder.requests.length, 1);
  });

  test.serial(`${tls}: a client with a revoked certificate gets nothing, no ticket either`, async (t) => {
    const { pki, client } = await clientScene(t, "revoked");
    const ours = await serveOurs(t, pki, { ...versions, ocsp: { lookup: true } });
    const { outcome, socket } = await visit(ours.port, pki, client);
    t.is(outcome, "PEER_ALERT 44");
    t.deepEqual(ours.refusals, ["OCSP_CERT_REVOKED"]);
    t.is(ours.sockets.length, 0);
    t.is(socket.getSession(), undefined);
    t.is((await visit(ours.port, pki, client)).outcome, "PEER_ALERT 44");
  });

  test.serial(`${tls}: a client whose status nobody tells is refused`, async (t) => {
    const { pki, client } = await clientScene(t, "good");
    const ours = await serveOurs(t, pki, {
      ...versions,
      ocsp: { lookup: true, overrideUrl: "http://127.0.0.1:1/" },
    });
    t.is((await visit(ours.port, pki, client)).outcome, "PEER_ALERT 113");
    t.deepEqual(ours.refusals, ["OCSP_LOOKUP_FAIL"]);
  });

  test.serial(`${tls}: a client that may come without a certificate, and does`, async (t) => {
    const { pki, client, responder } = await clientScene(t, "revoked");
    const ours = await serveOurs(t, pki, { ...versions, requestCert: "optional", ocsp: { lookup: true } });
    t.is((await visit(ours.port, pki, undefined)).outcome, "welcome");
    t.is(responder.requests.length, 0);
    t.is((await visit(ours.port, pki, client)).outcome, "PEER_ALERT 44");
  });
}

test.serial("policy chain at a server: the client's CA too", async (t) => {
  const { pki, client, responder } = await clientScene(t, "good");
  const ours = await serveOurs(t, pki, { ocsp: { lookup: true, policy: "chain" } });
  t.is((await visit(ours.port, pki, client)).outcome, "welcome");
  t.is(responder.requests.length, 2);
});
