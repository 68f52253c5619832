import { readFileSync } from "node:fs";
import type { ExecutionContext } from "ava";
import { credential, type Edition } from "../../certs/fixtures.js";
import { createServer, type ServerOptions, type ServerSocket, Stapler } from "../../hosts/node/index.js";
import { version } from "../../src/client/index.js";
import { listen } from "../hosts/node/servers.js";
import { ocspChain } from "../peers/openssl.js";
import { serveResponder } from "../peers/responder.js";
import { withPeer } from "../peers/with-peer.js";
import { type WolfsslClientOptions, wolfsslClient } from "../peers/wolfssl.js";

/** Our server and wolfSSL's client, which is all there is to ask by status_request_v2. */

const { tls12, tls13 } = version;
const run = withPeer("wolfssl");

interface Served extends ServerOptions {
  edition?: Edition;
  name?: string;
}

type Ask = Partial<WolfsslClientOptions>;

/** Who talks to it hears its own data. */
async function serve(t: ExecutionContext, { edition = "p256", name = "server1", ...options }: Served) {
  const { certificateFile, keyFile } = credential(edition, name);
  const files = { cert: readFileSync(certificateFile), key: readFileSync(keyFile) };
  const sockets: ServerSocket[] = [];
  // In TLS 1.3 wolfSSL 5.5 takes a staple for the leaf alone (test/peers/wolfssl.test.ts)
  const server = createServer({ ...files, stapler: "off", stapleChain: false, ...options }, (socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined).pipe(socket);
  });
  const errors: (string | undefined)[] = [];
  server.on("tlsClientError", ({ code }: NodeJS.ErrnoException) => errors.push(code));
  return { port: await listen(t, server), sockets, errors };
}

async function ask(t: ExecutionContext, served: Served, options: Ask) {
  const server = await serve(t, served);
  return { ...server, ...(await connect(server, served, options)) };
}

function connect({ port }: { port: number }, { edition = "p256", name = "server1" }: Served, options: Ask) {
  const serverName = `${name}.tlstaple.test`;
  return wolfsslClient({ port, edition, version: tls12, serverName, ...options });
}

const answered = /^received: hello wolfssl!$/m;
const revoked = /^connect: -360 OCSP Cert revoked$/m;
const badStatus = /^connect: -406 Bad Certificate Status Message Error$/m; // ocsp_multi and something revoked

// What wolfSSL's own scripts expect of the walkthrough's five servers

const expected = {
  server1: { single: answered, multi: answered },
  server2: { single: revoked, multi: badStatus },
  server3: { single: answered, multi: answered },
  server4: { single: revoked, multi: badStatus },
  server5: { single: answered, multi: badStatus },
};

const ways = [
  { stapling: 1, version: tls12 },
  { stapling: 2, version: tls12 },
  { stapling: 3, version: tls12 },
  { stapling: 1, version: tls13 },
] as const;
const flags = (way: (typeof ways)[number]) => `-W ${way.stapling} -v ${way.version - 0x0300}`;

for (const edition of ["p256", "rsa"] as const) {
  for (const [name, { single, multi }] of Object.entries(expected)) {
    for (const way of ways) {
      run(`${edition}, ${name}: ${flags(way)}`, async (t) => {
        const staples = await ocspChain(edition, name);
        const { code, output } = await ask(t, { edition, name, staples }, way);
        const wanted = way.stapling === 3 ? multi : single;
        t.regex(output, wanted);
        t.is(code, wanted === answered ? 0 : 1);
        if (way.version === tls13) return;
        const [type, sent] = way.stapling === 3 ? [2, staples] : [1, staples.slice(0, 1)];
        const lengths = sent.map(({ length }) => length).join(" ");
        t.true(output.includes(`certificate_status: type ${type}, ${lengths} bytes`), output);
      });
    }
  }
}

run("TLS 1.3: with a staple for each certificate, wolfSSL 5.5 leaves", async (t) => {
  const staples = await ocspChain("p256", "server1");
  const { output } = await ask(t, { staples, stapleChain: true }, { stapling: 1, version: tls13 });
  t.regex(output, badStatus);
});

// What is missing: without a staple nothing is announced, which wolfSSL's client would not forgive in TLS 1.2

for (const way of ways) {
  run(`no staple, and must staple: ${flags(way)}`, async (t) => {
    const staples = await ocspChain("p256", "server1");
    t.regex((await ask(t, {}, way)).output, answered);
    t.regex((await ask(t, {}, { ...way, mustStaple: true })).output, /^connect: -366 OCSP Cert unknown$/m);
    t.regex((await ask(t, { staples }, { ...way, mustStaple: true })).output, answered);
  });
}

for (const kept of [[0], [0, 1], [0, 2], [1], [2]]) {
  run(`ocsp_multi with staples for the certificates ${kept} alone`, async (t) => {
    const all = await ocspChain("p256", "server1");
    const staples = all.map((staple, place) => (kept.includes(place) ? staple : undefined));
    const { output } = await ask(t, { staples }, { stapling: 3 });
    const lengths = staples.map((staple) => staple?.length ?? 0).join(" ");
    t.true(output.includes(`certificate_status: type 2, ${lengths} bytes`), output);
    t.regex(output, kept.includes(0) ? answered : badStatus);
  });
}

run("a client that does not ask gets no staple", async (t) => {
  for (const protocol of [tls12, tls13]) {
    const staples = await ocspChain("p256", "server2");
    const { output } = await ask(t, { name: "server2", staples }, { version: protocol });
    t.regex(output, answered);
    t.notRegex(output, /staple|certificate_status/);
  }
});

// Tickets, and clients' certificates

for (const way of ways) {
  run(`resumption: ${flags(way)}`, async (t) => {
    const staples = await ocspChain("p256", "server1");
    const { output, sockets } = await ask(t, { staples }, { ...way, resume: true });
    t.regex(output, /^TLSv1\.[23] \S+, resumed$/m);
    t.deepEqual(
      sockets.map((socket) => socket.isSessionReused()),
      [false, true],
    );
    t.is(output.match(/^received: /gm)?.length, 2);
    const without = await ask(t, { staples, sessionTimeout: 0 }, { ...way, resume: true });
    t.notRegex(without.output, /resumed/);
    t.is(without.code, 0, without.output);
  });
}

for (const protocol of [tls12, tls13]) {
  for (const name of ["p256", "rsa"]) {
    run(`TLS 1.${protocol - 0x0301}: client certificate ${name}`, async (t) => {
      const served = { requestCert: true, ca: credential("client", "ca").chain[0] };
      const identity = credential("client", name);
      t.regex((await ask(t, served, { version: protocol, identity })).output, answered);
      const refused = await ask(t, served, { version: protocol });
      t.is(refused.code, 1);
      t.deepEqual(refused.errors, ["CERTIFICATE_REQUIRED"]);
    });
  }
}

// Staples that the server fetches: `openssl ocsp` makes them

run("fetched once for all that ask, revoked ones too", async (t) => {
  const { url, requests } = await serveResponder(t, "p256");
  const stapler = new Stapler({ overrideUrl: url });
  t.teardown(() => stapler.close());
  for (const [name, { single, multi }] of Object.entries(expected)) {
    const served = { name, stapler };
    const server = await serve(t, served);
    const before = requests.length;
    t.regex((await connect(server, served, { stapling: 1 })).output, single);
    t.is(requests.length, before + 1);
    t.regex((await connect(server, served, { stapling: 3 })).output, multi);
    t.regex((await connect(server, served, { stapling: 2 })).output, single);
    t.is(stapler.counters.requests, requests.length);
  }
  // Five servers under three intermediates, and the root's own
  t.is(requests.length, 5 + 3 + 1);
});

run("a responder that is down costs no connection", async (t) => {
  const { url } = await serveResponder(t, "rsa"); // knows nobody of the other edition
  const stapler = new Stapler({ overrideUrl: url });
  t.teardown(() => stapler.close());
  for (const way of ways) t.regex((await ask(t, { stapler }, way)).output, answered);
});

// id-pkix-ocsp-nonce, and its OCTET STRING in the extension's
const nonceExtension = /2b0601050507300102(?:0101ff)?04..04..((?:..){16})/;

for (const way of ways) {
  run(`wolfSSL's nonce is passed on: ${flags(way)}`, async (t) => {
    const { url, requests } = await serveResponder(t, "p256");
    const stapler = new Stapler({ overrideUrl: url });
    t.teardown(() => stapler.close());
    const served = { stapler, ocsp: { nonce: "forward" } as const };
    const { output, sockets } = await ask(t, served, { ...way, nonce: true });
    t.regex(output, answered);
    const nonceOf = (bytes: Uint8Array) => nonceExtension.exec(Buffer.from(bytes).toString("hex"))?.[1];
    const asked = requests.map(nonceOf).filter((nonce) => nonce !== undefined);
    const count = way.stapling === 3 ? 3 : 1;
    t.is(asked.length, count);
    t.is(new Set(asked).size, 1);
    t.deepEqual(
      sockets[0].staples.map((staple) => nonceOf(staple!)),
      asked,
    );
    t.deepEqual(stapler.counters.forwarded, count);
  });
}
