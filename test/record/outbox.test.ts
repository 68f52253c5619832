import test from "ava";
import fc from "fast-check";
import type { Aead } from "../../src/crypto/provider.js";
import { Outbox } from "../../src/record/outbox.js";
import { type Protection, Protection13, plaintext, TAG } from "../../src/record/protection.js";
import { AAD, Protection12 } from "../../src/record/protection12.js";
import { faults } from "../../src/wire/fault.js";
import { contentType } from "../../src/wire/registry.js";
import { fault } from "../faults.js";
import { chunks, concat } from "../peers/bytes.js";
import { plainRecord } from "../peers/records.js";

const { alert, handshake } = contentType;

/** An AEAD that leaves the text as it is and writes a tag of 0xaa, so that records can be read. */
const legible: Aead = {
  seal(_nonce, _aad, _aadStart, _aadEnd, bytes, _start, end) {
    bytes.fill(0xaa, end, end + TAG);
  },
  open: () => true,
  dispose() {},
};

const protections: Record<string, () => Protection> = {
  plaintext: () => plaintext,
  "TLS 1.3": () => new Protection13(legible, new Uint8Array(12), 100000),
  "TLS 1.2 GCM": () => new Protection12(legible, new Uint8Array(12), 100000, true, new Uint8Array(AAD)),
  "TLS 1.2 ChaCha20": () => new Protection12(legible, new Uint8Array(12), 100000, false, new Uint8Array(AAD)),
};

const margin = 16;

function outboxOf(size: number, protection: Protection, maxContent = 16384): Outbox {
  const outbox = new Outbox(Buffer.alloc(size + 2 * margin, 0xee), margin, margin + size);
  outbox.protection = protection;
  outbox.maxContent = maxContent;
  return outbox;
}

/** Writes `n` recognisable bytes where a message is written, and makes records of them. */
function emit(outbox: Outbox, n: number): Buffer {
  const content = Buffer.from(Array.from({ length: n }, (_, i) => (i * 7) % 251));
  outbox.bytes.set(content, outbox.contentStart);
  outbox.emit(handshake, n);
  return content;
}

function sent(outbox: Outbox): Buffer {
  return Buffer.from(outbox.bytes.subarray(outbox.at, outbox.end));
}

/** The content of a record of `protections`. */
function contentOf(record: Buffer, protection: Protection): Buffer {
  return record.subarray(protection.prefix, record.length - protection.suffix);
}

function split(bytes: Buffer): Buffer[] {
  const records: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += 5 + bytes.readUInt16BE(at + 3))
    records.push(bytes.subarray(at, at + 5 + bytes.readUInt16BE(at + 3)));
  return records;
}

for (const [name, protection] of Object.entries(protections)) {
  test(`${name}: a message is cut into records of at most maxContent bytes, whatever both are`, (t) => {
    const sizes = fc.record({ n: fc.nat(900), maxContent: fc.integer({ min: 1, max: 950 }) });
    const property = fc.property(sizes, ({ n, maxContent }) => {
      const outbox = outboxOf(40000, protection(), maxContent);
      emit(outbox, 3);
      const before = outbox.end;
      const content = emit(outbox, n);
      const records = split(Buffer.from(outbox.bytes.subarray(before, outbox.end)));
      const expected = n === 0 ? [Buffer.alloc(0)] : chunks(content, maxContent);
      const found = records.map((record) => contentOf(record, outbox.protection));
      return (
        records.length === expected.length &&
        found.every((each, i) => Buffer.compare(each, expected[i]) === 0)
      );
    });
    t.notThrows(() => fc.assert(property, { numRuns: 1000 }));
  });

  test(`${name}: a message that does not fit is refused before anything is made of it`, (t) => {
    const { prefix, suffix } = protection();
    const overhead = prefix + suffix;
    for (const [n, records] of [
      [10, 1],
      [100, 1],
      [101, 2],
      [500, 5],
    ]) {
      const probe = outboxOf(10000, protection(), 100);
      const needed = 10000 - (probe.contentLimit - probe.contentStart) + n + (records - 1) * overhead;
      t.notThrows(() => emit(outboxOf(needed, protection(), 100), n), `${n} bytes fit ${needed}`);
      const small = outboxOf(needed - 1, protection(), 100);
      t.is(
        fault(() => emit(small, n)),
        faults.OUTPUT_TOO_SMALL,
      );
      t.is(small.pending, 0);
    }
  });

  test(`${name}: two alerts fit behind whatever was emitted`, (t) => {
    const outbox = outboxOf(600, protection());
    emit(outbox, outbox.contentLimit - outbox.contentStart);
    t.is(outbox.room, 0);
    for (let i = 0; i < 2; i++) {
      outbox.bytes.set([2, 80], outbox.contentStart);
      outbox.emitReserved(alert, 2);
    }
    t.true(outbox.end <= margin + 600);
    const around = concat(outbox.bytes.subarray(0, margin), outbox.bytes.subarray(margin + 600));
    t.true(around.every((byte) => byte === 0xee));
  });

  test(`${name}: room is what one more record takes`, (t) => {
    const outbox = outboxOf(1000, protection(), 300);
    t.is(outbox.room, 300);
    while (outbox.room > 0) {
      const { room } = outbox;
      t.notThrows(() => emit(outbox, room));
      t.true(room <= 300);
    }
    t.is(outbox.room, 0, "never negative");
    outbox.sent(outbox.pending);
    t.is(outbox.room, 300);
  });
}

test("the transport takes what it will, and the buffer is used anew once it is empty", (t) => {
  const outbox = outboxOf(500, plaintext);
  const content = emit(outbox, 20);
  const record = plainRecord(handshake, content);
  outbox.sent(7);
  t.true(sent(outbox).equals(record.subarray(7)));
  emit(outbox, 1);
  t.is(outbox.pending, record.length - 7 + 6);
  outbox.sent(outbox.pending);
  t.deepEqual([outbox.at, outbox.end, outbox.pending], [margin, margin, 0]);
});
