import { execFile } from "node:child_process";
import { promisify } from "node:util";
import test from "ava";
import { issue } from "../../../../certs/certificate.js";
import { credential } from "../../../../certs/fixtures.js";
import { newKey } from "../../../../certs/keys.js";
import { Stapler, type StaplerOptions } from "../../../../hosts/node/index.js";
import { opensslResponder } from "../../../peers/peers.js";
import { withPeer } from "../../../peers/with-peer.js";
import {
  caExtensions,
  handClock,
  honest,
  type Link,
  makeLeaf,
  makePki,
  respond,
  send,
  serve,
  source,
  until,
} from "./responders.js";
import { scripted as scriptedFor } from "./scripted-stapler.js";

const url = "http://ocsp.invalid";
const pki = makePki({ urls: [url], rootUrls: [url] });
const { root, ca, leaf, chain } = pki;
const scripted = (options?: StaplerOptions) => scriptedFor(pki, options);

// Asking once

test("200 handshakes at once cause one request per certificate, the next ones none", async (t) => {
  const served: Link[] = [];
  const responder = await honest(t, () => served);
  const real = makePki({ urls: [responder.url], rootUrls: [responder.url] });
  served.push(real.leaf, real.ca, real.root);
  const stapler = new Stapler();
  t.teardown(() => stapler.close());
  const all = await Promise.all(Array.from({ length: 200 }, () => stapler.staples(real.chain, 3)));
  t.is(responder.requests.length, 3);
  for (const { staples } of all) {
    t.is(staples.length, 3);
    staples.forEach((staple, i) => void t.is(staple, all[0].staples[i]));
  }
  t.true(all[0].staples.every((staple) => staple instanceof Uint8Array));
  t.like(stapler.counters, { requests: 3, misses: 600, hits: 0, none: 0, failures: 0 });
  t.deepEqual((await stapler.staples(real.chain, 3)).staples, all[0].staples);
  t.deepEqual(stapler.ready(real.chain, 3)!.staples, all[0].staples);
  t.is(responder.requests.length, 3);
  t.like(stapler.counters, { requests: 3, misses: 600, hits: 6 });
});

withPeer("responder")("the same with openssl ocsp", async (t) => {
  const peer = await opensslResponder("rsa", "intermediate1");
  t.teardown(() => peer.stop());
  const stapler = new Stapler({ overrideUrl: `http://127.0.0.1:${peer.port}` });
  t.teardown(() => stapler.close());
  for (const name of ["server1", "server2"]) {
    const certificates = credential("rsa", name).chain;
    const all = await Promise.all(Array.from({ length: 200 }, () => stapler.staples(certificates, 1)));
    t.truthy(all[0].staples[0], "good or revoked, it is stapled");
    t.true(Math.abs(all[0].until! - Date.now() / 1000 - 3540) < 10);
  }
  t.like(stapler.counters, { requests: 2, misses: 400, rejected: 0 });
});

test("out of memory: undefined at first, the same afterwards", async (t) => {
  const { stapler, rest, clock } = scripted();
  t.is(stapler.ready(chain, 1), undefined);
  await rest();
  const ready = stapler.ready(chain, 1)!;
  t.is(ready.staples.length, 1);
  t.is(ready.until, clock.now + 3540);
  t.deepEqual(stapler.ready(chain, 0), { staples: [], until: undefined });
});

test("`until` is when the first of the staples ends", async (t) => {
  const { stapler, script, clock } = scripted();
  script.says = (link) => respond(link, { nextUpdate: clock.now + (link === ca ? 600 : 6000) });
  t.is((await stapler.staples(chain, 3)).until, clock.now + 540);
  t.is((await stapler.staples(chain, 1)).until, clock.now + 5940);
});

// Certificates

test("chains out of order, without root, and with an issuer from elsewhere", async (t) => {
  const { stapler } = scripted({ issuers: [ca.der] });
  const mixed = [leaf.der, root.der, ca.der];
  t.true((await stapler.staples(mixed, 3)).staples.every(Boolean));
  const { staples } = await stapler.staples([leaf.der], 3);
  t.is(staples.length, 1);
  t.truthy(staples[0]);
  const short = await scripted().stapler.staples([leaf.der, ca.der], 2);
  t.deepEqual(short.staples.map(Boolean), [true, false], "who issued the CA is not known");
});

test("an issuer of the same name and another key is none", async (t) => {
  const { stapler, fetch } = scripted();
  const { der } = issue(root, { subject: ca.name, key: newKey("p256"), extensions: caExtensions([]) });
  const { staples } = await stapler.staples([leaf.der, der], 1);
  t.is(staples[0], undefined);
  t.is(fetch.count, 0);
});

test("without a URL, or without a certificate, there is no staple and no request", async (t) => {
  const { stapler, fetch } = scripted();
  const silent = makePki();
  t.deepEqual(await stapler.staples(silent.chain, 3), {
    staples: [undefined, undefined, undefined],
    until: undefined,
  });
  const garbage = [Buffer.from("no certificate"), Buffer.alloc(0)];
  t.deepEqual((await stapler.staples(garbage, 3)).staples, [undefined, undefined]);
  t.deepEqual((await stapler.staples([], 3)).staples, []);
  t.is(fetch.count, 0);
  t.is(stapler.counters.none, 5);
});

test("overrideUrl is asked in place of all others; a root that names none is not asked about", async (t) => {
  const asked: string[] = [];
  const silent = makePki();
  const fetch = async (to: string) => {
    asked.push(to);
    throw new Error("down");
  };
  const stapler = new Stapler({ overrideUrl: "http://other.invalid/", fetch });
  await stapler.staples(silent.chain, 3);
  t.deepEqual(asked, ["http://other.invalid/", "http://other.invalid/"]);
});

test("the URLs of a certificate are tried in turn", async (t) => {
  const good = await honest(t, () => [many.leaf]);
  const bad = await serve(t, (response) => response.writeHead(500).end());
  const many = makePki({ urls: ["ldap://ignored", bad.url, good.url] });
  const stapler = new Stapler();
  t.teardown(() => stapler.close());
  t.truthy((await stapler.staples(many.chain, 1)).staples[0]);
  t.is(bad.requests.length, 1);
  t.is(good.requests.length, 1);
  t.like(stapler.counters, { requests: 2, failures: 0 });
});

// Refreshing

test("refreshed in the background, while the old one is handed out", async (t) => {
  const { stapler, clock, fetch, one, rest } = scripted();
  const first = await one();
  clock.now += 0.6 * 3540;
  t.is(await one(), first);
  t.is(fetch.count, 1, "at 62.5 percent of the life");
  clock.now += 0.05 * 3540;
  const all = await Promise.all(Array.from({ length: 50 }, one));
  t.true(
    all.every((staple) => staple === first),
    "nobody waits",
  );
  await rest();
  t.is(fetch.count, 2);
  const second = await one();
  t.not(second, first);
  t.like(stapler.counters, { requests: 2, refreshes: 1, misses: 1 });
});

test("a timer refreshes what nobody asks for", async (t) => {
  const served: Link[] = [];
  const says = () => ({ nextUpdate: Math.floor(Date.now() / 1000) + 7 });
  const responder = await honest(t, () => served, says);
  const real = makePki({ urls: [responder.url] });
  served.push(real.leaf);
  const stapler = new Stapler({ random: () => 0 });
  t.teardown(() => stapler.close());
  await stapler.staples(real.chain, 1);
  await until(() => responder.requests.length > 1, "a second request");
  t.is(stapler.counters.refreshes, 1);
});

test("what nobody has asked for in a week is left alone", async (t) => {
  const { clock, fetch, one, script, stapler } = scripted({ random: () => 0 });
  t.teardown(() => stapler.close());
  script.says = (link) => respond(link, { thisUpdate: clock.now, nextUpdate: clock.now + 3 });
  await one();
  clock.now += 8 * 86_400;
  await new Promise((resolve) => setTimeout(resolve, 2500));
  t.is(fetch.count, 1);
  await one();
  t.is(fetch.count, 2, "until somebody does");
});

test("no handshake fails while the responder is away, and none gets what has ended", async (t) => {
  const served: Link[] = [];
  const clock = handClock();
  const says = () => ({ thisUpdate: clock.now, nextUpdate: clock.now + 3600 });
  const responder = await honest(t, () => served, says);
  const real = makePki({ urls: [responder.url] });
  served.push(real.leaf);
  const stapler = new Stapler({ clock });
  t.teardown(() => stapler.close());
  const take = async () => (await stapler.staples(real.chain, 1)).staples[0];
  const first = await take();
  await responder.stop();
  for (let minute = 1; minute < 59; minute++) {
    clock.now += 60;
    t.is(await take(), first, `minute ${minute}`);
  }
  await until(() => stapler.counters.failures > 0, "a failure");
  clock.now += 60;
  t.is(await take(), undefined, "it would have ended on its way");
  clock.now += 3600;
  t.is(await take(), undefined);
  await honest(t, () => served, says, responder.port);
  const returned = () => {
    clock.now += 100; // the next try comes after five minutes at most
    return stapler.ready(real.chain, 1)?.staples[0] !== undefined;
  };
  await until(returned, "the responder's return");
});

test("a responder that fails is not asked at every handshake, and is waited for once", async (t) => {
  const { clock, script, fetch, one, rest, stapler } = scripted();
  script.says = () => undefined;
  for (let i = 0; i < 100; i++) t.is(await one(), undefined);
  t.is(fetch.count, 1);
  // 5 s, 10 s, 20 s… less a quarter, for random() is 0.5
  for (const seconds of [3.75, 7.5, 15, 30, 60, 120, 225, 225]) {
    const { count } = fetch;
    clock.now += seconds - 0.5;
    await one();
    t.is(fetch.count, count, `not within ${seconds} s`);
    clock.now += 0.5;
    t.truthy(stapler.ready(chain, 1), "no waiting");
    await rest();
    t.is(fetch.count, count + 1, `after ${seconds} s`);
  }
  t.is(stapler.counters.misses, 1);
});

test("a slow responder holds a handshake for so long and no longer", async (t) => {
  let release = () => {};
  const responder = await serve(t, (response) => {
    release = () => send(response, respond(slow.leaf));
  });
  const slow = makePki({ urls: [responder.url] });
  const stapler = new Stapler({ wait: 50, timeout: 20_000 });
  t.teardown(() => stapler.close());
  t.is((await stapler.staples(slow.chain, 1)).staples[0], undefined);
  t.is(stapler.counters.failures, 0, "nor has the fetch ended");
  await until(() => responder.requests.length === 1);
  release();
  await until(() => stapler.ready(slow.chain, 1) !== undefined, "the response");
  t.truthy(stapler.ready(slow.chain, 1)!.staples[0]);
  t.is(responder.requests.length, 1);
});

test("a clock that is set right asks anew", async (t) => {
  const { clock, one, fetch, script } = scripted();
  const { now } = clock;
  script.says = (link) => respond(link, { thisUpdate: now, nextUpdate: now + 3600 });
  clock.now += 1e8;
  t.is(await one(), undefined, "it had ended");
  clock.now = now + 10;
  await one();
  await new Promise((resolve) => setTimeout(resolve, 50));
  t.truthy(await one());
  t.is(fetch.count, 2);
  clock.now = now - 100;
  t.is(await one(), undefined, "not before thisUpdate");
});

// Bounds, and the end

test("no more certificates are known than allowed", async (t) => {
  const leaves = Array.from({ length: 30 }, () => makeLeaf(ca, [url]));
  const fetch = source(
    (link) => respond(link),
    () => leaves,
  );
  const stapler = new Stapler({ fetch, maxEntries: 10 });
  t.teardown(() => stapler.close());
  for (const each of leaves) t.truthy((await stapler.staples([each.der, ca.der], 1)).staples[0]);
  t.is(stapler.counters.evicted, 20);
  for (const each of leaves.slice(20)) t.truthy(stapler.ready([each.der, ca.der], 1));
  t.is(fetch.count, 30, "the last ones are known");
  t.is(stapler.ready([leaves[0].der, ca.der], 1), undefined, "the first is not");
});

test("closed, it ends what is under way, and asks and staples nothing any more", async (t) => {
  const responder = await serve(t, () => undefined);
  const hanging = makePki({ urls: [responder.url] });
  const stapler = new Stapler();
  const waiting = stapler.staples(hanging.chain, 1);
  await until(() => responder.requests.length === 1);
  stapler.close();
  t.deepEqual(await waiting, { staples: [undefined], until: undefined });
  t.deepEqual(stapler.ready(hanging.chain, 1), { staples: [undefined], until: undefined });
  t.is((await stapler.staples(hanging.chain, 1)).staples[0], undefined);
  t.is(responder.requests.length, 1);
  for (let i = 0; i < 100 && (await responder.connections()) > 0; i++)
    await new Promise((resolve) => setTimeout(resolve, 5));
  t.is(await responder.connections(), 0);
});

test("closed, it hands out nothing of what it has, and asks about nothing new", async (t) => {
  const { stapler, fetch, one } = scripted();
  t.truthy(await one());
  stapler.close();
  t.is(await one(), undefined);
  t.deepEqual((await stapler.staples([ca.der, root.der], 1)).staples, [undefined]);
  t.is(fetch.count, 1);
});

test("a listener that throws harms no handshake", async (t) => {
  const program = `
    import { Stapler } from "${new URL("../../../../hosts/node/index.js", import.meta.url)}";
    process.on("uncaughtException", (error) => console.log("caught", error.message));
    const fetch = async () => { throw new Error("down") };
    const stapler = new Stapler({ fetch });
    stapler.on("failure", () => { throw new Error("listener") });
    const chain = ${JSON.stringify(chain.map((der) => der.toString("base64")))};
    console.log(await stapler.staples(chain.map((der) => Buffer.from(der, "base64")), 1));`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program]);
  t.regex(stdout, /caught listener/);
  t.regex(stdout, /staples: \[ undefined \]/);
});

test("its timers keep no process alive", async (t) => {
  const response = respond(leaf);
  const program = `
    import { Stapler } from "${new URL("../../../../hosts/node/index.js", import.meta.url)}";
    const response = Buffer.from("${response.toString("base64")}", "base64");
    const stapler = new Stapler({ fetch: async () => response });
    const chain = ${JSON.stringify(chain.map((der) => der.toString("base64")))};
    const { staples } = await stapler.staples(chain.map((der) => Buffer.from(der, "base64")), 1);
    console.log(staples[0].length);`;
  const args = ["--input-type=module", "-e", program];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 20_000 });
  t.is(Number(stdout), response.length);
});

test("options that cannot be are refused at once", (t) => {
  const cases: [object, string][] = [
    [{ overrideUrl: 1 }, "TYPE"],
    [{ overrideUrl: "ldap://ca" }, "VALUE"],
    [{ issuers: "no certificate" }, "VALUE"],
    [{ timeout: -1 }, "VALUE"],
    [{ wait: "long" }, "TYPE"],
    [{ maxEntries: 0 }, "VALUE"],
    [{ maxBytes: 0 }, "VALUE"],
    [{ fetch: true }, "TYPE"],
    [{ store: "" as never }, "TYPE"],
    [{ overideUrl: url }, "UNSUPPORTED"],
  ];
  for (const [options, code] of cases)
    t.throws(() => new Stapler(options), { code: `ERR_TLSTAPLE_OPTION_${code}` }, JSON.stringify(options));
});
