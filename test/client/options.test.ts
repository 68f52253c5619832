import test from "ava";
import { signer } from "../../hosts/node/provider.js";
import {
  BareClient,
  type ClientOptions,
  cipherSuite as c,
  configure,
  features,
  namedGroup,
  TlsClient,
  version,
} from "../../src/client/index.js";
import { named } from "../faults.js";
import { identity, servers } from "../peers/identity.js";
import { defaults, Link } from "./link.js";

const { provider } = defaults;
const { chain, key } = identity("client", "p256");
const ours = signer(key);

/** Options that may come from code without types. */
const loose = (options: object) => ({ ...defaults, ...options }) as ClientOptions;

const wrong: [options: object, what: RegExp][] = [
  [{ verify: "no" }, /verify/],
  [{ verify: 0 }, /verify/],
  [{ minVersion: 0x0302 }, /minVersion/],
  [{ maxVersion: 0x0305 }, /maxVersion/],
  [{ minVersion: version.tls13, maxVersion: version.tls12 }, /minVersion is above/],
  [{ suites: [] }, /suites/],
  [{ suites: [0x002f, 0x1399] }, /suites/],
  [{ suites: [c.TLS_AES_128_GCM_SHA256], maxVersion: version.tls12 }, /suites/],
  [{ suites: [c.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256], minVersion: version.tls13 }, /suites/],
  [{ provider: { ...provider, aeads: [] } }, /suites/],
  [{ groups: [] }, /groups/],
  [{ groups: [namedGroup.x25519, 0x1234] }, /groups/],
  [{ provider: { ...provider, groups: [namedGroup.x25519] }, groups: [namedGroup.secp256r1] }, /groups/],
  [{ schemes: [] }, /schemes/],
  [{ schemes: [0x0403, 0x0201] }, /schemes/],
  [{ alpn: ["h2", ""] }, /alpn/],
  [{ alpn: ["x".repeat(256)] }, /alpn/],
  [{ recordSizeLimit: 63 }, /recordSizeLimit/],
  [{ recordSizeLimit: 16386 }, /recordSizeLimit/],
  [{ recordSizeLimit: Number.NaN }, /recordSizeLimit/],
  [{ maxFragmentLength: 0 }, /maxFragmentLength/],
  [{ maxFragmentLength: 513 }, /maxFragmentLength/],
  [{ maxFragmentLength: 8192 }, /maxFragmentLength/],
  [{ buffers: { input: 1023 } }, /buffers\.input/],
  [{ buffers: { input: [1023, 2048] } }, /buffers\.input: at least 1024/],
  [{ buffers: { input: [2048, 1024] } }, /buffers\.input: a size, or two/],
  [{ buffers: { input: [2048] } }, /buffers\.input: a size, or two/],
  [{ buffers: { input: "4096" } }, /buffers\.input/],
  [{ buffers: { output: 639 } }, /buffers\.output/],
  [{ buffers: { store: 511 } }, /buffers\.store/],
  [{ serverName: undefined }, /serverName/],
  [{ maxCertificates: 0 }, /maxCertificates/],
  [{ maxCertificates: 17 }, /maxCertificates/],
  [{ ocsp: { stapling: "v3" } }, /ocsp\.stapling/],
  [{ ocsp: { stapling: "v2" }, minVersion: version.tls13 }, /Cannot use OCSP Stapling V2 with TLSv1\.3/],
  [
    { ocsp: { stapling: "v2-multi" }, suites: [c.TLS_AES_128_GCM_SHA256] },
    /Cannot use OCSP Stapling V2 with TLSv1\.3/,
  ],
  [{ ocsp: { alsoV1: true } }, /ocsp\.alsoV1/],
  [{ ocsp: { stapling: true } }, /ocsp\.stapling/],
  [{ ocsp: { policy: "always" } }, /ocsp\.policy/],
  [{ ocsp: { skew: -1 } }, /ocsp\.skew/],
  [{ ocsp: { skew: Number.NaN } }, /ocsp\.skew/],
  [{ ocsp: { maxAge: -1 } }, /ocsp\.maxAge/],
  [{ ocsp: { maxAge: Number.NaN } }, /ocsp\.maxAge/],
  [{ ocsp: { stapling: "off", policy: "leaf" } }, /ocsp\.stapling is off/],
  [{ ocsp: { stapling: "off", policy: "chain" } }, /ocsp\.stapling is off/],
  [{ ocsp: { stapling: "off", nonce: true } }, /ocsp\.stapling is off/],
  [{ ocsp: { stapling: "off", nonce: "if-present" } }, /ocsp\.stapling is off/],
  [{ ocsp: { nonce: "required" } }, /ocsp\.nonce: false, "if-present" or true/],
  [{ ocsp: { nonce: "" } }, /ocsp\.nonce/],
  [{ ocsp: { nonce: 1 } }, /ocsp\.nonce/],
  [{ ocsp: { nonce: null } }, /ocsp\.nonce/],
  [{ identity: { certificates: [], signer: ours } }, /identity/],
  [{ identity: { certificates: chain, signer: { ...ours, schemes: [] } } }, /identity/],
  [{ identity: { certificates: chain, signer: { ...ours, schemes: [0x0403, 0x0201] } } }, /identity/],
];

test("options that can't be are refused", (t) => {
  for (const [options, message] of wrong)
    t.throws(() => new TlsClient(loose(options)), { instanceOf: RangeError, message }, `${message}`);
});

test("a name that is neither a DNS name nor an address is refused", (t) => {
  for (const serverName of ["", "a b", "-", "1.2.3", "exa mple.com"])
    t.throws(() => new TlsClient(loose({ serverName })), { instanceOf: TypeError }, serverName);
});

test("the edges of what is allowed", (t) => {
  const right = [
    { alpn: ["x", "x".repeat(255)] },
    { recordSizeLimit: 64 },
    { recordSizeLimit: 16385 },
    ...[512, 1024, 2048, 4096].map((maxFragmentLength) => ({ maxFragmentLength })),
    { buffers: { input: 1024, output: 640, store: 512 } },
    { maxCertificates: 1 },
    { maxCertificates: 16 },
    { verify: false, serverName: undefined },
    { ocsp: { stapling: "off" } },
    { ocsp: { skew: 0, maxAge: 0 } },
    { identity: { certificates: chain, signer: ours } },
  ];
  for (const options of right) t.notThrows(() => new TlsClient(loose(options)), JSON.stringify(options));
});

test("an option that is undefined is its default, above all verify", (t) => {
  const keys = [
    "verify",
    "minVersion",
    "maxVersion",
    "groups",
    "schemes",
    "suites",
    "ocsp",
    "buffers",
  ] as const;
  const absent = Object.fromEntries(keys.map((name) => [name, undefined]));
  const plain = configure(defaults);
  t.deepEqual(configure(loose(absent)), plain);
  t.deepEqual(configure(loose({ ocsp: { mustStaple: undefined, skew: undefined } })), plain);
  t.deepEqual(configure(loose({ buffers: { store: undefined } })), plain);
  t.true(plain.verify);
  t.true(plain.ocsp.mustStaple);
});

test("suites stand in the order of the provider's AEADs, TLS 1.3 first", (t) => {
  const { suites } = configure(
    loose({ provider: { ...provider, aeads: ["chacha20-poly1305", "aes-128-gcm"] } }),
  );
  t.deepEqual(suites, [
    c.TLS_CHACHA20_POLY1305_SHA256,
    c.TLS_AES_128_GCM_SHA256,
    c.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    c.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    c.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    c.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
  ]);
});

test("suites that are given stand in their own order, without those that can't be", (t) => {
  const some = [c.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, 0x002f, c.TLS_AES_256_GCM_SHA384];
  t.deepEqual(configure(loose({ suites: some })).suites, [some[0], some[2]]);
  t.deepEqual(configure(loose({ suites: some, minVersion: version.tls13 })).suites, [some[2]]);
  t.deepEqual(configure(loose({ suites: some, maxVersion: version.tls12 })).suites, [some[0]]);
  const { suites } = configure(loose({ suites: some, provider: { ...provider, aeads: ["aes-128-gcm"] } }));
  t.deepEqual(suites, [some[0]]);
});

test("a version that is left without a suite is not offered", (t) => {
  const versions = (suites: number[]) => {
    const { minVersion, maxVersion } = configure(loose({ suites }));
    return [minVersion, maxVersion];
  };
  t.deepEqual(versions([c.TLS_AES_128_GCM_SHA256]), [version.tls13, version.tls13]);
  t.deepEqual(versions([c.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]), [version.tls12, version.tls12]);
  t.deepEqual(versions([...configure(defaults).suites]), [version.tls12, version.tls13]);
});

test("server_name holds a DNS name without its trailing dot, and no address", (t) => {
  const sni = (serverName: string) => configure(loose({ serverName })).sni;
  t.is(sni("example.com"), "example.com");
  t.is(sni("example.com."), "example.com");
  for (const address of ["192.0.2.1", "2001:db8::1"]) t.is(sni(address), undefined);
  t.is(configure(loose({ serverName: undefined, verify: false })).sni, undefined);
});

const leftOut: [options: object, message: string][] = [
  [{ minVersion: version.tls12 }, "minVersion: this was built without TLS 1.2"],
  [{ maxVersion: version.tls12 }, "maxVersion: this was built without TLS 1.2"],
  [{ ocsp: { stapling: "v2" } }, "ocsp.stapling: this was built without status_request_v2"],
  [
    { identity: { certificates: chain, signer: ours } },
    "identity: this was built without client certificates",
  ],
  [{ session: {} }, "session: this was built without resumption"],
  [{ onSession: () => {} }, "onSession: this was built without resumption"],
];

for (const [options, message] of leftOut)
  test(`a client of no features refuses ${Object.keys(options)}: ${message}`, (t) => {
    t.throws(() => new BareClient(loose(options), features({})), {
      instanceOf: RangeError,
      message: `tlstaple: ${message}`,
    });
    t.notThrows(() => new BareClient(defaults, features({})));
  });

test("record_size_limit is asked for when the buffer can't hold a full record", (t) => {
  t.is(configure(defaults).recordSizeLimit, undefined);
  t.is(configure(loose({ buffers: { input: 4096 } })).recordSizeLimit, 2048);
  t.is(configure(loose({ buffers: { input: 16645 } })).recordSizeLimit, undefined);
  t.is(configure(loose({ buffers: { input: 16644 } })).recordSizeLimit, 8322);
  t.is(configure(loose({ buffers: { input: 4096 }, recordSizeLimit: 512 })).recordSizeLimit, 512);
  t.is(configure(loose({ buffers: { input: [1024, 16645] } })).recordSizeLimit, undefined);
  t.is(configure(loose({ buffers: { input: [1024, 4096] } })).recordSizeLimit, 2048);
});

test("an input buffer that may grow is not in the arena, nor is the store beside it", (t) => {
  const buffers = { input: [1024, 16645] as const, output: 2000, store: 3000 };
  const options = { ...defaults, buffers };
  t.throws(() => new TlsClient(options, new Uint8Array(1999)), { message: /the arena needs 2000 bytes/ });
  const { cipherIn } = new TlsClient(options, new Uint8Array(2000));
  t.is(cipherIn.bytes.length, 1024);
  t.is(cipherIn.end - cipherIn.start, 1024);
});

test("an arena that is given must be large enough, and its bytes are the ports'", (t) => {
  const buffers = { input: 20000, output: 2000, store: 3000 };
  const options = { ...defaults, buffers };
  t.throws(() => new TlsClient(options, new Uint8Array(24999)), { instanceOf: RangeError, message: /25000/ });
  const arena = new Uint8Array(25000);
  const client = new TlsClient(options, arena);
  t.is(client.cipherIn.bytes, arena);
  t.is(client.plainOut.bytes, arena);
  t.deepEqual([client.cipherIn.start, client.cipherIn.end], [0, 20000]);
  t.is(client.cipherOut.start, 20000);
});

test("a clock is believed from the floor on", (t) => {
  const floor = 1_780_000_000;
  const outcome = (now: number) => {
    const { client } = new Link(servers.p256, { clock: () => now, clockFloor: floor }).run();
    return named(client.fault);
  };
  t.is(outcome(floor), undefined);
  t.is(outcome(floor - 1), "NO_CLOCK");
});
