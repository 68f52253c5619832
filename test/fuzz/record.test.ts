import test from "ava";
import { CHANGE_CIPHER_SPEC, type Row } from "../../src/record/row.js";
import { faults, isFault } from "../../src/wire/fault.js";
import { Reader } from "../../src/wire/reader.js";
import { named } from "../faults.js";
import { concat, u8, u24 } from "../peers/bytes.js";
import { type Pair, pairs } from "../record/pairs.js";
import { feed, Toy, takes } from "../record/toy.js";
import { mutate } from "./mutate.js";
import { Random, thorough, times } from "./random.js";

const PARTS = 2;

const rows: Row<Toy>[] = [
  takes("OPEN", 1),
  { ...takes("OPEN", PARTS), measure: (r) => (r.left < 1 ? 0 : 1 + r.u8()) },
  { state: "OPEN", on: CHANGE_CIPHER_SPEC, run: () => "OPEN" },
];

const contentTypes = [0, 19, 20, 20, 21, 22, 22, 22, 23, 23, 24, 255];

/** What a handshake record may hold: a message, or anything. */
function content(random: Random): Buffer {
  const body = random.bytes(random.below(random.pick([1, 3, 40, 400])));
  return random.below(2) ? concat(u8(random.pick([1, 1, PARTS, 3])), u24(body.length), body) : body;
}

/** Records that a server might send, and some that none would. */
function stream(random: Random, seal: (type: number, content: Buffer) => Buffer): Buffer {
  const alerts = [Buffer.from([1, 90]), Buffer.from([1, 100]), Buffer.from([1, 0])];
  const records = Array.from({ length: random.between(1, 12) }, () => {
    const type = random.pick(contentTypes);
    if (type === 20) return seal(type, u8(1));
    return seal(type, type === 21 ? random.pick(alerts) : content(random));
  });
  return concat(...records);
}

/** Runs an engine over the bytes; the name of its fault, or none. The engine may not throw or go on for ever. */
function run(bytes: Buffer, input: number, most: number, pair?: Pair): string | undefined {
  const { engine } = new Toy(rows, input);
  engine.established = true;
  engine.warnings = pair?.version !== 0x0304;
  if (pair) engine.receiveUnder(pair.ours());
  feed(engine, bytes, most);
  if (engine.fault === faults.INTERNAL_ERROR) throw engine.cause;
  return named(engine.fault);
}

test("any bytes for records", (t) => {
  const random = new Random(t);
  const seen = new Set<string | undefined>();
  for (let i = 0; i < times(20000); i++) {
    const bytes = random.bytes(random.between(1, 60));
    // Mostly as far as the header goes
    if (random.below(4)) bytes.set([random.between(20, 23), 3, 3, 0].slice(0, bytes.length));
    seen.add(run(bytes, random.pick([16, 64, 17000]), random.between(1, 60)));
  }
  t.true(!thorough || seen.size >= 6, [...seen].join());
});

test("changed records, without keys", (t) => {
  const random = new Random(t);
  const seen = new Set<string | undefined>();
  const seal = (type: number, each: Buffer) =>
    concat(Buffer.from([type, 3, 3, each.length >> 8, each.length & 255]), each);
  for (let i = 0; i < times(10000); i++) {
    const bytes = mutate(stream(random, seal), random);
    seen.add(run(bytes, random.between(16, 1000), random.between(1, 500)));
  }
  for (const name of ["UNEXPECTED_MESSAGE", "DECODE_ERROR", "BUFFER_TOO_SMALL", "RECORD_OVERFLOW", undefined])
    t.true(!thorough || seen.has(name), `${name} among ${[...seen].join()}`);
});

for (const pair of pairs)
  test(`${pair.name}: changed records, and changed contents`, (t) => {
    const random = new Random(t);
    const seen = new Set<string | undefined>();
    for (let i = 0; i < times(2000); i++) {
      const theirs = pair.theirs();
      const inside = stream(random, (type, each) =>
        theirs.seal(type, random.below(8) ? each : mutate(each, random)),
      );
      const bytes = random.below(3) ? inside : mutate(inside, random);
      seen.add(run(bytes, random.between(64, 1000), random.between(1, 500), pair));
    }
    for (const name of ["UNEXPECTED_MESSAGE", "DECODE_ERROR", "BAD_RECORD_MAC", undefined])
      t.true(!thorough || seen.has(name), `${name} among ${[...seen].join()}`);
  });

const calls: ((r: Reader, n: number, outer: number[]) => unknown)[] = [
  (r) => r.u8(),
  (r) => r.u16(),
  (r) => r.u24(),
  (r) => r.u32(),
  (r, n) => r.skip(n),
  (r, _, outer) => outer.push(r.enter8()),
  (r, _, outer) => outer.push(r.enter16()),
  (r, _, outer) => outer.push(r.enter24()),
  (r, n, outer) => outer.push(r.enter(n)),
  (r, _, outer) => outer.length > 0 && r.leave(outer.pop()!),
  (r, _, outer) => outer.length > 0 && r.drop(outer.pop()!),
  (r) => r.finish(),
];

test("any reading of any bytes", (t) => {
  const random = new Random(t);
  let thrown = 0;
  for (let i = 0; i < times(50000); i++) {
    const bytes = random.bytes(50).fill(0, 0, random.below(50));
    const start = random.below(30);
    const end = random.between(start, 45);
    const r = new Reader(bytes, start, end);
    const outer: number[] = [];
    try {
      for (let n = random.below(20); n > 0; n--) {
        random.pick(calls)(r, random.below(20), outer);
        if (!(start <= r.at && r.at <= r.end && r.end <= end))
          t.fail(`[${start},${end}): at ${r.at}, end ${r.end}`);
      }
    } catch (fault) {
      if (!isFault(fault)) throw fault;
      thrown++;
    }
  }
  t.true(thrown > times(50000) / 10 && thrown < times(50000));
});
