/** What a user of node:tls's sockets and servers expects of ours. */

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect as connectTcp } from "node:net";
import { type ConnectionOptions, checkServerIdentity, connect as connectNode } from "node:tls";
import test from "ava";
import { credential } from "../../../../certs/fixtures.js";
import { Agent, type ConnectOptions, connect, createContext } from "../../../../hosts/node/index.js";
import { clientError, serveOurs } from "../ours.js";
import { rootOf, serveTls, stapled } from "../servers.js";

const facts = { host: "127.0.0.1", servername: "localhost", ca: rootOf("p256") };
const versions = ["TLSv1.2", "TLSv1.3"] as const;

test("checkServerIdentity: node:tls's own is what is done anyway; another one is asked too", async (t) => {
  const { port } = await serveOurs(t);
  const asked: unknown[] = [];
  const own: NonNullable<ConnectOptions["checkServerIdentity"]> = (hostname, certificate) => {
    asked.push([hostname, certificate.subject.CN, "issuerCertificate" in certificate]);
    return undefined;
  };
  const options: ConnectionOptions = { checkServerIdentity };
  for (const each of [options as object, { checkServerIdentity: own }]) {
    const socket = connect({ ...facts, port, ...each });
    await once(socket, "secureConnect");
    t.true(socket.authorized);
    socket.destroy();
  }
  t.deepEqual(asked, [["localhost", "server1.tlstaple.test", true]]);
  // Node's own is no reason to leave out what the context demands
  const context = createContext({ ca: facts.ca, checkServerIdentity: () => new Error("no") });
  const refused = connect({ ...facts, port, context, ...(options as object) });
  await t.throwsAsync(once(refused, "secureConnect"), { message: "no" });
});

for (const maxVersion of versions)
  test(`${maxVersion}: checkServerIdentity refuses, of a resumed session too, and the server is told`, async (t) => {
    const ours = await serveOurs(t, { maxVersion }, (socket) => socket.write("."));
    const first = connect({ ...facts, port: ours.port });
    const [[session]] = await Promise.all([once(first, "session"), once(first, "data")]);
    first.destroy();
    const failure = Object.assign(new Error("no such friend"), { code: "ERR_TLS_CERT_ALTNAME_INVALID" });
    const answers: [() => unknown, object][] = [
      [() => failure, { message: failure.message, code: failure.code }],
      [() => true, { code: "CALLBACK_FAILED" }],
      [async () => undefined, { code: "CALLBACK_FAILED" }],
      [
        () => {
          throw failure;
        },
        { code: "CALLBACK_FAILED", cause: failure },
      ],
    ];
    for (const session_ of [undefined, session])
      for (const [answer, expected] of answers) {
        const socket = connect({
          ...facts,
          port: ours.port,
          session: session_,
          checkServerIdentity: answer as () => Error | undefined,
        });
        socket.on("secureConnect", () => t.fail("it was let in"));
        const [error] = await once(socket, "error");
        t.like(error, expected);
        t.is(socket.authorizationError, error);
        t.false(socket.authorized);
      }
  });

test("checkServerIdentity: its refusal is an alert for the server", async (t) => {
  const ours = await serveOurs(t);
  const told = clientError(ours);
  const socket = connect({ ...facts, port: ours.port, checkServerIdentity: () => new Error("no") });
  socket.on("error", () => undefined);
  t.like(await told, { code: "PEER_ALERT", alert: { number: 42, name: "bad_certificate" } });
});

test("checkServerIdentity is not asked where nothing is verified", async (t) => {
  const { port } = await serveOurs(t);
  const options = { rejectUnauthorized: false, checkServerIdentity: () => t.fail("asked") as undefined };
  const socket = connect({ ...facts, port, ...options });
  await once(socket, "secureConnect");
  t.false(socket.authorized);
  socket.destroy();
});

test("readyState, pending, connecting, and the events in their order", async (t) => {
  const { port } = await serveOurs(t, {}, (socket) => socket.end("."));
  const socket = connect({ ...facts, port });
  const states = () => [socket.readyState, socket.pending, socket.connecting];
  t.deepEqual(states(), ["opening", true, true]);
  const told: string[] = [];
  for (const event of ["connect", "ready", "secure", "secureConnect", "end", "close"])
    socket.on(event, () => told.push(event));
  await once(socket, "secureConnect");
  t.deepEqual(states(), ["open", false, false]);
  t.is(socket.localFamily, "IPv4");
  t.is(socket.bufferSize, 0);
  socket.resume();
  const closed = once(socket, "close");
  t.deepEqual(await closed, [false]);
  t.deepEqual(states(), ["closed", true, false]);
  t.deepEqual(told, ["connect", "ready", "secure", "secureConnect", "end", "close"]);
});

test("close tells whether there was an error", async (t) => {
  const { port } = await serveOurs(t);
  const refused = connect({ ...facts, port, servername: "elsewhere.example" });
  const told: unknown[] = [];
  refused.on("error", ({ code }) => told.push(code));
  await new Promise<void>((resolve) => refused.on("close", (hadError) => resolve(void told.push(hadError))));
  t.deepEqual(told, ["CERT_NAME_MISMATCH", true]);
});

test("resetAndDestroy resets the connection", async (t) => {
  const ours = await serveOurs(t);
  const socket = connect({ ...facts, port: ours.port });
  const [[peer]] = await Promise.all([once(ours.server, "secureConnection"), once(socket, "secureConnect")]);
  const error = once(peer, "error");
  socket.resetAndDestroy();
  t.is((await error)[0].code, "ECONNRESET");
});

test("connect() tells again by `connect` that the connection stands", async (t) => {
  const { port } = await serveOurs(t);
  const tcp = connectTcp(port, "127.0.0.1");
  await once(tcp, "connect");
  const { ca, servername } = facts;
  const socket = connect({ socket: tcp, ca, servername });
  t.is(socket.connect(5432, "elsewhere"), socket);
  await once(socket, "connect");
  await once(socket, "secureConnect");
  socket.destroy();
});

test("ALPNProtocols as node:tls takes them", async (t) => {
  const wire = Buffer.from("\x08http/1.1\x02h2", "latin1");
  const forms = [
    ["http/1.1", "h2"],
    [Buffer.from("http/1.1"), Buffer.from("h2")],
    wire,
    new DataView(wire.buffer, wire.byteOffset, wire.length),
  ];
  for (const ALPNProtocols of forms as string[][]) {
    const ours = await serveOurs(t, { ALPNProtocols });
    const socket = connect({ ...facts, port: ours.port, ALPNProtocols });
    await once(socket, "secureConnect");
    t.is(socket.alpnProtocol, "http/1.1");
    socket.destroy();
  }
  for (const ALPNProtocols of [wire.subarray(0, -1), Buffer.from([0]), Buffer.from([5, 1])])
    t.throws(() => connect({ port: 1, ALPNProtocols }).destroy(), { code: "ERR_TLSTAPLE_OPTION_VALUE" });
});

for (const maxVersion of versions)
  for (const ticketKeys of [undefined, Buffer.alloc(48, 7)])
    test(`${maxVersion}, keys ${ticketKeys ? "given" : "its own"}: after setSecureContext old tickets are worth nothing`, async (t) => {
      const ours = await serveOurs(t, { maxVersion, ticketKeys }, (socket) => socket.write("."));
      const { certificateFile, keyFile } = credential("p256", "server1");
      const visit = async (session?: Buffer) => {
        const socket = connectNode({ ...facts, port: ours.port, session });
        let latest = session;
        socket.on("session", (fresh: Buffer) => {
          latest = fresh;
        });
        await once(socket, "data");
        const reused = socket.isSessionReused();
        socket.destroy();
        return { reused, session: latest };
      };
      const { session } = await visit();
      t.true((await visit(session)).reused);
      ours.server.setSecureContext({ cert: readFileSync(certificateFile), key: readFileSync(keyFile) });
      const after = await visit(session);
      t.false(after.reused);
      t.true((await visit(after.session)).reused);
    });

test("a session of another release is a full handshake", async (t) => {
  const port = await serveTls(t, await stapled("p256", "server1"), (socket) => socket.write("."));
  const first = connect({ ...facts, port });
  const [session] = (await once(first, "session")) as [Buffer];
  first.destroy();
  const { format, ...fields } = JSON.parse(`${session}`);
  const others = [
    { ...fields, format: format + 1 },
    { ...fields, format: format - 1, demanded: undefined },
    {},
  ];
  const bytes = [
    ...others.map((each) => Buffer.from(JSON.stringify(each))),
    Buffer.from("ticket"),
    Buffer.alloc(0),
  ];
  for (const other of [session, ...bytes]) {
    const socket = connect({ ...facts, port, session: other });
    await once(socket, "secureConnect");
    t.is(socket.isSessionReused(), other === session, `${other}`);
    socket.destroy();
  }
});

test("an agent tells keys apart that have a passphrase of their own", (t) => {
  const agent = new Agent();
  const name = (options: object) => agent.getName({ host: "a.example", ...options });
  const [a, b] = [
    { pem: "a", passphrase: "x" },
    { pem: "b", passphrase: "x" },
  ];
  for (const option of ["key", "pfx"]) {
    t.not(name({ [option]: a }), name({ [option]: b }));
    t.not(name({ [option]: [a] }), name({ [option]: [b] }));
    t.is(name({ [option]: [{ ...a }] }), name({ [option]: [a] }));
  }
});

test("events of node:tls's server that never come are refused", async (t) => {
  const { server } = await serveOurs(t);
  for (const event of ["OCSPRequest", "newSession", "resumeSession"])
    t.throws(() => server.on(event, () => undefined), { code: "ERR_TLSTAPLE_UNSUPPORTED" });
});
