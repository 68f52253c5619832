import test from "ava";
import { readPrivateKey } from "../../../hosts/moddable/privatekey.js";
import type { SecureOptions } from "../../../hosts/moddable/socket.js";
import type { PrivateKeySpan } from "../../../src/crypto/provider.js";
import { namedGroup, version } from "../../../src/wire/registry.js";
import { App, pattern } from "./app.js";
import { clientCertificate, clientKey, derKey, pemRoot, platform, root, staple } from "./peer.js";

/** What the socket makes of `secure`, and what it refuses. */

const trusts = (certificate: SecureOptions["certificate"]) =>
  new App({ secure: { certificate }, platform: { anchors: () => [] } }).open().news();

test("trust anchors: DER in a buffer, a view or a resource, PEM as bytes or text, many", (t) => {
  const copy = Uint8Array.from([0, ...root, 0]);
  const own = Uint8Array.from(root).buffer;
  const wanted: SecureOptions["certificate"][] = [
    root,
    own,
    new DataView(copy.buffer, 1, root.length),
    "root.der",
    pemRoot,
    String.fromCharCode(...pemRoot),
    `text before\n${String.fromCharCode(...pemRoot)}between${String.fromCharCode(...clientCertificate)}`,
    [clientCertificate, "root.der"],
  ];
  for (const [i, each] of wanted.entries()) t.deepEqual(trusts(each), ["writable"], `${i}`);
  t.deepEqual(trusts(clientCertificate), ["error CERT_UNKNOWN_ISSUER"]);
  t.deepEqual(trusts([]), ["error CERT_UNKNOWN_ISSUER"]);
});

/** What must not pass, each with a word that its message must have. */
const refused: [string, unknown, RegExp][] = [
  ["a misspelt option", { oscp: {} }, /secure\.oscp/],
  ["a misspelt option of ocsp", { ocsp: { Policy: "leaf" } }, /secure\.ocsp\.Policy/],
  ["a misspelt option of buffers", { buffers: { inptu: 1 } }, /secure\.buffers\.inptu/],
  ["a policy that is unknown", { ocsp: { policy: "strict" } }, /policy/],
  ["a nonce that is neither sent nor not", { ocsp: { nonce: "maybe" } }, /ocsp\.nonce/],
  ["verify that is no boolean", { verify: 0 }, /verify/],
  ["a version that is unknown", { minVersion: "TLSv1.1" }, /minVersion/],
  ["versions in the wrong order", { minVersion: "TLSv1.3", maxVersion: "TLSv1.2" }, /minVersion/],
  [
    "a resource that is not there",
    { certificate: "other.der" },
    /certificate: there is no resource other\.der/,
  ],
  ["a certificate that is neither DER nor PEM", { certificate: new Uint8Array(9) }, /certificate: neither/],
  ["a certificate that is malformed", { certificate: root.slice(0, 99) }, /certificate: CERT_MALFORMED/],
  ["a PEM block without end", { certificate: pemRoot.slice(0, 99) }, /certificate: neither/],
  ["a certificate of no bytes", { certificate: 7 }, /certificate: bytes/],
  ["a responder that is malformed", { ocsp: { responders: [root.slice(0, 99)] } }, /responders: CERT_/],
  ["a certificate without its key", { clientCertificates: [clientCertificate] }, /come together/],
  ["a key without its certificate", { clientKey }, /come together/],
  [
    "a key that is a certificate",
    { clientCertificates: [root], clientKey: root },
    /clientKey: no private key/,
  ],
  ["a key in PEM of another kind", { clientCertificates: [root], clientKey: pemRoot }, /clientKey: neither/],
  ["a group that is unknown", { groups: ["P-521"] }, /groups/],
  ["no group", { groups: [] }, /groups/],
  ["a name that is none", { serverName: "a..b" }, /serverName: neither a DNS name nor an IP address/],
  ["an address in brackets", { serverName: "[::1]" }, /serverName: neither/],
  ["an address with a zone", { serverName: "fe80::1%lo" }, /serverName: neither/],
  ["an international name", { serverName: "b\u00fccher.example" }, /serverName: neither/],
  ["an empty name", { serverName: "" }, /serverName: neither/],
  ["buffers that are too small", { buffers: { input: 1000 } }, /buffers\.input/],
];

for (const [what, secure, message] of refused)
  test(`${what} is refused by the constructor`, (t) => {
    t.throws(() => new App({ secure: secure as SecureOptions }), { message });
  });

const hidden = ["provider", "trust", "alpn", "identity", "features", "session", "onSession"];

for (const name of [...hidden, "clockFloor", "suites", "schemes", "onSecret", "onMessage"])
  test(`the core's ${name} is no option here`, (t) => {
    const secure = { [name]: undefined } as SecureOptions;
    t.throws(() => new App({ secure }), {
      instanceOf: TypeError,
      message: `secure.${name}: there is no such option`,
    });
  });

test("options of the SDK that mean nothing here are let pass", (t) => {
  const secure = { cache: true, trace: true, protocolVersion: 0x303 } as SecureOptions;
  t.deepEqual(new App({ secure }).open().news(), ["writable"]);
});

test("groups are what is offered, best first", (t) => {
  const app = new App({ secure: { groups: ["P-256", "X25519"] } }).open();
  t.deepEqual(app.news(), ["writable"]);
  const [hello] = app.server.seen.hellos;
  t.deepEqual(hello.groups, [namedGroup.secp256r1, namedGroup.x25519]);
  t.deepEqual(
    hello.shares.map(({ group }) => group),
    [namedGroup.secp256r1],
  );
});

test("without host and serverName the address is verified", (t) => {
  t.deepEqual(new App({ host: undefined, address: "192.0.2.1" }).open().news(), ["error CERT_IP_MISMATCH"]);
});

for (const kind of ["p256", "p384", "ed25519"])
  test(`a client's ${kind} key`, (t) => {
    const scheme = { p256: 0x0403, p384: 0x0503, ed25519: 0x0807 }[kind]!;
    const name = `client-${kind}`;
    const secure = { clientCertificates: `${name}.pem`, clientKey: `${name}-key.pem` };
    const app = new App({ secure, script: { request: { schemes: [scheme], required: true } } }).open();
    t.deepEqual(app.news(), ["writable"]);
    t.is(app.server.seen.scheme, scheme);
  });

test("a signer that exists already, such as a secure element's, is not disposed of", (t) => {
  let disposed = 0;
  const { signer } = platform(new App().timers);
  const own = (key: PrivateKeySpan) => Object.assign({}, signer(key), { dispose: () => disposed++ });
  const script = { request: { schemes: [0x0403], required: true } };
  const clientCertificates = "client-p256.pem";
  const one = new App({
    script,
    secure: { clientCertificates, clientKey: own(readPrivateKey(derKey)) },
  }).open();
  one.socket.close();
  t.is(one.server.seen.scheme, 0x0403);
  t.is(disposed, 0);
  const two = new App({
    script,
    secure: { clientCertificates, clientKey: derKey },
    platform: { signer: own },
  });
  t.is(disposed, 0);
  two.open();
  t.is(two.server.seen.scheme, 0x0403);
  t.is(disposed, 1, "nobody needs it after the handshake");
  two.socket.close();
  t.is(disposed, 1);
});

test("a platform that has no signer for the key refuses it", (t) => {
  const secure = { clientCertificates: "client-rsa.pem", clientKey: "client-rsa-key.pem" };
  t.throws(() => new App({ secure }), {
    message: /^secure\.clientKey: without PSA Crypto nothing is signed with RSA keys/,
  });
});

for (const protocol of [version.tls12, version.tls13])
  test(`the least memory that the documentation names is enough for version ${protocol}`, (t) => {
    const secure = { maxFragmentLength: 2048, buffers: { input: 4096, output: 1024, store: 2048 } };
    const script = { version: protocol, maxFragmentLength: true, staples: [staple], echo: true };
    const app = new App({ secure: { ...secure, ocsp: { policy: "leaf" } }, script }).open();
    t.deepEqual(app.news(), ["writable"], app.errors[0]?.message);
    app.arrive(app.server.sendData(pattern(9000)));
    t.deepEqual(Uint8Array.from(app.received), pattern(9000));
  });

test("a nonce is sent, and demanded or not", (t) => {
  const script = { staples: [staple] };
  const open = (nonce: false | "if-present" | true) =>
    new App({ secure: { ocsp: { policy: "leaf", nonce } }, script }).open();
  t.is(open(false).server.hello.statusNonce, undefined);
  const lenient = open("if-present");
  t.is(lenient.server.hello.statusNonce?.length, 32);
  t.deepEqual(lenient.news(), ["writable"]);
  const demanding = open(true);
  t.is(demanding.server.hello.statusNonce?.length, 32);
  t.deepEqual(demanding.news(), ["error OCSP_NONCE"]);
});

test("without verification no clock is needed", (t) => {
  const secure = { verify: false, clock: () => undefined };
  t.deepEqual(new App({ secure }).open().news(), ["writable"]);
});

test("records can be limited", (t) => {
  const app = new App({ secure: { maxFragmentLength: 1024, buffers: { input: 4096 } } }).open();
  t.is(app.server.hello.maxFragmentLength, 1024);
  t.is(new App({ secure: { recordSizeLimit: 999 } }).open().server.hello.recordSizeLimit, 999);
});
