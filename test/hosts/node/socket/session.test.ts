import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { get } from "node:https";
import type { Duplex } from "node:stream";
import test, { type ExecutionContext } from "ava";
import fc from "fast-check";
import { credential, type Edition } from "../../../../certs/fixtures.js";
import { Agent, type ConnectOptions, connect, type TLSSocket } from "../../../../hosts/node/index.js";
import { decodeSession, encodeSession } from "../../../../hosts/node/socket/session.js";
import { version } from "../../../../src/client/index.js";
import { gnutlsServer, nginxServer, opensslServer, wolfsslServer } from "../../../peers/peers.js";
import { withPeer } from "../../../peers/with-peer.js";
import { rootOf, serveTls, stapled } from "../servers.js";

/** Sessions as Node knows them: the event, the option, `isSessionReused`. */

interface Visit {
  socket: TLSSocket;
  session: Buffer | undefined;
}

/** Connects, reads to the end, and leaves; the last session that came. */
async function visit(port: number, edition: Edition, options: ConnectOptions = {}): Promise<Visit> {
  let session: Buffer | undefined;
  const servername = "server1.tlstaple.test";
  const socket = connect({ host: "127.0.0.1", port, servername, ca: rootOf(edition), ...options });
  socket.on("session", (bytes: Buffer) => {
    session = bytes;
  });
  socket.resume();
  await once(socket, "close");
  return { socket, session };
}

async function resumes(t: ExecutionContext, port: number, edition: Edition, options: ConnectOptions = {}) {
  const first = await visit(port, edition, options);
  t.false(first.socket.isSessionReused());
  t.true(Buffer.isBuffer(first.session));
  const second = await visit(port, edition, { ...options, session: first.session });
  t.true(second.socket.isSessionReused());
  t.true(second.socket.authorized);
  return { first, second };
}

/** What a resumed connection tells of the staples of its session's beginning. */
const ofBeginning = ({ ocsp }: TLSSocket) => ocsp.map((verdict) => ({ ...verdict, resumed: true }));

for (const edition of ["p256", "rsa"] as const)
  for (const tls of ["TLSv1.2", "TLSv1.3"] as const)
    test(`${edition}, ${tls}: node:tls resumes, and the server's certificates are known still`, async (t) => {
      const versions = { minVersion: tls, maxVersion: tls };
      const port = await serveTls(
        t,
        await stapled(edition, "server1"),
        (socket) => socket.end("hi"),
        versions,
      );
      const { first, second } = await resumes(t, port, edition, { ocsp: { policy: "leaf" } });
      t.is(first.socket.ocsp[0].status, "good");
      t.true(first.socket.ocsp[0].nextUpdate! > new Date());
      t.deepEqual(second.socket.ocsp, ofBeginning(first.socket));
      const session = second.socket.getSession();
      const third = await visit(port, edition, { ...versions, session, ocsp: { policy: "leaf" } });
      t.true(third.socket.isSessionReused());
      t.deepEqual(third.socket.ocsp, ofBeginning(first.socket), "of the very beginning");
      t.deepEqual(
        second.socket.getPeerChain().map(({ raw }) => raw),
        first.socket.getPeerChain().map(({ raw }) => raw),
      );
      t.is(second.socket.getPeerCertificate()?.subject.CN, "server1.tlstaple.test");
      t.true(Buffer.isBuffer(second.socket.getSession()));
    });

for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const)
  test(`${maxVersion}: an Agent's next connection, and the next request on it, have the verdicts`, async (t) => {
    const identity = await stapled("p256", "server1");
    const answer = (socket: Duplex) => {
      const text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
      socket.on("data", () => socket.write(text));
    };
    const port = await serveTls(t, identity, answer, { maxVersion });
    const agent = new Agent({ ca: rootOf("p256"), ocsp: { policy: "leaf" }, keepAlive: true, maxSockets: 1 });
    t.teardown(() => agent.destroy());
    const ask = async () => {
      const request = get({ host: "127.0.0.1", port, servername: "server1.tlstaple.test", agent });
      const [response] = (await once(request, "response")) as [IncomingMessage];
      const socket = response.socket as Duplex as TLSSocket;
      response.resume();
      await once(response, "close");
      return { reused: request.reusedSocket, socket };
    };
    const first = await ask();
    t.is(first.socket.ocsp[0].status, "good");
    t.is(first.socket.ocsp[0].resumed, undefined);
    first.socket.destroy();
    await once(first.socket, "close");
    const second = await ask();
    t.deepEqual([second.reused, second.socket.isSessionReused()], [false, true]);
    t.deepEqual(second.socket.ocsp, ofBeginning(first.socket));
    const third = await ask();
    t.true(third.reused);
    t.is(third.socket, second.socket);
    t.deepEqual(third.socket.ocsp, ofBeginning(first.socket));
  });

test("a session ends with its staple", async (t) => {
  const identity = await stapled("p256", "server1");
  const port = await serveTls(t, identity, (socket) => socket.end("hi"));
  const { session, socket } = await visit(port, "p256");
  const { until } = decodeSession(session)!.session;
  t.true(until <= socket.ocsp[0].nextUpdate!.getTime() / 1000);
  // OpenSSL's ticket lives for two hours, the staple for a day
  t.true(until > Date.now() / 1000);
});

test("a session is not resumed where more is demanded of staples than when it began", async (t) => {
  const port = await serveTls(t, await stapled("p256", "server1"), (socket) => socket.end("hi"));
  const responders = readFileSync(credential("p256", "ocsp-root").certificateFile);
  for (const ocsp of [{ allowMissingNextUpdate: true }, { responders }, { skew: 1000 }]) {
    const { session } = await visit(port, "p256", { ocsp });
    t.false((await visit(port, "p256", { session })).socket.isSessionReused());
    t.true((await visit(port, "p256", { session, ocsp })).socket.isSessionReused());
  }
});

const peers = { openssl: opensslServer, gnutls: gnutlsServer, nginx: nginxServer, wolfssl: wolfsslServer };

for (const [title, start] of Object.entries(peers))
  for (const protocol of [version.tls12, version.tls13]) {
    const tls = protocol === version.tls13 ? "TLSv1.3" : "TLSv1.2";
    withPeer(title as keyof typeof peers)(`${title}, ${tls} resumes`, async (t) => {
      const peer = await start({ identity: credential("p256", "server1"), version: protocol });
      t.teardown(() => peer.stop());
      const linger = (socket: TLSSocket) => {
        socket.write("GET / HTTP/1.0\r\n\r\n");
        setTimeout(() => socket.destroy(), 300);
      };
      const meet = async (session?: Buffer) => {
        let latest: Buffer | undefined;
        const socket = connect({
          host: "127.0.0.1",
          port: peer.port,
          servername: "server1.tlstaple.test",
          ca: rootOf("p256"),
          session,
        });
        socket.on("session", (bytes: Buffer) => {
          latest = bytes;
        });
        socket.on("secureConnect", () => linger(socket));
        socket.resume();
        await once(socket, "close");
        return { reused: socket.isSessionReused(), latest };
      };
      const first = await meet();
      t.false(first.reused);
      t.true(Buffer.isBuffer(first.latest), peer.log());
      t.true((await meet(first.latest)).reused, peer.log());
    });
  }

test("a session is what it was once it is read back; nothing else is a session", async (t) => {
  const port = await serveTls(t, await stapled("p256", "server1"), (socket) => socket.end("hi"));
  const { session } = await visit(port, "p256");
  const saved = decodeSession(session);
  t.deepEqual(encodeSession(saved!), session);
  fc.assert(
    fc.property(fc.nat(session!.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const altered = Buffer.from(session!);
      altered[at] ^= change;
      const other = decodeSession(altered)?.session;
      return !other || (typeof other.until === "number" && typeof other.policy === "string");
    }),
  );
  const whole = JSON.parse(session!.toString());
  const { demanded, verdicts } = whole;
  t.not(decodeSession(Buffer.from(JSON.stringify(whole))), undefined);
  const others = [
    // Formats 1 and 2 told neither what was demanded of the staples nor what was found out
    ...[1, 2, 4].map((format) => ({ format })),
    { demanded: undefined },
    { demanded: {} },
    { demanded: { ...demanded, stapling: "v3" } },
    { demanded: { ...demanded, skew: "900" } },
    { demanded: { ...demanded, allowMissingNextUpdate: undefined } },
    { demanded: { ...demanded, responders: "AAAA" } },
    { verdicts: undefined },
    { verdicts: [null] },
    { verdicts: [{ ...verdicts[0], status: "excellent" }] },
    { verdicts: [{ ...verdicts[0], thisUpdate: "never" }] },
  ];
  for (const other of others.map((each) => ({ ...whole, ...each })))
    t.is(decodeSession(Buffer.from(JSON.stringify(other))), undefined);
  fc.assert(
    fc.property(fc.json(), (text) => {
      t.is(decodeSession(Buffer.from(text)), undefined);
    }),
  );
});
