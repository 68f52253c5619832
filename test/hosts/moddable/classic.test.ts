import test, { type ExecutionContext } from "ava";
import {
  type ClassicOptions,
  type ClassicPlatform,
  type ClassicSecureOptions,
  SecureSocket,
} from "../../../hosts/moddable/classic.js";
import type { TlsError } from "../../../hosts/moddable/socket.js";
import { alert, version } from "../../../src/wire/registry.js";
import { bytes, pattern } from "./app.js";
import { FakeTimers, type Quirks, Wire } from "./fake.js";
import { platform, revoked, server, staple } from "./peer.js";

/** The contract of the SDK's SecureSocket. */

const both = [
  ["1.2", version.tls12],
  ["1.3", version.tls13],
] as const;

interface Setup extends Partial<Omit<ClassicOptions, "secure">> {
  readonly script?: Parameters<typeof server>[0];
  readonly quirks?: Partial<Quirks>;
  readonly secure?: ClassicSecureOptions;
  /** What a test does with the messages, instead of reading everything. */
  readonly callback?: SecureSocket["callback"];
}

/** An application of the classic API that writes down what it is told. */
class Classic {
  readonly timers = new FakeTimers();
  readonly server: ReturnType<typeof server>;
  readonly wire: Wire;
  readonly socket: SecureSocket;
  /** "1", "2 5", "3", "-1", "-2 OCSP_CERT_REVOKED". */
  readonly events: string[] = [];
  readonly values: unknown[] = [];
  received: number[] = [];
  /** Hosts that are looked for. */
  readonly lookups: [host: string, found: (host: string, address: string | undefined) => void][] = [];

  constructor({ script, quirks, callback, ...options }: Setup = {}) {
    this.server = server(script);
    this.wire = new Wire(this.server, this.timers, quirks);
    const system: ClassicPlatform = {
      ...platform(this.timers),
      TCP: this.wire.io,
      resolve: (host, found) => void this.lookups.push([host, found]),
      string: (from, start, end) => String.fromCharCode(...from.subarray(start, end)),
      encode: bytes,
    };
    this.socket = new SecureSocket({ host: "localhost", port: 443, ...options }, system);
    const app = this;
    this.socket.callback = function (message, value) {
      app.note(message, value);
      if (callback) callback.call(this, message, value);
      else if (message === 2) app.received.push(...new Uint8Array(this.read(ArrayBuffer)!));
    };
  }

  private note(message: number, value?: number | TlsError): void {
    this.values.push(value);
    const more = typeof value === "object" ? ` ${value.code}` : message === 2 ? ` ${value}` : "";
    this.events.push(`${message}${more}`);
  }

  /** The host is found. */
  found(address: string | undefined = "127.0.0.1"): this {
    const [host, found] = this.lookups.shift()!;
    found(host, address);
    return this;
  }

  open(): this {
    if (this.lookups.length > 0) this.found();
    this.wire.connect().run();
    return this;
  }

  arrive(data: Uint8Array): this {
    this.wire.arrive(data).run();
    return this;
  }

  send(text: string): this {
    return this.arrive(this.server.sendData(bytes(text)));
  }

  news(): string[] {
    return this.events.splice(0);
  }

  get sent(): string {
    return this.server.seen.data.toString();
  }
}

function connected(t: ExecutionContext, setup: Setup = {}): Classic {
  const app = new Classic(setup).open();
  t.deepEqual(app.news(), ["1"]);
  return app;
}

/** What `read` gives within the callback, for each of these arguments in turn. */
function reading(t: ExecutionContext, text: string, read: (socket: SecureSocket) => unknown[]): unknown[] {
  let got: unknown[] = [];
  const app = connected(t, {
    callback(message) {
      if (message === 2) got = read(this);
    },
  });
  app.send(text);
  t.deepEqual(app.news(), [`2 ${text.length}`]);
  return got;
}

const text = (data: unknown) => String.fromCharCode(...new Uint8Array(data as ArrayBuffer));

// ---- Opening

for (const [name, protocol] of both)
  test(`TLS ${name}: 1 when the handshake is done, 2 for data, 3 when more can be written, -1 at the end`, (t) => {
    const app = connected(t, { script: { version: protocol, echo: true } });
    t.deepEqual(app.values, [undefined]);
    t.is(app.socket.session?.version, protocol);
    app.socket.write("hello");
    t.deepEqual(app.news(), [], "not within write");
    app.wire.run();
    t.deepEqual(app.news().sort(), ["2 5", "3"]);
    t.deepEqual(app.received, [...bytes("hello")]);
    app.arrive(app.server.close());
    t.deepEqual(app.news(), ["-1"]);
    t.is(app.values.pop(), undefined);
    t.is(app.wire.closed, 1);
  });

test("a host is looked for, and connected to by its address; an address needs no look-up", (t) => {
  const app = new Classic({ port: 8883, noDelay: true });
  t.deepEqual(
    app.lookups.map(([host]) => host),
    ["localhost"],
  );
  t.false(app.wire.open);
  app.found("192.0.2.1");
  t.like(app.wire.options, { address: "192.0.2.1", host: "localhost", port: 8883, nodelay: true });
  const other = new Classic({ address: "192.0.2.2" });
  t.deepEqual(other.lookups, []);
  t.like(other.wire.options, { address: "192.0.2.2" });
});

test("a host without an address: -2 from a timer, with the reason", (t) => {
  const app = new Classic();
  app.lookups[0][1]("localhost", undefined);
  t.deepEqual(app.news(), []);
  app.wire.run();
  t.deepEqual(app.news(), ["-2 CONNECT_FAILED"]);
});

test("an address that the transport refuses: -2", (t) => {
  const app = new Classic();
  app.wire.arrive = () => {
    throw new Error("no socket");
  };
  Object.defineProperty(app.wire, "options", {
    set() {
      throw new Error("invalid address");
    },
  });
  app.found("nonsense").wire.run();
  t.deepEqual(app.news(), ["-2 CONNECT_FAILED"]);
});

test("what was closed before its host was found connects no more, and tells nothing", (t) => {
  const app = new Classic();
  app.socket.close();
  app.found().wire.run();
  t.false(app.wire.open);
  t.deepEqual(app.news(), []);
  t.deepEqual(app.timers.pending, []);
});

test("a host that is never found ends with the handshake's time", (t) => {
  const app = new Classic();
  app.timers.advance(20_000);
  t.deepEqual(app.news(), ["-2 HANDSHAKE_TIMEOUT"]);
  t.notThrows(() => app.found());
  t.false(app.wire.open);
});

test("another's socket is not taken: it would be left alone", (t) => {
  t.throws(() => new Classic({ sock: {} } as Setup), { instanceOf: TypeError, message: /^sock/ });
});

// ---- secure

test("secure: the names of the SDK's SecureSocket", (t) => {
  const app = connected(t, {
    script: { alpn: "mqtt" },
    secure: {
      protocolVersion: 0x303,
      trace: true,
      tls_server_name: "localhost",
      tls_max_fragment_length: 2000,
      applicationLayerProtocolNegotiation: ["http/1.1", bytes("mqtt").buffer],
    },
    host: "broker.local",
  });
  const [{ extensions }] = app.server.seen.hellos;
  const body = (type: number) => extensions.find((each) => each.type === type)?.data;
  t.regex(text(body(0)), /localhost$/);
  t.deepEqual([...body(1)!], [2]);
  t.is(app.socket.session?.alpn, "mqtt");
});

test("secure: one protocol as a string or as bytes, lengths of fragments as the SDK rounds them", (t) => {
  t.is(connected(t, { secure: { applicationLayerProtocolNegotiation: undefined } }).news().length, 0);
  for (const applicationLayerProtocolNegotiation of ["mqtt", bytes("mqtt"), bytes("mqtt").buffer])
    t.is(
      connected(t, { script: { alpn: "mqtt" }, secure: { applicationLayerProtocolNegotiation } }).socket
        .session?.alpn,
      "mqtt",
    );
  for (const [limit, code] of [
    [100, 1],
    [512, 1],
    [1023, 1],
    [1024, 2],
    [2048, 3],
    [4095, 3],
    [4096, 4],
    [16384, 4],
  ]) {
    const app = connected(t, { secure: { tls_max_fragment_length: limit } });
    const { extensions } = app.server.seen.hellos[0];
    t.deepEqual([...extensions.find(({ type }) => type === 1)!.data], [code], `${limit}`);
  }
});

test("secure: what is not known is refused, and nothing is opened", (t) => {
  t.throws(() => new Classic({ secure: { ocps: {} } as never }), { message: /secure\.ocps/ });
  t.throws(() => new Classic({ secure: { minVersion: "TLSv1.1" as never } }), { instanceOf: RangeError });
});

for (const [name, protocol] of both)
  test(`TLS ${name}: what is not good enough is never connected`, (t) => {
    const secure = { ocsp: { policy: "leaf" } } as const;
    const reasons: TlsError[] = [];
    const onError = (error: TlsError) => void reasons.push(error);
    const withStaple = { version: protocol, staples: [staple] };
    t.deepEqual(new Classic({ secure, script: withStaple }).open().news(), ["1"]);
    const missing = new Classic({ secure: { ...secure, onError }, script: { version: protocol } }).open();
    t.deepEqual(missing.news(), ["-2 OCSP_STAPLE_MISSING"]);
    t.is(missing.values[0], reasons[0]);
    const bad = new Classic({ script: { ...revoked(), version: protocol } }).open();
    t.deepEqual(bad.news(), ["-2 OCSP_CERT_REVOKED"]);
    const wrong = new Classic({ host: "example.com", script: { version: protocol } }).open();
    t.deepEqual(wrong.news(), ["-2 CERT_NAME_MISMATCH"]);
  });

test("secure.onSecure comes before 1, with the socket", (t) => {
  const seen: unknown[] = [];
  const app = new Classic({
    secure: {
      onSecure(socket) {
        seen.push(socket, this);
      },
    },
    callback: (message) => void seen.push(message),
  }).open();
  t.deepEqual(seen, [app.socket, app.socket, 1]);
});

// ---- Reading

test("read: how many there are, all of them as a string or an ArrayBuffer, none", (t) => {
  t.deepEqual(
    reading(t, "to be", (socket) => [socket.read(), socket.read(String), socket.read(), socket.read(String)]),
    [5, "to be", 0, undefined],
  );
  const [buffer, none] = reading(t, "to be", (socket) => [socket.read(ArrayBuffer), socket.read(null)]);
  t.true(buffer instanceof ArrayBuffer);
  t.is(text(buffer), "to be");
  t.is(none, undefined);
});

test("read: up to so many bytes", (t) => {
  t.deepEqual(
    reading(t, "to be or not", (socket) => [
      socket.read(String, 2),
      socket.read(null, 1),
      text(socket.read(ArrayBuffer, 2)),
      socket.read(),
      socket.read(String, 0),
      socket.read(String, 100),
    ]),
    ["to", 1, "be", 7, "", " or not"],
  );
});

test("read: up to and with a character, or all where there is none", (t) => {
  t.deepEqual(
    reading(t, "a: b\r\n\r\nc", (socket) => [
      socket.read(null, ":"),
      socket.read(String, "\n"),
      text(socket.read(ArrayBuffer, "\n")),
      socket.read(String, "\n"),
    ]),
    [2, " b\r\n", "\r\n", "c"],
  );
  t.deepEqual(
    reading(t, "abc", (socket) => [socket.read(String, "")]),
    ["abc"],
  );
});

test("read: a character behind what is there is not looked for", (t) => {
  let line: unknown;
  const app = connected(t, {
    callback(message) {
      if (message === 2) line = this.read(String, "\n");
    },
  });
  app.send("first\nline\n").send("second");
  t.is(line, "second");
});

test("read: what a record has behind its data is not found", (t) => {
  const contentType = String.fromCharCode(23);
  t.deepEqual(
    reading(t, "abc", (socket) => [socket.read(String, contentType)]),
    ["abc"],
  );
});

test("read: a byte as a number, whatever the limit", (t) => {
  t.deepEqual(
    reading(t, "abc", (socket) => [socket.read(Number), socket.read(Number, 2), socket.read()]),
    [97, 98, 1],
  );
});

test("read: another type is refused", (t) => {
  const app = connected(t, {
    callback(message) {
      if (message === 2) this.read(Boolean as never);
    },
  });
  t.deepEqual(app.send("abc").news(), ["2 3", "-2 CALLBACK_FAILED"]);
});

test("what the callback does not read is gone, and the next record comes", (t) => {
  const seen: unknown[] = [];
  const app = connected(t, {
    callback(message) {
      if (message === 2) seen.push(this.read(String, 2));
    },
  });
  app.send("abcdef");
  t.is(app.socket.read(), 0);
  t.is(app.socket.read(String), undefined);
  app.send("ghi").arrive(app.server.close());
  t.deepEqual(seen, ["ab", "gh"]);
  t.deepEqual(app.news(), ["2 6", "2 3", "-1"]);
});

test("reading in parts sets no timer", (t) => {
  let pending: unknown[] = [];
  let before: unknown[] = [];
  const app = connected(t, {
    callback(message) {
      if (message !== 2) return;
      before = [...app.timers.pending];
      while (this.read(Number) !== undefined) pending = [...app.timers.pending];
    },
  });
  app.send("abc");
  t.deepEqual(pending, before);
});

// ---- Writing

test("write: strings, numbers, buffers and views, in one record and in their order", (t) => {
  const app = connected(t);
  const records = app.server.seen.records.length;
  const view = bytes("xview").subarray(1);
  app.socket.write("a string ", 97, 0x162, bytes(" buffer ").buffer, view, new DataView(bytes("!").buffer));
  t.is(app.sent, "a string ab buffer view!");
  t.is(app.server.seen.records.length, records + 1);
});

test("write: without items how many bytes can be written, which then are", (t) => {
  for (const quirks of [{}, { window: 5744 }, { window: 1 }, { window: 300 }]) {
    const app = connected(t, { quirks });
    const room = app.socket.write();
    t.true(room > 1800, `${room}`);
    t.throws(() => app.socket.write("a", new Uint8Array(room)), { message: "can't write all data" });
    t.is(app.socket.write(), room);
    app.socket.write(pattern(1), pattern(room).subarray(1));
    app.wire.run();
    t.deepEqual(Uint8Array.from(app.server.seen.data), pattern(room));
    t.deepEqual([...new Set(app.news())], ["3"]);
  }
});

test("write: what an ESP32 holds goes out at once, as with the SDK's", (t) => {
  const app = connected(t, { quirks: { window: 5744 } });
  t.true(app.socket.write() >= 5744 - 128);
});

test("write: as much as is promised goes to a peer that takes records of 64 bytes", (t) => {
  for (const window of [1500, 8192, 65535]) {
    const app = connected(t, {
      quirks: { window },
      script: { recordSizeLimit: 64 },
      secure: { recordSizeLimit: 1024 },
    });
    const data = pattern(app.socket.write());
    app.socket.write(data);
    app.wire.run();
    t.deepEqual(Uint8Array.from(app.server.seen.data), data);
    t.deepEqual([...new Set(app.news())], ["3"]);
  }
});

test("write: 3 tells how much more can be written", (t) => {
  const app = connected(t);
  app.socket.write("hello");
  app.wire.run();
  t.deepEqual(app.news(), ["3"]);
  t.is(app.values.pop(), app.socket.write());
});

test("write: nothing of another type, and nothing before the handshake and after the end", (t) => {
  const app = new Classic();
  const fails = () => {
    t.is(app.socket.write(), 0);
    t.throws(() => app.socket.write("a"), { message: "can't write all data" });
  };
  fails();
  app.open();
  for (const item of [undefined, null, true, {}])
    t.throws(() => app.socket.write("a", item as never), { instanceOf: TypeError });
  t.is(app.sent, "");
  app.socket.close();
  fails();
});

test("a transport that breaks its promise in the midst of a write ends the connection", (t) => {
  const app = connected(t);
  app.wire.write = () => {
    throw new Error("would block");
  };
  t.throws(() => app.socket.write(pattern(5000)), { message: "the transport blocks" });
  t.deepEqual(app.news(), [], "not within write");
  app.wire.run();
  t.deepEqual(app.news(), ["-2 INTERNAL_ERROR"]);
});

// ---- The end

test("close sends close_notify, may come twice or within the callback, and nothing comes after", (t) => {
  const app = connected(t, {
    callback(message) {
      if (message === 2) this.close();
    },
  });
  app.send("hello");
  app.socket.close();
  t.is(app.server.ended, alert.close_notify);
  t.is(app.wire.closed, 1);
  t.is(app.socket.read(), 0);
  t.deepEqual(app.news(), ["2 5"]);
  t.deepEqual(app.timers.pending, []);
});

test("the transport's end without close_notify: -2", (t) => {
  const app = connected(t);
  app.wire.end().run();
  t.deepEqual(app.news(), ["-2 TRUNCATED"]);
});

test("a callback that throws, or that there is none: -2, and the connection ends", (t) => {
  const app = connected(t, {
    callback() {
      if (this.read() > 0) throw new Error("no");
    },
  });
  t.deepEqual(app.send("hello").news(), ["2 5", "-2 CALLBACK_FAILED"]);
  t.is((app.values.pop() as TlsError).cause instanceof Error, true);
  const none = new Classic();
  none.socket.callback = undefined;
  none.open();
  t.false(none.wire.open);
});
