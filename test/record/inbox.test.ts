import test from "ava";
import fc from "fast-check";
import { Inbox } from "../../src/record/inbox.js";
import { MAX_CIPHERTEXT } from "../../src/record/protection.js";
import { CHANGE_CIPHER_SPEC } from "../../src/record/row.js";
import { faults } from "../../src/wire/fault.js";
import { contentType } from "../../src/wire/registry.js";
import { fault, named } from "../faults.js";
import { chunks, concat, none, u8, u16, u24, vec8 } from "../peers/bytes.js";
import { plainRecord } from "../peers/records.js";
import { feed, settle, Toy, takes } from "./toy.js";

const { application_data, change_cipher_spec, handshake } = contentType;

/** An inbox that holds `bytes` from the transport. */
function inboxWith(bytes: Uint8Array, size = 100, most = size): Inbox {
  const inbox = new Inbox(new Uint8Array(size + 20), size, most);
  inbox.bytes.set(bytes, inbox.rawEnd);
  inbox.rawEnd += bytes.length;
  return inbox;
}

test("a record is there when its last byte is", (t) => {
  const record = plainRecord(handshake, Buffer.alloc(9));
  for (let n = 0; n < record.length; n++) t.is(inboxWith(record.subarray(0, n)).record(), 0, `${n} bytes`);
  t.is(inboxWith(record).record(), 14);
  t.is(inboxWith(concat(record, record)).record(), 14);
});

test("a header is refused as soon as it is there", (t) => {
  const header = (type: number, version: number, length: number) =>
    fault(() => inboxWith(concat(u8(type), u16(version), u16(length))).record());
  for (let type = 0; type < 256; type++)
    t.is(header(type, 0x0303, 1), type < 20 || type > 23 ? faults.UNKNOWN_RECORD_TYPE : undefined);
  for (const version of [0x0000, 0x0200, 0x0403, 0x03 + 0xff00])
    t.is(header(22, version, 1), faults.RECORD_VERSION);
  for (const version of [0x0300, 0x0301, 0x0303, 0x0304, 0x03ff]) t.is(header(22, version, 1), undefined);
  t.is(header(22, 0x0303, MAX_CIPHERTEXT), undefined);
  t.is(header(22, 0x0303, MAX_CIPHERTEXT + 1), faults.RECORD_OVERFLOW);
  t.is(header(72, 0x5454, 0x502f), faults.UNKNOWN_RECORD_TYPE, "HTTP");
});

test("four bytes of a header say nothing yet", (t) => {
  t.is(inboxWith(Buffer.from("HTTP")).record(), 0);
});

test("a message that no buffer of this size holds names the size", (t) => {
  const inbox = inboxWith(new Uint8Array(0), 100);
  t.notThrows(() => inbox.admit(100));
  t.is(
    fault(() => inbox.admit(101)),
    faults.BUFFER_TOO_SMALL,
  );
  t.is(inbox.needed, 101);
});

// Everything a peer may send, as the engine sees it

interface Item {
  kind: "message" | "parts" | "data" | "change";
  length: number;
}

/** Something sent: its bytes, and for handshake messages the lengths of what is handled at once. */
interface Sent {
  bytes: Buffer;
  record: number;
  units: number[];
}

const MESSAGE = 1;
const PARTS = 2;

/** Any bytes will do, so long as a lost or doubled one shows. */
function pattern(length: number, seed: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, i) => (i * 31 + seed * 17 + (i >> 8)) & 0xff));
}

function encode({ kind, length }: Item, seed: number): Sent {
  const body = pattern(length, seed);
  if (kind === "data") return { bytes: body, record: application_data, units: [] };
  if (kind === "change") return { bytes: u8(1), record: change_cipher_spec, units: [] };
  if (kind === "message")
    return { bytes: concat(u8(MESSAGE), u24(length), body), record: handshake, units: [4 + length] };
  // Parts with a length of one byte before each; there is at least one
  const pieces = length > 0 ? chunks(body, 1 + ((seed * 37) % 200)) : [none];
  const parts = pieces.map((piece) => vec8(piece));
  const all = concat(...parts);
  const units = [4, ...parts.map((part) => part.length)];
  return { bytes: concat(u8(PARTS), u24(all.length), all), record: handshake, units };
}

const rows = [
  takes("OPEN", MESSAGE),
  { ...takes("OPEN", PARTS), measure: (r: { left: number; u8(): number }) => (r.left < 1 ? 0 : 1 + r.u8()) },
  { state: "OPEN", on: CHANGE_CIPHER_SPEC, run: () => "OPEN" },
];

/** Cuts what is sent into records. Handshake messages may share one, but nothing comes between their pieces. */
function cut(sent: Sent[], sizes: number[]): { records: Buffer[]; least: number } {
  const records: Buffer[] = [];
  let least = 0;
  let turn = 0;
  const size = () => 1 + sizes[turn++ % sizes.length];
  for (let i = 0; i < sent.length; ) {
    const { record } = sent[i];
    if (record !== handshake) {
      const { bytes } = sent[i++];
      records.push(plainRecord(record, bytes));
      least = Math.max(least, 5 + bytes.length);
      continue;
    }
    const run: Sent[] = [];
    while (i < sent.length && sent[i].record === handshake) run.push(sent[i++]);
    const all = concat(...run.map(({ bytes }) => bytes));
    const ends = run
      .flatMap(({ units }) => units)
      .reduce<number[]>((sum, n) => sum.concat((sum.at(-1) ?? 0) + n), []);
    for (let at = 0; at < all.length; ) {
      const piece = all.subarray(at, at + size());
      records.push(plainRecord(handshake, piece));
      // What waits for this record is the beginning of a unit
      const handled = ends.filter((end) => end <= at).at(-1) ?? 0;
      least = Math.max(least, at - handled + 5 + piece.length);
      at += piece.length;
    }
  }
  return { records, least };
}

const item = fc.record({
  kind: fc.constantFrom<Item["kind"]>("message", "message", "parts", "data", "change"),
  length: fc.oneof(fc.nat(20), fc.nat(600)),
});
const traffic = fc.record({
  items: fc.array(item, { minLength: 1, maxLength: 12 }),
  sizes: fc.array(fc.oneof(fc.nat(6), fc.nat(400)), { minLength: 1, maxLength: 8 }),
  most: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 2000 })),
});

interface Heard {
  toy: Toy;
  data: Buffer;
}

function hear(bytes: Buffer, input: number, most: number, grown = input): Heard {
  const toy = new Toy(rows, input, 1024, "OPEN", grown);
  toy.engine.established = true;
  const data = feed(toy.engine, bytes, most);
  return { toy, data };
}

function bytesOf(sent: Sent[], record: number): Buffer {
  return concat(...sent.filter((each) => each.record === record).map(({ bytes }) => bytes));
}

test("records and messages cut, joined and delivered in any way arrive whole and in order", (t) => {
  const property = fc.property(traffic, fc.nat(50), ({ items, sizes, most }, spare) => {
    const sent = items.map(encode);
    const { records, least } = cut(sent, sizes);
    const { toy, data } = hear(concat(...records), least + spare, most);
    if (toy.engine.fault) throw new Error(named(toy.engine.fault));
    return (
      data.equals(bytesOf(sent, application_data)) &&
      toy.transcript.equals(bytesOf(sent, handshake)) &&
      toy.handled.length ===
        sent.reduce((sum, { units }) => sum + units.filter((_, i) => units.length === 1 || i > 0).length, 0)
    );
  });
  t.notThrows(() => fc.assert(property, { numRuns: 1500 }));
});

test("a buffer too small by one byte is a fault that names a size which brings it further", (t) => {
  const property = fc.property(traffic, ({ items, sizes, most }) => {
    const { records, least } = cut(items.map(encode), sizes);
    for (let input = Math.max(1, least - 1), last = 0; ; ) {
      const { engine } = hear(concat(...records), input, most).toy;
      if (engine.fault === undefined) return input === least || least <= 5;
      if (engine.fault !== faults.BUFFER_TOO_SMALL) throw new Error(named(engine.fault));
      if (engine.faultDetail <= Math.max(input, last) || engine.faultDetail > least) return false;
      last = input;
      input = engine.faultDetail;
    }
  });
  t.notThrows(() => fc.assert(property, { numRuns: 1000 }));
});

test("a buffer that may grow becomes as large as it must, and no larger", (t) => {
  const first = fc.integer({ min: 5, max: 700 });
  const property = fc.property(traffic, first, fc.nat(50), ({ items, sizes, most }, input, spare) => {
    const sent = items.map(encode);
    const { records, least } = cut(sent, sizes);
    const { toy, data } = hear(concat(...records), input, most, Math.max(input, least) + spare);
    if (toy.engine.fault) throw new Error(named(toy.engine.fault));
    const right = data.equals(bytesOf(sent, application_data));
    const whole = toy.transcript.equals(bytesOf(sent, handshake));
    return right && whole && toy.engine.inbox.bytes.length <= Math.max(input + 1024, least);
  });
  t.notThrows(() => fc.assert(property, { numRuns: 1500 }));
});

test("a buffer that may not grow far enough names the size", (t) => {
  const property = fc.property(traffic, fc.integer({ min: 5, max: 700 }), ({ items, sizes, most }, input) => {
    const { records, least } = cut(items.map(encode), sizes);
    fc.pre(least - 1 > input);
    const { engine } = hear(concat(...records), input, most, least - 1).toy;
    return engine.fault === faults.BUFFER_TOO_SMALL && engine.faultDetail === least;
  });
  t.notThrows(() => fc.assert(property, { numRuns: 1000 }));
});

test("a buffer that has grown leaves nothing where it was", (t) => {
  const record = plainRecord(application_data, Buffer.alloc(200, 7));
  const inbox = inboxWith(record.subarray(0, 100), 100, 300);
  const before = inbox.bytes;
  inbox.makeRoom();
  t.is(inbox.bytes.length, 205);
  t.deepEqual(Buffer.from(inbox.bytes.subarray(0, 100)), record.subarray(0, 100));
  t.true(before.every((byte) => byte === 0));
});

/** What the comment above Inbox says. */
function invariants({
  messageAt,
  messageEnd,
  plainAt,
  plainEnd,
  rawAt,
  rawEnd,
  room,
  messageLeft,
}: Inbox): boolean {
  const ordered = messageAt <= messageEnd && messageEnd <= rawAt && plainAt <= plainEnd && plainEnd <= rawAt;
  return ordered && rawAt <= rawEnd && room >= 0 && (messageLeft === 0 || plainAt === plainEnd);
}

test("the invariants hold after every step", (t) => {
  const property = fc.property(traffic, fc.integer({ min: 5, max: 700 }), ({ items, sizes }, input) => {
    const bytes = concat(...cut(items.map(encode), sizes).records);
    const toy = new Toy(rows, input);
    const { engine } = toy;
    engine.established = true;
    for (let at = 0; at < bytes.length && !engine.fault; ) {
      const { cipherIn, plainOut } = engine;
      const n = Math.min(1 + sizes[at % sizes.length], cipherIn.end - cipherIn.start, bytes.length - at);
      cipherIn.bytes.set(bytes.subarray(at, at + n), cipherIn.start);
      cipherIn.advance(n);
      at += n;
      settle(engine);
      if (!invariants(engine.inbox)) return false;
      plainOut.advance(Math.ceil((plainOut.end - plainOut.start) / 2));
      if (!invariants(engine.inbox)) return false;
    }
    return true;
  });
  t.notThrows(() => fc.assert(property, { numRuns: 1500 }));
});
