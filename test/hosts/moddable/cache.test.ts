import test, { type ExecutionContext } from "ava";
import { NOW } from "../../../certs/fixtures.js";
import { RamCache } from "../../../hosts/moddable/cache.js";
import Lists from "../../../hosts/moddable/crl.js";
import type { SecureOptions, SessionCache } from "../../../hosts/moddable/socket.js";
import * as stub from "../../../hosts/moddable/without/resumption.js";
import { everything, features, nameConstraints, rsa, tls12 } from "../../../src/client/index.js";
import type { ServerOptions } from "../../../src/server/index.js";
import { extensionType, version } from "../../../src/wire/registry.js";
import { crlOf } from "../../peers/crls.js";
import { TicketServer } from "../../peers/ticket-server.js";
import { selection } from "../../server/pair.js";
import { App, bytes, type Setup } from "./app.js";
import { pemRoot, staple } from "./peer.js";

/** `secure.cache`: sessions from one connection to the next. */

const KEY = "localhost:443";

/** An application's own, which writes down what is asked of it. */
class Notes implements SessionCache {
  readonly kept = new Map<string, ArrayBuffer>();
  readonly calls: string[] = [];

  get(key: string): ArrayBuffer | undefined {
    this.calls.push(`get ${key}`);
    return this.kept.get(key);
  }

  set(key: string, bytes: ArrayBuffer | undefined): void {
    this.calls.push(`${bytes ? "set" : "forget"} ${key}`);
    if (bytes) this.kept.set(key, bytes);
    else this.kept.delete(key);
  }
}

interface Visit extends Setup {
  readonly server?: Partial<ServerOptions>;
}

/** Connects to a server that gives tickets, says something and hears it, and closes. */
function visit(t: ExecutionContext, cache: SecureOptions["cache"], { server, secure, ...more }: Visit = {}) {
  const peer = new TicketServer(server);
  const app = new App({ ...more, peer, secure: { ...secure, cache } }).open();
  t.deepEqual(app.news(), ["writable"], app.errors[0]?.message);
  const { session } = app.socket;
  app.socket.write(bytes("ping"));
  app.wire.run();
  app.arrive(peer.send(bytes("pong")));
  t.is(peer.received + app.text, "pingpong");
  const { resumed, verdicts } = session!;
  t.is(peer.end.resumed, resumed);
  app.socket.close();
  app.wire.run();
  return { app, resumed, verdicts };
}

const versions = [
  ["1.2", version.tls12, "TLSv1.2"],
  ["1.3", version.tls13, "TLSv1.3"],
] as const;

for (const [name, protocol] of versions) {
  const server = { maxVersion: protocol };
  const resumes = (t: ExecutionContext, cache: SecureOptions["cache"], more: Visit = {}) =>
    visit(t, cache, { ...more, server: { ...server, ...more.server } }).resumed;

  /** A cache with a session in it. */
  const filled = (t: ExecutionContext, more: Visit = {}) => {
    const cache = new Notes();
    t.false(resumes(t, cache, more));
    t.is(cache.kept.size, 1);
    cache.calls.length = 0;
    return cache;
  };

  test(`TLS ${name}: again and again`, (t) => {
    const cache = filled(t, { secure: { ocsp: { policy: "leaf" } } });
    for (let i = 0; i < 3; i++) {
      const { resumed, verdicts } = visit(t, cache, { server, secure: { ocsp: { policy: "leaf" } } });
      t.true(resumed);
      t.deepEqual(verdicts, []);
    }
    // Our server renews a ticket in TLS 1.3 alone
    const calls = protocol === version.tls13 ? [`get ${KEY}`, `set ${KEY}`] : [`get ${KEY}`];
    t.deepEqual([...new Set(cache.calls)], calls);
  });

  test(`TLS ${name}: with CRLs every handshake is a full one`, (t) => {
    const cache = filled(t);
    const crl = new Lists([crlOf("p256", "root"), crlOf("p256", "intermediate1")]);
    t.false(resumes(t, cache, { secure: { crl } }));
    t.true(resumes(t, cache));
  });

  test(`TLS ${name}: by default in RAM, where the platform has a cache`, (t) => {
    for (const cache of [undefined, true]) {
      const platform = { cache: new RamCache() };
      t.false(resumes(t, cache, { platform }));
      t.true(resumes(t, cache, { platform }));
      t.false(resumes(t, false, { platform }));
      t.false(resumes(t, new Notes(), { platform }));
    }
    t.false(resumes(t, undefined));
    t.false(resumes(t, true));
  });

  test(`TLS ${name}: several tickets at once are one for the cache, which gets it in no call of the socket's`, (t) => {
    const cache = new Notes();
    const inCall: boolean[] = [];
    const set = cache.set.bind(cache);
    let busy = false;
    cache.set = (key, given) => {
      inCall.push(busy);
      set(key, given);
    };
    const peer = new TicketServer(server);
    const app = new App({ peer, secure: { cache } });
    app.wire.connect();
    app.wire.run();
    busy = true;
    app.socket.write(bytes("ping"));
    busy = false;
    app.wire.run();
    t.deepEqual(inCall, [false]);
  });

  test(`TLS ${name}: what does not fit is a full handshake`, (t) => {
    const cache = filled(t);
    const copy = () => {
      const again = new Notes();
      again.kept.set(KEY, cache.kept.get(KEY)!.slice(0));
      return again;
    };
    const until = NOW + 3600;
    const misfits: Record<string, Visit> = {
      "clocks that may differ less": { secure: { ocsp: { skew: 0 } } },
      "a ticket that has ended": {
        platform: { clock: () => until },
        server: { clock: () => until },
      },
      "a server that forgot": { server: { ticketKeys: [] } },
      "a server with another key": {
        server: { ticketKeys: [{ name: new Uint8Array(16).fill(1), key: new Uint8Array(32).fill(3) }] },
      },
      "the other version": {
        server: { maxVersion: version.tls13 },
        secure: protocol === version.tls12 ? { minVersion: "TLSv1.3" } : { maxVersion: "TLSv1.2" },
      },
    };
    t.true(resumes(t, copy(), { secure: { certificate: [pemRoot] } }));
    for (const [what, more] of Object.entries(misfits)) t.false(resumes(t, copy(), more), what);
    t.true(resumes(t, copy()));
  });

  test(`TLS ${name}: another name or port is another session, and one under a wrong key is not offered`, (t) => {
    const cache = filled(t);
    const session = cache.kept.get(KEY)!;
    t.false(resumes(t, cache, { port: 8443 }));
    t.true(cache.kept.has("localhost:8443"));
    cache.kept.set("server1.tlstaple.test:443", session);
    t.false(resumes(t, cache, { secure: { serverName: "server1.tlstaple.test" } }));
    t.true(resumes(t, cache));
  });

  test(`TLS ${name}: who demands a nonce, or trusts another CA, makes a full handshake`, (t) => {
    for (const [secure, fault] of [
      [{ ocsp: { nonce: true } }, "OCSP_NONCE"],
      [{ certificate: "client-p256.pem" }, "CERT_UNKNOWN_ISSUER"],
    ] as const) {
      const cache = filled(t);
      const peer = new TicketServer(server);
      const app = new App({ peer, secure: { ...secure, cache } }).open();
      t.deepEqual(app.news(), [`error ${fault}`]);
      t.is(cache.kept.size, 0);
    }
  });

  test(`TLS ${name}: a session is worth its staple, and no more`, (t) => {
    const bare = { select: () => selection("p256") };
    const cache = filled(t, { server: bare });
    t.true(resumes(t, cache, { server: bare }));
    const { verdicts, resumed } = visit(t, cache, { server, secure: { ocsp: { policy: "leaf" } } });
    t.false(resumed);
    t.is(verdicts[0].status, "good");
  });

  test(`TLS ${name}: bytes that were damaged, wherever, are no session`, (t) => {
    const whole = filled(t).kept.get(KEY)!;
    const { decode } = everything.resumption!;
    const app = new App();
    const { provider } = app.platform;
    t.not(decode(provider, new Uint8Array(whole)), undefined);
    for (let i = 0; i < whole.byteLength; i++) {
      const damaged = new Uint8Array(whole.slice(0));
      damaged[i] ^= 1 << (i & 7);
      t.is(decode(provider, damaged), undefined, `byte ${i}`);
      t.is(decode(provider, new Uint8Array(whole, 0, i)), undefined, `cut at ${i}`);
    }
  });

  test(`TLS ${name}: what is no session of this release is a full handshake`, (t) => {
    const whole = filled(t).kept.get(KEY)!;
    const changed = new Uint8Array(whole.slice(0));
    changed[whole.byteLength >> 1] ^= 1;
    const longer = new Uint8Array(whole.byteLength + 1);
    longer.set(new Uint8Array(whole));
    const others = [
      changed,
      longer,
      new Uint8Array(0),
      new Uint8Array(100_000),
      7,
      "session",
      {},
      null,
      true,
    ];
    for (const each of others) {
      const cache = new Notes();
      cache.kept.set(KEY, each as unknown as ArrayBuffer);
      t.false(resumes(t, cache));
      t.true(resumes(t, cache));
    }
    const view = new Uint8Array(whole.byteLength + 9);
    view.set(new Uint8Array(whole), 5);
    const cache = new Notes();
    cache.get = () => view.subarray(5, 5 + whole.byteLength) as unknown as ArrayBuffer;
    t.true(resumes(t, cache));
  });

  test(`TLS ${name}: what the cache throws is told, and breaks nothing`, (t) => {
    const cache = new Notes();
    const failing = () => {
      throw new Error("flash is full");
    };
    for (const broken of [
      { get: failing, set: cache.set.bind(cache) },
      { get: () => undefined, set: failing },
    ]) {
      const { app, resumed } = visit(t, broken, { server });
      t.false(resumed);
      const causes = app.reports.map(({ code, cause }) => `${code} ${(cause as Error).message}`);
      t.deepEqual([...new Set(causes)], ["CALLBACK_FAILED flash is full"]);
    }
  });

  test(`TLS ${name}: a session that ends with an alert, or while it begins, is forgotten`, (t) => {
    const open = (cache: SessionCache) => {
      const peer = new TicketServer(server);
      return { peer, app: new App({ peer, secure: { cache } }) };
    };
    const silent = filled(t);
    const { app: first } = open(silent);
    first.wire.mute = true;
    first.open();
    first.wire.end().run();
    t.deepEqual(silent.calls, [`get ${KEY}`, `forget ${KEY}`]);
    const alerted = filled(t);
    const { app: second, peer } = open(alerted);
    second.open();
    const damaged = peer.send(bytes("data"));
    damaged[damaged.length - 1] ^= 1;
    second.arrive(damaged);
    t.deepEqual(second.news(), ["writable", "error BAD_RECORD_MAC"]);
    t.is(alerted.calls.at(-1), `forget ${KEY}`);
  });

  test(`TLS ${name}: where the network breaks, the session stays`, (t) => {
    const cache = filled(t);
    const unreached = new App({ peer: new TicketServer(server), secure: { cache } });
    unreached.wire.end().run();
    t.deepEqual(unreached.news(), ["error CONNECT_FAILED"]);
    const cut = new App({ peer: new TicketServer(server), secure: { cache } }).open();
    cut.wire.end().run();
    t.deepEqual(cut.news(), ["writable", "error TRUNCATED"]);
    t.true(resumes(t, cache));
  });
}

test("in RAM are the sessions of the four servers that were used last, and what goes is wiped", (t) => {
  const cache = new RamCache();
  const entry = (n: number) => Uint8Array.of(n, n, n).buffer;
  const all = [1, 2, 3, 4, 5].map(entry);
  for (const [i, each] of all.entries()) cache.set(`host${i}`, each);
  const contents = () => all.map((_, i) => cache.get(`host${i}`) !== undefined);
  t.deepEqual(contents(), [false, true, true, true, true]);
  t.deepEqual([...new Uint8Array(all[0])], [0, 0, 0]);
  const newer = entry(9);
  cache.set("host1", newer);
  t.is(cache.get("host1"), newer);
  t.deepEqual([...new Uint8Array(all[1])], [0, 0, 0]);
  cache.set("host6", entry(6));
  t.deepEqual(contents(), [false, true, false, true, true]);
  cache.set("host1", undefined);
  t.is(cache.get("host1"), undefined);
  t.deepEqual([...new Uint8Array(newer)], [0, 0, 0]);
  cache.set("host1", undefined);
  cache.set("host6", cache.get("host6"));
  t.deepEqual([...new Uint8Array(cache.get("host6")!)], [6, 6, 6]);
});

test("the secret of what was offered is wiped with the connection", (t) => {
  const cache = new Notes();
  visit(t, cache);
  const secrets: Uint8Array[] = [];
  const codec = everything.resumption!;
  const spied = {
    ...everything,
    resumption: {
      ...codec,
      encode: (...[provider, session]: Parameters<typeof codec.encode>) => {
        secrets.push(session.secret);
        return codec.encode(provider, session);
      },
      decode: (...[provider, given]: Parameters<typeof codec.decode>) => {
        const session = codec.decode(provider, given);
        if (session) secrets.push(session.secret);
        return session;
      },
    },
  };
  t.true(visit(t, cache, { platform: { features: spied } }).resumed);
  t.true(secrets.length > 1);
  for (const secret of secrets) t.true(secret.every((byte) => byte === 0));
});

test("a cache that is none is refused", (t) => {
  for (const cache of [1, "ram", null, {}, { get() {} }, { set() {} }, { get: 1, set: 2 }])
    t.throws(() => new App({ secure: { cache } as unknown as SecureOptions }), {
      instanceOf: TypeError,
      message: "secure.cache: true, false, or an object with get and set",
    });
});

test("without resumption nothing is kept nor offered, and a cache that was asked for is refused", (t) => {
  const platform = {
    features: features({ tls12, nameConstraints, rsa, resumption: stub.resumption }),
    Keeper: stub.Keeper,
    cache: new RamCache(),
  };
  const refused = { instanceOf: RangeError, message: "secure.cache: this was built without resumption" };
  for (const cache of [true, new Notes()]) t.throws(() => new App({ secure: { cache }, platform }), refused);
  for (const cache of [undefined, false]) {
    const app = new App({ secure: { cache }, platform, script: { staples: [staple] } }).open();
    t.deepEqual(app.news(), ["writable"]);
    const types = app.server.hello.extensions.map(({ type }) => type);
    for (const type of [extensionType.session_ticket, extensionType.psk_key_exchange_modes])
      t.false(types.includes(type));
    t.false(visit(t, cache, { platform }).resumed);
    t.is(platform.cache.get(KEY), undefined);
  }
});
