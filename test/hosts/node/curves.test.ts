/** P-521, X448 and Ed448 at both of our ends, over node:crypto and over noble. */

import { once } from "node:events";
import test, { type ExecutionContext } from "ava";
import {
  type ConnectOptions,
  connect,
  provider as node,
  type ProtocolVersion,
  type ServerOptions,
  type ServerSocket,
} from "../../../hosts/node/index.js";
import { moreCurves, portable } from "../../../hosts/portable/index.js";
import { clientError, serveOurs } from "./ours.js";
import { pairOf } from "./pairs.js";

const noble = moreCurves(portable());
const p521 = pairOf("p521");
const ed448 = pairOf("ed448");
const p256 = pairOf("p256");

function open(t: ExecutionContext, port: number, options: ConnectOptions) {
  const socket = connect({
    host: "127.0.0.1",
    port,
    servername: "localhost",
    ocsp: { stapling: "off" },
    ...options,
  });
  socket.on("error", () => undefined);
  t.teardown(() => socket.destroy());
  return socket;
}

const bare: ServerOptions = { staples: undefined };

/** Both sides at the end of a handshake that stands, in which both have spoken. */
async function meet(t: ExecutionContext, server: ServerOptions, client: ConnectOptions) {
  const ours = await serveOurs(t, { ...bare, ...server }, (socket) => socket.pipe(socket));
  const socket = open(t, ours.port, client);
  await once(socket, "secureConnect");
  socket.end("hello");
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  t.is(`${Buffer.concat(chunks)}`, "hello");
  return { socket, served: ours.sockets[0] };
}

/** Why both sides gave up. */
async function fail(t: ExecutionContext, server: ServerOptions, client: ConnectOptions) {
  const ours = await serveOurs(t, { ...bare, ...server });
  const heard = clientError(ours);
  const socket = open(t, ours.port, client);
  const [error] = await once(socket, "error").catch((thrown) => [thrown]);
  return { client: (error as { code?: string }).code, server: (await heard).code };
}

const only = (version: ProtocolVersion) => ({ minVersion: version, maxVersion: version });

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  for (const [theirs, provider] of Object.entries({ node, noble })) {
    for (const [group, name] of [
      ["P-521", "secp521r1"],
      ["X448", "X448"],
    ])
      test(`${version}: ${group}, the client over ${theirs}`, async (t) => {
        const server = { ...p256, ca: undefined, groups: [group], ...only(version) };
        // In TLS 1.2 the certificate's curve is named too
        const client = { ca: p256.ca, provider, groups: [group, "P-256"], ...only(version) };
        const { socket, served } = await meet(t, server, client);
        t.is(socket.getEphemeralKeyInfo()!.name, name);
        t.is(served.getEphemeralKeyInfo()!.name, name);
      });

    for (const [kind, own] of Object.entries({ p521, ed448 }))
      test(`${version}: certificates with ${kind} keys of both, the client over ${theirs}`, async (t) => {
        const groups = ["P-256", "P-521"];
        const server = { ...own, requestCert: true, groups, ...only(version) };
        const { socket, served } = await meet(t, server, { ...own, provider, groups, ...only(version) });
        t.is(socket.getPeerCertificate()!.subject.CN, `leaf of root ${kind}`);
        t.is((served as ServerSocket).getPeerCertificate()!.subject.CN, `leaf of root ${kind}`);
        t.true(served.authorized);
      });
  }

  test(`${version}: P-521 after a HelloRetryRequest, or as the client's second choice`, async (t) => {
    const server = { ...p256, ca: undefined, groups: ["P-521"], ...only(version) };
    const client = { ca: p256.ca, groups: ["X25519", "P-256", "P-521"], ...only(version) };
    const { socket } = await meet(t, server, client);
    t.is(socket.getEphemeralKeyInfo()!.name, "secp521r1");
  });

  test(`${version}: a session is resumed over P-521`, async (t) => {
    const options: ServerOptions = { ...p521, ca: undefined, groups: ["P-521"], ...only(version) };
    const ours = await serveOurs(t, { ...bare, ...options }, (socket) => socket.end("bye"));
    const client = { ca: p521.ca, groups: ["P-521"], ...only(version) };
    const first = open(t, ours.port, client);
    const [session] = await once(first, "session");
    first.resume();
    await once(first, "close");
    const second = open(t, ours.port, { ...client, session });
    await once(second.resume(), "close");
    t.true(second.isSessionReused());
  });
}

test("they are exchanged only where they are asked for", async (t) => {
  for (const group of ["P-521", "X448"]) {
    const refused = await fail(t, { ...p256, ca: undefined, groups: [group] }, { ca: p256.ca });
    t.deepEqual(refused, { client: "PEER_ALERT", server: "NO_COMMON_GROUP" });
    const asked = await fail(t, { ...p256, ca: undefined }, { ca: p256.ca, groups: [group] });
    t.deepEqual(asked, { client: "PEER_ALERT", server: "NO_COMMON_GROUP" });
  }
});

test("TLS 1.2: a certificate on P-521 is for a client that names the curve (RFC 8422 5.3)", async (t) => {
  const tls12 = only("TLSv1.2");
  const refused = await fail(t, { ...p521, ca: undefined, ...tls12 }, { ca: p521.ca, ...tls12 });
  t.deepEqual(refused, { client: "PEER_ALERT", server: "NO_COMMON_SCHEME" });
  const { socket } = await meet(
    t,
    { ...p521, ca: undefined, ...tls12 },
    { ca: p521.ca, groups: ["P-256", "P-521"], ...tls12 },
  );
  t.is(socket.getEphemeralKeyInfo()!.name, "prime256v1");
});

test("TLS 1.3: certificates with these keys need no group", async (t) => {
  for (const own of [p521, ed448]) {
    const { socket } = await meet(t, { ...own, ca: undefined }, { ca: own.ca });
    t.is(socket.getProtocol(), "TLSv1.3");
    t.is(socket.getEphemeralKeyInfo()!.name, "X25519");
  }
});

test("noble without more curves refuses a certificate on P-521, and one of Ed448", async (t) => {
  for (const own of [p521, ed448]) {
    const refused = await fail(t, { ...own, ca: undefined }, { ca: own.ca, provider: portable() });
    t.not(refused.client, undefined);
    t.regex(`${refused.client} ${refused.server}`, /CERT_SIGNATURE|NO_COMMON_SCHEME/);
  }
});
