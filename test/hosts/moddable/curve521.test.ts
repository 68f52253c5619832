import { createPrivateKey } from "node:crypto";
import test from "ava";
import { platformWithP521, readP521Key } from "../../../hosts/moddable/curve521.js";
import type { Platform } from "../../../hosts/moddable/platform.js";
import { provider } from "../../../hosts/node/provider.js";
import { moreSigner } from "../../../hosts/portable/index.js";
import { signerOf } from "../../../hosts/portable/signer.js";
import * as all from "../../../src/client/index.js";
import type { PrivateKeySpan } from "../../../src/crypto/index.js";
import { namedGroup, signatureScheme } from "../../../src/wire/registry.js";
import { pairOf } from "../node/pairs.js";
import { App } from "./app.js";
import { platform } from "./peer.js";

/** The socket with P-521, and without, over a provider that has it. */

const { tls12, statusV2, clientCertificates, resumption, nameConstraints, rsa } = all;
const usual = all.features({ tls12, statusV2, clientCertificates, resumption, nameConstraints, rsa });
const pair = pairOf("p521");
const key = createPrivateKey(pair.key);

function signer(span: PrivateKeySpan) {
  if (span.kind !== "p521") return signerOf(span);
  return moreSigner("p521", span.bytes.slice(span.start, span.end));
}

const without: Partial<Platform> = {
  features: usual,
  signer,
  provider: { ...provider, longShare: undefined },
};
const { timers } = new App();
const { features, provider: extended, readIdentity } = platformWithP521({ ...platform(timers), ...without });
const with521: Partial<Platform> = { features, signer, provider: extended, readIdentity };

const server = { chain: [pair.leaf.der], key, scheme: signatureScheme.ecdsa_secp521r1_sha512 };
const secure = { certificate: pair.root.der, serverName: "localhost", ocsp: { stapling: "off" } as const };

for (const [name, version] of Object.entries(all.version)) {
  const script = { ...server, version };

  test(`${name}: a server with a key on P-521`, (t) => {
    const app = new App({ platform: with521, secure, script }).open();
    t.deepEqual(app.news(), ["writable"]);
    t.deepEqual(app.server.hello.groups.slice(-1), [namedGroup.secp521r1]);
  });

  test(`${name}: a client's key on P-521, in PKCS #8 and SEC 1`, (t) => {
    for (const type of ["pkcs8", "sec1"] as const) {
      const clientKey = key.export({ format: "der", type });
      const own = { clientCertificates: pair.leaf.der, clientKey };
      const request = { schemes: [signatureScheme.ecdsa_secp521r1_sha512], required: true };
      const app = new App({
        platform: with521,
        secure: { ...secure, ...own },
        script: { ...script, request },
      }).open();
      t.deepEqual(app.news(), ["writable"], type);
      t.is(app.server.seen.scheme, signatureScheme.ecdsa_secp521r1_sha512);
    }
  });

  test(`${name}: without it such a CA can't be trusted, and such a server is refused`, (t) => {
    t.throws(() => new App({ platform: without, secure, script }), {
      message: /^secure\.certificate: CERT_KEY/,
    });
    const other = { ...secure, certificate: undefined };
    const app = new App({ platform: without, secure: other, script }).open();
    t.deepEqual(app.news(), ["error CERT_KEY"]);
  });
}

test("the group is offered last, and alone where that is asked for by its number", (t) => {
  const groupsOf = (groups?: (string | number)[]) =>
    new App({ platform: with521, secure: { groups } }).open().server.hello.groups;
  t.deepEqual(groupsOf(), [29, 23, 24, 25]);
  t.deepEqual(groupsOf(["P-256", 25]), [23, 25]);
  t.throws(() => new App({ platform: without, secure: { groups: [25, 99] } }), {
    message: /^secure\.groups/,
  });
});

test("a key of another kind is read as before, and what is none is none", (t) => {
  t.is(readP521Key(new Uint8Array(0)), undefined);
  t.is(readP521Key(Uint8Array.of(0x30, 3, 2, 1, 0)), undefined);
  const p256 = createPrivateKey(pairOf("p256").key);
  for (const type of ["pkcs8", "sec1"] as const) {
    const der = p256.export({ format: "der", type });
    t.is(readP521Key(der), undefined);
  }
  const der = key.export({ format: "der", type: "pkcs8" });
  const { kind, start, end } = readP521Key(der)!;
  t.is(kind, "p521");
  t.is(end - start, 66);
  for (let i = 0; i < der.length; i++) {
    t.notThrows(() => readP521Key(der.subarray(0, i)));
    const bent = Uint8Array.from(der);
    bent[i] ^= 0x55;
    t.notThrows(() => readP521Key(bent));
  }
});
