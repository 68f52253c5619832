import test from "ava";
import { defaultsOf } from "../../../hosts/moddable/defaults.js";
import type { Platform } from "../../../hosts/moddable/platform.js";
import type { SecureOptions } from "../../../hosts/moddable/socket.js";
import { signatureScheme, version } from "../../../src/wire/registry.js";
import { App, type Setup } from "./app.js";
import { revoked, root, staple } from "./peer.js";

/** Defaults of `secure` from the application's manifest, its `config.tls`. */

/** A manifest's config is frozen, and has what JSON has. */
function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) Object.values(value).forEach(deepFreeze);
  return Object.freeze(value);
}

const withConfig = (tls: unknown): Partial<Platform> => ({
  withDefaults: defaultsOf(deepFreeze(JSON.parse(JSON.stringify(tls)))),
});

const open = (tls: unknown, { platform, ...setup }: Setup = {}) =>
  new App({ ...setup, platform: { ...platform, ...withConfig(tls) } }).open();

const leaf = { ocsp: { policy: "leaf" } };

test("a staple can be demanded of every socket", (t) => {
  for (const secure of [undefined, {}, { ocsp: {} }, { ocsp: undefined }]) {
    t.deepEqual(open(leaf, { secure, script: { staples: [staple] } }).news(), ["writable"]);
    t.deepEqual(open(leaf, { secure }).news(), ["error OCSP_STAPLE_MISSING"]);
    t.deepEqual(open(leaf, { secure, script: revoked() }).news(), ["error OCSP_CERT_REVOKED"]);
  }
  t.deepEqual(open({}).news(), ["writable"]);
});

test("what is given to a socket wins, member by member; what is undefined undoes nothing", (t) => {
  const nonce = (secure: SecureOptions) =>
    open({ ocsp: { policy: "leaf", nonce: true } }, { secure, script: { staples: [staple] } }).news();
  t.deepEqual(nonce({}), ["error OCSP_NONCE"]);
  t.deepEqual(nonce({ ocsp: { nonce: false } }), ["writable"]);
  t.deepEqual(nonce({ ocsp: { nonce: undefined } }), ["error OCSP_NONCE"]);
  t.deepEqual(open(leaf, { secure: { ocsp: { nonce: false } } }).news(), ["error OCSP_STAPLE_MISSING"]);
  t.deepEqual(open(leaf, { secure: { ocsp: { policy: "if-present" } } }).news(), ["writable"]);
  const trust = { platform: { anchors: () => [] } };
  t.deepEqual(open({ verify: false }, trust).news(), ["writable"]);
  t.deepEqual(open({ verify: false }, { ...trust, secure: { verify: true } }).news(), [
    "error CERT_UNKNOWN_ISSUER",
  ]);
  t.deepEqual(open({ verify: true }, { ...trust, secure: { verify: undefined } }).news(), [
    "error CERT_UNKNOWN_ISSUER",
  ]);
});

test("a falsy thing in the place of ocsp does not undo the demand", (t) => {
  for (const ocsp of [null, false, 0, ""]) {
    const secure = { ocsp } as unknown as SecureOptions;
    t.deepEqual(open(leaf, { secure }).news(), ["error OCSP_STAPLE_MISSING"]);
  }
});

test("buffers are merged too", (t) => {
  const config = { buffers: { output: 1024, store: 2048 } };
  const both = open(config, { secure: { buffers: { output: 700 } } });
  const own = open({}, { secure: { buffers: { output: 700, store: 2048 } } });
  t.deepEqual(both.news(), ["writable"]);
  t.is(both.writable, own.writable);
  t.not(open(config).writable, own.writable);
});

test("what JSON has of secure", (t) => {
  const request = { schemes: [signatureScheme.ecdsa_secp256r1_sha256], required: true };
  const app = open(
    {
      serverName: "localhost",
      certificate: ["root.der"],
      applicationLayerProtocolNegotiation: ["http/1.1"],
      clientCertificates: "client-p256.pem",
      clientKey: "client-p256-key.pem",
      cache: false,
      maxVersion: "TLSv1.2",
      groups: ["P-256"],
      requireEms: true,
      maxFragmentLength: 1024,
      maxCertificates: 3,
      handshakeTimeout: 1000,
      buffers: { input: 4096 },
      ocsp: { policy: "leaf", responders: "root.der", skew: 60 },
    },
    {
      host: undefined,
      platform: { anchors: () => [] },
      script: { version: version.tls12, staples: [staple], request, maxFragmentLength: true },
    },
  );
  t.deepEqual(app.news(), ["writable"], app.errors[0]?.message);
  t.is(app.socket.session?.version, version.tls12);
  t.is(app.server.seen.scheme, signatureScheme.ecdsa_secp256r1_sha256);
  t.is(app.server.hello.maxFragmentLength, 1024);
});

test("the handshake's time", (t) => {
  const app = new App({ platform: withConfig({ handshakeTimeout: 50 }) });
  app.timers.advance(49);
  t.deepEqual(app.news(), []);
  app.timers.advance(1);
  t.deepEqual(app.news(), ["error HANDSHAKE_TIMEOUT"]);
});

test("what the SDK's own TLS has there is let pass", (t) => {
  t.deepEqual(open({ DHE_RSA: true, ECDHE_RSA: false }).news(), ["writable"]);
});

/** What is wrong, and how the error begins. */
const wrong: [unknown, string][] = [
  [{ oscp: {} }, "TypeError: config.tls.oscp: there is no such option"],
  [{ provider: {} }, "TypeError: config.tls.provider: there is no such option"],
  [{ trustIndex: {} }, "TypeError: config.tls.trustIndex: there is no such option"],
  [{ ocsp: { Policy: "leaf" } }, "TypeError: config.tls.ocsp.Policy: there is no such option"],
  [{ ocsp: { policy: "strict" } }, "RangeError: config.tls.ocsp.policy: "],
  [{ ocsp: { stapling: "v2" }, minVersion: "TLSv1.3" }, "RangeError: config.tls.ocsp.stapling: Cannot use"],
  [{ buffers: { input: 1000 } }, "RangeError: config.tls.buffers.input: at least"],
  [{ buffers: { inptu: 1000 } }, "TypeError: config.tls.buffers.inptu: "],
  [{ verify: 0 }, "RangeError: config.tls.verify: true or false"],
  [{ minVersion: "TLSv1.1" }, "RangeError: config.tls.minVersion: "],
  [{ groups: ["P-521"] }, "RangeError: config.tls.groups: "],
  [{ certificate: "none.der" }, "TypeError: config.tls.certificate: there is no resource none.der"],
  [{ certificate: 7 }, "TypeError: config.tls.certificate: bytes"],
  [{ clientKey: "client-p256-key.pem" }, "TypeError: config.tls.clientCertificates and "],
  [{ cache: {} }, "TypeError: config.tls.cache: "],
  [{ clock: 0 }, "TypeError: config.tls.clock: a function"],
  [{ onSecure: "log" }, "TypeError: config.tls.onSecure: a function"],
  [{ onError: null }, "TypeError: config.tls.onError: a function"],
];

for (const [tls, message] of wrong)
  test(`${JSON.stringify(tls)} is refused, with or without options of the socket's own`, (t) => {
    for (const secure of [undefined, {}, { handshakeTimeout: 1 }]) {
      const error = t.throws(() => new App({ secure, platform: withConfig(tls) }));
      t.true(`${error}`.startsWith(message), `${error}`);
    }
  });

test("what the socket was given is to blame when the defaults by themselves are well", (t) => {
  const message = (secure: unknown) =>
    t.throws(() => new App({ secure: secure as SecureOptions, platform: withConfig(leaf) }))!.message;
  t.regex(message({ oscp: {} }), /^secure\.oscp: /);
  t.regex(message({ oscp: undefined }), /^secure\.oscp: /);
  t.regex(message({ ocsp: { policy: "strict" } }), /^secure\.ocsp\.policy: /);
  t.regex(message({ ocsp: "leaf" }), /^secure\.ocsp\.0: /);
  t.regex(message({ certificate: "none.der" }), /^secure\.certificate: /);
  t.regex(message({ clientKey: root }), /^secure\.clientCertificates and /);
});

test("a wrong default that the socket overrides does no harm", (t) => {
  const secure = { ocsp: { policy: "leaf" } } as const;
  const script = { staples: [staple] };
  t.deepEqual(open({ ocsp: { policy: "strict" } }, { secure, script }).news(), ["writable"]);
});
