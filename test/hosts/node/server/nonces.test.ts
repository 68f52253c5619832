/** The nonces of clients, end to end: our client, our server that passes them on, and responders of every sort. */

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { OCSPRequest } from "@peculiar/asn1-ocsp";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import test, { type ExecutionContext } from "ava";
import { octets } from "../../../../certs/der.js";
import type { Edition } from "../../../../certs/fixtures.js";
import { describeResponse } from "../../../../hosts/node/common/describe.js";
import {
  type ConnectOptions,
  connect,
  type ServerOptions,
  Stapler,
  type StaplerFailure,
  type StaplerOptions,
} from "../../../../hosts/node/index.js";
import { Gate } from "../../../../hosts/node/ocsp/gate.js";
import { fetchOcsp, type OcspFetch } from "../../../../hosts/node/ocsp/http.js";
import { readSettings } from "../../../../hosts/node/ocsp/settings.js";
import { createResponder, listen as listenOcsp } from "../../../../hosts/node/responder/index.js";
import { type Ca, responderPorts } from "../../../../hosts/node/walkthrough/table.js";
import { opensslResponder } from "../../../peers/peers.js";
import { pem } from "../../../peers/pem.js";
import { withPeer } from "../../../peers/with-peer.js";
import { type Link, makePki, type Pki, respond, send, serialIn, serve, until } from "../ocsp/responders.js";
import { type Ours, serveOurs, stapledContext } from "../ours.js";
import { authorityOptions, nonceExtension } from "../responder/fixtures.js";
import { rootOf, serveTls } from "../servers.js";
import { type OcspOptions, only, visit, type Way, ways } from "./ways.js";

/** The nonce in a request, in hex. */
function nonceIn(request: Uint8Array): string | undefined {
  const { requestExtensions = [] } = AsnConvert.parse(request, OCSPRequest).tbsRequest;
  const nonce = requestExtensions.find(({ extnID }) => extnID === "1.3.6.1.5.5.7.48.1.2");
  return nonce && Buffer.from(AsnConvert.parse(nonce.extnValue.buffer, OctetString).buffer).toString("hex");
}

const nonceOf = (staple: Uint8Array | undefined) => (staple ? describeResponse(staple).nonce : undefined);
const crowd = <T>(n: number, one: () => Promise<T>) => Promise.all(Array.from({ length: n }, one));

interface Forwarding extends Ours {
  readonly stapler: Stapler;
  readonly failures: StaplerFailure[];
}

/** A server of ours that passes nonces on. */
async function serveForwarding(
  t: ExecutionContext,
  staplerOptions: StaplerOptions,
  options: ServerOptions,
): Promise<Forwarding> {
  const stapler = new Stapler(staplerOptions);
  t.teardown(() => stapler.close());
  const failures: StaplerFailure[] = [];
  stapler.on("failure", (failure) => failures.push(failure));
  const served = { staples: undefined, stapler, ocsp: { nonce: "forward" } as const, ...options };
  const ours = await serveOurs(t, served, (socket) => socket.end("."));
  return { ...ours, stapler, failures };
}

const asking = (options: ConnectOptions, nonce: OcspOptions["nonce"]): ConnectOptions => ({
  ...options,
  ocsp: { ...options.ocsp, nonce },
});

// Honest responders

type Ask = (t: ExecutionContext, edition: Edition, seen: (request: Uint8Array) => void) => Promise<OcspFetch>;

/** Our own responder, for both CAs. */
const ours: Ask = async (t, edition, seen) => {
  const authorities = ["root", "intermediate1"].map((name) => authorityOptions(edition, name));
  const http = await listenOcsp(await createResponder({ authorities, validity: 3600 }), { port: 0 });
  t.teardown(() => http.close());
  const url = `http://127.0.0.1:${(http.address() as { port: number }).port}`;
  return (_, request) => {
    seen(request);
    return fetchOcsp(url, request, { get: false });
  };
};

/** `openssl ocsp` answers for one CA. */
const openssls: Ask = async (t, edition, seen) => {
  const ports = new Map<string, number>();
  for (const ca of ["root", "intermediate1"] as Ca[]) {
    const peer = await opensslResponder(edition, ca);
    t.teardown(() => peer.stop());
    ports.set(`${responderPorts[ca]}`, peer.port);
  }
  // It takes one connection at a time
  return (url, request) => {
    seen(request);
    return fetchOcsp(`http://127.0.0.1:${ports.get(new URL(url).port)}`, request, { get: false });
  };
};

async function demanded(t: ExecutionContext, edition: Edition, way: Way, ask: Ask): Promise<void> {
  const { version, ocsp, stapled } = way;
  const asked: (string | undefined)[] = [];
  const fetch = await ask(t, edition, (request) => asked.push(nonceIn(request)));
  const { cert, key } = stapledContext(edition, "server1");
  const served = await serveForwarding(t, { fetch }, { cert, key, ...only(version) });
  const options: ConnectOptions = { ca: rootOf(edition), ocsp };
  const nonces = new Set<string>();
  for (const nonce of [true, "if-present", true] as const) {
    const found = await visit(served.port, asking(options, nonce));
    t.deepEqual(
      found.slice(0, Math.min(stapled, 2)).map(({ status }) => status),
      Array(Math.min(stapled, 2)).fill("good"),
    );
    const { staples } = served.sockets.at(-1)!;
    const [sent] = staples.map(nonceOf);
    t.regex(sent ?? "", /^[0-9a-f]{64}$/);
    t.is(staples.length, stapled);
    for (const staple of staples) t.is(nonceOf(staple), sent, "each has the client's nonce");
    t.is(asked.filter((each) => each === sent).length, stapled, "and the responder was asked with it");
    nonces.add(sent!);
  }
  t.is(nonces.size, 3);
  // Nothing of it is kept for those who send none
  await visit(served.port, options);
  t.deepEqual(served.sockets.at(-1)!.staples.map(nonceOf), Array(stapled).fill(null));
  t.is(asked.filter((each) => each === undefined).length, stapled);
  t.like(served.stapler.counters, { forwarded: 3 * stapled, unforwarded: 0, failures: 0, rejected: 0 });
  t.deepEqual(served.failures, []);
  t.deepEqual(served.errors, []);
}

for (const edition of ["p256", "rsa"] as const)
  for (const [name, way] of Object.entries(ways)) {
    test.serial(`${edition}, ${name}: a demanded nonce comes back from our responder`, (t) =>
      demanded(t, edition, way, ours),
    );
    withPeer("responder")(`${edition}, ${name}: a demanded nonce comes back from openssl ocsp`, (t) =>
      demanded(t, edition, way, openssls),
    );
  }

for (const [name, { version, ocsp, stapled }] of Object.entries(ways))
  test.serial(`${name}: nothing is passed on by default, and a demand is not met`, async (t) => {
    const asked: (string | undefined)[] = [];
    const fetch = await ours(t, "p256", (request) => asked.push(nonceIn(request)));
    const { cert, key } = stapledContext("p256", "server1");
    for (const nonce of [undefined, false] as const) {
      asked.length = 0;
      const served = await serveForwarding(t, { fetch }, { cert, key, ...only(version), ocsp: { nonce } });
      const options: ConnectOptions = { ca: rootOf("p256"), ocsp };
      t.is((await visit(served.port, asking(options, "if-present")))[0].status, "good");
      await t.throwsAsync(visit(served.port, asking(options, true)), { code: "OCSP_NONCE" });
      t.deepEqual(asked, Array(stapled).fill(undefined));
    }
  });

test.serial("who resumes is asked about by nobody; who demands a nonce does not resume", async (t) => {
  const fetch = await ours(t, "p256", () => undefined);
  const { cert, key } = stapledContext("p256", "server1");
  for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
    const served = await serveForwarding(t, { fetch }, { cert, key, ...only(version) });
    const resume = async (nonce: OcspOptions["nonce"], session?: Buffer) => {
      const ocsp = { stapling: "v1", nonce } as const;
      const options = { host: "127.0.0.1", port: served.port, servername: "localhost", ca: rootOf("p256") };
      const socket = connect({ ...options, ocsp, session });
      let made: Buffer | undefined;
      socket.on("session", (each) => {
        made = each;
      });
      for await (const _ of socket);
      return { made: made!, resumed: socket.isSessionReused() };
    };
    const { made } = await resume(true);
    const { forwarded } = served.stapler.counters;
    t.true((await resume("if-present", made)).resumed);
    t.is(served.stapler.counters.forwarded, forwarded);
    t.false((await resume(true, made)).resumed);
    t.true(served.stapler.counters.forwarded > forwarded);
  }
});

// Responders that lie, when a nonce is in the question

type Lie = (pki: Pki, link: Link, nonce: Buffer) => Buffer | "HTTP 500" | "nothing";

const having = (nonce: Buffer) => ({ extensions: [nonceExtension(octets(nonce))] });
const bend = (signature: Buffer) => {
  const bent = Buffer.from(signature);
  bent[bent.length - 1] ^= 1;
  return bent;
};
const now = () => Math.floor(Date.now() / 1000);

const lies: Readonly<Record<string, Lie>> = {
  "another nonce": (_, link) => respond(link, having(randomBytes(32))),
  "no nonce": (_, link) => respond(link),
  "a part of the nonce": (_, link, nonce) => respond(link, having(nonce.subarray(0, 31))),
  "a bent signature": (_, link, nonce) => respond(link, { ...having(nonce), bendSignature: bend }),
  "someone else's signature": ({ delegate }, link, nonce) =>
    respond(link, { ...having(nonce), signer: delegate }),
  "another certificate's response": ({ leaf, ca }, link, nonce) =>
    respond(link === leaf ? ca : leaf, having(nonce)),
  "a stale response": (_, link, nonce) =>
    respond(link, { ...having(nonce), thisUpdate: now() - 7200, nextUpdate: now() - 100 }),
  "a response that has just ended": (_, link, nonce) =>
    respond(link, { ...having(nonce), thisUpdate: now() - 7200, nextUpdate: now() - 10 }),
  unknown: (_, link, nonce) => respond(link, { ...having(nonce), status: "unknown" }),
  "an error": () => Buffer.from("30030a0106", "hex"),
  garbage: () => Buffer.from("<html>"),
  "HTTP 500": () => "HTTP 500",
  silence: () => "nothing",
};

/** A responder that answers those honestly who send no nonce. */
async function lying(t: ExecutionContext, lie: Lie) {
  const responder = await serve(t, (response, request) => {
    const serial = serialIn(request);
    const link = [pki.leaf, pki.ca, pki.root].find((each) => each.serial.equals(serial))!;
    const nonce = nonceIn(request);
    const answer = nonce === undefined ? respond(link) : lie(pki, link, Buffer.from(nonce, "hex"));
    if (answer === "HTTP 500") response.writeHead(500).end();
    else if (answer !== "nothing") send(response, answer);
  });
  const pki = makePki({ urls: [responder.url], rootUrls: [responder.url] });
  const withNonce = () => responder.requests.filter(({ der }) => nonceIn(der) !== undefined).length;
  return { responder, pki, withNonce };
}

for (const [name, lie] of Object.entries(lies))
  for (const [way, { version, ocsp, stapled }] of Object.entries(ways))
    test.serial(`${way}: ${name} is not stapled, but what is kept`, async (t) => {
      const { pki, responder, withNonce } = await lying(t, lie);
      const identity = { cert: pki.chain, key: pki.leaf.key.pem };
      const served = await serveForwarding(t, { nonceWait: 300 }, { ...identity, ...only(version) });
      const options: ConnectOptions = { ca: pki.root.der, ocsp };
      await visit(served.port, options);
      const { staples: kept } = served.sockets[0];
      t.is(kept.filter(Boolean).length, stapled);
      t.is((await visit(served.port, asking(options, "if-present")))[0].status, "good");
      t.deepEqual(served.sockets[1].staples, kept);
      t.is(withNonce(), stapled);
      for (const { method, der } of responder.requests)
        t.is(method, nonceIn(der) === undefined ? "GET" : "POST", "no cache knows the nonce");
      t.is(served.failures.length, stapled);
      await t.throwsAsync(visit(served.port, asking(options, true)), { code: "OCSP_NONCE" });
      await visit(served.port, options);
      t.deepEqual(served.sockets.at(-1)!.staples, kept);
    });

test.serial("a revocation that only the fresh answer tells of arrives", async (t) => {
  const { pki } = await lying(t, (_, link, nonce) => respond(link, { ...having(nonce), status: "revoked" }));
  const served = await serveForwarding(t, {}, { cert: pki.chain, key: pki.leaf.key.pem });
  const options: ConnectOptions = { ca: pki.root.der, ocsp: { policy: "leaf" } };
  t.is((await visit(served.port, options))[0].status, "good");
  for (const nonce of ["if-present", true] as const)
    await t.throwsAsync(visit(served.port, asking(options, nonce)), { code: "OCSP_CERT_REVOKED" });
});

for (const version of ["TLSv1.2", "TLSv1.3"] as const)
  test.serial(`${version}: a client takes no other nonce than its own`, async (t) => {
    const pki = makePki();
    const cert = Buffer.from([pki.leaf, pki.ca].map(({ der }) => pem(der)).join(""));
    const staple = respond(pki.leaf, having(randomBytes(32)));
    const identity = { cert, key: Buffer.from(pki.leaf.key.pem), staple };
    const port = await serveTls(t, identity, (socket) => socket.end("."));
    const options: ConnectOptions = { ca: pki.root.der, ...only(version), ocsp: { policy: "leaf" } };
    t.is((await visit(port, options))[0].status, "good");
    for (const nonce of ["if-present", true] as const)
      await t.throwsAsync(visit(port, asking(options, nonce)), { code: "OCSP_NONCE" });
  });

// Limits

test.serial("beyond `noncesAtOnce` what is kept is stapled, without asking anyone", async (t) => {
  const { pki, withNonce } = await lying(t, () => "nothing");
  const served = await serveForwarding(
    t,
    { noncesAtOnce: 3, nonceWait: 3000 },
    { cert: pki.chain, key: pki.leaf.key.pem, ...only("TLSv1.2") },
  );
  const options: ConnectOptions = { ca: pki.root.der, ocsp: { policy: "leaf" } };
  await visit(served.port, options);
  let done = 0;
  const visits = crowd(60, async () => {
    const [{ status }] = await visit(served.port, asking(options, "if-present"));
    done++;
    return status;
  });
  await until(() => done === 57, "those beyond the limit");
  t.is(withNonce(), 3);
  t.deepEqual(new Set(await visits), new Set(["good"]), "and those who waited in vain");
  t.is(withNonce(), 3);
  t.like(served.stapler.counters, { forwarded: 3, unforwarded: 57 });
  // Their places are free again
  await visit(served.port, asking(options, "if-present"));
  t.is(withNonce(), 4);
});

test.serial("a chain is asked about as a whole or not at all", async (t) => {
  const { pki, withNonce } = await lying(t, (_, link, nonce) => respond(link, having(nonce)));
  const identity = { cert: pki.chain, key: pki.leaf.key.pem, ...only("TLSv1.3") };
  const options: ConnectOptions = { ca: pki.root.der, ocsp: { policy: "chain", nonce: true } };
  const narrow = await serveForwarding(t, { noncesAtOnce: 2 }, identity);
  await t.throwsAsync(visit(narrow.port, options), { code: "OCSP_NONCE" });
  t.is(withNonce(), 0);
  const wide = await serveForwarding(t, { noncesAtOnce: 3 }, identity);
  t.is((await visit(wide.port, options))[0].status, "good");
  t.is(withNonce(), 3);
});

test.serial("no more than `noncesPerSecond` requests begin within a second", async (t) => {
  const { pki, withNonce } = await lying(t, (_, link, nonce) => respond(link, having(nonce)));
  const served = await serveForwarding(
    t,
    { noncesPerSecond: 5, noncesAtOnce: 1000 },
    { cert: pki.chain, key: pki.leaf.key.pem, ...only("TLSv1.2") },
  );
  const options: ConnectOptions = { ca: pki.root.der, ocsp: { policy: "leaf" } };
  await visit(served.port, options);
  const start = performance.now();
  for (const [{ status }] of await crowd(60, () => visit(served.port, asking(options, "if-present"))))
    t.is(status, "good");
  const seconds = Math.ceil((performance.now() - start) / 1000);
  t.true(withNonce() >= 5 && withNonce() <= 5 * seconds, `${withNonce()} in ${seconds} s`);
  t.is(served.stapler.counters.unforwarded, 60 - withNonce());
});

test("the limits by default", async (t) => {
  const { noncesAtOnce, noncesPerSecond, nonceWait } = readSettings({});
  t.deepEqual([noncesAtOnce, noncesPerSecond, nonceWait], [20, 50, 2000]);
  const { pki } = await lying(t, () => "nothing");
  let count = 0;
  const fetch = async (_: string, request: Uint8Array): Promise<Buffer> => {
    if (nonceIn(request) !== undefined) count++;
    throw new Error("down");
  };
  const stapler = new Stapler({ fetch });
  t.teardown(() => stapler.close());
  await crowd(30, () => stapler.fresh(pki.chain, 1, randomBytes(32)));
  t.is(count, 20);
});

test("a gate counts those inside, and those of the last second", (t) => {
  let time = 0;
  const gate = new Gate(4, 6, () => time);
  t.true(gate.enter(3));
  t.false(gate.enter(2), "all or none");
  t.true(gate.enter(1));
  t.false(gate.enter(1));
  for (let i = 0; i < 4; i++) gate.leave();
  time = 999;
  t.false(gate.enter(3), "four of six came in this second");
  t.true(gate.enter(2));
  t.false(gate.enter(1));
  time = 1000;
  t.false(gate.enter(3), "two are inside");
  t.true(gate.enter(2));
  gate.leave();
  gate.leave();
  t.true(gate.enter(2));
  t.false(gate.enter(1));
  time = 1998;
  for (let i = 0; i < 4; i++) gate.leave();
  t.false(gate.enter(1));
  time = 1999;
  t.true(gate.enter(2));
  t.false(gate.enter(1));
});

for (const [name, { version, ocsp }] of Object.entries(ways))
  test.serial(`${name}: no handshake waits longer than \`nonceWait\``, async (t) => {
    const { pki } = await lying(t, () => "nothing");
    const identity = { cert: pki.chain, key: pki.leaf.key.pem };
    const served = await serveForwarding(t, { nonceWait: 300 }, { ...identity, ...only(version) });
    const options: ConnectOptions = { ca: pki.root.der, ocsp };
    await visit(served.port, options);
    const start = performance.now();
    t.is((await visit(served.port, asking(options, "if-present")))[0].status, "good");
    const took = performance.now() - start;
    t.true(took >= 290 && took < 1500, `${took} ms`);
  });

test.serial("a Stapler that is closed asks nobody, and ends what it asks", async (t) => {
  const { pki, responder, withNonce } = await lying(t, () => "nothing");
  const stapler = new Stapler({ nonceWait: 60_000 });
  const failures: StaplerFailure[] = [];
  stapler.on("failure", (failure) => failures.push(failure));
  await stapler.staples(pki.chain, 1);
  const pending = stapler.fresh(pki.chain, 1, randomBytes(32));
  await until(() => withNonce() === 1, "the request");
  stapler.close();
  await pending;
  t.deepEqual((await stapler.fresh(pki.chain, 1, randomBytes(32))).staples, [undefined]);
  t.is(withNonce(), 1);
  t.deepEqual(failures, []);
  while ((await responder.connections()) > 0) await sleep(5);
});

test("fresh staples end when the first of all ends", async (t) => {
  const { pki } = await lying(t, (_, link, nonce) =>
    respond(link, { ...having(nonce), nextUpdate: now() + (link === pki.leaf ? 600 : 7200) }),
  );
  const stapler = new Stapler();
  t.teardown(() => stapler.close());
  const { staples, until: end } = await stapler.fresh(pki.chain, 3, Buffer.alloc(1, 7));
  t.deepEqual(staples.map(nonceOf), Array(3).fill("07"));
  t.true(end! > now() + 500 && end! <= now() + 600);
});

// Options

test("where nobody can ask, the option is refused", async (t) => {
  const { cert, key } = stapledContext("p256", "server1");
  const refused = (options: object) => ({ ...options, cert, key, ocsp: { nonce: "forward" } as const });
  const silent = { ready: () => undefined, staples: async () => ({ staples: [], until: undefined }) };
  for (const stapler of ["off" as const, silent])
    await t.throwsAsync(async () => serveOurs(t, refused({ stapler })), {
      code: "ERR_TLSTAPLE_OPTION_VALUE",
      message: /ocsp\.nonce/,
    });
  for (const nonce of [true, "if-present", "Forward", ""])
    await t.throwsAsync(async () => serveOurs(t, { cert, key, ocsp: { nonce: nonce as "forward" } }), {
      instanceOf: RangeError,
      message: /ocsp\.nonce: .* is none of false, forward/,
    });
});

test.serial("staples that are given are sent as they are", async (t) => {
  const served = await serveForwarding(t, {}, stapledContext("p256", "server1"));
  const socket = connect({
    host: "127.0.0.1",
    port: served.port,
    servername: "localhost",
    ca: rootOf("p256"),
    ocsp: { nonce: "if-present" },
  });
  await once(socket, "secureConnect");
  socket.destroy();
  t.is(served.stapler.counters.forwarded, 0);
});
