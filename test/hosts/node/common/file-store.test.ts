import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import test from "ava";
import { FileStore } from "../../../../hosts/node/index.js";
import { scratch } from "../scratch.js";

const pass = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const MINUTE = 60_000;

test("values are what they were, of their owner alone, until they end", async (t) => {
  const directory = join(scratch(t), "not", "there");
  const store = new FileStore(directory);
  t.is(await store.get("key"), undefined);
  await store.set("key", "värde", MINUTE);
  await store.set("key", "value", MINUTE);
  await store.set("brief", "value", 150);
  const other = new FileStore(directory);
  t.is(await other.get("key"), "value");
  t.is(await other.get("brief"), "value");
  t.is(statSync(directory).mode & 0o777, 0o700);
  for (const name of readdirSync(directory)) t.is(statSync(join(directory, name)).mode & 0o777, 0o600);
  await pass(160);
  t.is(await other.get("brief"), undefined);
  await store.delete("key");
  await store.delete("key");
  t.is(await other.get("key"), undefined);
  await store.set("next", "value", MINUTE);
  t.deepEqual(readdirSync(directory), ["next.value"], "what has ended is gone");
});

test("a key is a name within the directory, whatever it is", async (t) => {
  const directory = scratch(t);
  const store = new FileStore(directory);
  const keys = ["../../etc/passwd", "/", "..", ".", "a:b", "a/b", "%2F", "", "\0"];
  for (const key of keys) await store.set(key, `of ${key}`, MINUTE);
  for (const key of keys) t.is(await store.get(key), `of ${key}`);
  t.is(readdirSync(directory).length, keys.length);
});

test("add: of many at once one succeeds, of what has ended too", async (t) => {
  const directory = scratch(t);
  const stores = Array.from({ length: 8 }, () => new FileStore(directory));
  const tries = () => Promise.all(stores.map((store, i) => store.add("lease", `${i}`, 200)));
  for (let round = 0; round < 3; round++) {
    const done = await tries();
    t.is(done.filter(Boolean).length, 1, `${round}`);
    t.is(await stores[0].get("lease"), `${done.indexOf(true)}`);
    t.deepEqual(readdirSync(directory), ["lease.value"]);
    await pass(220);
  }
  await stores[3].set("lease", "other", MINUTE);
  const there = statSync(join(directory, "lease.value")).ctimeMs;
  t.false((await tries()).includes(true));
  t.is(statSync(join(directory, "lease.value")).ctimeMs, there, "what is there is not touched");
  t.is(await stores[0].get("lease"), "other");
  await stores[3].delete("lease");
  t.is((await tries()).filter(Boolean).length, 1);
});

test("what is huge, or no file, is not read", async (t) => {
  const directory = scratch(t);
  const store = new FileStore(directory, { maxBytes: 100 });
  await store.set("huge", "a".repeat(101), MINUTE);
  await t.throwsAsync(store.get("huge"), { message: /is no file of 100 bytes/ });
  const usual = new FileStore(directory);
  await usual.set("large", "a".repeat(131_072), MINUTE);
  t.is((await usual.get("large"))?.length, 131_072);
  await usual.set("huge", "a".repeat(131_073), MINUTE);
  await t.throwsAsync(usual.get("huge"), { message: /is no file of 131072 bytes/ });
  mkdirSync(join(directory, "folder.value"));
  await t.throwsAsync(store.add("folder", "value", MINUTE), { message: /is no file/ });
  t.true(statSync(join(directory, "folder.value")).isDirectory());
  execFileSync("mkfifo", [join(directory, "pipe.value")]);
  await t.throwsAsync(store.get("pipe"), { message: /is no file/ });
});

test("no more files than allowed; what others put there stays, what a crash left goes", async (t) => {
  const directory = scratch(t);
  const left = `a.value.${"b".repeat(16)}`;
  const fresh = `c.value.${"d".repeat(16)}`;
  for (const name of ["README", left, fresh]) writeFileSync(join(directory, name), "");
  mkdirSync(join(directory, "folder.value"));
  utimesSync(join(directory, left), 1, 1);
  const store = new FileStore(directory, { maxFiles: 5 });
  for (let i = 0; i < 12; i++) await store.set(`${i}`, "value", MINUTE + i);
  const names = readdirSync(directory).sort();
  const values = [7, 8, 9, 10, 11].map((i) => `${i}.value`);
  t.deepEqual(names, ["README", fresh, "folder.value", ...values].sort());
});

test("a file that cannot be replaced is told, and leaves nothing behind", async (t) => {
  const directory = scratch(t);
  const store = new FileStore(directory);
  mkdirSync(join(directory, "key.value", "in the way"), { recursive: true });
  await t.throwsAsync(store.set("key", "value", MINUTE), { code: "EISDIR" });
  t.is(readdirSync(directory).length, 1);
  await store.set("other", "value", MINUTE);
  t.is(await store.get("other"), "value", "the next write is not held up");
});

test("a directory that is gone: the reason is that of writing, not of tidying up after it", async (t) => {
  const directory = scratch(t);
  const store = new FileStore(directory);
  rmSync(directory, { recursive: true });
  await t.throwsAsync(store.set("key", "value", MINUTE), { code: "ENOENT", message: /open/ });
  t.false(existsSync(directory));
});

test("a directory that cannot be made is refused at once, and so is an option that there is not", (t) => {
  const directory = scratch(t);
  writeFileSync(join(directory, "file"), "");
  t.throws(() => new FileStore(join(directory, "file")), { code: "EEXIST" });
  t.is(readFileSync(join(directory, "file"), "utf8"), "");
  t.throws(() => new FileStore(directory, { maxFile: 3 } as never), {
    code: "ERR_TLSTAPLE_OPTION_UNSUPPORTED",
  });
});
