/** 10,000 connections of hostile clients at our server: it serves the others meanwhile, and keeps nothing of them. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { type AddressInfo, connect as connectTcp, type Server as NetServer, type Socket } from "node:net";
import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import test, { type ExecutionContext } from "ava";
import { credential } from "../../../../certs/fixtures.js";
import { connect, type ServerOptions, type ServerSocket } from "../../../../hosts/node/index.js";
import { createResponder, listen as listenOcsp } from "../../../../hosts/node/responder/index.js";
import { Helper } from "../../../bench/process.js";
import { thorough, times } from "../../../fuzz/random.js";
import { serveOurs, stapledContext } from "../ours.js";
import { authorityOptions } from "../responder/fixtures.js";
import { rootOf } from "../servers.js";
import { hellos } from "./attacks.js";
import type { Outcome, Siege } from "./besieger.js";
import type { Experience, Visit } from "./guest.js";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const HANDSHAKE_TIMEOUT = 1000;
/** What a server's user does about connections on which nothing happens. */
const IDLE_TIMEOUT = 1000;

/** Answers what a client says, and ends with it. */
function echo(socket: ServerSocket): void {
  socket.setTimeout(IDLE_TIMEOUT, () => socket.destroy());
  socket.pipe(socket);
}

async function helper<Question extends object>(t: ExecutionContext, file: string): Promise<Helper<Question>> {
  const made = new Helper<Question>(`../hosts/node/server/${file}`);
  t.teardown(() => made.close());
  await made.answer();
  return made;
}

const connectionsOf = (server: NetServer) =>
  promisify((done: (e: Error | null, n: number) => void) => server.getConnections(done))();

/** Bytes in use, inside V8's heap and outside, once all that can go has gone. */
async function memory(): Promise<number> {
  for (let i = 0; i < 4; i++) {
    collect();
    await turn();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Open files of this process, where the system says. */
function files(): number {
  return existsSync("/proc/self/fd") ? readdirSync("/proc/self/fd").length : 0;
}

/** What keeps the process alive, by its kind. */
function resources(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

/** Waits until nobody is connected; the milliseconds. */
async function emptied(server: NetServer, most: number): Promise<number> {
  const start = performance.now();
  while ((await connectionsOf(server)) > 0 && performance.now() - start < most) await sleep(20);
  return performance.now() - start;
}

function percentile(waits: readonly number[], part: number): number {
  const sorted = [...waits].sort((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * part) - 1];
}

/** Counts what becomes of each connection, and tells how many of their sockets are still there. */
class Ledger {
  readonly outcomes: Record<string, number> = {};
  private readonly sockets: WeakRef<ServerSocket>[] = [];

  add(outcome: string, socket: ServerSocket): void {
    this.outcomes[outcome] = (this.outcomes[outcome] ?? 0) + 1;
    this.sockets.push(new WeakRef(socket));
  }

  get kept(): number {
    return this.sockets.filter((each) => each.deref() !== undefined).length;
  }
}

/** A server that echoes, and keeps nothing of its connections but their count. */
async function serveMany(t: ExecutionContext, options: ServerOptions) {
  const ledger = new Ledger();
  const ours = await serveOurs(t, { handshakeTimeout: HANDSHAKE_TIMEOUT, ...options }, (socket) => {
    ours.sockets.length = 0;
    ledger.add("served", socket);
    echo(socket);
  });
  ours.server.on("tlsClientError", (error: Error & { code?: string }, socket: ServerSocket) => {
    ours.errors.length = 0;
    ledger.add(error.code ?? error.message, socket);
  });
  return { ...ours, ledger };
}

function describe(waits: readonly number[]): string {
  const [median, most, slowest] = [0.5, 0.99, 1].map((part) => percentile(waits, part).toFixed(0));
  return `median ${median} ms, 99 % ${most} ms, slowest ${slowest} ms`;
}

/** Has so many connections attack a server after a tenth as many that warm it up, and looks what is left. */
async function besieged(t: ExecutionContext, options: ServerOptions, connections: number): Promise<void> {
  const { server, port, ledger } = await serveMany(t, options);
  const besieger = await helper<Siege>(t, "besieger.js");
  const guest = await helper<Visit>(t, "guest.js");
  const siege = { port, concurrency: 200, sieges: 10 };
  await besieger.ask<Outcome>({ ...siege, connections: connections / 10 });
  await emptied(server, 5000);
  const before = { memory: await memory(), files: files(), resources: resources() };

  await guest.ask({ port });
  const { stuck, milliseconds } = await besieger.ask<Outcome>({ ...siege, connections });
  const { ours, node, failures } = await guest.ask<Experience>({});

  const rest = await emptied(server, 5000);
  const growth = (await memory()) - before.memory;
  t.log(`${(milliseconds / 1000).toFixed(1)} s; heap +${(growth / 1024).toFixed(0)} KB; kept ${ledger.kept}`);
  t.log(`${ours.length} of ours: ${describe(ours)}; ${node.length} of node:tls: ${describe(node)}`);
  t.log(ledger.outcomes);
  t.deepEqual(failures, []);
  t.true(!thorough || (ours.length > 5 && node.length > 5));
  t.true(percentile([...ours, ...node], 0.99) < 5000);
  t.is(stuck, 0);
  t.is(await connectionsOf(server), 0);
  t.true(rest < HANDSHAKE_TIMEOUT + 1500, `${rest} ms`);
  t.is(files(), before.files);
  t.deepEqual(resources(), before.resources);
  t.true(growth < 4_000_000, `${growth} bytes`);
  t.true(ledger.kept < 10, `${ledger.kept} sockets are still there`);
  t.false("INTERNAL_ERROR" in ledger.outcomes);
  t.true(!thorough || ledger.outcomes.HANDSHAKE_TIMEOUT > connections / 50);
  t.true(!thorough || Object.keys(ledger.outcomes).length > 10);
}

test.serial("10,000 hostile connections: good clients are served, nothing is left behind", (t) =>
  besieged(t, {}, times(10_000)),
);

const { staples, ...identity } = stapledContext("p256", "server1");

/** Every handshake waits, for its context and then for its staples. */
const hesitant: ServerOptions = {
  ...identity,
  staples: undefined,
  stapler: {
    ready: () => undefined,
    async staples(_chain, count) {
      await sleep(20);
      const until = Math.floor(Date.now() / 1000) + 3600;
      return { staples: (staples as Buffer[]).slice(0, count), until };
    },
  },
  SNICallback: (_name, done) => setTimeout(done, 20, null),
  requestCert: "optional",
  ca: readFileSync(credential("client", "ca").certificateFile),
};

test.serial("1,000 at a server that waits for contexts and staples, and asks for certificates", (t) =>
  besieged(t, hesitant, times(1000)),
);

const [hello] = hellos;
const clinging: Readonly<Record<string, (socket: Socket) => unknown>> = {
  "say nothing": () => undefined,
  "speak no TLS": (socket) => socket.write("GET / HTTP/1.1\r\n\r\n"),
  "say half a ClientHello": (socket) => socket.write(hello.subarray(0, hello.length / 2)),
  "say no more than a ClientHello": (socket) => socket.write(hello),
};

for (const [what, act] of Object.entries(clinging))
  test.serial(`500 clients that ${what} and never close are gone in time all the same`, async (t) => {
    const { server, port, errors } = await serveOurs(t, { handshakeTimeout: HANDSHAKE_TIMEOUT });
    const sockets: Socket[] = [];
    t.teardown(() => {
      for (const socket of sockets) socket.destroy();
    });
    for (let i = 0; i < 500; i++) {
      // What the server says is read, and its end is not answered
      const socket = connectTcp({ host: "127.0.0.1", port, allowHalfOpen: true });
      socket.on("error", () => undefined).on("data", () => undefined);
      socket.on("connect", () => act(socket));
      sockets.push(socket);
    }
    while (sockets.some(({ connecting }) => connecting)) await sleep(5);
    await emptied(server, 20_000);
    t.is(await connectionsOf(server), 0);
    t.is(errors.length, 500);
    t.true(sockets.every(({ writableEnded }) => !writableEnded));
  });

test.serial(
  "`tlstaple server -i` lives through 500 of them, serves the next one, and ends when it is told to",
  async (t) => {
    const responder = await createResponder({
      authorities: [authorityOptions("p256", "intermediate1")],
      validity: 3600,
    });
    const ocsp = await listenOcsp(responder);
    t.teardown(() => ocsp.close());
    const { certificateFile, keyFile } = credential("p256", "server1");
    const cli = fileURLToPath(new URL("../../../../hosts/node/cli.js", import.meta.url));
    const url = `http://127.0.0.1:${(ocsp.address() as AddressInfo).port}`;
    const args = ["server", "-i", "-p", "0", "-c", certificateFile, "-k", keyFile, "-O", url];
    const child = spawn(process.execPath, [cli, ...args]);
    t.teardown(() => child.kill("SIGKILL"));
    let said = "";
    child.stdout.on("data", (chunk) => {
      said += chunk;
    });
    child.stderr.resume();
    await once(child.stdout, "data");
    const port = Number(/listening on 127\.0\.0\.1:(\d+)/.exec(said)![1]);

    const besieger = await helper<Siege>(t, "besieger.js");
    // It gives a handshake ten seconds, so that nobody waits for the end of a siege here
    await besieger.ask<Outcome>({ port, connections: times(500), concurrency: 100, sieges: 20 });
    t.is(child.exitCode, null);
    const options = { ca: rootOf("p256"), ocsp: { policy: "leaf" as const } };
    const socket = connect({ host: "127.0.0.1", port, servername: "localhost", ...options });
    socket.end("hello");
    let heard = "";
    for await (const chunk of socket) heard += chunk;
    t.is(heard, "hello from tlstaple\n");
    t.is(socket.ocsp[0].status, "good");
    t.true((said.match(/^connection \d+ from/gm) ?? []).length > times(250));
    child.kill("SIGTERM");
    t.is((await once(child, "exit"))[0], 0);
  },
);
