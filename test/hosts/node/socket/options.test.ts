import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import test from "ava";
import {
  credential,
  readCertificates as fixtureCertificates,
  fixtureFile,
} from "../../../../certs/fixtures.js";
import { advice, tlsError } from "../../../../hosts/node/common/errors.js";
import { readCertificates } from "../../../../hosts/node/common/pem.js";
import { connect, createContext, TLSSocket } from "../../../../hosts/node/index.js";
import { settle } from "../../../../hosts/node/socket/options.js";
import { type FaultName, faults, texts, version, wolfsslError } from "../../../../src/wire/index.js";

const root = readFileSync(credential("p256", "root").certificateFile, "latin1");
const server = credential("p256", "server1");
const chain = readFileSync(server.certificateFile);
const key = readFileSync(server.keyFile);
const other = readFileSync(credential("p256", "server2").keyFile);

test("refused at once, before anything is opened", (t) => {
  const unsupported = { instanceOf: TypeError, code: "ERR_TLSTAPLE_OPTION_UNSUPPORTED" };
  const wrongType = { instanceOf: TypeError, code: "ERR_TLSTAPLE_OPTION_TYPE" };
  const wrongValue = { instanceOf: RangeError, code: "ERR_TLSTAPLE_OPTION_VALUE" };
  const cases: [object, { instanceOf: ErrorConstructor; code: string }][] = [
    [{ checkServerIdentity: true }, wrongType],
    [{ ciphers: "ALL" }, unsupported],
    [{ pfx: chain }, wrongValue],
    [{ pfx: 7 }, wrongType],
    [{ crl: root }, wrongValue],
    [{ crl: 7 }, wrongType],
    [{ crlPolicy: "leaf" }, wrongValue],
    [{ secureContext: {} }, unsupported],
    [{ session: "ticket" }, wrongType],
    [{ requestOCSP: true }, unsupported],
    [{ sigalgs: "rsa_pkcs1_sha256" }, unsupported],
    [{ oscp: {} }, unsupported],
    [{ OCSP: {} }, unsupported],
    [{ requireEMS: true }, unsupported],
    [{ rejectunauthorized: true }, unsupported],
    [{ ocsp: { polcy: "leaf" } }, unsupported],
    [{ ocsp: { lookup: "yes" } }, wrongType],
    [{ ocsp: { lookup: true, overrideUrl: "ldap://127.0.0.1/" } }, wrongValue],
    [{ ocsp: { overrideUrl: "http://127.0.0.1/" } }, wrongValue],
    [{ ocsp: { stapling: "v3" } }, wrongValue],
    [{ ocsp: { stapling: "v2" }, minVersion: "TLSv1.3" }, wrongValue],
    [{ buffers: { inptu: 1 } }, unsupported],
    [{ ocsp: true }, wrongType],
    [{ ocsp: null }, wrongType],
    [{ rejectUnauthorized: 0 }, wrongType],
    [{ rejectUnauthorized: null }, wrongType],
    [{ requireEms: "yes" }, wrongType],
    [{ ca: 7 }, wrongType],
    [{ ca: [7] }, wrongType],
    [{ ca: null }, wrongType],
    [{ key, cert: 7 }, wrongType],
    [{ key: 7, cert: chain }, wrongType],
    [{ ALPNProtocols: "h2" }, wrongType],
    [{ ALPNProtocols: [7] }, wrongType],
    [{ clock: 7 }, wrongType],
    [{ provider: {} }, wrongType],
    [{ provider: null }, wrongType],
    [{ context: {} }, wrongType],
    [{ servername: 7 }, wrongType],
    [{ handshakeTimeout: "10" }, wrongType],
    [{ timeout: "1" }, wrongType],
    [{ timeout: -1 }, wrongValue],
    [{ timeout: Number.POSITIVE_INFINITY }, wrongValue],
    [{ handshakeTimeout: 2 ** 31 }, wrongValue],
    [{ handshakeTimeout: Number.NaN }, wrongValue],
    [{ handshakeTimeout: -1 }, wrongValue],
    [{ recordSizeLimit: 64.5 }, wrongValue],
    [{ recordSizeLimit: Number.NaN }, wrongValue],
    [{ recordSizeLimit: 63 }, wrongValue],
    [{ maxFragmentLength: 300 }, wrongValue],
    [{ minVersion: "TLSv1.1" }, wrongValue],
    [{ minVersion: "TLSv1.3", maxVersion: "TLSv1.2" }, wrongValue],
    [{ ocsp: { policy: "some" } }, wrongValue],
    [{ ocsp: { stapling: "off", policy: "leaf" } }, wrongValue],
    [{ ALPNProtocols: [""] }, wrongValue],
    [{ ca: "no PEM" }, wrongValue],
    [{ ca: root.replace(/M/g, "N") }, wrongValue],
    [{ ca: Buffer.from("3003020101", "hex") }, wrongValue],
    [{ ocsp: { responders: "no PEM" } }, wrongValue],
    [{ cert: chain }, wrongValue],
    [{ key }, wrongValue],
    [{ cert: chain, key: other }, wrongValue],
    [{ cert: chain, key: "no PEM" }, wrongValue],
    [{ buffers: { input: 10 } }, wrongValue],
    [{ buffers: { input: [10, 20_000] } }, wrongValue],
    [{ buffers: { input: [20_000, 10_000] } }, wrongValue],
    [{ buffers: { input: [2048] } }, wrongType],
    [{ buffers: { input: [2048, "20000"] } }, wrongType],
    [{ buffers: { input: "20000" } }, wrongType],
    [{ groups: "P-256" }, wrongType],
    [{ groups: [] }, wrongValue],
    [{ groups: ["P-522"] }, wrongValue],
    [{ groups: ["P-256", "secp256r1"] }, wrongValue],
    [{ ecdhCurve: "P-256" }, unsupported],
    [{ host: 7 }, wrongType],
  ];
  for (const [options, expected] of cases)
    t.throws(() => connect({ port: 1, ...options }).destroy(), expected as object, JSON.stringify(options));
});

const noNames = [
  "fe80::1%lo",
  "[::1]",
  "a..b",
  ".a",
  "a b",
  "a.example:443",
  "https://a.example/",
  "b\u00fccher.example",
  "\u212aelvin.example",
  "*.example",
  "a".repeat(64),
  `${"a.".repeat(127)}example`,
  "127.1",
  "0x7f.1",
  "127.0.0.0x1",
  "0x7f000001",
  "2130706433",
  "0177.0.0.1",
  "a\0b",
];

test("a server name that is neither DNS name nor address has a code, whether it is verified or not", (t) => {
  const refused = {
    instanceOf: RangeError,
    code: "ERR_TLSTAPLE_OPTION_VALUE",
    message: /neither a DNS name/,
  };
  for (const name of noNames)
    for (const options of [{ host: name }, { servername: name }, { host: name, rejectUnauthorized: false }])
      t.throws(() => connect({ port: 1, ...options }).destroy(), refused, JSON.stringify(options));
  for (const name of [
    "a",
    "_sip._tcp.a_b.example",
    "A.example.",
    "xn--bcher-kva.example",
    "::1",
    "127.0.0.1",
  ])
    t.is(settle({ host: name }).core.serverName, name);
  t.is(settle({ host: "fe80::1%lo", servername: "a.example" }).core.serverName, "a.example");
});

test("groups, by the names of NIST, IANA and OpenSSL, best first", (t) => {
  t.deepEqual(settle({ groups: ["P-256", "x25519"] }).core.groups, [23, 29]);
  t.deepEqual(settle({ groups: ["secp384r1", "prime256v1"] }).core.groups, [24, 23]);
  const context = createContext({ groups: ["P-384"] });
  t.deepEqual(settle({ context }).core.groups, [24]);
  t.deepEqual(settle({ context, groups: ["X25519"] }).core.groups, [29]);
});

test("the message says what was meant", (t) => {
  t.throws(() => createContext({ oscp: {} } as object), { message: /did you mean ocsp\?/ });
  t.throws(() => createContext({ ocsp: { maxage: 3 } } as object), {
    message: /ocsp\.maxage.*known are .*maxAge/,
  });
  t.throws(() => createContext({ cert: chain, key: other }), {
    message: /not the key of the first certificate/,
  });
});

test("options of HTTP and the like pass", (t) => {
  const http = {
    method: "GET",
    headers: {},
    path: undefined,
    agent: undefined,
    _defaultAgent: {},
    auth: "a:b",
  };
  t.notThrows(() => settle({ host: "localhost", ...http } as object));
});

test("options that are inherited count too", (t) => {
  t.throws(() => settle(Object.create({ ciphers: "ALL" })), { code: "ERR_TLSTAPLE_OPTION_UNSUPPORTED" });
  t.true(settle(Object.create({ requireEms: true })).core.requireEms);
});

test("the context's options hold, the session's win, field by field", (t) => {
  const context = createContext({
    ca: root,
    minVersion: "TLSv1.3",
    requireEms: true,
    ocsp: { policy: "chain", skew: 5 },
    buffers: { input: 20_000 },
  });
  const { core } = settle({
    context,
    minVersion: "TLSv1.2",
    requireEms: undefined,
    ocsp: { policy: "leaf", maxAge: 9 },
    buffers: { store: 9_999 },
  });
  t.is(core.minVersion, version.tls12);
  t.true(core.requireEms);
  t.is(core.trust.length, 1);
  t.deepEqual({ ...core.ocsp }, { policy: "leaf", skew: 5, maxAge: 9 });
  t.deepEqual([core.buffers!.input, core.buffers!.store], [20_000, 9_999]);
});

test("a context is checked when it is made", (t) => {
  t.throws(() => createContext({ recordSizeLimit: 1 }), { code: "ERR_TLSTAPLE_OPTION_VALUE" });
  t.throws(() => createContext({ ocsp: { stapling: "off", policy: "leaf" } }), { instanceOf: RangeError });
});

test("the name to verify: servername, else host, else localhost; none for a given stream", (t) => {
  t.is(settle({ servername: "a.example", host: "b.example" }).core.serverName, "a.example");
  t.is(settle({ servername: "", host: "192.0.2.1" }).core.serverName, "192.0.2.1");
  t.is(settle({ port: 1 }).core.serverName, "localhost");
  t.is(settle({ port: 1, servername: "", host: "" }).core.serverName, "localhost");
  const socket = connect({ port: 1 });
  socket.on("error", () => undefined).destroy();
  t.throws(() => settle({ socket }), { code: "ERR_TLSTAPLE_OPTION_VALUE", message: /serverName/ });
  t.notThrows(() => settle({ socket, rejectUnauthorized: false }));
});

test("the default roots are Node's", (t) => {
  t.true(settle({}).core.trust.length > 50);
  t.is(settle({}).verify, true);
});

test("certificates as PEM or DER, text or bytes, one or many", (t) => {
  const ders = server.chain;
  const inputs = [
    chain,
    chain.toString(),
    `leading text\r\n${chain.toString().replace(/\n/g, "\r\n")}`,
    Buffer.concat(ders),
    [...ders],
    [new Uint8Array(ders[0]), Buffer.concat(ders.slice(1))],
    ders.map((der) => new X509Certificate(der).toString()),
  ];
  for (const input of inputs)
    t.deepEqual(
      readCertificates(input).map(({ raw }) => raw),
      [...ders],
    );
  t.deepEqual(readCertificates([]), []);
  t.throws(() => readCertificates(Buffer.concat([ders[0], Buffer.from("rest")])));
});

test("an anchor that can't be used is left out, unless there is no other", (t) => {
  const [unusable] = fixtureCertificates("bad/key-secp256k1.pem");
  t.is(settle({ ca: [root, unusable] }).core.trust.length, 1);
  t.throws(() => settle({ ca: unusable }), { code: "ERR_TLSTAPLE_OPTION_VALUE" });
});

test("keys: PEM or DER, with and without a passphrase", (t) => {
  const p256 = credential("client", "p256");
  const pem = readFileSync(p256.keyFile);
  t.is(
    settle({ cert: readFileSync(p256.certificateFile), key: pem }).core.identity!.certificates.length,
    p256.chain.length,
  );
  const der = Buffer.from(pem.toString().replace(/-----.*-----|\s/g, ""), "base64");
  t.truthy(settle({ cert: [...p256.chain], key: der }).core.identity);
});

const names = Object.keys(faults) as FaultName[];

test("every fault makes a complete error", (t) => {
  for (const name of names) {
    const error = tlsError(faults[name]);
    t.is(error.code, name);
    t.true(error.advice.length > 10, name);
    t.true(error.message.includes(texts[name]));
    t.deepEqual(error.wolfssl, wolfsslError(name));
  }
  t.deepEqual(Object.keys(advice).sort(), Object.keys(faults).sort());
  t.regex(tlsError(faults.STORE_TOO_SMALL, 9000).message, /9000 bytes/);
  t.is(tlsError(faults.PEER_ALERT, 255).alert.name, "alert_255");
});

test("the user's page lists every error as it is", (t) => {
  const page = readFileSync(fixtureFile("../docs/node.md"), "utf8");
  for (const name of names) {
    // A device's, which Node is not
    if (name === "CONNECT_FAILED" || name === "CALLBACK_FAILED") continue;
    const wolfssl = wolfsslError(name);
    const number = wolfssl ? `${wolfssl.name} ${wolfssl.number}` : "";
    t.true(page.includes(`| ${number} | ${texts[name]}. ${advice[name]} |`), name);
  }
});

test("connect makes a TLSSocket", (t) => {
  const socket = connect({ port: 1, host: "127.0.0.1" }).on("error", () => undefined);
  t.true(socket instanceof TLSSocket);
  socket.destroy();
});
