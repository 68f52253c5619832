import { once } from "node:events";
import { connect as connectPlain } from "node:net";
import { networkInterfaces } from "node:os";
import { connect } from "node:tls";
import { credential } from "../../certs/fixtures.js";
import { version } from "../../src/wire/registry.js";
import { ocspResponse, openssl } from "./openssl.js";
import {
  gnutlsServer,
  nginxServer,
  nssServer,
  opensslResponder,
  opensslServer,
  type Peer,
  wolfsslServer,
} from "./peers.js";
import { tool } from "./process.js";
import { withPeer } from "./with-peer.js";

/** Each real peer comes up, answers one openssl client with its staple, and goes. */

const { tls12, tls13 } = version;
const root = credential("p256", "root").certificateFile;
const issuers = [root, credential("p256", "intermediate1").certificateFile];
const identity = credential("p256", "server1");

const servers = {
  openssl: opensslServer,
  gnutls: gnutlsServer,
  nginx: nginxServer,
  wolfssl: wolfsslServer,
};

/** Whether a TCP connection to the port is taken. */
async function listens(host: string, port: number): Promise<boolean> {
  const socket = connectPlain(port, host);
  const taken = await Promise.race([
    once(socket, "connect").then(() => true),
    once(socket, "error").then(() => false),
  ]).catch(() => false);
  socket.destroy();
  return taken;
}

/** Our addresses other than loopback. */
function outerAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return all.filter(({ internal, family }) => !internal && family === "IPv4").map(({ address }) => address);
}

async function listensOutside(peer: Peer): Promise<boolean> {
  for (const address of outerAddresses()) if (await listens(address, peer.port)) return true;
  return false;
}

for (const name of Object.keys(servers) as (keyof typeof servers)[]) {
  for (const [only, flag] of [
    [tls12, "-tls1_2"],
    [tls13, "-tls1_3"],
  ] as const) {
    withPeer(name)(`${name} ${flag}`, async (t) => {
      const staples = [await ocspResponse("p256", "server1", "intermediate1")];
      const peer = await servers[name]({ identity, version: only, staples, issuers });
      t.teardown(() => peer.stop());
      t.false(await listensOutside(peer));
      const to = ["-connect", `127.0.0.1:${peer.port}`, "-servername", "localhost", flag];
      const verify = ["-CAfile", root, "-verify_return_error", "-verify_hostname", "localhost"];
      const said = await openssl("s_client", ...to, ...verify, "-status").catch(
        (error) => error.stdout + peer.log(),
      );
      t.regex(said, /Verify return code: 0/);
      t.regex(said, /Cert Status: good/);
      await peer.stop();
      t.false(await listens("127.0.0.1", peer.port));
    });
  }
}

withPeer("responder")("openssl ocsp", async (t) => {
  const peer = await opensslResponder("p256", "intermediate1");
  t.teardown(() => peer.stop());
  t.false(await listensOutside(peer));
  for (const [leaf, status] of [
    ["server1", "good"],
    ["server2", "revoked"],
  ]) {
    const about = ["-issuer", issuers[1], "-cert", credential("p256", leaf).certificateFile];
    const url = ["-url", `http://127.0.0.1:${peer.port}`, "-CAfile", root];
    t.regex(await openssl("ocsp", ...about, ...url), new RegExp(`server.\\.pem: ${status}`));
  }
});

for (const [staple, said] of [
  ["good", /Cert Status: good/],
  ["revoked", /Cert Status: revoked/],
  ["failure", /OCSP Response Status: trylater/],
] as const) {
  withPeer("nss")(`selfserv staples: ${staple}`, async (t) => {
    const peer = await nssServer(tls13, staple);
    t.teardown(() => peer.stop());
    t.false(await listensOutside(peer));
    t.regex(await openssl("s_client", "-connect", `127.0.0.1:${peer.port}`, "-status"), said);
  });
}

withPeer("openssl")("s_server updates its keys on command", async (t) => {
  const peer = await opensslServer({ identity, version: tls13, extra: ["-msg"] });
  t.teardown(() => peer.stop());
  const socket = connect(peer.port, "127.0.0.1", { rejectUnauthorized: false });
  await once(socket, "secureConnect");
  socket.write("ping\n");
  await peer.logs(/ping/);
  peer.type("K\n");
  await peer.logs(/>>> .*KeyUpdate/);
  peer.type("pong\n");
  const [data] = await once(socket, "data");
  t.is(data.toString(), "pong\n");
  socket.destroy();
});

withPeer("openssl")("what is not there has a clear reason", async (t) => {
  t.throws(() => tool("no-such-tool"), { message: /no-such-tool is not installed/ });
  await t.throwsAsync(async () => opensslServer({ identity, version: tls13, extra: ["-no-such-option"] }), {
    message: /Unknown option/,
  });
});
