import test from "ava";
import {
  crlPem,
  distributionPoints,
  fullName,
  issuingDistributionPoint,
  point,
  uri,
} from "../../../certs/crl.js";
import { flipLastBit, integer } from "../../../certs/der.js";
import Lists, { type CrlList, type CrlSettings } from "../../../hosts/moddable/crl.js";
import type { SecureOptions } from "../../../hosts/moddable/socket.js";
import { version } from "../../../src/wire/registry.js";
import { crlOf, stale } from "../../peers/crls.js";
import { App, type Setup } from "./app.js";
import { revoked, staple } from "./peer.js";

/** `secure.crl`, of the module `tlstaple/crl`. */

const ofRoot = crlOf("p256", "root");
const ofCa = crlOf("p256", "intermediate1");
const revoking = crlOf("p256", "intermediate1", ["server1"]);

function visit(given: CrlList | readonly CrlList[], settings?: CrlSettings, setup: Setup = {}) {
  const crl = new Lists(given, settings);
  const app = new App({ ...setup, secure: { crl, ...setup.secure } }).open();
  return { app, crl, news: app.news() };
}

for (const [name, only] of Object.entries(version)) {
  const setup = { script: { version: only } };
  const news = (given: CrlList | readonly CrlList[], settings?: CrlSettings) =>
    visit(given, settings, setup).news;

  test(`${name}: good, revoked, none, stale, bent`, (t) => {
    t.deepEqual(news([ofRoot, ofCa]), ["writable"]);
    t.deepEqual(news([ofRoot, revoking]), ["error CRL_CERT_REVOKED"]);
    t.deepEqual(news([crlOf("p256", "root", ["intermediate1"]), ofCa]), ["error CRL_CERT_REVOKED"]);
    t.deepEqual(news([ofRoot]), ["error CRL_MISSING"]);
    t.deepEqual(news([ofRoot, crlOf("p256", "intermediate1", [], stale)]), ["error CRL_EXPIRED"]);
    t.deepEqual(news([ofRoot, crlOf("p256", "intermediate1", [], { bendSignature: flipLastBit })]), [
      "error CRL_SIGNATURE",
    ]);
    t.deepEqual(news([ofRoot, ofCa.subarray(0, 99)]), ["error CRL_MALFORMED"]);
    t.deepEqual(news(ofCa, { policy: "leaf" }), ["writable"]);
    t.deepEqual(news(revoking, { policy: "if-present" }), ["error CRL_CERT_REVOKED"]);
  });
}

test("what the error says, with the words of the module and without any", (t) => {
  const error = visit([ofRoot, revoking]).app.errors[0]!;
  t.is(error.message, "CRL_CERT_REVOKED: the certificate is on a CRL: it has been revoked");
  t.deepEqual(error.alert, { number: 44, name: "certificate_revoked" });
  t.deepEqual(error.wolfssl, { number: -361, name: "CRL_CERT_REVOKED" });
  const bare = visit([ofRoot], undefined, { platform: { words: undefined } }).app.errors[0]!;
  t.is(bare.message, "CRL_MISSING: there is no CRL of the CA that issued the certificate");
  const other = visit([ofRoot], undefined, { script: revoked() }).app.errors[0]!;
  t.is(other.message, "OCSP_CERT_REVOKED: the certificate has been revoked");
});

test("verdicts, of the server that was judged last", (t) => {
  const { crl } = visit([ofRoot, revoking]);
  t.deepEqual(
    crl.verdicts.map(({ status }) => status),
    ["revoked", "unchecked"],
  );
  t.is(crl.verdicts[0].revocationReason, 1);
  t.is(crl.verdicts[0].revokedAt, Date.parse("2026-01-01T00:00:00Z") / 1000);
  t.deepEqual(new Lists([]).verdicts, []);
});

test("beside a staple that is demanded", (t) => {
  const secure = { ocsp: { policy: "leaf" } } as const;
  const with_ = (lists: Buffer[], staples?: Buffer[]) =>
    visit(lists, undefined, { secure, script: { staples } }).news;
  t.deepEqual(with_([ofRoot, ofCa], [staple]), ["writable"]);
  t.deepEqual(with_([ofRoot, ofCa]), ["error OCSP_STAPLE_MISSING"]);
  t.deepEqual(with_([ofRoot, revoking], [staple]), ["error CRL_CERT_REVOKED"]);
});

test("lists in buffers, views and resources, and from what reads them", (t) => {
  const resource = (name: string) => ({ "root.crl": ofRoot, "ca.crl": ofCa })[name];
  const platform = { resource };
  const given = (lists: readonly CrlList[]) => visit(lists, undefined, { platform }).news;
  const own = Uint8Array.from(ofCa).buffer;
  const padded = Uint8Array.from([0, ...ofCa, 0]);
  t.deepEqual(given(["root.crl", "ca.crl"]), ["writable"]);
  t.deepEqual(given(["root.crl", own]), ["writable"]);
  t.deepEqual(given(["root.crl", new DataView(padded.buffer, 1, ofCa.length)]), ["writable"]);
  const asked: [number, number][] = [];
  const read = (offset: number, most: number) => {
    asked.push([offset, most]);
    const end = Math.min(offset + 100, ofCa.length);
    return offset < end ? Uint8Array.from(ofCa.subarray(offset, end)).buffer : undefined;
  };
  t.deepEqual(given(["root.crl", { read }]), ["writable"]);
  t.true(asked.some(([offset, most]) => offset === 100 && most === 2048));
  t.throws(() => given(["other.crl"]), { message: "secure.crl: there is no resource other.crl" });
  t.throws(() => given([7 as never]), { instanceOf: TypeError });
});

test("what can't be is refused by the constructor of the socket", (t) => {
  const secure = (crl: unknown) => () => new App({ secure: { crl } as SecureOptions });
  t.throws(secure(new Lists([ofCa], { policy: "all" as never })), {
    instanceOf: RangeError,
    message: /crl: the policy/,
  });
  t.throws(secure(new Lists([ofCa], { window: 100 })), { instanceOf: RangeError, message: /crl: a window/ });
  t.throws(secure("ca.crl"), { instanceOf: TypeError });
  t.throws(secure(ofCa), { instanceOf: TypeError });
  t.throws(secure({}), { instanceOf: TypeError });
});

test("a long list takes many turns, one piece in each, and no more memory", (t) => {
  const entries = Array.from({ length: 500 }, (_, i) => ({ serial: integer(i + 1000), reason: 1 }));
  const long = crlOf("p256", "intermediate1", [], { revoked: entries });
  let most = 0;
  const read = (offset: number, count: number) => {
    most = Math.max(most, count);
    return long.subarray(offset, offset + count);
  };
  const before = visit([ofRoot, ofCa]).app.timers.fired;
  const { app, news } = visit([ofRoot, { read }]);
  t.deepEqual(news, ["writable"]);
  t.is(most, 2048);
  t.true(app.timers.fired - before > 4, `${app.timers.fired - before}`);
});

test("sockets that share the lists judge by themselves, one after the other or at once", (t) => {
  const crl = new Lists([ofRoot, ofCa]);
  const apps = [0, 1, 2].map(() => new App({ secure: { crl } }));
  for (const app of apps) app.wire.connect();
  for (const app of apps) app.wire.run();
  for (const app of apps) t.deepEqual(app.news(), ["writable"]);
  const revoked = new App({ secure: { crl: new Lists([ofRoot, revoking]) } }).open();
  t.deepEqual(revoked.news(), ["error CRL_CERT_REVOKED"]);
});

test("a list of one distribution point needs a certificate that names it, which the fixtures' do not", (t) => {
  const here = uri("http://ca.example/1.crl");
  t.true(distributionPoints([point(here)]).length > 0);
  const extensions = [issuingDistributionPoint({ point: fullName(here) })];
  t.deepEqual(visit([ofRoot, crlOf("p256", "intermediate1", [], { extensions })]).news, ["error CRL_SCOPE"]);
});

test("PEM is no list", (t) => {
  const pem = Uint8Array.from(crlPem(ofCa), (each) => each.charCodeAt(0));
  t.deepEqual(visit([ofRoot, pem]).news, ["error CRL_MALFORMED"]);
});
