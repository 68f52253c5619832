import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import {
  type FaultName,
  Stapler,
  type StaplerFailure,
  type StaplerOptions,
  type TlsError,
} from "../../../../hosts/node/index.js";
import { handClock, type Link, makeLeaf, makePki, respond, source, until } from "./responders.js";

const url = "http://ocsp.invalid";
const { ca, leaf, chain } = makePki({ urls: [url] });
const other = makeLeaf(ca, [url]);

function scratch(t: ExecutionContext): string {
  const directory = mkdtempSync(join(tmpdir(), "staples-"));
  t.teardown(() => rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 }));
  return directory;
}

function open(directory: string, options: StaplerOptions = {}, links: readonly Link[] = [leaf, other]) {
  const fetch = source(
    (link) => respond(link),
    () => links,
  );
  const stapler = new Stapler({ directory, fetch, ...options });
  const failures: StaplerFailure[] = [];
  stapler.on("failure", (failure) => failures.push(failure));
  return { stapler, fetch, failures };
}

const staples = (directory: string) =>
  readdirSync(directory).filter((name) => /^[0-9a-f]{64}\.ocsp$/.test(name));

/** A directory with the leaf's staple; the path of its file. */
async function saved(t: ExecutionContext, directory = scratch(t)): Promise<string> {
  const { stapler } = open(directory);
  await stapler.staples(chain, 1);
  await until(() => readdirSync(directory).length === 1 && staples(directory).length === 1, "the file");
  stapler.close();
  return join(directory, staples(directory)[0]);
}

test("after a restart there is no request", async (t) => {
  const directory = join(scratch(t), "not", "there", "yet");
  const file = await saved(t, directory);
  const { stapler, fetch } = open(directory);
  const ready = stapler.ready(chain, 1)!;
  t.deepEqual(Buffer.from(ready.staples[0]!), readFileSync(file));
  t.is(fetch.count, 0);
  t.like(stapler.counters, { loaded: 1, hits: 1, requests: 0 });
});

test("a restart continues the schedule: what ends soon is refreshed", async (t) => {
  const directory = scratch(t);
  await saved(t, directory);
  const clock = handClock();
  clock.now += 3000;
  const { stapler, fetch } = open(directory, { clock, random: () => 0 });
  t.truthy(stapler.ready(chain, 1)!.staples[0]);
  t.is(fetch.count, 0);
  clock.now += 280;
  t.truthy(stapler.ready(chain, 1)!.staples[0]);
  t.is(fetch.count, 1);
});

const bad: [string, () => Uint8Array, FaultName][] = [
  ["tampered with", () => flip(respond(leaf)), "OCSP_SIGNATURE"],
  ["of another certificate", () => respond(other), "OCSP_WRONG_CERT"],
  ["stale", () => respond(leaf, { thisUpdate: Math.floor(Date.now() / 1000) - 9000 }), "OCSP_EXPIRED"],
  ["about to end", () => respond(leaf, { thisUpdate: Math.floor(Date.now() / 1000) - 3590 }), "OCSP_EXPIRED"],
  ["unknown", () => respond(leaf, { status: "unknown" }), "OCSP_CERT_UNKNOWN"],
  ["cut off", () => respond(leaf).subarray(0, 50), "OCSP_MALFORMED"],
  ["empty", () => Buffer.alloc(0), "OCSP_MALFORMED"],
];

function flip(der: Buffer): Buffer {
  der[der.length - 1] ^= 1;
  return der;
}

for (const [what, contents, code] of bad)
  test(`a file that is ${what} is removed, and fetched anew`, async (t) => {
    const file = await saved(t);
    writeFileSync(file, contents());
    const { stapler, fetch, failures } = open(join(file, ".."));
    t.is(stapler.ready(chain, 1), undefined);
    t.false(existsSync(file));
    t.like(stapler.counters, { loaded: 0, rejected: 1 });
    t.truthy((await stapler.staples(chain, 1)).staples[0]);
    await until(() => failures.length > 0, "the failure");
    t.is((failures[0].error as TlsError).code, code);
    t.is(fetch.count, 1);
    await until(() => existsSync(file), "the new file");
  });

test("a revocation survives a restart, and a good response that is older does not replace it", async (t) => {
  const file = await saved(t);
  const revoked = respond(leaf, { status: "revoked" });
  writeFileSync(file, revoked);
  const { stapler } = open(join(file, ".."));
  t.deepEqual(Buffer.from(stapler.ready(chain, 1)!.staples[0]!), revoked);
});

test("what is huge, or no file, is not read", async (t) => {
  const file = await saved(t);
  writeFileSync(file, Buffer.alloc(70_000));
  const huge = open(join(file, ".."));
  t.truthy((await huge.stapler.staples(chain, 1)).staples[0]);
  await until(() => readFileSync(file).length < 70_000, "its replacement");
  await until(() => huge.failures.length === 1, "the failure");
  rmSync(file);
  execFileSync("mkfifo", [file]);
  const pipe = open(join(file, ".."));
  t.truthy((await pipe.stapler.staples(chain, 1)).staples[0]);
  await until(() => pipe.failures.length === 1, "the failure");
  t.regex((pipe.failures[0].error as Error).message, /is no file/);
});

test("what does not count is never saved", async (t) => {
  const directory = scratch(t);
  const { stapler } = open(directory, { fetch: async () => flip(respond(leaf)) });
  await stapler.staples(chain, 1);
  await new Promise((resolve) => setTimeout(resolve, 50));
  t.deepEqual(readdirSync(directory), []);
});

test("no more files than entries; what others put there stays, what a crash left goes", async (t) => {
  const directory = scratch(t);
  const left = `${"a".repeat(64)}.ocsp.${"b".repeat(16)}`;
  for (const name of ["README", left, `${"c".repeat(64)}.ocsp.${"d".repeat(16)}`])
    writeFileSync(join(directory, name), "");
  utimesSync(join(directory, left), 1, 1);
  const leaves = Array.from({ length: 12 }, () => makeLeaf(ca, [url]));
  const { stapler } = open(directory, { maxEntries: 5 }, leaves);
  const ids: string[] = [];
  stapler.on("staple", ({ id }) => ids.push(id));
  for (const each of leaves) await stapler.staples([each.der, ca.der], 1);
  await until(() => ids.length === 12 && existsSync(join(directory, `${ids[11]}.ocsp`)), "the last file");
  await until(() => staples(directory).length === 5 && readdirSync(directory).length === 7, "the rest");
  const names = readdirSync(directory);
  t.true(names.includes("README"));
  t.false(names.includes(left), "an old temporary file");
});

test("a file that cannot be replaced is told, and leaves nothing behind", async (t) => {
  const file = await saved(t);
  rmSync(file);
  mkdirSync(join(file, "in the way"), { recursive: true });
  const { stapler, failures } = open(join(file, ".."));
  t.truthy((await stapler.staples(chain, 1)).staples[0]);
  await until(() => failures.length === 2, "failures to read and to write");
  t.is(readdirSync(join(file, "..")).length, 1);
});

test("a directory that cannot be written to is told, and nothing else", async (t) => {
  const directory = scratch(t);
  const { stapler, failures } = open(directory);
  rmSync(directory, { recursive: true });
  t.truthy((await stapler.staples(chain, 1)).staples[0]);
  await until(() => failures.length > 0, "the failure");
  t.is((failures[0].error as NodeJS.ErrnoException).code, "ENOENT");
  t.truthy(stapler.ready(chain, 1)!.staples[0]);
});

test("a directory that cannot be made is refused at once", (t) => {
  const directory = scratch(t);
  writeFileSync(join(directory, "file"), "");
  t.throws(() => new Stapler({ directory: join(directory, "file") }), { code: "EEXIST" });
});
