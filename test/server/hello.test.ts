import test from "ava";
import { type Fault, faults } from "../../src/client/index.js";
import { type ServerOptions, TlsServer } from "../../src/server/index.js";
import {
  alert,
  extensionType as ext,
  namedGroup as g,
  handshakeType as hs,
  version,
} from "../../src/wire/registry.js";
import { named } from "../faults.js";
import { concat, none, u8, u16, u32, vec8, vec16 } from "../peers/bytes.js";
import { type Extension, extension, message, parseExtensions } from "../peers/messages.js";
import { accepted, fields, greet, having, lacking, refused } from "./greeting.js";
import { selection, serverDefaults } from "./pair.js";
import { type Hello, Scripted, type Settings } from "./scripted.js";

/** ClientHellos that no client of ours would send: each malformed field, and what is odd but legal. */

const { tls12, tls13 } = version;
const both = [
  ["1.2", tls12],
  ["1.3", tls13],
] as const;

/** A u-coordinate of Curve25519 whose point has the order 8. */
const LOW_ORDER = "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800";

/** For each extension, contents that are refused, and with what. */
const malformed: [string, number, Fault, Uint8Array[]][] = [
  ["certificate_authorities, none", ext.certificate_authorities, faults.DECODE_ERROR, [vec16()]],
  [
    "certificate_authorities, an empty name",
    ext.certificate_authorities,
    faults.DECODE_ERROR,
    [vec16(vec16())],
  ],
  [
    "certificate_authorities, a name cut short",
    ext.certificate_authorities,
    faults.DECODE_ERROR,
    [vec16(u16(2), u8(1))],
  ],
  [
    "certificate_authorities, trailing bytes",
    ext.certificate_authorities,
    faults.DECODE_ERROR,
    [vec16(vec16(u8(1))), u8(0)],
  ],
  ["trusted_ca_keys, empty", ext.trusted_ca_keys, faults.DECODE_ERROR, []],
  ["trusted_ca_keys, a type that is unknown", ext.trusted_ca_keys, faults.DECODE_ERROR, [vec16(u8(4))]],
  [
    "trusted_ca_keys, a hash cut short",
    ext.trusted_ca_keys,
    faults.DECODE_ERROR,
    [vec16(u8(3), Buffer.alloc(19))],
  ],
  ["trusted_ca_keys, an empty name", ext.trusted_ca_keys, faults.DECODE_ERROR, [vec16(u8(2), vec16())]],
  [
    "trusted_ca_keys, a name cut short",
    ext.trusted_ca_keys,
    faults.DECODE_ERROR,
    [vec16(u8(2), u16(2), u8(1))],
  ],
  ["trusted_ca_keys, trailing bytes", ext.trusted_ca_keys, faults.DECODE_ERROR, [vec16(u8(0)), u8(0)]],
  ["server_name, empty", ext.server_name, faults.DECODE_ERROR, []],
  ["server_name, no name", ext.server_name, faults.DECODE_ERROR, [vec16()]],
  ["server_name, an empty name", ext.server_name, faults.DECODE_ERROR, [vec16(u8(0), vec16())]],
  [
    "server_name, cut short",
    ext.server_name,
    faults.DECODE_ERROR,
    [vec16(u8(0), u16(9), Buffer.from("short"))],
  ],
  [
    "server_name, trailing bytes",
    ext.server_name,
    faults.DECODE_ERROR,
    [vec16(u8(0), vec16(Buffer.from("a"))), u8(0)],
  ],
  [
    "server_name, twice",
    ext.server_name,
    faults.ILLEGAL_PARAMETER,
    [vec16(u8(0), vec16(Buffer.from("a")), u8(0), vec16(Buffer.from("b")))],
  ],
  [
    "server_name, a trailing dot",
    ext.server_name,
    faults.ILLEGAL_PARAMETER,
    [vec16(u8(0), vec16(Buffer.from("a.test.")))],
  ],
  [
    "server_name, a NUL",
    ext.server_name,
    faults.ILLEGAL_PARAMETER,
    [vec16(u8(0), vec16(Buffer.from("a.test\0.b")))],
  ],
  [
    "server_name, a newline",
    ext.server_name,
    faults.ILLEGAL_PARAMETER,
    [vec16(u8(0), vec16(Buffer.from("a.test\n")))],
  ],
  [
    "server_name, not ASCII",
    ext.server_name,
    faults.ILLEGAL_PARAMETER,
    [vec16(u8(0), vec16(Buffer.from("ä.test")))],
  ],
  [
    "server_name, 256 bytes",
    ext.server_name,
    faults.ILLEGAL_PARAMETER,
    [vec16(u8(0), vec16(Buffer.alloc(256, 97)))],
  ],
  ["max_fragment_length 0", ext.max_fragment_length, faults.ILLEGAL_PARAMETER, [u8(0)]],
  ["max_fragment_length 5", ext.max_fragment_length, faults.ILLEGAL_PARAMETER, [u8(5)]],
  ["max_fragment_length, two bytes", ext.max_fragment_length, faults.DECODE_ERROR, [u16(0x0101)]],
  ["max_fragment_length, empty", ext.max_fragment_length, faults.DECODE_ERROR, []],
  ["status_request, empty", ext.status_request, faults.DECODE_ERROR, []],
  ["status_request, cut short", ext.status_request, faults.DECODE_ERROR, [u8(1), u16(0)]],
  ["status_request, trailing bytes", ext.status_request, faults.DECODE_ERROR, [u8(1), u16(0), u16(0), u8(0)]],
  [
    "status_request, an empty responder id",
    ext.status_request,
    faults.DECODE_ERROR,
    [u8(1), vec16(vec16()), u16(0)],
  ],
  ["supported_groups, none", ext.supported_groups, faults.DECODE_ERROR, [vec16()]],
  ["supported_groups, odd", ext.supported_groups, faults.DECODE_ERROR, [vec16(u16(29), u8(0))]],
  ["supported_groups, trailing bytes", ext.supported_groups, faults.DECODE_ERROR, [vec16(u16(29)), u8(0)]],
  ["ec_point_formats without uncompressed", ext.ec_point_formats, faults.ILLEGAL_PARAMETER, [vec8(u8(1))]],
  ["ec_point_formats, none", ext.ec_point_formats, faults.ILLEGAL_PARAMETER, [vec8()]],
  ["signature_algorithms, none", ext.signature_algorithms, faults.DECODE_ERROR, [vec16()]],
  ["signature_algorithms, odd", ext.signature_algorithms, faults.DECODE_ERROR, [vec16(u8(4))]],
  ["ALPN, no protocol", ext.application_layer_protocol_negotiation, faults.DECODE_ERROR, [vec16()]],
  [
    "ALPN, an empty protocol",
    ext.application_layer_protocol_negotiation,
    faults.DECODE_ERROR,
    [vec16(vec8())],
  ],
  [
    "ALPN, cut short",
    ext.application_layer_protocol_negotiation,
    faults.DECODE_ERROR,
    [vec16(u8(3), u8(97))],
  ],
  ["status_request_v2, no item", ext.status_request_v2, faults.DECODE_ERROR, [vec16()]],
  [
    "status_request_v2, cut short",
    ext.status_request_v2,
    faults.DECODE_ERROR,
    [vec16(u8(2), u16(4), u16(0))],
  ],
  [
    "status_request_v2, an item with trailing bytes",
    ext.status_request_v2,
    faults.DECODE_ERROR,
    [vec16(u8(2), vec16(u16(0), u16(0), u8(0)))],
  ],
  [
    "status_request_v2, another item with trailing bytes",
    ext.status_request_v2,
    faults.DECODE_ERROR,
    [vec16(u8(1), vec16(u16(0), u16(0), u8(0)))],
  ],
  ["extended_master_secret with contents", ext.extended_master_secret, faults.DECODE_ERROR, [u8(0)]],
  ["record_size_limit 63", ext.record_size_limit, faults.ILLEGAL_PARAMETER, [u16(63)]],
  ["record_size_limit, one byte", ext.record_size_limit, faults.DECODE_ERROR, [u8(64)]],
  ["record_size_limit, three bytes", ext.record_size_limit, faults.DECODE_ERROR, [u16(64), u8(0)]],
  ["psk_key_exchange_modes, none", ext.psk_key_exchange_modes, faults.DECODE_ERROR, [vec8()]],
  ["supported_versions, none", ext.supported_versions, faults.DECODE_ERROR, [vec8()]],
  ["supported_versions, odd", ext.supported_versions, faults.DECODE_ERROR, [vec8(u8(3))]],
  ["early_data with contents", ext.early_data, faults.DECODE_ERROR, [u8(0)]],
  [
    "renegotiation_info that is not empty",
    ext.renegotiation_info,
    faults.RENEGOTIATION_INFO,
    [vec8(Buffer.alloc(12))],
  ],
  ["renegotiation_info, trailing bytes", ext.renegotiation_info, faults.DECODE_ERROR, [vec8(), u8(0)]],
];

for (const [name, only] of both) {
  for (const [what, type, fault, data] of malformed)
    test(`TLS ${name}: ${what}`, (t) => {
      refused(t, fault, { version: only, edit: having(type, ...data) });
    });

  test(`TLS ${name}: an extension that stands twice`, (t) => {
    const twice = (each: Extension): Settings => ({
      version: only,
      edit: (hello) => ({ ...hello, extensions: [each, ...hello.extensions, each] }),
    });
    for (const type of [ext.extended_master_secret, ext.session_ticket, 0x1a1a, 65000])
      refused(t, faults.DUPLICATE_EXTENSION, {
        ...twice(extension(type)),
        edit: (hello) => ({
          ...hello,
          extensions: [...hello.extensions.filter((e) => e.type !== type), extension(type), extension(type)],
        }),
      });
  });

  test(`TLS ${name}: fields of the ClientHello`, (t) => {
    const refuse = (fault: Fault, change: Partial<Hello>) =>
      refused(t, fault, { version: only, edit: fields(change) });
    refuse(faults.PROTOCOL_VERSION, { legacyVersion: 0x0300 });
    refuse(faults.PROTOCOL_VERSION, { legacyVersion: 0x0200 });
    refuse(faults.DECODE_ERROR, { sessionId: Buffer.alloc(33) });
    refuse(faults.DECODE_ERROR, { random: Buffer.alloc(31) });
    refuse(faults.DECODE_ERROR, { suites: [] });
    refuse(faults.NO_COMMON_SUITE, { suites: [0x0035, 0xc014] });
    refuse(faults.ILLEGAL_PARAMETER, { compression: none });
    refuse(faults.ILLEGAL_PARAMETER, { compression: u8(1) });
    if (only === tls13) refuse(faults.ILLEGAL_PARAMETER, { compression: Buffer.from([0, 1]) });
    else accepted(t, { version: only, edit: fields({ compression: Buffer.from([1, 0]) }) });
    for (const length of [0, 1, 32]) {
      const client = accepted(t, { version: only, sessionId: Buffer.alloc(length, 5) });
      t.is(client.changeCipherSpecs, only === tls12 || length > 0 ? 1 : 0);
    }
  });

  test(`TLS ${name}: a message that is cut short or too long`, (t) => {
    const whole = new Scripted(new TlsServer(serverDefaults), { version: only }).clientHello();
    for (let n = 0; n < whole.length - 4; n++) {
      const client = new Scripted(new TlsServer(serverDefaults), { version: only });
      client.send(message(hs.client_hello, whole.subarray(4, 4 + n)));
      const { fault } = client.server;
      if (
        fault !== faults.DECODE_ERROR &&
        fault !== faults.PROTOCOL_VERSION &&
        fault !== faults.ILLEGAL_PARAMETER
      )
        // TLS 1.2 may come without extensions; then there is no scheme
        t.is(fault, faults.NO_COMMON_SCHEME, `${n} of ${whole.length - 4} bytes`);
    }
    const client = new Scripted(new TlsServer(serverDefaults), { version: only });
    client.send(message(hs.client_hello, whole.subarray(4), u8(0)));
    t.is(client.server.fault, faults.DECODE_ERROR);
  });

  test(`TLS ${name}: what is unknown is ignored`, (t) => {
    const grease = [0x0a0a, 0x1a1a, 0xdada];
    const client = accepted(t, {
      version: only,
      suites: [0x0a0a, 0x1301, 0xc02b, 0x5a5a],
      groups: [g.x25519, g.secp256r1, ...grease],
      schemes: [0x0a0a, 0x0201, 0x0403, 0x0403],
      extra: [extension(0x0a0a), extension(0xfe0d, Buffer.alloc(200)), extension(21, Buffer.alloc(100))],
    });
    t.true(client.server.established);
  });

  test(`TLS ${name}: a name of an unknown type, and a status of one`, (t) => {
    const name = vec16(u8(7), vec16(Buffer.from("?")), u8(0), vec16(Buffer.from("A.test")));
    const client = accepted(t, { version: only, edit: having(ext.server_name, name) });
    t.is(client.server.hello?.serverName, "a.test");
    const status = accepted(t, { version: only, edit: having(ext.status_request, u8(9), u8(1)) });
    t.is(status.server.hello?.stapling, "off");
  });

  test(`TLS ${name}: answered is only what was asked`, (t) => {
    const client = accepted(t, { version: only, edit: lacking(ext.server_name, ext.renegotiation_info) });
    const types = client.serverExtensions.map(({ type }) => type).sort((a, b) => a - b);
    t.deepEqual(
      types,
      only === tls13
        ? [ext.supported_versions, ext.key_share].sort((a, b) => a - b)
        : [ext.extended_master_secret],
    );
  });

  test(`TLS ${name}: record_size_limit above the protocol's is taken, and goes before max_fragment_length`, (t) => {
    const client = accepted(t, {
      version: only,
      extra: [extension(ext.record_size_limit, u16(65535)), extension(ext.max_fragment_length, u8(1))],
    });
    const answer = client.serverExtensions.find(({ type }) => type === ext.record_size_limit)!;
    t.is(answer.data.readUInt16BE(), only === tls13 ? 16385 : 16384);
    t.false(client.serverExtensions.some(({ type }) => type === ext.max_fragment_length));
    client.record(23, Buffer.alloc(16384));
    t.is(client.data.length, 16384);
    const small = accepted(t, { version: only, extra: [extension(ext.record_size_limit, u16(64))] });
    t.true(small.server.established);
  });

  test(`TLS ${name}: application protocols are bytes`, (t) => {
    const grease = Buffer.from([0x0a, 0xfa]);
    const list = vec16(vec8(grease), vec8(Buffer.from("h2")));
    const edit = having(ext.application_layer_protocol_negotiation, list);
    t.is(accepted(t, { version: only, edit }, { alpn: ["h2"] }).server.alpn, "h2");
    t.is(accepted(t, { version: only, edit }, { alpn: ["\x0a\xfa"] }).server.alpn, "\x0a\xfa");
  });
}

test("what may sign certificates: signature_algorithms_cert, or else signature_algorithms", (t) => {
  for (const only of [tls12, tls13]) {
    const told = (edit?: Settings["edit"]) =>
      accepted(t, { version: only, schemes: [0x0403, 0x0401], edit }).server.hello?.certificateSchemes;
    t.deepEqual(told(), [0x0403, 0x0401]);
    const type = ext.signature_algorithms_cert;
    t.deepEqual(told(having(type, vec16(u16(0x0804), u16(0x0201), u16(0x0503)))), [0x0804, 0x0503]);
    t.deepEqual(told(having(type, vec16(u16(0x0201)))), []);
    for (const data of [[], [vec16()], [vec16(u8(4))], [vec16(u16(0x0403)), u8(0)]])
      refused(t, faults.DECODE_ERROR, { version: only, edit: having(type, ...data) });
  }
});

test("what is listed twice counts once", (t) => {
  const client = accepted(t, { schemes: [0x0403, 0x0804, 0x0403] });
  t.deepEqual(client.server.hello?.schemes, [0x0403, 0x0804]);
});

// Versions

test("versions are chosen by supported_versions alone, if it is there", (t) => {
  const versions = (...list: number[]) => having(ext.supported_versions, vec8(...list.map(u16)));
  accepted(t, { version: tls13, edit: versions(0x0a0a, tls12, tls13) });
  accepted(t, { version: tls12, edit: versions(tls12, 0x0302) });
  refused(t, faults.PROTOCOL_VERSION, { edit: versions(0x0302) });
  refused(t, faults.PROTOCOL_VERSION, { edit: versions(0x0305) });
  refused(t, faults.PROTOCOL_VERSION, { edit: versions(tls13) }, { maxVersion: tls12 });
  refused(t, faults.PROTOCOL_VERSION, { version: tls12, edit: fields({ legacyVersion: 0x0302 }) });
  refused(t, faults.PROTOCOL_VERSION, { version: tls12, edit: fields({ legacyVersion: 0x0301 }) });
  accepted(t, { version: tls13, edit: fields({ legacyVersion: 0x0301 }) });
  accepted(t, { version: tls12, edit: fields({ legacyVersion: 0x0304 }) });
  accepted(t, { version: tls13, edit: fields({ legacyVersion: 0x0302 }) });
});

test("a fallback to TLS 1.2 is refused where TLS 1.3 is spoken, RFC 7507", (t) => {
  const settings = { version: tls12, suites: [0xc02b, 0x5600] };
  refused(t, faults.INAPPROPRIATE_FALLBACK, settings);
  accepted(t, settings, { maxVersion: tls12 });
  accepted(t, { version: tls13, suites: [0x1301, 0x5600] });
});

// TLS 1.2

test("TLS 1.2: without extensions, or without groups, as RFC 8422 allows", (t) => {
  refused(t, faults.NO_COMMON_SCHEME, { version: tls12, edit: fields({ extensions: [] }) });
  const client = accepted(t, { version: tls12, groups: [g.secp256r1], edit: lacking(ext.supported_groups) });
  t.is(client.server.group, g.secp256r1);
  const only = { groups: [g.x25519] };
  refused(t, faults.NO_COMMON_GROUP, { version: tls12, edit: lacking(ext.supported_groups) }, only);
  // The block of extensions may be absent, not only empty
  const bare = new Scripted(new TlsServer(serverDefaults), { version: tls12 });
  const hello = bare.clientHello();
  const length = 2 + 32 + 33 + 2 + hello.readUInt16BE(4 + 2 + 32 + 33) + 2;
  bare.send(message(hs.client_hello, hello.subarray(4, 4 + length)));
  t.is(bare.server.fault, faults.NO_COMMON_SCHEME);
});

test("TLS 1.2: a certificate's curve is one of the client's, if it names any, RFC 8422 5.3", (t) => {
  const of = (kind: Parameters<typeof selection>[0]) => ({ select: () => selection(kind) });
  const both: Settings = { version: tls12, groups: [g.x25519, g.secp256r1] };
  refused(t, faults.NO_COMMON_SCHEME, both, of("p384"));
  for (const kind of ["p256", "rsa", "ed25519"] as const) accepted(t, both, of(kind));
  const only = { version: tls12, groups: [g.x25519] };
  refused(t, faults.NO_COMMON_SCHEME, only);
  refused(t, faults.NO_COMMON_SCHEME, only, of("p384"));
  for (const kind of ["rsa", "ed25519"] as const) accepted(t, only, of(kind));
  accepted(t, { version: tls12, groups: [g.secp384r1] }, of("p384"));
  // The curve of the key exchange is another matter
  accepted(t, both, { groups: [g.x25519] });
  for (const kind of ["p256", "p384"] as const)
    accepted(t, { ...both, groups: [g.secp256r1], edit: lacking(ext.supported_groups) }, of(kind));
  // In TLS 1.3 the scheme has its curve, and the groups are the key exchange's
  for (const kind of ["p256", "p384"] as const) accepted(t, { groups: [g.x25519] }, of(kind));
});

test("TLS 1.2: what is told about schemes leaves those out whose curve the client lacks", (t) => {
  const told = (groups: number[]) =>
    accepted(
      t,
      { version: tls12, groups },
      {
        select: () => selection("rsa"),
      },
    ).server.hello!.schemes;
  const rsa = [0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601];
  t.deepEqual(told([g.x25519]), [0x0807, ...rsa]);
  t.deepEqual(told([g.x25519, g.secp256r1]), [0x0403, 0x0807, ...rsa]);
  t.deepEqual(told([g.x25519, g.secp384r1]), [0x0503, 0x0807, ...rsa]);
});

test("TLS 1.2: a ServerHello without extensions has no block of them", (t) => {
  const edit = lacking(ext.renegotiation_info);
  const bare = accepted(t, { version: tls12, ems: false, edit }).received[0].bytes;
  t.is(bare.length, 4 + 2 + 32 + 1 + 2 + 1);
  const one = accepted(t, { version: tls12, ems: false }).received[0].bytes;
  t.is(one.length, bare.length + 2 + 5);
});

test("TLS 1.2: secure renegotiation is confirmed, by extension and by suite", (t) => {
  const confirmed = (settings: Settings) =>
    accepted(t, { version: tls12, ...settings }).serverExtensions.some(
      ({ type }) => type === ext.renegotiation_info,
    );
  t.true(confirmed({}));
  t.true(confirmed({ suites: [0xc02b, 0x00ff], edit: lacking(ext.renegotiation_info) }));
  t.false(confirmed({ edit: lacking(ext.renegotiation_info) }));
});

test("TLS 1.2: without extended_master_secret, unless it is required", (t) => {
  accepted(t, { version: tls12, ems: false });
  refused(t, faults.EMS_REQUIRED, { version: tls12, ems: false }, { requireEms: true });
  accepted(t, { version: tls12 }, { requireEms: true });
});

// TLS 1.3

test("TLS 1.3: what must be there", (t) => {
  for (const type of [ext.supported_groups, ext.key_share, ext.signature_algorithms])
    refused(t, faults.MISSING_EXTENSION, { edit: lacking(type) });
});

test("TLS 1.3: key shares", (t) => {
  const share = (group: number, n: number) => concat(u16(group), vec16(Buffer.alloc(n, 9)));
  const shares = (...list: Buffer[]) => having(ext.key_share, vec16(...list));
  refused(t, faults.DECODE_ERROR, { edit: having(ext.key_share) });
  refused(t, faults.DECODE_ERROR, { edit: shares(share(g.x25519, 0)) });
  refused(t, faults.DECODE_ERROR, { edit: shares(u16(g.x25519)) });
  refused(t, faults.ILLEGAL_PARAMETER, { edit: shares(share(g.x25519, 32), share(g.x25519, 32)) });
  refused(t, faults.ILLEGAL_PARAMETER, { groups: [g.secp256r1], edit: shares(share(g.x25519, 32)) });
  const unknown = accepted(t, {
    edit: (hello) => ({
      ...hello,
      extensions: hello.extensions.map((each) =>
        each.type === ext.key_share
          ? extension(each.type, vec16(share(0x0a0a, 1), each.data.subarray(2)))
          : each,
      ),
    }),
  });
  t.is(unknown.server.group, g.x25519);
});

/** Shares that are none, by their group. */
const badShares: [string, number, Buffer][] = [
  ...[1, 31, 33, 97, 98, 2000].map((n) => [`${n} bytes`, g.x25519, Buffer.alloc(n, 9)] as never),
  ["the all-zero secret", g.x25519, Buffer.alloc(32)],
  ["a point of order 8", g.x25519, Buffer.from(LOW_ORDER, "hex")],
  ["off the curve", g.secp256r1, concat(u8(4), Buffer.alloc(64, 1))],
  ["a compressed point", g.secp256r1, concat(u8(2), Buffer.alloc(32, 1))],
  ["the point at infinity", g.secp256r1, u8(0)],
  ["a point cut short", g.secp256r1, concat(u8(4), Buffer.alloc(63, 1))],
  ["another curve's point", g.secp384r1, concat(u8(4), Buffer.alloc(64, 1))],
  ["off the curve of 384 bits", g.secp384r1, concat(u8(4), Buffer.alloc(96, 1))],
];

for (const [what, group, data] of badShares) {
  const edit = having(ext.key_share, vec16(u16(group), vec16(data)));

  test(`TLS 1.3: a share that is refused while the alert can be read: ${what}`, (t) => {
    const client = greet({ edit, groups: [group] }, { groups: [group] });
    t.is(client.server.fault, faults.KEY_SHARE);
    t.is(client.alert, alert.illegal_parameter);
    t.deepEqual(client.received, [], "no ServerHello");
  });

  test(`TLS 1.3: the same after a HelloRetryRequest: ${what}`, (t) => {
    const groups = [group];
    const client = new Scripted(new TlsServer({ ...serverDefaults, groups }), {
      groups,
      edit: (hello, retried) => (retried ? edit : having(ext.key_share, vec16()))!(hello, retried),
    });
    client.hello().hello();
    t.true(client.retried);
    t.is(client.server.fault, faults.KEY_SHARE);
    t.is(client.alert, alert.illegal_parameter);
    t.is(client.received.length, 1, "no ServerHello");
  });

  test(`TLS 1.3: the same where a session would be resumed: ${what}`, (t) => {
    const ticketKeys = [{ name: Buffer.alloc(16, 1), key: Buffer.alloc(32) }];
    const server = () => new TlsServer({ ...serverDefaults, ticketKeys, groups: [group] });
    const { ticket } = new Scripted(server(), { groups: [group] }).hello().complete();
    const client = new Scripted(server(), { groups: [group], resume: ticket, edit }).hello();
    t.is(client.server.fault, faults.KEY_SHARE);
    t.is(client.alert, alert.illegal_parameter);
    t.deepEqual(client.received, []);
  });
}

const retry: Partial<ServerOptions> = { groups: [g.secp256r1, g.x25519] };

/** A client that is asked for another share; its second ClientHello is changed. */
function again(change: (hello: Hello) => Hello, settings: Settings = {}): Scripted {
  const client = new Scripted(new TlsServer({ ...serverDefaults, ...retry }), {
    groups: [g.secp256r1, g.x25519],
    ...settings,
    edit: (hello, retried) =>
      retried
        ? change(hello)
        : { ...hello, extensions: having(ext.key_share, vec16())!(hello, false).extensions },
  });
  return client.hello().hello();
}

test("TLS 1.3: HelloRetryRequest and the second ClientHello", (t) => {
  const good = again((hello) => hello).complete();
  t.true(good.server.established, named(good.server.fault));
  t.is(good.changeCipherSpecs, 1);
  const padded = again((hello) => ({
    ...hello,
    extensions: [...hello.extensions, extension(21, Buffer.alloc(9))],
  }));
  t.true(padded.complete().server.established);
  const fails = (fault: Fault, change: (hello: Hello) => Hello) => {
    const { server } = again(change);
    t.is(server.fault, fault, `${named(server.fault)}`);
  };
  fails(faults.ILLEGAL_PARAMETER, (hello) => ({ ...hello, random: Buffer.alloc(32) }));
  fails(faults.ILLEGAL_PARAMETER, (hello) => ({ ...hello, sessionId: Buffer.alloc(32) }));
  fails(faults.ILLEGAL_PARAMETER, (hello) => ({ ...hello, suites: [0x1301] }));
  fails(faults.ILLEGAL_PARAMETER, (hello) => ({ ...hello, legacyVersion: 0x0302 }));
  const with_ =
    (type: number, ...data: Buffer[]) =>
    (hello: Hello) =>
      having(type, ...data)!(hello, true);
  fails(faults.ILLEGAL_PARAMETER, with_(ext.key_share, vec16()));
  const second = concat(u16(g.x25519), vec16(Buffer.alloc(32, 9)));
  fails(faults.ILLEGAL_PARAMETER, (hello) => {
    const first = hello.extensions.find(({ type }) => type === ext.key_share)!.data.subarray(2);
    return with_(ext.key_share, vec16(first, second))(hello);
  });
  fails(faults.ILLEGAL_PARAMETER, with_(ext.key_share, vec16(u16(g.x25519), vec16(Buffer.alloc(32)))));
  fails(faults.ILLEGAL_PARAMETER, with_(ext.server_name, vec16(u8(0), vec16(Buffer.from("b")))));
  fails(faults.ILLEGAL_PARAMETER, with_(ext.signature_algorithms, vec16(u16(0x0403))));
  fails(faults.ILLEGAL_PARAMETER, with_(ext.supported_versions, vec8(u16(tls12))));
  fails(faults.ILLEGAL_PARAMETER, with_(ext.early_data));
  fails(faults.MISSING_EXTENSION, (hello) => lacking(ext.key_share)!(hello, true));
});

test("TLS 1.3: a HelloRetryRequest comes once", (t) => {
  const client = again((hello) => having(ext.key_share, vec16())!(hello, true));
  t.is(client.received.filter(({ type }) => type === hs.server_hello).length, 1);
});

// pre_shared_key

test("TLS 1.3: pre_shared_key, malformed", (t) => {
  const identities = vec16(vec16(Buffer.alloc(80, 1)), u32(0));
  const binders = vec16(vec8(Buffer.alloc(32)));
  const keys = { ticketKeys: [{ name: Buffer.alloc(16, 1), key: Buffer.alloc(32) }] };
  for (const [fault, ...data] of [
    [faults.DECODE_ERROR],
    [faults.DECODE_ERROR, vec16(), binders],
    [faults.DECODE_ERROR, vec16(vec16(), u32(0)), binders],
    [faults.DECODE_ERROR, identities],
    [faults.DECODE_ERROR, identities, vec16()],
    [faults.DECODE_ERROR, identities, vec16(vec8(Buffer.alloc(31)))],
    [faults.DECODE_ERROR, identities, binders, u8(0)],
    [faults.ILLEGAL_PARAMETER, identities, vec16(vec8(Buffer.alloc(32)), vec8(Buffer.alloc(32)))],
    [faults.ILLEGAL_PARAMETER, vec16(identities.subarray(2), identities.subarray(2)), binders],
  ] as [Fault, ...Buffer[]][])
    refused(t, fault, { edit: having(ext.pre_shared_key, ...data) }, keys);
  accepted(t, { edit: having(ext.pre_shared_key, identities, binders) }, keys);
  accepted(t, { edit: having(ext.pre_shared_key, identities, binders) });
  const edit: Settings["edit"] = (hello) => ({
    ...hello,
    extensions: [extension(ext.pre_shared_key, identities, binders), ...hello.extensions],
  });
  refused(t, faults.ILLEGAL_PARAMETER, { edit }, keys);
  const unsigned: Settings["edit"] = (hello) => {
    const without = lacking(ext.signature_algorithms)!(hello, false);
    return having(ext.pre_shared_key, identities, binders)!(without, false);
  };
  refused(t, faults.MISSING_EXTENSION, { edit: unsigned }, keys);
});

test("TLS 1.3: the ServerHello", (t) => {
  const client = accepted(t, { sessionId: Buffer.from("an id of the client") });
  const hello = client.received[0].bytes;
  t.is(hello.readUInt16BE(4), 0x0303);
  t.true(hello.includes(vec8(Buffer.from("an id of the client"))));
  const at = 4 + 2 + 32 + 1 + 19 + 2 + 1;
  const list = parseExtensions(hello.subarray(at + 2), "ServerHello").map(({ type }) => type);
  t.deepEqual(list, [ext.supported_versions, ext.key_share]);
});

test("alerts of the client end the handshake", (t) => {
  for (const only of [tls12, tls13]) {
    const client = greet({ version: only });
    client.record(21, Buffer.from([2, alert.bad_certificate]));
    t.is(client.server.fault, faults.PEER_ALERT);
    t.is(client.server.faultDetail, alert.bad_certificate);
    t.is(client.alert, undefined);
  }
});
