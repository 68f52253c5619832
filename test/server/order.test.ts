import test from "ava";
import { credential } from "../../certs/fixtures.js";
import { faults, trustAnchor } from "../../src/client/index.js";
import { type Row, STEP } from "../../src/record/engine.js";
import { rowsHello } from "../../src/server/hello.js";
import { type ServerOptions, TlsServer } from "../../src/server/index.js";
import { rows12 } from "../../src/server/server12.js";
import { rows13 } from "../../src/server/server13.js";
import type { ServerSession } from "../../src/server/session.js";
import {
  alert,
  contentType,
  extensionType as ext,
  namedGroup as g,
  handshakeType as hs,
  version,
} from "../../src/wire/registry.js";
import { flip, u8, u16, vec16 } from "../peers/bytes.js";
import { identity } from "../peers/identity.js";
import { extension, message } from "../peers/messages.js";
import { clear } from "../peers/records.js";
import { serverDefaults } from "./pair.js";
import { Scripted, type Settings } from "./scripted.js";

/**
 * In every state in which the server waits: what the RFCs don't allow there is refused, whatever it is. What they
 * allow is written here once more, and not read from the server's tables.
 */

const { chain } = identity("client", "p256");
const trust = [trustAnchor(credential("client", "ca").chain[0])];
const { tls12 } = version;

/** How a client gets the server into a state. */
interface Way {
  readonly rows: readonly Row<ServerSession>[];
  readonly state: string;
  /** The handshake messages that may come: RFC 8446 A.2, RFC 5246 7.3. */
  readonly takes: readonly number[];
  /** A ChangeCipherSpec may come: RFC 5246 7.1, or for middleboxes RFC 8446 D.4. */
  readonly changes?: true;
  readonly settings?: Settings;
  readonly options?: Partial<ServerOptions>;
  readonly go: (client: Scripted) => Scripted;
}

const auth: Partial<ServerOptions> = { clientAuth: "require", trust };
const c12: Settings = { version: tls12 };
const noShare: Settings = {
  groups: [g.secp256r1],
  edit: (hello, retried) =>
    retried
      ? hello
      : {
          ...hello,
          extensions: hello.extensions.map((each) =>
            each.type === ext.key_share ? extension(each.type, u16(0)) : each,
          ),
        },
};

/** The first part of a Certificate: its list goes on. */
function half(client: Scripted): Scripted {
  const bytes = client.certificate([chain[0], chain[0]]);
  return client.record(contentType.handshake, bytes.subarray(0, bytes.length - chain[0].length));
}

const ways: Way[] = [
  { rows: rowsHello, state: "WAIT_CLIENT_HELLO", takes: [hs.client_hello], go: (c) => c },
  {
    rows: rowsHello,
    state: "WAIT_SECOND_CLIENT_HELLO",
    takes: [hs.client_hello],
    changes: true,
    settings: noShare,
    options: { groups: [g.secp256r1] },
    go: (c) => c.hello(),
  },
  { rows: rows13, state: "WAIT_FINISHED", takes: [hs.finished], changes: true, go: (c) => c.hello() },
  {
    rows: rows13,
    state: "WAIT_CERTIFICATE",
    takes: [hs.certificate],
    changes: true,
    options: auth,
    go: (c) => c.hello(),
  },
  {
    rows: rows13,
    state: "WAIT_CERTIFICATE_ENTRY",
    takes: [hs.certificate],
    options: auth,
    go: (c) => half(c.hello()),
  },
  {
    rows: rows13,
    state: "WAIT_CERTIFICATE_VERIFY",
    takes: [hs.certificate_verify],
    changes: true,
    options: auth,
    go: (c) => c.hello().send(c.certificate(chain)),
  },
  { rows: rows13, state: "CONNECTED", takes: [hs.key_update], go: (c) => c.hello().complete() },
  {
    rows: rows12,
    state: "WAIT_KEY_EXCHANGE",
    takes: [hs.client_key_exchange],
    settings: c12,
    go: (c) => c.hello(),
  },
  {
    rows: rows12,
    state: "WAIT_CERTIFICATE",
    takes: [hs.certificate],
    settings: c12,
    options: auth,
    go: (c) => c.hello(),
  },
  {
    rows: rows12,
    state: "WAIT_CERTIFICATE_ENTRY",
    takes: [hs.certificate],
    settings: c12,
    options: auth,
    go: (c) => half(c.hello()),
  },
  {
    rows: rows12,
    state: "WAIT_CERTIFICATE_VERIFY",
    takes: [hs.certificate_verify],
    settings: c12,
    options: auth,
    go: (c) => c.hello().send(c.certificate(chain)).send(c.keyExchange()),
  },
  {
    rows: rows12,
    state: "WAIT_CHANGE_CIPHER_SPEC",
    takes: [],
    changes: true,
    settings: c12,
    go: (c) => c.hello().send(c.keyExchange()).deriveMaster(),
  },
  {
    rows: rows12,
    state: "WAIT_FINISHED",
    takes: [hs.finished],
    settings: c12,
    go: (c) => c.hello().send(c.keyExchange()).deriveMaster().changeCipherSpec(),
  },
  {
    rows: rows12,
    state: "CONNECTED",
    takes: [hs.client_hello],
    settings: c12,
    go: (c) => c.hello().complete(),
  },
];

function reach({ state, settings, options, go }: Way): Scripted {
  const client = go(new Scripted(new TlsServer({ ...serverDefaults, ...options }), settings));
  if (client.server.state !== state) throw new Error(`${client.server.state} ${client.server.fault?.name}`);
  return client;
}

/** In TLS 1.3 it never comes under a key, in TLS 1.2 under the one in force. */
function changeCipherSpec(way: Way, client: Scripted, ...content: number[]): Scripted {
  const bytes = Buffer.from(content);
  if (way.rows === rows12) return client.record(contentType.change_cipher_spec, bytes);
  return client.raw(clear.seal(contentType.change_cipher_spec, bytes));
}

const nameOf = (way: Way) =>
  `${way.rows === rowsHello ? "" : way.rows === rows12 ? "TLS 1.2 " : "TLS 1.3 "}${way.state}`;

test("every state in which the server waits for the client is tried", (t) => {
  const tried = new Set(ways.map(nameOf));
  for (const rows of [rowsHello, rows12, rows13])
    for (const row of rows)
      if (row.on !== STEP) t.true(tried.has(nameOf({ ...row, rows } as never)), row.state);
});

const types = [0, 1, 2, 3, 4, 5, 8, 11, 12, 13, 14, 15, 16, 20, 21, 22, 23, 24, 254, 255];

for (const way of ways) {
  // what comes next belongs to the Certificate that has begun
  const inMessage = way.state === "WAIT_CERTIFICATE_ENTRY";

  if (!inMessage)
    test(`${nameOf(way)}: messages that may not come`, (t) => {
      for (const type of types.filter((type) => !way.takes.includes(type))) {
        const client = reach(way);
        client.record(contentType.handshake, message(type, Buffer.alloc(40)));
        t.is(client.server.fault, faults.UNEXPECTED_MESSAGE, `type ${type}: ${client.server.fault?.name}`);
        t.is(client.alert, alert.unexpected_message);
        t.is(client.server.established, way.state === "CONNECTED");
      }
    });

  if (!inMessage)
    test(`${nameOf(way)}: messages that may come`, (t) => {
      for (const type of way.takes) {
        const client = reach(way);
        client.record(contentType.handshake, message(type, Buffer.alloc(40)));
        t.not(client.server.fault, faults.UNEXPECTED_MESSAGE, `type ${type}`);
      }
      if (way.changes) t.is(changeCipherSpec(way, reach(way), 1).server.fault, undefined);
      t.true(way.takes.length > 0 || way.changes);
    });

  test(`${nameOf(way)}: other records that may not come`, (t) => {
    const refused = (client: Scripted, what: string) =>
      t.is(client.server.fault, faults.UNEXPECTED_MESSAGE, `${what}: ${client.server.fault?.name}`);
    if (way.state !== "CONNECTED") refused(reach(way).record(contentType.application_data, u8(1)), "data");
    if (!way.changes) refused(changeCipherSpec(way, reach(way), 1), "change_cipher_spec");
    else
      for (const bytes of [[0], [2], [1, 1], []])
        refused(changeCipherSpec(way, reach(way), ...bytes), `${bytes}`);
    refused(reach(way).record(contentType.handshake, Buffer.alloc(0)), "an empty fragment");
  });

  if (!inMessage)
    for (const type of way.takes)
      test(`${nameOf(way)}: message ${type} may not be cut by another record`, (t) => {
        const client = reach(way);
        client.record(contentType.handshake, message(type, Buffer.alloc(4)).subarray(0, 3));
        t.is(changeCipherSpec(way, client, 1).server.fault, faults.UNEXPECTED_MESSAGE);
      });

  test(`${nameOf(way)}: records that are none`, (t) => {
    t.is(reach(way).raw(Buffer.from("GET / HTTP/1.1\r\n\r\n")).server.fault, faults.UNKNOWN_RECORD_TYPE);
    t.is(reach(way).raw(Buffer.from([22, 2, 0, 0, 1, 0])).server.fault, faults.RECORD_VERSION);
    t.is(reach(way).raw(Buffer.from([22, 3, 3, 0xff, 0xff])).server.fault, faults.RECORD_OVERFLOW);
    const client = reach(way);
    const sealed = client.write.seal(contentType.handshake, message(20, Buffer.alloc(12)));
    if (client.write.encrypts) t.is(client.raw(flip(sealed)).server.fault, faults.BAD_RECORD_MAC);
  });

  test(`${nameOf(way)}: the end of the transport`, (t) => {
    const client = reach(way);
    client.server.eof();
    client.pump();
    t.is(client.server.fault, faults.TRUNCATED);
  });
}

test("ChangeCipherSpec of TLS 1.3 is ignored, but not without end", (t) => {
  for (const options of [{}, auth]) {
    const client = new Scripted(new TlsServer({ ...serverDefaults, ...options })).hello();
    for (let i = 0; i < 32; i++) client.changeCipherSpec();
    t.is(client.server.fault, undefined);
    client.changeCipherSpec();
    t.is(client.server.fault, faults.TOO_MANY_EMPTY_RECORDS);
  }
});

test("the Finished is checked", (t) => {
  for (const settings of [{}, c12]) {
    const client = new Scripted(new TlsServer(serverDefaults), settings).hello();
    if (settings === c12) client.send(client.keyExchange()).deriveMaster().changeCipherSpec();
    client.send(flip(client.finished(), 4));
    t.is(client.server.fault, faults.FINISHED_MISMATCH);
    t.is(client.alert, alert.decrypt_error);
    t.false(client.server.established);
  }
});

test("the Finished has its length", (t) => {
  for (const settings of [{}, c12])
    for (const change of [
      (bytes: Buffer) => bytes.subarray(0, -1),
      (bytes: Buffer) => Buffer.concat([bytes, u8(0)]),
    ]) {
      const client = new Scripted(new TlsServer(serverDefaults), settings).hello();
      if (settings === c12) client.send(client.keyExchange()).deriveMaster().changeCipherSpec();
      client.send(message(20, change(client.finished().subarray(4))));
      t.is(client.server.fault, faults.DECODE_ERROR);
    }
});

test("keys change between messages, not within a record", (t) => {
  const client = new Scripted(new TlsServer(serverDefaults)).hello();
  client.record(contentType.handshake, Buffer.concat([client.finished(), message(24, u8(0))]));
  t.is(client.server.fault, faults.UNEXPECTED_MESSAGE);
  const hello = new Scripted(new TlsServer(serverDefaults));
  hello.record(contentType.handshake, Buffer.concat([hello.clientHello(), u8(20)]));
  t.is(hello.server.fault, faults.UNEXPECTED_MESSAGE);
});

test("TLS 1.2: a renegotiation is refused", (t) => {
  const client = new Scripted(new TlsServer(serverDefaults), c12).hello().complete();
  client.send(client.clientHello());
  t.is(client.server.fault, faults.NO_RENEGOTIATION);
  t.is(client.alert, alert.no_renegotiation);
});

test("TLS 1.2: the client's point", (t) => {
  for (const [body, fault] of [
    [Buffer.alloc(0), faults.DECODE_ERROR],
    [u8(0), faults.KEY_SHARE],
    [Buffer.concat([u8(31), Buffer.alloc(31, 1)]), faults.KEY_SHARE],
    [Buffer.concat([u8(32), Buffer.alloc(32)]), faults.KEY_SHARE],
    [Buffer.concat([u8(200), Buffer.alloc(200, 4)]), faults.KEY_SHARE],
    [Buffer.concat([u8(32), Buffer.alloc(33, 1)]), faults.DECODE_ERROR],
  ] as const) {
    const client = new Scripted(new TlsServer(serverDefaults), c12).hello().send(message(16, body));
    t.is(client.server.fault, fault);
  }
});

test("TLS 1.2: warnings are only warnings until there are too many", (t) => {
  const client = new Scripted(new TlsServer(serverDefaults), c12).hello();
  for (let i = 0; i < 32; i++) client.record(contentType.alert, Buffer.from([1, 41]));
  t.is(client.server.fault, undefined);
  client.record(contentType.alert, Buffer.from([1, 41]));
  t.is(client.server.fault, faults.TOO_MANY_EMPTY_RECORDS);
});

test("TLS 1.3: KeyUpdate, well-formed and not without end", (t) => {
  const connect = () => new Scripted(new TlsServer(serverDefaults)).hello().complete();
  const client = connect().keyUpdate(false).record(contentType.application_data, Buffer.from("new key"));
  t.is(client.data.toString(), "new key");
  t.is(connect().record(contentType.handshake, message(24, u8(2))).server.fault, faults.ILLEGAL_PARAMETER);
  t.is(connect().record(contentType.handshake, message(24)).server.fault, faults.DECODE_ERROR);
  t.is(connect().record(contentType.handshake, message(24, vec16())).server.fault, faults.DECODE_ERROR);
  const many = connect();
  for (let i = 0; i < 33; i++) many.keyUpdate(false);
  t.is(many.server.fault, faults.TOO_MANY_EMPTY_RECORDS);
});

test("closing in order", (t) => {
  for (const settings of [{}, c12]) {
    const client = new Scripted(new TlsServer(serverDefaults), settings).hello().complete();
    client.record(contentType.alert, Buffer.from([1, 0]));
    t.true(client.server.closedByPeer);
    t.is(client.server.fault, undefined);
    client.server.close();
    client.pump();
    t.is(client.alert, alert.close_notify);
  }
});
