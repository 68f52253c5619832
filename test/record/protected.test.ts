import test from "ava";
import type { Aead } from "../../src/crypto/provider.js";
import { wants } from "../../src/record/engine.js";
import { Protection13, plaintext, TAG } from "../../src/record/protection.js";
import { CHANGE_CIPHER_SPEC, STEP } from "../../src/record/row.js";
import { faults } from "../../src/wire/fault.js";
import { alert, contentType } from "../../src/wire/registry.js";
import { fault } from "../faults.js";
import { concat, flip, none, u8, u24 } from "../peers/bytes.js";
import { plainRecord } from "../peers/records.js";
import { type Pair, pairs, pairs12, pairs13 } from "./pairs.js";
import { drain, feed, fill, Toy, takes } from "./toy.js";

/** The engine under keys: what it takes from the peer, and how it uses them up. */

const { application_data, change_cipher_spec, handshake } = contentType;

function message(type: number, body: Uint8Array = none): Buffer {
  return concat(u8(type), u24(body.length), body);
}

const REKEY = 24;

/** A toy whose handshake is done, under keys both ways. REKEY changes those for receiving to `pair`'s again. */
function connected(pair: Pair, input = 17000): Toy {
  const rows = [
    takes("OPEN", 1),
    {
      state: "OPEN",
      on: REKEY,
      run({ engine }: Toy) {
        engine.receiveUnder(pair.ours());
        return "OPEN";
      },
    },
    { state: "OPEN", on: CHANGE_CIPHER_SPEC, run: () => "OPEN" },
    { ...takes("PARTS", 9), measure: () => 1 },
  ];
  const toy = new Toy(rows, input, 17000);
  toy.engine.established = true;
  toy.engine.receiveUnder(pair.ours());
  toy.engine.sendUnder(pair.ours());
  return toy;
}

for (const pair of pairs) {
  test(`${pair.name}: data, messages and alerts come and go`, (t) => {
    const { engine, handled } = connected(pair);
    const peer = pair.theirs();
    const records = [
      peer.seal(application_data, Buffer.from("hello ")),
      peer.seal(handshake, message(1)),
      peer.seal(application_data, Buffer.from("world")),
      peer.seal(contentType.alert, Buffer.from([1, 0])),
    ];
    t.is(feed(engine, concat(...records)).toString(), "hello world");
    t.deepEqual(handled, ["OPEN"]);
    t.true(engine.closedByPeer);
    fill(engine.plainIn, Buffer.from("answer"));
    engine.close();
    const oracle = pair.theirs();
    const expected = [
      oracle.seal(application_data, Buffer.from("answer")),
      oracle.seal(contentType.alert, Buffer.from([1, 0])),
    ];
    t.deepEqual(drain(engine.cipherOut), concat(...expected));
  });

  test(`${pair.name}: a record that does not verify ends the connection, and gives no data`, (t) => {
    const { engine } = connected(pair);
    const record = pair.theirs().seal(application_data, Buffer.from("hello"));
    t.is(feed(engine, flip(record)).length, 0);
    t.is(engine.fault, faults.BAD_RECORD_MAC);
    const reply = pair.theirs().open(drain(engine.cipherOut));
    t.deepEqual([reply.type, ...reply.content], [contentType.alert, 2, alert.bad_record_mac]);
  });

  test(`${pair.name}: nothing but a ChangeCipherSpec comes in the clear, and that never under keys`, (t) => {
    for (const type of [handshake, contentType.alert, application_data]) {
      const { engine } = connected(pair);
      feed(engine, plainRecord(type, message(1)));
      // A type that TLS 1.3 would not encrypt is told from one that does not decrypt
      const clear = pairs13.includes(pair) && type !== application_data;
      t.is(engine.fault, clear ? faults.UNEXPECTED_MESSAGE : faults.BAD_RECORD_MAC);
    }
    const { engine } = connected(pair);
    feed(engine, pair.theirs().seal(change_cipher_spec, u8(1)));
    t.is(engine.fault, faults.UNEXPECTED_MESSAGE);
  });

  test(`${pair.name}: no message reaches across a change of keys, RFC 8446 5.1`, (t) => {
    const behind = [concat(message(REKEY), u8(1)), concat(message(REKEY), message(1))];
    for (const content of behind) {
      const { engine } = connected(pair);
      feed(engine, pair.theirs().seal(handshake, content));
      t.is(engine.fault, faults.UNEXPECTED_MESSAGE);
    }
    const { engine, handled } = connected(pair);
    feed(
      engine,
      concat(pair.theirs().seal(handshake, message(REKEY)), pair.theirs().seal(handshake, message(1))),
    );
    t.is(engine.fault, undefined);
    t.deepEqual(handled, ["OPEN"], "under the new keys");
  });

  test(`${pair.name}: keys don't change within a message that is handled part by part`, (t) => {
    const toy = connected(pair);
    toy.state = "PARTS";
    feed(toy.engine, pair.theirs().seal(handshake, message(9, u8(1).fill(0)).subarray(0, 4)));
    t.is(toy.engine.left, 1);
    t.is(
      fault(() => toy.engine.receiveUnder(pair.ours())),
      faults.UNEXPECTED_MESSAGE,
    );
  });

  test(`${pair.name}: empty data is counted`, (t) => {
    const { engine } = connected(pair);
    const peer = pair.theirs();
    for (let i = 0; i < 32; i++) feed(engine, peer.seal(application_data, none));
    t.is(engine.fault, undefined);
    feed(engine, peer.seal(application_data, none));
    t.is(engine.fault, faults.TOO_MANY_EMPTY_RECORDS);
  });

  test(`${pair.name}: records are as long as the negotiated limit at most`, (t) => {
    // RFC 8449 section 4: in TLS 1.3 the content type counts, and the padding
    const type = pairs13.includes(pair) ? 1 : 0;
    for (const limit of [64, 16384 + type])
      for (const [n, padding, expected] of [
        [limit - type, 0, undefined],
        [limit - type + 1, 0, faults.RECORD_OVERFLOW],
        [limit - type - 9, 9, undefined],
        [limit - type - 9, 10, type ? faults.RECORD_OVERFLOW : undefined],
      ] as const) {
        const { engine } = connected(pair);
        engine.maxInner = limit;
        feed(engine, pair.theirs().seal(application_data, Buffer.alloc(n), padding));
        t.is(engine.fault, expected, `${n} bytes and ${padding} of padding`);
      }
  });

  test(`${pair.name}: a key that wears out is replaced in time`, (t) => {
    const toy = connected(pair);
    toy.engine.sendUnder(pair.ours(10));
    for (let sent = 1; sent <= 10; sent++) {
      fill(toy.engine.plainIn, Buffer.from("x"));
      t.is(toy.refreshes, Math.max(0, sent - 4), `after ${sent} records`);
    }
    t.is(toy.engine.fault, undefined);
    fill(toy.engine.plainIn, Buffer.from("x"));
    t.is(toy.engine.fault, faults.KEY_EXHAUSTED);
    const oracle = pair.theirs();
    const data = Array.from({ length: 10 }, () => oracle.seal(application_data, Buffer.from("x")));
    const last = oracle.seal(contentType.alert, Buffer.from([2, alert.internal_error]));
    t.deepEqual(drain(toy.engine.cipherOut), concat(...data, last));
  });
}

for (const pair of pairs13)
  test(`${pair.name}: a ChangeCipherSpec in the clear is what the rows make of it`, (t) => {
    const toy = connected(pair);
    const change = plainRecord(change_cipher_spec, u8(1));
    feed(toy.engine, concat(change, pair.theirs().seal(handshake, message(1))));
    t.is(toy.engine.fault, undefined);
    t.deepEqual(toy.handled, ["OPEN"], "and it takes no sequence number");
    toy.state = "ELSEWHERE";
    feed(toy.engine, change);
    t.is(toy.engine.fault, faults.UNEXPECTED_MESSAGE);
  });

for (const pair of pairs13)
  test(`${pair.name}: a record has a content type, and one that exists`, (t) => {
    for (const type of [0, 1, 19, 24, 255]) {
      const { engine } = connected(pair);
      feed(engine, pair.theirs().seal(type, Buffer.alloc(5)));
      t.is(engine.fault, faults.UNEXPECTED_MESSAGE, `${type}`);
    }
  });

for (const pair of pairs12)
  test(`${pair.name}: no record goes in the clear once there are keys`, (t) => {
    const toy = connected(pair);
    feed(toy.engine, plainRecord(change_cipher_spec, u8(1)));
    t.is(toy.engine.fault, faults.BAD_RECORD_MAC);
  });

test("keys that are replaced are disposed of, both ways, and at the end", (t) => {
  let disposed = "";
  const protection = (name: string) => {
    const aead: Aead = { seal() {}, open: () => true, dispose: () => (disposed += name) };
    return new Protection13(aead, new Uint8Array(12), 1);
  };
  const { engine } = new Toy([], 100, 100);
  engine.receiveUnder(protection("a"));
  engine.sendUnder(protection("b"));
  t.is(disposed, "");
  engine.receiveUnder(protection("c"));
  engine.sendUnder(protection("d"));
  t.is(disposed, "ab");
  engine.wipe();
  t.is(disposed, "abcd");
  t.is(engine.outbox.protection, plaintext);
});

// ---- After our close_notify we send nothing, RFC 8446 6.1

const closeNotify = Buffer.from([1, 0]);

test("no message follows our close_notify, though the peer asks for one", (t) => {
  const [pair] = pairs13;
  const rows = [
    takes("OPEN", 1, "ANSWER"),
    {
      state: "ANSWER",
      on: STEP,
      sends: true,
      run({ engine }: Toy) {
        engine.begin(2);
        engine.send();
        return "OPEN";
      },
    },
  ];
  const toy = new Toy(rows, 1000);
  toy.engine.established = true;
  toy.engine.receiveUnder(pair.ours());
  toy.engine.sendUnder(pair.ours());
  toy.engine.close();
  t.deepEqual(drain(toy.engine.cipherOut), pair.theirs().seal(contentType.alert, closeNotify));
  const peer = pair.theirs();
  const records = [peer.seal(handshake, message(1)), peer.seal(application_data, Buffer.from("more"))];
  t.is(feed(toy.engine, concat(...records)).toString(), "more", "what the peer sends is read still");
  t.is(drain(toy.engine.cipherOut).length, 0);
});

/** How a connection comes to its end, by what happens last. */
const endings: Record<string, (toy: Toy, peer: ReturnType<Pair["theirs"]>) => void> = {
  "a fault": ({ engine }) => engine.fail(faults.HANDSHAKE_TIMEOUT),
  "our close_notify after the peer's"({ engine }, peer) {
    feed(engine, peer.seal(contentType.alert, Buffer.from([1, 0])));
    engine.close();
  },
  "the peer's close_notify after ours"({ engine }, peer) {
    engine.close();
    feed(engine, peer.seal(contentType.alert, Buffer.from([1, 0])));
  },
  "the transport's end after our close_notify"({ engine }) {
    engine.close();
    engine.eof();
  },
  wipe: ({ engine }) => engine.wipe(),
  "wipe, half closed"({ engine }) {
    engine.close();
    engine.wipe();
  },
};

for (const pair of pairs)
  for (const [ending, end] of Object.entries(endings))
    test(`${pair.name}: at its end a connection forgets keys, IVs and secrets: ${ending}`, (t) => {
      const toy = connected(pair);
      let disposed = 0;
      const ivs: Uint8Array[] = [];
      for (const direction of ["receiveUnder", "sendUnder"] as const) {
        const protection = pair.ours() as Protection13;
        const { dispose } = protection.aead;
        protection.aead.dispose = () => {
          disposed++;
          dispose.call(protection.aead);
        };
        ivs.push(protection.nonce);
        toy.engine[direction](protection);
      }
      const peer = pair.theirs();
      t.is(feed(toy.engine, peer.seal(application_data, Buffer.from("hello"))).toString(), "hello");
      t.deepEqual([toy.wipes, disposed], [0, 0]);
      end(toy, peer);
      t.true(toy.wipes > 0);
      t.is(disposed, 2);
      for (const iv of ivs) t.true(iv.every((byte) => byte === 0));
      if (ending.startsWith("wipe")) t.true(toy.engine.inbox.bytes.every((byte) => byte === 0));
      t.is(toy.engine.wants & ~wants.WRITE & ~wants.CLOSED, 0);
    });

test("half closed, a connection keeps its keys: what the peer sends is read still", (t) => {
  const [pair] = pairs13;
  const toy = connected(pair);
  toy.engine.close();
  t.is(feed(toy.engine, pair.theirs().seal(application_data, Buffer.from("hello"))).toString(), "hello");
  t.is(toy.wipes, 0);
});

test("no alert follows our close_notify", (t) => {
  const [pair] = pairs13;
  const { engine } = connected(pair);
  engine.close();
  feed(engine, plainRecord(application_data, Buffer.alloc(TAG + 1)));
  t.is(engine.fault, faults.BAD_RECORD_MAC);
  t.deepEqual(drain(engine.cipherOut), pair.theirs().seal(contentType.alert, closeNotify));
});

test("a handshake that is closed is over", (t) => {
  const toy = new Toy([takes("STEPS", STEP)], 100);
  toy.engine.work();
  toy.engine.close();
  toy.engine.work();
  t.is(toy.handled.length, 1);
  t.deepEqual(drain(toy.engine.cipherOut), plainRecord(contentType.alert, closeNotify));
  t.is(toy.engine.wants, wants.CLOSED);
});
