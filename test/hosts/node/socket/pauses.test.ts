/** A connection that is held up while its server is looked up: wherever the server's bytes are cut then, none is lost. */
import { once } from "node:events";
import { connect as connectTcp, createServer as createTcpServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import test, { type ExecutionContext } from "ava";
import { fixture, NOW } from "../../../../certs/fixtures.js";
import { type ConnectOptions, connect } from "../../../../hosts/node/index.js";
import { wants } from "../../../../src/client/index.js";
import { TlsServer } from "../../../../src/server/index.js";
import { version } from "../../../../src/wire/registry.js";
import { drain, selection, serverDefaults } from "../../../server/pair.js";
import { listen, rootOf } from "../servers.js";

/** What the server says first, a record each. */
type Words = readonly Buffer[];

/** A server that has its Finished and its words ready at once, for the test to send. */
class Speaker {
  readonly tcp: Socket;
  /** What goes out once the client has proved itself. */
  readonly flight: Promise<Buffer>;

  constructor(tcp: Socket, protocol: number, words: Words) {
    this.tcp = tcp;
    const core = new TlsServer({
      ...serverDefaults,
      minVersion: protocol,
      maxVersion: protocol,
      select: () => selection("p256"),
    });
    this.flight = new Promise((resolve) => {
      tcp.on("data", (chunk: Buffer) => {
        const { cipherIn } = core;
        cipherIn.bytes.set(chunk, cipherIn.start);
        cipherIn.advance(chunk.length);
        const answer = work(core);
        if (!core.established) tcp.write(answer);
        else if (core.wants & wants.SPACE) resolve(Buffer.concat([answer, say(core, words)]));
      });
    });
  }
}

function work(core: TlsServer): Buffer {
  const sent: Buffer[] = [];
  while (core.wants & (wants.WORK | wants.WRITE))
    if (core.wants & wants.WORK) core.work();
    else sent.push(drain(core.cipherOut));
  return Buffer.concat(sent);
}

/** The records of these words, and of an orderly end. */
function say(core: TlsServer, words: Words): Buffer {
  const records = words.map((word) => {
    core.plainIn.bytes.set(word, core.plainIn.start);
    core.plainIn.advance(word.length);
    return work(core);
  });
  core.close();
  return Buffer.concat([...records, work(core)]);
}

interface Scene {
  readonly protocol: number;
  readonly words: Words;
  /** Bytes of the flight that come before the rest. */
  readonly cut: number;
  /** The rest comes while the lookup goes on, not after it. */
  readonly held: boolean;
  /** By a stream that was handed in. */
  readonly carried: boolean;
  readonly options?: ConnectOptions;
}

/** A promise, and what fulfils it. */
function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/** All that the client reads, or its error. */
async function play(
  t: ExecutionContext,
  { protocol, words, cut, held, carried, options }: Scene,
): Promise<Buffer> {
  const speaker = deferred<Speaker>();
  const server = createTcpServer((tcp) => speaker.resolve(new Speaker(tcp, protocol, words)));
  const port = await listen(t, server);
  const asked = deferred<void>();
  const answer = deferred<Buffer>();
  let looking = false;
  const lookup = () => {
    looking = true;
    asked.resolve();
    return answer.promise;
  };
  const base = { host: "127.0.0.1", port, servername: "localhost", ca: rootOf("p256"), clock: () => NOW };
  const ocsp = { policy: "leaf", lookup, overrideUrl: "http://localhost/" } as const;
  const socket = connect({
    ...base,
    ...options,
    ...(carried && { socket: connectTcp(port, "127.0.0.1") }),
    ocsp,
  });
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  const closed = once(socket, "close");
  const secured = once(socket, "secureConnect");
  // One more pause, of the reader's
  secured.then(
    () => socket.pause() && setTimeout(() => socket.resume(), 1),
    () => undefined,
  );
  const script = async () => {
    const { tcp, flight } = await speaker.promise;
    const bytes = await flight;
    const before = tcp.bytesWritten;
    tcp.write(bytes.subarray(0, cut));
    while (!looking && socket.bytesRead < before + cut) await sleep(1);
    const early = held || !looking;
    if (early) tcp.write(bytes.subarray(cut));
    await asked.promise;
    await sleep(1);
    answer.resolve(fixture("good/p256/server1-ocsp.der"));
    await secured;
    if (!early) tcp.write(bytes.subarray(cut));
  };
  await Promise.all([script(), closed]);
  server.close();
  return Buffer.concat(chunks);
}

/** Bytes of a flight with these words. */
const FINISHED: Record<number, number> = { [version.tls12]: 6 + 45, [version.tls13]: 0 };
const OVERHEAD: Record<number, number> = { [version.tls12]: 29, [version.tls13]: 22 };

function sizeOf(protocol: number, words: Words): number {
  const records = words.reduce((sum, word) => sum + word.length + OVERHEAD[protocol], 0);
  return FINISHED[protocol] + records + OVERHEAD[protocol] + 2;
}

/** Plays the scene with each of these cuts, over TCP and over a stream that was handed in, a few at a time. */
async function playAll(
  t: ExecutionContext,
  scene: Omit<Scene, "cut" | "carried">,
  cuts: number[],
): Promise<void> {
  const whole = Buffer.concat(scene.words);
  const waiting = cuts.flatMap((cut) => [true, false].map((carried) => ({ ...scene, cut, carried })));
  const player = async () => {
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      const heard = await play(t, next).catch((error) => Buffer.from(String(error.code)));
      if (!whole.equals(heard)) t.fail(`cut at ${next.cut}, carried: ${next.carried}: ${heard}`);
    }
  };
  await Promise.all(Array.from({ length: 8 }, player));
  t.pass();
}

for (const [name, protocol] of [
  ["TLS 1.2", version.tls12],
  ["TLS 1.3", version.tls13],
] as const)
  for (const held of [true, false]) {
    const when = held ? "while the server is looked up" : "after the server was looked up";

    test.serial(`${name}: the server speaks first, cut anywhere; the rest comes ${when}`, async (t) => {
      const words = ["220 ", "hi"].map((word) => Buffer.from(word));
      const cuts = Array.from({ length: sizeOf(protocol, words) + 1 }, (_, i) => i);
      await playAll(t, { protocol, words, held }, cuts);
    });

    test.serial(`${name}: it says more than there is room for; the rest comes ${when}`, async (t) => {
      const words = [16000, 12000, 16000, 100].map((n, i) => Buffer.alloc(n, 65 + i));
      const input = 20_000;
      const near = [-4097, -4096, -100, -30, -1, 0, 1, 30, 100, 4096].map((n) => input + n);
      const cuts = [...near, sizeOf(protocol, words)];
      await playAll(t, { protocol, words, held, options: { buffers: { input } } }, cuts);
    });
  }
