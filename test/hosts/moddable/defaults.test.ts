import test from "ava";
import type { SecureOptions } from "../../../hosts/moddable/socket.js";
import { version } from "../../../src/wire/registry.js";
import { host, root, rows, script } from "../../peers/default-staples.js";
import { App, bytes, pattern } from "./app.js";
import { staple } from "./peer.js";

/** What the socket does on a device where nobody says what it shall do. */

const own = { host, platform: { anchors: () => [root.der] } };
const versions = Object.entries(version);

for (const [name, only] of versions)
  for (const [title, response, fault] of rows)
    test(`${name}: ${title}`, (t) => {
      const app = new App({ ...own, script: { ...script, version: only, staples: [response] } }).open();
      t.deepEqual(app.news(), fault ? [`error ${fault}`] : ["writable"]);
    });

test("both versions are spoken, or the one that an option names", (t) => {
  const spoken = (secure?: SecureOptions, script = {}) =>
    new App({ secure, script }).open().socket.session?.version;
  const { tls12, tls13 } = version;
  t.is(spoken(), tls13);
  t.is(spoken({}, { version: tls12 }), tls12);
  t.is(spoken({ maxVersion: "TLSv1.2" }, { version: tls12 }), tls12);
  t.is(spoken({ minVersion: "TLSv1.2", maxVersion: "TLSv1.2" }, { version: tls12 }), tls12);
  t.is(spoken({ minVersion: "TLSv1.2" }), tls13);
  t.is(spoken({ minVersion: "TLSv1.3", maxVersion: "TLSv1.3" }), tls13);
});

test("verify: true is the default", (t) => {
  const faulty = { platform: { anchors: () => [] } };
  for (const secure of [undefined, {}, { verify: true }]) {
    t.deepEqual(new App({ secure, ...faulty }).open().news(), ["error CERT_UNKNOWN_ISSUER"]);
    t.deepEqual(new App({ secure, script: { staples: [staple] } }).open().news(), ["writable"]);
  }
});

test("by default a full record is taken in, and no more when nobody reads", (t) => {
  // what is left for the transport is less than it holds at once
  const app = new App({ quirks: { chunk: 4096 }, onReadable() {} }).open();
  const sealed = app.server.sendData(pattern(20_000));
  app.arrive(sealed);
  t.is(sealed.length - app.wire.visible.length, 5 + 16384 + 1 + 16);
});

test("by default the input buffer has 4,096 bytes, and grows up to 18,693", (t) => {
  const app = new App().open();
  const { inbox } = app.client.engine;
  t.is(inbox.bytes.length, 4096);
  for (const [length, size] of [
    [4074, 4096],
    [4075, 4097],
    [7000, 7022],
    [100, 7022],
  ]) {
    app.arrive(app.server.sendData(pattern(length)));
    t.is(inbox.bytes.length, size);
  }
  t.is(app.text.length, 4074 + 4075 + 7000 + 100);
});

test("by default 2,048 bytes can be under way, and 4,096 of certificates and staples are kept", (t) => {
  const app = new App();
  const { client } = app;
  t.is(client.verifier.store.bytes.length, 4096);
  const { writable } = app.open();
  const offer = (output: number) => new App({ secure: { buffers: { output } } }).open().writable;
  t.is(writable, offer(2048));
  t.not(writable, offer(2047));
  t.is(client.engine.outbox.bytes.length, 2048);
  t.is(client.verifier as unknown, undefined, "it is let go");
});

test("an orderly end is no error, and a transport that reads nothing has not ended", (t) => {
  const heard: unknown[] = [];
  const app = new App({ secure: { onError: (error) => heard.push(error) } }).open();
  const { read } = app.wire;
  app.wire.read = () => 0;
  app.arrive(app.server.sendData(bytes("data")));
  app.wire.read = read;
  app.news();
  app.wire.deliver();
  t.is(app.text, "data");
  app.arrive(app.server.close());
  t.is(app.news().pop(), "end");
  t.deepEqual(heard, []);
});
