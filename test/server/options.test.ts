import test from "ava";
import { credential } from "../../certs/fixtures.js";
import { provider } from "../../hosts/node/provider.js";
import { trustAnchor } from "../../src/client/index.js";
import { configure } from "../../src/server/config.js";
import { type ServerOptions, TlsServer } from "../../src/server/index.js";
import { cipherSuite as c, version } from "../../src/wire/registry.js";
import { serverDefaults } from "./pair.js";

/** Options of the server: defaults, and what is refused. */

const { tls12, tls13 } = version;
const trust = [trustAnchor(credential("client", "ca").chain[0])];
const configured = (options: Partial<ServerOptions> = {}) => configure({ ...serverDefaults, ...options });

/** What an object has, and what it inherits, as configurations do their defaults. */
function all(config: object): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const name in config) {
    const value = (config as Record<string, unknown>)[name];
    if (value === undefined) continue;
    found[name] = typeof value === "object" && !Array.isArray(value) ? all(value as object) : value;
  }
  return found;
}

test("defaults", (t) => {
  const { provider: _, select: __, clock: ___, suites: ____, pki: _____, ...config } = all(configured());
  t.deepEqual(config, {
    clockFloor: 1767225600,
    minVersion: 0x0303,
    maxVersion: 0x0304,
    groups: [29, 23, 24],
    schemes: provider.schemes,
    alpn: [],
    requireEms: false,
    clientAuth: "none",
    trust: [],
    verify: true,
    holdClients: false,
    exporting: false,
    ticketKeys: [],
    ticketLifetime: 7200,
    maxCertificates: 8,
    ocsp: {
      stapling: "off",
      policy: "if-present",
      mustStaple: false,
      skew: 900,
      allowMissingNextUpdate: false,
      responders: [],
    },
    buffers: { input: 24837, output: 17408, store: 16384 },
  });
  t.true(Object.isFrozen(configured()));
});

test("an option that is undefined has its default", (t) => {
  const config = configured({
    verify: undefined,
    minVersion: undefined,
    clientAuth: undefined,
    ocsp: { skew: undefined },
  });
  t.true(config.verify);
  t.is(config.minVersion, tls12);
  t.is(config.clientAuth, "none");
  t.is(config.ocsp.skew, 900);
});

test("suites: in the order given, or in that of the provider's AEADs", (t) => {
  t.deepEqual(configured().suites.slice(0, 3), [
    c.TLS_AES_128_GCM_SHA256,
    c.TLS_AES_256_GCM_SHA384,
    c.TLS_CHACHA20_POLY1305_SHA256,
  ]);
  t.deepEqual(configured({ maxVersion: tls12 }).suites.slice(0, 2), [
    c.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    c.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
  ]);
  t.is(configured().suites.length, Object.keys(c).length);
  const order = [c.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, c.TLS_AES_128_GCM_SHA256];
  t.deepEqual(configured({ suites: [...order, 0x1234] }).suites, order);
  const only13 = Object.values(c).filter((id) => id >> 8 === 0x13);
  t.deepEqual([...configured({ minVersion: tls13 }).suites].sort(), only13);
  t.deepEqual(configured({ suites: order, maxVersion: tls12 }).suites, order.slice(0, 1));
  t.deepEqual(configured({ suites: order, minVersion: tls13 }).suites, order.slice(1));
  const chacha = { ...provider, aeads: ["chacha20-poly1305"] as const };
  t.is(configured({ provider: chacha }).suites.length, 3);
  t.throws(() => configured({ provider: chacha, suites: order }), { message: /suites/ });
});

test("a version without a suite is not spoken", (t) => {
  const narrowed = ({ minVersion, maxVersion }: ServerOptions) => [minVersion, maxVersion];
  t.deepEqual(narrowed(configured({ suites: [c.TLS_AES_128_GCM_SHA256] })), [tls13, tls13]);
  t.deepEqual(narrowed(configured({ suites: [c.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256] })), [tls12, tls12]);
});

test("a small input buffer asks for small records", (t) => {
  t.is(configured({ buffers: { input: 4096 } }).recordSizeLimit, 2048);
  t.is(configured({ buffers: { input: 4096 }, recordSizeLimit: 1000 }).recordSizeLimit, 1000);
});

const key = Buffer.alloc(32);
const name = Buffer.alloc(16);

const impossible: [string, object][] = [
  ["select", { select: undefined }],
  ["minVersion", { minVersion: 0x0302 }],
  ["maxVersion", { maxVersion: 0x0305 }],
  ["minVersion", { minVersion: tls13, maxVersion: tls12 }],
  ["suites", { suites: [] }],
  ["groups", { groups: [] }],
  ["groups", { groups: [29, 31] }],
  ["schemes", { schemes: [] }],
  ["schemes", { schemes: [0x0403, 0x0201] }],
  ["alpn", { alpn: [""] }],
  ["alpn", { alpn: ["h2", "a".repeat(256)] }],
  ["recordSizeLimit", { recordSizeLimit: 63 }],
  ["recordSizeLimit", { recordSizeLimit: 16386 }],
  ["buffers.input", { buffers: { input: 1023 } }],
  ["buffers.input", { buffers: { input: [1023, 4096] } }],
  ["buffers.input", { buffers: { input: [4096, 2048] } }],
  ["buffers.output", { buffers: { output: 1023 } }],
  ["buffers.store", { buffers: { store: 511 } }],
  ["maxCertificates", { maxCertificates: 0 }],
  ["maxCertificates", { maxCertificates: 17 }],
  ["clientAuth", { clientAuth: "demand", trust }],
  ["verify", { verify: 0 }],
  ["holdClients", { holdClients: "yes" }],
  ["trust", { clientAuth: "request" }],
  ["trust", { clientAuth: "require", trust: [] }],
  ["ocsp.stapling", { ocsp: { stapling: "v2" } }],
  ["ocsp.policy", { ocsp: { stapling: "v1", policy: "all" } }],
  ["ocsp.skew", { ocsp: { skew: -1 } }],
  ["ocsp.maxAge", { ocsp: { maxAge: -1 } }],
  ["ocsp.stapling", { ocsp: { policy: "leaf" } }],
  ["ocsp.stapling", { ocsp: { mustStaple: true } }],
  ["ticketLifetime", { ticketLifetime: -1 }],
  ["ticketLifetime", { ticketLifetime: Number.NaN }],
  ["ticketKeys", { ticketKeys: [{ name, key: key.subarray(1) }] }],
  [
    "ticketKeys",
    {
      ticketKeys: [
        { name, key },
        { name: name.subarray(1), key },
      ],
    },
  ],
];

for (const [i, [what, options]] of impossible.entries())
  test(`${what}: impossible value ${i}`, (t) => {
    const all = { ...serverDefaults, ...options } as ServerOptions;
    t.throws(() => new TlsServer(all), { instanceOf: RangeError, message: new RegExp(`^tlstaple: ${what}`) });
  });

test("limits themselves are possible", (t) => {
  for (const options of [
    { recordSizeLimit: 64 },
    { recordSizeLimit: 16385 },
    { buffers: { input: 1024, output: 1024, store: 512 } },
    { maxCertificates: 1 },
    { maxCertificates: 16 },
    { alpn: ["a".repeat(255)] },
    { ocsp: { stapling: "v1", policy: "chain", skew: 0, maxAge: 0 } },
    { ticketLifetime: 0, ticketKeys: [{ name, key }] },
    { clientAuth: "require", verify: false },
    { clientAuth: "request", trust },
  ] as Partial<ServerOptions>[])
    t.notThrows(() => new TlsServer({ ...serverDefaults, ...options }));
});
