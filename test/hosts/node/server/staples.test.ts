/** Server, Stapler and responder of ours together, over real sockets: many handshakes, and responders that fail or lie. */

import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type ConnectionOptions, connect as connectNode } from "node:tls";
import test, { type ExecutionContext } from "ava";
import { credential, type Edition } from "../../../../certs/fixtures.js";
import {
  type ConnectOptions,
  type OcspVerdict,
  type ServerOptions,
  Stapler,
  type StaplerOptions,
} from "../../../../hosts/node/index.js";
import { createResponder, listen as listenOcsp } from "../../../../hosts/node/responder/index.js";
import { runClient } from "../../../interop/clients.js";
import { pem } from "../../../peers/pem.js";
import { withPeer } from "../../../peers/with-peer.js";
import {
  handClock,
  type Link,
  makePki,
  type Pki,
  respond,
  send,
  serialIn,
  serve,
  until,
} from "../ocsp/responders.js";
import { type Ours, serveOurs, stapledContext } from "../ours.js";
import { authorityOptions } from "../responder/fixtures.js";
import { rootOf } from "../servers.js";
import { only, visit, ways } from "./ways.js";

// A responder of ours

interface OurResponder {
  readonly url: string;
  /** How often each serial number was asked for. */
  readonly asked: Record<string, number>;
  stop(): Promise<void>;
  /** On the same port. */
  restart(): Promise<void>;
}

/** Answers for the root and intermediate 1 until the test ends. */
async function ourResponder(
  t: ExecutionContext,
  edition: Edition,
  clock?: () => number,
): Promise<OurResponder> {
  const authorities = ["root", "intermediate1"].map((name) => authorityOptions(edition, name));
  const responder = await createResponder({ authorities, validity: 3600, clock });
  const asked: Record<string, number> = {};
  const open = (port: number) =>
    listenOcsp(responder, {
      port,
      onExchange: ({ reply }) => {
        for (const { serial } of reply!.answers) asked[serial] = (asked[serial] ?? 0) + 1;
      },
    });
  let http: HttpServer = await open(0);
  const { port } = http.address() as AddressInfo;
  const stop = async () => {
    http.closeAllConnections();
    await once(http.close(), "close");
  };
  const restart = async () => {
    http = await open(port);
  };
  t.teardown(() => http.close());
  return { url: `http://127.0.0.1:${port}`, asked, stop, restart };
}

/** A server of ours that staples what the Stapler fetches. */
async function serveStapling(
  t: ExecutionContext,
  staplerOptions: StaplerOptions,
  options: ServerOptions,
): Promise<Ours & { readonly stapler: Stapler }> {
  const stapler = new Stapler(staplerOptions);
  t.teardown(() => stapler.close());
  const ours = await serveOurs(t, { staples: undefined, stapler, ...options }, (socket) => socket.end("."));
  return { ...ours, stapler };
}

/** One of node:tls; the response that was stapled, or null. */
async function visitNode(port: number, options: ConnectionOptions): Promise<Buffer | null> {
  const asks = { requestOCSP: true };
  const socket = connectNode({ host: "127.0.0.1", port, servername: "localhost", ...asks, ...options });
  const [staple] = await once(socket, "OCSPResponse");
  for await (const _ of socket);
  return staple;
}

const missing = { code: "OCSP_STAPLE_MISSING" };

/** The same client, content without a staple. */
function lenient(options: ConnectOptions): ConnectOptions {
  return { ...options, ocsp: { ...options.ocsp, policy: "if-present" } };
}

const crowd = <T>(n: number, one: () => Promise<T>) => Promise.all(Array.from({ length: n }, one));

/** What is asked of the responder when the first `n` certificates of server1's chain are, each once. */
function onceEach(edition: Edition, n: number): Record<string, number> {
  const { chain } = credential(edition, "server1");
  return Object.fromEntries(chain.slice(0, n).map((der) => [new X509Certificate(der).serialNumber, 1]));
}

// Many at once

for (const edition of ["p256", "rsa"] as const)
  for (const [name, { version, ocsp, stapled }] of Object.entries(ways))
    test.serial(
      `${edition}, ${name}: 200 handshakes at once, one request for each certificate`,
      async (t) => {
        const responder = await ourResponder(t, edition);
        const { cert, key } = stapledContext(edition, "server1");
        const ours = await serveStapling(t, { overrideUrl: responder.url }, { cert, key, ...only(version) });
        const options = { ca: rootOf(edition), ocsp };
        const good = (found: OcspVerdict[]) => found.filter(({ status }) => status === "good").length;
        for (const found of await crowd(200, () => visit(ours.port, options))) t.is(good(found), stapled);
        t.deepEqual(responder.asked, onceEach(edition, stapled));
        t.is(good(await visit(ours.port, options)), stapled);
        await crowd(50, () => visit(ours.port, options));
        t.deepEqual(responder.asked, onceEach(edition, stapled), "the next ones cause none");
        t.like(ours.stapler.counters, { requests: stapled, failures: 0, rejected: 0, none: 0 });
        t.deepEqual(ours.errors, []);
        for (const { staples } of ours.sockets) t.is(staples.filter(Boolean).length, stapled);
      },
    );

for (const version of ["TLSv1.2", "TLSv1.3"] as const)
  test.serial(`${version}: 200 clients of node:tls at once, one request for each certificate`, async (t) => {
    const responder = await ourResponder(t, "p256");
    const { cert, key } = stapledContext("p256", "server1");
    const ours = await serveStapling(t, { overrideUrl: responder.url }, { cert, key, ...only(version) });
    const staples = await crowd(200, () => visitNode(ours.port, { ca: rootOf("p256") }));
    t.true(staples.every((staple) => staple?.equals(staples[0]!)));
    t.deepEqual(responder.asked, onceEach("p256", version === "TLSv1.3" ? 3 : 1));
    t.deepEqual(ours.errors, []);
  });

withPeer("openssl")("openssl s_client, several at once: one request for each certificate", async (t) => {
  const responder = await ourResponder(t, "rsa");
  const { cert, key } = stapledContext("rsa", "server1");
  const ours = await serveStapling(t, { overrideUrl: responder.url }, { cert, key });
  const trust = ["-CAfile", credential("rsa", "root").certificateFile, "-verify_return_error"];
  const args = ["s_client", "-connect", `127.0.0.1:${ours.port}`, "-status", ...trust];
  for (const { code, output } of await crowd(6, () => runClient("openssl", args))) {
    t.is(code, 0, output);
    t.regex(output, /OCSP Response Status: successful[\s\S]*Cert Status: good/);
  }
  t.deepEqual(responder.asked, onceEach("rsa", 3));
});

// The responder is away

for (const [name, { version, ocsp }] of Object.entries(ways))
  test.serial(
    `${name}: no handshake fails while the responder is away, no staple is sent stale`,
    async (t) => {
      const clock = handClock();
      const responder = await ourResponder(t, "p256", clock);
      const { cert, key } = stapledContext("p256", "server1");
      const ours = await serveStapling(
        t,
        { overrideUrl: responder.url, clock, random: () => 0 },
        { cert, key, clock, ...only(version) },
      );
      const options: ConnectOptions = { ca: rootOf("p256"), clock, ocsp: { ...ocsp, skew: 0 } };
      const visits = () => crowd(4, () => visit(ours.port, options));
      /** Handshakes for so many minutes, which all must be good, and fresh by the clock. */
      const visitFor = async (minutes: number): Promise<Set<number>> => {
        const ages = new Set<number>();
        for (let minute = 0; minute < minutes; minute++, clock.now += 60)
          for (const [{ status, thisUpdate = 0, nextUpdate = 0 }] of await visits()) {
            t.is(status, "good");
            t.true(+thisUpdate / 1000 <= clock.now && clock.now < +nextUpdate / 1000);
            ages.add(+thisUpdate / 1000);
          }
        return ages;
      };
      const start = clock.now;
      t.deepEqual([...(await visitFor(25))], [start]);

      // For the time of the refresh, which is due after half an hour
      await responder.stop();
      t.deepEqual([...(await visitFor(20))], [start]);
      t.true(ours.stapler.counters.failures > 0 && ours.stapler.counters.refreshes > 0);
      await responder.restart();
      const renewed = await visitFor(12);
      t.is(renewed.size, 2, "the old one, then the new one");
      const latest = Math.max(...renewed);

      // For good: to the end of the staple, and on
      await responder.stop();
      const left = Math.floor((latest + 3540 - clock.now) / 60);
      t.true((await visitFor(left)).has(latest));
      clock.now = latest + 3541;
      for (let minute = 0; minute < 10; minute++, clock.now += 60) {
        await t.throwsAsync(visit(ours.port, options), missing);
        t.is((await visit(ours.port, lenient(options)))[0].status, "none");
      }

      await responder.restart();
      const returned = async () => {
        clock.now += 100;
        return visit(ours.port, options).then(
          ([{ status }]) => status === "good",
          () => false,
        );
      };
      let tries = 0;
      while (!(await returned())) if (++tries > 50) return t.fail("no staple any more");
      await visitFor(3);
    },
  );

// Responders that lie

/** What a responder says instead of the truth about a certificate. */
type Lie = (pki: Pki, link: Link, now: number) => Buffer | undefined;

const lies: Readonly<Record<string, Lie>> = {
  "a bent signature": (_, link, now) => respond(link, { thisUpdate: now, bendSignature: bent }),
  "someone else's signature": ({ delegate }, link, now) =>
    respond(link, { thisUpdate: now, signer: delegate }),
  "another certificate's response": ({ leaf, ca }, link, now) =>
    respond(link === leaf ? ca : leaf, { thisUpdate: now }),
  "a stale response": (_, link, now) => respond(link, { thisUpdate: now - 7200, nextUpdate: now - 10 }),
  "a response from the future": (_, link, now) => respond(link, { thisUpdate: now + 3600 }),
  "a response without end": (_, link, now) => respond(link, { thisUpdate: now, nextUpdate: null }),
  unknown: (_, link, now) => respond(link, { thisUpdate: now, status: "unknown" }),
  "an error": () => Buffer.from("30030a0101", "hex"),
  garbage: () => Buffer.from("<html>"),
  "HTTP 500": () => undefined,
};

function bent(signature: Buffer): Buffer {
  const other = Buffer.from(signature);
  other[other.length - 1] ^= 1;
  return other;
}

for (const [name, lie] of Object.entries(lies))
  for (const [way, { version, ocsp }] of Object.entries(ways))
    test.serial(`${way}: ${name} is never stapled`, async (t) => {
      const clock = handClock();
      let honestly = false;
      const responder = await serve(t, (response, request) => {
        const serial = serialIn(request);
        const link = [pki.leaf, pki.ca, pki.root].find((each) => each.serial.equals(serial))!;
        const der = honestly ? respond(link, { thisUpdate: clock.now }) : lie(pki, link, clock.now);
        if (der) send(response, der);
        else response.writeHead(500).end();
      });
      const pki = makePki({ urls: [responder.url], rootUrls: [responder.url] });
      const ca = pem(pki.root.der);
      const identity = { cert: pki.chain, key: pki.leaf.key.pem };
      const ours = await serveStapling(
        t,
        { clock, random: () => 0 },
        { clock, ...identity, ...only(version) },
      );
      const options: ConnectOptions = { ca, clock, ocsp: { ...ocsp, skew: 0 } };
      const { counters } = ours.stapler;
      for (const { status } of await visit(ours.port, lenient(options))) t.is(status, "none");
      t.is(await visitNode(ours.port, { ca }), null);
      await t.throwsAsync(visit(ours.port, options), missing);
      for (const { staples } of ours.sockets) t.deepEqual(staples.filter(Boolean), []);
      t.true(counters.failures > 0);

      // A responder that is honest again is believed, and no longer when it lies at the refresh
      honestly = true;
      clock.now += 10;
      const begun = clock.now;
      await until(() => ours.stapler.ready(pki.chain, 3)?.staples.every(Boolean) === true, "the staples");
      const { failures } = counters;
      const told = async () => (await visit(ours.port, options))[0].thisUpdate!.getTime() / 1000;
      t.is(await told(), begun);
      honestly = false;
      clock.now = begun + 1800;
      t.is(await told(), begun);
      await until(() => counters.failures > failures, "the refresh");
      clock.now = begun + 3539;
      t.is(await told(), begun);
      clock.now = begun + 3540;
      await t.throwsAsync(visit(ours.port, options), missing);
    });

for (const [way, { version, ocsp }] of Object.entries(ways))
  test.serial(`${way}: a responder that is slow holds no handshake for longer than \`wait\``, async (t) => {
    const held: (() => void)[] = [];
    const responder = await serve(t, (response, request) => {
      const serial = serialIn(request);
      const link = [pki.leaf, pki.ca, pki.root].find((each) => each.serial.equals(serial))!;
      held.push(() => send(response, respond(link)));
    });
    const pki = makePki({ urls: [responder.url], rootUrls: [responder.url] });
    const identity = { cert: pki.chain, key: pki.leaf.key.pem };
    const ours = await serveStapling(t, { wait: 300, timeout: 30_000 }, { ...identity, ...only(version) });
    const options: ConnectOptions = { ca: pki.root.der, ocsp };
    const count = version === "TLSv1.3" || ocsp.stapling === "v2-multi" ? 3 : 1;
    for (let round = 0; round < 2; round++) {
      const start = performance.now();
      const all = await crowd(20, () => visit(ours.port, lenient(options)));
      const took = performance.now() - start;
      t.true(all.every(([{ status }]) => status === "none"));
      t.true(took >= 290 && took < 1500, `${took} ms`);
    }
    t.is(held.length, count, "nor is anybody asked twice meanwhile");
    for (const release of held) release();
    await until(() => ours.stapler.ready(pki.chain, count) !== undefined, "the staples");
    t.is((await visit(ours.port, options))[0].status, "good");
    t.deepEqual(ours.errors, []);
  });
