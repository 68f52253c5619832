import test from "ava";
import { credential } from "../../certs/fixtures.js";
import { faults, trustAnchor } from "../../src/client/index.js";
import type { MachineRows } from "../../src/record/row.js";
import type { ServerHandshake } from "../../src/server/handshake.js";
import { rowsHello } from "../../src/server/hello.js";
import { type ServerOptions, TlsServer } from "../../src/server/index.js";
import { rows12 } from "../../src/server/server12.js";
import { rows13 } from "../../src/server/server13.js";
import {
  alert,
  contentType,
  extensionType as ext,
  namedGroup as g,
  version,
} from "../../src/wire/registry.js";
import { named } from "../faults.js";
import { flip, u8, u16, u24, vec16 } from "../peers/bytes.js";
import { identity } from "../peers/identity.js";
import { extension, message } from "../peers/messages.js";
import { clear } from "../peers/records.js";
import { serverDefaults } from "./pair.js";
import { Scripted, type Settings } from "./scripted.js";

/** In every state in which the server waits: what its table does not list is refused, whatever it is. */

const { chain } = identity("client", "p256");
const trust = [trustAnchor(credential("client", "ca").chain[0])];
const { tls12 } = version;

/** How a client gets the server into a state. */
interface Way {
  readonly rows: MachineRows<ServerHandshake>;
  readonly state: string;
  /** HandshakeTypes that may come: told here, and not read from the tables that are under test. */
  readonly takes: readonly number[];
  /** Whether a ChangeCipherSpec may come. */
  readonly ccs?: true;
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
  { rows: rowsHello, state: "WAIT_CLIENT_HELLO", takes: [1], go: (c) => c },
  {
    rows: rowsHello,
    state: "WAIT_SECOND_CLIENT_HELLO",
    takes: [1],
    ccs: true,
    settings: noShare,
    options: { groups: [g.secp256r1] },
    go: (c) => c.hello(),
  },
  { rows: rows13, state: "WAIT_FINISHED", takes: [20], ccs: true, go: (c) => c.hello() },
  { rows: rows13, state: "WAIT_CERTIFICATE", takes: [11], ccs: true, options: auth, go: (c) => c.hello() },
  { rows: rows13, state: "WAIT_CERTIFICATE_ENTRY", takes: [11], options: auth, go: (c) => half(c.hello()) },
  {
    rows: rows13,
    state: "WAIT_CERTIFICATE_VERIFY",
    takes: [15],
    ccs: true,
    options: auth,
    go: (c) => c.hello().send(c.certificate(chain)),
  },
  { rows: rows13, state: "CONNECTED", takes: [24], go: (c) => c.hello().complete() },
  { rows: rows12, state: "WAIT_KEY_EXCHANGE", takes: [16], settings: c12, go: (c) => c.hello() },
  {
    rows: rows12,
    state: "WAIT_CERTIFICATE",
    takes: [11],
    settings: c12,
    options: auth,
    go: (c) => c.hello(),
  },
  {
    rows: rows12,
    state: "WAIT_CERTIFICATE_ENTRY",
    takes: [11],
    settings: c12,
    options: auth,
    go: (c) => half(c.hello()),
  },
  {
    rows: rows12,
    state: "WAIT_CERTIFICATE_VERIFY",
    takes: [15],
    settings: c12,
    options: auth,
    go: (c) => c.hello().send(c.certificate(chain)).send(c.keyExchange()),
  },
  {
    rows: rows12,
    state: "WAIT_CHANGE_CIPHER_SPEC",
    takes: [],
    ccs: true,
    settings: c12,
    go: (c) => c.hello().send(c.keyExchange()).deriveMaster(),
  },
  {
    rows: rows12,
    state: "WAIT_FINISHED",
    takes: [20],
    settings: c12,
    go: (c) => c.hello().send(c.keyExchange()).deriveMaster().changeCipherSpec(),
  },
  { rows: rows12, state: "CONNECTED", takes: [1], settings: c12, go: (c) => c.hello().complete() },
];

function reach({ state, settings, options, go }: Way): Scripted {
  const client = go(new Scripted(new TlsServer({ ...serverDefaults, ...options }), settings));
  if (client.server.state !== state) throw new Error(`${client.server.state} ${named(client.server.fault)}`);
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

/** What stands in a row for work that awaits no message, and for a ChangeCipherSpec, which no HandshakeType must equal. */
const STEP = 0x1ff;
const CHANGE_CIPHER_SPEC = 0x114;

/** What rows are for. */
function stated({ columns }: MachineRows<ServerHandshake>): { state: string; on: number }[] {
  const all = [...columns];
  return all.flatMap((on, i) => (i % 3 === 0 ? [{ state: String(all[i + 1]), on: Number(on) }] : []));
}

test("every state in which the server waits for the client is tried, and takes what is told of it", (t) => {
  for (const rows of [rowsHello, rows12, rows13])
    for (const state of new Set(stated(rows).map((row) => row.state))) {
      const on = stated(rows)
        .filter((row) => row.state === state && row.on !== STEP)
        .map((row) => row.on);
      const way = ways.find((each) => each.rows === rows && each.state === state);
      const told = way ? [...way.takes, ...(way.ccs ? [CHANGE_CIPHER_SPEC] : [])] : [];
      t.deepEqual(on.sort(), told, state);
    }
});

const types = [0, 1, 2, 3, 4, 5, 8, 11, 12, 13, 14, 15, 16, 20, 21, 22, 23, 24, 254, 255];

for (const way of ways) {
  const inMessage = way.state === "WAIT_CERTIFICATE_ENTRY";

  test(`${nameOf(way)}: messages that have no row`, (t) => {
    for (const type of types) {
      if (way.takes.includes(type) || inMessage) continue;
      const client = reach(way);
      client.record(contentType.handshake, message(type, Buffer.alloc(40)));
      t.is(client.server.fault, faults.UNEXPECTED_MESSAGE, `type ${type}: ${named(client.server.fault)}`);
      t.is(client.alert, alert.unexpected_message);
      t.false(client.server.established && way.state !== "CONNECTED");
    }
    t.pass();
  });

  test(`${nameOf(way)}: other records that may not come`, (t) => {
    const refused = (client: Scripted, what: string) =>
      t.is(client.server.fault, faults.UNEXPECTED_MESSAGE, `${what}: ${named(client.server.fault)}`);
    if (way.state !== "CONNECTED") refused(reach(way).record(contentType.application_data, u8(1)), "data");
    if (!way.ccs) refused(changeCipherSpec(way, reach(way), 1), "change_cipher_spec");
    else
      for (const bytes of [[0], [2], [1, 1], []])
        refused(changeCipherSpec(way, reach(way), ...bytes), `${bytes}`);
    refused(reach(way).record(contentType.handshake, Buffer.alloc(0)), "an empty fragment");
  });

  test(`${nameOf(way)}: no message may be cut by another record`, (t) => {
    const [on] = way.takes;
    t.pass();
    if (inMessage || on === undefined) return;
    const client = reach(way);
    client.record(contentType.handshake, message(on, Buffer.alloc(4)).subarray(0, 3));
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

test("a Finished that is longer, or says so, is refused for that, whatever it holds", (t) => {
  for (const settings of [{}, c12])
    for (const change of [
      (bytes: Buffer) => Buffer.concat([u8(20), u24(bytes.length - 3), u8(0), bytes.subarray(4)]),
      () => Buffer.concat([u8(20), u24(0xffffff)]),
    ]) {
      const client = new Scripted(new TlsServer(serverDefaults), settings).hello();
      if (settings === c12) client.send(client.keyExchange()).deriveMaster().changeCipherSpec();
      client.record(contentType.handshake, change(client.finished()));
      t.is(client.server.fault, faults.DECODE_ERROR);
      t.is(client.alert, alert.decode_error);
    }
});

test("a client that fails after the ServerHello, before it has keys, is heard, but never as an end", (t) => {
  const bare = (client: Scripted, ...content: number[]) =>
    client.raw(clear.seal(contentType.alert, Buffer.from(content))).server;
  for (const [level, description] of [
    [2, alert.illegal_parameter],
    [1, alert.illegal_parameter],
    [1, alert.close_notify],
    [1, alert.user_canceled],
  ]) {
    const server = bare(new Scripted(new TlsServer(serverDefaults)).hello(), level, description);
    t.is(server.fault, faults.PEER_ALERT);
    t.is(server.faultDetail, description);
    t.false(server.closedByPeer);
  }
  const authenticating = new Scripted(new TlsServer({ ...serverDefaults, ...auth })).hello();
  authenticating.send(authenticating.certificate(chain));
  t.is(bare(authenticating, 2, 40).fault, faults.UNEXPECTED_MESSAGE, "the keys have worked");
  const connected = new Scripted(new TlsServer(serverDefaults)).hello().complete();
  t.is(bare(connected, 1, 0).fault, faults.UNEXPECTED_MESSAGE, "keys changed, but the handshake is done");
  t.is(
    bare(new Scripted(new TlsServer(serverDefaults)).hello()).fault,
    faults.UNEXPECTED_MESSAGE,
    "an empty one",
  );
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
  t.is(connect().record(contentType.handshake, Buffer.from([24, 1, 0, 1])).server.fault, faults.DECODE_ERROR);
  const many = connect();
  for (let i = 0; i < 33; i++) many.keyUpdate(false);
  t.is(many.server.fault, faults.TOO_MANY_EMPTY_RECORDS);
});

test("TLS 1.3: several requests for a KeyUpdate get one answer while the server is silent", (t) => {
  const client = new Scripted(new TlsServer(serverDefaults)).hello().complete();
  const answers = () => client.received.filter(({ type }) => type === 24).map(({ bytes }) => bytes[4]);
  for (let i = 0; i < 3; i++) client.keyUpdate(true);
  t.deepEqual(answers(), [0]);
});

test("TLS 1.3: a KeyUpdate of the server's asks for one in return, or not, as it is told to", (t) => {
  for (const request of [true, false]) {
    const client = new Scripted(new TlsServer(serverDefaults)).hello().complete();
    t.true(client.server.updateKey(request));
    client.pump();
    const update = client.received.find(({ type }) => type === 24);
    t.deepEqual(update?.bytes, message(24, u8(request ? 1 : 0)));
  }
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
