import test, { type ExecutionContext } from "ava";
import { provider } from "../../hosts/node/provider.js";
import { type ClientOptions, type Exchange, type Provider, version, wants } from "../../src/client/index.js";
import { groups } from "../../src/crypto/index.js";
import { extensionType as ext, handshakeType as hs, namedGroup } from "../../src/wire/registry.js";
import { named } from "../faults.js";
import { concat, u8, u16, vec8, vec16 } from "../peers/bytes.js";
import { servers } from "../peers/identity.js";
import { extension } from "../peers/messages.js";
import type { Script } from "../peers/script.js";
import { Link } from "./link.js";
import { add, body, cases, change, request, tls12, tls13 } from "./negative/cases.js";

/** What must still be taken beside what must be refused: the exact edges of the negotiation's rules. */

function succeeds(t: ExecutionContext, script: Partial<Script>, options?: Partial<ClientOptions>): Link {
  const link = new Link({ ...servers.p256, ...script }, options).run();
  t.is(named(link.client.fault), undefined);
  t.true(link.client.established);
  return link;
}

// ---- The downgrade sentinel, RFC 8446 4.1.3

function randomWith(...end: number[]): Partial<Script> {
  return { hello: { random: concat(Buffer.alloc(24, 1), Buffer.from("DOWNGRD"), Buffer.from(end)) } };
}

test("the sentinel means nothing to a client of TLS 1.2 alone", (t) => {
  for (const last of [0, 1]) succeeds(t, { version: tls12, ...randomWith(last) }, { maxVersion: tls12 });
});

test("the sentinel means nothing in TLS 1.3", (t) => {
  for (const last of [0, 1]) succeeds(t, randomWith(last));
});

test("what only resembles the sentinel is a random", (t) => {
  for (const last of [2, 0xff]) succeeds(t, { version: tls12, ...randomWith(last) });
});

// ---- The session id's echo, RFC 8446 4.1.3

/** A provider whose random bytes are all the same. */
function monotonous(byte: number): Provider {
  return { ...provider, random: (bytes, start, end) => void bytes.fill(byte, start, end) };
}

cases(tls13, {
  // The suite that follows begins with the byte that is missing
  "a session id of 31 bytes": {
    script: { hello: { sessionId: Buffer.alloc(31, 0x13) } },
    options: { provider: monotonous(0x13) },
    fault: "ILLEGAL_PARAMETER",
  },
  "another session id": {
    script: { hello: { sessionId: concat(Buffer.alloc(31, 0x13), u8(0x12)) } },
    options: { provider: monotonous(0x13) },
    fault: "ILLEGAL_PARAMETER",
  },
});

cases(tls12, {
  // RFC 5246 7.4.1.3: an echo says that a session is resumed, and none was offered
  "our session id, though it is nobody's to resume": {
    script: { hello: { sessionId: Buffer.alloc(32, 0x13) } },
    options: { provider: monotonous(0x13) },
    fault: "ILLEGAL_PARAMETER",
  },
});

test("TLS 1.2: a session id of the server's own is for nobody, and a client without one hears none back", (t) => {
  succeeds(t, { version: tls12, hello: { sessionId: Buffer.alloc(32, 0x13) } });
  succeeds(t, { version: tls12, hello: { sessionId: Buffer.alloc(0) } }, { maxVersion: tls12 });
  succeeds(t, { version: tls12, hello: { sessionId: Buffer.alloc(7, 1) } }, { maxVersion: tls12 });
});

// ---- The curve of the server's key, RFC 8422 5.3: of TLS 1.2 alone

for (const [kind, curve] of [
  ["p256", namedGroup.secp256r1],
  ["p384", namedGroup.secp384r1],
] as const) {
  const others = groups.filter((each) => each !== curve);
  cases(tls12, {
    [`a ${kind} key, whose curve was not offered`]: {
      script: servers[kind],
      options: { groups: others },
      fault: "CERT_KEY",
    },
    [`a ${kind} key, whose curve was not offered, unverified`]: {
      script: servers[kind],
      options: { groups: others, verify: false },
      fault: "CERT_KEY",
    },
  });
  test(`a ${kind} key, whose curve was offered, or is that of a TLS 1.3 server`, (t) => {
    succeeds(t, { ...servers[kind], version: tls12 }, { groups: [...others, curve] });
    succeeds(t, { ...servers[kind] }, { groups: others });
  });
}

test("TLS 1.2: keys that are on no curve of a group", (t) => {
  for (const kind of ["rsa", "ed25519"] as const)
    succeeds(t, { ...servers[kind], version: tls12 }, { groups: [namedGroup.x25519] });
});

// ---- Application protocols, RFC 7301

for (const only of Object.values(version)) {
  const answer = (protocol: string, offered: string) => ({
    script: { alpn: protocol },
    options: { alpn: [offered] },
    fault: "ILLEGAL_PARAMETER" as const,
  });
  cases(only, {
    "a protocol that begins like ours": answer("h2c", "h2"),
    "a protocol that ours begins like": answer("h", "h2"),
    "a protocol as long as ours": answer("h3", "h2"),
    "an empty protocol": answer("", "h2"),
  });
}

// ---- CertificateRequest: "clients MUST ignore unrecognized extensions", RFC 8446 4.3.2

test("TLS 1.3, a CertificateRequest with authorities, a request for our staple, and what nobody knows", (t) => {
  const names = { ...request, authorities: [Buffer.from("a name"), Buffer.from("another")] };
  succeeds(t, { request: names });
  const asksStatus = add("certificate_request", extension(ext.status_request, Buffer.from([1, 0, 0, 0, 0])));
  succeeds(t, asksStatus);
  succeeds(t, asksStatus, { ocsp: { stapling: "off" } });
  succeeds(t, add("certificate_request", extension(0x1234, Buffer.from("unknown"))));
});

/** The names of CAs in a CertificateRequest that are malformed. */
const malformedNames = {
  "a name of a byte less than it says": vec16(u16(3), Buffer.from("ab")),
  "an empty name": vec16(vec16()),
  "an empty name behind another": vec16(vec16(u8(1)), vec16()),
  "half a length": vec16(u8(0)),
  "a list longer than its field": u16(3),
  "a byte behind the list": concat(vec16(vec16(u8(1))), u8(0)),
};

for (const [what, names] of Object.entries({ ...malformedNames, "no name": vec16() }))
  cases(tls13, {
    [`certificate_authorities with ${what}`]: {
      script: add("certificate_request", extension(ext.certificate_authorities, names)),
      fault: "DECODE_ERROR",
    },
  });

for (const [what, names] of Object.entries(malformedNames))
  cases(tls12, {
    [`certificate_authorities with ${what}`]: {
      script: { request, ...body(hs.certificate_request, (bytes) => concat(bytes.subarray(0, -2), names)) },
      fault: "DECODE_ERROR",
    },
  });

test("TLS 1.2, a CertificateRequest may name no authority", (t) => {
  succeeds(t, { version: tls12, request: { ...request, authorities: [] } });
  succeeds(t, { version: tls12, request: { ...request, authorities: [Buffer.from("a name")] } });
});

cases(tls13, {
  "an extension that nobody knows twice in the CertificateRequest": {
    script: add("certificate_request", extension(0x1234), extension(0x4321), extension(0x1234, u8(1))),
    fault: "DUPLICATE_EXTENSION",
  },
  "more extensions in the CertificateRequest than anybody knows": {
    script: add("certificate_request", ...Array.from({ length: 100 }, (_, i) => extension(0x1200 + i))),
    fault: "ILLEGAL_PARAMETER",
  },
  "max_fragment_length in the CertificateRequest": {
    script: add("certificate_request", extension(ext.max_fragment_length, u8(1))),
    fault: "EXTENSION_NOT_ALLOWED",
  },
});

// ---- Limits of records, RFC 8449 section 5

for (const [only, where] of [
  [tls12, "server_hello"],
  [tls13, "encrypted_extensions"],
] as const) {
  const both = [extension(ext.max_fragment_length, u8(1)), extension(ext.record_size_limit, u16(512))];
  const options = { maxFragmentLength: 512, recordSizeLimit: 512 } as const;
  cases(only, {
    "max_fragment_length, then record_size_limit": {
      script: add(where, ...both),
      options,
      fault: "ILLEGAL_PARAMETER",
    },
    "record_size_limit, then max_fragment_length": {
      script: add(where, ...both.reverse()),
      options,
      fault: "ILLEGAL_PARAMETER",
    },
  });
}

// ---- Key shares that no group has

/** A provider that takes any share, and tells how long they were. */
function gullible(lengths: number[]): Provider {
  const exchange = (group: number): Exchange => {
    const real = provider.exchange(group);
    return {
      publicKey: (out, at) => real.publicKey(out, at),
      agree(_peer, start, end) {
        lengths.push(end - start);
        return 32;
      },
      dispose: () => real.dispose(),
    };
  };
  return { ...provider, exchange };
}

test("a share that is empty, or longer than any group's, is never handed to the provider", (t) => {
  for (const length of [0, 98, 200, 255]) {
    const share = vec16(Buffer.alloc(length, 4));
    const lengths: number[] = [];
    const shared = change("server_hello", ext.key_share, () => concat(u16(namedGroup.x25519), share));
    const link13 = new Link({ ...servers.p256, ...shared }, { provider: gullible(lengths) }).run();
    t.is(named(link13.client.fault), "KEY_SHARE");
    const params = () => concat(u8(3), u16(namedGroup.x25519), vec8(Buffer.alloc(length, 4)));
    const script = { ...servers.p256, version: tls12, params };
    const link12 = new Link(script, { provider: gullible(lengths) }).run();
    t.is(named(link12.client.fault), "KEY_SHARE");
    t.deepEqual(lengths, []);
  }
});

// ---- Key updates on demand

test("no key is updated before the handshake is done, nor while an update is on its way", (t) => {
  const link = new Link({ ...servers.p256, echo: true });
  const { client, puppet } = link;
  while (!client.established) {
    t.false(client.updateKey(true), client.state);
    if (client.wants & wants.WORK) client.work();
    else link.run();
  }
  t.true(client.updateKey());
  t.false(client.updateKey(true), "one is on its way");
  link.run().write(Buffer.from("hello"));
  t.deepEqual(puppet.seen.keyUpdates, [false]);
  t.is(link.received.toString(), "hello");
});
