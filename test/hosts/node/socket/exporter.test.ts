/** What both sides know of one connection: exported keying material and Finished, beside node:tls's, that is OpenSSL's. */

import { once } from "node:events";
import { setImmediate } from "node:timers/promises";
import { connect as connectNode, type TLSSocket as NodeSocket, type SecureVersion } from "node:tls";
import test, { type ExecutionContext } from "ava";
import { connect, type ServerSocket, type TLSSocket } from "../../../../hosts/node/index.js";
import { serveOurs } from "../ours.js";
import { rootOf, serveTls, stapled } from "../servers.js";

const label = "EXPORTER-Channel-Binding";
/** In TLS 1.2 OpenSSL takes no longer ones than that. */
const contexts = [undefined, Buffer.alloc(0), Buffer.from("context"), Buffer.alloc(900, 7)];
const lengths = [1, 32, 33, 48, 255, 1000];

/** Both ends say the same. */
function agree(t: ExecutionContext, ours: TLSSocket | ServerSocket, theirs: NodeSocket): void {
  for (const length of lengths)
    for (const context of contexts)
      t.deepEqual(
        ours.exportKeyingMaterial(length, label, context),
        theirs.exportKeyingMaterial(length, label, context as Buffer),
        `${length} ${context?.length}`,
      );
  t.deepEqual(ours.getFinished(), theirs.getPeerFinished());
  t.deepEqual(ours.getPeerFinished(), theirs.getFinished());
  if (ours.isSessionReused()) return;
  const own = ours.getX509Certificate()?.raw;
  t.deepEqual(own, theirs.getPeerX509Certificate()?.raw);
  t.deepEqual(ours.getCertificate()?.raw, own);
  t.deepEqual(ours.getPeerX509Certificate()?.raw, theirs.getX509Certificate()?.raw);
}

interface Case {
  readonly version: SecureVersion & ("TLSv1.2" | "TLSv1.3");
  readonly ciphers: string;
}

const cases: readonly Case[] = [
  { version: "TLSv1.3", ciphers: "TLS_AES_128_GCM_SHA256" },
  { version: "TLSv1.3", ciphers: "TLS_AES_256_GCM_SHA384" },
  { version: "TLSv1.2", ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256" },
  { version: "TLSv1.2", ciphers: "ECDHE-ECDSA-AES256-GCM-SHA384" },
];

for (const { version, ciphers } of cases) {
  test(`${ciphers}: a client, its session resumed too`, async (t) => {
    const peers: NodeSocket[] = [];
    const options = { ciphers, maxVersion: version };
    const port = await serveTls(t, await stapled("p256", "server1"), (peer) => peers.push(peer), options);
    let session: Buffer | undefined;
    for (const reused of [false, true]) {
      const socket = connect({
        host: "127.0.0.1",
        port,
        servername: "localhost",
        ca: rootOf("p256"),
        session,
      });
      const fresh = reused ? undefined : once(socket, "session");
      t.throws(() => socket.exportKeyingMaterial(32, label), { code: "ERR_TLS_INVALID_STATE" });
      await once(socket, "secureConnect");
      session = (await fresh)?.[0];
      t.is(socket.isSessionReused(), reused);
      while (peers.length === 0) await setImmediate();
      agree(t, socket, peers.pop()!);
      socket.destroy();
      t.throws(() => socket.exportKeyingMaterial(32, label), { code: "ERR_TLS_INVALID_STATE" });
    }
  });

  test(`${ciphers}: a server, its session resumed too`, async (t) => {
    const { port, sockets } = await serveOurs(t, { maxVersion: version }, (socket) => socket.write("."));
    let session: Buffer | undefined;
    for (const reused of [false, true]) {
      const options = { ca: rootOf("p256"), ciphers, session };
      const socket = connectNode({ host: "127.0.0.1", port, servername: "localhost", ...options });
      const fresh = reused ? undefined : once(socket, "session");
      socket.on("error", () => undefined);
      await once(socket, "data");
      session = (await fresh)?.[0];
      t.is(socket.isSessionReused(), reused);
      agree(t, sockets.at(-1)!, socket);
      socket.destroy();
    }
  });
}

test("TLS 1.2 without extended_master_secret: nothing is exported", async (t) => {
  const SSL_OP_NO_EXTENDED_MASTER_SECRET = 1;
  const weak = { maxVersion: "TLSv1.2", secureOptions: SSL_OP_NO_EXTENDED_MASTER_SECRET } as const;
  const facts = { host: "127.0.0.1", servername: "localhost", ca: rootOf("p256") };
  const port = await serveTls(t, await stapled("p256", "server1"), undefined, weak);
  const client = connect({ ...facts, port });
  await once(client, "secureConnect");
  t.is(client.getPeerFinished()?.length, 12);
  const ours = await serveOurs(t);
  const theirs = connectNode({ ...facts, ...weak, port: ours.port });
  await once(theirs, "secureConnect");
  for (const socket of [client, ours.sockets[0]])
    t.throws(() => socket.exportKeyingMaterial(32, label), { code: "ERR_TLS_INVALID_STATE" });
  client.destroy();
  theirs.destroy();
});

test("what can't be exported is refused", async (t) => {
  const ours = await serveOurs(t);
  const socket = connect({ host: "127.0.0.1", port: ours.port, servername: "localhost", ca: rootOf("p256") });
  await once(socket, "secureConnect");
  const code = "ERR_TLSTAPLE_ARGUMENT";
  for (const length of [0, -1, 1.5, 255 * 48 + 1, "32"] as number[])
    t.throws(() => socket.exportKeyingMaterial(length, label), { code }, `${length}`);
  for (const bad of ["", "x".repeat(250), "key expansion", "master secret", "client finished", 7 as never])
    t.throws(() => socket.exportKeyingMaterial(32, bad), { code }, `${bad}`);
  for (const context of [Buffer.alloc(65536), "context" as never])
    t.throws(() => socket.exportKeyingMaterial(32, label, context), { code });
  for (const name of ["renegotiate", "enableTrace", "setMaxSendFragment", "getTLSTicket", "getSharedSigalgs"])
    t.throws(() => (socket as never as Record<string, () => void>)[name](), {
      code: "ERR_TLSTAPLE_UNSUPPORTED",
    });
  t.notThrows(() => socket.disableRenegotiation());
  socket.destroy();
});
