import { readFileSync } from "node:fs";
import type { ExecutionContext } from "ava";
import { credential, type Edition } from "../../certs/fixtures.js";
import type { ConnectOptions } from "../../hosts/node/socket/options.js";
import { version } from "../../src/client/index.js";
import { ocspChain, ocspResponse } from "../peers/openssl.js";
import { gnutlsServer, nginxServer, type Peer, type ServerOptions, wolfsslServer } from "../peers/peers.js";
import { withPeer } from "../peers/with-peer.js";
import { outcome, receive, session } from "./session.js";

/** GnuTLS, nginx and wolfSSL: the same questions to each, as far as it can answer them. */

const { tls12, tls13 } = version;

interface Kind {
  start(options: ServerOptions & { issuers?: readonly string[] }): Promise<Peer>;
  /** What to say to it, and what it answers. */
  request: string;
  answer: RegExp;
  /** Staples what it is given, be it about another certificate. */
  blind?: boolean;
}

const kinds = {
  gnutls: { start: gnutlsServer, request: "echo this\n", answer: /^echo this\n/, blind: true },
  nginx: {
    start: nginxServer,
    request: "GET / HTTP/1.0\r\n\r\n",
    answer: /^HTTP\/1\.1 \d\d\d /,
    blind: true,
  },
  wolfssl: { start: wolfsslServer, request: "anything\n", answer: /./s },
} satisfies Record<string, Kind>;

/** nginx loads its staple as it starts, yet hands it out from the second connection on. */
const warmUps = 2;

interface Server {
  kind: Kind;
  edition: Edition;
  protocol: number;
  name?: string;
  staples?: Buffer[];
  clientCa?: string;
}

async function serve(t: ExecutionContext, { kind, edition, protocol, name = "server1", ...rest }: Server) {
  const issuers = ["root", "intermediate1"].map((ca) => credential(edition, ca).certificateFile);
  const peer = await kind.start({ identity: credential(edition, name), version: protocol, issuers, ...rest });
  t.teardown(() => peer.stop());
  return peer;
}

/** A session that asks and is answered. */
async function ask(t: ExecutionContext, server: Server, peer: Peer, options: ConnectOptions) {
  const socket = session(peer, server.edition, server.name ?? "server1", options);
  t.is(await outcome(socket), "good", peer.log());
  socket.write(server.kind.request);
  t.regex((await receive(socket, 1)).toString("latin1"), server.kind.answer);
  socket.destroy();
  return socket;
}

async function warmUp({ kind, edition, name = "server1" }: Server, peer: Peer): Promise<void> {
  if (kind !== kinds.nginx) return;
  for (let i = 0; i < warmUps; i++) {
    const socket = session(peer, edition, name, { rejectUnauthorized: false });
    await outcome(socket);
    socket.destroy();
  }
}

for (const title of ["gnutls", "nginx", "wolfssl"] as const) {
  const kind: Kind = kinds[title];
  const run = withPeer(title);
  for (const edition of ["p256", "rsa"] as const) {
    for (const protocol of [tls12, tls13]) {
      const about = `${title}, ${edition}, TLS 1.${protocol - 0x0301}`;
      const server = { kind, edition, protocol };

      run(`${about}: not stapled`, async (t) => {
        const peer = await serve(t, server);
        const socket = await ask(t, server, peer, {});
        t.is(socket.ocsp[0].status, "none");
        t.is(
          await outcome(session(peer, edition, "server1", { ocsp: { policy: "leaf" } })),
          "OCSP_STAPLE_MISSING",
        );
      });

      run(`${about}: stapled, and good`, async (t) => {
        const staples = [await ocspResponse(edition, "server1", "intermediate1")];
        const peer = await serve(t, { ...server, staples });
        await warmUp(server, peer);
        const socket = await ask(t, server, peer, { ocsp: { policy: "leaf" } });
        t.is(socket.ocsp[0].status, "good");
      });

      run(`${about}: stapled, and revoked`, async (t) => {
        const staples = [await ocspResponse(edition, "server2", "intermediate1")];
        const revoked = { ...server, name: "server2", staples };
        const peer = await serve(t, revoked);
        await warmUp(revoked, peer);
        const socket = session(peer, edition, "server2");
        t.is(await outcome(socket), "OCSP_CERT_REVOKED");
        t.is(socket.ocsp[0].status, "revoked");
      });

      if (!kind.blind) continue;
      run(`${about}: stapled, for another server`, async (t) => {
        const staples = [await ocspResponse(edition, "server2", "intermediate1")];
        const peer = await serve(t, { ...server, staples });
        await warmUp(server, peer);
        t.is(await outcome(session(peer, edition, "server1")), "OCSP_WRONG_CERT");
      });
    }
  }

  run(`${title}: a client certificate`, async (t) => {
    const { certificateFile, keyFile } = credential("client", "p256");
    const identity = { cert: readFileSync(certificateFile), key: readFileSync(keyFile) };
    for (const protocol of [tls12, tls13]) {
      const server = {
        kind,
        edition: "p256",
        protocol,
        clientCa: credential("client", "ca").certificateFile,
      } as const;
      await ask(t, server, await serve(t, server), identity);
    }
  });
}

// GnuTLS refuses to staple what is revoked; a revoked intermediate is in test/negative
for (const edition of ["p256", "rsa"] as const) {
  withPeer("gnutls")(
    `gnutls, ${edition}, TLS 1.3: the policy chain wants the intermediate's staple`,
    async (t) => {
      const server = { kind: kinds.gnutls, edition, protocol: tls13 };
      const chain = { ocsp: { policy: "chain" } } as const;
      const both = await serve(t, { ...server, staples: await ocspChain(edition, "server1", [0, 1]) });
      const socket = await ask(t, server, both, chain);
      t.deepEqual(
        socket.ocsp.map(({ status }) => status),
        ["good", "good"],
      );
      const leaf = await serve(t, { ...server, staples: await ocspChain(edition, "server1", [0]) });
      t.is(await outcome(session(leaf, edition, "server1", chain)), "OCSP_STAPLE_MISSING");
    },
  );
}
