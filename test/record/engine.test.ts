import test from "ava";
import { wants } from "../../src/record/engine.js";
import type { Port } from "../../src/record/ports.js";
import { CHANGE_CIPHER_SPEC, type Row, STEP } from "../../src/record/row.js";
import { faults } from "../../src/wire/fault.js";
import type { Reader } from "../../src/wire/reader.js";
import { alert, contentType, handshakeType } from "../../src/wire/registry.js";
import { concat, none, u8, u16, u24 } from "../peers/bytes.js";
import { header, plainRecord } from "../peers/records.js";
import { drain, feed, fill, settle, Toy, takes } from "./toy.js";

const { application_data, change_cipher_spec, handshake } = contentType;
const WARNING = 1;
const FATAL = 2;

/** A handshake message. */
function message(type: number, body: Uint8Array = none): Buffer {
  return concat(u8(type), u24(body.length), body);
}

/** A record of handshake messages. */
function flight(...messages: Buffer[]): Buffer {
  return plainRecord(handshake, concat(...messages));
}

function alertRecord(level: number, description: number): Buffer {
  return plainRecord(contentType.alert, Buffer.from([level, description]));
}

function dataRecord(text: string): Buffer {
  return plainRecord(application_data, Buffer.from(text));
}

const changeRecord = plainRecord(change_cipher_spec, u8(1));

/** A toy that has heard this. */
function heard(rows: readonly Row<Toy>[], ...records: Uint8Array[]): Toy {
  const toy = new Toy(rows, 1000);
  feed(toy.engine, concat(...records));
  return toy;
}

/** The same once the handshake is done. */
function connected(rows: readonly Row<Toy>[], ...records: Uint8Array[]): Toy {
  const toy = new Toy(rows, 1000);
  toy.engine.established = true;
  feed(toy.engine, concat(...records));
  return toy;
}

const dialogue = [takes("A", 1, "B"), takes("B", 2, "C"), takes("C", 1, "C")];

// ---- Messages

test("a message that has a row in the state runs it, and its answer is the next state", (t) => {
  const toy = heard(dialogue, flight(message(1, u8(7)), message(2)), flight(message(1, u8(9))));
  t.deepEqual(toy.handled, ["A", "B", "C"]);
  t.deepEqual(toy.bodies, [u8(7), none, u8(9)]);
  t.is(toy.engine.fault, undefined);
});

test("a message that has none is refused, though another state would have it", (t) => {
  for (const [rows, type] of [
    [dialogue, 2],
    [dialogue, 3],
    [[], 1],
  ] as const) {
    const toy = heard(rows, flight(message(type)));
    t.is(toy.engine.fault, faults.UNEXPECTED_MESSAGE);
    t.deepEqual(toy.handled, []);
  }
});

test("it is refused by its header, before the rest has come", (t) => {
  const toy = heard(dialogue, plainRecord(handshake, message(2, Buffer.alloc(50)).subarray(0, 4)));
  t.is(toy.engine.fault, faults.UNEXPECTED_MESSAGE);
});

test("a row that leaves bytes of a message unread, or asks for more than it has, is a decode error", (t) => {
  for (const read of [2, 4]) {
    const run = ({ engine }: Toy) => {
      engine.reader.skip(read);
      return "A";
    };
    const toy = heard([{ state: "A", on: 1, run }], flight(message(1, Buffer.alloc(3)), message(1)));
    t.is(toy.engine.fault, faults.DECODE_ERROR);
  }
});

test("a message too long for the buffer is refused by its header", (t) => {
  const toy = heard(dialogue, plainRecord(handshake, message(1, Buffer.alloc(997)).subarray(0, 4)));
  t.is(toy.engine.fault, faults.BUFFER_TOO_SMALL);
  t.is(toy.engine.faultDetail, 1001);
  const fits = heard(dialogue, plainRecord(handshake, message(1, Buffer.alloc(996)).subarray(0, 4)));
  t.is(fits.engine.fault, undefined);
});

test("a message enters the transcript after its row ran, and what was sent as it is sent", (t) => {
  const before: Buffer[] = [];
  const run = (toy: Toy) => {
    toy.take();
    before.push(toy.transcript);
    toy.engine.begin(5).u8(toy.bodies.length);
    toy.engine.send();
    return "A";
  };
  const [first, second] = [message(1), message(1, u8(3))];
  const toy = heard([{ state: "A", on: 1, run }], flight(first, second));
  const answered = concat(message(5, u8(1)), first);
  t.deepEqual(before, [none, answered]);
  t.deepEqual(toy.transcript, concat(answered, message(5, u8(2)), second));
});

test("whatever a row throws, work() does not; what is no fault is INTERNAL_ERROR with its cause", (t) => {
  const bug = new TypeError("a bug");
  for (const thrown of [
    faults.KEY_SHARE,
    bug,
    "text",
    faults.KEY_SHARE + 0x100,
    { name: "KEY_SHARE" },
    undefined,
  ]) {
    const run = () => {
      throw thrown;
    };
    const toy = heard([{ state: "A", on: 1, run }], flight(message(1)));
    const isFault = thrown === faults.KEY_SHARE;
    t.is(toy.engine.fault, isFault ? faults.KEY_SHARE : faults.INTERNAL_ERROR);
    t.is(toy.engine.cause, isFault ? undefined : thrown);
    t.is(toy.state, "A");
    t.is(toy.wipes, 1);
    t.deepEqual(drain(toy.engine.cipherOut), alertRecord(FATAL, isFault ? 47 : 80));
  }
});

test("the first fault stays, and one alert tells the peer", (t) => {
  const { engine, wipes } = heard(dialogue, flight(message(2)));
  engine.fail(faults.HANDSHAKE_TIMEOUT);
  feed(engine, flight(message(1)));
  t.is(engine.fault, faults.UNEXPECTED_MESSAGE);
  t.deepEqual(drain(engine.cipherOut), alertRecord(FATAL, alert.unexpected_message));
  t.is(engine.wants, wants.CLOSED);
  t.is(wipes, 1);
});

test("the owner's own reason ends the connection too", (t) => {
  const { engine } = heard(dialogue);
  engine.fail(faults.HANDSHAKE_TIMEOUT);
  t.is(engine.fault, faults.HANDSHAKE_TIMEOUT);
  t.deepEqual(drain(engine.cipherOut), alertRecord(FATAL, alert.user_canceled));
});

// ---- Messages handled part by part

/** A message 9: u8 version, then parts with a length of 2 bytes before each. */
const partwise: Row<Toy>[] = [
  { ...takes("HEAD", 9, "PARTS"), measure: () => 1 },
  {
    ...takes("PARTS", 9),
    run(toy) {
      toy.take();
      return toy.engine.left > 0 ? "PARTS" : "DONE";
    },
    measure: (r: Reader) => (r.left < 2 ? 0 : 2 + r.u16()),
  },
  takes("DONE", 1),
];

function part(n: number): Buffer {
  return concat(u16(n), Buffer.alloc(n, n));
}

test("parts are handled as they come, each in its state, whatever records they come in", (t) => {
  const parted = message(9, concat(u8(3), part(5), part(0), part(300)));
  for (const size of [1, 2, 7, 100, 1000]) {
    const toy = new Toy(partwise, 350);
    const all = concat(parted, message(1));
    for (let at = 0; at < all.length; at += size) feed(toy.engine, flight(all.subarray(at, at + size)));
    t.is(toy.engine.fault, undefined);
    t.deepEqual(toy.handled, ["HEAD", "PARTS", "PARTS", "PARTS", "DONE"]);
    t.deepEqual(toy.bodies, [u8(3), part(5), part(0), part(300), none]);
    t.deepEqual(toy.transcript, all);
  }
});

test("a message longer than the buffer passes when its parts fit, and the part that does not is named", (t) => {
  const long = (n: number) => message(9, concat(u8(3), ...new Array(40).fill(part(20)), part(n)));
  for (const [n, fault] of [
    [90, undefined],
    [99, faults.BUFFER_TOO_SMALL],
  ] as const) {
    const toy = new Toy(partwise, 100);
    for (const byte of long(n)) feed(toy.engine, flight(u8(byte)));
    t.is(toy.engine.fault, fault);
    t.is(toy.engine.faultDetail, fault ? 101 : 0);
  }
});

test("parts must be what the message's length says", (t) => {
  const bad: Record<string, Buffer> = {
    "no parts at all": message(9),
    "a part longer than the message": concat(u8(9), u24(6), u8(3), part(4)),
    "a part cut short": concat(u8(9), u24(2), u8(3), u8(0), u8(0)),
  };
  for (const [what, bytes] of Object.entries(bad))
    t.is(heard(partwise, flight(bytes)).engine.fault, faults.DECODE_ERROR, what);
});

test("bytes of a message left when no part follows are refused", (t) => {
  const rows = [{ ...takes("HEAD", 9, "DONE"), measure: () => 1 }, takes("DONE", 9)];
  t.is(heard(rows, flight(message(9, Buffer.alloc(2)))).engine.fault, faults.DECODE_ERROR);
});

// ---- Records

test("a handshake record is not empty", (t) => {
  t.is(heard(dialogue, plainRecord(handshake, none)).engine.fault, faults.UNEXPECTED_MESSAGE);
});

test("no data and no ChangeCipherSpec between the pieces of a message", (t) => {
  const rows = [takes("A", 1), ...partwise, { state: "A", on: CHANGE_CIPHER_SPEC, run: () => "A" }];
  const change = { state: "PARTS", on: CHANGE_CIPHER_SPEC, run: () => "PARTS" };
  for (const between of [dataRecord("x"), dataRecord(""), changeRecord]) {
    const pieces = [flight(message(1, u16(7)).subarray(0, 5)), between, flight(u8(7))];
    t.is(connected(rows, ...pieces).engine.fault, faults.UNEXPECTED_MESSAGE);
    // Here the message is in progress, though no byte of it waits
    const toy = new Toy([...partwise, change], 1000);
    toy.engine.established = true;
    feed(toy.engine, concat(flight(message(9, concat(u8(3), part(4))).subarray(0, 5)), between));
    t.is(toy.engine.fault, faults.UNEXPECTED_MESSAGE);
  }
});

test("ChangeCipherSpec needs a row, and is one byte of 1", (t) => {
  const rows = [{ ...takes("A", CHANGE_CIPHER_SPEC, "B"), run: () => "B" }];
  t.is(heard(rows, changeRecord).state, "B");
  const bad = [none, u8(0), u8(2), Buffer.from([1, 1])];
  for (const content of bad)
    t.is(heard(rows, plainRecord(change_cipher_spec, content)).engine.fault, faults.UNEXPECTED_MESSAGE);
  t.is(heard(rows, changeRecord, changeRecord).engine.fault, faults.UNEXPECTED_MESSAGE, "no row in B");
});

test("application data before the handshake is done is refused", (t) => {
  const { engine } = heard(dialogue, dataRecord("early"));
  t.is(engine.fault, faults.UNEXPECTED_MESSAGE);
  t.is(engine.plainOut.start, engine.plainOut.end);
});

test("a record's plaintext has at most 2^14 bytes", (t) => {
  for (const [n, fault] of [
    [16384, undefined],
    [16385, faults.RECORD_OVERFLOW],
    [16640, faults.RECORD_OVERFLOW],
  ] as const) {
    const toy = new Toy([], 17000);
    toy.engine.established = true;
    feed(toy.engine, plainRecord(application_data, Buffer.alloc(n)));
    t.is(toy.engine.fault, fault, `${n} bytes`);
  }
});

const TOLERATED = 32;

test("records that do nothing are counted, and too many in a row refused", (t) => {
  const rows = [{ state: "A", on: CHANGE_CIPHER_SPEC, run: () => "A" }];
  for (const idle of [dataRecord(""), changeRecord, alertRecord(WARNING, alert.user_canceled)]) {
    const most = new Array(TOLERATED).fill(idle);
    t.is(connected(rows, ...most).engine.fault, undefined);
    t.is(connected(rows, ...most, dataRecord("x"), ...most).engine.fault, undefined, "data starts anew");
    t.is(connected(rows, ...most, idle).engine.fault, faults.TOO_MANY_EMPTY_RECORDS);
  }
});

// ---- Alerts and ends

test("a fatal alert is the peer's fault, kept with its number, and not answered", (t) => {
  const { engine, wipes } = heard(dialogue, alertRecord(FATAL, alert.handshake_failure), flight(message(1)));
  t.is(engine.fault, faults.PEER_ALERT);
  t.is(engine.faultDetail, alert.handshake_failure);
  t.is(engine.wants, wants.CLOSED);
  t.is(wipes, 1);
});

test("a warning is a warning until TLS 1.3 makes all alerts fatal, RFC 8446 6", (t) => {
  const warning = alertRecord(WARNING, alert.unrecognized_name);
  t.is(heard(dialogue, warning).engine.fault, undefined);
  const toy = new Toy(dialogue, 1000);
  toy.engine.warnings = false;
  feed(toy.engine, warning);
  t.is(toy.engine.fault, faults.PEER_ALERT);
  t.is(toy.engine.faultDetail, alert.unrecognized_name);
  const canceled = new Toy(dialogue, 1000);
  canceled.engine.warnings = false;
  feed(canceled.engine, alertRecord(WARNING, alert.user_canceled));
  t.is(canceled.engine.fault, undefined, "user_canceled announces the close_notify");
});

test("an alert is not empty, RFC 8446 5.4", (t) => {
  const empty = plainRecord(contentType.alert, none);
  t.is(heard(dialogue, empty).engine.fault, faults.UNEXPECTED_MESSAGE);
  t.is(connected(dialogue, empty).engine.fault, faults.UNEXPECTED_MESSAGE);
});

test("an alert is two bytes, one to a record", (t) => {
  for (const content of [u8(2), Buffer.from([1, 0, 0]), Buffer.from([1, 90, 1, 0])])
    t.is(heard(dialogue, plainRecord(contentType.alert, content)).engine.fault, faults.DECODE_ERROR);
});

test("after the peer's close_notify nothing more is read, RFC 8446 6.1", (t) => {
  for (const level of [WARNING, FATAL]) {
    const { engine, handled } = connected(
      dialogue,
      alertRecord(level, 0),
      flight(message(1)),
      Buffer.from("junk"),
    );
    t.true(engine.closedByPeer);
    t.is(engine.fault, undefined);
    t.deepEqual(handled, []);
    t.is(engine.wants, wants.SPACE, "but data may still be sent");
    engine.eof();
    settle(engine);
    t.is(engine.fault, undefined, "and the transport may end");
    engine.close();
    t.deepEqual(drain(engine.cipherOut), alertRecord(WARNING, 0));
    t.is(engine.wants, wants.CLOSED);
  }
});

test("a close_notify before the handshake is done fails it", (t) => {
  const { engine } = heard(dialogue, alertRecord(WARNING, 0));
  t.is(engine.fault, faults.PEER_ALERT);
  t.is(engine.faultDetail, alert.close_notify);
  t.false(engine.closedByPeer);
  t.is(engine.wants, wants.CLOSED);
});

test("the transport's end without close_notify is a truncation, which nobody is told of", (t) => {
  for (const records of [
    [],
    [flight(message(1))],
    [flight(message(1)).subarray(0, 7)],
    [dataRecord("cut").subarray(0, 6)],
  ]) {
    const { engine } = connected(dialogue, ...records);
    engine.eof();
    t.truthy(engine.wants & wants.WORK);
    settle(engine);
    t.is(engine.fault, faults.TRUNCATED);
    t.is(engine.wants, wants.CLOSED);
  }
});

test("data that came before the transport's end is read first", (t) => {
  const { engine } = connected(dialogue);
  fill(engine.cipherIn, dataRecord("last words"));
  engine.eof();
  settle(engine);
  t.is(engine.fault, undefined);
  t.is(engine.wants & (wants.DATA | wants.READ), wants.DATA);
  t.is(drain(engine.plainOut).toString(), "last words");
  settle(engine);
  t.is(engine.fault, faults.TRUNCATED);
});

test("close sends close_notify once, and no data after it; the peer's may still come", (t) => {
  const { engine } = connected(dialogue);
  engine.close();
  engine.close();
  t.deepEqual(drain(engine.cipherOut), alertRecord(WARNING, 0));
  t.is(engine.plainIn.start, engine.plainIn.end);
  settle(engine);
  t.is(engine.wants, wants.READ);
  t.is(feed(engine, dataRecord("still")).toString(), "still");
  feed(engine, alertRecord(WARNING, 0));
  t.is(engine.wants, wants.CLOSED);
  t.is(engine.fault, undefined);
});

test("after our close the transport may just end", (t) => {
  const { engine } = connected(dialogue);
  engine.close();
  engine.eof();
  t.is(engine.wants, wants.WRITE);
  drain(engine.cipherOut);
  t.is(engine.wants, wants.CLOSED);
  engine.work();
  t.is(engine.fault, undefined);
});

test("close after a fault adds nothing", (t) => {
  const { engine } = heard(dialogue, flight(message(2)));
  drain(engine.cipherOut);
  engine.close();
  t.is(engine.wants, wants.CLOSED);
});

// ---- What is wanted, and the ports

test("wants follows from the buffers", (t) => {
  const { engine } = new Toy(dialogue, 1000);
  t.is(engine.wants, wants.WORK);
  settle(engine);
  t.is(engine.wants, wants.READ);
  fill(engine.cipherIn, u8(handshake));
  t.is(engine.wants, wants.WORK);
  settle(engine);
  engine.established = true;
  t.is(engine.wants, wants.READ | wants.SPACE);
  fill(engine.plainIn, Buffer.from("hello"));
  t.is(engine.wants, wants.WRITE | wants.WORK);
  settle(engine);
  t.is(engine.wants, wants.WRITE | wants.READ | wants.SPACE);
  t.deepEqual(drain(engine.cipherOut), dataRecord("hello"));
  settle(engine);
  t.is(engine.wants, wants.READ | wants.SPACE);
});

test("no bytes are wanted when there is no room, and no data either", (t) => {
  const toy = new Toy(dialogue, 40, 200);
  const { engine } = toy;
  engine.established = true;
  feed(engine, none);
  fill(
    engine.cipherIn,
    concat(dataRecord("unread"), dataRecord("0123456789012345678901234567890")).subarray(0, 40),
  );
  settle(engine);
  t.is(engine.wants, wants.DATA | wants.SPACE);
  while (engine.plainIn.end > engine.plainIn.start) fill(engine.plainIn, Buffer.alloc(100));
  settle(engine);
  t.is(engine.wants, wants.DATA | wants.WRITE);
});

test("application data leaves record by record, cut to what the peer takes", (t) => {
  const { engine } = connected(dialogue);
  engine.outbox.maxContent = 4;
  t.is(engine.plainIn.end - engine.plainIn.start, 4);
  fill(engine.plainIn, Buffer.from("abcdef"));
  fill(engine.plainIn, Buffer.from("ef"));
  t.deepEqual(drain(engine.cipherOut), concat(dataRecord("abcd"), dataRecord("ef")));
  engine.plainIn.advance(0);
  t.is(engine.wants & wants.WRITE, 0, "nothing is made of nothing");
});

test("no application data before the handshake is done, nor after a fault", (t) => {
  const { engine } = heard(dialogue);
  t.is(engine.plainIn.start, engine.plainIn.end);
  engine.established = true;
  t.not(engine.plainIn.start, engine.plainIn.end);
  engine.fail(faults.HANDSHAKE_TIMEOUT);
  t.is(engine.plainIn.start, engine.plainIn.end);
});

test("ports refuse to advance by what they don't hold", (t) => {
  const { engine } = connected(dialogue);
  fill(engine.cipherIn, dataRecord("data"));
  settle(engine);
  fill(engine.plainIn, Buffer.from("data"));
  for (const name of ["cipherIn", "cipherOut", "plainIn", "plainOut"] as const) {
    const port: Port = engine[name];
    const size = port.end - port.start;
    t.true(size > 0, name);
    for (const n of [-1, size + 1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, "1" as unknown as number]) {
      t.throws(() => port.advance(n), { instanceOf: RangeError, message: /port holds/ }, `${name} ${n}`);
      t.is(port.end - port.start, size);
    }
    t.notThrows(() => port.advance(size), name);
  }
});

// ---- Steps

/** Rows that do `run` as a step as long as the state is STEPS. */
function steps(run: (toy: Toy) => string, sends?: boolean): Row<Toy>[] {
  return [{ state: "STEPS", on: STEP, run, sends }, takes("DONE", 1)];
}

/** A step that sends a message. */
function sending(state: string, next: string): Row<Toy> {
  return {
    state,
    on: STEP,
    sends: true,
    run({ engine }) {
      engine.begin(2);
      engine.send();
      return next;
    },
  };
}

test("one step a turn, and no message before the steps are done", (t) => {
  let ran = 0;
  const toy = new Toy(
    steps(() => (++ran < 3 ? "STEPS" : "DONE")),
    100,
  );
  fill(toy.engine.cipherIn, flight(message(1)));
  for (let turn = 1; turn <= 3; turn++) {
    t.truthy(toy.engine.wants & wants.WORK);
    t.deepEqual(toy.handled, []);
    toy.engine.work();
    t.is(ran, turn);
  }
  settle(toy.engine);
  t.deepEqual(toy.handled, ["DONE"]);
});

test("a step that sends waits for room, and always has it in an empty buffer", (t) => {
  let ran = 0;
  const rows = steps(({ engine }) => {
    engine.beginRaw(handshakeType.certificate).skip(500);
    engine.sendRaw();
    return ++ran < 6 ? "STEPS" : "DONE";
  }, true);
  // 1536 bytes are kept for a step behind others
  const toy = new Toy(rows, 100, 3000);
  settle(toy.engine);
  t.is(ran, 3);
  t.is(toy.engine.wants, wants.WRITE | wants.READ);
  toy.engine.cipherOut.advance(505);
  settle(toy.engine);
  t.is(ran, 3, "the buffer is not moved down while it is in use");
  drain(toy.engine.cipherOut);
  settle(toy.engine);
  t.is(ran, 6);
  const small = new Toy(rows, 100, 800);
  ran = 0;
  for (let turn = 1; turn <= 6; turn++) {
    settle(small.engine);
    t.is(ran, turn);
    drain(small.engine.cipherOut);
  }
});

test("a step that sends nothing does not wait for room", (t) => {
  const rows = [takes("A", 1, "SEND"), sending("SEND", "WORK"), { ...takes("WORK", STEP, "SEND") }];
  const toy = new Toy(rows, 100, 800);
  feed(toy.engine, flight(message(1)));
  t.is(toy.state, "SEND");
  t.deepEqual(toy.handled, ["A", "WORK"]);
  t.is(toy.engine.wants, wants.WRITE | wants.READ);
});

test("no application data goes out before a step that waits", (t) => {
  const toy = new Toy(
    steps(() => "DONE", true),
    100,
    1000,
  );
  toy.engine.established = true;
  t.is(toy.engine.plainIn.start, toy.engine.plainIn.end);
  settle(toy.engine);
  t.not(toy.engine.plainIn.start, toy.engine.plainIn.end);
});

test("a message longer than the output buffer goes out piece by piece", (t) => {
  const long = message(11, Buffer.alloc(2000, 7));
  let at = 0;
  const run = ({ engine }: Toy) => {
    const w = engine.beginRaw(handshakeType.certificate);
    const n = Math.min(w.room, long.length - at);
    w.copy(long, at, at + n);
    at += n;
    engine.sendRaw();
    return at < long.length ? "STEPS" : "DONE";
  };
  const toy = new Toy(steps(run, true), 100, 700);
  const sent: Buffer[] = [];
  while (toy.state !== "DONE") {
    settle(toy.engine);
    sent.push(drain(toy.engine.cipherOut));
  }
  const contents = sent.map((record) => record.subarray(5));
  t.deepEqual(concat(...contents), long);
  t.deepEqual(toy.transcript, long);
  const traced = toy.traced.map(({ type, bytes }) => [type, bytes]);
  t.deepEqual(
    traced,
    contents.map((bytes) => [0x160b, bytes]),
    "each piece by the message's type",
  );
});

test("a message that does not fit the output buffer is a fault, and its alert still fits", (t) => {
  const toy = new Toy(
    steps(({ engine }) => {
      engine.begin(1).skip(1000);
      return "DONE";
    }),
    100,
    300,
  );
  settle(toy.engine);
  t.is(toy.engine.fault, faults.OUTPUT_TOO_SMALL);
  t.deepEqual(drain(toy.engine.cipherOut), alertRecord(FATAL, alert.internal_error));
});

test("a ChangeCipherSpec is a record of its own, and no part of the transcript", (t) => {
  const toy = new Toy(
    steps(({ engine }) => {
      engine.sendChangeCipherSpec();
      return "DONE";
    }),
    100,
  );
  settle(toy.engine);
  t.deepEqual(drain(toy.engine.cipherOut), changeRecord);
  t.is(toy.transcript.length, 0);
});

// ---- Tracing, resetting

test("everything but data is traced, whole", (t) => {
  const rows = [
    { state: "START", on: STEP, run: greet },
    takes("A", 1),
    { state: "A", on: CHANGE_CIPHER_SPEC, run: () => "A" },
  ];
  function greet({ engine }: Toy) {
    engine.begin(7).u8(1);
    engine.send();
    engine.sendChangeCipherSpec();
    return "A";
  }
  const toy = new Toy(rows, 1000);
  toy.engine.established = true;
  feed(toy.engine, concat(flight(message(1, u8(8))), changeRecord, alertRecord(1, 90), dataRecord("secret")));
  toy.engine.close();
  t.deepEqual(toy.traced, [
    { sent: true, type: 0x1607, bytes: message(7, u8(1)) },
    { sent: true, type: 0x1400, bytes: u8(1) },
    { sent: false, type: 0x1601, bytes: message(1, u8(8)) },
    { sent: false, type: 0x1400, bytes: u8(1) },
    { sent: false, type: 0x1500, bytes: Buffer.from([1, 90]) },
    { sent: true, type: 0x1500, bytes: Buffer.from([1, 0]) },
  ]);
});

test("a record's header is checked before the record is there", (t) => {
  const { engine } = heard(dialogue, header(handshake, 16641));
  t.is(engine.fault, faults.RECORD_OVERFLOW);
  t.deepEqual(drain(engine.cipherOut), alertRecord(FATAL, alert.record_overflow));
});
