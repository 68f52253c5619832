/** Our server against the clients of node:tls and of our own. */

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect as connectTcp } from "node:net";
import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { type ConnectionOptions, connect as connectNode, type TLSSocket as NodeSocket } from "node:tls";
import test, { type ExecutionContext } from "ava";
import { credential, fixture } from "../../../../certs/fixtures.js";
import {
  type ConnectOptions,
  connect,
  createSecureContext,
  createServer,
  type ServerOptions,
  type SNICallback,
  type StapleSource,
  TlsError,
} from "../../../../hosts/node/index.js";
import { settleServer } from "../../../../hosts/node/server/options.js";
import { contentType, handshakeType } from "../../../../src/wire/registry.js";
import { clientError, serveOurs, stapledContext } from "../ours.js";
import { listen, rootOf } from "../servers.js";
import { innards, record } from "../socket/innards.js";

const ca = rootOf("p256");
const versions = ["TLSv1.2", "TLSv1.3"] as const;
const client = credential("client", "p256");
const clientIdentity = { cert: readFileSync(client.certificateFile), key: readFileSync(client.keyFile) };
const clientCa = readFileSync(credential("client", "ca").certificateFile);

const only = (version: (typeof versions)[number]) => ({ minVersion: version, maxVersion: version }) as const;

/** Node's types lack it. */
type NodeOptions = ConnectionOptions & { requestOCSP?: boolean };

/** A connection of node:tls's, destroyed when the test ends. */
function openNode(t: ExecutionContext, port: number, options: NodeOptions = {}): NodeSocket {
  const socket = connectNode({ host: "127.0.0.1", port, servername: "localhost", ca, ...options });
  socket.on("error", () => undefined);
  t.teardown(() => socket.destroy());
  return socket;
}

/** A connection of ours. */
function open(t: ExecutionContext, port: number, options: ConnectOptions = {}) {
  const socket = connect({ host: "127.0.0.1", port, servername: "localhost", ca, ...options });
  socket.on("error", () => undefined);
  t.teardown(() => socket.destroy());
  return socket;
}

async function readAll(socket: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The error that a connection ends with. */
async function failure(socket: { once: unknown } & NodeJS.EventEmitter): Promise<Error & { code: string }> {
  const [error] = await once(socket, "error").catch((thrown) => [thrown]);
  return error;
}

for (const version of versions) {
  test(`${version}: node:tls gets the staple, talks and ends`, async (t) => {
    let address: string | undefined;
    const ours = await serveOurs(t, only(version), (socket) => {
      address = socket.remoteAddress;
      socket.pipe(socket);
    });
    const socket = openNode(t, ours.port, { requestOCSP: true, ALPNProtocols: ["a"] });
    const stapled = once(socket, "OCSPResponse");
    await once(socket, "secureConnect");
    t.is(socket.getProtocol(), version);
    const { standardName } = socket.getCipher();
    t.deepEqual((await stapled)[0], fixture("good/p256/server1-ocsp.der"));
    const sent = Buffer.alloc(2_000_000, "0123456789abcdef\n");
    socket.end(sent);
    t.true((await readAll(socket)).equals(sent));
    const [served] = ours.sockets;
    t.is(served.getProtocol(), version);
    t.is(served.servername, "localhost");
    t.is(served.getCipher()!.standardName, standardName);
    t.false(served.authorized);
    t.is(served.authorizationError, undefined);
    t.is(served.alpnProtocol, false);
    t.is(address, "127.0.0.1");
    t.is(served.getPeerCertificate(), undefined);
    t.deepEqual(ours.errors, []);
    if (!served.destroyed) await once(served, "close");
    t.true(served.readableEnded && served.writableFinished);
  });

  test(`${version}: our client requires staples and gets them`, async (t) => {
    const { port, sockets } = await serveOurs(t, only(version), (socket) => socket.end("bye"));
    const socket = open(t, port, { ocsp: { policy: version === "TLSv1.3" ? "chain" : "leaf" } });
    t.is(`${await readAll(socket)}`, "bye");
    t.deepEqual(
      socket.ocsp.map(({ status }) => status),
      version === "TLSv1.3" ? ["good", "good"] : ["good", "none"],
    );
    t.is(sockets[0].staples.length, version === "TLSv1.3" ? 2 : 1);
  });

  test(`${version}: a client that asks for no staple gets none`, async (t) => {
    const { port, sockets } = await serveOurs(t, only(version), (socket) => socket.end());
    await readAll(open(t, port, { ocsp: { stapling: "off" } }));
    t.deepEqual(sockets[0].staples, []);
  });

  test(`${version}: a staple that says revoked goes out, and the client refuses`, async (t) => {
    const ours = await serveOurs(t, { ...stapledContext("p256", "server2"), ...only(version) });
    const told = clientError(ours);
    t.is((await failure(open(t, ours.port))).code, "OCSP_CERT_REVOKED");
    const error = (await told) as TlsError;
    t.is(error.code, "PEER_ALERT");
    t.is(error.alert.name, "certificate_revoked");
    t.is(ours.errors.length, 1);
  });

  test(`${version}: of two chains the one that the client can verify`, async (t) => {
    const rsa = stapledContext("rsa", "server1");
    const p256 = stapledContext("p256", "server1");
    const both = {
      cert: [rsa.cert, p256.cert] as Buffer[],
      key: [p256.key, rsa.key] as Buffer[],
      staples: [rsa.staples, p256.staples] as Buffer[][],
    };
    const { port } = await serveOurs(t, { ...both, ...only(version) }, (socket) => socket.end());
    for (const [sigalgs, edition] of [
      ["rsa_pss_rsae_sha256", "rsa"],
      ["ecdsa_secp256r1_sha256", "p256"],
    ] as const) {
      const socket = openNode(t, port, { sigalgs, ca: [rootOf("rsa"), ca], requestOCSP: true });
      const [staple] = await once(socket, "OCSPResponse");
      await once(socket, "secureConnect");
      t.is(
        (socket.getPeerCertificate() as { asn1Curve?: string }).asn1Curve !== undefined,
        edition === "p256",
      );
      t.deepEqual(staple, fixture(`good/${edition}/server1-ocsp.der`));
    }
  });

  test(`${version}: no signature in common`, async (t) => {
    const ours = await serveOurs(t, only(version));
    const told = clientError(ours);
    openNode(t, ours.port, { sigalgs: "rsa_pss_rsae_sha256" });
    t.regex((await told).code!, /^NO_COMMON_S/);
  });

  test(`${version}: ALPN, agreed on and not`, async (t) => {
    const ALPNProtocols = ["h2", "http/1.1"];
    const ours = await serveOurs(t, { ALPNProtocols, ...only(version) }, (socket) => socket.end());
    const socket = openNode(t, ours.port, { ALPNProtocols: ["http/1.1", "h2"] });
    await once(socket, "secureConnect");
    t.is(socket.alpnProtocol, "h2");
    await readAll(socket);
    t.is(ours.sockets[0].alpnProtocol, "h2");
    const told = clientError(ours);
    t.regex(
      (await failure(openNode(t, ours.port, { ALPNProtocols: ["mqtt"] }))).message,
      /no application protocol/,
    );
    t.is((await told).code, "NO_APPLICATION_PROTOCOL");
  });

  test(`${version}: a client's certificate that is required`, async (t) => {
    const options = { requestCert: true, ca: clientCa, ...only(version) };
    const ours = await serveOurs(t, options, (socket) => socket.end("welcome"));
    const socket = openNode(t, ours.port, clientIdentity);
    t.is(`${await readAll(socket)}`, "welcome");
    const [served] = ours.sockets;
    t.true(served.authorized);
    t.is(served.authorizationError, undefined);
    t.is(served.getPeerCertificate()!.subject.CN, "client p256");
    t.is(served.getPeerChain().length, 2);
    t.deepEqual(
      served.ocsp.map(({ status }) => status),
      ["none"],
    );

    const missing = clientError(ours);
    openNode(t, ours.port).resume();
    t.is((await missing).code, "CERTIFICATE_REQUIRED");
    t.is(ours.sockets.length, 1);
    const other = await serveOurs(t, { ...options, ca });
    const refused = clientError(other);
    openNode(t, other.port, clientIdentity).resume();
    t.is((await refused).code, "CERT_UNKNOWN_ISSUER");
  });

  test(`${version}: a client's certificate that is optional must be good if it is there`, async (t) => {
    const options = { requestCert: "optional", ca: clientCa, ...only(version) } as const;
    const ours = await serveOurs(t, options, (socket) => socket.end());
    await readAll(openNode(t, ours.port));
    t.false(ours.sockets[0].authorized);
    t.regex(ours.sockets[0].authorizationError!.message, /no certificate/);
    await readAll(openNode(t, ours.port, clientIdentity));
    t.true(ours.sockets[1].authorized);
    const told = clientError(ours);
    const { cert, key } = stapledContext("p256", "server1");
    openNode(t, ours.port, { cert, key } as NodeOptions).resume();
    t.is((await told).code, "CERT_EXTENDED_KEY_USAGE");
  });

  test(`${version}: with rejectUnauthorized false nobody counts as verified`, async (t) => {
    const options = { requestCert: true, rejectUnauthorized: false, ca: clientCa, ...only(version) };
    const ours = await serveOurs(t, options, (socket) => socket.end());
    await readAll(openNode(t, ours.port, clientIdentity));
    await readAll(openNode(t, ours.port));
    t.deepEqual(
      ours.sockets.map(({ authorized }) => authorized),
      [false, false],
    );
    t.regex(ours.sockets[0].authorizationError!.message, /nothing was verified/);
    t.is(ours.sockets[0].getPeerCertificate()!.subject.CN, "client p256");
  });

  test(`${version}: a client's certificate that must be stapled, and is not`, async (t) => {
    const ocsp = { stapling: "v1", policy: "leaf" } as const;
    const ours = await serveOurs(t, { requestCert: true, ca: clientCa, ocsp, ...only(version) });
    const told = clientError(ours);
    openNode(t, ours.port, clientIdentity).resume();
    t.is((await told).code, "OCSP_STAPLE_MISSING");
  });

  test(`${version}: a session of node:tls is resumed`, async (t) => {
    const ours = await serveOurs(t, only(version), (socket) => socket.end("."));
    const first = openNode(t, ours.port);
    const ticket = once(first, "session");
    await readAll(first);
    const [session] = await ticket;
    const second = openNode(t, ours.port, { session });
    await once(second, "secureConnect");
    t.true(second.isSessionReused());
    await readAll(second);
    t.deepEqual(
      ours.sockets.map((socket) => socket.isSessionReused()),
      [false, true],
    );
    t.deepEqual(ours.sockets[1].staples, []);

    ours.server.setTicketKeys(Buffer.alloc(48, 7));
    await readAll(openNode(t, ours.port, { session }));
    t.false(ours.sockets[2].isSessionReused());
  });

  test(`${version}: servers with the same ticket keys resume each other's sessions`, async (t) => {
    const onConnection = (socket: { end(): void }) => socket.end();
    const one = await serveOurs(t, only(version), onConnection);
    t.is(one.server.getTicketKeys().length, 48);
    const old = Buffer.alloc(48, 9);
    const ticketKeys = [old, one.server.getTicketKeys()];
    const two = await serveOurs(t, { ...only(version), ticketKeys }, onConnection);
    t.deepEqual(two.server.getTicketKeys(), old);
    const first = openNode(t, one.port);
    const ticket = once(first, "session");
    await readAll(first);
    await readAll(openNode(t, two.port, { session: (await ticket)[0] }));
    t.true(two.sockets[0].isSessionReused());
  });

  test(`${version}: no tickets without a life`, async (t) => {
    const clock = () => Date.now() / 1000;
    const withoutEnd = Buffer.from("not a response");
    for (const options of [{ sessionTimeout: 0 }, { staples: [withoutEnd] }]) {
      const ours = await serveOurs(t, { ...options, clock, ...only(version) }, (socket) => socket.end());
      const socket = openNode(t, ours.port, { requestOCSP: true });
      let tickets = 0;
      // Without a ticket, TLS 1.2 of OpenSSL tells of the session all the same, by its empty id
      socket.on("session", () => tickets++);
      await readAll(socket);
      if (version === "TLSv1.3") t.is(tickets, 0);
      else t.falsy(socket.getTLSTicket());
    }
  });
}

test("the name decides: addContext, with wildcards", async (t) => {
  const ours = await serveOurs(t, {}, (socket) => socket.end());
  ours.server.addContext("*.tlstaple.test", stapledContext("p256", "server3"));
  ours.server.addContext("Server4.tlstaple.test", createSecureContext(stapledContext("p256", "server4")));
  const subjectFor = async (servername: string) => {
    const socket = openNode(t, ours.port, { servername, rejectUnauthorized: false });
    await once(socket, "secureConnect");
    return socket.getPeerCertificate().subject.CN;
  };
  t.is(await subjectFor("any.tlstaple.test"), "server3.tlstaple.test");
  t.is(await subjectFor("a.b.tlstaple.test"), "server1.tlstaple.test");
  t.is(await subjectFor("server4.tlstaple.test"), "server4.tlstaple.test");
  t.is(await subjectFor("server4xtlstaple.test"), "server1.tlstaple.test");
  ours.server.setSecureContext(stapledContext("p256", "server2"));
  t.is(await subjectFor("elsewhere.test"), "server2.tlstaple.test");
});

for (const version of versions)
  test(`${version}: a certificate on a curve that the client lacks is not chosen in TLS 1.2`, async (t) => {
    const [p384, rsa] = [credential("p256", "p384"), credential("rsa", "server1")].map(
      ({ certificateFile, keyFile }) => [readFileSync(certificateFile), readFileSync(keyFile)],
    );
    const chains = { cert: [p384[0], rsa[0]], key: [p384[1], rsa[1]] };
    const SNICallback: SNICallback = (name, callback) => callback(null, name === "called.test" ? chains : {});
    const ours = await serveOurs(
      t,
      { staples: undefined, ...chains, ...only(version), SNICallback },
      (socket) => socket.end(),
    );
    const kindFor = async (ecdhCurve: string, servername: string) => {
      const socket = openNode(t, ours.port, { ecdhCurve, servername, rejectUnauthorized: false });
      await once(socket, "secureConnect");
      return (socket.getPeerCertificate() as { asn1Curve?: string }).asn1Curve ?? "RSA";
    };
    for (const name of ["", "called.test"]) {
      t.is(await kindFor("X25519:P-256", name), version === "TLSv1.2" ? "RSA" : "secp384r1");
      t.is(await kindFor("X25519:P-256:P-384", name), "secp384r1");
    }
    ours.server.setSecureContext({ cert: p384[0], key: p384[1] });
    if (version === "TLSv1.3") return;
    const told = clientError(ours);
    const refused = failure(openNode(t, ours.port, { ecdhCurve: "X25519:P-256", servername: "" }));
    t.is((await told).code, "NO_COMMON_SCHEME");
    t.regex((await refused).message, /handshake failure/);
  });

test("of chains whose key fits, the first whose signatures the client takes; else the first", (t) => {
  const chains = [credential("rsa", "pss"), credential("rsa", "server1"), credential("p256", "server1")];
  const read = (file: "certificateFile" | "keyFile") => chains.map((each) => readFileSync(each[file]));
  const context = createSecureContext({ cert: read("certificateFile"), key: read("keyFile") });
  const chosen = (schemes: number[], certificateSchemes = schemes) => {
    const hello = {
      schemes,
      certificateSchemes,
      authorities: [],
      resumes: () => false,
    } as unknown as Parameters<typeof context.choose>[0];
    return context.credentials.indexOf(context.choose(hello)!.credentials);
  };
  const [pss, pkcs1, ecdsa, ed25519] = [0x0804, 0x0401, 0x0403, 0x0807];
  t.is(chosen([pss, pkcs1, ecdsa]), 0);
  t.is(chosen([pss, ecdsa], [pkcs1]), 1);
  t.is(chosen([pss, ecdsa], [pkcs1, pss]), 0);
  t.is(chosen([pss, ecdsa], [ecdsa]), 2);
  t.is(chosen([pss], [ecdsa]), 0, "none is verifiable");
  t.is(chosen([ed25519], [pkcs1]), 0, "none fits");
});

for (const version of versions)
  test(`${version}: who resumes a session is asked about by name again`, async (t) => {
    const own = stapledContext("p256", "server1");
    let answer: Parameters<Parameters<SNICallback>[1]> = [null, own];
    const asked: string[] = [];
    const SNICallback: SNICallback = (servername, callback) => {
      asked.push(servername);
      setImmediate(callback, ...answer);
    };
    const ours = await serveOurs(t, { ...only(version), SNICallback }, (socket) => socket.end());
    const visit = async (session?: Buffer): Promise<[boolean, Buffer]> => {
      const socket = openNode(t, ours.port, { session, rejectUnauthorized: false });
      const fresh = once(socket, "session");
      await once(socket, "secureConnect");
      const reused = socket.isSessionReused();
      await readAll(socket);
      return [reused, reused ? session! : (await fresh)[0]];
    };
    const [, session] = await visit();
    t.true((await visit(session))[0]);
    // Of several chains the one that the session began with
    const { cert, key } = stapledContext("rsa", "server1");
    answer = [
      null,
      createSecureContext({ cert: [cert, own.cert] as Buffer[], key: [key, own.key] as Buffer[] }),
    ];
    t.true((await visit(session))[0]);
    answer = [null, stapledContext("p256", "server3")];
    t.false((await visit(session))[0]);
    t.deepEqual(asked, Array(4).fill("localhost"));
    answer = [new Error("no such tenant")];
    const told = clientError(ours);
    t.regex((await failure(openNode(t, ours.port, { session }))).message, /unrecognized name/);
    t.is((await told).code, "UNRECOGNIZED_NAME");
  });

for (const version of versions)
  test(`${version}: a resumed session waits for no staples, and ends with the certificate`, async (t) => {
    const stapler = slowSource(10);
    const options = { staples: undefined, stapler, ...only(version) };
    const ours = await serveOurs(t, options, (socket) => socket.end("."));
    const visit = async (session?: Buffer) => {
      const socket = open(t, ours.port, { session, rejectUnauthorized: false });
      const fresh = once(socket, "session");
      await readAll(socket);
      return session ?? ((await fresh)[0] as Buffer);
    };
    const session = await visit();
    await visit(session);
    t.is(stapler.asked.length, 1);
    ours.server.setSecureContext({ ...stapledContext("p256", "server3"), staples: undefined });
    await visit(session);
    t.is(stapler.asked.length, 2);
    t.deepEqual(
      ours.sockets.map((socket) => socket.isSessionReused()),
      [false, true, false],
    );
  });

test("SNICallback: a context, options, nothing, later", async (t) => {
  const asked: string[] = [];
  const SNICallback: SNICallback = (servername, callback) => {
    asked.push(servername);
    if (servername === "now.test") callback(null, stapledContext("p256", "server3"));
    else if (servername === "none.test") callback(null);
    else setTimeout(callback, 20, null, createSecureContext(stapledContext("p256", "server4")));
  };
  const ours = await serveOurs(t, { SNICallback }, (socket) => socket.end());
  const subjectFor = async (servername: string) => {
    const socket = openNode(t, ours.port, { servername, rejectUnauthorized: false });
    await once(socket, "secureConnect");
    return socket.getPeerCertificate().subject.CN;
  };
  t.is(await subjectFor("now.test"), "server3.tlstaple.test");
  t.is(await subjectFor("none.test"), "server1.tlstaple.test");
  t.is(await subjectFor("later.test"), "server4.tlstaple.test");
  t.is(await subjectFor(""), "server1.tlstaple.test");
  t.deepEqual(asked, ["now.test", "none.test", "later.test"]);
});

test("SNICallback that fails, throws, or gives what is no context", async (t) => {
  const wrong = new Error("no such tenant");
  const SNICallback: SNICallback = (servername, callback) => {
    if (servername === "throws.test") throw wrong;
    if (servername === "wrong.test") callback(null, { cert: "nonsense" });
    else setImmediate(callback, wrong);
  };
  const ours = await serveOurs(t, { SNICallback });
  for (const servername of ["fails.test", "throws.test", "wrong.test"]) {
    const told = clientError(ours);
    t.regex((await failure(openNode(t, ours.port, { servername }))).message, /unrecognized name/);
    const error = (await told) as TlsError;
    t.is(error.code, "UNRECOGNIZED_NAME");
    if (servername === "wrong.test") t.regex((error.cause as Error).message, /cert/);
    else t.is(error.cause, wrong);
  }
});

test("a server without a certificate of its own serves the names that it has", async (t) => {
  const server = createServer({ stapler: "off" }, (socket) => socket.end());
  server.addContext("localhost", stapledContext("p256", "server1"));
  const port = await listen(t, server);
  await readAll(openNode(t, port));
  const told = once(server, "tlsClientError");
  openNode(t, port, { servername: "other.test" });
  t.is((await told)[0].code, "UNRECOGNIZED_NAME");
});

// Staples from elsewhere

const staples = stapledContext("p256", "server1").staples as Buffer[];

/** A source that has its staples after so many milliseconds. */
function slowSource(ms: number): StapleSource & { asked: number[] } {
  const until = Math.floor(Date.now() / 1000) + 3600;
  let there: boolean;
  return {
    asked: [],
    ready(_chain, count) {
      this.asked.push(count);
      return there ? { staples: staples.slice(0, count), until } : undefined;
    },
    async staples(_chain, count) {
      await sleep(ms);
      there = true;
      return { staples: staples.slice(0, count), until };
    },
  };
}

for (const version of versions)
  test(`${version}: the handshake waits for staples, the next one does not`, async (t) => {
    const stapler = slowSource(30);
    const options = { staples: undefined, stapler, ...only(version) };
    const ours = await serveOurs(t, options, (socket) => socket.end());
    for (let i = 0; i < 2; i++) await readAll(open(t, ours.port, { ocsp: { policy: "leaf" } }));
    const all = version === "TLSv1.3" ? 3 : 1;
    t.deepEqual(stapler.asked, [all, all]);
    t.deepEqual(ours.sockets[1].staples, staples.slice(0, all));
  });

for (const version of versions)
  test(`${version}: no ticket outlives the staples of a source`, async (t) => {
    const stapler: StapleSource = {
      ready: (_chain, count) => ({ staples: staples.slice(0, count), until: Date.now() / 1000 }),
      staples: () => Promise.reject(),
    };
    const options = { staples: undefined, stapler, ...only(version) };
    const ours = await serveOurs(t, options, (socket) => socket.end());
    const open = async (requestOCSP: boolean) => {
      const socket = openNode(t, ours.port, { requestOCSP });
      let session: Buffer | undefined;
      socket.on("session", (given) => {
        session = given;
      });
      await once(socket, "secureConnect");
      const ticket = socket.getTLSTicket();
      await readAll(socket);
      return version === "TLSv1.3" ? session : ticket;
    };
    t.falsy(await open(true));
    t.truthy(await open(false));
  });

test("a source that fails leaves the handshake without staples", async (t) => {
  const stapler: StapleSource = {
    ready: () => undefined,
    staples: () => Promise.reject(new Error("broken")),
  };
  const ours = await serveOurs(t, { staples: undefined, stapler }, (socket) => socket.end());
  await readAll(open(t, ours.port));
  t.deepEqual(ours.sockets[0].staples, []);
  t.deepEqual(ours.errors, []);
});

test("a client that leaves while staples are fetched", async (t) => {
  const ours = await serveOurs(t, { staples: undefined, stapler: slowSource(50) });
  const told = clientError(ours);
  const socket = open(t, ours.port);
  await once(socket, "connect");
  await sleep(10);
  socket.destroy();
  t.regex((await told).code!, /ECONNRESET/);
  await sleep(80);
  t.is(ours.errors.length, 1);
});

// Long ClientHellos

/** Names of application protocols, 255 bytes each, that fill an extension. */
const manyNames = Array.from({ length: 250 }, (_, i) => `${i}`.padEnd(255, "."));

for (const version of versions)
  test(`${version}: a ClientHello of 64,000 bytes is taken, and its memory given back`, async (t) => {
    const names = { ALPNProtocols: [manyNames[249]] };
    const ours = await serveOurs(t, { ...only(version), ...names }, (socket) => socket.pipe(socket));
    const sizes: number[] = [];
    for (let i = 0; i < 3; i++) {
      const socket = openNode(t, ours.port, { ALPNProtocols: manyNames, ecdhCurve: "X25519:P-256" });
      await once(socket, "secureConnect");
      t.is(socket.alpnProtocol, manyNames[249]);
      socket.write("hello");
      t.is(`${(await once(socket, "data"))[0]}`, "hello");
      sizes.push(innards(ours.sockets[i]).engine.inbox.bytes.length);
    }
    t.deepEqual(new Set(sizes), new Set([0]));
  });

test("a ClientHello that is too long for anyone", async (t) => {
  const ours = await serveOurs(t);
  const raw = connectTcp(ours.port, "127.0.0.1");
  raw.write(Buffer.from([22, 3, 1, 0, 4, 1, 1, 0, 1]));
  t.deepEqual(await readAll(raw), Buffer.from([21, 3, 3, 0, 2, 2, 47]));
  const [error] = ours.errors as TlsError[];
  t.is(error.code, "MESSAGE_TOO_LONG");
  t.is(error.alert.name, "illegal_parameter");
  t.regex(error.advice, /65,536/);
});

// Failures

test("requireEms: a client without it is refused", async (t) => {
  const SSL_OP_NO_EXTENDED_MASTER_SECRET = 1;
  const options = { secureOptions: SSL_OP_NO_EXTENDED_MASTER_SECRET, maxVersion: "TLSv1.2" } as const;
  const lax = await serveOurs(t, {}, (socket) => socket.end());
  await readAll(openNode(t, lax.port, options));
  const strict = await serveOurs(t, { requireEms: true });
  const told = clientError(strict);
  openNode(t, strict.port, options);
  t.is((await told).code, "EMS_REQUIRED");
});

test("what is no TLS, told once, with its alert", async (t) => {
  const ours = await serveOurs(t);
  const raw = connectTcp(ours.port, "127.0.0.1").end("GET / HTTP/1.1\r\n\r\n");
  t.deepEqual(await readAll(raw), Buffer.from([21, 3, 3, 0, 2, 2, 10]));
  t.deepEqual(
    ours.errors.map((error) => (error as TlsError).code),
    ["UNKNOWN_RECORD_TYPE"],
  );
  t.true(ours.errors[0] instanceof TlsError);
});

test("a client that resets, or ends", async (t) => {
  const ours = await serveOurs(t);
  const reset = clientError(ours);
  const raw = connectTcp(ours.port, "127.0.0.1");
  raw.write(Buffer.from([22, 3, 1, 0, 200, 1]));
  const [transport] = await once(ours.server, "connection");
  await once(transport, "data");
  raw.resetAndDestroy();
  t.is((await reset).code, "ECONNRESET");
  const ended = clientError(ours);
  connectTcp(ours.port, "127.0.0.1").end();
  t.is((await ended).code, "ECONNRESET");
  const done = once(ours.server, "close");
  ours.server.close();
  await done;
  t.is(ours.errors.length, 2);
});

for (const version of versions) {
  test(`${version}: a client may leave between requests, without close_notify`, async (t) => {
    const ends: boolean[] = [];
    const ours = await serveOurs(t, {}, (socket) => {
      socket.on("end", () => ends.push(socket.truncated));
      socket.pipe(socket);
    });
    const leave = { end: (raw: Duplex) => raw.end(), close: (raw: Duplex) => raw.destroy() };
    for (const [words, how] of [
      ["", "end"],
      ["a request", "end"],
      ["a request", "close"],
    ] as const) {
      const client = open(t, ours.port, only(version));
      const [served] = await once(ours.server, "secureConnection");
      if (words) client.write(words);
      if (words) await once(client, "data");
      leave[how](innards(client).transport);
      if (!served.closed) await once(served, "close");
      t.is(served.errored, null);
    }
    t.deepEqual(ends, [true, true, true]);
    const orderly = open(t, ours.port, only(version));
    orderly.end();
    await readAll(orderly);
    while (ends.length < 4) await sleep(1);
    t.false(ends[3]);
  });

  test(`${version}: a client that leaves within a record or a message is TRUNCATED`, async (t) => {
    const ours = await serveOurs(t);
    const half = [23, 3, 3, 0, 40, ...Array(40).fill(1)];
    for (let n = 1; n < half.length; n += 4) {
      const client = open(t, ours.port, only(version));
      const [served] = await once(ours.server, "secureConnection");
      innards(client).transport.end(Buffer.from(half.slice(0, n)));
      t.is(await failure(served).then(({ code }) => code), "TRUNCATED", `${n} bytes`);
    }
    // A ClientHello or a KeyUpdate, as far as its first three bytes
    const client = open(t, ours.port, only(version));
    const [served] = await once(ours.server, "secureConnection");
    const { engine } = innards(client);
    const type = version === "TLSv1.3" ? handshakeType.key_update : handshakeType.client_hello;
    engine.outbox.bytes.set([type, 0, 0], engine.outbox.contentStart);
    innards(client).transport.end(record(engine, contentType.handshake, 3));
    t.is(await failure(served).then(({ code }) => code), "TRUNCATED");
  });
}

test("a client that says nothing", async (t) => {
  const ours = await serveOurs(t, { handshakeTimeout: 100 });
  const silent = clientError(ours);
  const raw = connectTcp(ours.port, "127.0.0.1");
  t.deepEqual(await readAll(raw), Buffer.from([21, 3, 3, 0, 2, 2, 90]));
  t.is((await silent).code, "HANDSHAKE_TIMEOUT");
});

test("nobody listens for errors: the process lives, the connection does not", async (t) => {
  const server = createServer({ ...stapledContext("p256", "server1"), stapler: "off" });
  const port = await listen(t, server);
  await readAll(connectTcp(port, "127.0.0.1").end("nonsense"));
  const secured = once(server, "secureConnection");
  const raw = connectTcp(port, "127.0.0.1");
  open(t, port, { socket: raw });
  const [served] = await secured;
  let told = 0;
  server.on("tlsClientError", () => told++);
  raw.resetAndDestroy();
  await new Promise((resolve) => served.on("close", resolve));
  t.is(served.errored.code, "ECONNRESET");
  t.is(told, 0);
});

test("close: nobody new, and those who are there may finish", async (t) => {
  const ours = await serveOurs(t, {}, (socket) => socket.pipe(socket));
  const socket = openNode(t, ours.port);
  await once(socket, "secureConnect");
  let closed = false;
  const done = once(ours.server.close(), "close").then(() => {
    closed = true;
  });
  t.is((await failure(connectTcp(ours.port, "127.0.0.1"))).code, "ECONNREFUSED");
  t.false(closed);
  socket.end("last words");
  t.is(`${await readAll(socket)}`, "last words");
  await done;
});

test("400 connections at once leave nothing behind", async (t) => {
  const ours = await serveOurs(t, {}, (socket) => socket.end("."));
  for (let round = 0; round < 4; round++)
    await Promise.all(Array.from({ length: 100 }, () => readAll(open(t, ours.port))));
  t.is(ours.sockets.length, 400);
  t.deepEqual(ours.errors, []);
  const done = once(ours.server, "close");
  ours.server.close();
  await done;
  t.true(ours.sockets.every((socket) => socket.destroyed));
});

// What can be watched

test("keylog, onMessage and onCipher tell of each connection", async (t) => {
  const seen = { messages: new Map<unknown, number[]>(), sent: 0, received: 0 };
  const options: ServerOptions = {
    onMessage(sent, type, _bytes, _start, _end, socket) {
      const types = seen.messages.get(socket) ?? [];
      seen.messages.set(socket, types);
      types.push(sent ? type : -type);
    },
    onCipher(sent, bytes) {
      seen[sent ? "sent" : "received"] += bytes.length;
    },
  };
  const ours = await serveOurs(t, options, (socket) => socket.end("."));
  const lines: string[] = [];
  ours.server.on("keylog", (line: Buffer, socket) =>
    lines.push(`${line}`, `${ours.sockets.includes(socket)}`),
  );
  const socket = openNode(t, ours.port);
  const own: string[] = [];
  socket.on("keylog", (line: Buffer) => own.push(`${line}`));
  await readAll(socket);
  t.deepEqual(lines.filter((line) => line.length > 5).sort(), own.sort());
  const [served] = ours.sockets;
  if (!served.destroyed) await once(served, "close");
  const types = seen.messages.get(served)!;
  t.is(types[0], -0x1601);
  t.true(types.includes(0x1602) && types.includes(0x1614));
  t.is(seen.sent, served.bytesWritten);
  t.is(seen.received, served.bytesRead);
});

test("pauseOnConnect: nothing is read until it is asked for", async (t) => {
  const chunks: Buffer[] = [];
  const ours = await serveOurs(t, { pauseOnConnect: true }, (socket) =>
    socket.on("data", (chunk) => chunks.push(chunk)),
  );
  const socket = openNode(t, ours.port);
  socket.write("hello");
  await once(ours.server, "secureConnection");
  await sleep(30);
  t.is(chunks.length, 0);
  ours.sockets[0].resume();
  await once(ours.sockets[0], "data");
  t.is(`${Buffer.concat(chunks)}`, "hello");
});

test("a stream that is handed over as a connection", async (t) => {
  const server = createServer({ ...stapledContext("p256", "server1"), stapler: "off" }, (s) =>
    s.end("inner"),
  );
  const outer = await serveOurs(t, { allowHalfOpen: true }, (socket) => server.emit("connection", socket));
  const tunnel = openNode(t, outer.port);
  await once(tunnel, "secureConnect");
  const inner = connect({ socket: tunnel, servername: "localhost", ca });
  t.is(`${await readAll(inner)}`, "inner");
});

test("records of the size that was asked for", async (t) => {
  let longest = 0;
  const options: ServerOptions = { recordSizeLimit: 1024 };
  const ours = await serveOurs(t, options, (socket) => socket.pipe(socket));
  const onCipher = (sent: boolean, bytes: Uint8Array) => {
    for (let at = 0; sent && at + 5 <= bytes.length; at += 5 + ((bytes[at + 3] << 8) | bytes[at + 4]))
      longest = Math.max(longest, (bytes[at + 3] << 8) | bytes[at + 4]);
  };
  const socket = open(t, ours.port, { recordSizeLimit: 16385, onCipher });
  socket.end(Buffer.alloc(10_000));
  t.is((await readAll(socket)).length, 10_000);
  t.is(longest, 1024 + 16);
});

// Options

test("groups: only these are taken, the server's best first", async (t) => {
  const groupOf = async (groups: string[], offered: string[]) => {
    const { port } = await serveOurs(t, { groups });
    const socket = open(t, port, { groups: offered });
    return once(socket, "secureConnect").then(
      () => socket.getEphemeralKeyInfo()!.name,
      ({ code, detail }) => `${code} ${detail}`,
    );
  };
  t.is(await groupOf(["P-256"], ["X25519", "P-256"]), "prime256v1");
  t.is(await groupOf(["X25519", "P-256"], ["X25519", "P-256"]), "X25519");
  t.is(await groupOf(["P-384"], ["X25519", "P-256"]), "PEER_ALERT 40");
});

test("a handshake has ten seconds, unless it is said otherwise", (t) => {
  t.is(settleServer({}).connection.handshakeTimeout, 10_000);
  t.is(settleServer({ handshakeTimeout: 0 }).connection.handshakeTimeout, 0);
});

const badOptions: [object, string][] = [
  [{ pfx: Buffer.alloc(1) }, "VALUE"],
  [{ ciphers: "ALL" }, "UNSUPPORTED"],
  [{ pskCallback: () => undefined }, "UNSUPPORTED"],
  [{ ALPNCallback: () => undefined }, "UNSUPPORTED"],
  [{ sessionIdContext: "x" }, "UNSUPPORTED"],
  [{ requestcert: true }, "UNSUPPORTED"],
  [{ oscp: {} }, "UNSUPPORTED"],
  [{ ocsp: { mustStaple: true } }, "VALUE"],
  [{ requestCert: "yes" }, "TYPE"],
  [{ rejectUnauthorized: 0 }, "TYPE"],
  [{ stapler: "on" }, "TYPE"],
  [{ groups: "P-256" }, "TYPE"],
  [{ groups: ["P-522"] }, "VALUE"],
  [{ groups: ["P-256", "prime256v1"] }, "VALUE"],
  [{ groups: [] }, "VALUE"],
  [{ staples: Buffer.alloc(1) }, "TYPE"],
  [{ ...stapledContext("p256", "server1"), staples: ["x"] }, "TYPE"],
  [{ ...stapledContext("p256", "server1"), staples: [[], []] }, "TYPE"],
  [{ SNICallback: {} }, "TYPE"],
  [{ ticketKeys: "secret" }, "TYPE"],
  [{ ticketKeys: Buffer.alloc(47) }, "VALUE"],
  [{ ticketKeys: [] }, "VALUE"],
  [{ sessionTimeout: -1 }, "VALUE"],
  [{ minVersion: "TLSv1.3", maxVersion: "TLSv1.2" }, "VALUE"],
  [{ cert: stapledContext("p256", "server1").cert }, "VALUE"],
  [{ cert: stapledContext("p256", "server1").cert, key: stapledContext("p256", "server2").key }, "VALUE"],
  [{ cert: stapledContext("p256", "server1").cert, key: [] }, "VALUE"],
  [
    {
      cert: [stapledContext("p256", "server1").cert, stapledContext("rsa", "server1").cert],
      key: [stapledContext("p256", "server1").key, stapledContext("rsa", "server2").key],
    },
    "VALUE",
  ],
  [{ handshakeTimeout: 2 ** 31 }, "VALUE"],
  [{ requestCert: true, ca: clientCa, ocsp: { policy: "leaf" } }, "VALUE"],
];

for (const [options, kind] of badOptions)
  test(`refused: ${JSON.stringify(options, (_, value) => (isBytes(value) ? "…" : value))}`, (t) => {
    t.throws(() => createServer(options), { code: `ERR_TLSTAPLE_OPTION_${kind}` });
  });

function isBytes(value: unknown): boolean {
  return typeof value === "function" || (value as { type?: string } | null)?.type === "Buffer";
}

test("a context takes certificates, and nothing that is the server's", (t) => {
  const context = stapledContext("p256", "server1");
  const refused = { code: "ERR_TLSTAPLE_OPTION_UNSUPPORTED" };
  t.throws(() => createSecureContext({ ...context, ca: clientCa } as object), refused);
  t.throws(() => createSecureContext({ ...context, unknown: 1 } as object), refused);
  const server = createServer();
  t.throws(() => server.setTicketKeys(Buffer.alloc(1)), { code: "ERR_TLSTAPLE_OPTION_VALUE" });
  t.throws(() => server.addContext("x", { cert: 7 } as object), { code: "ERR_TLSTAPLE_OPTION_VALUE" });
});

test("keys with passphrases of their own", async (t) => {
  const { createPrivateKey } = await import("node:crypto");
  const { cert, key } = stapledContext("p256", "server1");
  const sealed = createPrivateKey(key as Buffer).export({
    type: "pkcs8",
    format: "pem",
    cipher: "aes-256-cbc",
    passphrase: "sesame",
  });
  const forms: ServerOptions[] = [
    { key: sealed, passphrase: "sesame" },
    { key: { pem: sealed, passphrase: "sesame" } as never },
    { key: [{ pem: sealed, passphrase: "sesame" }] as never },
  ];
  for (const form of forms) {
    const { port } = await serveOurs(t, { cert, staples: undefined, ...form }, (socket) => socket.end());
    await readAll(openNode(t, port));
  }
  t.throws(() => createServer({ cert, key: sealed }), { code: "ERR_TLSTAPLE_OPTION_VALUE" });
});
