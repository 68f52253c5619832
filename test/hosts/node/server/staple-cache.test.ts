import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { createServer as createHttps, get } from "node:https";
import { connect as connectTcp } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createSecureContext,
  createServer,
  type TLSSocket as NodeSocket,
  connect as nodeConnect,
  type SecureContext,
  type SecureVersion,
  type Server,
} from "node:tls";
import test, { type ExecutionContext } from "ava";
import { issue, pem } from "../../../../certs/certificate.js";
import { authorityInfoAccess, subjectAltName } from "../../../../certs/extensions.js";
import { credential } from "../../../../certs/fixtures.js";
import { newKey } from "../../../../certs/keys.js";
import {
  Agent,
  connect,
  StapleCache,
  type StapleError,
  type StaplerOptions,
  TlsError,
} from "../../../../hosts/node/index.js";
import { opensslResponder } from "../../../peers/peers.js";
import { withPeer } from "../../../peers/with-peer.js";
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
} from "../ocsp/responders.js";
import { listen } from "../servers.js";

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

// Which certificate is sent

/** What a client that takes these signatures gets: "good", or why not; and whether something was stapled. */
async function taken(port: number, ca: string, sigalgs: string, servername = "localhost"): Promise<string> {
  const options = { host: "127.0.0.1", port, servername, ca, requestOCSP: true, sigalgs };
  const socket = nodeConnect(options);
  const [[staple]] = await Promise.all([once(socket, "OCSPResponse"), once(socket, "secureConnect")]);
  const { raw } = socket.getPeerX509Certificate()!;
  socket.destroy();
  return staple === null ? "none" : `${new X509Certificate(raw).publicKey.asymmetricKeyType}`;
}

const rsaAlone = "RSA-PSS+SHA256";
const ecAlone = "ECDSA+SHA256";

interface Two {
  /** The identities of a server for RSA and ECDSA, of one CA. */
  readonly ec: { cert: string; key: string };
  readonly rsa: { cert: string; key: string };
  readonly root: string;
  readonly cache: StapleCache;
  readonly errors: StapleError[];
}

async function two(t: ExecutionContext): Promise<Two> {
  const { pki, responder } = await served(t);
  const { ca, leaf, root } = pki;
  const other = { ...issueLeaf(ca, responder.url), issuer: ca };
  const links = [leaf, other];
  const statement = await honest(t, () => links);
  const cache = cacheFor(t, { overrideUrl: statement.url });
  const errors: StapleError[] = [];
  cache.on("stapleError", (error) => errors.push(error));
  const ec = { cert: pem(leaf.der, ca.der), key: leaf.key.pem };
  return {
    ec,
    rsa: { cert: pem(other.der, ca.der), key: other.key.pem },
    root: pem(root.der),
    cache,
    errors,
  };
}

function issueLeaf(ca: Link, url: string) {
  const extensions = { names: subjectAltName("localhost"), access: authorityInfoAccess(url) };
  return issue(ca, { serial: 77, subject: "rsa", key: newKey("rsa2048"), extensions });
}

const ambiguity = "ERR_TLSTAPLE_STAPLE_AMBIGUOUS";
const codes = (errors: readonly StapleError[]) => errors.map(({ code }) => code);
const both = ({ rsa, ec }: Two) => ({ cert: [rsa.cert, ec.cert], key: [rsa.key, ec.key] });

test("RSA and ECDSA in one server: nothing is stapled, which is told once", async (t) => {
  const all = await two(t);
  const { cache, errors, root } = all;
  for (const options of [both(all), { cert: both(all).cert.reverse(), key: both(all).key.reverse() }]) {
    const port = await listen(t, cache.attach(createServer(options)));
    for (const sigalgs of [rsaAlone, ecAlone, rsaAlone]) t.is(await taken(port, root, sigalgs), "none");
  }
  t.deepEqual(codes(errors), [ambiguity, ambiguity], "once for each certificate that Node told");
  t.is(errors[0].name, "StapleError");
  t.deepEqual(Buffer.from(errors[0].certificate), new X509Certificate(all.ec.cert).raw);
  t.is(cache.counters.requests, 0);
});

test("one of them alone is stapled, by whatever option", async (t) => {
  const { rsa, ec, root, cache, errors } = await two(t);
  const options = [rsa, { cert: [rsa.cert], key: [rsa.key] }, { cert: rsa.cert, key: [rsa.key, ec.key] }];
  for (const each of options) {
    const port = await listen(t, cache.attach(createServer(each)));
    t.is(await taken(port, root, `${rsaAlone}:${ecAlone}`), "rsa");
  }
  t.deepEqual(errors, []);
});

test("PKCS #12: one is stapled, none beside another certificate", async (t) => {
  const { rsa, ec, root, cache, errors } = await two(t);
  const pfx = pkcs12(t, ec);
  const alone = await listen(t, cache.attach(createServer({ pfx })));
  t.is(await taken(alone, root, ecAlone), "ec");
  t.deepEqual(errors, []);
  for (const options of [{ pfx, ...rsa }, { pfx: [pfx, pkcs12(t, rsa)] }]) {
    const port = await listen(t, cache.attach(createServer(options)));
    for (const sigalgs of [rsaAlone, ecAlone]) t.is(await taken(port, root, sigalgs), "none");
  }
});

function pkcs12(t: ExecutionContext, { cert, key }: Two["ec"]): Buffer {
  const folder = mkdtempSync(join(tmpdir(), "tlstaple-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const [certFile, keyFile] = ["cert", "key"].map((name) => join(folder, name));
  writeFileSync(certFile, cert);
  writeFileSync(keyFile, key);
  return execFileSync("openssl", [
    "pkcs12",
    "-export",
    "-in",
    certFile,
    "-inkey",
    keyFile,
    "-passout",
    "pass:",
  ]);
}

test("SNICallback: nobody can look into its contexts", async (t) => {
  const all = await two(t);
  const { rsa, ec, root, cache, errors } = all;
  const contexts = [ec, both(all), undefined];
  for (const context of contexts) {
    const SNICallback = (_name: string, callback: (error: null, context?: SecureContext) => void) =>
      callback(null, context && createSecureContext(context));
    const port = await listen(t, cache.attach(createServer({ ...rsa, SNICallback })));
    t.is(await taken(port, root, `${rsaAlone}:${ecAlone}`), "none");
  }
  t.deepEqual(codes(errors), [ambiguity, ambiguity]);
});

test("addContext: the server's own certificate is stapled, unless another context may tell the same", async (t) => {
  const all = await two(t);
  const { rsa, ec, root, cache } = all;
  const server = cache.attach(createServer(rsa));
  server.addContext("other.test", ec);
  const port = await listen(t, server);
  t.is(await taken(port, root, rsaAlone, "localhost"), "rsa");
  t.is(await takenUnnamed(port, root, "other.test"), "none");
  const hidden = cache.attach(createServer(ec));
  hidden.addContext("other.test", both(all));
  const doubtful = await listen(t, hidden);
  t.is(await taken(doubtful, root, ecAlone), "none");
});

/** The same for a name that is not the certificate's. */
async function takenUnnamed(port: number, ca: string, servername: string): Promise<string> {
  const options = { host: "127.0.0.1", port, servername, ca, requestOCSP: true };
  const socket = nodeConnect({ ...options, checkServerIdentity: () => undefined });
  const [[staple]] = await Promise.all([once(socket, "OCSPResponse"), once(socket, "secureConnect")]);
  socket.destroy();
  return staple === null ? "none" : "stapled";
}

test("setSecureContext: who came before gets nothing, who comes after the new certificate's", async (t) => {
  const all = await two(t);
  const { rsa, ec, root, cache, errors } = all;
  const server = cache.attach(createServer(ec, (socket) => socket.on("error", () => undefined)));
  const port = await listen(t, server);
  t.is(await taken(port, root, ecAlone), "ec");
  const early = connectTcp(port, "127.0.0.1");
  await once(server, "connection");
  server.setSecureContext(rsa);
  const options = { socket: early, servername: "localhost", ca: root, requestOCSP: true };
  const late = nodeConnect(options);
  const [[staple]] = await Promise.all([once(late, "OCSPResponse"), once(late, "secureConnect")]);
  t.is(new X509Certificate(late.getPeerX509Certificate()!.raw).publicKey.asymmetricKeyType, "ec");
  t.is(staple, null);
  t.deepEqual(codes(errors), [ambiguity]);
  t.is(await taken(port, root, rsaAlone), "rsa", "though the early one is still there");
  late.destroy();
  server.setSecureContext(both(all));
  t.is(await taken(port, root, rsaAlone), "none");
});

test("attached twice it answers once, and where it is not attached there is nothing to detach", async (t) => {
  const { pki } = await served(t);
  const cache = cacheFor(t);
  const server = createServer(identityOf(pki));
  cache.detach(server);
  cache.attach(cache.attach(server));
  t.is(server.listenerCount("OCSPRequest"), 1);
  const before = server.listenerCount("connection");
  cache.detach(server);
  t.is(server.listenerCount("connection"), before - 1);
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
