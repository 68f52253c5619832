import test, { type ExecutionContext } from "ava";
import { NOW } from "../../certs/fixtures.js";
import { type Fault, faults } from "../../src/client/index.js";
import { at } from "../../src/handshake/memory.js";
import { type ServerOptions, TlsServer } from "../../src/server/index.js";
import { alertOf } from "../../src/wire/fault.js";
import { cipherSuite as c, extensionType as ext, namedGroup as g, version } from "../../src/wire/registry.js";
import { named } from "../faults.js";
import { concat, flip, u8, u16, vec8 } from "../peers/bytes.js";
import { identity } from "../peers/identity.js";
import { extension } from "../peers/messages.js";
import { selection, serverDefaults, trust } from "./pair.js";
import { Scripted, type Settings } from "./scripted.js";

/** Tickets: RFC 5077, RFC 7627 5.3, RFC 8446 2.2 and 4.6.1. */

const key = (n: number) => ({ name: Buffer.alloc(16, n), key: Buffer.alloc(32, n + 100) });
const tickets: Partial<ServerOptions> = { ticketKeys: [key(1)] };
const both = [
  ["1.2", version.tls12],
  ["1.3", version.tls13],
] as const;

function serve(options: Partial<ServerOptions> = {}): TlsServer {
  return new TlsServer({ ...serverDefaults, ...tickets, ...options });
}

/** A whole handshake, and data after it; it must succeed. */
function connect(t: ExecutionContext, options: Partial<ServerOptions>, settings: Settings): Scripted {
  const client = new Scripted(serve(options), settings).hello().complete();
  t.is(client.server.fault, undefined, `${named(client.server.fault)} ${client.server.cause}`);
  t.true(client.server.established, client.server.state);
  client.record(23, Buffer.from("data"));
  t.is(client.data.toString(), "data");
  t.is(client.server.resumed, client.resumed);
  return client;
}

/** A handshake that ends in a ticket, with `first`; then one that shows it, with `second`. */
function twice(
  t: ExecutionContext,
  first: [Partial<ServerOptions>, Settings],
  second: [Partial<ServerOptions>, Settings],
): Scripted {
  const { ticket } = connect(t, ...first);
  return connect(t, second[0], { ...second[1], resume: ticket });
}

/** The second handshake must fail. */
function refused(t: ExecutionContext, fault: Fault, first: Settings, second: Settings): Scripted {
  const { ticket } = connect(t, {}, first);
  t.truthy(ticket);
  const client = new Scripted(serve(), { ...second, resume: ticket }).hello();
  t.is(client.server.fault, fault);
  t.is(client.alert, alertOf(fault));
  return client;
}

for (const [name, only] of both) {
  const base: Settings = { version: only, serverName: "one.test" };

  test(`TLS ${name}: a ticket resumes`, (t) => {
    const client = twice(t, [{}, base], [{}, base]);
    t.true(client.resumed);
    t.is(client.server.hello?.serverName, "one.test");
    const named = client.serverExtensions.some(({ type }) => type === ext.server_name);
    t.false(named, "RFC 6066 section 3");
    const types = client.received.map(({ type }) => type);
    t.false(types.includes(11), "no certificate");
    t.is(types.includes(4), only === version.tls13, "in TLS 1.2 the ticket goes on");
    t.false(client.serverExtensions.some(({ type }) => type === ext.session_ticket));
  });

  test(`TLS ${name}: every suite resumes`, (t) => {
    for (const id of Object.values(c)) {
      const rsa = [c.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, c.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384].includes(
        id as never,
      );
      const kind = rsa || id === c.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 ? "rsa" : "p256";
      if ((id >> 8 === 0x13) !== (only === version.tls13)) continue;
      const server = { suites: [id], select: () => selection(kind) };
      t.true(twice(t, [server, base], [server, base]).resumed, id.toString(16));
    }
  });

  test(`TLS ${name}: who resumes is asked about again, as any client`, (t) => {
    const asked: [string | undefined, boolean][] = [];
    const select: ServerOptions["select"] = (hello) => {
      const answer = selection("p256");
      asked.push([hello.serverName, hello.resumes(answer.identity)]);
      return answer;
    };
    t.true(twice(t, [{ select }, base], [{ select }, base]).resumed);
    t.deepEqual(asked, [
      ["one.test", false],
      ["one.test", true],
    ]);
  });

  test(`TLS ${name}: a session is resumed under its own certificate alone`, (t) => {
    const of = (kind: Parameters<typeof selection>[0]) => ({ select: () => selection(kind) });
    for (const kind of ["p384", "rsa", "ed25519"] as const) {
      const client = twice(t, [{}, base], [of(kind), base]);
      t.false(client.resumed);
      const certificate = client.received.find(({ type }) => type === 11)!.bytes;
      t.true(certificate.includes(Buffer.from(selection(kind).identity.certificates[0])));
      t.true(connect(t, of(kind), { ...base, resume: client.ticket }).resumed);
    }
  });

  test(`TLS ${name}: a name that is served no more is no more resumed`, (t) => {
    const { ticket } = connect(t, {}, base);
    const select = () => faults.UNRECOGNIZED_NAME;
    const client = new Scripted(serve({ select }), { ...base, resume: ticket }).hello();
    t.is(client.server.fault, faults.UNRECOGNIZED_NAME);
    t.is(client.alert, 112);
    t.deepEqual(client.received, []);
  });

  test(`TLS ${name}: the answer about who resumes may come later`, (t) => {
    for (const kind of ["p256", "rsa"] as const) {
      const { ticket } = connect(t, {}, base);
      const client = new Scripted(serve({ select: () => undefined }), { ...base, resume: ticket }).hello();
      t.is(client.server.awaits, "selection");
      client.server.proceed(selection(kind));
      client.pump().complete();
      t.true(client.server.established, named(client.server.fault));
      t.is(client.resumed, kind === "p256");
      t.is(client.server.resumed, client.resumed);
    }
  });

  test(`TLS ${name}: the secret of a session that is not resumed is wiped`, (t) => {
    const { ticket } = connect(t, {}, base);
    const server = serve({ select: () => undefined });
    new Scripted(server, { ...base, resume: ticket }).hello();
    const { secret } = kept(server).ticket!;
    server.proceed(selection("rsa"));
    server.work();
    t.is(kept(server).ticket, undefined);
    t.true(secret.every((byte) => byte === 0));
  });

  test(`TLS ${name}: without keys there is no ticket`, (t) => {
    t.is(connect(t, { ticketKeys: [] }, base).ticket, undefined);
  });

  test(`TLS ${name}: keys are rotated`, (t) => {
    t.true(twice(t, [{}, base], [{ ticketKeys: [key(2), key(1)] }, base]).resumed);
    t.false(twice(t, [{}, base], [{ ticketKeys: [key(2)] }, base]).resumed);
    const sameName = { name: key(1).name, key: key(2).key };
    t.false(twice(t, [{}, base], [{ ticketKeys: [sameName] }, base]).resumed);
  });

  test(`TLS ${name}: a ticket ends with its lifetime`, (t) => {
    const at = (now: number): Partial<ServerOptions> => ({ ticketLifetime: 100, clock: () => now });
    t.is(connect(t, at(NOW), base).lifetime, 100);
    t.true(twice(t, [at(NOW), base], [at(NOW + 99), base]).resumed);
    t.false(twice(t, [at(NOW), base], [at(NOW + 100), base]).resumed);
    t.is(connect(t, { ticketLifetime: 1e9 }, base).lifetime, 604800);
    t.is(connect(t, { ticketLifetime: 0 }, base).ticket, undefined);
  });

  test(`TLS ${name}: a ticket from the future is none`, (t) => {
    const later = { ticketLifetime: 604800, clock: () => NOW + 10 };
    t.false(twice(t, [later, base], [{}, base]).resumed);
  });

  test(`TLS ${name}: a ticket ends with the staples`, (t) => {
    const until = (staplesUntil: number) => ({ select: () => ({ ...selection("p256"), staplesUntil }) });
    t.is(connect(t, until(NOW + 50), base).lifetime, 50);
    t.is(connect(t, until(NOW), base).ticket, undefined);
    t.is(connect(t, until(NOW - 1), base).ticket, undefined);
    t.is(connect(t, until(Number.NaN), base).ticket, undefined);
  });

  test(`TLS ${name}: no ticket without a clock, and none is taken`, (t) => {
    const lost = { clock: () => undefined };
    t.is(connect(t, lost, base).ticket, undefined);
    t.false(twice(t, [{}, base], [lost, base]).resumed);
    t.false(twice(t, [{}, base], [{ clock: () => 1000 }, base]).resumed);
  });

  test(`TLS ${name}: a ticket is for its server name`, (t) => {
    t.false(twice(t, [{}, base], [{}, { ...base, serverName: "two.test" }]).resumed);
    t.false(twice(t, [{}, base], [{}, { ...base, serverName: undefined }]).resumed);
    t.false(twice(t, [{}, { ...base, serverName: undefined }], [{}, base]).resumed);
    t.true(twice(t, [{}, base], [{}, { ...base, serverName: "ONE.test" }]).resumed);
  });

  test(`TLS ${name}: a ticket that was changed is none`, (t) => {
    const { ticket } = connect(t, {}, base);
    for (const at of [0, 15, 16, 28, 40, -17, -1]) {
      const settings = { ...base, resume: { ...ticket!, ticket: flip(ticket!.ticket, at) } };
      t.false(connect(t, {}, settings).resumed, `byte ${at}`);
    }
    for (const length of [1, 16, 43, ticket!.ticket.length - 1]) {
      const settings = { ...base, resume: { ...ticket!, ticket: ticket!.ticket.subarray(0, length) } };
      t.false(connect(t, {}, settings).resumed, `${length} bytes`);
    }
    const long = { ...base, resume: { ...ticket!, ticket: Buffer.alloc(2000, 1) } };
    t.false(connect(t, {}, long).resumed);
  });

  test(`TLS ${name}: a ticket whose suite is no longer spoken is none`, (t) => {
    const id = only === version.tls13 ? c.TLS_AES_256_GCM_SHA384 : c.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384;
    const other =
      only === version.tls13 ? c.TLS_AES_128_GCM_SHA256 : c.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256;
    t.false(twice(t, [{ suites: [id] }, base], [{ suites: [other] }, base]).resumed);
  });

  test(`TLS ${name}: who must show a certificate gets no ticket, nor resumes from one`, (t) => {
    const options: Partial<ServerOptions> = { clientAuth: "require", trust };
    const { ticket } = connect(t, {}, base);
    const client = new Scripted(serve(options), { ...base, resume: ticket }).hello();
    t.false(client.server.resumed);
    t.is(client.server.state, "WAIT_CERTIFICATE");
    t.false(client.serverExtensions.some(({ type }) => type === ext.session_ticket));
  });

  test(`TLS ${name}: who showed a certificate gets no ticket, who showed none does`, (t) => {
    const { chain, key: privateKey } = identity("client", "p256");
    const options: Partial<ServerOptions> = { clientAuth: "request", verify: false };
    const finish = (certificates: Buffer[]) => {
      const client = new Scripted(serve(options), base).hello();
      client.send(client.certificate(certificates));
      if (only === version.tls12) client.send(client.keyExchange()).deriveMaster();
      if (certificates.length > 0) client.send(client.certificateVerify(privateKey, 0x0403));
      if (only === version.tls12) client.changeCipherSpec();
      client.finish();
      t.true(client.server.established, named(client.server.fault));
      return client;
    };
    t.falsy(finish(chain).ticket?.ticket.length);
    t.truthy(finish([]).ticket?.ticket.length);
  });

  test(`TLS ${name}: another version's ticket is none`, (t) => {
    const other = only === version.tls12 ? version.tls13 : version.tls12;
    const { ticket } = connect(t, {}, { ...base, version: other });
    const secret = Buffer.alloc(only === version.tls12 ? 48 : 32);
    const client = new Scripted(serve(), { ...base, resume: { ticket: ticket!.ticket, secret } }).hello();
    t.is(client.server.fault, undefined);
    t.false(client.server.resumed);
  });

  test(`TLS ${name}: the Finished of a resumed handshake is checked`, (t) => {
    const { ticket } = connect(t, {}, base);
    const client = new Scripted(serve(), { ...base, resume: ticket }).hello();
    t.true(client.server.resumed);
    if (only === version.tls12) client.changeCipherSpec();
    client.send(flip(client.finished()));
    t.is(client.server.fault, faults.FINISHED_MISMATCH);
  });
}

// TLS 1.2

const base12: Settings = { version: version.tls12, serverName: "one.test" };

test("TLS 1.2: no ticket without extended_master_secret", (t) => {
  t.is(connect(t, {}, { ...base12, ems: false }).ticket, undefined);
});

test("TLS 1.2: what a session goes without, a full handshake needs when another certificate is shown", (t) => {
  const { ticket } = connect(t, {}, base12);
  const server = (kind: "p256" | "rsa") => serve({ groups: [g.x25519], select: () => selection(kind) });
  const other: Settings = { ...base12, groups: [g.secp256r1], resume: ticket };
  const resumed = new Scripted(server("p256"), other).hello().complete();
  t.true(resumed.server.established && resumed.resumed);
  t.is(resumed.server.group, 0);
  t.is(new Scripted(server("rsa"), other).hello().server.fault, faults.NO_COMMON_GROUP);
});

test("TLS 1.2: a client's certificate is verified where another certificate keeps the session from being resumed", (t) => {
  const { chain, key: privateKey } = identity("client", "p256");
  const { ticket } = connect(t, {}, base12);
  const options: Partial<ServerOptions> = { clientAuth: "request", trust, verify: false };
  const server = serve({ ...options, select: () => selection("rsa") });
  const client = new Scripted(server, { ...base12, resume: ticket }).hello();
  t.is(server.state, "WAIT_CERTIFICATE");
  client.send(client.certificate(chain)).send(client.keyExchange()).deriveMaster();
  client.send(client.certificateVerify(privateKey, 0x0403)).changeCipherSpec().finish();
  t.true(server.established, named(server.fault));
  t.true(connect(t, options, { ...base12, resume: ticket }).resumed);
});

test("TLS 1.2: extended_master_secret that was there must be there again", (t) => {
  refused(t, faults.EMS_REQUIRED, base12, { ...base12, ems: false });
});

test("TLS 1.2: a ticket resumes without a session id too", (t) => {
  const { ticket } = connect(t, {}, base12);
  const client = new Scripted(serve(), { ...base12, sessionId: Buffer.alloc(0), resume: ticket }).hello();
  t.true(client.server.resumed);
});

test("TLS 1.2: a client that does not ask for a ticket gets none", (t) => {
  const edit: Settings["edit"] = (hello) => ({
    ...hello,
    extensions: hello.extensions.filter(({ type }) => type !== ext.session_ticket),
  });
  t.is(connect(t, {}, { ...base12, edit }).ticket, undefined);
});

// TLS 1.3

const base13: Settings = { version: version.tls13, serverName: "one.test" };

test("TLS 1.3: the binder is checked", (t) => {
  refused(t, faults.BINDER_MISMATCH, base13, { ...base13, binder: (bytes) => flip(bytes) });
  refused(t, faults.BINDER_MISMATCH, base13, { ...base13, binder: (bytes) => flip(bytes, 0) });
  const longer = (bytes: Buffer) => concat(bytes, Buffer.alloc(1));
  refused(t, faults.BINDER_MISMATCH, base13, { ...base13, binder: longer });
});

test("TLS 1.3: the first good one of a few tickets is taken", (t) => {
  const { ticket } = connect(t, {}, base13);
  for (const decoys of [1, 3]) {
    const client = connect(t, {}, { ...base13, resume: ticket, decoys });
    t.true(client.resumed);
    const answer = client.received[0].bytes.subarray(-6);
    t.deepEqual(answer, concat(u16(ext.pre_shared_key), u16(2), u16(decoys)));
  }
  t.false(connect(t, {}, { ...base13, resume: ticket, decoys: 4 }).resumed);
  const bad: Settings = { ...base13, resume: ticket, decoys: 1, binder: (bytes) => flip(bytes) };
  t.is(new Scripted(serve(), bad).hello().server.fault, faults.BINDER_MISMATCH);
});

test("TLS 1.3: the binder of a stolen ticket without its secret does not verify", (t) => {
  const { ticket } = connect(t, {}, base13);
  const resume = { ticket: ticket!.ticket, secret: Buffer.alloc(32) };
  const client = new Scripted(serve(), { ...base13, resume }).hello();
  t.is(client.server.fault, faults.BINDER_MISMATCH);
});

test("TLS 1.3: a HelloRetryRequest, then the ticket", (t) => {
  const { ticket } = connect(t, {}, base13);
  const server = serve({ groups: [g.secp256r1] });
  const retry: Settings = { ...base13, groups: [g.secp256r1], resume: ticket };
  const client = new Scripted(server, {
    ...retry,
    edit: (hello, retried) => (retried ? hello : withoutShares(hello)),
  });
  client.hello();
  t.true(client.retried);
  client.hello().complete();
  t.true(server.established, named(server.fault));
  t.true(server.resumed);
});

function withoutShares<H extends { extensions: { type: number; data: Buffer }[] }>(hello: H): H {
  const extensions = hello.extensions.map((each) =>
    each.type === ext.key_share ? extension(ext.key_share, u16(0)) : each,
  );
  return { ...hello, extensions };
}

test("TLS 1.3: each resumed connection gets a new ticket, which lives no longer than the first", (t) => {
  const at = (now: number) => ({ ticketLifetime: 100, clock: () => now });
  const second = twice(t, [at(NOW), base13], [at(NOW + 40), base13]);
  t.is(second.lifetime, 60);
  t.true(connect(t, at(NOW + 99), { ...base13, resume: second.ticket }).resumed);
  t.false(connect(t, at(NOW + 100), { ...base13, resume: second.ticket }).resumed);
});

test("TLS 1.3: psk_ke alone is not spoken: a full handshake, and no ticket", (t) => {
  const { ticket } = connect(t, {}, base13);
  const edit: Settings["edit"] = (hello) => ({
    ...hello,
    extensions: hello.extensions.map((each) =>
      each.type === ext.psk_key_exchange_modes ? extension(each.type, vec8(u8(0))) : each,
    ),
  });
  const client = connect(t, {}, { ...base13, edit, resume: ticket });
  t.false(client.resumed);
  t.is(client.ticket, undefined);
});

test("TLS 1.3: who resumes need not speak of signatures", (t) => {
  const { ticket } = connect(t, {}, base13);
  const edit: Settings["edit"] = (hello) => ({
    ...hello,
    extensions: hello.extensions.filter(({ type }) => type !== ext.signature_algorithms),
  });
  t.true(connect(t, {}, { ...base13, edit, resume: ticket }).resumed);
  for (const options of [{ ticketKeys: [key(2)] }, { select: () => selection("rsa") }]) {
    const old = new Scripted(serve(options), { ...base13, edit, resume: ticket }).hello();
    t.is(old.server.fault, faults.MISSING_EXTENSION);
  }
});

test("TLS 1.3: pre_shared_key needs psk_key_exchange_modes", (t) => {
  const edit: Settings["edit"] = (hello) => ({
    ...hello,
    extensions: hello.extensions.filter(({ type }) => type !== ext.psk_key_exchange_modes),
  });
  refused(t, faults.MISSING_EXTENSION, base13, { ...base13, edit });
});

test("TLS 1.3: early data is passed over, under the handshake keys and after a HelloRetryRequest", (t) => {
  const { ticket } = connect(t, {}, base13);
  const early = { ...base13, resume: ticket, extra: [extension(ext.early_data)] };
  const junk = Buffer.concat([Buffer.from([23, 3, 3, 0, 40]), Buffer.alloc(40, 9)]);
  const client = new Scripted(serve(), early).hello();
  for (let i = 0; i < 10; i++) client.raw(junk);
  client.changeCipherSpec().complete();
  t.true(client.server.established, named(client.server.fault));
  t.true(client.server.resumed);
  t.is(client.server.plainOut.end - client.server.plainOut.start, 0);

  const retried = new Scripted(serve({ groups: [g.secp256r1] }), {
    ...early,
    groups: [g.secp256r1],
    edit: (hello, again) =>
      again
        ? { ...hello, extensions: hello.extensions.filter(({ type }) => type !== ext.early_data) }
        : withoutShares(hello),
  });
  retried.hello().changeCipherSpec().raw(junk).raw(junk).hello().complete();
  t.true(retried.server.established, named(retried.server.fault));
});

test("TLS 1.3: early data is passed over once, in bounds, and only when announced", (t) => {
  const { ticket } = connect(t, {}, base13);
  const early = { ...base13, resume: ticket, extra: [extension(ext.early_data)] };
  const junk = Buffer.concat([Buffer.from([23, 3, 3, 0x10, 0]), Buffer.alloc(4096, 9)]);
  const empty = Buffer.from([23, 3, 3, 0, 0]);
  const much = new Scripted(serve(), early).hello();
  for (let i = 0; i < 5; i++) much.raw(junk);
  t.is(much.server.fault, faults.BAD_RECORD_MAC);
  const many = new Scripted(serve(), early).hello();
  for (let i = 0; i < 5000; i++) many.raw(empty);
  t.is(many.server.fault, faults.BAD_RECORD_MAC);
  const late = new Scripted(serve(), early).hello().complete().raw(junk);
  t.is(late.server.fault, faults.BAD_RECORD_MAC);
  t.is(new Scripted(serve(), base13).hello().raw(junk).server.fault, faults.BAD_RECORD_MAC);
  const alone = new Scripted(serve(), { ...base13, extra: [extension(ext.early_data)] }).hello();
  t.is(alone.server.fault, faults.ILLEGAL_PARAMETER);
  const plain = new Scripted(serve({ groups: [g.secp256r1] }), base13).hello().raw(junk);
  t.is(plain.server.fault, faults.UNEXPECTED_MESSAGE);
  const retried = new Scripted(serve({ groups: [g.secp256r1] }), early).hello();
  t.true(retried.retried);
  const insists = new Scripted(serve({ groups: [g.secp256r1] }), {
    ...early,
    groups: [g.secp256r1],
    edit: (hello, again) => (again ? hello : withoutShares(hello)),
  });
  t.is(insists.hello().hello().server.fault, faults.ILLEGAL_PARAMETER);
  for (let i = 0; i < 4; i++) retried.raw(junk);
  t.is(retried.server.fault, undefined);
  t.is(retried.raw(junk).server.fault, faults.UNEXPECTED_MESSAGE);
});

test("TLS 1.3: of early data 16,645 bytes are passed over, records and all, and not one more", (t) => {
  const { ticket } = connect(t, {}, base13);
  const early = { ...base13, resume: ticket, extra: [extension(ext.early_data)] };
  const record = (n: number) => concat(Buffer.from([23, 3, 3]), u16(n), Buffer.alloc(n, 9));
  const several = concat(...Array(4).fill(record(4096)), record(236));
  const resumes = () => new Scripted(serve(), early).hello();
  const retries = () =>
    new Scripted(serve({ groups: [g.secp256r1] }), {
      ...early,
      groups: [g.secp256r1],
      edit: (hello, again) =>
        again
          ? { ...hello, extensions: hello.extensions.filter(({ type }) => type !== ext.early_data) }
          : withoutShares(hello),
    }).hello();
  // A full record of TLS 1.3, and another
  for (const bytes of [concat(record(16401), record(234)), several]) {
    t.is(bytes.length, 16645);
    const client = resumes().raw(bytes).complete();
    t.true(client.server.established, named(client.server.fault));
    const retried = retries().raw(bytes).hello().complete();
    t.true(retried.server.established, named(retried.server.fault));
    t.is(resumes().raw(bytes).raw(record(0)).server.fault, faults.BAD_RECORD_MAC);
    t.is(retries().raw(bytes).raw(record(0)).server.fault, faults.UNEXPECTED_MESSAGE);
  }
  const longer = concat(...Array(4).fill(record(4096)), record(237));
  t.is(resumes().raw(longer).server.fault, faults.BAD_RECORD_MAC);
  t.is(retries().raw(longer).server.fault, faults.UNEXPECTED_MESSAGE);
});

test("TLS 1.3: early data ends with the first record that decrypts", (t) => {
  const { ticket } = connect(t, {}, base13);
  const early = { ...base13, resume: ticket, extra: [extension(ext.early_data)] };
  const junk = Buffer.concat([Buffer.from([23, 3, 3, 0, 40]), Buffer.alloc(40, 9)]);
  const others = { ticketKeys: [key(2)], clientAuth: "request", trust } as const;
  const client = new Scripted(serve(others), early).hello().raw(junk);
  client.send(client.certificate([]));
  t.is(client.server.fault, undefined);
  t.is(client.raw(junk).server.fault, faults.BAD_RECORD_MAC);
  // Zeros that decrypt are no early data
  const zeros = new Scripted(serve(), early).hello().record(0, Buffer.alloc(5));
  t.is(zeros.server.fault, faults.UNEXPECTED_MESSAGE);
});

/** What a server keeps. */
function kept(server: TlsServer): { memory: Uint8Array; ticket: { secret: Uint8Array } | undefined } {
  return (server as unknown as { handshake: ReturnType<typeof kept> }).handshake;
}

for (const [name, only] of both)
  test(`TLS ${name}: secrets are wiped as soon as nothing is derived from them`, (t) => {
    const settings: Settings = { version: only };
    const { ticket, server } = connect(t, {}, settings);
    const has = ({ memory }: { memory: Uint8Array }, secret: Buffer) => Buffer.from(memory).includes(secret);
    t.false(has(kept(server), ticket!.secret));
    const second = connect(t, {}, { ...settings, resume: ticket }).server;
    t.true(kept(second).ticket!.secret.every((byte) => byte === 0));
    t.false(has(kept(second), ticket!.secret));
    second.abort(faults.HANDSHAKE_TIMEOUT);
    t.true(
      kept(second)
        .memory.subarray(at.inSecret)
        .every((byte) => byte === 0),
    );
    const early = new Scripted(serve(), { ...settings, resume: ticket }).hello().server;
    early.abort(faults.HANDSHAKE_TIMEOUT);
    t.true(
      kept(early)
        .memory.subarray(at.inSecret)
        .every((byte) => byte === 0),
    );
    t.true(kept(early).ticket!.secret.every((byte) => byte === 0));
  });
