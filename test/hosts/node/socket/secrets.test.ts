/** After its end a connection's secrets are nowhere in the process's memory: Linux lets us look. */
import { once } from "node:events";
import { closeSync, existsSync, openSync, readFileSync, readSync } from "node:fs";
import { connect, createServer, type TLSSocket } from "node:tls";
import test, { type ExecutionContext } from "ava";
import { credential } from "../../../../certs/fixtures.js";
import { Helper } from "../../../bench/process.js";
import { expandLabel, prf } from "../../../peers/schedule.js";
import { listen, rootOf } from "../servers.js";
import type { Task, Told } from "./keeper.js";

/** Secrets by their names, as the peer's key log tells them. */
type Secrets = Map<string, Buffer>;

const none = Buffer.alloc(0);
const versions = ["TLSv1.2", "TLSv1.3"] as const;
const suites = {
  "TLSv1.2": "ECDHE-ECDSA-CHACHA20-POLY1305",
  "TLSv1.3": "TLS_AES_128_GCM_SHA256",
} as const;

/** What the key log tells of, and the keys and IVs that come of it. */
class Log {
  readonly secrets: Secrets = new Map();
  private clientRandom = none;

  take(line: string): void {
    const [label, random, secret] = line.trim().split(" ");
    this.clientRandom = Buffer.from(random, "hex");
    this.add(label, Buffer.from(secret, "hex"));
  }

  private add(label: string, secret: Buffer): void {
    this.secrets.set(label, secret);
    if (!label.includes("TRAFFIC")) return;
    this.secrets.set(`${label}, key`, expandLabel("sha256", secret, "key", none, 16));
    this.secrets.set(`${label}, IV`, expandLabel("sha256", secret, "iv", none, 12));
  }

  /** TLS 1.2: the key_block of RFC 5246 6.3. */
  expand(serverRandom: Buffer): void {
    const master = this.secrets.get("CLIENT_RANDOM");
    if (master === undefined) return;
    const seed = Buffer.concat([serverRandom, this.clientRandom]);
    const block = prf("sha256", master, "key expansion", seed, 2 * 32 + 2 * 12);
    for (const [name, start, end] of [
      ["client key", 0, 32],
      ["server key", 32, 64],
      ["client IV", 64, 76],
      ["server IV", 76, 88],
    ] as const)
      this.secrets.set(name, block.subarray(start, end));
  }
}

/** The names of the secrets that stand somewhere in the memory that a process can write to. */
function found(pid: number, secrets: Secrets): string[] {
  const seen = new Set<string>();
  const memory = openSync(`/proc/${pid}/mem`, "r");
  const regions = readFileSync(`/proc/${pid}/maps`, "latin1").matchAll(/^(\w+)-(\w+) rw\S+ .*$/gm);
  for (const [, from, to] of regions)
    search(memory, Number.parseInt(from, 16), Number.parseInt(to, 16), secrets, seen);
  closeSync(memory);
  return [...seen].sort();
}

const STEP = 2 ** 22;
const OVERLAP = 64;

function search(memory: number, from: number, to: number, secrets: Secrets, seen: Set<string>): void {
  const window = Buffer.alloc(STEP + OVERLAP);
  for (let at = from; at < to; at += STEP) {
    const n = readable(memory, window, Math.min(window.length, to - at), at);
    for (const [name, secret] of secrets) if (window.subarray(0, n).includes(secret)) seen.add(name);
  }
}

/** How much could be read; of guard pages and the like nothing. */
function readable(memory: number, into: Buffer, n: number, at: number): number {
  try {
    return readSync(memory, into, 0, n, at);
  } catch {
    return 0;
  }
}

/** What an open connection needs, by which one sees that the search finds things: of TLS 1.2 the IV that no data has changed. */
const kept = (side: string) => ({
  "TLSv1.2": [`${side} IV`],
  "TLSv1.3": ["CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"],
});

function pick(secrets: Secrets, names: readonly string[]): Secrets {
  return new Map(names.map((name) => [name, secrets.get(name)!]));
}

interface Scene {
  readonly log: Log;
  readonly keeper: Helper<Task>;
  readonly peer: TLSSocket;
  readonly told: Told;
}

async function start(t: ExecutionContext): Promise<Helper<Task>> {
  const keeper = new Helper<Task>("../hosts/node/socket/keeper.js");
  t.teardown(() => keeper.close());
  await keeper.answer();
  return keeper;
}

/** node:tls at one end, which tells the secrets, ours in a process of its own at the other. */
const scenes = {
  async client(t: ExecutionContext, version: (typeof versions)[number]): Promise<Scene> {
    const keeper = await start(t);
    const log = new Log();
    const { certificateFile, keyFile } = credential("p256", "server1");
    const identity = { cert: readFileSync(certificateFile), key: readFileSync(keyFile) };
    const server = createServer({ ...identity, minVersion: version, maxVersion: version, ...ciphers });
    server.on("keylog", (line: Buffer) => log.take(`${line}`));
    const port = await listen(t, server);
    const connected = once(server, "secureConnection") as Promise<[TLSSocket]>;
    const told = await keeper.ask<Told>({ open: "client", version, port });
    const [peer] = await connected;
    return { log, keeper, peer, told };
  },

  async server(t: ExecutionContext, version: (typeof versions)[number]): Promise<Scene> {
    const keeper = await start(t);
    const log = new Log();
    const { port = 0 } = await keeper.ask<Told>({ open: "server", version });
    const ca = rootOf("p256");
    const peer = connect({ host: "127.0.0.1", port, servername: "localhost", ca, ...ciphers });
    t.teardown(() => peer.destroy());
    peer.on("keylog", (line: Buffer) => log.take(`${line}`));
    await once(peer, "secureConnect");
    const told = await keeper.ask<Told>({});
    return { log, keeper, peer, told };
  },
};

const ciphers = { ciphers: Object.values(suites).join(":") };

for (const side of ["client", "server"] as const)
  for (const version of versions)
    for (const close of ["end", "destroy"] as const) {
      const look = existsSync("/proc/self/mem") ? test.serial : test.serial.skip;

      look(`${version}: no secret of a ${side}'s is left after ${close}()`, async (t) => {
        const { log, keeper, peer, told } = await scenes[side](t, version);
        peer.on("error", () => undefined).resume();
        peer.write("some words");
        log.expand(Buffer.from(told.random!, "hex"));
        const { pid } = await keeper.ask<Told>({});
        const needed = kept(side)[version];
        t.deepEqual(found(pid, pick(log.secrets, needed)), needed);
        await keeper.ask<Told>({ close });
        let left = found(pid, log.secrets);
        // What node:crypto holds goes when its objects are collected, each in its own time
        for (let tries = 0; left.length > 0 && tries < 5; tries++) {
          await keeper.ask<Told>({});
          left = found(pid, pick(log.secrets, left));
        }
        t.deepEqual(left, []);
      });
    }
