/** What a user is told to do: the likely cause, from what was offered and how far the handshake came. */

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer as createTcpServer } from "node:net";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";
import test, { type ExecutionContext } from "ava";
import { credential, stapleFile } from "../../../../certs/fixtures.js";
import { advice } from "../../../../hosts/node/common/errors.js";
import { type ConnectOptions, connect, type TlsError } from "../../../../hosts/node/index.js";
import { Hindsight } from "../../../../hosts/node/socket/hindsight.js";
import { settle } from "../../../../hosts/node/socket/options.js";
import { alert, version } from "../../../../src/wire/registry.js";
import { opensslServer } from "../../../peers/peers.js";
import { clientError, serveOurs } from "../ours.js";
import { listen } from "../servers.js";

const server = credential("p256", "server1");
const identity = { cert: readFileSync(server.certificateFile), key: readFileSync(server.keyFile) };
const client = credential("client", "p256");
const own = { cert: readFileSync(client.certificateFile), key: readFileSync(client.keyFile) };
const ca = readFileSync(credential("p256", "root").certificateFile);

/** The error that a connection ends with. */
function failure(port: number, options: ConnectOptions = {}): Promise<TlsError> {
  const socket = connect({ port, host: "127.0.0.1", servername: "server1.tlstaple.test", ca, ...options });
  return new Promise((resolve, reject) => {
    socket.resume().on("error", (error) => resolve(error as TlsError));
    socket.on("close", () => reject(new Error("it ended without an error")));
  });
}

/** A server that answers each ClientHello with this alert. */
function refusing(t: ExecutionContext, number: number): Promise<number> {
  const server = createTcpServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => socket.end(Buffer.from([21, 3, 3, 0, 2, 2, number])));
  });
  return listen(t, server);
}

/** One of Node's own servers, which staples. */
function serveNode(t: ExecutionContext, options: TlsOptions): Promise<number> {
  const server = createTlsServer({ ...identity, ...options });
  server.on("OCSPRequest", (_certificate, _issuer, done) =>
    done(null, readFileSync(stapleFile("p256", "server1"))),
  );
  server.on("tlsClientError", () => undefined);
  return listen(t, server);
}

const leaf = { ocsp: { policy: "leaf" } } as const;

test("no staple after a HelloRetryRequest: the advice names groups, which help", async (t) => {
  for (const curve of ["P-256", "P-384"]) {
    const port = await serveNode(t, { ecdhCurve: curve, minVersion: "TLSv1.3" });
    const error = await failure(port, leaf);
    t.is(error.code, "OCSP_STAPLE_MISSING");
    t.regex(
      error.advice,
      new RegExp(
        `HelloRetryRequest, as it sent for ${curve}, .* put ${curve} first in groups \\(--groups\\)`,
      ),
    );
    const others = ["P-256", "P-384", "X25519"].filter((name) => name !== curve);
    const socket = connect({
      port,
      servername: "server1.tlstaple.test",
      ca,
      ...leaf,
      groups: [curve, ...others],
    });
    await once(socket, "secureConnect");
    t.is(socket.ocsp[0].status, "good");
    socket.destroy();
  }
});

test("no staple without a HelloRetryRequest: nothing of groups", async (t) => {
  const { port } = await serveOurs(t, { staples: undefined });
  const error = await failure(port, leaf);
  t.is(error.code, "OCSP_STAPLE_MISSING");
  t.notRegex(error.advice, /groups|HelloRetryRequest/);
});

test("handshake_failure: in TLS 1.2 a key's curve counts as offered only among the groups", async (t) => {
  const port = await refusing(t, alert.handshake_failure);
  const narrow = { groups: ["X25519", "P-256"] } as const;
  const tls12 = await failure(port, { ...narrow, maxVersion: "TLSv1.2" });
  t.regex(tls12.advice, /; X25519, P-256; certificates for keys of P-256, Ed25519, RSA, Ed448\./);
  const both = await failure(port, narrow);
  t.regex(
    both.advice,
    /; X25519, P-256; certificates for keys of P-256, Ed25519, P-384, RSA, P-521, Ed448\./,
  );
});

test("handshake_failure: what was offered, and what may be offered more", async (t) => {
  const cbc = await serveNode(t, { maxVersion: "TLSv1.2", ciphers: "ECDHE-ECDSA-AES128-SHA" });
  const all = await failure(cbc);
  t.is(all.alert.number, alert.handshake_failure);
  t.regex(
    all.advice,
    /TLS 1\.2 and 1\.3; suites of ECDHE with AES-GCM.* \(no CBC.*\); X25519, P-256, P-384; certificates for keys of P-256, Ed25519, P-384, RSA, P-521, Ed448\.$/,
  );
  const p384 = await serveNode(t, { ecdhCurve: "P-384", minVersion: "TLSv1.3" });
  const narrow = await failure(p384, { groups: ["P-256"], minVersion: "TLSv1.3" });
  t.regex(
    narrow.advice,
    /: TLS 1\.3; .*; P-256; .* Offer more with minVersion and maxVersion \(-v\) or groups \(--groups\)\.$/,
  );
  const unnamed = await failure(await refusing(t, alert.handshake_failure), { servername: "127.0.0.1" });
  t.regex(unnamed.advice, /The server needs a name, .*servername \(-S\)\.$/);
});

for (const v of ["TLSv1.2", "TLSv1.3"] as const)
  test.serial(`${v}: a client certificate is wanted, or refused`, async (t) => {
    const clientCa = credential("client", "ca").certificateFile;
    const peer = await opensslServer({
      identity: server,
      version: v === "TLSv1.2" ? version.tls12 : version.tls13,
      clientCa,
    });
    t.teardown(() => peer.stop());
    const missing = await failure(peer.port);
    t.is(missing.alert.number, v === "TLSv1.2" ? alert.handshake_failure : alert.certificate_required);
    t.regex(missing.advice, /wants a client certificate: give cert and key \(-c, -k\)/);
    const stranger = await failure(peer.port, identity);
    t.regex(stranger.advice, /refuses the client's certificate/);
    const met = connect({ port: peer.port, servername: "server1.tlstaple.test", ca, ...own });
    await once(met, "secureConnect");
    met.destroy();
  });

/** Alerts in answer to the ClientHello, what was offered, and what the advice must have. */
const alerts: [keyof typeof alert, ConnectOptions, RegExp][] = [
  ["protocol_version", {}, /neither TLS 1\.2 nor TLS 1\.3/],
  ["protocol_version", { minVersion: "TLSv1.3" }, /allow TLS 1\.2 \(minVersion, -v 3\)/],
  ["protocol_version", { maxVersion: "TLSv1.2" }, /allow TLS 1\.3 \(maxVersion, -v 4\)/],
  [
    "insufficient_security",
    { maxVersion: "TLSv1.2" },
    /: TLS 1\.2; suites .*Offer more with minVersion and maxVersion/,
  ],
  ["unrecognized_name", {}, /does not know the name server1\.tlstaple\.test: .*\(-S\)/],
  ["unrecognized_name", { servername: "127.0.0.1" }, /needs a name/],
  ["no_application_protocol", { ALPNProtocols: ["h2", "mqtt"] }, /none of h2, mqtt: .*\(-L\)/],
  ["illegal_parameter", { recordSizeLimit: 512 }, /without recordSizeLimit \(-F\)/],
  ["missing_extension", { maxFragmentLength: 512 }, /without maxFragmentLength \(-F\)/],
  ["unsupported_extension", { ocsp: { stapling: "v2" } }, /without ocsp\.stapling "v2"/],
  ["decode_error", {}, /TLS 1\.2 alone \(maxVersion, -v 3\)/],
  ["decode_error", { maxVersion: "TLSv1.2" }, /its log says why/],
  ["internal_error", {}, /reason of its own/],
  ["access_denied", own, /refuses the client's certificate/],
  ["bad_record_mac", {}, /its log says why/],
];

for (const [name, options, words] of alerts)
  test(`${name}, with ${Object.keys(options).join(" ") || "all offered"}`, async (t) => {
    const error = await failure(await refusing(t, alert[name]), options);
    t.is(error.code, "PEER_ALERT");
    t.is(error.alert.number, alert[name]);
    t.regex(error.advice, words);
  });

test("once the server has agreed, what was offered is not the cause", async (t) => {
  const { port } = await serveOurs(t);
  const options = { port, servername: "server1.tlstaple.test", ca };
  const hindsight = new Hindsight(settle(options).core);
  const socket = connect({ ...options, onMessage: hindsight.record });
  await once(socket, "secureConnect");
  socket.destroy();
  for (const number of [alert.handshake_failure, alert.decode_error, alert.illegal_parameter])
    t.is(hindsight.advise("PEER_ALERT", number), advice.PEER_ALERT);
});

test("a malformed ServerHello is left to the core", (t) => {
  const hindsight = new Hindsight(settle({}).core);
  for (let length = 4; length < 42; length++)
    hindsight.record(false, 0x1602, new Uint8Array(length), 0, length);
  t.regex(hindsight.advise("PEER_ALERT", alert.handshake_failure), /takes none of what was offered/);
  t.is(hindsight.advise("OCSP_STAPLE_MISSING", 0), advice.OCSP_STAPLE_MISSING);
});

test("a server's user learns what the client had against its certificate", async (t) => {
  const ours = await serveOurs(t);
  const failed = clientError(ours);
  await failure(ours.port, { ca: readFileSync(credential("client", "ca").certificateFile) });
  t.regex(((await failed) as TlsError).advice, /must know the root CA/);
});
