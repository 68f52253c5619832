/** Staples of clients with GnuTLS, which has them on both sides: our client with `gnutls-serv`, its client with our server. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ExecutionContext } from "ava";
import type { Issued } from "../../certs/certificate.js";
import { purpose } from "../../certs/extensions.js";
import { credential } from "../../certs/fixtures.js";
import { type ConnectOptions, connect, type ServerOptions } from "../../hosts/node/index.js";
import { version } from "../../src/wire/registry.js";
import { type Link, makeLeaf, makePki, respond, type Statement } from "../hosts/node/ocsp/responders.js";
import { clientError, serveOurs } from "../hosts/node/ours.js";
import { rootOf } from "../hosts/node/servers.js";
import { gnutlsServer } from "../peers/peers.js";
import { pem } from "../peers/pem.js";
import { compile } from "../peers/process.js";
import { withPeer } from "../peers/with-peer.js";
import { folder, type Run, rootFile, runClient } from "./clients.js";

const pki = makePki();
const client = makeLeaf(pki.ca, [], purpose.clientAuth);
const now = () => Math.floor(Date.now() / 1000);
const keyOf = ({ key }: Issued) => key.secret.export({ type: "pkcs8", format: "pem" }) as string;
const cert = [client.der, pki.ca.der];

/** PEM of a response, as GnuTLS reads several from one file. */
function responsePem(der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g)!;
  return ["-----BEGIN OCSP RESPONSE-----", ...lines, "-----END OCSP RESPONSE-----", ""].join("\n");
}

// ---- Our client with gnutls-serv

const withServer = withPeer("gnutls");

/** "good", or the alert, once gnutls-serv has echoed a line or refused the client; and what it said meanwhile. */
async function visit(t: ExecutionContext, options: ConnectOptions) {
  const clientCa = join(folder(t), "ca.pem");
  writeFileSync(clientCa, pem(pki.root.der));
  const identity = credential("p256", "server1");
  const peer = await gnutlsServer({ identity, version: version.tls13, clientCa, extra: ["-d", "4"] });
  t.teardown(() => peer.stop());
  const own = { cert, key: keyOf(client), ca: rootOf("p256"), servername: "localhost" };
  const socket = connect({ host: "127.0.0.1", port: peer.port, ...own, ...options });
  const outcome = await new Promise<string>((resolve) => {
    // In TLS 1.3 it refuses us only now, and what is written to who has gone hides its alert
    socket.on("secureConnect", () => setTimeout(() => socket.destroyed || socket.write("hello\n"), 300));
    socket.on("data", (line) => resolve(`heard ${line}`));
    socket.on("error", ({ code, alert }) => resolve(`${code} ${alert?.number}`));
    socket.on("close", () => resolve("closed"));
  });
  const { staples } = socket;
  socket.destroy();
  return { outcome, staples, peer };
}

withServer("gnutls-serv asks for staples, and takes those of our client", async (t) => {
  const responses = [respond(client), respond(pki.ca)];
  const { outcome, staples, peer } = await visit(t, { clientStaple: responses });
  t.is(outcome, "heard hello\n", peer.log());
  t.deepEqual(
    staples,
    responses.map((each) => Uint8Array.from(each)),
  );
});

withServer("gnutls-serv refuses our client when its staple says revoked, or is stale", async (t) => {
  const revoked = await visit(t, { clientStaple: respond(client, { status: "revoked" }) });
  t.regex(revoked.outcome, /^PEER_ALERT /, revoked.peer.log());
  await revoked.peer.logs(/certificate.*revoked/i);
  const thisUpdate = now() - 40 * 86_400;
  const stale = respond(client, { thisUpdate, nextUpdate: thisUpdate + 3600 });
  // Ours sends none that is stale
  const without = await visit(t, { clientStaple: stale });
  t.is(without.outcome, "heard hello\n", without.peer.log());
  t.deepEqual(without.staples, [undefined]);
});

// ---- GnuTLS's client with our server

const withClient = withPeer("gnutls-client");

/** Runs it against our server, with these responses for its certificates. */
async function served(
  t: ExecutionContext,
  ocsp: ServerOptions["ocsp"],
  responses: Buffer[],
  ...flags: string[]
) {
  const files = folder(t);
  const write = (name: string, text: string) => {
    writeFileSync(join(files, name), text);
    return join(files, name);
  };
  const ours = await serveOurs(t, { requestCert: true, ca: pki.root.der, ocsp }, (socket) => {
    socket.once("data", (line) => socket.end(`heard ${line}`));
  });
  const told = clientError(ours);
  const own = ["-c", write("own.pem", cert.map(pem).join("")), "-k", write("own-key.pem", keyOf(client))];
  const staples =
    responses.length > 0 ? ["-O", write("own-ocsp.pem", responses.map(responsePem).join(""))] : [];
  const to = ["-p", `${ours.port}`, "-A", rootFile("p256"), "-S", "localhost"];
  const program = compile("interop/gnutls-client.c", "gnutls-client", "-lgnutls");
  const run: Run = await runClient(program, [...to, ...own, ...staples, ...flags]);
  return { run, sockets: ours.sockets, told };
}

const about = (link: Link, statement?: Statement) => respond(link, statement);

withClient("our server takes the staples of GnuTLS's client, for each certificate", async (t) => {
  const policy = { stapling: "v1", policy: "chain" } as const;
  const { run, sockets } = await served(t, policy, [about(client), about(pki.ca)]);
  t.is(run.output, "received: heard hello gnutls!\n\n");
  t.is(run.code, 0);
  t.true(sockets[0].authorized);
  t.deepEqual(
    sockets[0].ocsp.map(({ status }) => status),
    ["good", "good"],
  );
});

withClient(
  "our server refuses GnuTLS's client when its staple says revoked, is another's, or lacks",
  async (t) => {
    const leaf = { stapling: "v1", policy: "leaf" } as const;
    const revoked = await served(t, leaf, [about(client, { status: "revoked" })], "-n");
    t.regex(revoked.run.output, /^alert 44 /);
    t.is((await revoked.told).code, "OCSP_CERT_REVOKED");
    const wrong = await served(t, leaf, [about(client), about(pki.ca)], "-n");
    t.is((await wrong.told).code, "OCSP_WRONG_CERT");
    const without = await served(t, leaf, []);
    t.regex(without.run.output, /^alert 113 /);
    t.is((await without.told).code, "OCSP_STAPLE_MISSING");
  },
);

withClient("GnuTLS's client sends none to a server of ours that does not ask", async (t) => {
  const { run, sockets } = await served(t, {}, [about(client)]);
  t.is(run.code, 0, run.output);
  t.deepEqual(
    sockets[0].ocsp.map(({ status }) => status),
    ["none", "none"],
  );
});
