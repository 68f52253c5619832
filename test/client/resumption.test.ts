import test, { type ExecutionContext } from "ava";
import { mustStaple } from "../../certs/extensions.js";
import { fixture, NOW } from "../../certs/fixtures.js";
import { signer } from "../../hosts/node/provider.js";
import {
  type ClientOptions,
  type Port,
  responder,
  type Session,
  trustAnchor,
  wants,
} from "../../src/client/index.js";
import type { ServerOptions } from "../../src/server/index.js";
import { extensionType as ext, handshakeType as hs, namedGroup, version } from "../../src/wire/registry.js";
import { named } from "../faults.js";
import { concat, u16, vec16 } from "../peers/bytes.js";
import { identity, servers } from "../peers/identity.js";
import { extension, newSessionTicket12, newSessionTicket13 } from "../peers/messages.js";
import { edit, steps } from "../peers/script.js";
import { authority, host, server as issued, root } from "../pki/kit.js";
import { drain, Pair, selection, staples, trust } from "../server/pair.js";
import { Link } from "./link.js";
import { add, cases, plan } from "./negative/cases.js";

/** Sessions that are resumed: RFC 8446 2.2, RFC 5077, RFC 7627 section 5. */

const { tls12, tls13 } = version;
const both = [tls12, tls13];
const name = (protocol: number) => (protocol === tls12 ? "TLS 1.2" : "TLS 1.3");

const ticketKeys = [{ name: new Uint8Array(16).fill(1), key: new Uint8Array(32).fill(2) }];
const HOUR = 3600;

interface Meeting {
  client?: Partial<ClientOptions>;
  server?: Partial<ServerOptions>;
  /** What is offered. */
  session?: Session;
}

/** A handshake with a server that gives tickets; the sessions that came of it. */
function meet({ client, server, session }: Meeting) {
  const sessions: Session[] = [];
  const onSession = (each: Session) => void sessions.push(each);
  const pair = new Pair(
    { ticketKeys, ticketLifetime: HOUR, ...server },
    { ...client, session, onSession },
  ).run();
  return { pair, client: pair.client.end, server: pair.server.end, session: sessions.at(-1) };
}

function first(t: ExecutionContext, meeting: Meeting): Session {
  const { client, session } = meet(meeting);
  t.is(client.fault, undefined);
  t.false(client.resumed);
  if (session === undefined) throw new Error("no session");
  return session;
}

/** Whether both sides went on from the session; the connection must work in any case. */
function resumes(t: ExecutionContext, meeting: Meeting): boolean {
  const { pair, client, server } = meet(meeting);
  t.is(client.fault, undefined);
  t.is(server.fault, undefined);
  t.true(client.established && server.established);
  t.is(client.resumed, server.resumed);
  pair.send("client", Buffer.from("ping")).send("server", Buffer.from("pong"));
  t.is(pair.server.received.toString() + pair.client.received.toString(), "pingpong");
  return client.resumed;
}

const only = (protocol: number) => ({ minVersion: protocol, maxVersion: protocol });

for (const protocol of both) {
  for (const kind of ["p256", "rsa"] as const)
    test(`${name(protocol)}, ${kind}: again and again`, (t) => {
      const server = { select: () => selection(kind) };
      const client = only(protocol);
      let session = first(t, { client, server });
      for (let i = 0; i < 3; i++) {
        const again = meet({ client, server, session });
        t.true(again.client.resumed);
        t.is(again.client.verdicts.length, 0);
        t.true(resumes(t, { client, server, session }));
        session = again.session ?? session;
      }
    });

  test(`${name(protocol)}: with each suite`, (t) => {
    for (const suite of suitesOf(protocol)) {
      const client = { ...only(protocol), suites: [suite] };
      const session = first(t, { client });
      t.is(session.suite, suite);
      t.true(resumes(t, { client, session }));
    }
  });

  test(`${name(protocol)}: a client that speaks both versions`, (t) => {
    const session = first(t, { server: { maxVersion: protocol } });
    t.is(session.version, protocol);
    t.true(resumes(t, { server: { maxVersion: protocol }, session }));
  });

  test(`${name(protocol)}: the ticket's life ends with the server's lifetime, the first staple, the certificate`, (t) => {
    const until = (server: Partial<ServerOptions>, clock = NOW) =>
      first(t, {
        client: { ...only(protocol), clock: () => clock },
        server: { clock: () => clock, ...server },
      }).until;
    t.is(until({}), NOW + HOUR);
    t.is(until({ ticketLifetime: 7 * 86_400 }), NOW + 7 * 86_400);
    const { identity } = selectionOf("server1");
    const week = {
      select: () => ({ identity, staples: [fixture("ocsp/week.der")] }),
      ticketLifetime: 7 * 86_400,
    };
    t.is(until(week, Date.parse("2026-01-04T00:00:00Z") / 1000), Date.parse("2026-01-08T00:00:00Z") / 1000);
    // The fixed staples' nextUpdate is 2049-12-31 23:59:59, the certificates' end with it
    const end = Date.parse("2049-12-31T23:59:59Z") / 1000;
    const stapled = () => ({ ...selection("p256"), staples: staples("p256") });
    t.is(until({ select: stapled }, end - 60), end);
    t.is(until({}, end - 60), end);
  });

  test(`${name(protocol)}: a resumption does not lengthen the life of what was verified`, (t) => {
    const session = first(t, { client: only(protocol) });
    const later = NOW + HOUR - 60;
    const again = meet({
      client: { ...only(protocol), clock: () => later },
      server: { clock: () => later, ticketLifetime: 2 * HOUR },
      session,
    });
    t.true(again.client.resumed);
    if (again.session) t.is(again.session.until, session.until);
  });

  test(`${name(protocol)}: what does not fit is not offered, and the handshake is a full one`, (t) => {
    const client = only(protocol);
    const session = first(t, { client });
    const misfits: Record<string, Meeting> = {
      "another name": { client: { ...client, serverName: "server1.tlstaple.test" } },
      expired: { client: { ...client, clock: () => session.until } },
      "from the future": { client: { ...client, clock: () => session.receivedAt - 1 } },
      "a policy that was not met": {
        client: { ...client, ocsp: { policy: "leaf" } },
        server: { select: stapled },
      },
      "roots that do not include its own": { client: { ...client, trust: [trust[1]] } },
      "another suite": {
        client: { ...client, suites: [suitesOf(protocol).find((id) => id !== session.suite)!] },
      },
      "another version": { client: only(protocol === tls12 ? tls13 : tls12) },
      "a ticket too long for the buffer": {
        client: { ...client, buffers: { output: 1024 } },
        session: { ...session, ticket: new Uint8Array(1024).fill(9) },
      },
    };
    for (const [title, meeting] of Object.entries(misfits)) {
      const { pair, client: end } = meet({ session, ...meeting });
      t.false(end.resumed, title);
      t.false(pair.client.sent[0].includes(Buffer.from(session.ticket)), title);
    }
    t.true(resumes(t, { client, session }));
  });

  test(`${name(protocol)}: a session that nobody verified is not one that somebody did`, (t) => {
    const lax = { ...only(protocol), verify: false, trust: [] };
    const session = first(t, { client: lax });
    t.is(session.anchor, undefined);
    t.true(resumes(t, { client: lax, session }));
    t.false(resumes(t, { client: only(protocol), session }));
  });

  test(`${name(protocol)}: what the staples were worth is kept`, (t) => {
    const policyOf = (given: (Uint8Array | undefined)[]) =>
      first(t, {
        client: { ...only(protocol), ocsp: { stapling: protocol === tls12 ? "v2-multi" : "v1" } },
        server: { select: () => ({ ...selection("p256"), staples: given }) },
      }).policy;
    const [leaf, intermediate] = staples("p256");
    t.is(policyOf([]), "if-present");
    t.is(policyOf([leaf]), "leaf");
    t.is(policyOf([undefined, intermediate]), "if-present");
    t.is(policyOf([leaf, intermediate]), "chain");
    const server = { select: () => ({ ...selection("p256"), staples: [leaf] }) };
    const demanding = (policy: "leaf" | "chain") => ({ ...only(protocol), ocsp: { policy } });
    const session = first(t, { client: demanding("leaf"), server });
    t.true(resumes(t, { client: demanding("leaf"), server, session }));
    t.false(meet({ client: demanding("chain"), server, session }).client.resumed);
  });

  test(`${name(protocol)}: must-staple is not got around by a session from a client that asked for nothing`, (t) => {
    const server = { select: () => selectionOf("must-staple") };
    const off = { ...only(protocol), ocsp: { stapling: "off" } } as const;
    const session = first(t, { client: off, server });
    t.true(session.mustStaple);
    t.true(resumes(t, { client: off, server, session }));
    const asks = meet({ client: only(protocol), server, session });
    t.false(asks.client.resumed);
    t.is(named(asks.client.fault), "OCSP_STAPLE_MISSING");
  });

  test(`${name(protocol)}: nor is a CA's must-staple`, (t) => {
    const ca = authority("demanding", root, { extensions: { feature: mustStaple() } });
    const { der, key } = issued(ca);
    const identity = { certificates: [der, ca.der], signer: signer(key.secret) };
    const server = { select: () => ({ identity }) };
    const asking = { ...only(protocol), trust: [trustAnchor(root.der)], serverName: host };
    const off = { ...asking, ocsp: { stapling: "off" } } as const;
    const session = first(t, { client: off, server });
    t.true(session.mustStaple);
    t.true(resumes(t, { client: off, server, session }));
    t.is(named(meet({ client: asking, server, session }).client.fault), "OCSP_STAPLE_MISSING");
  });

  test(`${name(protocol)}: a server without the key, and one that forgot: a full handshake`, (t) => {
    const client = only(protocol);
    const session = first(t, { client });
    const otherKeys = [{ name: new Uint8Array(16).fill(1), key: new Uint8Array(32).fill(3) }];
    t.false(resumes(t, { client, server: { ticketKeys: otherKeys }, session }));
    t.false(resumes(t, { client, server: { ticketKeys: [] }, session }));
    t.false(resumes(t, { client, server: { clock: () => session.until }, session }));
  });
}

for (const protocol of both)
  test(`${name(protocol)}: a ticket is offered if the ClientHello has room for it, to the byte`, (t) => {
    const client = only(protocol);
    const session = first(t, { client });
    const offers = (length: number) => {
      const ticket = new Uint8Array(length).fill(9);
      const { pair } = meet({
        client: { ...client, buffers: { output: 800 } },
        session: { ...session, ticket },
      });
      t.is(pair.client.end.fault, undefined);
      t.false(pair.client.end.resumed);
      return pair.client.sent[0].includes(Buffer.from(ticket));
    };
    let [fits, exceeds] = [200, 800];
    t.true(offers(fits) && !offers(exceeds));
    while (exceeds - fits > 1) {
      const middle = (fits + exceeds) >> 1;
      if (offers(middle)) fits = middle;
      else exceeds = middle;
    }
    t.true(offers(fits - 1) && !offers(exceeds + 1));
  });

test("TLS 1.3: after a HelloRetryRequest, the binder covers both hellos", (t) => {
  const server = { groups: [namedGroup.secp384r1] };
  const session = first(t, { client: only(tls13), server });
  t.true(resumes(t, { client: only(tls13), server, session }));
});

test("TLS 1.3: a HelloRetryRequest to a suite of another hash: the PSK is dropped", (t) => {
  const [sha256, sha384] = [0x1301, 0x1302];
  const session = first(t, { client: { ...only(tls13), suites: [sha256, sha384] } });
  const server = { groups: [namedGroup.secp384r1], suites: [sha384] };
  t.false(resumes(t, { client: { ...only(tls13), suites: [sha256, sha384] }, server, session }));
});

test("TLS 1.3: a session of one suite goes on with another of the same hash", (t) => {
  const session = first(t, { client: { ...only(tls13), suites: [0x1301, 0x1303] } });
  const chacha = { suites: [0x1303] };
  t.true(resumes(t, { client: { ...only(tls13), suites: [0x1301, 0x1303] }, server: chacha, session }));
});

test("TLS 1.3: a connection gives 16 sessions at most, and goes on", (t) => {
  const sessions: Session[] = [];
  const options = { session: undefined, onSession: (each: Session) => void sessions.push(each) };
  const link = new Link({ ...servers.p256, version: tls13, echo: true }, options).run();
  for (let i = 0; i < 40; i++)
    link
      .deliver(link.puppet.sendMessage(newSessionTicket13(Buffer.from([1, i]))))
      .deliver(link.puppet.sendData(Buffer.from(".")));
  t.is(link.client.fault, undefined);
  t.is(link.received.length, 40);
  t.deepEqual(
    sessions.map(({ ticket }) => ticket[1]),
    Array.from({ length: 16 }, (_, i) => i),
  );
});

test("TLS 1.3: a ticket that is refused is no session", (t) => {
  const sessions: Session[] = [];
  const options = { session: undefined, onSession: (each: Session) => void sessions.push(each) };
  const twice = [extension(0x1234), extension(0x1234)];
  const tickets = [newSessionTicket13(Buffer.from("ticket"), HOUR, twice)];
  const { client } = new Link({ ...servers.p256, version: tls13, tickets }, options).run();
  t.is(named(client.fault), "DUPLICATE_EXTENSION");
  t.is(sessions.length, 0);
});

test("TLS 1.3: tickets that end at once, or whose nonce is longer than anybody's, are no sessions", (t) => {
  const sessionsOf = (...tickets: Buffer[]) => {
    const sessions: Session[] = [];
    const script = { ...servers.p256, version: tls13, tickets };
    const { client } = new Link(script, {
      session: undefined,
      onSession: (each: Session) => void sessions.push(each),
    }).run();
    t.is(client.fault, undefined);
    return sessions.length;
  };
  const body = (nonce: number) => [0, 0, 1, 0, 1, 2, 3, 4, nonce, ...new Array(nonce).fill(7), 0, 1, 9, 0, 0];
  const withNonce = (nonce: number) =>
    Buffer.from([hs.new_session_ticket, 0, 0, body(nonce).length, ...body(nonce)]);
  t.is(sessionsOf(newSessionTicket13(Buffer.from("ticket"))), 1);
  t.is(sessionsOf(newSessionTicket13(Buffer.from("ticket"), 0)), 0);
  t.is(sessionsOf(withNonce(0), withNonce(48)), 2);
  t.is(sessionsOf(withNonce(49), withNonce(200)), 0);
});

test("a session is not offered once its staple is too old for `maxAge`, its own or a later one", (t) => {
  const { identity } = selectionOf("server1");
  const day = (n: number) => Date.parse(`2026-01-0${n}T00:00:00Z`) / 1000;
  const at = (time: number, maxAge?: number) => ({
    client: { clock: () => time, ocsp: { maxAge } },
    server: {
      select: () => ({ identity, staples: [fixture("ocsp/week.der")] }),
      ticketLifetime: 604_800,
      clock: () => time,
    },
  });
  // Its thisUpdate is the first of January
  const session = first(t, at(day(4)));
  t.is(session.verifiedAt, day(1));
  t.true(resumes(t, { ...at(day(5)), session }));
  t.true(resumes(t, { ...at(day(5), 4 * 86_400), session }));
  t.false(meet({ ...at(day(5), 3 * 86_400), session }).client.resumed);
});

for (const protocol of both)
  test(`${name(protocol)}: a session whose staples were judged more mildly than now is not offered`, (t) => {
    const [one, two] = ["ocsp-root", "ocsp-intermediate1"].map((each) =>
      responder(identity("p256", each).chain[0]),
    );
    // Another object, the same responder
    const same = responder(Buffer.from(identity("p256", "ocsp-root").chain[0]));
    const server = { select: stapled };
    const meeting = (ocsp: ClientOptions["ocsp"]): Meeting => ({
      client: { ...only(protocol), ocsp },
      server,
    });
    const goesOn = (then: ClientOptions["ocsp"], now: ClientOptions["ocsp"]) =>
      resumes(t, { ...meeting(now), session: first(t, meeting(then)) });
    const rows: [string, ClientOptions["ocsp"], ClientOptions["ocsp"]][] = [
      ["allowMissingNextUpdate", { allowMissingNextUpdate: true }, {}],
      ["the skew", {}, { skew: 899 }],
      ["responders", { responders: [one] }, {}],
      ["other responders", { responders: [one, two] }, { responders: [two] }],
      ["stapling", { stapling: "off" }, {}],
    ];
    for (const [what, mild, strict] of rows) {
      t.false(goesOn(mild, strict), `${what}: stricter`);
      t.true(goesOn(strict, mild), `${what}: milder`);
      t.true(goesOn(mild, mild), `${what}: the same`);
    }
    t.true(goesOn({ responders: [one, two] }, { responders: [two, same] }));
    const multi = { stapling: "v2-multi" } as const;
    const both = (ocsp: ClientOptions["ocsp"]) => ({ client: { ocsp }, server: { maxVersion: protocol } });
    const session = first(t, both({ stapling: "v2" }));
    t.is(resumes(t, { ...both(multi), session }), protocol === tls13);
    t.true(resumes(t, { ...both({ stapling: "v2" }), session: first(t, both(multi)) }));
  });

for (const protocol of both)
  test(`${name(protocol)}: what was demanded is handed on, as it was when the session began`, (t) => {
    const mild = { ...only(protocol), ocsp: { allowMissingNextUpdate: true, skew: 100 } };
    const session = first(t, { client: mild });
    const milder = { ...only(protocol), ocsp: { allowMissingNextUpdate: true, skew: 2000 } };
    const again = meet({ client: milder, session });
    t.true(again.client.resumed);
    if (again.session) t.deepEqual(again.session.demanded, session.demanded);
    t.deepEqual(session.demanded, {
      stapling: "v1",
      skew: 100,
      allowMissingNextUpdate: true,
      responders: new Uint8Array(0),
    });
  });

test("who demands a nonce resumes nothing; who takes a staple without one does", (t) => {
  const session = first(t, {});
  t.false(meet({ client: { ocsp: { nonce: true } }, session }).client.resumed);
  t.true(resumes(t, { client: { ocsp: { nonce: "if-present" } }, session }));
  t.true(resumes(t, { client: { ocsp: { nonce: false } }, session }));
});

test("who has CRLs resumes nothing: each handshake is judged by them", (t) => {
  const session = first(t, {});
  const crl = { step: () => true };
  t.false(resumes(t, { client: { crl }, session }));
  t.true(resumes(t, { session }));
});

test("without a clock nothing is offered, and no session made", (t) => {
  const session = first(t, { client: only(tls13) });
  const { client, session: made } = meet({ client: { verify: false, clock: () => undefined }, session });
  t.is(client.fault, undefined);
  t.false(client.resumed);
  t.is(made, undefined);
});

test("TLS 1.2: no session without extended_master_secret", (t) => {
  const sessions: Session[] = [];
  const script = {
    ...servers.p256,
    version: tls12,
    ems: false,
    ...add("server_hello", extension(ext.session_ticket)),
    ...plan(edit.before("change_cipher_spec", steps.message(newSessionTicket12(Buffer.from("ticket"))))),
  };
  const { client } = new Link(script, {
    session: undefined,
    onSession: (each: Session) => void sessions.push(each),
  }).run();
  t.true(client.established);
  t.is(sessions.length, 0);
  const { client: second } = new Link(
    { ...script, ems: true },
    { session: undefined, onSession: (each: Session) => void sessions.push(each) },
  ).run();
  t.true(second.established);
  t.is(sessions.length, 1);
});

// ---- A server that resumes wrongly: its ServerHello is changed on the way

function tampered(protocol: number, change: (hello: Buffer) => Buffer) {
  const sessions: Session[] = [];
  new Pair(
    { ticketKeys },
    { ...only(protocol), session: undefined, onSession: (each: Session) => void sessions.push(each) },
  ).run();
  const pair = new Pair({ ticketKeys }, { ...only(protocol), session: sessions[0], onSession: () => {} });
  const { client, server } = pair;
  const pass = (from: Port, to: Port, edit: (bytes: Buffer) => Buffer) => {
    const bytes = edit(drain(from));
    to.bytes.set(bytes, to.start);
    to.advance(bytes.length);
  };
  while (client.end.wants & wants.WORK) client.end.work();
  pass(client.end.cipherOut, server.end.cipherIn, (bytes) => bytes);
  while (server.end.wants & wants.WORK) server.end.work();
  demandResumed(server.end.resumed);
  pass(server.end.cipherOut, client.end.cipherIn, change);
  while (client.end.wants & wants.WORK) client.end.work();
  return named(client.end.fault);
}

function demandResumed(resumed: boolean): void {
  if (!resumed) throw new Error("the server did not resume");
}

/** Replaces the only occurrence of bytes by others of the same length. */
const swap = (from: Buffer, to: Buffer) => (bytes: Buffer) => {
  const at = bytes.indexOf(from);
  if (at < 0 || bytes.indexOf(from, at + 1) >= 0) throw new Error("not there once");
  return concat(bytes.subarray(0, at), to, bytes.subarray(at + to.length));
};

test("TLS 1.2: a server that resumes without extended_master_secret is refused", (t) => {
  const ems = extension(ext.extended_master_secret);
  const bytes = concat(u16(ems.type), vec16(ems.data));
  t.is(
    tampered(tls12, (hello) => withoutExtension(hello, bytes)),
    "EMS_REQUIRED",
  );
});

/** Removes an extension from the ServerHello in the first record, and mends the lengths above it. */
function withoutExtension(flight: Buffer, bytes: Buffer): Buffer {
  const at = flight.indexOf(bytes);
  const less = concat(flight.subarray(0, at), flight.subarray(at + bytes.length));
  const n = bytes.length;
  less.writeUInt16BE(less.readUInt16BE(3) - n, 3);
  less.writeUIntBE(less.readUIntBE(6, 3) - n, 6, 3);
  const extensions = 9 + 2 + 32 + 1 + less[9 + 2 + 32] + 3;
  less.writeUInt16BE(less.readUInt16BE(extensions) - n, extensions);
  return less;
}

test("TLS 1.2: a server that resumes with another suite is refused", (t) => {
  t.is(tampered(tls12, swap(u16(0xc02b), u16(0xc02f))), "CIPHER_SUITE");
});

test("TLS 1.3: a server that selects a PSK which was not offered is refused", (t) => {
  const psk = (index: number) => concat(u16(ext.pre_shared_key), vec16(u16(index)));
  t.is(tampered(tls13, swap(psk(0), psk(1))), "ILLEGAL_PARAMETER");
});

test("TLS 1.3: a server that resumes with a suite of another hash is refused", (t) => {
  t.is(tampered(tls13, swap(u16(0x1301), u16(0x1302))), "ILLEGAL_PARAMETER");
});

const resuming = (session?: Session) => ({ session: session, onSession: () => {} });

cases(tls13, {
  "a PSK selected, and none offered": {
    script: add("server_hello", extension(ext.pre_shared_key, u16(0))),
    options: resuming(),
    fault: "UNSUPPORTED_EXTENSION",
  },
  "PSK modes in a ServerHello": {
    script: add("server_hello", extension(ext.psk_key_exchange_modes, Buffer.from([1, 1]))),
    options: resuming(),
    fault: "EXTENSION_NOT_ALLOWED",
  },
  "a ticket that lives for more than seven days": {
    script: { tickets: [newSessionTicket13(Buffer.from("ticket"), 604_801)] },
    options: resuming(),
    fault: "ILLEGAL_PARAMETER",
  },
});

const ticket = steps.message(newSessionTicket12(Buffer.from("ticket")));

cases(tls12, {
  "a ticket that was not announced": {
    script: plan(edit.before("change_cipher_spec", ticket)),
    options: resuming(),
    fault: "UNEXPECTED_MESSAGE",
  },
  "a ticket that was announced and does not come": {
    script: add("server_hello", extension(ext.session_ticket)),
    options: resuming(),
    fault: "UNEXPECTED_MESSAGE",
  },
  "two tickets": {
    script: {
      ...add("server_hello", extension(ext.session_ticket)),
      ...plan(edit.before("change_cipher_spec", ticket, ticket)),
    },
    options: resuming(),
    fault: "UNEXPECTED_MESSAGE",
  },
  "a ticket with a byte too many": {
    script: {
      ...add("server_hello", extension(ext.session_ticket)),
      ...plan(
        edit.before(
          "change_cipher_spec",
          steps.message(Buffer.from([hs.new_session_ticket, 0, 0, 8, 0, 0, 0, 1, 0, 1, 7, 9])),
        ),
      ),
    },
    options: resuming(),
    fault: "DECODE_ERROR",
  },
  "session_ticket, and a client that does not resume": {
    script: add("server_hello", extension(ext.session_ticket)),
    fault: "UNSUPPORTED_EXTENSION",
  },
});

// ---- Helpers

function suitesOf(protocol: number): number[] {
  return protocol === tls13 ? [0x1301, 0x1302, 0x1303] : [0xc02b, 0xc02c, 0xcca9];
}

const stapled = () => ({ ...selection("p256"), staples: staples("p256") });

function selectionOf(holder: string) {
  const { chain, key } = identity("p256", holder);
  return { identity: { certificates: chain, signer: signer(key) } };
}
