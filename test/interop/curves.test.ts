/** P-521, X448 and Ed448 with OpenSSL and GnuTLS, at either end. */

import { once } from "node:events";
import type { ExecutionContext } from "ava";
import type { Credential } from "../../certs/fixtures.js";
import { type ConnectOptions, connect, type ServerSocket } from "../../hosts/node/index.js";
import { version } from "../../src/wire/registry.js";
import { serveOurs } from "../hosts/node/ours.js";
import { type Pair, pairOf } from "../hosts/node/pairs.js";
import { gnutlsServer, opensslServer, type Peer } from "../peers/peers.js";
import { Scratch } from "../peers/scratch.js";
import { withPeer } from "../peers/with-peer.js";
import { runClient } from "./clients.js";
import { receive } from "./session.js";

const openssl = withPeer("openssl");
const gnutls = withPeer("gnutls");
const gnutlsCli = withPeer("gnutls-cli");

const pairs = { p256: pairOf("p256"), p521: pairOf("p521"), ed448: pairOf("ed448") };
const versions = [
  ["TLS 1.2", "TLSv1.2", version.tls12],
  ["TLS 1.3", "TLSv1.3", version.tls13],
] as const;

/** The pair as files. */
function filesOf(t: ExecutionContext, { ca, cert, key, leaf, root }: Pair): Credential & { caFile: string } {
  const files = new Scratch();
  t.teardown(files.remove);
  return {
    certificateFile: files.write("cert.pem", cert),
    keyFile: files.write("key.pem", key),
    caFile: files.write("ca.pem", ca),
    chain: [leaf.der, root.der],
  };
}

/** Speaks to a server that echoes. */
async function talk(t: ExecutionContext, peer: Peer, options: ConnectOptions) {
  t.teardown(() => peer.stop());
  const ocsp = { stapling: "off" } as const;
  const socket = connect({ host: "127.0.0.1", port: peer.port, servername: "localhost", ocsp, ...options });
  socket.on("error", () => undefined);
  t.teardown(() => socket.destroy());
  await once(socket, "secureConnect");
  socket.write("hello\n");
  t.regex(`${await receive(socket, 6)}`, /hello|olleh/);
  return socket;
}

const groups = [
  ["P-521", "secp521r1", "SECP521R1"],
  ["X448", "X448", "X448"],
] as const;

for (const [title, only, spoken] of versions) {
  const alone = { minVersion: only, maxVersion: only };
  for (const [group, name, gnutlsName] of groups) {
    const client = { ca: pairs.p256.ca, groups: [group, "P-256"], ...alone };

    openssl(`${title}: ${group} with OpenSSL's server`, async (t) => {
      const extra = ["-rev", "-groups", group];
      const identity = filesOf(t, pairs.p256);
      const socket = await talk(t, await opensslServer({ identity, version: spoken, extra }), client);
      t.is(socket.getEphemeralKeyInfo()!.name, name);
    });

    gnutls(`${title}: ${group} with GnuTLS's server`, async (t) => {
      const priority = `NORMAL:-VERS-ALL:+VERS-TLS${title.slice(4)}:-GROUP-ALL:+GROUP-${gnutlsName}`;
      // In TLS 1.2 the certificate's curve counts too
      const extra = ["--priority", `${priority}:+GROUP-SECP256R1`];
      const identity = filesOf(t, pairs.p256);
      const socket = await talk(t, await gnutlsServer({ identity, version: spoken, extra }), client);
      t.is(socket.getEphemeralKeyInfo()!.name, name);
    });

    openssl(`${title}: ${group} with OpenSSL's client`, async (t) => {
      const ours = await serveOurs(
        t,
        { ...pairs.p256, ca: undefined, staples: undefined, groups: [group], ...alone },
        answer,
      );
      const { code, output } = await sClient(t, ours.port, pairs.p256, "-groups", `${group}:P-256`);
      t.is(code, 0, output);
      t.is(ours.sockets[0].getEphemeralKeyInfo()!.name, name);
    });
  }

  for (const kind of ["p521", "ed448"] as const) {
    const pair = pairs[kind];
    const own = { cert: pair.cert, key: pair.key };
    const curves = ["P-256", "P-521"];

    openssl(`${title}: keys of ${kind} with OpenSSL's server, and our own certificate`, async (t) => {
      const identity = filesOf(t, pair);
      const options = { identity, version: spoken, extra: ["-rev"], clientCa: identity.caFile };
      const socket = await talk(t, await opensslServer(options), {
        ca: pair.ca,
        groups: curves,
        ...own,
        ...alone,
      });
      t.is(socket.getPeerCertificate()!.subject.CN, `leaf of root ${kind}`);
    });

    gnutls(`${title}: keys of ${kind} with GnuTLS's server, and our own certificate`, async (t) => {
      const identity = filesOf(t, pair);
      const options = { identity, version: spoken, clientCa: identity.caFile };
      const socket = await talk(t, await gnutlsServer(options), {
        ca: pair.ca,
        groups: curves,
        ...own,
        ...alone,
      });
      t.is(socket.getPeerCertificate()!.subject.CN, `leaf of root ${kind}`);
    });

    const server = { ...own, ca: pair.ca, requestCert: true, staples: undefined, groups: curves, ...alone };

    openssl(`${title}: keys of ${kind} with OpenSSL's client`, async (t) => {
      const ours = await serveOurs(t, server, answer);
      const files = filesOf(t, pair);
      const shown = ["-cert", files.certificateFile, "-key", files.keyFile];
      const { code, output } = await sClient(t, ours.port, pair, ...shown);
      t.is(code, 0, output);
      t.true(ours.sockets[0].authorized);
    });

    gnutlsCli(`${title}: keys of ${kind} with GnuTLS's client`, async (t) => {
      const ours = await serveOurs(t, server, answer);
      const files = filesOf(t, pair);
      const verified = ["--x509cafile", files.caFile, "--verify-hostname", "localhost"];
      const shown = ["--x509certfile", files.certificateFile, "--x509keyfile", files.keyFile];
      const to = ["--port", `${ours.port}`, "127.0.0.1"];
      const { code, output } = await runClient("gnutls-cli", [...verified, ...shown, ...to], "hello\n");
      t.is(code, 0, output);
      t.true(ours.sockets[0].authorized);
    });
  }
}

/** Answers the first line, and ends. */
const answer = (socket: ServerSocket) => socket.once("data", (line) => socket.end(`heard ${line}`));

function sClient(t: ExecutionContext, port: number, pair: Pair, ...args: string[]) {
  const { caFile } = filesOf(t, pair);
  const to = ["s_client", "-connect", `127.0.0.1:${port}`, "-servername", "localhost"];
  return runClient(
    "openssl",
    [...to, "-CAfile", caFile, "-verify_return_error", "-ign_eof", ...args],
    "hello\n",
  );
}
