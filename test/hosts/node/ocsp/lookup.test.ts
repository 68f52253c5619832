import { OCSPRequest } from "@peculiar/asn1-ocsp";
import { AsnConvert } from "@peculiar/asn1-schema";
import test from "ava";
import { extension } from "../../../../certs/extensions.js";
import { credential, ocspCases } from "../../../../certs/fixtures.js";
import {
  checkChain,
  LookupCache,
  type LookupOptions,
  type LookupReport,
  lookupStatus,
  type OcspFetchError,
  type TlsError,
} from "../../../../hosts/node/index.js";
import { responder as readResponder } from "../../../../src/client/index.js";
import { opensslResponder } from "../../../peers/peers.js";
import { freePort } from "../../../peers/process.js";
import { withPeer } from "../../../peers/with-peer.js";
import { handClock, honest, type Link, makePki, respond, type Statement, send, serve } from "./responders.js";

const testOpenssl = withPeer("responder");

function pairOf(edition: "rsa" | "p256", name: string) {
  const [certificate, issuer] = credential(edition, name).chain;
  return { certificate, issuer };
}

const { leaf, ca, root } = makePki({ urls: ["http://ocsp.invalid"] });
const pair = { certificate: leaf.der, issuer: ca.der };

for (const edition of ["rsa", "p256"] as const)
  testOpenssl(`openssl ocsp is asked, with and without nonce, ${edition}`, async (t) => {
    const peer = await opensslResponder(edition, "intermediate1");
    t.teardown(() => peer.stop());
    const reports: LookupReport[] = [];
    for (const nonce of [false, true]) {
      const onLookup = (report: LookupReport) => reports.push(report);
      const options = { overrideUrl: `http://127.0.0.1:${peer.port}`, nonce, onLookup };
      const good = await lookupStatus(pairOf(edition, "server1"), options);
      t.is(good.fault, undefined);
      t.like(good.verdict, { status: "good", delegated: true });
      t.true(good.verdict.nextUpdate!.getTime() > Date.now());
      const revoked = await lookupStatus(pairOf(edition, "server2"), options);
      t.is(revoked.fault, "OCSP_CERT_REVOKED");
      t.like(revoked.verdict, {
        status: "revoked",
        fault: "OCSP_CERT_REVOKED",
        revocationReason: "keyCompromise",
        revokedAt: new Date("2025-06-01T00:00:00Z"),
      });
      const foreign = await lookupStatus(pairOf(edition, "server3"), options);
      t.like(foreign.verdict, { status: "bad", fault: "OCSP_RESPONDER" });
    }
    t.deepEqual(
      reports.map(({ serialNumber, outcome }) => `${serialNumber} ${outcome}`),
      [...Array(2)].flatMap(() => ["05 good", "06 revoked", "07 OCSP_RESPONDER"]),
    );
    t.true(reports.every(({ url, milliseconds }) => url.startsWith("http://127.") && milliseconds > 0));
  });

// Never good without an answer

async function failed(options: LookupOptions, about = pair): Promise<[string, string, unknown]> {
  const { verdict, fault, cause } = await lookupStatus(about, options);
  return [verdict.status, fault!, (cause as OcspFetchError | undefined)?.code];
}

test("no URL is not good", async (t) => {
  const silent = makePki();
  const about = { certificate: silent.leaf.der, issuer: silent.ca.der };
  t.deepEqual(await failed({}, about), ["none", "OCSP_LOOKUP_FAIL", "ERR_TLSTAPLE_OCSP_URL"]);
  t.deepEqual(await failed({ overrideUrl: "ldap://ca" }), [
    "none",
    "OCSP_LOOKUP_FAIL",
    "ERR_TLSTAPLE_OCSP_URL",
  ]);
});

test("no answer is not good", async (t) => {
  const overrideUrl = `http://127.0.0.1:${await freePort()}`;
  t.deepEqual(await failed({ overrideUrl }), ["none", "OCSP_LOOKUP_FAIL", "ERR_TLSTAPLE_OCSP_NETWORK"]);
  const { url } = await serve(t, (response) => response.writeHead(500).end());
  t.deepEqual(await failed({ overrideUrl: url }), ["none", "OCSP_LOOKUP_FAIL", "ERR_TLSTAPLE_OCSP_STATUS"]);
});

test("what is no certificate is not good", async (t) => {
  const about = { certificate: Buffer.from("nothing"), issuer: ca.der };
  const { verdict, fault, cause } = await lookupStatus(about);
  t.is(verdict.status, "none");
  t.is(fault, "OCSP_LOOKUP_FAIL");
  t.is((cause as TlsError).code, "CERT_MALFORMED");
});

test("without a clock nothing is good, and nothing is asked", async (t) => {
  const fetch = async () => t.fail() as never;
  t.deepEqual(await failed({ fetch, clock: () => undefined }), ["none", "NO_CLOCK", undefined]);
});

for (const row of ocspCases()) {
  if (row.nonce) continue;
  test(`the verdict is the one about a staple: ${row.id}`, async (t) => {
    const { fault, verdict } = await lookupStatus(
      { certificate: row.subject, issuer: row.issuer },
      {
        overrideUrl: "http://ocsp.invalid",
        fetch: async () => row.response,
        clock: () => row.at,
        policy: {
          skew: row.skew,
          maxAge: row.maxAge,
          allowMissingNextUpdate: row.allowMissingNextUpdate,
          responders: row.responders.map((der) => readResponder(der)),
        },
      },
    );
    t.is(fault ?? "good", row.expected);
    t.is(verdict.status === "good", row.expected === "good");
    t.is(verdict.fault, fault);
  });
}

// Answers that were had before

test("a cache spares requests until the answer ends, and what is in it is judged anew", async (t) => {
  const clock = handClock();
  let state: Statement = {};
  const responder = await honest(
    t,
    () => [leaf],
    () => ({ thisUpdate: clock.now, ...state }),
  );
  const options = { overrideUrl: responder.url, clock, cache: new LookupCache() };
  const statusNow = async (more: LookupOptions = {}) =>
    (await lookupStatus(pair, { ...options, ...more })).verdict.status;
  t.is(await statusNow(), "good");
  state = { status: "revoked" };
  clock.now += 3500;
  t.is(await statusNow(), "good");
  t.is(responder.requests.length, 1);
  t.is(await statusNow({ policy: { maxAge: 600 } }), "revoked", "too old for this one, who asks");
  t.is(responder.requests.length, 2);
  clock.now += 3540;
  t.is(await statusNow(), "revoked");
  t.is(responder.requests.length, 3);
  await lookupStatus(pair, { ...options, cache: undefined });
  await lookupStatus(pair, { ...options, cache: new LookupCache() });
  await lookupStatus(pair, { ...options, nonce: true });
  t.is(responder.requests.length, 6);
});

test("what was remembered under one policy does not count under another", async (t) => {
  const cache = new LookupCache();
  const fetch = async () => respond(leaf, { signer: root });
  const policy = { responders: [readResponder(root.der)] };
  t.is((await lookupStatus(pair, { fetch, cache, policy })).verdict.status, "good");
  t.is((await lookupStatus(pair, { fetch, cache })).fault, "OCSP_RESPONDER");
});

test("an answer that does not count is not remembered", async (t) => {
  const cache = new LookupCache();
  const fetch = async () => respond(leaf, { signer: root });
  t.is((await lookupStatus(pair, { fetch, cache })).fault, "OCSP_RESPONDER");
  t.is((await lookupStatus(pair, { fetch: async () => respond(leaf), cache })).verdict.status, "good");
});

test("a response without nextUpdate, if that is allowed, is good for a day", async (t) => {
  const now = Math.floor(Date.now() / 1000);
  const aged = (age: number) => respond(leaf, { thisUpdate: now - age, nextUpdate: null });
  for (const [age, expected] of [
    [80_000, "good"],
    [90_000, "bad"],
  ] as const) {
    const policy = { allowMissingNextUpdate: true };
    t.is((await lookupStatus(pair, { fetch: async () => aged(age), policy })).verdict.status, expected);
  }
});

// Nonce

test("a nonce of 32 bytes is sent, by POST, and must come back", async (t) => {
  const nonceOf = (request: Buffer) => {
    const { tbsRequest } = AsnConvert.parse(request, OCSPRequest);
    return Buffer.from(tbsRequest.requestExtensions![0].extnValue.buffer);
  };
  let answer = (nonce: Buffer) => [extension("1.3.6.1.5.5.7.48.1.2", false, nonce)];
  const responder = await serve(t, (response, request) =>
    send(response, respond(leaf, { extensions: answer(nonceOf(request)) })),
  );
  const options = { overrideUrl: responder.url, nonce: true };
  t.is((await lookupStatus(pair, options)).verdict.status, "good");
  const [{ method, der }] = responder.requests;
  t.is(method, "POST");
  t.is(nonceOf(der).length, 34);
  answer = (nonce) => [extension("1.3.6.1.5.5.7.48.1.2", false, Buffer.from(nonce).fill(0, 2))];
  const lenient = { ...options, nonce: "if-present" } as const;
  for (const each of [options, lenient]) t.deepEqual(await failed(each), ["bad", "OCSP_NONCE", undefined]);
  const overrideUrl = await plain(t);
  t.deepEqual(await failed({ ...options, overrideUrl }), ["bad", "OCSP_NONCE", undefined]);
  t.is((await lookupStatus(pair, { ...lenient, overrideUrl })).verdict.status, "good");
  t.notDeepEqual(nonceOf(responder.requests[0].der), nonceOf(responder.requests[1].der));
});

/** A responder that never repeats a nonce. */
async function plain(t: Parameters<typeof serve>[0]): Promise<string> {
  return (await honest(t, () => [leaf])).url;
}

// Chains

test("a chain is looked up in parallel, in its order", async (t) => {
  const links: Link[] = [];
  let waiting: (() => void)[] = [];
  const responder = await honest(t, () => links);
  const real = makePki({ urls: [responder.url], rootUrls: [responder.url] });
  links.push(real.leaf, real.ca);
  const fetch = async (_url: string, request: Uint8Array) => {
    // Nobody is answered before all have asked
    await new Promise<void>((resolve) => {
      waiting.push(resolve);
      if (waiting.length === 2) for (const answer of waiting) answer();
    });
    const about = Buffer.from(request).includes(real.leaf.serial) ? real.leaf : real.ca;
    return respond(about, { status: about === real.ca ? "revoked" : "good" });
  };
  const pairs = [
    { certificate: real.leaf.der, issuer: real.ca.der },
    { certificate: real.ca.der, issuer: real.root.der },
  ];
  const [first, second] = await checkChain(pairs, { fetch });
  t.is(first.verdict.status, "good");
  t.is(second.fault, "OCSP_CERT_REVOKED");
  waiting = [];
  t.deepEqual(await checkChain([], { fetch }), []);
  const both = await checkChain(pairs);
  t.deepEqual(
    both.map(({ verdict }) => verdict.status),
    ["good", "good"],
  );
});

test("a silent responder leaves some time for the next", async (t) => {
  const silent = await serve(t, () => undefined);
  const good = await honest(t, () => [real.leaf]);
  const real = makePki({ urls: [silent.url, good.url] });
  const pairs = [
    { certificate: real.leaf.der, issuer: real.ca.der },
    { certificate: real.ca.der, issuer: real.root.der },
  ];
  const [first, second] = await checkChain(pairs, { timeout: 1000 });
  t.is(first.verdict.status, "good");
  t.is(second.fault, "OCSP_LOOKUP_FAIL");
});

test("several silent responders take no longer than one", async (t) => {
  const silent = await serve(t, () => undefined);
  const real = makePki({ urls: [silent.url, `${silent.url}/2`, `${silent.url}/3`] });
  const start = Date.now();
  const about = { certificate: real.leaf.der, issuer: real.ca.der };
  t.deepEqual(await failed({ timeout: 1500 }, about), [
    "none",
    "OCSP_LOOKUP_FAIL",
    "ERR_TLSTAPLE_OCSP_TIMEOUT",
  ]);
  t.true(Date.now() - start < 4000);
  t.is(silent.requests.length, 3);
});

test("an answer that does not count tells more than no answer", async (t) => {
  const lying = await serve(t, (response) => send(response, respond(real.leaf, { signer: root })));
  const failing = await serve(t, (response) => response.writeHead(500).end());
  const real = makePki({ urls: [failing.url, lying.url, failing.url] });
  const { fault } = await lookupStatus({ certificate: real.leaf.der, issuer: real.ca.der });
  t.is(fault, "OCSP_RESPONDER");
});

test("aborted, it fails at once", async (t) => {
  const { url } = await serve(t, () => undefined);
  const controller = new AbortController();
  const failing = failed({ overrideUrl: url, signal: controller.signal });
  controller.abort();
  t.deepEqual(await failing, ["none", "OCSP_LOOKUP_FAIL", "ERR_TLSTAPLE_OCSP_ABORTED"]);
});
