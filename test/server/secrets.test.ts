import test from "ava";
import { provider } from "../../hosts/node/provider.js";
import type { Provider } from "../../src/crypto/provider.js";
import { at } from "../../src/handshake/memory.js";
import { type ServerOptions, TlsServer } from "../../src/server/index.js";
import { cipherSuite as c, namedGroup as g, version } from "../../src/wire/registry.js";
import { named } from "../faults.js";
import { identity } from "../peers/identity.js";
import { selection, serverDefaults } from "./pair.js";
import { Scripted, type Settings } from "./scripted.js";

/** What a handshake derives from is gone as soon as it is used: the server's memory is searched for it. */

const ticketKeys = [{ name: Buffer.alloc(16, 1), key: Buffer.alloc(32, 2) }];

/** A server with a provider that keeps what it was given, and what it gave. */
class Watched {
  readonly server: TlsServer;
  /** (EC)DHE secrets. */
  readonly shared: Buffer[] = [];
  /** Keys of records, and of tickets. */
  readonly keys: Buffer[] = [];
  /** By their labels in SSLKEYLOGFILE. */
  readonly logged: Record<string, Buffer> = {};
  /** Key pairs that were made, less those that were disposed of. */
  pairs = 0;

  constructor(options: Partial<ServerOptions> = {}) {
    this.server = new TlsServer({
      ...serverDefaults,
      ticketKeys,
      ...options,
      provider: this.watch(),
      onSecret: (label, _, secret) => {
        this.logged[label] = Buffer.from(secret);
      },
    });
  }

  private watch(): Provider {
    return {
      ...provider,
      exchange: (group) => {
        const pair = provider.exchange(group);
        this.pairs++;
        return {
          publicKey: (out, at) => pair.publicKey(out, at),
          agree: (peer, start, end, out, at) => {
            const n = pair.agree(peer, start, end, out, at);
            if (n > 0) this.shared.push(Buffer.from(out.subarray(at, at + n)));
            return n;
          },
          dispose: () => {
            this.pairs--;
            pair.dispose();
          },
        };
      },
      aead: (algorithm, key, start, end) => {
        this.keys.push(Buffer.from(key.subarray(start, end)));
        return provider.aead(algorithm, key, start, end);
      },
    };
  }

  get memory(): Buffer {
    return Buffer.from((this.server as unknown as { handshake: { memory: Uint8Array } }).handshake.memory);
  }

  /** How often the server's memory holds the bytes. */
  count(secret: Buffer): number {
    const memory = Buffer.from(
      (this.server as unknown as { handshake: { memory: Uint8Array } }).handshake.memory,
    );
    let n = 0;
    for (let i = memory.indexOf(secret); i >= 0; i = memory.indexOf(secret, i + 1)) n++;
    return n;
  }

  has(secrets: readonly Buffer[]): boolean {
    return secrets.some((secret) => this.count(secret) > 0);
  }
}

/** Suites of each version whose keys and secrets have different lengths, and groups likewise. */
const ways = [
  [version.tls12, c.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, g.x25519],
  [version.tls12, c.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, g.secp384r1],
  [version.tls12, c.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, g.secp256r1],
  [version.tls13, c.TLS_AES_128_GCM_SHA256, g.x25519],
  [version.tls13, c.TLS_AES_256_GCM_SHA384, g.secp384r1],
  [version.tls13, c.TLS_CHACHA20_POLY1305_SHA256, g.secp256r1],
] as const;

for (const [only, suite, group] of ways) {
  const title = `TLS ${only === version.tls12 ? "1.2" : "1.3"}, suite ${suite.toString(16)}, group ${group}`;
  // TLS 1.2 has the certificate's curve among the groups
  const settings: Settings = { version: only, suites: [suite], groups: [group, g.x25519, g.secp256r1] };
  const options = { groups: [group] };

  test(`${title}: (EC)DHE secret, key pair and keys`, (t) => {
    const watched = new Watched(options);
    const client = new Scripted(watched.server, settings).hello();
    if (only === version.tls13) t.is(watched.pairs, 0, "as soon as the flight is sent");
    if (only === version.tls13) t.false(watched.has(watched.shared));
    client.complete();
    t.true(watched.server.established, named(watched.server.fault));
    t.is(watched.pairs, 0);
    t.is(watched.shared.length, 1);
    t.is(watched.shared[0].length, group === g.secp384r1 ? 48 : 32);
    t.false(watched.has(watched.shared));
    t.true(watched.keys.length >= 2);
    t.false(watched.has(watched.keys));
    if (only === version.tls13) client.keyUpdate(true);
    t.false(watched.has(watched.keys));
  });

  test(`${title}: the secrets that were logged`, (t) => {
    const watched = new Watched(options);
    const client = new Scripted(watched.server, settings).hello().complete();
    t.true(watched.server.established, named(watched.server.fault));
    // The Master Secret of either version
    t.deepEqual(watched.memory.subarray(at.schedule, at.schedule + 48), Buffer.alloc(48));
    if (only === version.tls12) {
      t.is(watched.count(watched.logged.CLIENT_RANDOM), 0);
      return;
    }
    const {
      CLIENT_HANDSHAKE_TRAFFIC_SECRET: ch,
      SERVER_HANDSHAKE_TRAFFIC_SECRET: sh,
      CLIENT_TRAFFIC_SECRET_0: ca,
      SERVER_TRAFFIC_SECRET_0: sa,
    } = watched.logged;
    t.false(watched.has([ch, sh]));
    t.deepEqual([watched.count(ca), watched.count(sa)], [1, 1], "for the next KeyUpdate");
    t.is(watched.count(client.ticket!.secret), 0);
    client.keyUpdate(true);
    t.false(watched.has([ca, sa]));
  });

  test(`${title}: a resumed session's`, (t) => {
    const { ticket } = new Scripted(new Watched(options).server, settings).hello().complete();
    const watched = new Watched(options);
    new Scripted(watched.server, { ...settings, resume: ticket }).hello().complete();
    t.true(watched.server.established && watched.server.resumed, named(watched.server.fault));
    t.false(watched.has([...watched.shared, ...watched.keys, ticket!.secret]));
    t.is(watched.pairs, 0);
  });

  test(`${title}: a handshake that fails leaves none`, (t) => {
    const watched = new Watched({ ...options, clientAuth: "require", verify: false });
    const client = new Scripted(watched.server, settings).hello();
    client.send(client.certificate(identity("client", "p256").chain));
    if (only === version.tls12) client.send(client.keyExchange());
    t.is(watched.shared.length, 1);
    client.record(22, Buffer.from([0, 0, 0, 0]));
    t.truthy(watched.server.fault);
    t.is(watched.pairs, 0);
    t.false(watched.has([...watched.shared, ...watched.keys, ...Object.values(watched.logged)]));
  });
}

test("a key pair whose secret can't be agreed on is disposed of", (t) => {
  const watched = new Watched();
  const client = new Scripted(watched.server, { version: version.tls12 }).hello();
  t.is(watched.pairs, 1);
  client.send(Buffer.concat([Buffer.from([16, 0, 0, 33, 32]), Buffer.alloc(32)]));
  t.is(named(watched.server.fault), "KEY_SHARE");
  t.is(watched.pairs, 0);
});

test("an identity that is asked for in vain leaves no key pair", (t) => {
  const watched = new Watched({ select: () => undefined });
  new Scripted(watched.server).hello();
  watched.server.proceed(selection("p256"));
  watched.server.work();
  watched.server.work();
  t.is(watched.pairs, 1);
  watched.server.wipe();
  t.is(watched.pairs, 0);
});
