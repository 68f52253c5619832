import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import test from "ava";
import { credential, fixtureFile } from "../../../../certs/fixtures.js";
import {
  type Metric,
  type MetricSource,
  metricsHandler,
  metricsText,
} from "../../../../hosts/node/common/metrics.js";
import { createResponder } from "../../../../hosts/node/responder/index.js";
import { tool } from "../../../peers/process.js";
import { withPeer } from "../../../peers/with-peer.js";
import { makePki, respond } from "../ocsp/responders.js";
import { scripted } from "../ocsp/scripted-stapler.js";
import { listen } from "../servers.js";
import { readMetrics } from "./exposition.js";

const source = (...metrics: Metric[]): MetricSource => ({ metrics: () => metrics });

const url = "http://ocsp.invalid";

test("a Stapler: its counters, and the seconds until each staple ends", async (t) => {
  const pki = makePki({ urls: [url], rootUrls: [url] });
  const { stapler, script, clock } = scripted(pki);
  script.says = (link) => (link === pki.ca ? undefined : respond(link, { nextUpdate: clock.now + 6000 }));
  t.deepEqual(readMetrics(metricsText(stapler)).get("tlstaple_staple_remaining_seconds")?.samples, []);
  await stapler.staples(pki.chain, 2);
  clock.now += 40;
  const families = readMetrics(metricsText(stapler));
  const lives = families.get("tlstaple_staple_remaining_seconds")!;
  t.is(lives.type, "gauge");
  const life = (link: { serial: Buffer }) =>
    lives.samples.find(
      ({ labels }) => labels.serial === link.serial.subarray(2).toString("hex").toUpperCase(),
    )!;
  t.is(life(pki.leaf).value, 6000 - 60 - 40, "until it is not handed out any more");
  t.is(life(pki.leaf).labels.status, "good");
  t.regex(life(pki.leaf).labels.subject, /CN=leaf \d+/);
  t.like(life(pki.ca), { value: 0, labels: { status: "none" } });
  for (const [name, value] of Object.entries(stapler.counters)) {
    const counter = families.get(`tlstaple_stapler_${name.replace("E", "_e")}_total`)!;
    t.like(counter, { type: "counter", samples: [{ labels: {}, value }] }, name);
  }
  t.is(families.size, Object.keys(stapler.counters).length + 1);
  stapler.close();
  t.deepEqual(readMetrics(metricsText(stapler)).get("tlstaple_staple_remaining_seconds")?.samples, []);
});

test("a staple that has ended, and one that says revoked", async (t) => {
  const pki = makePki({ urls: [url] });
  const { stapler, script, clock } = scripted(pki);
  script.says = (link) => respond(link, { status: "revoked", nextUpdate: clock.now + 600 });
  await stapler.staples(pki.chain, 1);
  const lives = () => readMetrics(metricsText(stapler)).get("tlstaple_staple_remaining_seconds")!.samples;
  t.like(lives()[0], { value: 540, labels: { status: "revoked" } });
  clock.now += 540;
  t.like(lives()[0], { value: 0, labels: { status: "none" } });
});

test("a Responder: requests, signatures, responses by status", async (t) => {
  const { requests, signatures, responses } = await counted();
  t.like(requests, { type: "counter", samples: [{ value: 2 }] });
  t.is(signatures.samples[0].value, 0);
  const values = Object.fromEntries(responses.samples.map(({ labels, value }) => [labels.status, value]));
  t.like(values, { malformedRequest: 2, successful: 0, unauthorized: 0 });

  async function counted() {
    const responder = await makeResponder();
    for (const der of [Buffer.alloc(0), Buffer.from("00")]) await responder.respond(der);
    const families = readMetrics(metricsText(responder));
    const [requests, signatures, responses] = ["requests", "signatures", "responses"].map(
      (name) => families.get(`tlstaple_responder_${name}_total`)!,
    );
    return { requests, signatures, responses };
  }
});

function makeResponder() {
  const { chain, keyFile } = credential("p256", "ocsp-intermediate1");
  const signer = { cert: chain[0], key: readFileSync(keyFile) };
  const index = fixtureFile("good/p256/index-intermediate1.txt");
  return createResponder({
    authorities: [{ issuer: credential("p256", "intermediate1").chain[0], index, signer }],
  });
}

test("sources with the same metric: counters are added, of gauges the least counts", (t) => {
  const counter = (value: number, room: string): Metric => {
    return { name: "seen_total", type: "counter", help: "Seen", samples: [{ labels: { room }, value }] };
  };
  const gauge = (value: number): Metric => ({
    name: "left",
    type: "gauge",
    help: "Left",
    samples: [{ value }],
  });
  const all = metricsText(
    source(counter(1, "a"), gauge(5)),
    source(counter(2, "a"), gauge(3), counter(4, "b")),
  );
  const families = readMetrics(all);
  t.deepEqual(families.get("seen_total")!.samples, [
    { labels: { room: "a" }, value: 3 },
    { labels: { room: "b" }, value: 4 },
  ]);
  t.deepEqual(families.get("left")!.samples, [{ labels: {}, value: 3 }]);
});

const wild = '"\\\n},x{=\u202e|ü';

test("no label and no help ends its line or its quotes", (t) => {
  const help = 'a "b"\\\nc';
  const metric: Metric = {
    name: "a_total",
    type: "counter",
    help,
    samples: [{ labels: { wild }, value: 1 }],
  };
  const [family] = readMetrics(metricsText(source(metric))).values();
  t.deepEqual(family, { type: "counter", help, samples: [{ labels: { wild }, value: 1 }] });
});

test("the handler answers GET and HEAD, and nothing else", async (t) => {
  const metric: Metric = { name: "a", type: "gauge", help: "ü", samples: [{ value: 0.5 }] };
  const port = await listen(t, createServer(metricsHandler(source(metric))));
  const at = `http://127.0.0.1:${port}/any`;
  const got = await fetch(at);
  t.is(got.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  const body = await got.text();
  t.is(body, "# HELP a ü\n# TYPE a gauge\na 0.5\n");
  const head = await fetch(at, { method: "HEAD" });
  t.is(head.headers.get("content-length"), `${Buffer.byteLength(body)}`);
  t.is(await head.text(), "");
  const posted = await fetch(at, { method: "POST", body: "x" });
  t.is(posted.status, 405);
  t.is(posted.headers.get("allow"), "GET, HEAD");
});

withPeer("promtool")("promtool finds nothing to complain of", async (t) => {
  const pki = makePki({ urls: [url] });
  const { stapler } = scripted(pki);
  await stapler.staples(pki.chain, 2);
  t.is(await promtool(metricsText(stapler, await makeResponder())), "");
  const metric: Metric = {
    name: "a_total",
    type: "counter",
    help: wild,
    samples: [{ labels: { wild }, value: 1 }],
  };
  t.is(await promtool(metricsText(source(metric))), "");
  t.regex(await promtool('a_total{b="c} 1\n'), /error while linting/);
});

const page = readFileSync(fixtureFile("../docs/operations.md"), "utf8");

withPeer("promtool")("the page's rules are rules", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "tlstaple-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "rules.yml");
  writeFileSync(file, /```yaml\n([^`]*)```/.exec(page)![1]);
  t.regex(
    execFileSync(tool("promtool"), ["check", "rules", file], { encoding: "utf8" }),
    /SUCCESS: 3 rules found/,
  );
});

test("the page has each metric", async (t) => {
  const { stapler } = scripted(makePki({ urls: [url] }));
  for (const name of readMetrics(metricsText(stapler, await makeResponder())).keys()) {
    const counter = /^tlstaple_stapler_(.*)_total$/.exec(name)?.[1];
    t.true(page.includes(counter ? `\`${counter}\`` : `\`${name}`), name);
  }
});

/** What it says of a text. */
async function promtool(exposition: string): Promise<string> {
  const child = spawn(tool("promtool"), ["check", "metrics"], { timeout: 20_000 });
  child.stdin.end(exposition);
  const said = await Promise.all([text(child.stdout), text(child.stderr)]);
  return said.join("");
}
