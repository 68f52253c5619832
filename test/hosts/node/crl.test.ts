/** `crl` of our client and server, beside node:tls's on the same lists. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect as connectNode, createServer as createNodeServer } from "node:tls";
import test, { type ExecutionContext } from "ava";
import { crlNumber, crlPem, deltaCrlIndicator, issuingDistributionPoint } from "../../../certs/crl.js";
import { flipLastBit } from "../../../certs/der.js";
import { credential } from "../../../certs/fixtures.js";
import {
  type ConnectOptions,
  connect,
  createContext,
  createSecureContext,
  type TLSSocket,
} from "../../../hosts/node/index.js";
import { crlOf, stale } from "../../peers/crls.js";
import { clientError, serveOurs } from "./ours.js";
import { listen, rootOf, serveTls } from "./servers.js";

const own = credential("p256", "server1");
const server1 = { cert: readFileSync(own.certificateFile), key: readFileSync(own.keyFile) };
const ofRoot = crlOf("p256", "root");
const ofCa = crlOf("p256", "intermediate1");
const revoking = crlOf("p256", "intermediate1", ["server1"]);
const ca = rootOf("p256");

/** Our client and these lists before a server with server1's certificate. */
async function dial(port: number, options: ConnectOptions): Promise<{ socket: TLSSocket; outcome: string }> {
  const socket = connect({ host: "127.0.0.1", port, servername: "localhost", ca, ...options });
  const outcome = await once(socket, "secureConnect").then(
    () => "good",
    (error: { code: string }) => error.code,
  );
  socket.on("error", () => undefined);
  socket.destroy();
  return { socket, outcome };
}

/** What node:tls's client says of the same. */
function dialNode(port: number, crl: Buffer[]): Promise<string> {
  return new Promise((resolve) => {
    const lists = crl.map((der) => crlPem(der));
    const socket = connectNode({ host: "127.0.0.1", port, servername: "localhost", ca, crl: lists });
    socket.on("secureConnect", () => resolve("good"));
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.on("close", () => socket.destroy());
  });
}

const issuing = (parts: Parameters<typeof issuingDistributionPoint>[0]) => ({
  extensions: [crlNumber(1), issuingDistributionPoint(parts)],
});
const lists: [string, Buffer[], string, string][] = [
  ["nobody is on them", [ofRoot, ofCa], "good", "good"],
  ["the server is", [ofRoot, revoking], "CRL_CERT_REVOKED", "CERT_REVOKED"],
  ["the CA is", [crlOf("p256", "root", ["intermediate1"]), ofCa], "CRL_CERT_REVOKED", "CERT_REVOKED"],
  ["another is", [ofRoot, crlOf("p256", "intermediate1", ["server2"])], "good", "good"],
  ["none of the CA", [ofRoot], "CRL_MISSING", "UNABLE_TO_GET_CRL"],
  ["none of the root", [ofCa], "CRL_MISSING", "UNABLE_TO_GET_CRL"],
  ["stale", [ofRoot, crlOf("p256", "intermediate1", [], stale)], "CRL_EXPIRED", "CRL_HAS_EXPIRED"],
  [
    "bent",
    [ofRoot, crlOf("p256", "intermediate1", [], { bendSignature: flipLastBit })],
    "CRL_SIGNATURE",
    "CRL_SIGNATURE_FAILURE",
  ],
  [
    "for CAs",
    [ofRoot, crlOf("p256", "intermediate1", [], issuing({ onlyAuthorities: true }))],
    "CRL_SCOPE",
    "UNABLE_TO_GET_CRL",
  ],
];

for (const [title, crl, ours, theirs] of lists)
  for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const)
    test(`client, ${maxVersion}: ${title}`, async (t) => {
      const port = await serveTls(t, server1, (socket) => socket.end(), {
        maxVersion,
      });
      const { outcome } = await dial(port, { crl });
      t.is(outcome, ours);
      const found = await dialNode(port, crl);
      // X509_V_ERR_DIFFERENT_CRL_SCOPE has no code of node:tls's own in every release
      t.true(found === theirs || (ours === "CRL_SCOPE" && found !== "good"), found);
    });

test("client: verdicts, beside those of OCSP", async (t) => {
  const { port } = await serveOurs(t);
  const { socket, outcome } = await dial(port, { crl: [ofRoot, revoking], ocsp: { policy: "leaf" } });
  t.is(outcome, "CRL_CERT_REVOKED");
  t.is(socket.ocsp[0].status, "good");
  const [own, ofIssuer] = socket.crl;
  t.like(own, { status: "revoked", fault: "CRL_CERT_REVOKED", revocationReason: "keyCompromise" });
  t.true(own.thisUpdate! < own.nextUpdate!);
  t.true(own.revokedAt! < new Date());
  t.deepEqual(ofIssuer, { status: "unchecked" });
  const good = await dial(port, { crl: [ofRoot, ofCa] });
  t.is(good.outcome, "good");
  t.deepEqual(
    good.socket.crl.map(({ status }) => status),
    ["good", "good"],
  );
});

test("client: the server is told certificate_revoked, or certificate_unknown", async (t) => {
  const ours = await serveOurs(t, { maxVersion: "TLSv1.2" });
  const told = async (crl: Buffer[]) => {
    const error = clientError(ours);
    await dial(ours.port, { crl });
    return (await error).message;
  };
  t.regex(await told([ofRoot, revoking]), /certificate_revoked \(44\)/);
  t.regex(await told([ofRoot]), /certificate_unknown \(46\)/);
});

test("client: lists as PEM or DER, text or bytes, one or many", async (t) => {
  const { port } = await serveOurs(t);
  const pem = crlPem(ofRoot, ofCa);
  for (const crl of [
    pem,
    Buffer.from(pem),
    [crlPem(ofRoot), ofCa],
    [Uint8Array.from(ofRoot), Buffer.from(crlPem(ofCa))],
  ])
    t.is((await dial(port, { crl })).outcome, "good");
  for (const crl of [crlPem(ofRoot, revoking), [pem, revoking].reverse()])
    t.is((await dial(port, { crl })).outcome, "CRL_CERT_REVOKED");
});

test("client: what policy demands", async (t) => {
  const { port } = await serveOurs(t);
  t.is((await dial(port, { crl: ofCa, crlPolicy: "leaf" })).outcome, "good");
  t.is((await dial(port, { crl: ofRoot, crlPolicy: "leaf" })).outcome, "CRL_MISSING");
  t.is((await dial(port, { crl: ofRoot, crlPolicy: "if-present" })).outcome, "good");
  t.is((await dial(port, { crl: revoking, crlPolicy: "if-present" })).outcome, "CRL_CERT_REVOKED");
});

test("client: a context's lists, and a connection's own", async (t) => {
  const { port } = await serveOurs(t);
  const context = createContext({ ca, crl: [ofRoot, revoking] });
  t.is((await dial(port, { context })).outcome, "CRL_CERT_REVOKED");
  t.is((await dial(port, { context, crl: [ofRoot, ofCa] })).outcome, "good");
  t.is((await dial(port, { context, rejectUnauthorized: false })).outcome, "good");
});

test("client: with lists no session is resumed", async (t) => {
  const { port } = await serveOurs(t, {}, (socket) => socket.write("x"));
  const first = connect({ host: "127.0.0.1", port, servername: "localhost", ca });
  const [session] = await once(first, "session");
  first.destroy();
  const resumed = async (options: ConnectOptions) =>
    (await dial(port, { session, ...options })).socket.isSessionReused();
  t.true(await resumed({}));
  t.false(await resumed({ crl: [ofRoot, ofCa] }));
  t.is((await dial(port, { session, crl: [ofRoot, revoking] })).outcome, "CRL_CERT_REVOKED");
});

test("client: what can be no list is refused at once", (t) => {
  const type = { instanceOf: TypeError, code: "ERR_TLSTAPLE_OPTION_TYPE" };
  const value = (message: RegExp) => ({ instanceOf: RangeError, code: "ERR_TLSTAPLE_OPTION_VALUE", message });
  const given = (crl: unknown) => () => createContext({ crl } as object);
  for (const crl of [7, {}, [7], null, true]) t.throws(given(crl), type);
  t.throws(given([]), value(/there is none/));
  t.throws(given(""), value(/no CRL found/));
  t.throws(given(ca), value(/no CRL found/));
  t.throws(
    given(Buffer.from("-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----")),
    value(/CRL_MALFORMED/),
  );
  t.throws(given(ofCa.subarray(0, -1)), value(/option crl: .*\(CRL_MALFORMED\)/));
  t.throws(given([ofRoot, Buffer.concat([ofCa, Buffer.of(0)])]), value(/CRL_MALFORMED/));
  t.throws(given(crlOf("p256", "root", [], { nextUpdate: null })), value(/CRL_NO_NEXT_UPDATE/));
  t.throws(given(crlOf("p256", "root", [], { extensions: [deltaCrlIndicator(1)] })), value(/CRL_DELTA/));
  t.notThrows(given(crlOf("p256", "root", [], stale)));
  t.throws(() => connect({ port: 1, crlPolicy: "leaf" }), value(/only with crl/));
  t.throws(() => createContext({ crl: ofCa, crlPolicy: "all" as never }), value(/if-present, leaf, chain/));
});

// Clients' certificates

const clientCa = credential("client", "ca");
const guest = credential("client", "p256");
const identity = { cert: readFileSync(guest.certificateFile), key: readFileSync(guest.keyFile) };
const clients = { requestCert: true, ca: readFileSync(clientCa.certificateFile) } as const;
const ofClients = crlOf("client", "ca");
const revokingClient = crlOf("client", "ca", ["p256"]);

/** What the server finds of a client of node:tls's. */
async function visit(t: ExecutionContext, crl: Buffer[], maxVersion: "TLSv1.2" | "TLSv1.3"): Promise<string> {
  const ours = await serveOurs(t, { ...clients, crl, maxVersion }, (socket) => socket.end("hello"));
  const failed = clientError(ours).then(({ code }) => code!);
  const socket = connectNode({
    host: "127.0.0.1",
    port: ours.port,
    servername: "localhost",
    ca,
    ...identity,
  });
  socket.on("error", () => undefined).resume();
  const welcomed = once(ours.server, "secureConnection").then(() => "good");
  return Promise.race([failed, welcomed]).finally(() => socket.destroy());
}

for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const)
  test(`server, ${maxVersion}: a client of node:tls's`, async (t) => {
    t.is(await visit(t, [ofClients], maxVersion), "good");
    t.is(await visit(t, [revokingClient], maxVersion), "CRL_CERT_REVOKED");
    t.is(await visit(t, [ofRoot], maxVersion), "CRL_MISSING");
    t.is(await visit(t, [crlOf("client", "ca", [], stale)], maxVersion), "CRL_EXPIRED");
  });

test("server: verdicts on a client's certificates", async (t) => {
  const ours = await serveOurs(t, { ...clients, crl: ofClients });
  const secure = once(ours.server, "secureConnection");
  t.is((await dial(ours.port, identity)).outcome, "good");
  const [socket] = await secure;
  t.like(socket.crl, [{ status: "good" }]);
  t.is(socket.crl.length, 1);
});

test("server: setCrl takes another list for connections from then on", async (t) => {
  const ours = await serveOurs(t, { ...clients, crl: ofClients, maxVersion: "TLSv1.2" });
  t.is((await dial(ours.port, identity)).outcome, "good");
  ours.server.setCrl(crlPem(revokingClient));
  const failed = clientError(ours);
  t.is((await dial(ours.port, identity)).outcome, "PEER_ALERT");
  const error = await failed;
  t.is(error.code, "CRL_CERT_REVOKED");
  t.regex((error as Error & { advice: string }).advice, /client/);
  ours.server.setCrl(ofClients);
  t.is((await dial(ours.port, identity)).outcome, "good");
  t.throws(() => ours.server.setCrl("junk"), { code: "ERR_TLSTAPLE_OPTION_VALUE" });
  t.throws(() => ours.server.setSecureContext({ ...identity, crl: ofClients } as object), {
    code: "ERR_TLSTAPLE_OPTION_UNSUPPORTED",
    message: /setCrl/,
  });
  t.throws(() => createSecureContext({ crl: ofClients } as object), { message: /setCrl/ });
});

test("server: of clients that need show no certificate, one that is shown is looked at", async (t) => {
  const ours = await serveOurs(t, {
    ...clients,
    requestCert: "optional",
    crl: revokingClient,
    maxVersion: "TLSv1.2",
  });
  t.is((await dial(ours.port, {})).outcome, "good");
  t.is((await dial(ours.port, identity)).outcome, "PEER_ALERT");
});

test("our client before node:tls's server that has lists of its own", async (t) => {
  const judged = async (list: Buffer) => {
    const options = { ...server1, ...clients, crl: crlPem(list), maxVersion: "TLSv1.2" } as const;
    const server = createNodeServer(options);
    const refused = once(server, "tlsClientError").then(() => "refused");
    const secure = once(server, "secureConnection").then(() => "good");
    const { outcome } = await dial(await listen(t, server), { ...identity, crl: [ofRoot, ofCa] });
    return [outcome === "good", await Promise.race([refused, secure])];
  };
  t.deepEqual(await judged(ofClients), [true, "good"]);
  t.deepEqual(await judged(revokingClient), [false, "refused"]);
});
