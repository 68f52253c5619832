import test from "ava";
import fc from "fast-check";
import { errorResponse, responseStatus } from "../../../../certs/response.js";
import {
  type FaultName,
  lookupStatus,
  Stapler,
  type StaplerOptions,
  type TlsError,
} from "../../../../hosts/node/index.js";
import { handClock, makeLeaf, makePki, respond } from "./responders.js";
import { scripted as scriptedFor } from "./scripted-stapler.js";

// What a Stapler hands out, of all that responders say.

const url = "http://ocsp.invalid";
const pki = makePki({ urls: [url] });
const { root, ca, leaf, delegate } = pki;
const scripted = (options?: StaplerOptions) => scriptedFor(pki, options);

const stranger = makePki({ urls: [url] });
/** Each makes a response for a moment. */
const lies: [string, (now: number) => Uint8Array, FaultName][] = [
  ["about another certificate", () => respond(makeLeaf(ca)), "OCSP_WRONG_CERT"],
  ["about another CA's certificate", () => respond({ ...leaf, issuer: root }), "OCSP_WRONG_CERT"],
  ["with a bad signature", () => respond(leaf, { bendSignature: flip }), "OCSP_SIGNATURE"],
  ["by a stranger", () => respond(leaf, { signer: stranger.ca }), "OCSP_RESPONDER"],
  ["by the server itself", () => respond(leaf, { signer: leaf, certificates: [leaf.der] }), "OCSP_RESPONDER"],
  ["by a delegate that sends no certificate", () => respond(leaf, { signer: delegate }), "OCSP_RESPONDER"],
  ["that has ended", (now) => respond(leaf, { thisUpdate: now - 9000 }), "OCSP_EXPIRED"],
  ["that ends too soon to arrive", (now) => respond(leaf, { thisUpdate: now - 3590 }), "OCSP_EXPIRED"],
  ["from the future", (now) => respond(leaf, { thisUpdate: now + 600 }), "OCSP_NOT_YET_VALID"],
  ["without nextUpdate", () => respond(leaf, { nextUpdate: null }), "OCSP_NO_NEXT_UPDATE"],
  ["unknown", () => respond(leaf, { status: "unknown" }), "OCSP_CERT_UNKNOWN"],
  [
    "revoked, with a bad signature",
    () => respond(leaf, { status: "revoked", bendSignature: flip }),
    "OCSP_SIGNATURE",
  ],
  ["an error", () => errorResponse(responseStatus.tryLater), "OCSP_NOT_SUCCESSFUL"],
  ["halved", () => respond(leaf).subarray(0, 100), "OCSP_MALFORMED"],
  ["empty", () => Buffer.alloc(0), "OCSP_MALFORMED"],
];

function flip(signature: Buffer): Buffer {
  const bent = Buffer.from(signature);
  bent[bent.length - 1] ^= 1;
  return bent;
}

for (const [what, lie, code] of lies)
  test(`never stapled: ${what}`, async (t) => {
    const { stapler, script, failures, one, clock, rest } = scripted();
    script.says = () => lie(clock.now);
    t.is(await one(), undefined);
    await rest();
    t.is((failures[0].error as TlsError).code, code);
    t.like(stapler.counters, { failures: 1, rejected: 1, none: 1 });
    script.says = (link) => respond(link);
    clock.now += 5;
    await one();
    await rest();
    const honest = await one();
    t.truthy(honest, "what is honest afterwards counts");
    script.says = () => lie(clock.now);
    clock.now += 3000;
    await one();
    await rest();
    t.like(stapler.counters, { refreshes: 1, rejected: 2 });
    t.is(await one(), honest, "and is not replaced by a lie");
  });

test("a delegate answers, until its certificate ends", async (t) => {
  const clock = handClock();
  const soon = clock.now + 1000;
  const short = makePki({ urls: [url], delegateUntil: new Date(soon * 1000).toISOString() });
  const fetch = async () =>
    respond(short.leaf, { signer: short.delegate, certificates: [short.delegate.der] });
  const stapler = new Stapler({ fetch, clock });
  t.is((await stapler.staples(short.chain, 1)).until, soon);
});

test("revoked is stapled like any other, and replaces good at once", async (t) => {
  const { clock, script, one, rest } = scripted();
  const good = await one();
  script.state = { status: "revoked" };
  clock.now += 3000;
  t.is(await one(), good);
  await rest();
  const revoked = await one();
  t.not(revoked, good);
  t.true(Buffer.from(revoked!).includes(Buffer.from("20260101000000Z")), "the date of the revocation");
});

test("an older response does not replace a newer one, nor good a revoked one of the same time", async (t) => {
  const { clock, script, one, rest, failures } = scripted();
  const { now } = clock;
  script.state = { status: "revoked", nextUpdate: now + 3600 };
  const revoked = await one();
  for (const thisUpdate of [now - 1, now]) {
    script.state = { thisUpdate, nextUpdate: now + 7200 };
    clock.now = now + 2500 + (thisUpdate - now) * 100;
    await one();
    await rest();
    t.is(await one(), revoked);
  }
  t.is(failures.length, 2);
  clock.now += 60;
  script.state = { thisUpdate: now + 1, nextUpdate: now + 7200 };
  await one();
  await rest();
  t.not(await one(), revoked, "a newer one does: a certificate may be on hold");
});

test("a response without nextUpdate, if that is allowed: for an hour, or maxAge", async (t) => {
  for (const [maxAge, seconds] of [
    [undefined, 3600],
    [600, 600],
  ] as const) {
    const { clock, script, one } = scripted({ allowMissingNextUpdate: true, maxAge });
    const { now } = clock;
    script.says = (link) => respond(link, { thisUpdate: now, nextUpdate: null });
    const staple = await one();
    t.truthy(staple);
    clock.now = now + seconds - 1;
    t.is(await one(), staple);
    script.says = () => undefined;
    clock.now = now + seconds;
    t.is(await one(), undefined);
  }
});

test("responders trusted by configuration", async (t) => {
  const { script, one } = scripted({ responders: [stranger.ca.der] });
  script.state = { signer: stranger.ca };
  t.truthy(await one());
});

test("no bytes in a chain, or in a response, make it fail", async (t) => {
  const bend = (der: Buffer, at: number, bits: number) => {
    const bent = Buffer.from(der);
    bent[at % bent.length] ^= bits;
    return bent;
  };
  const response = respond(leaf);
  const place = fc.nat({ max: 2000 });
  const bits = fc.integer({ min: 1, max: 255 });
  const run = async (which: number, at: number, change: number) => {
    const chain = pki.chain.map((der, i) => (i === which ? bend(der, at, change) : der));
    const fetch = async () => bend(response, at, change);
    const stapler = new Stapler({ fetch });
    const { staples } = await stapler.staples(chain, 2);
    stapler.close();
    t.is(staples.length, 2);
    t.is(staples[0], undefined);
    const pair = { certificate: chain[0], issuer: chain[1] };
    t.not((await lookupStatus(pair, { fetch })).verdict.status, "good");
  };
  await fc.assert(fc.asyncProperty(fc.nat({ max: 3 }), place, bits, run), { numRuns: 300 });
});
