import test from "ava";
import type { Aead } from "../../src/crypto/provider.js";
import {
  HEADER,
  MAX_PLAINTEXT,
  type Opened,
  type Protection,
  Protection13,
  plaintext,
  TAG,
} from "../../src/record/protection.js";
import { AAD, Protection12 } from "../../src/record/protection12.js";
import { faults } from "../../src/wire/fault.js";
import { contentType } from "../../src/wire/registry.js";
import { fault } from "../faults.js";
import { concat, flip } from "../peers/bytes.js";
import * as peer from "../peers/records.js";
import { pairs, pairs12, pairs13 } from "./pairs.js";

const { alert, application_data, handshake } = contentType;

const margin = 7;

/** Seals with bytes around that must stay as they are. */
function seal(protection: Protection, type: number, content: Uint8Array): Buffer {
  const { prefix, suffix } = protection;
  const size = prefix + content.length + suffix;
  const bytes = Buffer.alloc(margin + size + margin, 0xee);
  bytes.set(content, margin + prefix);
  const end = protection.seal(bytes, margin, content.length, type);
  if (end !== margin + size) throw new Error(`the record ends at ${end}`);
  checkMargins(bytes, end);
  return bytes.subarray(margin, end);
}

function checkMargins(bytes: Buffer, end: number): void {
  const around = concat(bytes.subarray(0, margin), bytes.subarray(end));
  if (!around.every((byte) => byte === 0xee)) throw new Error("bytes around the record have changed");
}

function open(
  protection: Protection,
  record: Uint8Array,
): { type: number; content: Buffer; sealed: boolean } {
  const bytes = concat(Buffer.alloc(margin, 0xee), record, Buffer.alloc(margin, 0xee));
  const out: Opened = { type: -1, start: -1, end: -1, sealed: false };
  protection.open(bytes, margin, margin + record.length, out);
  checkMargins(bytes, margin + record.length);
  return { type: out.type, content: bytes.subarray(out.start, out.end), sealed: out.sealed };
}

const contents = [0, 1, 15, 16, 17, 1000, MAX_PLAINTEXT].map((n) => Buffer.alloc(n, n & 0xff));

for (const { name, ours, theirs } of pairs) {
  test(`${name}: records are what the oracle makes, one after another`, (t) => {
    const a = ours();
    const b = theirs();
    for (const content of contents) {
      const record = seal(a, application_data, content);
      t.true(record.equals(b.seal(application_data, content)), `${content.length} bytes`);
    }
    t.is(a.sequence, contents.length);
  });

  test(`${name}: the oracle's records open`, (t) => {
    const a = ours();
    const b = theirs();
    for (const content of contents)
      for (const type of [handshake, alert, application_data]) {
        const opened = open(a, b.seal(type, content));
        t.is(opened.type, type);
        t.true(opened.content.equals(content));
        t.true(opened.sealed);
      }
  });

  test(`${name}: the sequence number has 64 bits in nonce and additional data`, (t) => {
    for (const sequence of [255, 256, 2 ** 24, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 45 + 77]) {
      const a = ours();
      const b = theirs();
      a.sequence = (b as unknown as { sequence: number }).sequence = sequence;
      t.true(seal(a, handshake, contents[5]).equals(b.seal(handshake, contents[5])), `${sequence}`);
      const c = ours();
      c.sequence = sequence + 1;
      t.true(open(c, b.seal(handshake, contents[5])).content.equals(contents[5]), `${sequence + 1}`);
    }
  });

  test(`${name}: no record with a changed bit opens`, (t) => {
    const record = theirs().seal(application_data, Buffer.from("some plaintext"));
    for (let at = 1; at < record.length; at++) {
      if (at === 3 || at === 4) continue; // the length is where the record ends, not what is written there
      t.is(
        fault(() => open(ours(), flip(record, at))),
        faults.BAD_RECORD_MAC,
        `byte ${at}`,
      );
    }
  });

  test(`${name}: a record opens once, and in its turn`, (t) => {
    const from = theirs();
    const [first, second] = [from.seal(handshake, contents[5]), from.seal(handshake, contents[5])];
    t.is(
      fault(() => open(ours(), second)),
      faults.BAD_RECORD_MAC,
      "the second one first",
    );
    const a = ours();
    open(a, first);
    t.is(
      fault(() => open(a, first)),
      faults.BAD_RECORD_MAC,
      "the first one twice",
    );
  });

  test(`${name}: a record too short for its tag is refused, wherever it is cut`, (t) => {
    const record = theirs().seal(application_data, Buffer.from("x"));
    for (let n = HEADER; n < record.length; n++) {
      const cut = Buffer.from(record.subarray(0, n));
      cut.writeUInt16BE(n - HEADER, 3);
      t.is(
        fault(() => open(ours(), cut)),
        faults.BAD_RECORD_MAC,
        `${n} bytes`,
      );
    }
  });

  test(`${name}: dispose forgets key and nonces`, (t) => {
    const a = ours() as Protection12 | Protection13;
    seal(a, handshake, contents[3]);
    let disposed = 0;
    a.aead.dispose = () => disposed++;
    a.dispose();
    t.is(disposed, 1);
    t.true(a.nonce.every((byte) => byte === 0));
    a.nextNonce();
    t.true(
      a.nonce.subarray(0, 8).every((byte) => byte === 0),
      "nothing of the IV comes back",
    );
  });
}

for (const { name, ours, theirs } of pairs13) {
  test(`${name}: padding is taken off, and type and content found before it`, (t) => {
    const a = ours();
    const b = theirs();
    for (const padding of [1, 2, 255, 4000])
      for (const content of [Buffer.alloc(0), Buffer.from("ends in zeros\0\0")]) {
        const opened = open(a, b.seal(handshake, content, padding));
        t.is(opened.type, handshake);
        t.true(opened.content.equals(content), `${content.length} bytes, ${padding} of padding`);
      }
  });

  test(`${name}: nothing but zeros is no record, RFC 8446 5.4`, (t) => {
    for (const n of [0, 1, 100])
      t.is(
        fault(() => open(ours(), theirs().seal(0, Buffer.alloc(n)))),
        faults.UNEXPECTED_MESSAGE,
        `${n}`,
      );
  });

  test(`${name}: a record that says that it is none of ours is not decrypted`, (t) => {
    const a = ours();
    const record = peer.plainRecord(contentType.change_cipher_spec, Buffer.from([1]));
    t.deepEqual(open(a, record), { type: 20, content: Buffer.from([1]), sealed: false });
    t.is(a.sequence, 0, "and takes no sequence number");
  });
}

for (const { name, ours, theirs } of pairs12) {
  test(`${name}: the content type is protected`, (t) => {
    const record = theirs().seal(application_data, contents[4]);
    record[0] = alert;
    t.is(
      fault(() => open(ours(), record)),
      faults.BAD_RECORD_MAC,
    );
  });
}

test("the explicit nonce of TLS 1.2's GCM is taken from the record, whatever the peer puts there", (t) => {
  const { ours } = pairs12[0];
  const key = (ours() as Protection12).aead;
  const nonce = Buffer.from("a0a1a2a30102030405060708", "hex");
  const aad = Buffer.from("00000000000000001703030005", "hex");
  const body = concat(nonce.subarray(4), Buffer.from("hello"), Buffer.alloc(TAG));
  key.seal(nonce, aad, 0, 13, body, 8, 13);
  t.is(open(ours(), peer.plainRecord(application_data, body)).content.toString(), "hello");
});

test("records before any key are RFC 8446's TLSPlaintext", (t) => {
  for (const content of contents) {
    const record = seal(plaintext, handshake, content);
    t.true(record.equals(peer.plainRecord(handshake, content)));
    const opened = open(plaintext, record);
    t.is(opened.type, handshake);
    t.true(opened.content.equals(content));
    t.false(opened.sealed);
  }
  t.true(Object.isFrozen(plaintext));
});

test("an AEAD that opens nothing lets no plaintext through", (t) => {
  const refusing: Aead = { seal: () => {}, open: () => false, dispose: () => {} };
  for (const a of [
    new Protection13(refusing, new Uint8Array(12), 1),
    new Protection12(refusing, new Uint8Array(12), 1, true, new Uint8Array(AAD)),
  ]) {
    const out: Opened = { type: -1, start: -1, end: -1, sealed: false };
    const record = peer.plainRecord(application_data, Buffer.alloc(50));
    t.is(
      fault(() => a.open(record, 0, record.length, out)),
      faults.BAD_RECORD_MAC,
    );
    t.deepEqual(out, { type: -1, start: -1, end: -1, sealed: false });
  }
});

test("a record too short for its tag never reaches the AEAD", (t) => {
  const trusting: Aead = { seal: () => {}, open: () => true, dispose: () => {} };
  const short: [Protection, number][] = [
    [new Protection13(trusting, new Uint8Array(12), 1), TAG],
    [new Protection12(trusting, new Uint8Array(12), 1, true, new Uint8Array(AAD)), 8 + TAG - 1],
    [new Protection12(trusting, new Uint8Array(12), 1, false, new Uint8Array(AAD)), TAG - 1],
  ];
  for (const [a, longest] of short)
    for (let n = 0; n <= longest + 1; n++) {
      const record = peer.plainRecord(application_data, Buffer.alloc(n, 1));
      t.is(
        fault(() => open(a, record)),
        n <= longest ? faults.BAD_RECORD_MAC : undefined,
        `${n} bytes`,
      );
    }
});
