/** What becomes of a command whose output, or a file beside it, can't be written: real pipes, and a full disk. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import test, { type ExecutionContext } from "ava";
import { credential } from "../../../certs/fixtures.js";
import { connect } from "../../../hosts/node/index.js";
import { serveOurs } from "./ours.js";

const cli = fileURLToPath(new URL("../../../hosts/node/cli.js", import.meta.url));
const root = credential("p256", "root").certificateFile;
const leaf = credential("p256", "server1");
const full = existsSync("/dev/full");

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

type Standard = "pipe" | "broken" | number;

/** Runs the command; `meanwhile` what it has written first. */
async function run(
  args: string[],
  [out, err]: [Standard, Standard],
  meanwhile?: () => Promise<unknown>,
): Promise<Ended> {
  const stdio = [out, err].map((each) => (each === "broken" ? "pipe" : each)) as (number | "pipe")[];
  const child = spawn(process.execPath, [cli, ...args], { stdio: ["ignore", ...stdio], timeout: 60_000 });
  const ended = once(child, "close");
  const said = ["", ""];
  for (const [i, stream] of [child.stdout, child.stderr].entries())
    stream?.setEncoding("utf8").on("data", (text) => {
      said[i] += text;
    });
  if (out === "broken") child.stdout?.destroy();
  if (err === "broken") child.stderr?.destroy();
  await meanwhile?.();
  const [code] = await ended;
  return { code, stdout: said[0], stderr: said[1] };
}

function temporary(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), "tlstaple-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Each command with what it needs to come to its end by itself. */
const commands: Record<string, (t: ExecutionContext) => Promise<[string[], (() => Promise<unknown>)?]>> = {
  help: async () => [["client", "--help"]],
  inspect: async () => [["inspect", leaf.certificateFile]],
  "inspect --json": async () => [["inspect", leaf.certificateFile, "--json"]],
  client: async (t) => [await toOurs(t)],
  "client --json --trace": async (t) => [[...(await toOurs(t)), "--json", "--trace"]],
  "client --trace": async (t) => [[...(await toOurs(t)), "--trace"]],
  server: (t) => ourServer(t),
  "server --json --trace": (t) => ourServer(t, "--json", "--trace"),
  responder: (t) => ourResponder(t),
};

async function toOurs(t: ExecutionContext): Promise<string[]> {
  const { port } = await serveOurs(t);
  return ["client", "-p", `${port}`, "-S", "server1.tlstaple.test", "-A", root];
}

type Prepared = Awaited<ReturnType<(typeof commands)[string]>>;

/** The port that a command writes there once it listens. */
async function portIn(file: string): Promise<number> {
  while (!existsSync(file) || !readFileSync(file, "utf8").endsWith("\n")) await sleep(10);
  return Number(readFileSync(file, "utf8"));
}

async function ourServer(t: ExecutionContext, ...more: string[]): Promise<Prepared> {
  const ready = join(temporary(t), "ready");
  const args = ["server", "-p", "0", "-c", leaf.certificateFile, "-k", leaf.keyFile, "-R", ready, ...more];
  return [args, async () => t.is(await meet(await portIn(ready)), "hello from tlstaple\n")];
}

/** What a server says to a client of ours. */
async function meet(port: number): Promise<string> {
  const socket = connect({ port, servername: "server1.tlstaple.test", ca: readFileSync(root) });
  socket.write("hello\n");
  let said = "";
  for await (const chunk of socket) said += chunk;
  return said;
}

async function ourResponder(t: ExecutionContext): Promise<Prepared> {
  const folder = temporary(t);
  const [ready, index] = [join(folder, "ready"), join(folder, "index.txt")];
  writeFileSync(index, "");
  const { certificateFile, keyFile } = credential("p256", "intermediate1");
  const files = ["-index", index, "-CA", certificateFile, "-rsigner", certificateFile, "-rkey", keyFile];
  const ask = async () => (await fetch(`http://127.0.0.1:${await portIn(ready)}/`)).arrayBuffer();
  return [["responder", ...files, "-R", ready, "-nrequest", "1", "-text"], ask];
}

/** What is nothing for users: a trace of the stack, or talk of the pipe. */
const unasked = /^\s+at |node:|EPIPE|ENOSPC/m;

for (const [name, prepare] of Object.entries(commands)) {
  test.serial(`${name}: nobody reads what it prints`, async (t) => {
    const [args, meanwhile] = await prepare(t);
    const { code, stderr } = await run(args, ["broken", "pipe"], meanwhile);
    t.notRegex(stderr, unasked);
    t.is(code, 141, "128 and SIGPIPE");
  });

  (full ? test.serial : test.skip)(`${name}: the disk is full`, async (t) => {
    const disk = openSync("/dev/full", "w");
    t.teardown(() => closeSync(disk));
    const [args, meanwhile] = await prepare(t);
    const { code, stderr } = await run(args, [disk, "pipe"], meanwhile);
    t.is(stderr.match(/^tlstaple: ENOSPC: .*$/gm)?.length, 1);
    t.notRegex(stderr.replace(/^tlstaple: .*$/m, ""), unasked);
    t.is(code, 1);
  });
}

test.serial("nobody reads errors either", async (t) => {
  t.is((await run(["inspect", "/does/not/exist"], ["broken", "broken"])).code, 2);
  t.is((await run(["client", "-p", "1"], ["pipe", "broken"])).code, 1);
  const { code } = await run(["inspect", leaf.certificateFile], ["broken", "broken"]);
  t.is(code, 141);
});

for (const flag of ["--keylog", "--pcapng"]) {
  (full ? test.serial : test.skip)(
    `${flag} on a full disk: the connection is good, the exit code tells`,
    async (t) => {
      const client = await run([...(await toOurs(t)), flag, "/dev/full"], ["pipe", "pipe"]);
      t.regex(client.stdout, /^TLSv1\.3, /);
      t.regex(client.stderr, new RegExp(`^${flag}: ENOSPC: .*\n$`));
      t.is(client.code, 1);
      const [args, meanwhile] = await ourServer(t, flag, "/dev/full");
      const server = await run(args, ["pipe", "pipe"], meanwhile);
      t.regex(server.stdout, /client says: hello/);
      t.regex(server.stderr, new RegExp(`^${flag}: ENOSPC: .*$`, "m"));
      t.is(server.code, 1);
    },
  );
}
