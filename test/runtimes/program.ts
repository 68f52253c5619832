/**
 * What a user does with the package as it is shipped, on whatever runs this: `program.js deed …`, and what comes of it as
 * JSON. test/runtimes/runtimes.test.ts has it run by Deno, Bun and Node.
 */

import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer as createHttp, type IncomingMessage } from "node:http";
import { createServer as createHttp2 } from "node:http2";
import { get, type RequestOptions } from "node:https";
import type { AddressInfo } from "node:net";
import type { DetailedPeerCertificate } from "node:tls";
import { credential, type Edition, fixture, fixtureFile } from "../../certs/fixtures.js";
import type { ConnectOptions, ServerOptions, ServerSocket, TLSSocket } from "../../hosts/node/index.js";
import type { Deed, Report, Secured } from "./deeds.js";

type Package = typeof import("../../hosts/node/index.js");
type Responder = typeof import("../../hosts/node/responder/index.js");
const dist = new URL("../../../dist/node/", import.meta.url);
const { Agent, connect, connectHttp2, createServer, provider, Stapler, TlsError } = (await import(
  `${dist}index.js`
)) as Package;

// ---- The test PKI

const rootPem = (edition: Edition) => readFileSync(credential(edition, "root").certificateFile);

function keyPair(edition: Edition | "client", name: string) {
  const { certificateFile, keyFile } = credential(edition, name);
  return { cert: readFileSync(certificateFile), key: readFileSync(keyFile) };
}

/** What a client demands of the server of this name. */
const to = (edition: Edition, name: string) =>
  ({
    host: "127.0.0.1",
    ca: rootPem(edition),
    servername: `${name}.tlstaple.test`,
    ocsp: { policy: "leaf" },
  }) as const;

/** The URL of a responder of ours, for the issuer of server1. */
async function responder(): Promise<string> {
  const { createResponder, listen } = (await import(`${dist}responder.js`)) as Responder;
  const authority = {
    issuer: credential("p256", "intermediate1").chain[0],
    index: fixtureFile("good/p256/index-intermediate1.txt"),
    signer: keyPair("p256", "ocsp-intermediate1"),
  };
  const server = await listen(await createResponder({ authorities: [authority], validity: 3600 }));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

// ---- Both sides

/** A server of ours that staples what the PKI has for it, and echoes; its port. */
async function serve(
  { edition, name }: Secured,
  options: ServerOptions = {},
  onConnection: (socket: ServerSocket) => unknown = (socket) =>
    socket.on("error", () => undefined).pipe(socket),
): Promise<number> {
  const staples = [fixture(`good/${edition}/${name}-ocsp.der`)];
  const server = createServer(
    { ...keyPair(edition, name), staples, stapler: "off", ...options },
    onConnection,
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

const good = { edition: "p256", name: "server1" } as const;

/** What the handshake came to, and what the server echoes. */
async function talk(options: ConnectOptions): Promise<Report> {
  const socket = connect(options);
  try {
    await once(socket, "secureConnect");
    return { ...told(socket), echo: await echo(socket) };
  } catch (error) {
    if (error instanceof TlsError) return { code: error.code };
    throw error;
  } finally {
    socket.destroy();
  }
}

function told(socket: TLSSocket): Report {
  return {
    protocol: socket.getProtocol(),
    status: socket.ocsp[0]?.status,
    resumed: socket.isSessionReused(),
  };
}

async function echo(socket: TLSSocket): Promise<string> {
  socket.write("ping");
  return `${(await once(socket, "data"))[0]}`;
}

/** An answer by HTTP of a server of ours in this process. */
async function answer(options: RequestOptions & ConnectOptions): Promise<Report> {
  const [response] = (await once(get({ path: "/", ...options }), "response")) as [IncomingMessage];
  let text = "";
  for await (const chunk of response) text += chunk;
  return { text };
}

const http = createHttp((_request, response) => response.end("hello"));
const serveHttp = () => serve(good, {}, (socket) => http.emit("connection", socket));

// ---- Deeds

const deeds: Readonly<Record<Deed, (how: Secured) => Promise<Report>>> = {
  /** With a server elsewhere. */
  client: ({ edition, name, port, version }) =>
    talk({ port, minVersion: version, maxVersion: version, ...to(edition, name) }),

  /** For clients elsewhere, until somebody ends it. */
  server: async (how) => ({ port: await serve(how) }),

  /** Each opens what it has sealed. */
  async "offered AEADs"() {
    const works = provider.aeads.filter((name) => {
      const [key, nonce] = [Buffer.alloc(name === "aes-128-gcm" ? 16 : 32), Buffer.alloc(12)];
      const record = Buffer.alloc(116, "plaintext");
      provider.aead(name, key, 0, key.length).seal(nonce, nonce, 0, 5, record, 0, 100);
      return provider.aead(name, key, 0, key.length).open(nonce, nonce, 0, 5, record, 0, 116);
    });
    return { works, offered: provider.aeads };
  },

  async resumption() {
    const options = { ...to("p256", "server1"), port: await serve(good) };
    const socket = connect(options);
    const [session] = (await once(socket, "session")) as [Buffer];
    socket.destroy();
    return talk({ ...options, session });
  },

  async "client certificate"() {
    const ca = readFileSync(credential("client", "ca").certificateFile);
    const port = await serve(good, { requestCert: true, ca });
    return talk({ ...to("p256", "server1"), port, ...keyPair("client", "p256") });
  },

  async getPeerCertificate() {
    const socket = connect({ ...to("p256", "server1"), port: await serve(good) });
    await once(socket, "secureConnect");
    const { subject, issuerCertificate } = socket.getPeerCertificate(true) as DetailedPeerCertificate;
    return { subject: subject.CN, issuer: issuerCertificate.subject.CN };
  },

  async exportKeyingMaterial() {
    const own: Buffer[] = [];
    const exported = (each: TLSSocket | ServerSocket) => each.exportKeyingMaterial(32, "EXPERIMENTAL test")!;
    const port = await serve(good, {}, (socket) => socket.write(exported(socket)));
    const socket = connect({ ...to("p256", "server1"), port });
    socket.on("secureConnect", () => own.push(exported(socket)));
    const [theirs] = (await once(socket, "data")) as [Buffer];
    return { equal: theirs.equals(own[0]), length: theirs.length };
  },

  async pfx() {
    const { certificateFile, keyFile } = credential("p256", "server1");
    const files = ["-in", certificateFile, "-inkey", keyFile];
    const pfx = execFileSync("openssl", ["pkcs12", "-export", ...files, "-passout", "pass:secret"]);
    const port = await serve(good, { cert: undefined, key: undefined, pfx, passphrase: "secret" });
    return talk({ ...to("p256", "server1"), port });
  },

  async "https.get with createConnection"() {
    return answer({ ...to("p256", "server1"), port: await serveHttp(), createConnection: connect });
  },

  async "https.get with Agent"() {
    const { host, ...ours } = to("p256", "server1");
    const agent = new Agent({ keepAlive: true, ...ours });
    const options = { host, port: await serveHttp(), servername: ours.servername, agent };
    await answer(options);
    return answer(options);
  },

  async connectHttp2() {
    const http2 = createHttp2((_request, response) => response.end("hello"));
    const port = await serve(good, { ALPNProtocols: ["h2"] }, (socket) => http2.emit("connection", socket));
    const session = connectHttp2(`https://127.0.0.1:${port}`, to("p256", "server1"));
    let text = "";
    for await (const chunk of session.request({ ":path": "/" })) text += chunk;
    return { text };
  },

  /** Of a responder of ours, for a server without a staple. */
  async "ocsp.lookup"() {
    const lookup = { lookup: true, overrideUrl: await responder() };
    const port = await serve(good, { staples: [] });
    return talk({ ...to("p256", "server1"), port, ocsp: { policy: "leaf", ...lookup } });
  },

  /** The same, whose answers the server staples. */
  async Stapler() {
    const stapler = new Stapler({ overrideUrl: await responder() });
    const port = await serve(good, { stapler, staples: undefined });
    return talk({ ...to("p256", "server1"), port });
  },
};

const [deed, how = "{}"] = process.argv.slice(2);
console.log(JSON.stringify(await deeds[deed as Deed](JSON.parse(how))));
if (deed !== "server") process.exit();
