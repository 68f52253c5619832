import { setImmediate } from "node:timers/promises";
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import test from "ava";
import { NOW } from "../../certs/fixtures.js";
import { provider } from "../../hosts/node/provider.js";
import {
  type Aead,
  type ClientOptions,
  type Path,
  type Provider,
  TlsClient,
  trustAnchor,
  version,
  wants,
} from "../../src/client/index.js";
import { contentType } from "../../src/wire/registry.js";
import { named } from "../faults.js";
import { identity, servers } from "../peers/identity.js";
import { Puppet } from "../peers/puppet.js";

/** What a connection costs in memory once it is there: nothing. */

setFlagsFromString("--expose-gc");
const gc = runInNewContext("gc") as () => void;

const TAG = 16;

/** An AEAD that is switched off after the handshake: then it touches nothing, and every tag is right. */
class Switched implements Aead {
  private readonly real: Aead;
  private readonly circuit: Circuit;

  constructor(real: Aead, circuit: Circuit) {
    this.real = real;
    this.circuit = circuit;
  }

  seal(...args: Parameters<Aead["seal"]>): void {
    this.real.seal(...args);
  }

  open(...args: Parameters<Aead["open"]>): boolean {
    return this.real.open(...args);
  }

  dispose(): void {
    this.real.dispose();
  }

  switchOff(): void {
    const { circuit } = this;
    this.seal = () => circuit.touch();
    this.open = () => {
      circuit.touch();
      return true;
    };
  }
}

/** All AEADs of one client. */
class Circuit {
  private readonly aeads: Switched[] = [];
  /** What happens for each record. */
  touch: () => void = () => {};
  readonly provider: Provider = {
    ...provider,
    aead: (algorithm, key, start, end) => {
      const aead = new Switched(provider.aead(algorithm, key, start, end), this);
      this.aeads.push(aead);
      return aead;
    },
  };

  switchOff(): void {
    for (const aead of this.aeads) aead.switchOff();
  }
}

/** A client after its handshake, and the server that it shook hands with. */
function connect(protocol: number, more: Partial<ClientOptions> = {}): { client: TlsClient; puppet: Puppet } {
  const trust = [trustAnchor(identity("p256", "root").chain[0])];
  const client = new TlsClient({ provider, serverName: "localhost", trust, clock: () => NOW, ...more });
  const puppet = new Puppet({ ...servers.p256, version: protocol });
  while (!(client.established && puppet.open)) {
    while (client.wants & wants.WORK) client.work();
    if (client.fault) throw new Error(named(client.fault));
    const { bytes, start, end } = client.cipherOut;
    const answer = puppet.feed(bytes.subarray(start, end));
    client.cipherOut.advance(end - start);
    give(client, answer);
  }
  return { client, puppet };
}

/** Hands over a record, which there is always room for, and reads its data. */
function give(client: TlsClient, record: Uint8Array): void {
  const { cipherIn, plainOut } = client;
  cipherIn.bytes.set(record, cipherIn.start);
  cipherIn.advance(record.length);
  while (client.wants & wants.WORK) client.work();
  plainOut.advance(plainOut.end - plainOut.start);
  while (client.wants & wants.WORK) client.work();
}

/** Sends a record of `n` bytes. */
function send(client: TlsClient, n: number): void {
  const { cipherOut, plainIn } = client;
  plainIn.advance(n);
  while (client.wants & wants.WORK) client.work();
  cipherOut.advance(cipherOut.end - cipherOut.start);
}

/** In a round: so few that what they might allocate fits the young generation, and no collection hides it. */
const RECORDS = 5000;
/** Bytes of the smallest object that there is. */
const SMALLEST = 16;

/** A record of data as a switched-off AEAD takes it. */
function legible(protocol: number): Uint8Array {
  const data = Buffer.from("some application data");
  const parts =
    protocol === version.tls13
      ? [data, Buffer.from([contentType.application_data]), Buffer.alloc(TAG)]
      : [Buffer.alloc(8), data, Buffer.alloc(TAG)];
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([contentType.application_data, 3, 3, 0, body.length]), body]);
}

/**
 * The fewest bytes of heap that a record took, of several rounds: V8 allocates for itself now and then, and for
 * code that it has not optimized yet, which takes longer on a busy machine.
 */
function perRecord(client: TlsClient, record: Uint8Array): number {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 6 || (round < 60 && least >= SMALLEST / 2); round++) {
    gc();
    const before = getHeapStatistics().used_heap_size;
    for (let i = 0; i < RECORDS; i++) {
      give(client, record);
      send(client, 100);
    }
    least = Math.min(least, (getHeapStatistics().used_heap_size - before) / RECORDS);
  }
  return least;
}

for (const [name, protocol] of Object.entries(version)) {
  test.serial(`${name}: the core allocates nothing for a record`, (t) => {
    const circuit = new Circuit();
    const { client } = connect(protocol, { provider: circuit.provider });
    circuit.switchOff();
    const record = legible(protocol);
    const cost = perRecord(client, record);
    t.is(client.fault, undefined);
    t.true(cost < SMALLEST / 2, `${cost} bytes per record received and record sent`);

    // This would show if it did
    let kept: unknown;
    circuit.touch = () => {
      kept = {};
    };
    t.true(perRecord(client, record) > 20);
    t.truthy(kept);
  });

  test.serial(
    `${name}: the path, its certificates, their anchor and their store go with the handshake`,
    async (t) => {
      const parts: WeakRef<object>[] = [];
      const onPath = (path: Path) => {
        for (const part of [path, path.at(0), path.anchor!, path.at(0).bytes]) parts.push(new WeakRef(part));
      };
      const held = connect(protocol, { onPath, buffers: { input: [4096, 18693] } });
      t.deepEqual(
        parts.map((part) => part.deref() !== undefined),
        [true, true, true, true],
      );
      await memory();
      t.deepEqual(
        parts.map((part) => part.deref()),
        [undefined, undefined, undefined, undefined],
      );
      t.is(held.client.verdicts.length, 2);
      give(held.client, held.puppet.sendData(Buffer.from("data")));
      t.is(held.client.fault, undefined);
    },
  );

  test.serial(`${name}: 10,000 records leave nothing behind`, async (t) => {
    const { client, puppet } = connect(protocol);
    const talk = (n: number) => {
      for (let i = 0; i < n; i++) {
        give(client, puppet.sendData(Buffer.alloc(1000, i)));
        send(client, 100);
      }
      return memory();
    };
    await talk(1000);
    const before = await talk(1000);
    const growth = (await talk(10_000)) - before;
    t.is(client.fault, undefined);
    t.true(growth < 300_000, `${growth} bytes`);
  });
}

/** Bytes in use, inside V8's heap and outside. What native objects hold is given back a while after their end. */
async function memory(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    gc();
    await setImmediate();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
