import { randomBytes } from "node:crypto";
import test, { type ExecutionContext } from "ava";
import { type ClientOptions, type Fault, faults, wants } from "../../src/client/index.js";
import { groups } from "../../src/crypto/index.js";
import type { ServerOptions } from "../../src/server/index.js";
import { alertOf } from "../../src/wire/fault.js";
import { alert, cipherSuite, namedGroup, version } from "../../src/wire/registry.js";
import { named } from "../faults.js";
import { servers } from "../peers/identity.js";
import { suites } from "../peers/schedule.js";
import { Pair, selection, staples } from "./pair.js";

/** Our client with our server: every handshake that must succeed. */

const { tls12, tls13 } = version;
const both = [
  ["1.2", tls12],
  ["1.3", tls13],
] as const;

/** Shakes hands, sends data both ways, closes in order. */
function converse(
  t: ExecutionContext,
  server: Partial<ServerOptions> = {},
  client: Partial<ClientOptions> = {},
): Pair {
  const pair = new Pair(server, client).run();
  t.is(pair.server.end.fault, undefined, `server: ${named(pair.server.end.fault)} ${pair.server.end.cause}`);
  t.is(pair.client.end.fault, undefined, `client: ${named(pair.client.end.fault)} ${pair.client.end.cause}`);
  t.true(pair.server.end.established && pair.client.end.established, pair.server.end.state);
  t.is(pair.server.end.version, pair.client.end.version);
  t.is(pair.server.end.suite, pair.client.end.suite);
  t.is(pair.server.end.group, pair.client.end.group);
  t.is(pair.server.end.alpn, pair.client.end.alpn);
  pair.send("client", Buffer.from("hello, server")).send("server", Buffer.from("hello, client"));
  t.is(pair.server.received.toString(), "hello, server");
  t.is(pair.client.received.toString(), "hello, client");
  pair.client.end.close();
  pair.run();
  t.true(pair.server.end.closedByPeer);
  pair.server.end.close();
  pair.run();
  t.true(pair.client.end.closedByPeer);
  t.is(pair.client.end.fault ?? pair.server.end.fault, undefined);
  return pair;
}

for (const [number, suite] of Object.entries(suites)) {
  const id = Number(number);
  const kinds = suite.auth === "rsa" ? ["rsa"] : ["p256", "p384", "ed25519"];
  if (suite.version === tls13) kinds.push("rsa");
  for (const kind of kinds as ("rsa" | "p256" | "p384" | "ed25519")[]) {
    for (const group of groups) {
      test(`suite ${id.toString(16)}, ${kind} certificate, group ${group}`, (t) => {
        const { server } = converse(
          t,
          { suites: [id], groups: [group], select: () => selection(kind) },
          { minVersion: suite.version, maxVersion: suite.version },
        );
        t.is(server.end.suite, id);
        t.is(server.end.group, group);
      });
    }
  }
}

// What is negotiated

test("the server's order of suites, groups and protocols counts", (t) => {
  const c = cipherSuite;
  for (const [id, only] of [
    [c.TLS_CHACHA20_POLY1305_SHA256, tls13],
    [c.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls12],
  ]) {
    const order = [id, ...Object.values(c).filter((each) => each !== id)];
    const { server } = converse(t, { suites: order }, { maxVersion: only });
    t.is(server.end.suite, id);
  }
  const alpn = converse(t, { alpn: ["b", "a"] }, { alpn: ["a", "x", "b"] });
  t.is(alpn.server.end.alpn, "b");
  t.is(converse(t, { alpn: ["b"] }).server.end.alpn, undefined);
  t.is(converse(t, {}, { alpn: ["a"] }).server.end.alpn, undefined);
  const groups = [namedGroup.secp384r1, namedGroup.x25519];
  t.is(converse(t, { groups }, { maxVersion: tls12 }).server.end.group, namedGroup.secp384r1);
  // In TLS 1.3 a share that is there already spares a round trip
  t.is(converse(t, { groups }).server.end.group, namedGroup.x25519);
});

test("a group without a share is asked for", (t) => {
  for (const group of [namedGroup.secp256r1, namedGroup.secp384r1])
    for (const suites of [[cipherSuite.TLS_AES_256_GCM_SHA384], [cipherSuite.TLS_AES_128_GCM_SHA256]]) {
      const { server, client } = converse(t, { groups: [group], suites }, {});
      t.is(server.end.group, group);
      t.is(records(client.sent).filter((record) => record[0] === 22).length, 2, "two ClientHellos");
    }
});

for (const [name, only] of both) {
  const versions = { minVersion: only, maxVersion: only };

  test(`TLS ${name} is all that the server speaks, or the client`, (t) => {
    t.is(converse(t, versions).server.end.version, only);
    t.is(converse(t, {}, versions).server.end.version, only);
  });

  test(`TLS ${name}: what the server hears of the client`, (t) => {
    const { server } = converse(t, {}, { ...versions, alpn: ["h2", "http/1.1"] });
    const { serverName, alpn, version: spoken, schemes, stapling } = server.end.hello!;
    t.is(serverName, "localhost");
    t.deepEqual(alpn, ["h2", "http/1.1"]);
    t.is(spoken, only);
    t.is(stapling, "v1");
    t.is(schemes.includes(0x0401), only === tls12, "PKCS#1 in TLS 1.2 only");
    t.is(schemes.includes(0x0603), only !== tls12, "P-521's: in TLS 1.2 the client must name the curve too");
    t.true(schemes.includes(0x0403) && schemes.includes(0x0804));
    t.is(converse(t, {}, { ...versions, ocsp: { stapling: "off" } }).server.end.hello?.stapling, "off");
  });

  test(`TLS ${name}: the client's suites leave schemes for the certificate`, (t) => {
    const rsa = { ...versions, suites: [0xc02f, 0x1301] };
    const { server } = converse(t, { select: () => selection("rsa") }, rsa);
    t.is(server.end.hello!.schemes.includes(0x0403), only === tls13);
  });

  test(`TLS ${name}: staples`, (t) => {
    const [leaf, intermediate] = staples("p256");
    const select = (list: (Uint8Array | undefined)[]) => () => ({ ...selection("p256"), staples: list });
    const verdicts = (list: (Uint8Array | undefined)[], client: Partial<ClientOptions> = {}) =>
      converse(t, { select: select(list) }, { ...versions, ...client }).client.end.verdicts.map(
        ({ status }) => status,
      );
    const second = only === tls13 ? "good" : "none";
    t.deepEqual(verdicts([leaf, intermediate]), ["good", second]);
    t.deepEqual(verdicts([leaf]), ["good", "none"]);
    t.deepEqual(verdicts([undefined, intermediate]), ["none", second]);
    t.deepEqual(verdicts([new Uint8Array(0)]), ["none", "none"]);
    t.deepEqual(verdicts([leaf, intermediate], { ocsp: { stapling: "off" } }), ["none", "none"]);
    const strict = { ocsp: { policy: only === tls13 ? "chain" : "leaf" } } as const;
    t.deepEqual(verdicts([leaf, intermediate], strict), ["good", second]);
  });

  test(`TLS ${name}: the certificate goes by the server name`, (t) => {
    const select = ({ serverName }: { serverName: string | undefined }) =>
      serverName === "localhost" ? selection("p256") : faults.UNRECOGNIZED_NAME;
    converse(t, { select }, versions);
    const pair = new Pair({ select }, { ...versions, verify: false, serverName: "elsewhere.test" }).run();
    t.is(pair.server.end.fault, faults.UNRECOGNIZED_NAME);
    t.is(pair.client.end.faultDetail, alert.unrecognized_name);
  });

  test(`TLS ${name}: the selection may come later`, (t) => {
    const pair = new Pair({ select: () => undefined }, versions).run();
    const server = pair.server.end;
    t.is(server.awaits, "selection");
    t.is(server.state, "AWAIT_SELECTION");
    server.approve();
    t.is(server.awaits, "selection");
    t.is(server.wants & wants.WORK, 0);
    server.proceed(selection("p256"));
    pair.run();
    t.true(server.established && pair.client.end.established);
    t.is(server.awaits, undefined);
    server.proceed(faults.UNRECOGNIZED_NAME);
    t.is(server.fault, undefined);
  });

  test(`TLS ${name}: a later selection may refuse`, (t) => {
    const pair = new Pair({ select: () => undefined }, versions).run();
    pair.server.end.proceed(faults.UNRECOGNIZED_NAME);
    pair.run();
    t.is(pair.server.end.fault, faults.UNRECOGNIZED_NAME);
    t.is(pair.client.end.faultDetail, alert.unrecognized_name);
    t.is(pair.server.end.awaits, undefined);
  });

  test(`TLS ${name}: whoever waits for a selection may be aborted, reset or left`, (t) => {
    const pair = new Pair({ select: () => undefined }, versions).run();
    pair.server.end.abort(faults.UNRECOGNIZED_NAME);
    pair.run();
    t.is(pair.client.end.faultDetail, alert.unrecognized_name);
    pair.server.end.proceed(selection("p256"));
    t.is(pair.server.end.fault, faults.UNRECOGNIZED_NAME);
    const left = new Pair({ select: () => undefined }, versions).run();
    left.server.end.eof();
    left.run();
    t.is(left.server.end.wants, 0, "it still waits");
    left.server.end.proceed(selection("p256"));
    left.run();
    t.is(left.server.end.fault, faults.TRUNCATED);
  });

  test(`TLS ${name}: a select that throws is an internal error`, (t) => {
    const failure = new Error("no certificate");
    const select = () => {
      throw failure;
    };
    const pair = new Pair({ select }, versions).run();
    t.is(pair.server.end.fault, faults.INTERNAL_ERROR);
    t.is(pair.server.end.cause, failure);
    t.is(pair.client.end.faultDetail, alert.internal_error);
  });

  // The form on the wire

  test(`TLS ${name}: much data both ways`, (t) => {
    const pair = new Pair({}, versions).run();
    const data = randomBytes(300_000);
    pair.send("client", data).send("server", data);
    t.true(pair.server.received.equals(data) && pair.client.received.equals(data));
  });

  test(`TLS ${name}: single bytes from the transport`, (t) => {
    const pair = new Pair({}, versions);
    pair.server.chunk = pair.client.chunk = 1;
    pair.run().send("client", Buffer.from("hello"));
    t.is(pair.server.received.toString(), "hello");
  });

  test(`TLS ${name}: record_size_limit both ways`, (t) => {
    const pair = new Pair({ recordSizeLimit: 300 }, { ...versions, recordSizeLimit: 200 }).run();
    t.true(pair.server.end.established, named(pair.client.end.fault));
    pair.send("client", randomBytes(5000)).send("server", randomBytes(5000));
    const overhead = 16 + (only === tls12 ? 8 : 0);
    t.is(longest(pair.server.sent), 200 + overhead);
    t.is(longest(pair.client.sent), 300 + overhead);
    t.is(pair.client.received.length + pair.server.received.length, 10_000);
  });

  test(`TLS ${name}: a client that breaks the record_size_limit is refused`, (t) => {
    const pair = new Pair({ recordSizeLimit: 300 }, { ...versions, recordSizeLimit: 16384 }).run();
    const handshake = (
      pair.client.end as unknown as { handshake: { engine: { outbox: { maxContent: number } } } }
    ).handshake;
    handshake.engine.outbox.maxContent = 400;
    pair.send("client", randomBytes(350));
    t.is(pair.server.end.fault, faults.RECORD_OVERFLOW);
  });

  test(`TLS ${name}: max_fragment_length`, (t) => {
    for (const maxFragmentLength of [512, 1024, 2048, 4096]) {
      const pair = new Pair({}, { ...versions, maxFragmentLength, buffers: { output: 8192 } }).run();
      t.true(pair.server.end.established, named(pair.client.end.fault));
      pair.send("client", randomBytes(9000)).send("server", randomBytes(9000));
      const overhead = only === tls12 ? 24 : 17;
      t.is(longest(pair.server.sent), maxFragmentLength + overhead);
      t.is(longest(pair.client.sent), maxFragmentLength + overhead);
    }
  });

  test(`TLS ${name}: small buffers, long messages`, (t) => {
    const list = staples("rsa");
    const { chain } = servers.rsa;
    const select = () => {
      const found = selection("rsa");
      const certificates = [...chain, ...Array(20).fill(chain[1])];
      return { ...found, identity: { ...found.identity, certificates }, staples: list };
    };
    const buffers = { input: 1400, output: 1024 };
    converse(t, { select, buffers, recordSizeLimit: 600 }, { ...versions, ocsp: { policy: "leaf" } });
  });

  test(`TLS ${name}: secrets and messages are told`, (t) => {
    const told: Record<string, string>[] = [{}, {}];
    const onSecret = (i: number) => (label: string, random: Uint8Array, secret: Uint8Array) => {
      told[i][label] = `${Buffer.from(random).toString("hex")} ${Buffer.from(secret).toString("hex")}`;
    };
    const sent: number[] = [];
    const onMessage = (out: boolean, type: number) => void (out && sent.push(type & 0xff));
    converse(t, { onSecret: onSecret(0), onMessage }, { ...versions, onSecret: onSecret(1) });
    t.deepEqual(told[0], told[1]);
    t.true(Object.keys(told[0]).length >= 1);
    const flight = only === tls13 ? [2, 0, 8, 11, 15, 20, 0] : [2, 11, 12, 14, 0, 20, 0];
    t.deepEqual(sent, flight);
  });

  test(`TLS ${name}: closing before the handshake is done`, (t) => {
    const pair = new Pair({ select: () => undefined }, versions).run();
    pair.server.end.close();
    pair.run();
    t.is(pair.server.end.wants, wants.CLOSED);
    t.is(pair.client.end.fault, faults.PEER_ALERT);
  });

  test(`TLS ${name}: a transport that ends without close_notify`, (t) => {
    const pair = new Pair({}, versions).run();
    pair.server.end.eof();
    pair.run();
    t.is(pair.server.end.fault, faults.TRUNCATED);
    const early = new Pair({}, versions);
    early.server.end.eof();
    early.server.turn(() => undefined);
    t.is(early.server.end.fault, faults.TRUNCATED);
  });
}

function records(sent: Buffer[]): Buffer[] {
  const all = Buffer.concat(sent);
  const found: Buffer[] = [];
  for (let at = 0; at < all.length; at += found[found.length - 1].length)
    found.push(all.subarray(at, at + 5 + all.readUInt16BE(at + 3)));
  return found;
}

/** The longest body of a record of application data. */
function longest(sent: Buffer[]): number {
  return Math.max(...records(sent).map((record) => (record[0] === 23 ? record.length - 5 : 0)));
}

test("KeyUpdate both ways", (t) => {
  const pair = new Pair().run();
  for (const request of [false, true, true]) {
    t.true(pair.server.end.updateKey(request));
    t.false(pair.server.end.updateKey(request), "one at a time");
    pair.run();
    t.true(pair.client.end.updateKey(request));
    pair.run().send("client", Buffer.from("ping ")).send("server", Buffer.from("pong "));
  }
  t.is(pair.server.received.toString(), "ping ping ping ");
  t.is(pair.client.received.toString(), "pong pong pong ");
  t.false(new Pair({}, { maxVersion: tls12 }).run().server.end.updateKey());
  t.false(new Pair().server.end.updateKey());
});

test("TLS 1.2 where TLS 1.3 is allowed: the random tells it", (t) => {
  const tail = (pair: Pair) => pair.server.sent[0].subarray(5 + 4 + 2 + 24, 5 + 4 + 2 + 32);
  t.is(tail(new Pair({}, { maxVersion: tls12 }).run()).toString("latin1"), "DOWNGRD\x01");
  t.not(tail(new Pair({ maxVersion: tls12 }).run()).toString("latin1", 0, 7), "DOWNGRD");
});

// What can't be

for (const [what, server, client, fault] of [
  ["version", { minVersion: tls13 }, { maxVersion: tls12 }, faults.PROTOCOL_VERSION],
  ["version, the other way", { maxVersion: tls12 }, { minVersion: tls13 }, faults.PROTOCOL_VERSION],
  ["suite of TLS 1.3", { suites: [0x1301] }, { suites: [0x1302] }, faults.NO_COMMON_SUITE],
  ["suite of TLS 1.2", { suites: [0xc02b] }, { suites: [0xc02c] }, faults.NO_COMMON_SUITE],
  ["group", { groups: [namedGroup.x25519] }, { groups: [namedGroup.secp256r1] }, faults.NO_COMMON_GROUP],
  [
    "group of TLS 1.2",
    { groups: [namedGroup.x25519], maxVersion: tls12 },
    { groups: [namedGroup.secp256r1] },
    faults.NO_COMMON_GROUP,
  ],
  ["scheme", {}, { schemes: [0x0804] }, faults.NO_COMMON_SCHEME],
  ["scheme of TLS 1.2", { maxVersion: tls12 }, { schemes: [0x0804] }, faults.NO_COMMON_SCHEME],
  ["suite for the certificate", { maxVersion: tls12 }, { suites: [0xc02f] }, faults.NO_COMMON_SCHEME],
  ["application protocol", { alpn: ["a"] }, { alpn: ["b"] }, faults.NO_APPLICATION_PROTOCOL],
] as [string, Partial<ServerOptions>, Partial<ClientOptions>, Fault][]) {
  test(`no common ${what}`, (t) => {
    const pair = new Pair(server, client).run();
    t.is(pair.server.end.fault, fault);
    t.is(pair.client.end.faultDetail, alertOf(fault));
  });
}
