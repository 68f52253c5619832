import { createServer } from "node:net";
import type { ExecutionContext } from "ava";
import { credential, type Edition } from "../../certs/fixtures.js";
import { version } from "../../src/wire/registry.js";
import { listen } from "../hosts/node/servers.js";
import { holdersOf, ocspChain } from "./openssl.js";
import { gnutlsServer, opensslServer, type WolfsslServerOptions, wolfsslServer } from "./peers.js";
import { serveResponder } from "./responder.js";
import { withPeer } from "./with-peer.js";
import { type WolfsslClientOptions, wolfsslClient } from "./wolfssl.js";

/** wolfSSL's client with servers that are known to be right, so that what it says of ours can be believed. */

const { tls12, tls13 } = version;

type Name = "server1" | "server2" | "server5";

interface Server extends Partial<WolfsslServerOptions> {
  start?: typeof wolfsslServer;
  edition: Edition;
  name: Name;
}

async function serve(t: ExecutionContext, { start = wolfsslServer, edition, name, ...rest }: Server) {
  const issuers = holdersOf(name)
    .slice(1)
    .map((ca) => credential(edition, ca).certificateFile);
  const identity = credential(edition, name);
  const peer = await start({ identity, version: tls12, issuers, ...rest });
  t.teardown(() => peer.stop());
  return peer;
}

type Ask = Partial<WolfsslClientOptions> & { stapling?: 1 | 2 | 3 };

async function ask(t: ExecutionContext, server: Server, options: Ask) {
  const peer = await serve(t, server);
  const protocol = server.version ?? tls12;
  const serverName = `${server.name}.tlstaple.test`;
  return wolfsslClient({
    port: peer.port,
    edition: server.edition,
    version: protocol,
    serverName,
    ...options,
  });
}

const answered = /received: hello wolfssl!/;

// What wolfSSL's own scripts expect; with ocsp_multi its client calls what is revoked a bad message

const revoked = /^connect: -360 OCSP Cert revoked$/m;
const badStatus = /^connect: -406 Bad Certificate Status Message Error$/m;

const expectations: [Name, 1 | 2 | 3, number, RegExp][] = [
  ["server1", 1, tls12, answered],
  ["server1", 2, tls12, answered],
  ["server1", 3, tls12, answered],
  ["server1", 1, tls13, answered],
  ["server2", 1, tls12, revoked],
  ["server2", 2, tls12, revoked],
  ["server2", 3, tls12, badStatus],
  ["server2", 1, tls13, revoked],
  ["server5", 1, tls12, answered],
  ["server5", 2, tls12, answered],
  ["server5", 3, tls12, badStatus],
  ["server5", 1, tls13, answered],
];

for (const edition of ["p256", "rsa"] as const) {
  for (const [name, stapling, protocol, expected] of expectations) {
    const title = `${edition}, ${name}: wolfssl -W ${stapling} -v ${protocol - 0x0300}`;
    withPeer("wolfssl")(title, async (t) => {
      const staples = await ocspChain(edition, name);
      const { code, output } = await ask(t, { edition, name, version: protocol, staples }, { stapling });
      t.regex(output, expected);
      t.is(code, expected === answered ? 0 : 1);
      if (protocol === tls13) return;
      const lengths = (stapling === 3 ? staples : [staples[0]]).map(({ length }) => length);
      const type = stapling === 3 ? 2 : 1;
      t.true(output.includes(`certificate_status: type ${type}, ${lengths.join(" ")} bytes`), output);
    });
  }
}

// What wolfSSL's server sends where staples are missing

for (const places of [[0], [0, 2], [0, 1]]) {
  withPeer("wolfssl")(`ocsp_multi with staples for the certificates ${places} alone`, async (t) => {
    const staples = await ocspChain("p256", "server1", places);
    const { output } = await ask(t, { edition: "p256", name: "server1", staples }, { stapling: 3 });
    const lengths = [0, 1, 2].map((place) => staples[places.indexOf(place)]?.length ?? 0);
    t.true(output.includes(`certificate_status: type 2, ${lengths.join(" ")} bytes`), output);
    t.regex(output, answered);
  });
}

withPeer("wolfssl")("a server that accepts to staple, and has no staple for the leaf", async (t) => {
  const staples = await ocspChain("p256", "server1", [1, 2]);
  for (const stapling of [1, 2, 3] as const) {
    const { output } = await ask(t, { edition: "p256", name: "server1", staples }, { stapling });
    t.regex(output, /^connect: -367 OCSP Responder lookup fail$/m);
  }
});

for (const [stapling, protocol] of [
  [1, tls12],
  [2, tls12],
  [3, tls12],
  [1, tls13],
] as const) {
  withPeer("wolfssl")(`no staple, and must staple: -W ${stapling} -v ${protocol - 0x0300}`, async (t) => {
    const server = { edition: "p256", name: "server1", version: protocol } as const;
    t.regex((await ask(t, server, { stapling })).output, answered);
    const refused = await ask(t, server, { stapling, mustStaple: true });
    t.is(refused.code, 1);
    t.regex(refused.output, /^connect: -366 OCSP Cert unknown$/m);
    const staples = await ocspChain("p256", "server1");
    t.regex((await ask(t, { ...server, staples }, { stapling, mustStaple: true })).output, answered);
  });
}

withPeer("wolfssl")("staples from a responder over HTTP", async (t) => {
  const { url, requests } = await serveResponder(t, "p256");
  const server = { edition: "p256", name: "server1", responder: url } as const;
  const { output } = await ask(t, server, { stapling: 3, resume: true });
  t.regex(output, /^certificate_status: type 2, [1-9]\d+ [1-9]\d+ [1-9]\d+ bytes$/m);
  t.regex(output, /, resumed$/m);
  t.is(requests.length, 3);
});

// What it asks for: status_request has a byte and two lists, status_request_v2 a list of such (RFC 6961 2.2)

const asked: Record<1 | 2 | 3, string> = {
  1: "0005 0005 01 0000 0000",
  2: "0011 0009 0007 01 0004 0000 0000",
  3: "0011 0009 0007 02 0004 0000 0000",
};
/** id-pkix-ocsp-nonce, RFC 6960 4.4.1. */
const nonceOid = Buffer.from("2b0601050507300102", "hex");

for (const stapling of [1, 2, 3] as const) {
  withPeer("wolfssl")(`the ClientHello of -W ${stapling}`, async (t) => {
    const hellos: Buffer[] = [];
    const port = await listen(
      t,
      createServer((socket) => socket.once("data", (hello) => hellos.push(hello) && socket.destroy())),
    );
    const options = { port, edition: "p256", version: tls12, stapling } as const;
    await wolfsslClient(options);
    await wolfsslClient({ ...options, nonce: true });
    const [plain, withNonce] = hellos;
    t.true(plain.includes(Buffer.from(asked[stapling].replaceAll(" ", ""), "hex")));
    t.false(plain.includes(nonceOid));
    t.true(withNonce.includes(nonceOid));
  });
}

// Other servers

for (const [start, peer] of [
  [opensslServer, "openssl"],
  [gnutlsServer, "gnutls"],
] as const) {
  for (const edition of ["p256", "rsa"] as const) {
    for (const protocol of [tls12, tls13]) {
      withPeer("wolfssl", peer)(`${peer}, ${edition}, -v ${protocol - 0x0300}`, async (t) => {
        const good = { start, edition, name: "server1", version: protocol } as const;
        const extra = peer === "openssl" ? ["-rev"] : [];
        const staples = await ocspChain(edition, "server1", [0]);
        const said = await ask(
          t,
          { ...good, extra, staples },
          { stapling: 1, mustStaple: true, resume: true },
        );
        t.regex(said.output, /^staple produced at /m);
        t.is(said.code, 0, said.output);
        const bad = {
          ...good,
          name: "server2",
          staples: await ocspChain(edition, "server2", [0]),
        } as const;
        t.regex((await ask(t, { ...bad, extra }, { stapling: 1 })).output, revoked);
        t.regex((await ask(t, { ...bad, extra }, {})).output, /^received: /m);
      });
    }
  }
}

withPeer("wolfssl", "gnutls")(
  "in TLS 1.3 a staple for the intermediate is too much for wolfSSL 5.5",
  async (t) => {
    const server = { start: gnutlsServer, edition: "p256", name: "server1", version: tls13 } as const;
    const staples = await ocspChain("p256", "server1", [0, 1]);
    t.regex((await ask(t, { ...server, staples }, { stapling: 1 })).output, badStatus);
  },
);

withPeer("wolfssl")("a certificate for another name, and by another root", async (t) => {
  const server = { edition: "p256", name: "server1" } as const;
  t.regex((await ask(t, server, { serverName: "server3.tlstaple.test" })).output, /^connect: -322 /m);
  t.regex((await ask(t, server, { edition: "rsa" })).output, /^connect: -188 /m);
});

withPeer("wolfssl")("a client certificate", async (t) => {
  const clientCa = credential("client", "ca").certificateFile;
  const server = { edition: "p256", name: "server1", clientCa } as const;
  t.regex((await ask(t, server, { identity: credential("client", "p256") })).output, answered);
  t.is((await ask(t, server, {})).code, 1);
});
