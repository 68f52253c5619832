import { writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import test from "ava";
import { issue } from "../../../../certs/certificate.js";
import { integer } from "../../../../certs/der.js";
import { extendedKeyUsage, purpose } from "../../../../certs/extensions.js";
import { NOW } from "../../../../certs/fixtures.js";
import { newKey } from "../../../../certs/keys.js";
import { certId } from "../../../../certs/response.js";
import { describeResponse } from "../../../../hosts/node/common/describe.js";
import { lookupStatus, Stapler } from "../../../../hosts/node/index.js";
import { fetchOcsp, type OcspFetch } from "../../../../hosts/node/ocsp/http.js";
import { readSettings } from "../../../../hosts/node/ocsp/settings.js";
import { createResponder, listen } from "../../../../hosts/node/responder/index.js";
import { root, rows, staple, subject } from "../../../peers/default-staples.js";
import {
  authority,
  authorityOptions,
  indexLine,
  ocspRequest,
  requestOf,
  temporaryFile,
} from "../responder/fixtures.js";

/** What looks up, staples and answers where nobody says how. */

const overrideUrl = "http://ocsp.invalid/";
const clock = () => NOW;
const chain = [subject.der, root.der];
const silent: OcspFetch = () => new Promise(() => undefined);
const DAY = 86400;

for (const [title, response, fault] of rows.filter(([, response]) => response))
  test(`lookupStatus: ${title}`, async (t) => {
    const pair = { certificate: subject.der, issuer: root.der };
    const found = await lookupStatus(pair, { overrideUrl, clock, fetch: async () => response! });
    t.is(found.fault, fault);
    t.is(found.verdict.status, fault === undefined ? "good" : "bad");
  });

test("lookupStatus: neither is there a nonce, nor is an answer of another time taken", async (t) => {
  const requests: Uint8Array[] = [];
  const fetch: OcspFetch = async (_url, request) => {
    requests.push(request);
    return staple(NOW - 60, NOW + DAY);
  };
  const pair = { certificate: subject.der, issuer: root.der };
  for (const _ of "ab") await lookupStatus(pair, { overrideUrl, clock, fetch });
  t.is(requests.length, 2);
  t.deepEqual(requests[0], requests[1]);
});

/** Whether a Stapler hands it out. */
async function isHandedOut(response: Uint8Array): Promise<boolean> {
  const stapler = new Stapler({ overrideUrl, clock, fetch: async () => response });
  const { staples } = await stapler.staples(chain, 1);
  stapler.close();
  return staples[0] !== undefined;
}

test("Stapler: what it hands out", async (t) => {
  t.true(await isHandedOut(staple(NOW - 60, NOW + DAY)));
  t.true(await isHandedOut(staple(NOW - 365 * DAY, NOW + DAY)));
  t.true(await isHandedOut(staple(NOW + 60, NOW + DAY)), "a clock that is 60 seconds ahead");
  t.false(await isHandedOut(staple(NOW + 61, NOW + DAY)));
  t.false(await isHandedOut(staple(NOW - 60, undefined)), "without nextUpdate");
  t.false(await isHandedOut(staple(NOW - DAY, NOW)), "it has ended");
  for (const [title, response] of rows.filter(([, , fault]) => fault === "OCSP_RESPONDER"))
    t.false(await isHandedOut(response!), title);
});

test("Stapler: each default", (t) => {
  const { clock: now, ...settings } = readSettings({});
  t.like(settings, {
    issuers: [],
    policy: { skew: 60, maxAge: undefined, allowMissingNextUpdate: false, responders: [] },
    fetching: {
      overrideUrl: undefined,
      fetch: undefined,
      get: undefined,
      timeout: undefined,
      maxBytes: 65536,
    },
    directory: undefined,
    wait: 3000,
    noncesAtOnce: 20,
    noncesPerSecond: 50,
    nonceWait: 2000,
    maxEntries: 1000,
    random: Math.random,
  });
  t.true(Math.abs(now() - Date.now() / 1000) < 5);
});

/** Milliseconds. */
async function timed(run: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await run();
  return performance.now() - begun;
}

test("Stapler: a handshake waits three seconds", async (t) => {
  const stapler = new Stapler({ overrideUrl, clock, fetch: silent });
  const waited = await timed(() => stapler.staples(chain, 1));
  stapler.close();
  t.true(waited > 2990, `${waited}`);
});

test("fetchOcsp: five seconds and 65,536 bytes", async (t) => {
  const ask = (fetch: OcspFetch) => fetchOcsp(overrideUrl, Buffer.alloc(9), { fetch });
  t.is((await ask(async () => Buffer.alloc(65536))).length, 65536);
  await t.throwsAsync(
    ask(async () => Buffer.alloc(65537)),
    { code: "ERR_TLSTAPLE_OCSP_SIZE" },
  );
  const waited = await timed(() => t.throwsAsync(ask(silent), { code: "ERR_TLSTAPLE_OCSP_TIMEOUT" }));
  t.true(waited > 4990, `${waited}`);
});

// ---- The responder

const authorities = [authorityOptions("p256", "intermediate1")];

test("createResponder: no nextUpdate, and nothing that a cache may keep", async (t) => {
  const responder = await createResponder({ authorities, clock });
  const { der, lifetime } = await responder.reply(requestOf(5, "p256"));
  t.is(describeResponse(der).responses![0].nextUpdate, null);
  t.is(lifetime, undefined);
});

test("createResponder: the machine's clock", async (t) => {
  const responder = await createResponder({ authorities });
  const before = Math.floor(Date.now() / 1000);
  const { responses } = describeResponse(await responder.respond(requestOf(5, "p256")));
  const thisUpdate = Date.parse(responses![0].thisUpdate!) / 1000;
  t.true(thisUpdate >= before && thisUpdate < before + 60, responses![0].thisUpdate!);
});

test("createResponder: 64 certificates in a request", async (t) => {
  const responder = await createResponder({ authorities, clock });
  const about = async (count: number) => {
    const certIds = Array.from({ length: count }, (_, i) =>
      certId(authority("p256", "intermediate1"), integer(i + 1)),
    );
    return describeResponse(await responder.respond(ocspRequest({ certIds }))).responseStatus;
  };
  t.is(await about(64), "successful");
  t.not(await about(65), "successful");
});

test("createResponder: 256 signatures under way", async (t) => {
  const responder = await createResponder({ authorities, clock });
  const request = (nonce: number) => requestOf(5, "p256", { nonce: Buffer.alloc(32, nonce) });
  const replies = await Promise.all(Array.from({ length: 257 }, (_, i) => responder.reply(request(i))));
  t.deepEqual(
    { ...responder.counters.statuses },
    { ...responder.counters.statuses, successful: 256, tryLater: 1 },
  );
  t.is(replies.length, 257);
});

test("createResponder: a delegate without keyUsage may sign, RFC 5280 4.2.1.3", async (t) => {
  const key = newKey("p256");
  const signing = extendedKeyUsage(purpose.ocspSigning);
  const { der } = issue(root, { subject: "responder", key, extensions: { signing } });
  const status = { status: "good" } as const;
  const own = [{ issuer: root.der, index: () => status, signer: { cert: der, key: key.pem } }];
  const responder = await createResponder({ authorities: own, clock });
  const request = ocspRequest({ certIds: [certId(root, subject.serial)] });
  t.is(describeResponse(await responder.respond(request)).responses![0].certStatus, "good");
});

test("createResponder: an index that changes is read again, though nobody wants to hear of it", async (t) => {
  const index = temporaryFile(t, indexLine("05"));
  const responder = await createResponder({
    authorities: [authorityOptions("p256", "intermediate1", { index })],
    clock,
  });
  const status = async () =>
    describeResponse(await responder.respond(requestOf(5, "p256"))).responses?.[0].certStatus;
  t.is(await status(), "good");
  writeFileSync(index, indexLine("05", "250601000000Z"));
  t.is(await status(), "revoked");
  writeFileSync(index, "nonsense");
  t.is(await status(), "revoked", "the last one that could be read");
});

test("listen: on this machine alone, with bounds", async (t) => {
  const server = await listen(await createResponder({ authorities, clock }));
  t.teardown(() => server.close());
  t.is((server.address() as AddressInfo).address, "127.0.0.1");
  t.like(server, {
    maxConnections: 1000,
    maxRequestsPerSocket: 1000,
    requestTimeout: 10_000,
    timeout: 10_000,
    keepAliveTimeout: 5000,
  });
});
