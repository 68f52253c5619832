import { chmodSync, openSync, readFileSync, statSync, writeFileSync } from "node:fs";
import test from "ava";
import fc from "fast-check";
import { Conversation } from "../../../../hosts/node/capture/packets.js";
import { Capture, type CaptureOptions, type Flow } from "../../../../hosts/node/capture/pcapng.js";
import {
  follow,
  PACKET,
  readBlocks,
  readIp,
  readOptions,
  readPacket,
  readSecrets,
  SECRETS,
  SECTION,
} from "./blocks.js";
import { scratchFile } from "./captured.js";

/** A capture in memory. */
class Memory {
  private readonly chunks: Buffer[] = [];

  write(bytes: Uint8Array): void {
    this.chunks.push(Buffer.from(bytes));
  }

  get blocks() {
    return readBlocks(Buffer.concat(this.chunks));
  }

  get segments() {
    return this.blocks.filter(({ type }) => type === PACKET).map(readPacket);
  }

  /** Each block in a word: the payload of packets that have one, the secrets. */
  get story(): string[] {
    return this.blocks.flatMap((block) => {
      if (block.type === SECRETS) return [readSecrets(block).split(" ")[0]];
      if (block.type !== PACKET) return [];
      const { payload } = readPacket(block);
      return payload.length > 0 ? [payload.toString("latin1")] : [];
    });
  }
}

const client = { address: "192.0.2.1", port: 49152 };
const server = { address: "192.0.2.2", port: 11111 };

function flowTo(sink: Memory | string | number, options: CaptureOptions = {}): [Flow, Capture] {
  const capture = new Capture(sink, options);
  return [capture.open({ local: client, remote: server, client: true }), capture];
}

const hello = Buffer.from("\x16\x03\x01 hello");
const answer = Buffer.from("\x16\x03\x03 answer");

// ---- The form

test("the file begins with a section and its interface", (t) => {
  const memory = new Memory();
  new Capture(memory).close();
  const [section, description, ...rest] = memory.blocks;
  t.deepEqual(rest, []);
  t.is(section.type, SECTION);
  t.is(section.body.toString("hex", 0, 8), "4d3c2b1a01000000");
  t.regex(readOptions(section.body.subarray(16)).get(4)!.toString(), /^tlstaple \d+\.\d+\.\d+/);
  t.is(description.type, 1);
  t.is(description.body.readUInt16LE(0), 101);
  t.is(readOptions(description.body.subarray(8)).get(2)!.toString(), "tlstaple");
});

test("times are microseconds of the clock, directions the local end's", (t) => {
  const memory = new Memory();
  const [flow] = flowTo(memory, { clock: () => 1_782_900_000_123.4375 });
  flow.cipher(true, Buffer.from("to the server"));
  t.deepEqual(
    memory.segments.map(({ sent }) => sent),
    [true, false, true, true],
  );
  for (const { microseconds } of memory.segments) t.is(microseconds, 1_782_900_000_123_437);
});

test("by default the clock is the time of day", (t) => {
  const memory = new Memory();
  const before = Date.now();
  flowTo(memory);
  const [{ microseconds }] = memory.segments;
  t.true(Math.abs(microseconds / 1000 - before) < 5000);
});

const address = fc.oneof(
  fc.ipV4(),
  fc.ipV6(),
  fc.ipV4().map((ip) => `::ffff:${ip}`),
  fc.constantFrom("fe80::1%eth0", undefined),
);
const parties = fc.array(fc.record({ local: address, remote: address, client: fc.boolean() }), {
  minLength: 3,
  maxLength: 3,
});
const bytes = fc.oneof(
  { weight: 9, arbitrary: fc.uint8Array({ maxLength: 3000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 60_000, max: 200_000 }).map((n) => new Uint8Array(n).fill(n)) },
);
const ends = fc.nat(15).map((n) => n === 0);
const actions = fc.array(fc.record({ number: fc.nat(2), sent: fc.boolean(), bytes, ends }), {
  maxLength: 40,
});

test("whatever is sent is in the capture, in order, in good packets", (t) => {
  fc.assert(
    fc.property(parties, actions, (parties, actions) => {
      const memory = new Memory();
      const capture = new Capture(memory);
      const flows = parties.map(({ local, remote, client }, i) =>
        capture.open({
          local: { address: local, port: i },
          remote: { address: remote, port: 100 + i },
          client,
        }),
      );
      for (const { number, sent, bytes, ends } of actions) {
        flows[number].cipher(sent, bytes);
        if (ends) flows[number].end(sent);
      }
      for (const flow of flows) flow.close();
      const { segments } = memory;
      for (const i of flows.keys()) {
        const sides = follow(
          segments.filter(({ source, destination }) => `${source} ${destination} `.includes(` ${i} `)),
        );
        t.is(sides.size, 2);
        for (const [end, seen] of sides)
          t.true(seen.equals(saidBy(actions, i, end.endsWith(` ${i}`))), `flow ${i}, ${end}`);
      }
    }),
    { numRuns: 60 },
  );
});

/** What one side of a flow said until it ended. */
function saidBy(
  actions: readonly { number: number; sent: boolean; bytes: Uint8Array; ends: boolean }[],
  number: number,
  sent: boolean,
): Buffer {
  const own = actions.filter((action) => action.number === number && action.sent === sent);
  const last = own.findIndex(({ ends }) => ends);
  return Buffer.concat((last < 0 ? own : own.slice(0, last + 1)).map(({ bytes }) => bytes));
}

test("sequence numbers count modulo 2^32", (t) => {
  for (const sequence of [0xffffffff, 0xffff0000, 0x7fffffff]) {
    const tcp = new Conversation(client, server, sequence);
    const sent = [Buffer.alloc(50_000, 1), Buffer.alloc(50_000, 2)];
    const packets = [
      ...tcp.open(),
      ...sent.flatMap((part) => [...tcp.data(true, part), ...tcp.data(false, part)]),
    ];
    packets.push(...tcp.end(false), ...tcp.end(true));
    const segments = packets.map(({ bytes }) => readIp(bytes));
    for (const seen of follow(segments).values()) t.true(seen.equals(Buffer.concat(sent)));
  }
});

test("an orderly end is acknowledged; a reset is the last", (t) => {
  const flags = (end: (flow: Flow) => void) => {
    const memory = new Memory();
    const [flow] = flowTo(memory);
    end(flow);
    flow.cipher(true, hello);
    flow.end(true);
    flow.close();
    return memory.segments.slice(3).map(({ sent, flags }) => `${sent ? "→" : "←"}${flags}`);
  };
  t.deepEqual(
    flags((flow) => flow.close()),
    ["→17", "←17", "→16"],
  );
  t.deepEqual(
    flags((flow) => flow.end(false)),
    ["←17", "→24", "→17", "←16"],
  );
  t.deepEqual(
    flags((flow) => flow.close(true)),
    ["→20"],
  );
});

test("the addresses: IPv4 within IPv6 is IPv4, and what there is none of is loopback", (t) => {
  const ends = (local: string | undefined, remote: string | undefined) => {
    const memory = new Memory();
    const capture = new Capture(memory);
    capture.open({ local: { address: local, port: 1 }, remote: { address: remote, port: 2 }, client: false });
    const [{ source, destination }] = memory.segments;
    return [source, destination];
  };
  t.deepEqual(ends("::ffff:192.0.2.1", "198.51.100.7"), ["198.51.100.7 2", "192.0.2.1 1"]);
  t.deepEqual(ends(undefined, undefined), ["127.0.0.1 2", "127.0.0.1 1"]);
  t.deepEqual(ends("fe80::1%eth0", "::1"), [`${"0".repeat(31)}1 2`, `fe80${"0".repeat(27)}1 1`]);
  t.deepEqual(ends("::1", undefined), [`${"0".repeat(20)}ffff7f000001 2`, `${"0".repeat(31)}1 1`]);
});

// ---- Secrets

const secret = (label: string) => Buffer.from(`${label} ${"ab".repeat(32)} ${"cd".repeat(32)}\n`);
const labels13 = ["CLIENT_HANDSHAKE", "SERVER_HANDSHAKE"].map((side) => `${side}_TRAFFIC_SECRET`);
const traffic = ["CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"];

test("a key log line is in the capture as it is, without what pads it", (t) => {
  for (const label of ["CLIENT_RANDOM", "A", "AB", "ABC"]) {
    const memory = new Memory();
    const [flow] = flowTo(memory);
    flow.secret(secret(label));
    t.is(readSecrets(memory.blocks.at(-1)!), `${secret(label)}`);
  }
});

test("TLS 1.3: the answer waits for the traffic secrets", (t) => {
  const memory = new Memory();
  const [flow] = flowTo(memory);
  flow.cipher(true, hello);
  t.deepEqual(memory.story, [`${hello}`]);
  flow.cipher(false, answer);
  for (const label of [...labels13, traffic[0]]) flow.secret(secret(label));
  t.deepEqual(memory.story, [`${hello}`, ...labels13, traffic[0]]);
  flow.secret(secret(traffic[1]));
  flow.cipher(true, Buffer.from("done"));
  t.deepEqual(memory.story, [`${hello}`, ...labels13, ...traffic, `${answer}`, "done"]);
});

test("TLS 1.2: the answer, and what follows, waits for the master secret", (t) => {
  const memory = new Memory();
  const [flow] = flowTo(memory);
  for (const sent of [true, false, true]) flow.cipher(sent, sent ? hello : answer);
  t.deepEqual(memory.story, [`${hello}`]);
  flow.secret(secret("CLIENT_RANDOM"));
  t.deepEqual(memory.story, [`${hello}`, "CLIENT_RANDOM", `${answer}`, `${hello}`]);
});

test("who knows all secrets before the answer waits for none", (t) => {
  const memory = new Memory();
  const capture = new Capture(memory);
  const flow = capture.open({ local: server, remote: client, client: false });
  flow.cipher(false, hello);
  for (const label of [...labels13, ...traffic]) flow.secret(secret(label));
  flow.cipher(true, answer);
  t.is(memory.story.at(-1), `${answer}`);
});

test("what is no TLS waits for nothing", (t) => {
  const memory = new Memory();
  const [flow] = flowTo(memory);
  flow.cipher(true, Buffer.from("GET / HTTP/1.0"));
  flow.cipher(false, Buffer.from("\x16 by chance"));
  t.deepEqual(memory.story, ["GET / HTTP/1.0", "\x16 by chance"]);
});

test("flows keep their common order; the end of a flow, or of the capture, ends the wait", (t) => {
  for (const end of [(flow: Flow) => flow.close(), (_: Flow, capture: Capture) => capture.close()]) {
    const memory = new Memory();
    const [flow, capture] = flowTo(memory);
    const other = capture.open({ local: client, remote: { ...server, port: 22220 }, client: true });
    flow.cipher(true, hello);
    flow.cipher(false, answer);
    other.cipher(true, Buffer.from("POST"));
    t.deepEqual(memory.story, [`${hello}`]);
    end(flow, capture);
    t.deepEqual(memory.story, [`${hello}`, `${answer}`, "POST"]);
  }
});

test("what waits is bounded: the oldest goes first", (t) => {
  const memory = new Memory();
  const [flow] = flowTo(memory);
  flow.cipher(true, hello);
  let said = 0;
  for (; said < 2 ** 22; said += 16384) flow.cipher(false, Buffer.alloc(16384, 22));
  const written = memory.segments.reduce((sum, { payload }) => sum + payload.length, 0);
  t.true(said - written < 1.1e6, `${said - written} bytes wait`);
  t.true(said - written > 9e5, `only ${said - written} bytes wait`);
});

test("bytes may be overwritten once they were given", (t) => {
  const memory = new Memory();
  const [flow, capture] = flowTo(memory);
  const buffer = Buffer.from(hello);
  flow.cipher(true, buffer);
  flow.cipher(false, buffer);
  buffer.fill(0);
  capture.close();
  t.deepEqual(memory.story, [`${hello}`, `${hello}`]);
});

// ---- Files

const mode = (file: string) => statSync(file).mode & 0o777;

test("a file is for its owner's eyes only, even one that was for all", (t) => {
  const file = scratchFile(t);
  new Capture(file).close();
  t.is(mode(file), 0o600);
  const { length } = readFileSync(file);
  writeFileSync(file, "x".repeat(10_000));
  chmodSync(file, 0o666);
  new Capture(file).close();
  t.is(mode(file), 0o600);
  t.is(readFileSync(file).length, length);
});

test("a file that can't be made throws; a descriptor is the caller's to close", (t) => {
  t.throws(() => new Capture("/nowhere/at/all.pcapng"), { code: "ENOENT" });
  const file = scratchFile(t);
  const descriptor = openSync(file, "w");
  for (const title of ["one section", "another"]) {
    const [flow, capture] = flowTo(descriptor);
    flow.cipher(true, Buffer.from(title));
    flow.close();
    capture.close();
  }
  t.is(readBlocks(readFileSync(file)).filter(({ type }) => type === SECTION).length, 2);
});

test("an error in writing is told once, and disturbs nobody", (t) => {
  const errors: Error[] = [];
  let room = 4;
  const full = { write: () => void (--room < 0 && fail()) };
  const capture = new Capture(full, { onError: (error) => errors.push(error) });
  t.notThrows(() => exercise(capture));
  t.deepEqual(
    errors.map(({ message }) => message),
    ["no space left"],
  );
  t.is(room, -1);
});

function fail(): never {
  throw new Error("no space left");
}

function exercise(capture: Capture): void {
  const flow = capture.open({ local: client, remote: server, client: true });
  for (const sent of [true, false, true]) flow.cipher(sent, hello);
  flow.secret(secret("CLIENT_RANDOM"));
  flow.close();
  capture.close();
}

test.serial("without a listener an error in writing is a warning of the process", async (t) => {
  const warned = new Promise<Error>((resolve) => process.once("warning", resolve));
  exercise(new Capture({ write: fail }));
  t.regex((await warned).message, /the capture ends here: no space left/);
});

test("a full disk", (t) => {
  const errors: NodeJS.ErrnoException[] = [];
  exercise(new Capture(openSync("/dev/full", "w"), { onError: (error) => errors.push(error) }));
  t.deepEqual(
    errors.map(({ code }) => code),
    ["ENOSPC"],
  );
});

test("after its end a flow, or a capture, takes nothing more", (t) => {
  const memory = new Memory();
  const [flow, capture] = flowTo(memory);
  const other = capture.open({ local: client, remote: { ...server, port: 1 }, client: true });
  flow.close();
  const { length } = memory.blocks;
  flow.cipher(true, hello);
  flow.secret(secret("CLIENT_RANDOM"));
  flow.close(true);
  capture.close();
  other.cipher(true, hello);
  other.secret(secret("CLIENT_RANDOM"));
  capture.open({ local: client, remote: server, client: true });
  t.is(memory.blocks.length, length);
});
