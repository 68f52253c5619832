import { createPrivateKey } from "node:crypto";
import { readFileSync } from "node:fs";
import test from "ava";
import { chainCases } from "../../../certs/fixtures.js";
import type { Platform } from "../../../hosts/moddable/platform.js";
import type { SecureOptions } from "../../../hosts/moddable/socket.js";
import { clientCertificates, readIdentity } from "../../../hosts/moddable/without/clientCertificates.js";
import { nameConstraints } from "../../../hosts/moddable/without/nameConstraints.js";
import { readPem } from "../../../hosts/moddable/without/pem.js";
import { rsa } from "../../../hosts/moddable/without/rsa.js";
import { statusV2 } from "../../../hosts/moddable/without/statusV2.js";
import { words } from "../../../hosts/moddable/without/texts.js";
import { tls12 } from "../../../hosts/moddable/without/tls12.js";
import * as all from "../../../src/client/index.js";
import { alert, cipherSuite, extensionType, signatureScheme, version } from "../../../src/wire/registry.js";
import { none } from "../../peers/bytes.js";
import type { Script } from "../../peers/script.js";
import { App, bytes } from "./app.js";
import { clientCertificate, clientKey, derKey, pemRoot, root, staple } from "./peer.js";

/** What becomes of an application that leaves modules out: what it asks for of them, and what servers ask for. */

/** A platform on which stubs stand in the place of some modules. */
function without(stubs: all.Parts): Partial<Platform> {
  const { tls12, statusV2, clientCertificates, nameConstraints, rsa } = all;
  const parts = { tls12, statusV2, clientCertificates, nameConstraints, rsa };
  return { features: all.features({ ...parts, ...stubs }) };
}

const small: Partial<Platform> = {
  ...without({ tls12, statusV2, clientCertificates, nameConstraints, rsa }),
  readPem,
  readIdentity,
  words,
};

const row = (id: string) => chainCases().find((each) => each.id === id)!;
const anchorOf = (id: string) => row(id).anchors[0];

/** What is refused by the constructor, and how it says so. */
const refused: [what: string, Partial<Platform>, SecureOptions, error: RegExp][] = [
  ["minVersion 1.2", without({ tls12 }), { minVersion: "TLSv1.2" }, /minVersion: .* TLS 1\.2$/],
  ["maxVersion 1.2", without({ tls12 }), { maxVersion: "TLSv1.2" }, /maxVersion: .* TLS 1\.2$/],
  ...(["v2", "v2-multi"] as const).map((stapling): (typeof refused)[number] => [
    `stapling ${stapling}`,
    without({ statusV2 }),
    { ocsp: { stapling } },
    /ocsp\.stapling: .* status_request_v2$/,
  ]),
  [
    "a certificate of the device's own",
    { ...without({ clientCertificates }), readIdentity },
    { clientCertificates: clientCertificate, clientKey },
    /clientCertificates: .* client certificates$/,
  ],
  [
    "a CA with name constraints",
    without({ nameConstraints }),
    { certificate: anchorOf("constraint-of-anchor") },
    /certificate: CERT_CRITICAL_EXTENSION: .*; .* name constraints$/,
  ],
  [
    "a CA's RSA key",
    without({ rsa }),
    { certificate: anchorOf("rsa-sha256") },
    /certificate: CERT_KEY: .*; .* RSA$/,
  ],
  [
    "a responder's RSA key",
    without({ rsa }),
    { ocsp: { responders: anchorOf("rsa-sha256") } },
    /ocsp\.responders: CERT_KEY: .*; .* RSA$/,
  ],
  ["PEM in bytes", { readPem }, { certificate: pemRoot }, /certificate: .* PEM: give DER$/],
  [
    "PEM as text",
    { readPem },
    { certificate: String.fromCharCode(...pemRoot) },
    /certificate: .* PEM: give DER$/,
  ],
  [
    "PEM in a resource",
    { readPem },
    { clientCertificates: "client-p256.pem", clientKey },
    /clientCertificates: .* PEM: give DER$/,
  ],
  ["a key in PEM", { readPem }, { clientCertificates: root, clientKey }, /clientKey: .* PEM: give DER$/],
];

for (const [what, platform, secure, error] of refused)
  test(`${what}: refused where it was left out, and taken otherwise`, (t) => {
    const thrown = t.throws(() => new App({ secure, platform }), { message: error });
    t.regex(String(thrown), /^(Type|Range)Error: secure\.[\w.]+: (.*; )?this was built without /);
    t.notThrows(() => new App({ secure }));
  });

test("with the least of it a stapled connection stands, and speaks", (t) => {
  const secure: SecureOptions = {
    certificate: root,
    minVersion: "TLSv1.3",
    maxVersion: "TLSv1.3",
    ocsp: { policy: "leaf", stapling: "v1" },
  };
  const script = { staples: [staple], echo: true };
  const app = new App({ secure, script, platform: small }).open();
  t.deepEqual(app.news(), ["writable"]);
  app.socket.write(bytes("hello"));
  app.wire.run();
  t.is(app.text, "hello");
});

test("what is left out is not offered", (t) => {
  const { hello } = new App({ platform: small }).open().server;
  const types = hello.extensions.map(({ type }) => type);
  const { ec_point_formats, extended_master_secret, renegotiation_info, status_request_v2 } = extensionType;
  for (const type of [ec_point_formats, extended_master_secret, renegotiation_info, status_request_v2])
    t.false(types.includes(type), `${type}`);
  t.deepEqual(hello.versions, [version.tls13]);
  t.false(hello.schemes.includes(signatureScheme.rsa_pss_rsae_sha256));
});

test("without TLS 1.2 a server that speaks nothing newer is refused", (t) => {
  const script = { version: version.tls12, suite: cipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 };
  const app = new App({ script, platform: without({ tls12 }) }).open();
  t.deepEqual(app.news(), ["error PROTOCOL_VERSION"]);
  t.is(app.server.ended, alert.protocol_version);
});

for (const [name, protocol] of [
  ["1.2", version.tls12],
  ["1.3", version.tls13],
] as const) {
  /** A handshake with the server of a case that has all that it takes, and what the application hears. */
  const meet = (id: string, platform: Partial<Platform>, more: Partial<Script> = {}) => {
    const { chain, keyFile, name: serverName, anchors } = row(id);
    const key = createPrivateKey(readFileSync(keyFile));
    const script = { chain: [...chain], key, version: protocol, ...more };
    const trust = { anchors: () => [...anchors] };
    const app = new App({ script, secure: { serverName }, platform: { ...platform, ...trust } }).open();
    return [app.news(), app.server.ended];
  };

  test(`TLS ${name}: without name constraints a CA that has any is refused`, (t) => {
    const id = "constraint-self-issued";
    t.deepEqual(meet(id, {}), [["writable"], undefined]);
    t.deepEqual(meet(id, without({ nameConstraints })), [
      ["error CERT_CRITICAL_EXTENSION"],
      alert.unsupported_certificate,
    ]);
  });

  test(`TLS ${name}: without RSA a CA's key is refused`, (t) => {
    t.deepEqual(meet("issuer-rsa3072", {}), [["writable"], undefined]);
    t.deepEqual(meet("issuer-rsa3072", without({ rsa })), [
      ["error CERT_KEY"],
      alert.unsupported_certificate,
    ]);
  });

  test(`TLS ${name}: without client certificates a server that asks for one gets an empty list`, (t) => {
    const request = { schemes: [signatureScheme.ecdsa_secp256r1_sha256] };
    const app = new App({
      script: { version: protocol, request },
      platform: without({ clientCertificates }),
    });
    t.deepEqual(app.open().news(), ["writable"]);
    t.deepEqual(app.server.seen.certificates, []);
    t.is(app.server.seen.scheme, undefined);
  });
}

test("without status_request_v2 a server that answers it is refused", (t) => {
  const script: Partial<Script> = {
    version: version.tls12,
    extensions: { server_hello: (list) => [...list, { type: extensionType.status_request_v2, data: none }] },
  };
  const app = new App({ script, platform: without({ statusV2 }) }).open();
  t.deepEqual(app.news(), ["error UNSUPPORTED_EXTENSION"]);
  t.is(app.server.ended, alert.unsupported_extension);
});

test("without RSA a server's own key is refused, whatever was offered", (t) => {
  const { chain, keyFile, anchors, name: serverName } = row("leaf-rsa");
  const key = createPrivateKey(readFileSync(keyFile));
  const scheme = signatureScheme.rsa_pss_rsae_sha256;
  const trust = { anchors: () => [...anchors] };
  const meet = (platform: Partial<Platform>) =>
    new App({
      script: { chain: [...chain], key, scheme },
      secure: { serverName },
      platform: { ...platform, ...trust },
    }).open();
  t.deepEqual(meet({}).news(), ["writable"]);
  const app = meet(without({ rsa }));
  t.deepEqual(app.news(), ["error CERT_KEY"]);
  t.is(app.server.ended, alert.unsupported_certificate);
});

test("without PEM, keys and certificates in DER are taken", (t) => {
  const secure = { certificate: [root], clientCertificates: [root], clientKey: derKey };
  t.deepEqual(new App({ secure, platform: { readPem } }).open().news(), ["writable"]);
});
