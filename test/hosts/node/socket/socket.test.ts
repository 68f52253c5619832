import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect as connectTcp, createServer as createTcpServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Duplex } from "node:stream";
import { setImmediate, setTimeout } from "node:timers/promises";
import type { TLSSocket as NodeSocket } from "node:tls";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import test, { type ExecutionContext } from "ava";
import { fixtureFile } from "../../../../certs/fixtures.js";
import {
  type ConnectOptions,
  connect,
  createContext,
  type TLSSocket,
  TlsError,
} from "../../../../hosts/node/index.js";
import { portable } from "../../../../hosts/portable/index.js";
import { serveOurs } from "../ours.js";
import { listen, rootOf, type Stapled, serveTls, stapled } from "../servers.js";

const ca = rootOf("p256");
let good: Stapled;
let revoked: Stapled;

test.before(async () => {
  good = await stapled("p256", "server1");
  revoked = await stapled("p256", "server2");
});

const base: ConnectOptions = { host: "127.0.0.1", servername: "localhost", ca };

/** A connection of ours to that port, destroyed when the test ends. */
function open(t: ExecutionContext, port: number, options: ConnectOptions = {}): TLSSocket {
  const socket = connect({ ...base, port, ...options });
  t.teardown(() => socket.destroy());
  return socket;
}

/** The error that a connection fails with; it must also close. */
async function failure(socket: TLSSocket): Promise<TlsError> {
  const [[error]] = await Promise.all([once(socket, "error"), once(socket, "close")]).catch((thrown) => [
    [thrown],
  ]);
  return error;
}

/** Everything until the server's end. */
async function read(socket: TLSSocket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  await once(socket, "end");
  return Buffer.concat(chunks);
}

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  const only = { minVersion: version, maxVersion: version } as const;

  test(`${version}: a good staple, an exchange, an orderly end`, async (t) => {
    const port = await serveTls(t, good, (peer) => peer.end("welcome"));
    const socket = open(t, port, { ...only, ocsp: { policy: "leaf" } });
    const events: string[] = [];
    for (const name of ["connect", "secureConnect", "end", "close"]) socket.on(name, () => events.push(name));
    t.is(`${await read(socket)}`, "welcome");
    await once(socket, "close");
    t.deepEqual(events, ["connect", "secureConnect", "end", "close"]);
    t.true(socket.authorized);
    t.is(socket.getProtocol(), version);
    t.is(socket.ocsp[0].status, "good");
    t.true(socket.ocsp[0].nextUpdate! > new Date());
    t.true(socket.ocsp[0].delegated);
    t.is(socket.ocsp[1].status, "none");
  });

  test(`${version}: a revoked certificate fails, with its alert and number`, async (t) => {
    const port = await serveTls(t, revoked, undefined, only);
    const error = await failure(open(t, port));
    t.true(error instanceof TlsError);
    t.is(error.code, "OCSP_CERT_REVOKED");
    t.deepEqual(error.alert, { number: 44, name: "certificate_revoked" });
    t.deepEqual({ ...error.wolfssl! }, { number: -360, name: "OCSP_CERT_REVOKED" });
    t.regex(error.advice, /withdrawn/);
  });

  test.serial(
    `${version}: what was written before the handshake arrives, and large data both ways`,
    async (t) => {
      const port = await serveTls(t, good, (peer) => peer.pipe(peer), only);
      const socket = open(t, port);
      const sent = Buffer.alloc(3_000_000, "0123456789abcdef\n");
      socket.write("early ");
      socket.end(sent);
      const received = await read(socket);
      t.is(received.length, sent.length + 6);
      t.true(received.equals(Buffer.concat([Buffer.from("early "), sent])));
    },
  );

  test(`${version}: many small writes become few records`, async (t) => {
    const { promise: all, resolve } = deferred();
    const onPeer = (peer: NodeSocket) => {
      let left = 50_000;
      peer.on("data", (chunk: Buffer) => {
        left -= chunk.length;
        if (left === 0) resolve();
      });
    };
    const port = await serveTls(t, good, onPeer, only);
    const socket = open(t, port);
    await once(socket, "secureConnect");
    const before = socket.bytesWritten;
    for (let i = 0; i < 10_000; i++) socket.write("small");
    await all;
    t.true(socket.bytesWritten - before < 50_000 + 10 * 64, `${socket.bytesWritten - before} bytes sent`);
  });

  test(`${version}: the connection cut without close_notify is TRUNCATED`, async (t) => {
    const port = await serveTls(t, good, (peer) => peer.write("part", () => rawOf(peer).end()), only);
    const socket = open(t, port).resume();
    t.is((await failure(socket)).code, "TRUNCATED");
    t.true(socket.truncated);
  });

  for (const [where, rest] of [
    ["between records", Buffer.alloc(0)],
    ["in a record", Buffer.from([23, 3, 3, 0, 100, 1, 2, 3])],
  ] as const)
    test(`${version}: with allowTruncation a connection cut ${where} ends, and says so`, async (t) => {
      const cut = (peer: NodeSocket) => peer.write("part", () => rawOf(peer).end(rest));
      const port = await serveTls(t, good, cut, only);
      const socket = open(t, port, { context: createContext({ ca, allowTruncation: true }) });
      t.is(`${await read(socket)}`, "part");
      t.true(socket.truncated);
      await once(socket, "close");
      t.is(socket.errored, null);
    });

  test(`${version}: with allowTruncation an orderly end is one, and a reset is none`, async (t) => {
    const orderly = open(t, await serveTls(t, good, (peer) => peer.end("all"), only), {
      allowTruncation: true,
    });
    t.is(`${await read(orderly)}`, "all");
    t.false(orderly.truncated);
    const reset = (peer: NodeSocket) => peer.write("part", () => rawOf(peer).resetAndDestroy());
    const socket = open(t, await serveTls(t, good, reset, only), { allowTruncation: true }).resume();
    const error: Error & { code?: string } = await failure(socket);
    t.is(error.code, "ECONNRESET");
  });

  test(`${version}: a connection cut within the handshake is ECONNRESET, whatever is allowed`, async (t) => {
    const port = await serveTls(t, good, undefined, only);
    // After nothing, after a part of the server's first flight, and after all of it where more is to come
    for (const most of version === "TLSv1.2" ? [0, 1, 100, 10_000] : [0, 1, 100]) {
      const relay = createTcpServer((near) => {
        const far = connectTcp(port, "127.0.0.1").on("error", () => undefined);
        near.pipe(far).once("data", (flight: Buffer) => near.end(flight.subarray(0, most)));
        if (most === 0) near.end();
      });
      const error: Error & { code?: string } = await failure(
        open(t, await listen(t, relay), { allowTruncation: true }),
      );
      t.is(error.code, "ECONNRESET", `${most} bytes`);
      t.false(error instanceof TlsError);
    }
  });

  test(`${version}: after our own end no close_notify is owed to us`, async (t) => {
    const port = await serveTls(t, good, (peer) => peer.on("data", () => rawOf(peer).destroySoon()), only);
    const socket = open(t, port).resume();
    socket.end("bye");
    await once(socket, "close");
    t.true(socket.readableEnded);
    t.true(socket.writableFinished);
  });

  test(`${version}: with allowHalfOpen data still goes out after the server's end`, async (t) => {
    let received = "";
    const { promise: ended, resolve } = deferred();
    const onPeer = (peer: NodeSocket) => {
      peer.on("data", (chunk: Buffer) => {
        received += chunk;
      });
      peer.on("end", resolve);
      peer.end("first");
    };
    const port = await serveTls(t, good, onPeer, { ...only, allowHalfOpen: true });
    const socket = open(t, port, { allowHalfOpen: true });
    t.is(`${await read(socket)}`, "first");
    await setImmediate();
    t.true(socket.writable);
    socket.end("last");
    await ended;
    t.is(received, "last");
  });
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve!: () => void;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/** The TCP socket below a node:tls server's connection. */
function rawOf(peer: NodeSocket): Socket {
  return (peer as unknown as { _parent: Socket })._parent;
}

test("no staple where one is required", async (t) => {
  const port = await serveTls(t, { ...good, staple: undefined });
  const error = await failure(open(t, port, { ocsp: { policy: "leaf" } }));
  t.is(error.code, "OCSP_STAPLE_MISSING");
  t.is(error.alert.name, "bad_certificate_status_response");
});

test("an untrusted server, another name, and neither checked", async (t) => {
  const port = await serveTls(t, good);
  const stranger = readFileSync(fixtureFile("good/client/ca.pem"));
  const untrusted = open(t, port, { ca: stranger });
  t.is((await failure(untrusted)).code, "CERT_UNKNOWN_ISSUER");
  t.false(untrusted.authorized);
  t.is((untrusted.authorizationError as TlsError).code, "CERT_UNKNOWN_ISSUER");
  t.is((await failure(open(t, port, { servername: "example.org" }))).code, "CERT_NAME_MISMATCH");
  const unchecked = open(t, port, {
    ca: rootOf("rsa"),
    servername: "example.org",
    rejectUnauthorized: false,
  });
  await once(unchecked, "secureConnect");
  t.false(unchecked.authorized);
  t.truthy(unchecked.authorizationError);
});

test("the host is verified where no servername is given, and an IP address as one", async (t) => {
  const names: (string | false)[] = [];
  const onPeer = (peer: NodeSocket) => {
    names.push((peer as unknown as { servername: string | false }).servername);
    peer.end();
  };
  const port = await serveTls(t, good, onPeer);
  await read(open(t, port, { servername: undefined }));
  await read(open(t, port, { host: "localhost", servername: undefined, family: 4 }));
  t.deepEqual(names, [false, "localhost"]);
});

test("the signatures of node:tls's connect", async (t) => {
  const port = await serveTls(t, good);
  const options = { ca, servername: "localhost" };
  const opened = [
    connect(port, "127.0.0.1", options),
    connect(port, { ...options, host: "127.0.0.1", port: 1 }),
    await new Promise<TLSSocket>((resolve) => {
      const socket = connect(port, "127.0.0.1", options, () => resolve(socket));
    }),
  ];
  for (const socket of opened) {
    if (socket.secureConnecting) await once(socket, "secureConnect");
    t.true(socket.authorized);
    socket.destroy();
  }
});

test("what was negotiated", async (t) => {
  const ALPNProtocols = ["http/1.1"];
  const port = await serveTls(t, good, undefined, { ALPNProtocols });
  const socket = open(t, port, { ALPNProtocols: ["h2", "http/1.1"] });
  t.is(socket.getProtocol(), null);
  t.true(socket.secureConnecting);
  await once(socket, "secureConnect");
  t.false(socket.secureConnecting);
  t.true(socket.encrypted);
  t.is(socket.alpnProtocol, "http/1.1");
  t.is(socket.servername, "localhost");
  t.regex(socket.getCipher()!.standardName, /^TLS_(AES|CHACHA20)_/);
  t.is(socket.getEphemeralKeyInfo()!.name, "X25519");
  t.is(socket.remotePort, port);
  t.is(socket.remoteAddress, "127.0.0.1");
  t.is((socket.address() as { port: number }).port, socket.localPort!);
});

test("the cipher suite has OpenSSL's name and IANA's", async (t) => {
  const maxVersion = "TLSv1.2";
  const ciphers = "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES256-GCM-SHA384";
  for (const name of ciphers.split(":")) {
    const port = await serveTls(t, good, undefined, { maxVersion, ciphers: name });
    const socket = open(t, port);
    await once(socket, "secureConnect");
    t.is(socket.getCipher()!.name, name);
    t.is(socket.getCipher()!.version, "TLSv1.2");
  }
});

test("the peer's certificates, up to the root", async (t) => {
  const port = await serveTls(t, good);
  const socket = open(t, port);
  t.is(socket.getPeerCertificate(), undefined);
  await once(socket, "secureConnect");
  t.is(socket.getPeerCertificate()!.subject.CN, "server1.tlstaple.test");
  t.false("issuerCertificate" in socket.getPeerCertificate()!);
  const leaf = socket.getPeerCertificate(true)!;
  const root = leaf.issuerCertificate.issuerCertificate;
  t.is(leaf.issuerCertificate.subject.CN, "intermediate1");
  t.is(root.subject.CN, "root");
  t.is(root.issuerCertificate, root);
  t.regex(socket.getPeerX509Certificate()!.subject, /server1/);
});

test("a client certificate is sent when it is asked for", async (t) => {
  const subjects: unknown[] = [];
  const onPeer = (peer: NodeSocket) => {
    subjects.push(peer.getPeerCertificate().subject?.CN);
    peer.end();
  };
  const port = await serveTls(t, good, onPeer, { requestCert: true, rejectUnauthorized: false });
  await read(open(t, port, { cert: good.cert, key: good.key }));
  await read(open(t, port));
  t.deepEqual(subjects, ["server1.tlstaple.test", undefined]);
});

test("the server's alert comes as PEER_ALERT", async (t) => {
  const port = await serveTls(t, good, undefined, { requestCert: true, maxVersion: "TLSv1.2", ca });
  const error = await failure(open(t, port));
  t.is(error.code, "PEER_ALERT");
  t.is(error.alert.number, error.detail);
  t.regex(error.message, new RegExp(error.alert.name));
});

test("a server that speaks no TLS", async (t) => {
  const port = await listen(
    t,
    createTcpServer((socket) => socket.write("220 mail.example.org ESMTP\r\n")),
  );
  const error = await failure(open(t, port));
  t.is(error.code, "UNKNOWN_RECORD_TYPE");
  t.regex(error.advice, /host and port/);
});

test("a server that says nothing: the handshake times out, and it is told so", async (t) => {
  const { promise: told, resolve } = deferred();
  const server = createTcpServer((peer) => {
    const received: Buffer[] = [];
    peer.on("data", (chunk) => received.push(chunk));
    peer.on("close", () => Buffer.concat(received).subarray(-7).equals(userCanceled) && resolve());
  });
  const port = await listen(t, server);
  const error = await failure(open(t, port, { handshakeTimeout: 60 }));
  t.is(error.code, "HANDSHAKE_TIMEOUT");
  await told;
});

/** An alert record: fatal user_canceled. */
const userCanceled = Buffer.from([21, 3, 3, 0, 2, 2, 90]);

test("nobody listens: the system's own error", async (t) => {
  const port = await serveTls(t, good);
  const error = (await failure(open(t, port === 65535 ? 1 : port + 1, { port: 1 }))) as Error;
  t.is((error as NodeJS.ErrnoException).code, "ECONNREFUSED");
});

test("destroy in the middle of a handshake", async (t) => {
  const port = await listen(t, createTcpServer());
  const socket = open(t, port);
  await once(socket, "connect");
  socket.write("never sent");
  socket.destroy();
  await once(socket, "close");
  t.true(socket.destroyed);
});

test("nothing is announced after destroy", async (t) => {
  const port = await serveTls(t, good);
  const socket = open(t, port, { timeout: 5000 });
  socket.on("secureConnect", () => t.fail());
  socket.on("keylog", () => socket.destroy());
  await once(socket, "close");
  socket.setTimeout(1).on("timeout", () => t.fail());
  await setTimeout(50);
  t.true(socket.destroyed);
});

test("the first address does not answer, the next one does", async (t) => {
  const port = await serveTls(t, good, (peer) => peer.end("here"));
  const addresses = [
    { address: "::1", family: 6 },
    { address: "127.0.0.1", family: 4 },
  ];
  const lookup = ((_name, _options, found) => found(null, addresses)) as ConnectOptions["lookup"];
  t.is(`${await read(open(t, port, { host: "localhost", lookup, autoSelectFamily: true }))}`, "here");
});

/** A number that goes up with each connection to a server, and down with its end. */
function counter(server: Server): () => number {
  let count = 0;
  server.on("connection", (peer: Socket) => {
    count++;
    peer.on("close", () => count--);
  });
  return () => count;
}

/** Waits until there is none; that hangs where one stays open. */
async function none(count: () => number): Promise<void> {
  await setTimeout(20);
  while (count() > 0) await setTimeout(5);
}

for (const stage of ["at once", "connect", "lookup", "secureConnect"] as const)
  test(`an abort signal destroys, and nothing stays open: ${stage}`, async (t) => {
    const { port, server } = await serveOurs(t);
    const connections = counter(server);
    const { promise: asked, resolve: ask } = deferred();
    let lookingUp: AbortSignal | undefined;
    const lookup = (_url: string, _request: Uint8Array, signal: AbortSignal) => {
      lookingUp = signal;
      ask();
      return new Promise<never>(() => undefined);
    };
    const ocsp =
      stage === "lookup" ? { lookup, overrideUrl: "http://localhost/", stapling: "off" as const } : {};
    const abort = new AbortController();
    const socket = open(t, port, { signal: abort.signal, ocsp });
    const failed = failure(socket);
    if (stage === "lookup") await asked;
    else if (stage !== "at once") await once(socket, stage);
    const reason = new Error("enough");
    abort.abort(reason);
    const { name, code, cause }: Error & { code?: string } = await failed;
    t.deepEqual([name, code, cause], ["AbortError", "ABORT_ERR", reason]);
    t.true(socket.destroyed);
    await none(connections);
    if (stage === "lookup") t.true(lookingUp?.aborted);
  });

test("an aborted signal: no connection is begun, and a stream that was handed in is closed", async (t) => {
  const signal = AbortSignal.abort();
  const server = createTcpServer(() => t.fail());
  const path = join(mkdtempSync(join(tmpdir(), "tlstaple-")), "socket");
  t.teardown(() => rmSync(dirname(path), { recursive: true }));
  await new Promise<void>((done) => server.listen(path, done));
  t.teardown(() => server.close());
  const lookup = () => t.fail();
  t.is((await failure(connect({ ...base, path, signal }))).name, "AbortError");
  t.is((await failure(connect({ ...base, host: "localhost", port: 1, lookup, signal }))).name, "AbortError");
  const silent = createTcpServer((peer) => peer.resume());
  const connections = counter(silent);
  const handed = connectTcp(await listen(t, silent), "127.0.0.1");
  await once(handed, "connect");
  t.is((await failure(connect({ ...base, socket: handed, signal }))).name, "AbortError");
  t.true(handed.destroyed);
  await none(connections);
});

test("what is no signal is refused before anything is opened", (t) => {
  const signal = { aborted: false } as AbortSignal;
  const lookup = () => t.fail();
  t.throws(() => connect({ ...base, host: "localhost", port: 1, lookup, signal }), {
    code: "ERR_TLSTAPLE_OPTION_TYPE",
  });
});

test("end before the handshake: it is completed first", async (t) => {
  const port = await serveTls(t, good);
  const socket = open(t, port).resume();
  socket.end();
  await once(socket, "close");
  t.true(socket.authorized);
  t.true(socket.readableEnded);
});

test.serial("timeout: once for each silence, moved on by traffic", async (t) => {
  const port = await serveTls(t, good, (peer) => peer.pipe(peer));
  const socket = open(t, port).resume();
  await once(socket, "secureConnect");
  let timeouts = 0;
  socket.setTimeout(400).on("timeout", () => timeouts++);
  for (let i = 0; i < 6; i++) {
    await setTimeout(100);
    socket.write("x");
  }
  t.is(timeouts, 0);
  await once(socket, "timeout");
  t.false(socket.destroyed);
  socket.setTimeout(0);
  t.is(socket.timeout, 0);
});

test("keylog: the lines that node:tls's server writes", async (t) => {
  const port = await serveTls(t, good, (peer) => peer.end());
  const ours: string[] = [];
  const socket = open(t, port);
  socket.on("keylog", (line: Buffer) => ours.push(`${line}`));
  await read(socket);
  for (const line of ours) t.regex(line, /^[A-Z_0-9]+ [0-9a-f]{64} [0-9a-f]{64,96}\n$/);
  t.deepEqual(ours.map((line) => line.split(" ")[0]).sort(), [
    "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
    "CLIENT_TRAFFIC_SECRET_0",
    "EXPORTER_SECRET",
    "SERVER_HANDSHAKE_TRAFFIC_SECRET",
    "SERVER_TRAFFIC_SECRET_0",
  ]);
});

test.serial("a paused reader holds the server back, and loses nothing", async (t) => {
  const size = 64 << 20;
  let accepted = 0;
  const { promise: full, resolve } = deferred();
  const onPeer = async (peer: NodeSocket) => {
    const block = Buffer.alloc(65536, 7);
    for (; accepted < size; accepted += block.length) {
      if (!peer.write(block)) {
        const drained = await Promise.race([once(peer, "drain"), setTimeout(300)]);
        if (drained === undefined) resolve();
        if (drained === undefined) await once(peer, "drain");
      }
    }
    peer.end();
  };
  const port = await serveTls(t, good, onPeer);
  const socket = open(t, port);
  await full;
  t.true(accepted < size / 2, `${accepted} bytes went out to nobody`);
  t.true(socket.readableLength <= 3 * socket.readableHighWaterMark + 131072, `${socket.readableLength} held`);
  let received = 0;
  socket.on("data", (chunk: Buffer) => {
    received += chunk.length;
  });
  await once(socket, "end");
  t.is(received, size);
});

test.serial("a server that does not read holds the writer back", async (t) => {
  const port = await serveTls(t, good, (peer) => peer.pause());
  const socket = open(t, port);
  await once(socket, "secureConnect");
  const block = Buffer.alloc(65536);
  let written = 0;
  for (; written < 256 << 20 && (socket.write(block) || (await drained(socket))); written += block.length);
  t.true(written < 64 << 20, `${written} bytes taken`);
  collectGarbage();
  const before = process.memoryUsage().arrayBuffers;
  const large = open(t, port);
  large.write(Buffer.alloc(32 << 20));
  await once(large, "secureConnect");
  await setTimeout(300);
  // What was sealed and sent is garbage that may lie around; what waits is not. All of it would be 32 MiB.
  collectGarbage();
  collectGarbage();
  const growth = process.memoryUsage().arrayBuffers - before - (32 << 20);
  t.true(growth < 16 << 20, `${growth} bytes sealed for nobody`);
});

async function drained(socket: TLSSocket): Promise<boolean> {
  return (await Promise.race([once(socket, "drain"), setTimeout(300)])) !== undefined;
}

test("an existing stream carries the connection: TLS within TCP, TLS within TLS", async (t) => {
  const inner = await serveTls(t, good, (peer) => peer.end("inside"));
  const relay = (peer: NodeSocket) => peer.pipe(connectTcp(inner, "127.0.0.1")).pipe(peer);
  const outer = await serveTls(t, good, relay);
  const tcp = connectTcp(inner, "127.0.0.1");
  t.is(`${await read(connect({ ca, servername: "localhost", socket: tcp }))}`, "inside");
  const tunnel = open(t, outer);
  t.is(`${await read(connect({ ca, servername: "localhost", socket: tunnel }))}`, "inside");
});

test("of small records that came together few chunks are made", async (t) => {
  const size = 100_000;
  const records = Math.ceil(size / 1000);
  const answer = (peer: NodeSocket) => {
    peer.setMaxSendFragment(1000);
    peer.on("data", () => peer.write(Buffer.alloc(size, 7)));
  };
  const port = await serveTls(t, good, answer, { maxVersion: "TLSv1.2" });
  const tcp = connectTcp(port, "127.0.0.1");
  t.teardown(() => tcp.destroy());
  let held: Buffer | undefined;
  const relay = new Duplex({ read() {}, write: (chunk, _encoding, done) => void tcp.write(chunk, done) });
  tcp.on("data", (chunk: Buffer) => {
    held &&= Buffer.concat([held, chunk]);
    if (held === undefined) relay.push(chunk);
    else if (held.length === size + records * 29) relay.push(held); // each is 29 bytes longer than its content
  });
  const socket = connect({ ca, servername: "localhost", socket: relay });
  await once(socket, "secureConnect");
  const chunks: Buffer[] = [];
  const { promise: all, resolve } = deferred();
  socket.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    if (Buffer.concat(chunks).length === size) resolve();
  });
  held = Buffer.alloc(0);
  socket.write("send");
  await all;
  t.deepEqual(Buffer.concat(chunks), Buffer.alloc(size, 7));
  t.true(chunks.length < 4, `${chunks.length} chunks`);
});

for (const version of ["TLSv1.2", "TLSv1.3"] as const)
  for (const [name, crypto] of [
    ["node:crypto", undefined],
    ["noble", portable()],
  ] as const)
    test(`${version}, ${name}: what was read and written stays as it was, whatever comes after it`, async (t) => {
      const only = { minVersion: version, maxVersion: version, provider: crypto };
      const ours = await serveOurs(t, only, (peer) => peer.pipe(peer));
      const socket = open(t, ours.port, only);
      const sent = [1, 4095, 4096, 5000, 16_384, 16_385, 60_000, 3, 200_000, 9].map((n) => randomBytes(n));
      const copies = sent.map((each) => Buffer.from(each));
      const size = Buffer.concat(sent).length;
      const chunks: Buffer[] = [];
      for (const each of sent) socket.write(each);
      for await (const chunk of socket as AsyncIterable<Buffer>) {
        chunks.push(chunk);
        if (Buffer.concat(chunks).length >= size) break;
      }
      t.true(Buffer.concat(chunks).equals(Buffer.concat(copies)));
      t.true(Buffer.concat(sent).equals(Buffer.concat(copies)));
    });

test("who is told of what is sent may send more", async (t) => {
  const ours = await serveOurs(t, {}, (peer) => peer.pipe(peer));
  let more = 2;
  const socket = open(t, ours.port, {
    onCipher(sent) {
      if (sent && socket.authorized && more-- > 0) socket.write("again ");
    },
  });
  await once(socket, "secureConnect");
  socket.write("first ");
  let text = "";
  for await (const chunk of socket) {
    text += chunk;
    if (text.length >= 18) break;
  }
  t.is(text, "first again again ");
});

for (const own of [false, true])
  test(`onCipher sees every byte of ${own ? "a stream that was handed in" : "a TCP connection"}`, async (t) => {
    const seen = { true: [] as Buffer[], false: [] as Buffer[] };
    const carried = { true: [] as Buffer[], false: [] as Buffer[] };
    const { promise: over, resolve } = deferred();
    const target = await serveTls(t, good, (peer) => peer.end("welcome"));
    const relay = createTcpServer((near) => {
      // Not by `pipe`, which reads no more once the other side is gone
      const far = connectTcp(target, "127.0.0.1").on("error", () => near.destroy());
      const pass = (from: Socket, to: Socket, kept: Buffer[]) =>
        from.on("data", (chunk) => kept.push(chunk) && to.write(chunk)).on("end", () => to.end());
      pass(near, far, carried.true).on("close", resolve);
      pass(far, near, carried.false);
    });
    const port = await listen(t, relay);
    const onCipher = (sent: boolean, bytes: Uint8Array) => seen[`${sent}`].push(Buffer.from(bytes));
    const socket = open(t, port, { onCipher, ...(own && { socket: connectTcp(port, "127.0.0.1") }) });
    t.is(`${await read(socket)}`, "welcome");
    await over;
    t.true(Buffer.concat(seen.true).equals(Buffer.concat(carried.true)));
    t.true(Buffer.concat(seen.false).equals(Buffer.concat(carried.false)));
    t.true(Buffer.concat(seen.false).length > 1000);
  });

test("the alert leaves through a stream that takes its time", async (t) => {
  const written: Buffer[] = [];
  const slow = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      globalThis.setTimeout(() => {
        written.push(chunk);
        done();
      }, 20);
    },
  });
  const socket = connect({ ca, servername: "localhost", socket: slow });
  slow.push("no TLS at all");
  t.is((await failure(socket)).code, "UNKNOWN_RECORD_TYPE");
  await once(slow, "close");
  t.deepEqual(Buffer.concat(written).subarray(-7), Buffer.from([21, 3, 3, 0, 2, 2, 10]));
});

test("a context's options hold for its connections, and each may override them", async (t) => {
  const port = await serveTls(t, revoked);
  const context = createContext({ ca, ocsp: { stapling: "off", skew: 60 } });
  const shared = open(t, port, { context, ca: undefined });
  await once(shared, "secureConnect");
  t.is(shared.ocsp[0].status, "none");
  const own = open(t, port, { context, ca: undefined, ocsp: { stapling: "v1" } });
  t.is((await failure(own)).code, "OCSP_CERT_REVOKED");
});

test("the clock can be set, and can be missing", async (t) => {
  const port = await serveTls(t, good);
  t.is((await failure(open(t, port, { clock: () => undefined }))).code, "NO_CLOCK");
  const tomorrow = () => Math.floor(Date.now() / 1000) + 2 * 86400;
  t.is((await failure(open(t, port, { clock: tomorrow }))).code, "OCSP_EXPIRED");
});

test.serial("64 MiB received leave nothing in memory", async (t) => {
  const block = Buffer.alloc(1 << 20);
  const onPeer = (peer: NodeSocket) => {
    for (let i = 0; i < 64; i++) peer.write(block);
  };
  const port = await serveTls(t, good, onPeer);
  const socket = open(t, port);
  let received = 0;
  const { promise: all, resolve } = deferred();
  await once(socket, "secureConnect");
  const before = memory();
  socket.on("data", (chunk: Buffer) => {
    received += chunk.length;
    if (received === 64 << 20) resolve();
  });
  await all;
  await setImmediate();
  const growth = memory() - before;
  t.true(growth < 1 << 20, `${growth} bytes more`);
});

/**
 * Bytes in use after a full collection, the heap's and the buffers'. V8 frees buffers in the background; the
 * second collection waits for the first one's.
 */
function memory(): number {
  collectGarbage();
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;
