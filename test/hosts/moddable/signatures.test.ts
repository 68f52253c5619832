import test, { type ExecutionContext } from "ava";
import type { SecureOptions, SignatureStore } from "../../../hosts/moddable/socket.js";
import { remember as stub } from "../../../hosts/moddable/without/verifiedSignatures.js";
import { provider } from "../../../hosts/node/provider.js";
import { version } from "../../../src/wire/registry.js";
import { settling } from "../../pki/settling.js";
import { App, type Setup } from "./app.js";
import { revoked, staple } from "./peer.js";

/** `secure.verifiedSignatures`: what was verified once is verified once. */

/** One device, from its start on: what sockets share is its provider's. */
class Device {
  verified = 0;
  readonly provider = settling(provider, () => this.verified++);

  /** How many signatures one more handshake verifies. */
  visit(verifiedSignatures?: SecureOptions["verifiedSignatures"], setup: Setup = {}): number {
    return this.app(verifiedSignatures, setup).verified;
  }

  app(verifiedSignatures?: SecureOptions["verifiedSignatures"], { script, platform, ...more }: Setup = {}) {
    const before = this.verified;
    const app = new App({
      ...more,
      script: { staples: [staple], ...script },
      secure: { ocsp: { policy: "leaf" }, verifiedSignatures },
      platform: { provider: this.provider, ...platform },
    }).open();
    const news = app.news();
    app.socket.close();
    return { verified: this.verified - before, news, app };
  }
}

/** An application's own, which counts. */
class Notes implements SignatureStore {
  asked = 0;
  readonly given: ArrayBuffer[] = [];

  get(): ArrayBuffer | undefined {
    this.asked++;
    return this.given.at(-1);
  }

  set(bytes: ArrayBuffer): void {
    this.given.push(bytes);
  }
}

/** Leaf, intermediate, the delegate and its response, and the handshake's own. */
const ALL = 5;

for (const [name, only] of Object.entries(version)) {
  const script = { version: only };

  test(`${name}: by default all sockets share what they verified`, (t) => {
    const device = new Device();
    const visits = Array.from({ length: 3 }, () => device.visit(undefined, { script }));
    t.deepEqual(visits, [ALL, 1, 1]);
    t.is(device.visit(8, { script }), 1);
    t.is(new Device().visit(undefined, { script }), ALL, "another device");
  });

  test(`${name}: the application may keep them, through a restart`, (t) => {
    const store = new Notes();
    t.is(new Device().visit(store, { script }), ALL);
    t.deepEqual(
      store.given.map(({ byteLength }) => byteLength),
      [8 * 32],
    );
    t.is(new Device().visit(store, { script }), 1);
    t.is(store.given.length, 1, "there was nothing new");
    t.is(store.asked, 2);
    t.is(new Device().visit(undefined, { script }), ALL, "they are no other sockets'");
  });

  test(`${name}: a certificate that was revoked since is refused`, (t) => {
    const device = new Device();
    device.visit(undefined, { script });
    t.deepEqual(device.app(undefined, { script: { ...revoked(), ...script } }).news, [
      "error OCSP_CERT_REVOKED",
    ]);
  });
}

test("0: none is remembered, nor known", (t) => {
  const device = new Device();
  t.is(device.visit(), ALL);
  for (let i = 0; i < 2; i++) t.is(device.visit(0), ALL);
  t.is(device.visit(), 1);
});

test("the largest number of all counts, and what is known stays", (t) => {
  const device = new Device();
  t.is(device.visit(1), ALL);
  t.is(device.visit(1), ALL, "there is no room");
  t.is(device.visit(4), ALL - 1, "one was known");
  t.is(device.visit(1), 1);
  t.is(device.visit(100), 1);
});

test("what was verified is handed over even if the handshake fails", (t) => {
  const store = new Notes();
  const refused = { script: revoked() };
  t.deepEqual(new Device().app(store, refused).news, ["error OCSP_CERT_REVOKED"]);
  t.is(store.given.length, 1);
  t.is(new Device().visit(store, refused), 0);
});

test("bytes that are lost or damaged are nothing remembered", (t) => {
  const store = new Notes();
  new Device().visit(store);
  const [good] = store.given;
  const visit = (t: ExecutionContext, bytes: unknown, verified: number) => {
    const given: ArrayBuffer[] = [];
    const { news, ...rest } = new Device().app({ get: () => bytes as never, set: (b) => given.push(b) });
    t.deepEqual(news, ["writable"]);
    t.is(rest.verified, verified);
    t.deepEqual(rest.app.reports, []);
    t.is(given.length, verified > 1 ? 1 : 0);
  };
  for (const lost of [undefined, null, new ArrayBuffer(0), new Uint8Array(1000).fill(7)]) visit(t, lost, ALL);
  visit(
    t,
    Uint8Array.from(new Uint8Array(good), (byte) => byte ^ 1),
    ALL,
  );
  visit(t, good.slice(1), ALL);
  visit(t, good.slice(0, 40), ALL - 1);
  visit(t, new DataView(good), 1);
  visit(t, new Uint8Array(good), 1);
});

test("what the store throws is told, and does no harm", (t) => {
  const store: SignatureStore = {
    get() {
      throw new Error("no flash");
    },
    set() {
      throw new Error("no flash");
    },
  };
  const { app, news, verified } = new Device().app(store);
  t.deepEqual(news, ["writable"]);
  t.is(verified, ALL);
  t.deepEqual(
    app.reports.map(({ code, cause }) => [code, (cause as Error).message]),
    [
      ["CALLBACK_FAILED", "no flash"],
      ["CALLBACK_FAILED", "no flash"],
    ],
  );
});

test("what is none of these is refused", (t) => {
  for (const given of ["8", true, null, {}, { get() {} }, { set() {} }])
    t.throws(() => new App({ secure: { verifiedSignatures: given } as unknown as SecureOptions }), {
      instanceOf: TypeError,
      message: "secure.verifiedSignatures: a number, or an object with get and set",
    });
  for (const given of [-1, 0.5, 4097, Number.NaN, Number.POSITIVE_INFINITY])
    t.throws(() => new App({ secure: { verifiedSignatures: given } }), {
      instanceOf: RangeError,
      message: "secure.verifiedSignatures: 0 to 4096",
    });
});

test("where it was left out, none is remembered, and who asks for it is refused", (t) => {
  const device = new Device();
  const platform = { remember: stub };
  for (let i = 0; i < 2; i++) t.is(device.visit(undefined, { platform }), ALL);
  t.is(device.visit(0, { platform }), ALL);
  for (const asked of [8, new Notes()])
    t.throws(() => device.visit(asked, { platform }), {
      instanceOf: RangeError,
      message: "secure.verifiedSignatures: this was built without a memory of signatures",
    });
});
