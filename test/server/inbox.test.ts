import test from "ava";
import { faults } from "../../src/client/index.js";
import { type ServerOptions, TlsServer } from "../../src/server/index.js";
import { alert, extensionType as ext, namedGroup as g, version } from "../../src/wire/registry.js";
import { trust } from "../client/link.js";
import { named } from "../faults.js";
import { concat, u8, u16, u24, vec16 } from "../peers/bytes.js";
import { extension } from "../peers/messages.js";
import { accepted, having } from "./greeting.js";
import { inputOf } from "./ledger.js";
import { selection, serverDefaults } from "./pair.js";
import { Scripted, type Settings } from "./scripted.js";

/** ClientHellos that are longer than the input buffer: tickets and key shares may make them so. */

const LONGEST = 65536;
const both = [
  ["1.2", version.tls12],
  ["1.3", version.tls13],
] as const;

const server = (options: Partial<ServerOptions> = {}) => new TlsServer({ ...serverDefaults, ...options });

/** The ClientHello with so much in an extension that nobody knows that it has `length` bytes behind its header. */
function padded(length: number, settings: Settings): Settings {
  const bare = new Scripted(server(), settings).clientHello().length - 4;
  return { ...settings, extra: [extension(0xfe00, Buffer.alloc(length - bare - 4, 7))] };
}

/** In which memory the server reads at present. */
const memoryOf = (server: TlsServer) => inputOf(server).length;

for (const [name, only] of both) {
  const settings: Settings = { version: only, sessionId: Buffer.alloc(0) };

  test(`TLS ${name}: a ClientHello of 65,536 bytes is taken, whatever the buffers`, (t) => {
    for (const buffers of [undefined, { input: 33792 }, { input: 1024 }, { input: 65536 }, { input: 131072 }])
      for (const length of [33000, LONGEST - 1, LONGEST]) {
        const client = accepted(t, padded(length, settings), { buffers });
        client.record(23, Buffer.from("data"));
        t.is(client.data.toString(), "data");
      }
  });

  test(`TLS ${name}: one byte more is refused as soon as its length has come`, (t) => {
    for (const length of [LONGEST + 1, 100_000, 0xffffff]) {
      const client = new Scripted(server(), settings);
      client.record(22, concat(u8(1), u24(length)));
      t.is(client.server.fault, faults.MESSAGE_TOO_LONG);
      t.is(client.alert, alert.illegal_parameter);
      t.is(client.level, 2);
    }
  });

  test(`TLS ${name}: it comes in records of any size`, (t) => {
    for (const [fragment, input, length] of [
      [100, 33792, LONGEST],
      [1000, 1024, LONGEST],
      [5000, 1024, LONGEST],
      [16384, 1024, LONGEST],
      [1, 1024, 3000],
    ])
      accepted(t, { ...padded(length, settings), fragment }, { buffers: { input } });
  });

  test(`TLS ${name}: its memory comes with its bytes, and goes with them`, (t) => {
    const long = padded(50_000, settings);
    const waiting = { select: () => undefined, buffers: { input: 4096 } };
    const begun = new Scripted(server(waiting), long);
    begun.record(22, begun.clientHello().subarray(0, 3000));
    t.is(memoryOf(begun.server), 4096, "what was announced takes nothing");
    const client = new Scripted(server(waiting), long).hello();
    t.is(client.server.awaits, "selection");
    t.is(memoryOf(client.server), 4 + 65536 + 5 + 16384 + 256);
    client.server.proceed(selection("p256"));
    client.pump();
    t.is(memoryOf(client.server), 0);
  });

  test(`TLS ${name}: a buffer that may grow does so when all of a long one is read`, (t) => {
    const buffers = { input: [1024, 16645] as const };
    const client = accepted(t, padded(50_000, settings), { buffers });
    t.is(memoryOf(client.server), 0);
    const data = Buffer.alloc(16_000, 7);
    const record = client.write.seal(23, data);
    client.raw(record.subarray(0, 1000));
    t.is(memoryOf(client.server), 1024);
    client.raw(record.subarray(1000, 3000));
    t.is(memoryOf(client.server), 16645);
    client.raw(record.subarray(3000));
    t.deepEqual(client.data, data);
    t.is(memoryOf(client.server), 0);
  });

  test(`TLS ${name}: other messages have the buffer that was asked for`, (t) => {
    const options: Partial<ServerOptions> = { buffers: { input: 4096 }, clientAuth: "request", trust };
    const client = new Scripted(server(options), settings).hello();
    // Of a Certificate each entry must be in the buffer whole
    const context = only === version.tls12 ? [] : [u8(0)];
    const entry = only === version.tls12 ? 3 + 5000 : 3 + 5000 + 2;
    client.record(22, concat(u8(11), u24(context.length + 3 + entry), ...context, u24(entry), u24(5000)));
    t.is(client.server.fault, faults.BUFFER_TOO_SMALL);
    t.is(client.server.faultDetail, entry);
    t.is(memoryOf(client.server), 4096);
  });
}

test("TLS 1.3: both ClientHellos may be long", (t) => {
  const groups = [g.secp256r1];
  const { extra } = padded(LONGEST - 100, { groups });
  const client = new Scripted(server({ groups, buffers: { input: 4096 } }), {
    groups,
    extra,
    edit: (hello, retried) => (retried ? hello : having(ext.key_share, vec16())!(hello, retried)),
  });
  client.hello();
  t.true(client.retried);
  client.hello().complete();
  t.true(client.server.established, named(client.server.fault));
});

test("TLS 1.3: a session is resumed behind 40,000 bytes", (t) => {
  const ticketKeys = [{ name: Buffer.alloc(16, 1), key: Buffer.alloc(32) }];
  const { ticket } = accepted(t, {}, { ticketKeys });
  const extra = [extension(0xfe00, Buffer.alloc(40_000)), extension(0xfe01, u16(1))];
  t.true(accepted(t, { resume: ticket, extra }, { ticketKeys, buffers: { input: 2000 } }).resumed);
});
