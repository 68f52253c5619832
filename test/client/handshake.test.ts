import test, { type ExecutionContext } from "ava";
import { fixture } from "../../certs/fixtures.js";
import { provider, signer } from "../../hosts/node/provider.js";
import { type ClientOptions, faults, TlsClient, wants } from "../../src/client/index.js";
import { groups } from "../../src/crypto/index.js";
import {
  alert,
  cipherSuite as c,
  contentType,
  extensionType as ext,
  namedGroup as g,
  handshakeType as hs,
  signatureScheme as s,
  version,
} from "../../src/wire/registry.js";
import { named } from "../faults.js";
import { vec8 } from "../peers/bytes.js";
import { identity, servers } from "../peers/identity.js";
import { bodyOf, type Extension, extension, message, newSessionTicket13 } from "../peers/messages.js";
import { suites } from "../peers/schedule.js";
import { edit, layouts, type Script, steps } from "../peers/script.js";
import { defaults, Link } from "./link.js";

/** Our client against the puppet: every handshake that must succeed. */

const { tls12, tls13 } = version;
const both = [
  ["1.2", tls12],
  ["1.3", tls13],
] as const;

/** Shakes hands, sends data both ways, closes in order; the puppet meanwhile throws at anything illegal. */
function converse(
  t: ExecutionContext,
  script: Script,
  options?: Partial<ClientOptions>,
  chunk?: number,
): Link {
  const link = new Link({ echo: true, ...script }, options, chunk).run();
  const { client, puppet } = link;
  t.is(client.fault, undefined, `${named(client.fault)}: ${String(client.cause)}`);
  t.true(client.established);
  t.true(puppet.open);
  t.is(client.version, puppet.version);
  t.is(client.suite, puppet.suiteId);
  t.is(client.group, puppet.group);
  link.write(Buffer.from("hello, puppet"));
  t.is(link.received.toString(), "hello, puppet");
  link.close();
  t.is(puppet.ended, alert.close_notify);
  link.deliver(puppet.close());
  t.true(client.closedByPeer);
  t.is(client.wants, wants.CLOSED);
  t.is(client.fault, undefined);
  return link;
}

// Suites, groups and schemes

for (const [number, suite] of Object.entries(suites)) {
  const id = Number(number);
  const kinds = suite.auth === "rsa" ? ["rsa"] : ["p256", "p384", "ed25519"];
  if (suite.version === tls13) kinds.push("rsa");
  for (const kind of kinds as (keyof typeof servers)[]) {
    test(`suite ${id.toString(16)} with a ${kind} certificate`, (t) => {
      converse(t, { ...servers[kind], version: suite.version, suite: id });
    });
  }
}

for (const [group, pairs] of [
  [g.x25519, 1],
  [g.secp256r1, 2],
]) {
  test(`TLS 1.2 with group ${group}, when TLS 1.3 was offered x25519: ${pairs} key pairs are made`, (t) => {
    let made = 0;
    const exchange = (wanted: number) => {
      made++;
      return provider.exchange(wanted);
    };
    converse(t, { ...servers.p256, version: tls12, group }, { provider: { ...provider, exchange } });
    t.is(made, pairs);
  });
}

for (const [name, only] of both) {
  for (const [group, id] of Object.entries(g).filter(([, id]) => groups.includes(id))) {
    test(`TLS ${name}, ${group}`, (t) => {
      // The certificate's curve must be offered in TLS 1.2
      const offered = only === tls12 ? [...new Set([id, g.secp256r1])] : [id];
      const link = converse(t, { ...servers.p256, version: only, group: id }, { groups: offered });
      t.is(link.client.group, id);
    });
  }

  const pss = [s.rsa_pss_rsae_sha256, s.rsa_pss_rsae_sha384, s.rsa_pss_rsae_sha512];
  const pkcs1 = [s.rsa_pkcs1_sha256, s.rsa_pkcs1_sha384, s.rsa_pkcs1_sha512];
  for (const scheme of only === tls12 ? [...pss, ...pkcs1] : pss) {
    test(`TLS ${name}, the server signs with ${scheme.toString(16)}`, (t) => {
      converse(t, { ...servers.rsa, version: only, scheme });
    });
  }
}

test("TLS 1.2 binds no curve to an ECDSA scheme", (t) => {
  converse(t, { ...servers.p256, version: tls12, scheme: s.ecdsa_secp384r1_sha384 });
  converse(t, { ...servers.p384, version: tls12, scheme: s.ecdsa_secp256r1_sha256 });
  converse(t, { ...servers.p256, version: tls12, scheme: s.ecdsa_secp521r1_sha512 });
  converse(t, { ...servers.p384, version: tls12, scheme: s.ecdsa_secp521r1_sha512 });
});

// HelloRetryRequest

for (const [what, retry] of Object.entries({
  group: { group: g.secp384r1 },
  cookie: { cookie: Buffer.from("a cookie") },
  "group and cookie": { group: g.secp256r1, cookie: Buffer.alloc(300, 7) },
})) {
  for (const ccs of [true, false]) {
    test(`HelloRetryRequest with ${what}, ${ccs ? "with" : "without"} change_cipher_spec`, (t) => {
      const { puppet } = converse(t, { ...servers.p256, retry, ccs });
      t.is(puppet.seen.hellos.length, 2);
      t.is(puppet.seen.changeCipherSpecs, 1);
    });
  }
}

test("HelloRetryRequest with a suite of SHA-384", (t) => {
  converse(t, { ...servers.p256, suite: c.TLS_AES_256_GCM_SHA384, retry: { group: g.secp256r1 } });
});

// The form on the wire

/** Around each message's beginning, where headers and lengths are, and now and then in between. */
function interestingCuts(messages: Buffer[]): number[] {
  const cuts: number[] = [];
  let start = 0;
  for (const { length } of messages) {
    for (let at = start - 2; at < start + 12; at++) cuts.push(at);
    for (let at = start + 12; at < start + length; at += 41) cuts.push(at);
    start += length;
  }
  return cuts.filter((at) => at > 1 && at < start);
}

for (const [name, only] of both) {
  const staples = [fixture("good/p256/server1-ocsp.der"), fixture("good/p256/intermediate1-ocsp.der")];
  const request = { schemes: [s.ecdsa_secp256r1_sha256] };
  const script = { ...servers.p256, version: only, staples, request };

  test(`TLS ${name}, messages in records of any size`, (t) => {
    for (const size of [1, 2, 3, 4, 5, 7, 16, 61, 255, 1000]) {
      converse(t, { ...script, layout: layouts.pieces(size) });
    }
    converse(t, { ...script, layout: layouts.joined });
  });

  test(`TLS ${name}, the flight cut in two at any byte`, (t) => {
    let cuts: number[] = [1];
    const cutAt = (at: number) => (messages: Buffer[]) => {
      if (at === 1) cuts = cuts.concat(interestingCuts(messages));
      return layouts.cut(at)(messages);
    };
    for (let i = 0; i < cuts.length; i++) {
      const { client } = new Link({ ...script, layout: cutAt(cuts[i]) }).run();
      if (!client.established) t.fail(`cut at ${cuts[i]}: ${named(client.fault)}`);
    }
    t.true(cuts.length > 100);
  });

  test(`TLS ${name}, the transport delivers single bytes`, (t) => {
    converse(t, script, undefined, 1);
    converse(t, { ...script, layout: layouts.pieces(3) }, undefined, 1);
  });

  test(`TLS ${name}, a small input buffer and a flight in full records`, (t) => {
    const buffers = { input: 17_000 };
    converse(t, { ...script, layout: layouts.joined }, { buffers });
    converse(t, { ...script, layout: layouts.joined }, { buffers }, 100);
  });

  test(`TLS ${name}, an input buffer that grows with the flight's records`, (t) => {
    const buffers = { input: [1024, 18_693] as const };
    for (const layout of [layouts.joined, layouts.pieces(300), layouts.pieces(2000)])
      for (const chunk of [undefined, 100, 1]) converse(t, { ...script, layout }, { buffers }, chunk);
  });

  test(`TLS ${name}, a long chain in a buffer that holds its largest entry`, (t) => {
    const { chain, key } = servers.p256;
    const long = { ...script, chain: [...chain, ...Array(40).fill(chain[1])], key };
    converse(t, { ...long, layout: layouts.pieces(300) }, { buffers: { input: 1800 }, recordSizeLimit: 512 });
  });
}

for (const padding of [1, 100, 20_000]) {
  test(`records padded with up to ${padding} zeros`, (t) => {
    converse(t, { ...servers.p256, padding, tickets: [newSessionTicket13(Buffer.alloc(32, 1))] });
  });
}

test("TLS 1.3 without change_cipher_spec", (t) => {
  converse(t, { ...servers.p256, ccs: false });
});

// After the handshake

test("tickets are taken and left alone", (t) => {
  const many = Array.from({ length: 10 }, (_, i) => newSessionTicket13(Buffer.alloc(100 * i + 1, i)));
  const early = newSessionTicket13(Buffer.from("t"), 7200, [extension(42, Buffer.from([0, 0, 64, 0]))]);
  converse(t, { ...servers.p256, tickets: [...many, early] });
  converse(t, { ...servers.p256, tickets: many, layout: layouts.pieces(13) });
});

test("the server updates its key, and asks for the client's", (t) => {
  const link = new Link({ ...servers.p256, echo: true }).run();
  for (const requested of [false, true, true, false]) {
    link.deliver(link.puppet.sendKeyUpdate(requested));
    link.write(Buffer.from(requested ? "after a request " : "after none "));
  }
  t.deepEqual(link.puppet.seen.keyUpdates, [false, false]);
  t.is(link.received.toString(), "after none after a request after a request after none ");
});

test("the client updates its key, and asks for the server's", (t) => {
  const link = new Link({ ...servers.p256, echo: true }).run();
  t.true(link.client.updateKey());
  link.run().write(Buffer.from("one "));
  t.true(link.client.updateKey(true));
  link.run().write(Buffer.from("two"));
  t.deepEqual(link.puppet.seen.keyUpdates, [false, true]);
  t.is(link.received.toString(), "one two");
});

test("TLS 1.2 has no key update, and no renegotiation either", (t) => {
  const link = new Link({ ...servers.p256, version: tls12, echo: true }).run();
  t.false(link.client.updateKey());
  link.deliver(link.puppet.sendMessage(Buffer.from([hs.hello_request, 0, 0, 0])));
  link.write(Buffer.from("still here"));
  t.is(link.received.toString(), "still here");
});

// Client authentication

for (const [name, only] of both) {
  for (const kind of ["p256", "p384", "rsa", "ed25519"]) {
    test(`TLS ${name}, the client shows its ${kind} certificate`, (t) => {
      const { chain, key } = identity("client", kind);
      const schemes: number[] = [
        s.rsa_pss_rsae_sha256,
        s.ed25519,
        s.ecdsa_secp256r1_sha256,
        s.ecdsa_secp384r1_sha384,
      ];
      const options = { identity: { certificates: chain, signer: signer(key) } };
      const { puppet } = converse(
        t,
        { ...servers.p256, version: only, request: { schemes, required: true } },
        options,
      );
      t.deepEqual(puppet.seen.certificates, chain);
      t.true(schemes.includes(puppet.seen.scheme!));
    });
  }

  test(`TLS ${name}, the client has no certificate, or none that the server takes`, (t) => {
    const script = { ...servers.p256, version: only, request: { schemes: [s.ed25519] } };
    t.deepEqual(converse(t, script).puppet.seen.certificates, []);
    const { chain, key } = identity("client", "p256");
    const other = converse(t, script, { identity: { certificates: chain, signer: signer(key) } });
    t.deepEqual(other.puppet.seen.certificates, []);
  });

  test(`TLS ${name}, a client chain larger than the output buffer`, (t) => {
    const { chain, key } = identity("client", "p256");
    const certificates = [...chain, ...Array(20).fill(chain[1])];
    const request = { schemes: [s.ecdsa_secp256r1_sha256], required: true };
    const options = { identity: { certificates, signer: signer(key) }, buffers: { output: 700 } };
    const { puppet } = converse(t, { ...servers.p256, version: only, request }, options);
    t.deepEqual(puppet.seen.certificates, certificates);
  });
}

for (const [kind, own] of [
  ["p256", 64],
  ["p384", 64],
  ["ed25519", 64],
  ["rsa", 1],
] as const)
  test(`TLS 1.2, a ${kind} key is shown only where certificate_types has its type, RFC 8422 5.5`, (t) => {
    const { chain, key } = identity("client", kind);
    const options = { identity: { certificates: chain, signer: signer(key) } };
    const schemes = [...options.identity.signer.schemes];
    for (const [types, shown] of [
      [[own], true],
      [[2, own, 3], true],
      [[65 - own], false],
      [[2, 3, 66], false],
    ] as const) {
      const mutate = (type: number, bytes: Buffer) =>
        type === hs.certificate_request
          ? message(type, vec8(Buffer.from(types)), bodyOf(bytes).subarray(3))
          : bytes;
      const script = { ...servers.p256, version: tls12, request: { schemes }, mutate };
      const { puppet } = converse(t, script, options);
      t.deepEqual(puppet.seen.certificates, shown ? chain : [], `${types}`);
    }
  });

test("TLS 1.2 signs with PKCS#1 when the server asks for it, TLS 1.3 does not", (t) => {
  const { chain, key } = identity("client", "rsa");
  const options = { identity: { certificates: chain, signer: signer(key) } };
  const request = { schemes: [s.rsa_pkcs1_sha256] };
  t.is(
    converse(t, { ...servers.p256, version: tls12, request }, options).puppet.seen.scheme,
    s.rsa_pkcs1_sha256,
  );
  t.deepEqual(converse(t, { ...servers.p256, request }, options).puppet.seen.certificates, []);
});

// Extensions

test("extended_master_secret: always offered, required on demand", (t) => {
  t.true(converse(t, { ...servers.p256, version: tls12 }, { requireEms: true }).puppet.hello.ems);
  converse(t, { ...servers.p256, version: tls12, ems: false });
});

for (const [name, only] of both) {
  test(`TLS ${name}, ALPN`, (t) => {
    const link = converse(t, { ...servers.p256, version: only, alpn: "mqtt" }, { alpn: ["h2", "mqtt"] });
    t.is(link.client.alpn, "mqtt");
    t.deepEqual(link.puppet.hello.alpn, ["h2", "mqtt"]);
    t.is(converse(t, { ...servers.p256, version: only }, { alpn: ["mqtt"] }).client.alpn, undefined);
  });

  test(`TLS ${name}, record_size_limit both ways`, (t) => {
    for (const [ours, theirs] of [
      [64, 64],
      [512, 16_384],
      [16_385, 100],
    ]) {
      const link = new Link(
        { ...servers.p256, version: only, recordSizeLimit: theirs, echo: true },
        { recordSizeLimit: ours },
      ).run();
      const data = Buffer.alloc(40_000, "0123456789");
      link.write(data);
      t.deepEqual(link.received, data);
      const sealed = link.puppet.seen.records.filter(({ encrypted }) => encrypted);
      const longest = Math.max(...sealed.map(({ length }) => length));
      t.true(longest <= theirs && longest > Math.min(theirs, 4000) - 200, `${longest} of ${theirs}`);
    }
  });

  test(`TLS ${name}, max_fragment_length`, (t) => {
    for (const maxFragmentLength of [512, 1024, 2048, 4096] as const) {
      const script = { ...servers.p256, version: only, maxFragmentLength: true, echo: true };
      const link = new Link(script, { maxFragmentLength }).run();
      const data = Buffer.alloc(10_000, "0123456789");
      link.write(data);
      t.deepEqual(link.received, data);
    }
  });

  test(`TLS ${name}, a server that ignores record_size_limit is still heard when the buffer allows it`, (t) => {
    const link = converse(t, { ...servers.p256, version: only }, { recordSizeLimit: 1024 });
    t.is(link.puppet.hello.recordSizeLimit, 1024);
  });
}

test("an acknowledged server name, and hints for the next handshake", (t) => {
  const acknowledge = (list: { type: number; data: Buffer }[]) => [...list, extension(ext.server_name)];
  const groups = extension(ext.supported_groups, Buffer.from([0, 2, 0, 24]));
  const extensions = {
    encrypted_extensions: (list: Parameters<typeof acknowledge>[0]) => [...acknowledge(list), groups],
  };
  t.is(converse(t, { ...servers.p256, extensions }).puppet.hello.serverName, "localhost");
  converse(t, { ...servers.p256, version: tls12, extensions: { server_hello: acknowledge } });
});

test("TLS 1.2: supported_groups in a ServerHello, as BIG-IP sends it, says nothing", (t) => {
  for (const data of [
    Buffer.from([0, 4, 0, 23, 0, 24]),
    Buffer.from([0, 0]),
    Buffer.alloc(0),
    Buffer.from("?"),
  ]) {
    const server_hello = (list: Extension[]) => [...list, extension(ext.supported_groups, data)];
    converse(t, { ...servers.p256, version: tls12, extensions: { server_hello } });
  }
});

test("TLS 1.2: a ServerHello may have no extensions at all, RFC 5246 7.4.1.3", (t) => {
  converse(t, { ...servers.p256, version: tls12, ems: false, extensions: { server_hello: () => [] } });
});

test("TLS 1.2: a HelloRequest is ignored wherever it comes, and no part of the transcript", (t) => {
  const { chain, key } = identity("client", "p256");
  const options = { identity: { certificates: chain, signer: signer(key) } };
  const script: Script = {
    ...servers.p256,
    version: tls12,
    staples: [fixture("good/p256/server1-ocsp.der")],
    request: { schemes: [s.ecdsa_secp256r1_sha256], required: true },
  };
  const request = steps.record(contentType.handshake, message(hs.hello_request));
  // But between ChangeCipherSpec and the keys that it begins
  const places = [
    "server_hello",
    "certificate",
    "certificate_status",
    "server_key_exchange",
    "certificate_request",
  ]
    .concat("server_hello_done", "change_cipher_spec", "finished")
    .map((name) => edit.before(name, request));
  for (const place of places) converse(t, { ...script, plan: place }, options);
  converse(t, { ...script, plan: edit.after("finished", request) }, options);
  converse(t, { ...script, plan: edit.all(...places, ...places) }, options);
});

test("a client of one version offers that version alone", (t) => {
  const only12 = converse(t, { ...servers.p256, version: tls12 }, { maxVersion: tls12 }).puppet.hello;
  t.deepEqual(only12.versions, []);
  t.deepEqual(only12.shares, []);
  t.is(only12.sessionId.length, 0);
  t.false(only12.suites.some((id) => suites[id].version === tls13));
  const only13 = converse(t, servers.p256, { minVersion: tls13 }).puppet.hello;
  t.deepEqual(only13.versions, [tls13]);
  t.false(only13.ems);
  t.false(only13.suites.some((id) => suites[id].version === tls12));
});

test("the first record of the initial ClientHello, and no other, is of version 0x0301, RFC 8446 5.1", (t) => {
  const versions = (script: Partial<Script>, options?: Partial<ClientOptions>) => {
    const link = converse(t, { ...servers.p256, ...script }, options);
    return link.puppet.seen.records.map((record) => record.version);
  };
  for (const [script, options] of [
    [{}, {}],
    [{ version: tls12 }, {}],
    [{ version: tls12 }, { maxVersion: tls12 }],
    [{ retry: { group: g.secp256r1 } }, {}],
    [{ retry: { cookie: Buffer.from("a cookie") } }, {}],
  ] as const) {
    const [first, ...others] = versions(script, options);
    t.is(first, 0x0301);
    t.true(others.length > 2 && others.every((each) => each === 0x0303), `${others}`);
  }
});

test("an IP address goes into no server_name", (t) => {
  t.is(converse(t, servers.p256, { serverName: "127.0.0.1" }).puppet.hello.serverName, undefined);
  t.is(converse(t, servers.p256, { serverName: "::1" }).puppet.hello.serverName, undefined);
});

test("status_request carries a fresh nonce of 32 bytes when asked to", (t) => {
  for (const nonce of [true, "if-present"] as const) {
    const hello = () => new Link(servers.p256, { ocsp: { nonce } }).run().puppet.hello;
    const [one, two] = [hello().statusNonce, hello().statusNonce];
    t.is(one?.length, 32);
    t.notDeepEqual(one, two);
  }
  t.is(new Link(servers.p256).run().puppet.hello.statusNonce, undefined);
  t.false(new Link(servers.p256, { ocsp: { stapling: "off" } }).run().puppet.hello.status);
});

// Secrets, and the end

test("the secrets handed out are the puppet's", (t) => {
  for (const [, only] of both) {
    const secrets: Record<string, Buffer> = {};
    const onSecret: ClientOptions["onSecret"] = (label, random, secret) => {
      t.deepEqual(Buffer.from(random), link.puppet.hello.random);
      secrets[label] = Buffer.from(secret);
    };
    const link = new Link({ ...servers.p256, version: only }, { onSecret });
    link.run();
    t.true(Object.keys(secrets).length > 0);
    for (const [label, secret] of Object.entries(secrets))
      t.deepEqual(secret, link.puppet.secrets[label], label);
  }
});

test("one arena serves one connection after another", (t) => {
  const buffers = { input: 24837, output: 4096, store: 8192 };
  const arena = new Uint8Array(24837 + 4096 + 8192);
  for (const [, only] of both) {
    const client = new TlsClient({ ...defaults, buffers }, arena);
    const link = new Link({ ...servers.p256, version: only, echo: true });
    Object.assign(link, { client });
    link.run().write(Buffer.from("again"));
    t.is(link.received.toString(), "again");
    client.wipe();
    t.is(client.wants, wants.CLOSED);
    t.true(arena.every((byte) => byte === 0));
  }
});

test("a buffer that has grown is wiped too", (t) => {
  const buffers = { input: [1024, 18_693] as const };
  const link = new Link({ ...servers.p256, layout: layouts.joined, echo: true }, { buffers });
  link.run().write(Buffer.from("again"));
  const { bytes } = link.client.cipherIn;
  t.true(bytes.length > 1024);
  t.true(bytes.some((byte) => byte !== 0));
  link.client.wipe();
  t.true(bytes.every((byte) => byte === 0));
});

test("data in both directions at once, in records of every size near the limits", (t) => {
  const link = new Link({ ...servers.p256, echo: true }, { buffers: { output: 20_000 } }).run();
  for (const size of [1, 2, 15, 16, 17, 255, 256, 16_383, 16_384, 16_385, 100_000]) {
    const data = Buffer.alloc(size, `${size},`);
    link.received = Buffer.alloc(0);
    link.write(data);
    t.deepEqual(link.received, data);
  }
});

for (const [name, only] of both) {
  test(`TLS ${name}, close_notify is an end, a cut is not`, (t) => {
    const clean = new Link({ ...servers.p256, version: only }).run();
    clean
      .deliver(clean.puppet.sendData(Buffer.from("last words")))
      .deliver(clean.puppet.close())
      .eof();
    t.is(clean.received.toString(), "last words");
    t.true(clean.client.closedByPeer);
    t.is(clean.client.fault, undefined);
    clean.close();
    t.is(clean.puppet.ended, alert.close_notify);
    t.is(clean.client.wants, wants.CLOSED);

    const cut = new Link({ ...servers.p256, version: only }).run();
    cut.deliver(cut.puppet.sendData(Buffer.from("last words"))).eof();
    t.is(cut.received.toString(), "last words");
    t.false(cut.client.closedByPeer);
    t.is(cut.client.fault, faults.TRUNCATED);
  });
}

test("several requests for a key update get one answer while we are silent, RFC 8446 4.6.3", (t) => {
  const link = new Link({ ...servers.p256, echo: true }).run();
  const { puppet } = link;
  const ask = () => puppet.sendKeyUpdate(true);
  link.deliver(Buffer.concat([ask(), ask(), ask()]));
  t.deepEqual(puppet.seen.keyUpdates, [false]);
  link.deliver(ask()).deliver(ask());
  t.deepEqual(puppet.seen.keyUpdates, [false], "silent still");
  link.write(Buffer.from("one "));
  link.deliver(ask()).deliver(ask());
  t.deepEqual(puppet.seen.keyUpdates, [false, false]);
  link.write(Buffer.from("two"));
  t.is(link.received.toString(), "one two");
});

test("a request for a key update is answered though we have sent nothing yet, and after an update of our own", (t) => {
  const link = new Link({ ...servers.p256, echo: true }).run();
  link.client.updateKey();
  link.run().write(Buffer.from("data")).deliver(link.puppet.sendKeyUpdate(true));
  t.deepEqual(link.puppet.seen.keyUpdates, [false, false]);
});

test("key updates are asked for while nothing can be sent", (t) => {
  const link = new Link({ ...servers.p256, echo: true }, { buffers: { output: 640 } }).run();
  link.stuck = true;
  for (let i = 0; i < 20; i++) link.deliver(link.puppet.sendKeyUpdate(true));
  link.deliver(link.puppet.sendData(Buffer.from("still there? ")));
  link.stuck = false;
  link.run().write(Buffer.from("yes"));
  t.is(link.received.toString(), "still there? yes");
  t.true(link.puppet.seen.keyUpdates.length > 0);
});

test("after close the client still answers nothing", (t) => {
  const link = new Link(servers.p256).run().close();
  link.deliver(link.puppet.sendKeyUpdate(true)).deliver(link.puppet.sendData(Buffer.from("data")));
  t.deepEqual(link.puppet.seen.keyUpdates, []);
  t.is(link.received.toString(), "data");
});

test("after close the client still hears the server out", (t) => {
  const link = new Link(servers.p256).run().close();
  t.is(link.puppet.ended, alert.close_notify);
  link.deliver(link.puppet.sendData(Buffer.from("one more thing")));
  t.is(link.received.toString(), "one more thing");
  link.deliver(link.puppet.close());
  t.is(link.client.wants, wants.CLOSED);
});

test("handshake records and alerts of TLS 1.3 are encrypted once there are keys", (t) => {
  const { puppet } = new Link(servers.p256).run().close();
  const [hello, ccs, finished, close] = puppet.seen.records;
  t.deepEqual([hello.type, hello.encrypted], [contentType.handshake, false]);
  t.deepEqual([ccs.type, ccs.encrypted], [contentType.change_cipher_spec, false]);
  t.deepEqual([finished.type, finished.encrypted], [contentType.handshake, true]);
  t.deepEqual([close.type, close.encrypted], [contentType.alert, true]);
});
