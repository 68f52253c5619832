import type { ExecutionContext } from "ava";
import { credential, type Edition } from "../../certs/fixtures.js";
import type { ConnectOptions } from "../../hosts/node/socket/options.js";
import { extensionType, version } from "../../src/client/index.js";
import { Cursor } from "../peers/bytes.js";
import { bodyOf, parseExtensions } from "../peers/messages.js";
import { holdersOf, ocspChain } from "../peers/openssl.js";
import { type Peer, type WolfsslServerOptions, wolfsslServer } from "../peers/peers.js";
import { serveResponder } from "../peers/responder.js";
import { withPeer } from "../peers/with-peer.js";
import { outcome, receive, session } from "./session.js";

/** wolfSSL's server, asked for staples each way there is; status_request_v2 (RFC 6961) is what no other peer has. */

const { tls12, tls13 } = version;
const { status_request, status_request_v2 } = extensionType;
const run = withPeer("wolfssl");

interface Server extends Partial<WolfsslServerOptions> {
  edition?: Edition;
  name?: string;
}

async function serve(t: ExecutionContext, { edition = "p256", name = "server1", ...rest }: Server) {
  const [, ...authorities] = holdersOf(name);
  const issuers = authorities.map((authority) => credential(edition, authority).certificateFile);
  const peer = await wolfsslServer({ identity: credential(edition, name), version: tls12, issuers, ...rest });
  t.teardown(() => peer.stop());
  return peer;
}

interface Outcome {
  verdict: string;
  /** Of each certificate. */
  statuses: string[];
  /** Which of status_request and status_request_v2 the ServerHello answers; in TLS 1.3, none. */
  answers: number[];
}

/** One connection, which has a line echoed when it is good. */
async function ask(t: ExecutionContext, peer: Peer, server: Server, options: ConnectOptions) {
  const answers: number[] = [];
  const socket = session(peer, server.edition ?? "p256", server.name ?? "server1", {
    ...options,
    onMessage(_, type, bytes, start, end) {
      if (type === 0x1602) answers.push(...statusExtensions(Buffer.from(bytes.subarray(start, end))));
    },
  });
  const verdict = await outcome(socket);
  if (verdict === "good") {
    socket.write("echo this\n");
    t.is((await receive(socket, 10)).toString(), "echo this\n");
  }
  socket.destroy();
  return { verdict, statuses: socket.ocsp.map(({ status }) => status as string), answers } satisfies Outcome;
}

function statusExtensions(serverHello: Buffer): number[] {
  const cursor = new Cursor(bodyOf(serverHello), "ServerHello");
  cursor.take(2 + 32); // legacy_version, random
  cursor.vec8(); // legacy_session_id
  cursor.take(2 + 1); // cipher_suite, legacy_compression_method
  const types = parseExtensions(cursor.vec16(), "ServerHello").map(({ type }) => type);
  return types.filter((type) => type === status_request || type === status_request_v2);
}

type Ocsp = NonNullable<ConnectOptions["ocsp"]>;
const only = (protocol: number, ocsp: Ocsp): ConnectOptions => ({
  maxVersion: protocol === tls12 ? "TLSv1.2" : "TLSv1.3",
  ocsp,
});

// Who is refused: the revoked by all, with v2-multi also the server whose issuer is revoked

const good = ["good", "none"];
const goodChain = ["good", "good", "good"];
const revoked = ["revoked", "none"];
const revokedChain = ["revoked", "unchecked", "unchecked"];
const revokedIssuer = ["good", "revoked", "unchecked"];

const expected = {
  server1: { single: good, multi: goodChain },
  server2: { single: revoked, multi: revokedChain },
  server3: { single: good, multi: goodChain },
  server4: { single: revoked, multi: revokedChain },
  server5: { single: good, multi: revokedIssuer },
};

interface Way {
  protocol: number;
  stapling: Ocsp["stapling"];
  /** What it can satisfy. */
  policy: Ocsp["policy"];
  answers: number[];
}

const ways: Record<string, Way> = {
  v1: { protocol: tls12, stapling: "v1", policy: "leaf", answers: [status_request] },
  v2: { protocol: tls12, stapling: "v2", policy: "leaf", answers: [status_request_v2] },
  "v2-multi": { protocol: tls12, stapling: "v2-multi", policy: "chain", answers: [status_request_v2] },
  "v1 in TLS 1.3": { protocol: tls13, stapling: "v1", policy: "leaf", answers: [] },
};

for (const edition of ["p256", "rsa"] as const) {
  for (const [name, { single, multi }] of Object.entries(expected)) {
    for (const [title, { protocol, stapling, policy, answers }] of Object.entries(ways)) {
      run(`${edition}, ${name}: ${title}`, async (t) => {
        const server = { edition, name, version: protocol, staples: await ocspChain(edition, name) };
        const peer = await serve(t, server);
        const statuses = policy === "chain" ? multi : single;
        const verdict = statuses.includes("revoked") ? "OCSP_CERT_REVOKED" : "good";
        const said = await ask(t, peer, server, only(protocol, { stapling, policy }));
        t.deepEqual(said, { verdict, statuses, answers });
        if (verdict !== "good") await peer.logs(/^accept: -\d+ /m);
      });
    }
  }
}

// What is missing. wolfSSL leaves the place of a certificate's staple empty; without the leaf's, which it has
// announced, it sends none at all.

const missing: [number[], Ocsp["stapling"], string[]][] = [
  [[0], "v2-multi", ["good", "none"]],
  [[0, 1], "v2-multi", ["good", "good"]],
  [[0, 2], "v2-multi", ["good", "none", "good"]],
  [[1, 2], "v2-multi", ["none", "none"]],
  [[1, 2], "v2", ["none", "none"]],
  [[1, 2], "v1", ["none", "none"]],
];

for (const [places, stapling, statuses] of missing) {
  run(`${stapling}, staples for the certificates ${places} alone`, async (t) => {
    const peer = await serve(t, { staples: await ocspChain("p256", "server1", places) });
    const connect = (policy?: Ocsp["policy"]) => ask(t, peer, {}, only(tls12, { stapling, policy }));
    const answers = [stapling === "v1" ? status_request : status_request_v2];
    t.deepEqual(await connect(), { verdict: "good", statuses, answers });
    const missed = (holds: boolean) => (holds ? "good" : "OCSP_STAPLE_MISSING");
    t.is((await connect("leaf")).verdict, missed(statuses[0] === "good"));
    t.is((await connect("chain")).verdict, missed(statuses[0] === "good" && statuses[1] === "good"));
  });
}

for (const [title, { protocol, stapling }] of Object.entries(ways)) {
  run(`must-staple certificate: ${title}`, async (t) => {
    const server = { name: "must-staple", version: protocol };
    const verdict = async (peer: Peer, ocsp: Ocsp = {}) =>
      (await ask(t, peer, server, only(protocol, { stapling, ...ocsp }))).verdict;
    const bare = await serve(t, server);
    t.is(await verdict(bare), "OCSP_STAPLE_MISSING");
    t.is(await verdict(bare, { mustStaple: false }), "good");
    t.is(await verdict(await serve(t, { ...server, staples: await ocspChain("p256", server.name) })), "good");
  });
}

// Both extensions

for (const [title, options] of Object.entries({
  "TLS 1.2 alone": only(tls12, { stapling: "v2-multi", alsoV1: true }),
  "TLS 1.3 too": { ocsp: { stapling: "v2-multi" } } as ConnectOptions,
})) {
  run(`status_request beside status_request_v2, ${title}: wolfSSL answers one of them`, async (t) => {
    const peer = await serve(t, { staples: await ocspChain("p256", "server1") });
    const said = await ask(t, peer, {}, options);
    t.deepEqual(said, { verdict: "good", statuses: goodChain, answers: [status_request_v2] });
  });
}

// Staples that the server fetches

run("v2 and v2-multi with staples from a responder over HTTP, each fetched once", async (t) => {
  for (const name of ["server1", "server5"] as const) {
    const { url, requests } = await serveResponder(t, "p256");
    const server = { name, responder: url };
    const peer = await serve(t, server);
    const statuses = async (stapling: Ocsp["stapling"]) =>
      (await ask(t, peer, server, only(tls12, { stapling }))).statuses;
    t.deepEqual(await statuses("v2"), good);
    t.is(requests.length, 1);
    for (let i = 0; i < 2; i++) t.deepEqual(await statuses("v2-multi"), expected[name].multi);
    t.is(requests.length, 3);
  }
});
