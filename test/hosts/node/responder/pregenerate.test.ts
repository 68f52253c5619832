import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { get as httpGet, type IncomingMessage } from "node:http";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { integer } from "../../../../certs/der.js";
import { credential, fixtureFile, NOW } from "../../../../certs/fixtures.js";
import { certId } from "../../../../certs/response.js";
import { run } from "../../../../hosts/node/commands/program.js";
import { describeResponse } from "../../../../hosts/node/common/describe.js";
import { lookupStatus, Stapler } from "../../../../hosts/node/index.js";
import {
  type AuthorityOptions,
  createResponder,
  listen,
  pregenerate,
  type Responder,
} from "../../../../hosts/node/responder/index.js";
import { serialOctets, serialText } from "../../../../hosts/node/responder/index-file.js";
import { pathOf } from "../../../../hosts/node/responder/pregenerate.js";
import { openssl } from "../../../peers/openssl.js";
import { nginxOf } from "../../../peers/peers.js";
import { withPeer } from "../../../peers/with-peer.js";
import { scratch } from "../scratch.js";
import {
  authority,
  authorityOptions,
  indexLine,
  ocspRequest,
  requestOf,
  responderOf,
  signerOptions,
  temporaryFile,
} from "./fixtures.js";

/** Responses that are signed ahead, into files. */

/** All files, by their paths. */
function filesIn(directory: string): string[] {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

function foldersIn(directory: string): string[] {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
}

const statusIn = (file: string) => describeResponse(readFileSync(file)).responses![0].certStatus;

test("a response for each certificate by both hashes, under the path of its GET", async (t) => {
  const directory = join(scratch(t), "not", "there");
  t.deepEqual(await pregenerate(await responderOf(), directory), { signed: 12, kept: 0, removed: 0 });
  t.is(filesIn(directory).length, 12);
  const issuer = authority("p256", "intermediate1");
  for (const [serial, status] of [
    [5, "good"],
    [6, "revoked"],
  ] as const)
    for (const hash of ["sha1", "sha256"] as const) {
      const request = ocspRequest({ certIds: [certId(issuer, integer(serial), hash)] });
      const file = join(directory, pathOf(request));
      t.is(statusIn(file), status);
      t.is(statSync(file).mtimeMs, NOW * 1000, "Last-Modified is thisUpdate");
      t.is(statSync(file).mode & 0o777, 0o644);
    }
});

test("a path has the slashes of base64 as folders, and an index where it ends with one", (t) => {
  const decoded = (text: string) => pathOf(Buffer.from(text, "base64"));
  t.is(decoded("MEIw+/w="), "MEIw+/w=");
  t.is(decoded("ME//Iw//+Ao="), "ME/Iw/+Ao=");
  t.is(decoded("MEIwQDA/"), "MEIwQDA/index.html");
  t.is(decoded("MEIwQD//"), "MEIwQD/index.html");
  t.is(pathOf(Buffer.alloc(189)).length, 252);
  t.throws(() => pathOf(Buffer.alloc(190)), { name: "ResponderError", message: /too long/ });
});

test("serial numbers are the octets that they stand for", (t) => {
  const cases = {
    "00": "00",
    "05": "05",
    "7F": "7f",
    "80": "0080",
    FF: "00ff",
    "0100": "0100",
    "-01": "ff",
    "-80": "80",
    "-81": "ff7f",
    "-0100": "ff00",
    ABCDEF: "00abcdef",
  };
  for (const [text, hex] of Object.entries(cases)) {
    t.is(serialOctets(text).toString("hex"), hex, text);
    t.is(serialText(Uint8Array.from(Buffer.from(hex, "hex")).buffer), text);
  }
});

/** A responder whose clock and index are ours. */
async function scene(t: ExecutionContext, more: Partial<AuthorityOptions> = {}) {
  const index = temporaryFile(t, indexLine("05") + indexLine("06"));
  const clock = Object.assign(() => clock.now, { now: NOW });
  const options = { clock };
  const open = (validity = 3600) => responderOf("p256", { index, ...more }, { ...options, validity });
  const write = (...lines: string[]) => writeFileSync(index, lines.join(""));
  return { directory: scratch(t), clock, open, write, responder: await open() };
}

test("what stands is left, until half of its validity is over", async (t) => {
  const { directory, clock, responder, open } = await scene(t);
  t.like(await pregenerate(responder, directory), { signed: 4, kept: 0 });
  const before = filesIn(directory).map((file) => readFileSync(file));
  clock.now += 1799;
  t.like(await pregenerate(await open(), directory), { signed: 0, kept: 4 });
  t.deepEqual(
    filesIn(directory).map((file) => readFileSync(file)),
    before,
  );
  clock.now += 1;
  t.like(await pregenerate(await open(), directory), { signed: 4, kept: 0 });
  clock.now -= 10;
  t.like(await pregenerate(await open(), directory), { signed: 4 }, "from the future");
});

test("a change of status, of validity or of signer is signed at once", async (t) => {
  const { directory, clock, responder, open, write } = await scene(t);
  await pregenerate(responder, directory);
  clock.now += 60;
  write(indexLine("05"), indexLine("06", "250601000000Z,keyCompromise"));
  t.deepEqual(await pregenerate(responder, directory), { signed: 2, kept: 2, removed: 0 });
  const revoked = join(directory, pathOf(requestOf(6)));
  t.is(statusIn(revoked), "revoked");
  write(indexLine("05"), indexLine("06", "250601000000Z,superseded"));
  t.like(await pregenerate(responder, directory), { signed: 2, kept: 2 });
  t.like(await pregenerate(await open(7200), directory), { signed: 4 });
  const others = readFileSync(credential("p256", "intermediate1").certificateFile);
  const more = { signer: signerOptions("p256", "ocsp-intermediate1", { others }) };
  const talkative = await createResponder({
    authorities: [authorityOptions("p256", "intermediate1", more)],
    validity: 7200,
    clock,
  });
  t.is((await pregenerate(talkative, directory)).kept, 0, "it sends one certificate more");
  const { certificateFile, keyFile } = credential("p256", "intermediate1");
  const own = { cert: readFileSync(certificateFile), key: readFileSync(keyFile) };
  const authorities = [authorityOptions("p256", "intermediate1", { signer: own })];
  const other = await createResponder({ authorities, validity: 7200, clock });
  t.is((await pregenerate(other, directory)).kept, 0);
});

test("a damaged file is signed anew", async (t) => {
  const { directory, responder } = await scene(t);
  await pregenerate(responder, directory);
  const [empty, cut, other, last] = filesIn(directory);
  const whole = readFileSync(last);
  writeFileSync(empty, "");
  writeFileSync(cut, readFileSync(cut).subarray(0, 100));
  writeFileSync(other, whole);
  t.like(await pregenerate(responder, directory), { signed: 3, kept: 1 });
});

test("what the index lost is removed, with its folders; what is others' stays", async (t) => {
  const { directory, clock, responder, write } = await scene(t);
  const serials = Array.from({ length: 300 }, (_, i) => (0x100000 + i * 7919).toString(16).toUpperCase());
  write(...serials.map((serial) => indexLine(serial)), indexLine("05"), indexLine("07"));
  await pregenerate(responder, directory);
  const before = foldersIn(directory).length;
  t.true(before > 10, "some base64 has a slash");
  await pregenerate(await responderOf("rsa"), directory);
  const others = ["README", "sub/README", ".tlstaple-0123456789abcdef"].map((name) => join(directory, name));
  mkdirSync(join(directory, "sub"));
  mkdirSync(join(directory, "empty"));
  for (const file of others) writeFileSync(file, "not ours");
  const left = join(directory, ".tlstaple-fedcba9876543210");
  writeFileSync(left, "");
  utimesSync(left, 1, 1);
  write(indexLine("05"), indexLine("07", "", "E"));
  clock.now += 1;
  t.deepEqual(await pregenerate(responder, directory), { signed: 0, kept: 2, removed: 602 });
  const rest = filesIn(directory);
  t.is(rest.length, 2 + 2 * 5 + others.length);
  for (const file of others) t.true(rest.includes(file));
  const bare = foldersIn(directory).filter((folder) => readdirSync(folder).length === 0);
  t.deepEqual(bare, [join(directory, "empty")]);
  t.true(foldersIn(directory).length < before);
});

test("without an index file, or nextUpdate, there is nothing to sign ahead", async (t) => {
  const directory = scratch(t);
  const lookup = await responderOf("p256", { index: () => ({ status: "good" }) });
  await t.throwsAsync(pregenerate(lookup, directory), { name: "ResponderError", message: /index file/ });
  const endless = await responderOf("p256", {}, { validity: undefined });
  await t.throwsAsync(pregenerate(endless, directory), { name: "ResponderError", message: /nextUpdate/ });
  t.deepEqual(filesIn(directory), []);
});

test("a place that cannot be written to is an error, and leaves nothing half done", async (t) => {
  const { directory, responder } = await scene(t);
  const file = join(directory, pathOf(requestOf(5)));
  mkdirSync(join(file, "in the way"), { recursive: true });
  await t.throwsAsync(pregenerate(responder, directory), { code: "EISDIR" });
  t.deepEqual(
    readdirSync(directory).filter((name) => name.startsWith(".")),
    [],
  );
});

// ---- The command

const files = (name: string) => credential("p256", name);
const command = (index: string, directory: string, ...more: string[]) => [
  "responder",
  ...["-pregenerate", directory, "-index", index],
  ...["-CA", files("intermediate1").certificateFile],
  ...["-rsigner", files("ocsp-intermediate1").certificateFile],
  ...["-rkey", files("ocsp-intermediate1").keyFile],
  ...more,
];

async function said(args: string[]) {
  let text = "";
  const write = (chunk: string | Uint8Array) => {
    text += chunk;
    return true;
  };
  const code = await run(args, { write }, { write });
  return { code, text };
}

test.serial("-pregenerate says what it did, and ends", async (t) => {
  const directory = scratch(t);
  const index = fixtureFile("good/p256/index-intermediate1.txt");
  const first = await said(command(index, directory, "-nmin", "5"));
  t.deepEqual(first, { code: 0, text: `${directory}: 12 signed, 0 kept, 0 removed\n` });
  const second = await said(command(index, directory, "-nmin", "5"));
  t.is(second.text, `${directory}: 0 signed, 12 kept, 0 removed\n`);
  for (const more of [[], ["-nmin", "5", "-port", "80"], ["-nmin", "5", "-nrequest", "1"], ["-nmin", "0"]]) {
    const wrong = await said(command(index, directory, ...more));
    t.is(wrong.code, 2, `${more}`);
    t.regex(wrong.text, /pregenerate/);
  }
  const away = await said(command(`${index}.gone`, directory, "-nmin", "5"));
  t.is(away.code, 2);
  const blocked = join(directory, "file");
  writeFileSync(blocked, "");
  const failed = await said(command(index, blocked, "-nmin", "5"));
  t.is(failed.code, 1);
  t.regex(failed.text, /EEXIST/);
});

// ---- nginx, as docs/operations.md has it

const page = readFileSync(new URL("../../../../../docs/operations.md", import.meta.url), "utf8");
const [, block] = /```nginx\n([^`]*)```/.exec(page)!;

function replaced(text: string, from: string, to: string): string {
  if (!text.includes(from)) throw new Error(`the page has no ${from}`);
  return text.replace(from, to);
}

/** nginx before this directory, with a responder for what is not in it. */
async function serveFiles(t: ExecutionContext, directory: string, responder: Responder) {
  const live: string[] = [];
  const onExchange = ({ method }: { method: string }) => live.push(method);
  const behind = await listen(responder, { onExchange });
  t.teardown(() => behind.close());
  const { port: back } = behind.address() as { port: number };
  chmodSync(directory, 0o755);
  const peer = await nginxOf((_, port) => {
    const listening = replaced(block, "listen 80;", `listen 127.0.0.1:${port};`);
    const rooted = replaced(listening, "root /var/lib/ocsp;", `root ${directory};`);
    return replaced(rooted, "127.0.0.1:2560", `127.0.0.1:${back}`);
  });
  t.teardown(() => peer.stop());
  return { url: `http://127.0.0.1:${peer.port}`, port: peer.port, live };
}

/** The path as it stands goes over the wire: no client library mends it. */
function fetchPath(port: number, path: string, headers: Record<string, string> = {}) {
  return new Promise<{ response: IncomingMessage; body: Buffer }>((resolve, reject) => {
    httpGet({ host: "127.0.0.1", port, path, headers, agent: false }, async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk as Buffer);
      resolve({ response, body: Buffer.concat(chunks) });
    }).on("error", reject);
  });
}

const nginx = withPeer("nginx", "openssl");
const responderNow = (index: string, validity = 14_400) =>
  responderOf("p256", { index }, { clock: undefined, validity });
const pair = (name: string) => {
  const [certificate, issuer] = credential("p256", name).chain;
  return { certificate, issuer };
};

nginx("nginx serves what our own clients and openssl verify, with the headers of RFC 9919", async (t) => {
  const directory = scratch(t);
  const responder = await responderNow(fixtureFile("good/p256/index-intermediate1.txt"));
  await pregenerate(responder, directory);
  const { url, port, live } = await serveFiles(t, directory, responder);

  t.is((await lookupStatus(pair("server1"), { overrideUrl: url })).verdict.status, "good");
  t.is((await lookupStatus(pair("server2"), { overrideUrl: url })).fault, "OCSP_CERT_REVOKED");
  const stapler = new Stapler({ overrideUrl: url });
  t.teardown(() => stapler.close());
  const { staples } = await stapler.staples(credential("p256", "server1").chain, 1);
  t.truthy(staples[0]);
  t.like(stapler.counters, { requests: 1, failures: 0 });

  const file = (name: string) => credential("p256", name).certificateFile;
  const folder = scratch(t);
  for (const hash of ["-sha1", "-sha256"]) {
    const request = join(folder, "request");
    const response = join(folder, "response");
    const about = ["-issuer", file("intermediate1"), hash, "-cert", file("server1")];
    await openssl("ocsp", "-no_nonce", ...about, "-reqout", request);
    const path = `/${encodeURIComponent(readFileSync(request).toString("base64"))}`;
    t.true(path.length < 255);
    const { body } = await fetchPath(port, path);
    writeFileSync(response, body);
    const text = await openssl("ocsp", ...about, "-respin", response, "-CAfile", file("root"));
    t.regex(`${text}`, /server1\.pem: good/);
  }

  const path = `/${encodeURIComponent(requestOf(5).toString("base64"))}`;
  const { response, body } = await fetchPath(port, path);
  const [{ thisUpdate }] = describeResponse(body).responses!;
  const { headers } = response;
  t.is(response.statusCode, 200);
  t.is(headers["content-type"], "application/ocsp-response");
  t.is(Date.parse(headers["last-modified"]!), Date.parse(thisUpdate));
  t.is(Date.parse(headers.expires!), Date.parse(thisUpdate) + 7_200_000);
  const [, age] = /max-age=(\d+)/.exec(headers["cache-control"]!)!;
  t.true(Number(age) <= 7200 && Number(age) > 7100, age);
  t.regex(headers["cache-control"]!, /public, no-transform, must-revalidate/);
  const again = await fetchPath(port, path, { "if-none-match": headers.etag! });
  t.is(again.response.statusCode, 304);
  const since = await fetchPath(port, path, { "if-modified-since": headers["last-modified"]! });
  t.is(since.response.statusCode, 304);
  t.deepEqual(live, [], "nobody asked the responder");
});

/** Serial numbers whose requests have in their base64 what is hard on servers. */
function awkward(): Record<string, string> {
  const wanted: Record<string, RegExp> = {
    "a slash at the end": /[^/]\/$/,
    "two at the end": /\/\/$/,
    "two in a row": /\/\/.*[^/]$/,
    "three in a row": /\/\/\/.*[^/]$/,
    "a plus": /\+[^/]*$/,
    "slashes apart": /\/[^/]+\/[^/]+$/,
  };
  const found: Record<string, string> = {};
  const issuer = authority("p256", "intermediate1");
  for (let i = 0; Object.keys(found).length < Object.keys(wanted).length; i++) {
    const serial = (0x3f_0000_0000n + BigInt(i) * 0x1003fn).toString(16).toUpperCase();
    const tail = ocspRequest({ certIds: [certId(issuer, integer(BigInt(`0x${serial}`)))] })
      .toString("base64")
      .slice(-10);
    for (const [what, pattern] of Object.entries(wanted))
      if (pattern.test(tail)) found[what] ??= serial.length % 2 ? `0${serial}` : serial;
    if (i > 3_000_000) throw new Error(`no serial for ${Object.keys(wanted).filter((what) => !found[what])}`);
  }
  return found;
}

nginx("slashes, pluses and equals signs, escaped or not, are one file", async (t) => {
  const serials = awkward();
  const index = temporaryFile(
    t,
    [...new Set(Object.values(serials))].map((serial) => indexLine(serial)).join(""),
  );
  const directory = scratch(t);
  const responder = await responderNow(index);
  await pregenerate(responder, directory);
  const { port, live } = await serveFiles(t, directory, responder);
  const issuer = authority("p256", "intermediate1");
  for (const [what, serial] of Object.entries(serials))
    for (const hash of ["sha1", "sha256"] as const) {
      const number = integer(BigInt(`0x${serial}`));
      const base64 = ocspRequest({ certIds: [certId(issuer, number, hash)] }).toString("base64");
      const escaped = encodeURIComponent(base64);
      for (const path of [escaped, escaped.replace(/%../g, (code) => code.toLowerCase()), base64]) {
        const { response, body } = await fetchPath(port, `/${path}`);
        t.is(response.statusCode, 200, `${what}: ${path}`);
        t.is(
          describeResponse(body).responses![0].certID.serialNumber.toUpperCase(),
          serial,
          `${what}: ${path}`,
        );
        t.is(response.headers["content-type"], "application/ocsp-response");
      }
    }
  t.deepEqual(live, []);
});

nginx("what is not signed ahead is the responder's: POST, nonces, strangers, nonsense", async (t) => {
  const directory = scratch(t);
  const responder = await responderNow(fixtureFile("good/p256/index-intermediate1.txt"));
  await pregenerate(responder, directory);
  const { url, port, live } = await serveFiles(t, directory, responder);
  t.is((await lookupStatus(pair("server1"), { overrideUrl: url, nonce: true })).verdict.status, "good");
  t.is((await lookupStatus(pair("server1"), { overrideUrl: url, get: false })).verdict.status, "good");
  t.deepEqual(live, ["POST", "POST"]);
  const file = (name: string) => credential("p256", name).certificateFile;
  const about = ["-issuer", file("intermediate1"), "-cert", file("server1"), "-CAfile", file("root")];
  t.regex(`${await openssl("ocsp", ...about, "-url", url)}`, /server1\.pem: good/);
  const stranger = encodeURIComponent(requestOf(0x77).toString("base64"));
  t.is(describeResponse((await fetchPath(port, `/${stranger}`)).body).responses![0].certStatus, "unknown");
  for (const path of ["/", "/nonsense", "/..%2f..%2fetc%2fpasswd", "/.tlstaple-0123456789abcdef"]) {
    const { response, body } = await fetchPath(port, path);
    t.true(response.statusCode === 400 || describeResponse(body).responseStatus === "malformedRequest", path);
  }
});

nginx("while files are replaced, each answer is a whole one", async (t) => {
  const index = temporaryFile(t, indexLine("05"));
  const directory = scratch(t);
  const clock = Object.assign(() => clock.now, { now: Math.floor(Date.now() / 1000) - 1000 });
  const open = () => responderOf("p256", { index }, { clock, validity: 14_400 });
  await pregenerate(await open(), directory);
  const { url } = await serveFiles(t, directory, await open());
  let replacing = true;
  const replacements = (async () => {
    for (let i = 0; i < 40; i++) {
      writeFileSync(index, indexLine("05", i % 2 ? "" : `250601${`${i}`.padStart(6, "0")}Z`));
      await pregenerate(await open(), directory);
    }
    replacing = false;
  })();
  const seen = new Set<string | undefined>();
  while (replacing) seen.add((await lookupStatus(pair("server1"), { overrideUrl: url })).fault);
  await replacements;
  t.deepEqual([...seen].sort(), ["OCSP_CERT_REVOKED", undefined]);
});
