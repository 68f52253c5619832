import test from "ava";
import { extendedKeyUsage, purpose } from "../../../certs/extensions.js";
import { certId, ocspResponse, singleResponse } from "../../../certs/response.js";
import { defaultsOf } from "../../../hosts/moddable/defaults.js";
import type { Platform } from "../../../hosts/moddable/platform.js";
import type { SecureOptions } from "../../../hosts/moddable/socket.js";
import { version } from "../../../src/wire/registry.js";
import { pem } from "../../peers/pem.js";
import type { Script } from "../../peers/script.js";
import { intermediate, server as issued, root } from "../../pki/kit.js";
import { App } from "./app.js";

/** `clientStaple` of a device: the staples of its own certificates. */

const own = issued(intermediate, {
  subject: "device",
  extensions: { purposes: extendedKeyUsage(purpose.clientAuth) },
});
const key = new Uint8Array(own.key.secret.export({ format: "der", type: "pkcs8" }) as Buffer);

const response = ({ serial }: typeof own, issuer: typeof own) =>
  new Uint8Array(
    ocspResponse({ signer: issuer, responses: [singleResponse({ certId: certId(issuer, serial) })] }),
  );

const good = response(own, intermediate);
const next = response(intermediate, root);
const identity = { clientCertificates: [own.der, intermediate.der], clientKey: key };
const asks: Script["request"] = { schemes: [0x0403], stapled: true };
const pemOf = (der: Uint8Array) => pem(Buffer.from(der)).replaceAll("CERTIFICATE", "OCSP RESPONSE");

function meet(
  clientStaple: SecureOptions["clientStaple"],
  script: Partial<Script> = {},
  platform: Partial<Platform> = {},
): App {
  const secure = { ...identity, clientStaple };
  return new App({ secure, script: { version: version.tls13, request: asks, ...script }, platform }).open();
}

const sent = (app: App) => app.server.seen.staples?.map((each) => each && [...each]);
const list = (...staples: (Uint8Array | undefined)[]) => staples.map((each) => each && [...each]);
const resource = (name: string) => (name === "own-ocsp.der" ? good : undefined);

test("a staple for the device's certificate, or one for each, in whatever holds bytes", (t) => {
  const cases: [SecureOptions["clientStaple"], ReturnType<typeof list>][] = [
    [good, list(good, undefined)],
    [good.slice().buffer, list(good, undefined)],
    [new DataView(good.slice().buffer), list(good, undefined)],
    ["own-ocsp.der", list(good, undefined)],
    [pemOf(good), list(good, undefined)],
    [[good, next], list(good, next)],
    [[pemOf(good), next], list(good, next)],
    [pemOf(good) + pemOf(next), list(good, next)],
    [[], list(undefined, undefined)],
    [undefined, list(undefined, undefined)],
  ];
  for (const [given, expected] of cases) {
    const app = meet(given, {}, { resource });
    t.deepEqual(app.news(), ["writable"]);
    t.deepEqual(sent(app), expected);
  }
});

test("a server that does not ask gets none, nor does one of TLS 1.2", (t) => {
  const unasked = meet([good, next], { request: { schemes: [0x0403] } });
  t.deepEqual(unasked.news(), ["writable"]);
  t.deepEqual(sent(unasked), list(undefined, undefined));
  const old = meet([good, next], { version: version.tls12 });
  t.deepEqual(old.news(), ["writable"]);
  t.is(old.server.seen.certificates?.length, 2);
});

test("through a small output buffer", (t) => {
  const secure = { ...identity, clientStaple: [good, next], buffers: { output: 640 } };
  const app = new App({ secure, script: { version: version.tls13, request: asks } }).open();
  t.deepEqual(app.news(), ["writable"]);
  t.deepEqual(sent(app), list(good, next));
});

test("what can be none is refused by the constructor", (t) => {
  const cases: [SecureOptions, RegExp][] = [
    [
      { ...identity, clientStaple: "nowhere.der" },
      /^secure\.clientStaple: there is no resource nowhere\.der$/,
    ],
    [{ ...identity, clientStaple: new Uint8Array(5) }, /^secure\.clientStaple: /],
    [{ ...identity, clientStaple: [good, pem(own.der)] }, /^secure\.clientStaple: .*OCSP RESPONSE/],
    [{ ...identity, clientStaple: 7 as never }, /^secure\.clientStaple: bytes: an ArrayBuffer/],
    [{ clientStaple: good }, /^secure\.clientCertificates and secure\.clientKey come together$/],
  ];
  for (const [secure, message] of cases)
    t.throws(() => new App({ secure }), { instanceOf: TypeError, message });
});

test("of the application's defaults, where a socket's own wins", (t) => {
  const base = { resource, withDefaults: defaultsOf({ clientStaple: "own-ocsp.der" }) };
  t.deepEqual(sent(meet(undefined, {}, base)), list(good, undefined));
  t.deepEqual(sent(meet([good, next], {}, base)), list(good, next));
});

test("without client certificates there is none", (t) => {
  t.throws(() => new App({ secure: { clientStaple: good }, platform: { readIdentity: undefined } }), {
    instanceOf: RangeError,
    message: "secure.clientCertificates: this was built without client certificates",
  });
});
