import test, { type ExecutionContext } from "ava";
import { words as without } from "../../../hosts/moddable/without/texts.js";
import { at } from "../../../src/handshake/memory.js";
import { alert, version } from "../../../src/wire/registry.js";
import { App, bytes, pattern, type Setup } from "./app.js";
import type { Quirks } from "./fake.js";
import { clientCertificate, clientKey, revoked, staple } from "./peer.js";

/** The contract of an ECMA-419 socket, over a transport that is as awkward as the real ones. */

const { tls12, tls13 } = version;
const both = [
  ["1.2", tls12],
  ["1.3", tls13],
] as const;

/** A connection that stands. */
function connected(t: ExecutionContext, setup: Setup = {}): App {
  const app = new App(setup).open();
  t.deepEqual(app.news(), ["writable"], app.errors[0]?.message);
  return app;
}

const text = (data: unknown) => String.fromCharCode(...new Uint8Array(data as ArrayBuffer));
const hello = bytes("hello");

// ---- Opening

for (const [name, protocol] of both)
  test(`TLS ${name}: the first onWritable means that the handshake is done`, (t) => {
    const app = connected(t, { script: { version: protocol, echo: true } });
    t.true(app.server.open);
    t.true(app.writable >= 1024, `${app.writable}`);
    t.is(app.socket.session?.version, protocol);
    app.socket.write(hello);
    app.wire.run();
    t.is(app.text, "hello");
    app.socket.close();
    t.is(app.server.ended, alert.close_notify);
    t.deepEqual(app.errors, []);
  });

test("the transport gets address, port and its own options, not ours", (t) => {
  const app = new App({ address: "192.0.2.1", port: 8883, nodelay: true, format: "number", target: {} });
  const { options } = app.wire;
  t.like(options, { address: "192.0.2.1", host: "localhost", port: 8883, format: "buffer", nodelay: true });
  t.false("secure" in options! || "target" in options!);
  t.is(app.socket.remoteAddress, "192.0.2.1");
  t.is(app.socket.remotePort, 8883);
});

test("nothing is called back within the constructor, even if the transport is so eager", (t) => {
  const app = new App({ quirks: { eager: true } });
  t.deepEqual(app.events, []);
  app.wire.run();
  t.is(app.news()[0], "writable");
});

test("callbacks have the socket as this, and target is kept", (t) => {
  const seen: unknown[] = [];
  const target = {};
  const app = connected(t, {
    target,
    onWritable() {
      seen.push(this);
    },
    onReadable(count) {
      seen.push(this);
      this.read(count);
    },
    onError() {
      seen.push(this);
    },
  });
  app.arrive(app.server.sendData(hello)).arrive(app.server.close());
  t.is(seen.length, 3);
  for (const each of seen) t.is(each, app.socket);
  t.is(app.socket.target, target);
});

test("a transport that calls back without a this", (t) => {
  const app = connected(t, { quirks: { detached: true } });
  t.deepEqual(app.arrive(app.server.sendData(hello)).news(), ["readable 5"]);
});

test("a server that speaks first is heard after the first onWritable", (t) => {
  const app = new App({ quirks: { window: 10 } });
  let spoken = false;
  app.wire.connect();
  while (app.events.length === 0) {
    while (app.timers.step());
    app.wire.step();
    if (app.server.hello && !spoken) app.wire.arrive(app.server.sendData(hello));
    spoken = app.server.hello !== undefined;
  }
  app.wire.run();
  t.deepEqual(app.news().slice(0, 2), ["writable", "readable 5"]);
});

test("onSecure comes before onWritable, with what was negotiated and found", (t) => {
  const seen: unknown[] = [];
  const app = new App({
    script: { staples: [staple], alpn: "mqtt" },
    secure: {
      ocsp: { policy: "leaf" },
      applicationLayerProtocolNegotiation: "mqtt",
      onSecure(socket) {
        seen.push(this === socket, socket.session?.alpn, socket.session?.verdicts[0].status);
      },
    },
    onWritable() {
      seen.push("writable");
    },
  }).open();
  t.deepEqual(seen, [true, "mqtt", "good", "writable"]);
  app.socket.close();
  t.is(app.socket.session, undefined);
});

test("a client certificate, PEM in resources or DER", (t) => {
  const script = { request: { schemes: [0x0403], required: true } };
  const app = connected(t, {
    script,
    secure: { clientCertificates: [clientCertificate], clientKey },
  });
  t.is(app.server.seen.certificates?.length, 2);
  t.is(app.server.seen.scheme, 0x0403);
});

// ---- Heavy steps

for (const [name, protocol] of both)
  test(`TLS ${name}: a tick of the timer has one costly step at most, and others have theirs between`, (t) => {
    const costs: number[] = [];
    let cost = 0;
    const app = new App({ script: { version: protocol, staples: [staple] } });
    app.onCost = () => cost++;
    let others = 0;
    const other = () => {
      others++;
      costs.push(cost);
      cost = 0;
      app.timers.set(other, 1);
    };
    app.timers.set(other, 1);
    app.wire.connect();
    while (app.events.length === 0) app.wire.step();
    t.deepEqual(app.news(), ["writable"]);
    t.true(Math.max(...costs) <= 1, costs.join());
    t.true(costs.reduce((sum, each) => sum + each, 0) >= 4, costs.join());
    t.true(others > 4);
  });

test("after the handshake no tick is needed", (t) => {
  const app = connected(t);
  const { fired } = app.timers;
  app.arrive(app.server.sendData(hello));
  app.socket.write(hello);
  app.wire.run();
  t.is(app.timers.fired, fired);
});

test("many records at once let others have their turn", (t) => {
  const app = connected(t);
  const flood = Array.from({ length: 30 }, () => app.server.sendData(hello));
  for (const record of flood) app.wire.arrive(record);
  app.wire.deliver();
  t.is(app.events.length, 8);
  app.wire.run();
  t.is(app.received.length, 30 * 5);
});

// ---- Reading

test("read: so many bytes, all, into a buffer or a view, none", (t) => {
  const app = connected(t, { onReadable() {} });
  const { socket } = app;
  t.is(socket.read(), undefined);
  t.is(socket.read(4), undefined);
  app.arrive(app.server.sendData(bytes("abcdefghijklmnop")));
  const two = socket.read(2);
  t.true(two instanceof ArrayBuffer);
  t.is(text(two), "ab");
  const buffer = new ArrayBuffer(3);
  t.is(socket.read(buffer), 3);
  t.is(text(buffer), "cde");
  const view = new Uint8Array(6);
  t.is(socket.read(view.subarray(2, 4)), 2);
  t.deepEqual([...view], [0, 0, 102, 103, 0, 0]);
  t.is(socket.read(new DataView(view.buffer, 4)), 2);
  t.deepEqual([...view], [0, 0, 102, 103, 104, 105]);
  for (const wrong of [8, 0, -1, 1.5, Number.NaN])
    t.throws(() => socket.read(wrong), { instanceOf: RangeError });
  t.is(text(socket.read()), "jklmnop");
  t.is(socket.read(), undefined);
  app.arrive(app.server.sendData(hello));
  t.is(socket.read(new Uint8Array(9)), 5);
});

test("the bytes that read returned stay as they are", (t) => {
  const kept: ArrayBuffer[] = [];
  const app = connected(t, {
    onReadable() {
      kept.push(this.read() as ArrayBuffer);
    },
  });
  for (const each of ["one", "two", "six"]) app.arrive(app.server.sendData(bytes(each)));
  t.deepEqual(kept.map(text), ["one", "two", "six"]);
});

test("format: number and buffer, switched in the middle of the data and of a callback", (t) => {
  const app = connected(t, {
    onReadable(count) {
      this.format = "number";
      app.take(this.read());
      app.take(this.read());
      t.is(this.format, "number");
      this.format = "buffer";
      app.take(this.read(count - 3));
      this.format = "number";
      app.take(this.read());
      t.is(this.read(), undefined);
    },
  });
  app.arrive(app.server.sendData(bytes("number and buffer")));
  t.is(app.text, "number and buffer");
  t.throws(() => Object.assign(app.socket, { format: "text" }), { instanceOf: RangeError });
  t.is(app.socket.format, "number");
  t.throws(() => new App({ format: "text" as "buffer" }), { instanceOf: RangeError });
  t.is(new App({ format: "number" }).socket.format, "number");
});

test("a partial read: onReadable comes again, from a timer, with the rest", (t) => {
  const app = connected(t, {
    onReadable(count) {
      app.take(this.read(Math.min(2, count)));
    },
  });
  app.wire.arrive(app.server.sendData(hello));
  app.wire.deliver();
  t.deepEqual(app.news(), ["readable 5"]);
  app.wire.run();
  t.deepEqual(app.news(), ["readable 3", "readable 1"]);
  t.is(app.text, "hello");
});

test("a partial read, and the rest from a timer of the application: that is not announced again", (t) => {
  const app = connected(t, {
    onReadable() {
      app.take(this.read(2));
      app.timers.set(() => app.take(this.read()), 0);
    },
  });
  app.arrive(app.server.sendData(hello));
  app.arrive(app.server.sendData(bytes("there")));
  app.wire.run();
  t.deepEqual(app.news(), ["readable 5", "readable 5"]);
  t.is(app.text, "hellothere");
});

test("what nobody reads is announced once, and holds back what follows it", (t) => {
  const app = connected(t, { onReadable() {} });
  app.arrive(app.server.sendData(bytes("first"))).arrive(app.server.sendData(bytes("second")));
  t.deepEqual(app.news(), ["readable 5"]);
  t.is(text(app.socket.read(2)), "fi");
  t.deepEqual(app.news(), [], "not within read");
  app.wire.run();
  t.deepEqual(app.news(), ["readable 3"]);
  t.is(text(app.socket.read()), "rst");
  t.is(app.socket.read(), undefined, "the next record was not announced yet");
  app.wire.run();
  t.deepEqual(app.news(), ["readable 6"]);
  t.is(text(app.socket.read()), "second");
});

test("more than the buffers hold stays with the transport until there is room", (t) => {
  let reading = false;
  const app = connected(t, {
    secure: { buffers: { input: 2048 } },
    onReadable() {
      if (reading) app.take(this.read());
    },
  });
  const data = pattern(20_000);
  app.arrive(app.server.sendData(data));
  t.is(app.wire.visible.length, 1536);
  reading = true;
  app.take(app.socket.read());
  app.wire.run();
  t.deepEqual(Uint8Array.from(app.received), data);
});

// ---- Writing

/** The lengths of the records with application data that the server got. */
const sizes = (app: App) =>
  app.server.seen.records.filter(({ type }) => type === 23).map(({ length }) => length);

test("write: array buffer, view, part of a view, DataView, number", (t) => {
  const app = connected(t);
  const data = bytes("0123456789");
  app.socket.write(data.slice(0, 2).buffer);
  app.socket.write(data.subarray(2, 4));
  app.socket.write(new DataView(data.buffer, 4, 2));
  app.socket.format = "number";
  app.socket.write(data[6]);
  app.socket.format = "buffer";
  app.socket.write(new Uint8Array(0));
  t.is(app.server.seen.data.toString(), "0123456");
  t.throws(() => app.socket.write("text" as unknown as ArrayBuffer), { instanceOf: TypeError });
  t.throws(() => app.socket.write(undefined as unknown as ArrayBuffer), { instanceOf: TypeError });
});

for (const [name, protocol] of both)
  test(`TLS ${name}: write with more makes one record`, (t) => {
    const app = connected(t, { script: { version: protocol } });
    const before = sizes(app).length;
    const last = app.socket.write(Uint8Array.of(1), { more: true, byteLength: 300 });
    t.is(app.socket.write(pattern(100), { more: true }), last - 100);
    t.is(app.server.seen.data.length, 0);
    t.true(app.socket.write(pattern(199)) >= last - 199);
    t.deepEqual(sizes(app).slice(before), [300]);
    t.deepEqual(
      Uint8Array.from(app.server.seen.data),
      Uint8Array.from([1, ...pattern(100), ...pattern(199)]),
    );
    app.socket.write(hello);
    t.deepEqual(sizes(app).slice(before), [300, 5]);
    t.is(app.server.seen.data.subarray(300).toString(), "hello");
  });

test("what waits for more goes out before anything else needs the buffer", (t) => {
  const app = connected(t);
  app.socket.write(bytes("to be "), { more: true });
  app.arrive(app.server.sendKeyUpdate(true));
  t.is(app.server.seen.data.toString(), "to be ");
  app.socket.write(bytes("continued"));
  t.is(app.server.seen.data.toString(), "to be continued");
  app.socket.write(bytes("!"), { more: true });
  app.socket.close();
  t.is(app.server.seen.data.toString(), "to be continued!");
  t.is(app.server.ended, alert.close_notify);
});

test("as much as was offered can be written, more would block and sends nothing", (t) => {
  const app = connected(t);
  t.throws(() => app.socket.write(new Uint8Array(app.writable + 200)), { message: "would block" });
  t.is(app.server.seen.data.length, 0);
  app.socket.write(pattern(app.writable));
  t.deepEqual(Uint8Array.from(app.server.seen.data), pattern(app.writable));
});

test("an offer holds for a few small writes, each a record of its own", (t) => {
  const app = connected(t, { quirks: { window: 1 } });
  const data = pattern(app.writable);
  for (const [from, to] of [
    [0, 1],
    [1, 3],
    [3, data.length],
  ])
    app.socket.write(data.subarray(from, to));
  app.wire.run();
  t.deepEqual(Uint8Array.from(app.server.seen.data), data);
});

test("a writer that keeps to what write returns never blocks", (t) => {
  const data = pattern(10_000);
  let sent = 0;
  const app = new App({
    quirks: { window: 100 },
    onWritable(count) {
      for (let room = count; room > 0 && sent < data.length; ) {
        const n = Math.min(room, data.length - sent, 37);
        room = this.write(data.subarray(sent, sent + n));
        sent += n;
      }
    },
  });
  app.wire.connect();
  while (sent === 0) app.wire.step();
  t.true(sent < data.length, "at first the transport takes little");
  app.wire.run();
  t.deepEqual(Uint8Array.from(app.server.seen.data), data);
});

test("onWritable comes again when what was written is on its way", (t) => {
  const app = connected(t, { quirks: { window: 600 } });
  app.socket.write(pattern(1500));
  t.deepEqual(app.news(), [], "not within write");
  app.wire.acknowledge();
  t.deepEqual(app.news(), [], "not before all is on its way");
  app.wire.acknowledge();
  t.deepEqual(app.news(), ["writable"]);
  t.true(app.writable > 1024);
  app.socket.write(hello);
  app.wire.run();
  t.deepEqual(app.news(), ["writable"]);
});

test("a peer that takes records of 64 bytes gets them", (t) => {
  const data = pattern(500);
  let sent = 0;
  const app = new App({
    script: { recordSizeLimit: 64 },
    secure: { recordSizeLimit: 1024 },
    onWritable(count) {
      const n = Math.min(count, data.length - sent);
      if (n > 0) this.write(data.subarray(sent, sent + n));
      sent += n;
    },
  }).open();
  t.deepEqual(Uint8Array.from(app.server.seen.data), data);
});

test("before the handshake and after the close nothing can be written or read", (t) => {
  const app = new App();
  const fails = () => {
    t.throws(() => app.socket.write(hello), { message: "not connected" });
    t.is(app.socket.read(), undefined);
  };
  fails();
  app.wire.connect();
  fails();
  app.wire.run();
  app.socket.close();
  fails();
});

// ---- Awkward transports

const awkward: [string, Partial<Quirks>][] = [
  ["that takes a byte at a time", { window: 1 }],
  ["that takes 40 bytes at a time", { window: 40 }],
  ["that holds a byte", { chunk: 1 }],
  ["that holds 3 bytes and reads 2", { chunk: 3, piece: 2 }],
  ["that reads a byte at a time", { piece: 1 }],
  ["that would block every other time", { blocks: true }],
  ["that would block, and takes 50 bytes", { blocks: true, window: 50 }],
  ["that calls back within write", { eager: true }],
  ["that calls back within write, takes 30 bytes and holds 7", { eager: true, window: 30, chunk: 7 }],
];

for (const [name, protocol] of both)
  for (const [what, quirks] of awkward)
    test(`TLS ${name} over a transport ${what}`, (t) => {
      const app = new App({ quirks, script: { version: protocol, echo: true } }).open();
      t.is(app.news()[0], "writable", app.errors[0]?.message);
      const data = pattern(700);
      app.socket.write(data);
      app.wire.run();
      t.deepEqual(Uint8Array.from(app.received), data);
      app.socket.close();
      app.wire.run();
      t.is(app.server.ended, alert.close_notify);
      t.is(app.wire.closed, 1);
      t.deepEqual(app.errors, []);
    });

test("a transport that tells of data and has none", (t) => {
  const app = connected(t);
  app.wire.options!.onReadable!(10);
  t.deepEqual(app.news(), []);
  t.deepEqual(app.arrive(app.server.sendData(hello)).news(), ["readable 5"]);
});

test("a transport that throws when it is read has ended", (t) => {
  const app = connected(t);
  app.wire.read = () => {
    throw new Error("gone");
  };
  app.arrive(app.server.sendData(hello));
  t.deepEqual(app.news(), ["error TRUNCATED"]);
});

test("a transport whose constructor throws makes ours throw, and leaves no timer", (t) => {
  const broken = class {
    constructor() {
      throw new Error("no socket");
    }
  };
  const app = new App();
  const { length } = app.timers.pending;
  const options = { host: "localhost", port: 1, TCP: { io: broken as never } };
  t.throws(() => Reflect.construct(app.socket.constructor, [options, app.platform]), {
    message: "no socket",
  });
  t.is(app.timers.pending.length, length);
});

// ---- The end

test("close: close_notify, the transport's close, and nothing after", (t) => {
  const app = connected(t);
  app.wire.arrive(app.server.sendData(hello));
  app.socket.close();
  app.socket.close();
  t.is(app.server.ended, alert.close_notify);
  t.is(app.wire.closed, 1);
  t.deepEqual(app.timers.pending, []);
  const { onReadable, onWritable, onError } = app.wire.options!;
  onWritable!(10);
  onReadable!(10);
  onError!();
  app.wire.run();
  t.deepEqual(app.news(), []);
});

test("close gives the provider's keys back", (t) => {
  const app = connected(t);
  t.true(app.keys > 0);
  app.socket.close();
  t.is(app.keys, 0);
  const other = connected(t);
  other.arrive(other.server.close());
  t.is(other.keys, 0);
});

for (const ending of ["close", "the server's close", "a fault"] as const)
  test(`${ending}: neither secrets nor data are left`, (t) => {
    const app = connected(t);
    const { engine, memory } = app.client;
    t.true(isClear(engine.inbox.bytes) === false && isClear(memory.subarray(at.inSecret)) === false);
    if (ending === "close") app.socket.close();
    else app.arrive(ending === "a fault" ? Buffer.from("no TLS") : app.server.close());
    t.true(isClear(memory.subarray(at.inSecret)));
    t.true(isClear(engine.inbox.bytes));
  });

const isClear = (bytes: Uint8Array) => bytes.every((byte) => byte === 0);

test("close before the transport is connected", (t) => {
  const app = new App();
  app.socket.close();
  t.is(app.wire.closed, 1);
  t.deepEqual(app.timers.pending, []);
});

test("close sends what was written when the transport has room again", (t) => {
  const app = connected(t, { quirks: { window: 100 } });
  const data = pattern(1000);
  app.socket.write(data);
  app.socket.close();
  t.is(app.wire.closed, 0);
  app.wire.run();
  t.deepEqual(Uint8Array.from(app.server.seen.data), data);
  t.is(app.server.ended, alert.close_notify);
  t.is(app.wire.closed, 1);
  t.deepEqual(app.timers.pending, []);
  t.deepEqual(app.news(), []);
});

test("close gives up when the transport takes nothing for long", (t) => {
  const app = connected(t, { quirks: { window: 100 } });
  app.socket.write(pattern(1000));
  app.socket.close();
  app.timers.advance(2000);
  t.is(app.wire.closed, 0);
  app.timers.advance(2000);
  t.is(app.wire.closed, 1);
});

test("close gives up when the transport ends", (t) => {
  const app = connected(t, { quirks: { window: 100 } });
  app.socket.write(pattern(1000));
  app.socket.close();
  app.wire.end();
  t.is(app.wire.closed, 1);
  t.deepEqual(app.news(), []);
});

for (const callback of ["onWritable", "onReadable", "onError"] as const)
  test(`close within ${callback}`, (t) => {
    const app = new App({
      [callback](this: App["socket"]) {
        this.close();
        t.is(this.read(), undefined);
      },
    }).open();
    if (app.wire.open) app.arrive(app.server.sendData(hello));
    if (app.wire.open) app.arrive(app.server.close());
    t.false(app.wire.open);
    t.is(app.news().filter((event) => event.startsWith("writable")).length, 1);
    t.is(app.server.ended, alert.close_notify);
    t.is(app.wire.closed, 1);
    t.deepEqual(app.timers.pending, []);
  });

test("close within onReadable, between partial reads and with more to come", (t) => {
  const app = connected(t, {
    onReadable() {
      this.read(2);
      this.close();
    },
  });
  app.arrive(app.server.sendData(hello)).arrive(Uint8Array.of(0));
  t.deepEqual(app.news(), ["readable 5"]);
  t.is(app.socket.read(), undefined);
});

test("close within onSecure", (t) => {
  const app = new App({
    secure: {
      onSecure() {
        this.close();
      },
    },
  }).open();
  t.deepEqual(app.news(), []);
  t.is(app.wire.closed, 1);
});

for (const [name, protocol] of both)
  test(`TLS ${name}: close at every step of the handshake`, (t) => {
    let steps = 0;
    for (let done = false; !done; steps++) {
      const app = new App({ script: { version: protocol } });
      app.wire.connect();
      for (let i = 0; i < steps; i++) app.wire.step();
      done = app.events.length > 0;
      app.news();
      app.socket.close();
      t.deepEqual(app.timers.pending, []);
      t.is(app.wire.closed, 1);
      app.wire.run();
      t.deepEqual(app.news(), []);
    }
    t.true(steps > 5);
  });

for (const [name, protocol] of both)
  test(`TLS ${name}: the transport ends at every step of the handshake`, (t) => {
    let steps = 0;
    for (let done = false; !done; steps++) {
      const app = new App({ script: { version: protocol } });
      app.wire.connect();
      for (let i = 0; i < steps; i++) app.wire.step();
      done = app.events.length > 0;
      app.news();
      app.wire.end().end();
      app.wire.run();
      t.deepEqual(app.news(), ["error TRUNCATED"], `step ${steps}`);
      t.is(app.wire.closed, 1);
    }
    t.true(steps > 5);
  });

test("no connection", (t) => {
  const app = new App();
  app.wire.end();
  t.deepEqual(app.news(), []);
  app.wire.run();
  t.deepEqual(app.news(), ["error CONNECT_FAILED"]);
  t.is(app.wire.closed, 1);
});

test("the server closes in order: onError without a reason, after all was read", (t) => {
  const app = connected(t, { onReadable() {} });
  app.arrive(app.server.sendData(hello)).arrive(app.server.close());
  app.wire.end().run();
  t.deepEqual(app.news(), ["readable 5"]);
  t.is(text(app.socket.read()), "hello");
  t.deepEqual(app.news(), []);
  app.wire.run();
  t.deepEqual(app.news(), ["end"]);
  t.is(app.server.ended, alert.close_notify);
  t.is(app.wire.closed, 1);
});

test("the transport ends without close_notify: TRUNCATED, after all was read", (t) => {
  const app = connected(t, { onReadable() {} });
  const [one, two] = [app.server.sendData(bytes("one")), app.server.sendData(bytes("two"))];
  app.arrive(one).arrive(two);
  app.wire.end().run();
  app.news();
  t.is(text(app.socket.read()), "one");
  app.wire.run();
  t.deepEqual(app.news(), ["readable 3"]);
  t.is(text(app.socket.read()), "two");
  app.wire.run();
  t.deepEqual(app.news(), ["error TRUNCATED"]);
});

test("the transport ends while it holds more than there is room for", (t) => {
  const app = connected(t, { secure: { buffers: { input: 2048 } }, onReadable() {} });
  const data = pattern(3000);
  app.arrive(app.server.sendData(data));
  app.wire.end().run();
  t.true(app.wire.visible.length > 0);
  app.own.onReadable = (count) => app.take(app.socket.read(count));
  app.take(app.socket.read());
  app.wire.run();
  t.deepEqual(Uint8Array.from(app.received), data);
  t.is(app.news().pop(), "error TRUNCATED");
});

test("the transport ends in the middle of a record", (t) => {
  const app = connected(t);
  app.arrive(app.server.sendData(hello).subarray(0, 12));
  app.wire.end().run();
  t.deepEqual(app.news(), ["error TRUNCATED"]);
});

test("a write after a fault was met, but not told yet, does nothing", (t) => {
  const app = connected(t, { onReadable() {} });
  app.wire.arrive(app.server.sendData(hello));
  const bad = app.server.sendData(hello);
  bad[bad.length - 1] ^= 1;
  app.arrive(bad);
  app.news();
  app.take(app.socket.read());
  t.is(app.socket.write(hello), 0);
  t.is(app.socket.write(hello), 0);
  t.deepEqual(app.news(), [], "not within write");
  app.wire.run();
  t.deepEqual(app.news(), ["error BAD_RECORD_MAC"]);
  t.is(app.server.ended, alert.bad_record_mac);
});

// ---- Errors

test("a revoked certificate: the reason has name, alert and wolfSSL's number, and the server learns it", (t) => {
  const heard: unknown[] = [];
  const app = new App({ script: revoked(), secure: { onError: (error) => heard.push(error) } }).open();
  t.deepEqual(app.news(), ["error OCSP_CERT_REVOKED"]);
  const [error] = app.errors;
  t.true(error instanceof Error);
  t.like(error, { name: "TlsError", code: "OCSP_CERT_REVOKED", detail: 0, advice: "" });
  t.deepEqual(error?.alert, { number: alert.certificate_revoked, name: "certificate_revoked" });
  t.deepEqual(error?.wolfssl, { number: -360, name: "OCSP_CERT_REVOKED" });
  t.is(error?.message, "OCSP_CERT_REVOKED: the certificate has been revoked");
  t.deepEqual(heard, [error]);
  t.deepEqual(app.reports, [error!]);
  t.is(app.server.ended, alert.certificate_revoked);
  t.is(app.wire.closed, 1);
});

test("an application without texts hears the fault's name", (t) => {
  const app = new App({ script: revoked(), platform: { words: without } }).open();
  t.deepEqual(app.news(), ["error OCSP_CERT_REVOKED"]);
  const [error] = app.errors;
  t.is(error?.message, "OCSP_CERT_REVOKED");
  t.deepEqual(error?.alert, { number: alert.certificate_revoked, name: "alert_44" });
  t.is(error?.wolfssl, undefined);
  t.is(app.server.ended, alert.certificate_revoked);
});

test("a staple is required and missing", (t) => {
  const app = new App({ secure: { ocsp: { policy: "leaf" } } }).open();
  t.deepEqual(app.news(), ["error OCSP_STAPLE_MISSING"]);
});

test("a clock that was never set is a fault, not a pass", (t) => {
  for (const now of [undefined, 12, 819_195_899]) {
    const app = new App({ platform: { clock: () => now } }).open();
    t.deepEqual(app.news(), ["error NO_CLOCK"]);
  }
});

test("another name, and an unknown CA", (t) => {
  t.deepEqual(new App({ host: "other.example" }).open().news(), ["error CERT_NAME_MISMATCH"]);
  t.deepEqual(new App({ secure: { serverName: "other.example" } }).open().news(), [
    "error CERT_NAME_MISMATCH",
  ]);
  t.deepEqual(new App({ platform: { anchors: () => [] } }).open().news(), ["error CERT_UNKNOWN_ISSUER"]);
  const careless = new App({ host: "other.example", secure: { verify: false } }).open();
  t.deepEqual(careless.news(), ["writable"]);
});

test("the server's alert, and a buffer too small, tell their number", (t) => {
  const app = connected(t);
  app.arrive(app.server.sendAlert(2, alert.access_denied));
  t.like(app.errors[0], { code: "PEER_ALERT", detail: alert.access_denied });
  t.like(app.errors[0]!.alert, { number: alert.access_denied, name: "access_denied" });
  t.regex(app.errors[0]!.message, /\(49\)$/);
  const small = new App({ secure: { buffers: { input: 1024 }, recordSizeLimit: 16385 } }).open();
  t.is(small.errors[0]?.code, "BUFFER_TOO_SMALL");
  t.true(small.errors[0]!.detail > 1024);
});

test("an answer in no TLS at all", (t) => {
  const app = new App();
  app.wire.mute = true;
  app.open().arrive(bytes("HTTP/1.1 400 Bad Request\r\n\r\n"));
  t.deepEqual(app.news(), ["error UNKNOWN_RECORD_TYPE"]);
});

for (const callback of ["onWritable", "onReadable"] as const)
  test(`what ${callback} throws goes to onError, and the server gets an alert`, (t) => {
    const oops = new Error("oops");
    const app = new App({
      [callback]() {
        throw oops;
      },
    }).open();
    if (app.wire.open) app.arrive(app.server.sendData(hello));
    t.is(app.news().pop(), "error CALLBACK_FAILED");
    t.is(app.errors[0]?.cause, oops);
    t.is(app.server.ended, alert.internal_error);
    t.is(app.wire.closed, 1);
  });

test("what onSecure throws goes to onError too", (t) => {
  const app = new App({
    secure: {
      onSecure() {
        throw new Error("oops");
      },
    },
  }).open();
  t.deepEqual(app.news(), ["error CALLBACK_FAILED"]);
});

test("what onError throws, or a callback that has closed, gets nowhere", (t) => {
  const fail = () => {
    throw new Error("oops");
  };
  const app = new App({ script: revoked(), onError: fail, secure: { onError: fail } }).open();
  t.deepEqual(app.news(), ["error OCSP_CERT_REVOKED"]);
  const closing = new App({
    onWritable() {
      this.close();
      fail();
    },
  }).open();
  t.deepEqual(closing.news(), ["writable"]);
});

test("what a provider throws is an internal error with its cause", (t) => {
  const oops = new Error("oops");
  const app = new App();
  app.onCost = () => {
    throw oops;
  };
  app.open();
  t.deepEqual(app.news(), ["error INTERNAL_ERROR"]);
  t.is(app.errors[0]?.cause, oops);
});

// ---- Time

test("a handshake that takes too long", (t) => {
  const app = new App();
  app.wire.arrive = () => app.wire;
  app.open();
  app.timers.advance(19_000);
  t.deepEqual(app.news(), []);
  app.timers.advance(2000);
  t.deepEqual(app.news(), ["error HANDSHAKE_TIMEOUT"]);
  t.is(app.server.ended, alert.user_canceled);
  t.is(app.wire.closed, 1);
  t.deepEqual(app.timers.pending, []);
});

test("the time is an option, and counts for the connection too", (t) => {
  const app = new App({ secure: { handshakeTimeout: 500 } });
  app.timers.advance(501);
  t.deepEqual(app.news(), ["error HANDSHAKE_TIMEOUT"]);
  t.is(app.wire.closed, 1);
  const patient = new App({ secure: { handshakeTimeout: 0 } });
  t.deepEqual(patient.timers.pending, []);
});

test("a connection that stands has no deadline", (t) => {
  const app = connected(t);
  t.deepEqual(app.timers.pending, []);
});
