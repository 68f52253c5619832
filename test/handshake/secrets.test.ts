import test from "ava";
import { provider } from "../../hosts/node/provider.js";
import { type Exchange, faults, namedGroup, type Provider, version } from "../../src/client/index.js";
import { at } from "../../src/handshake/memory.js";
import { Pair } from "../server/pair.js";

/** Secrets are wiped as soon as nothing is derived from them, on both sides. */

/** A provider that remembers what was agreed on, and counts the key pairs that are not wiped. */
class Spy {
  readonly shared: Buffer[] = [];
  pairs = 0;
  made = 0;

  readonly provider: Provider = { ...provider, exchange: (group) => this.exchange(group) };

  private exchange(group: number): Exchange {
    const real = provider.exchange(group);
    this.pairs++;
    this.made++;
    let wiped = false;
    return {
      publicKey: (out, at) => real.publicKey(out, at),
      agree: (peer, start, end, out, at) => {
        const n = real.agree(peer, start, end, out, at);
        this.shared.push(Buffer.from(out.subarray(at, at + n)));
        return n;
      },
      dispose: () => {
        if (!wiped) this.pairs--;
        wiped = true;
        real.dispose();
      },
    };
  }
}

interface Meeting {
  readonly pair: Pair;
  readonly client: Spy;
  readonly server: Spy;
  /** Secrets by label, as both sides told them. */
  readonly secrets: Map<string, Buffer>;
}

function meet(protocol: number, groups: readonly number[]): Meeting {
  const client = new Spy();
  const server = new Spy();
  const secrets = new Map<string, Buffer>();
  const onSecret = (label: string, _: Uint8Array, secret: Uint8Array) =>
    void secrets.set(label, Buffer.from(secret));
  const pair = new Pair(
    { provider: server.provider, maxVersion: protocol, groups, onSecret },
    { provider: client.provider, onSecret },
  );
  return { pair, client, server, secrets };
}

function memoryOf(end: unknown): Uint8Array {
  return (end as { handshake: { memory: Uint8Array } }).handshake.memory;
}

const ways = [
  ["TLS 1.2", version.tls12, [namedGroup.x25519]],
  ["TLS 1.2, on another curve than TLS 1.3 would be", version.tls12, [namedGroup.secp384r1]],
  ["TLS 1.3", version.tls13, [namedGroup.x25519]],
  ["TLS 1.3, after a HelloRetryRequest", version.tls13, [namedGroup.secp384r1]],
] as const;

/** What must be gone when the handshake is done. */
const spent = ["CLIENT_RANDOM", "CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET"];

for (const [name, protocol, groups] of ways) {
  test(`${name}: after the handshake neither side holds what it was made of`, (t) => {
    const { pair, client, server, secrets } = meet(protocol, groups);
    pair.run();
    t.true(pair.client.end.established && pair.server.end.established);
    t.is(client.shared.length, 1);
    t.deepEqual(client.shared, server.shared);
    t.is(client.made, groups[0] === namedGroup.x25519 ? 1 : 2);
    t.is(client.pairs + server.pairs, 0, "key pairs are wiped");
    const gone = [...client.shared, ...spent.flatMap((label) => secrets.get(label) ?? [])];
    t.is(gone.length, protocol === version.tls12 ? 2 : 3);
    for (const [side, { end }] of Object.entries({ client: pair.client, server: pair.server }))
      for (const secret of gone) {
        t.true(secret.length >= 32);
        t.false(Buffer.from(memoryOf(end)).includes(secret), side);
      }
  });

  test(`${name}: the shared secret is gone before the next message is sent or read`, (t) => {
    const { pair, client, server } = meet(protocol, groups);
    const turn = turns(pair);
    while (client.shared.length === 0 || server.shared.length === 0) {
      if (!turn()) throw new Error("nothing was agreed on");
      for (const [spy, { end }] of [
        [client, pair.client],
        [server, pair.server],
      ] as const)
        for (const secret of spy.shared) t.false(Buffer.from(memoryOf(end)).includes(secret));
    }
  });

  test(`${name}: who gives up, at any time, has no secret left`, (t) => {
    let steps = 0;
    for (let done = false; !done; steps++) {
      const { pair, client, server } = meet(protocol, groups);
      const turn = turns(pair);
      for (let i = 0; i < steps; i++) done = !turn();
      pair.client.end.abort(faults.HANDSHAKE_TIMEOUT);
      pair.server.end.abort(faults.HANDSHAKE_TIMEOUT);
      t.is(client.pairs + server.pairs, 0, `after ${steps} steps`);
      const left = memoryOf(pair.client.end).subarray(at.inSecret);
      t.true(
        left.every((byte) => byte === 0),
        `the client after ${steps} steps`,
      );
      const held = memoryOf(pair.server.end).subarray(at.inSecret);
      t.true(
        held.every((byte) => byte === 0),
        `the server after ${steps} steps`,
      );
    }
    t.true(steps > 20, `${steps}`);
  });
}

/** How often either side's memory holds the bytes. */
function copies({ client, server }: Pair, secret: Buffer): [client: number, server: number] {
  const count = (end: unknown) =>
    Buffer.from(memoryOf(end)).toString("latin1").split(secret.toString("latin1")).length - 1;
  return [count(client.end), count(server.end)];
}

test("TLS 1.3: of a traffic secret there is one copy, which the next KeyUpdate overwrites", (t) => {
  const { pair, secrets } = meet(version.tls13, [namedGroup.x25519]);
  pair.run();
  const ours = secrets.get("CLIENT_TRAFFIC_SECRET_0")!;
  const theirs = secrets.get("SERVER_TRAFFIC_SECRET_0")!;
  t.deepEqual(
    [copies(pair, ours), copies(pair, theirs)],
    [
      [1, 1],
      [1, 1],
    ],
  );
  t.true(pair.client.end.updateKey());
  t.true(pair.server.end.updateKey());
  pair.run();
  t.deepEqual(
    [copies(pair, ours), copies(pair, theirs)],
    [
      [0, 0],
      [0, 0],
    ],
  );
});

/** Does one thing of either side's at a time; false when both are at rest. */
function turns({ client, server }: Pair): () => boolean {
  return () =>
    client.turn((bytes) => {
      server.incoming = Buffer.concat([server.incoming, bytes]);
    }) ||
    server.turn((bytes) => {
      client.incoming = Buffer.concat([client.incoming, bytes]);
    });
}
