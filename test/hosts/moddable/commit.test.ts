import test from "ava";
import type { Provider } from "../../../src/crypto/provider.js";
import { alert, version } from "../../../src/wire/registry.js";
import { App, bytes, type Setup } from "./app.js";
import { platform } from "./peer.js";

/** What becomes of writes that are still held back, and of what happens while one is sent. */

const versions = [
  ["1.2", version.tls12],
  ["1.3", version.tls13],
] as const;

/** A connection on which "held" waits for more. */
function holding(setup: Setup = {}): App {
  const app = new App({ ...setup, onReadable() {} }).open();
  app.news();
  app.socket.write(bytes("held"), { more: true });
  return app;
}

/** The events but for the offers to write. */
const told = (app: App) => app.news().filter((event) => event !== "writable");

function damaged(record: Uint8Array): Uint8Array {
  record[record.length - 1] ^= 1;
  return record;
}

for (const [name, protocol] of versions) {
  const script = { version: protocol };

  test(`TLS ${name}: what is held goes out before data is announced`, (t) => {
    const app = holding({ script });
    app.arrive(app.server.sendData(bytes("data")));
    t.is(app.server.seen.data.toString(), "held");
    t.deepEqual(told(app), ["readable 4"]);
    app.socket.write(bytes(" back"));
    t.is(app.server.seen.data.toString(), "held back");
  });

  test(`TLS ${name}: what is held goes out before the answer to the server's close_notify`, (t) => {
    const app = holding({ script });
    app.arrive(app.server.close());
    t.is(app.server.seen.data.toString(), "held");
    t.deepEqual(told(app), ["end"]);
    t.is(app.server.ended, alert.close_notify);
    t.is(app.wire.closed, 1);
  });

  test(`TLS ${name}: what is held goes out before the alert about a bad record`, (t) => {
    const app = holding({ script });
    app.arrive(damaged(app.server.sendData(bytes("data"))));
    t.is(app.server.seen.data.toString(), "held");
    t.deepEqual(told(app), ["error BAD_RECORD_MAC"]);
    t.is(app.server.ended, alert.bad_record_mac);
  });

  test(`TLS ${name}: close meets a fault that nobody was told of: the server gets its alert, the application no callback`, (t) => {
    const app = holding({ script });
    // the data that nobody reads keeps the fault behind it from being told
    app.wire.arrive(app.server.sendData(bytes("data")));
    app.arrive(damaged(app.server.sendData(bytes("data"))));
    t.deepEqual(told(app), ["readable 4"]);
    app.take(app.socket.read());
    app.socket.write(bytes("late"), { more: true });
    app.socket.close();
    t.is(app.server.seen.data.toString(), "heldlate");
    t.is(app.server.ended, alert.bad_record_mac);
    app.wire.run();
    t.deepEqual(told(app), []);
  });

  test(`TLS ${name}: after close_notify that is not told yet, what is written still goes out`, (t) => {
    const app = new App({ script, onReadable() {} }).open();
    app.news();
    app.arrive(app.server.sendData(bytes("data"))).arrive(app.server.close());
    t.deepEqual(told(app), ["readable 4"]);
    app.socket.write(bytes("ans"), { more: true });
    app.socket.write(bytes("wer"));
    t.is(app.server.seen.data.toString(), "answer");
    app.take(app.socket.read());
    app.wire.run();
    t.deepEqual(told(app), ["end"]);
  });
}

/** A cipher that fails once `breaks` is called. */
function fragile(): { setup: Setup; breaks(): void } {
  let broken = false;
  const usual = platform({} as App["timers"]).provider;
  const provider: Provider = {
    ...usual,
    aead(algorithm, key, start, end) {
      const aead = usual.aead(algorithm, key, start, end);
      const seal = aead.seal.bind(aead);
      aead.seal = (...args) => {
        if (broken) throw new Error("no cipher");
        seal(...args);
      };
      return aead;
    },
  };
  return { setup: { platform: { provider } }, breaks: () => (broken = true) };
}

test("a write whose sealing fails: the reason is told from a timer, once", (t) => {
  const { setup, breaks } = fragile();
  const app = new App(setup).open();
  app.news();
  breaks();
  app.socket.write(bytes("data"));
  t.deepEqual(told(app), [], "not within write");
  // nothing comes from the transport that would bring a turn about
  while (app.timers.step());
  t.deepEqual(told(app), ["error INTERNAL_ERROR"]);
  t.is((app.errors[0]!.cause as Error).message, "no cipher");
  t.is(app.wire.closed, 1);
});

test("a write within a callback whose sealing fails: the reason is told in the same turn", (t) => {
  const { setup, breaks } = fragile();
  const app = new App({
    ...setup,
    onReadable() {
      this.read();
      breaks();
      this.write(bytes("data"));
    },
  }).open();
  app.news();
  app.wire.arrive(app.server.sendData(bytes("data"))).deliver();
  t.deepEqual(told(app), ["readable 4", "error INTERNAL_ERROR"]);
});

test("what is held and can't be sealed at the close is nobody's error", (t) => {
  const { setup, breaks } = fragile();
  const app = holding(setup);
  breaks();
  app.socket.close();
  app.wire.run();
  t.deepEqual(told(app), []);
  t.is(app.server.seen.data.length, 0);
  t.is(app.wire.closed, 1);
  t.deepEqual(app.timers.pending, []);
});

test("close after a part was read leaves no timer behind", (t) => {
  const app = new App({ onReadable() {} }).open();
  app.arrive(app.server.sendData(bytes("data")));
  app.socket.read(1);
  t.is(app.timers.pending.length, 1);
  app.socket.close();
  t.deepEqual(app.timers.pending, []);
});

test("what a callback holds goes out before the answer to a KeyUpdate that came with the data", (t) => {
  const app = new App({
    onReadable() {
      app.take(app.socket.read());
      app.socket.write(bytes("held"), { more: true });
    },
  }).open();
  const data = app.server.sendData(bytes("data"));
  app.arrive(Buffer.concat([data, app.server.sendKeyUpdate(true)]));
  app.socket.write(bytes(" back"));
  t.is(app.server.seen.data.toString(), "held back");
  t.deepEqual(app.server.seen.keyUpdates, [false]);
});
