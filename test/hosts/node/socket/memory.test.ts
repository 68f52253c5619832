/** Memory is bounded by what is counted: records with little or nothing in them, at either side, read or not. */
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import test, { type ExecutionContext } from "ava";
import { type ConnectOptions, connect } from "../../../../hosts/node/index.js";
import type { Transport } from "../../../../hosts/node/socket/transport.js";
import type { Engine } from "../../../../src/record/engine.js";
import { MAX_PLAINTEXT, Protection13 } from "../../../../src/record/record.js";
import { contentType } from "../../../../src/wire/registry.js";
import { Helper } from "../../../bench/process.js";
import { serveOurs } from "../ours.js";
import { rootOf } from "../servers.js";
import type { Hoard, Holding } from "./hoarder.js";
import { innards, record } from "./innards.js";

/** TLSInnerPlaintext with all the padding that a record has room for, RFC 8446 5.4. */
class Padded extends Protection13 {
  override seal(bytes: Uint8Array, at: number, n: number, type: number): number {
    const start = at + this.prefix;
    const end = start + MAX_PLAINTEXT + 1;
    bytes[start + n] = type;
    bytes.fill(0, start + n + 1, end);
    bytes.set([contentType.application_data, 3, 3, (end + 16 - start) >> 8, (end + 16 - start) & 0xff], at);
    this.nextNonce();
    this.aead.seal(this.nonce, bytes, at, start, bytes, start, end);
    return end + 16;
  }
}

/** A peer that makes records as it likes. */
class Peer {
  private readonly engine: Engine<never>;
  private readonly transport: Transport;

  constructor(socket: unknown, padded: boolean) {
    const { engine, transport } = innards(socket);
    this.engine = engine;
    this.transport = transport;
    if (padded) Object.setPrototypeOf(this.engine.outbox.protection, Padded.prototype);
  }

  /** Sends up to `count` records with so much data in them, one size after the other; stops once nobody takes them. */
  async shower(sizes: readonly number[], count: number): Promise<number> {
    for (let sent = 0; sent < count; sent++)
      if (
        !this.transport.write(
          record(this.engine, contentType.application_data, sizes[sent % sizes.length]),
        ) &&
        !(await this.drained())
      )
        return sent;
    return count;
  }

  private async drained(): Promise<boolean> {
    return (await Promise.race([once(this.transport, "drain"), sleep(500, "stuck")])) !== "stuck";
  }
}

/** So many times the same number. */
const times = (n: number, count: number) => Array<number>(count).fill(n);

const kinds = {
  padded: { version: "TLSv1.3", padded: true, sizes: [1], records: 2000 },
  "padded, some with data": {
    version: "TLSv1.3",
    padded: true,
    sizes: [...times(1, 9), 4000],
    records: 2000,
  },
  "padded, most empty": { version: "TLSv1.3", padded: true, sizes: [...times(0, 30), 1], records: 2000 },
  "of one byte, TLS 1.3": { version: "TLSv1.3", padded: false, sizes: [1], records: 20_000 },
  "of one byte, TLS 1.2": { version: "TLSv1.2", padded: false, sizes: [1], records: 20_000 },
  "most empty, TLS 1.2": { version: "TLSv1.2", padded: false, sizes: [...times(0, 30), 1], records: 20_000 },
} as const;

/** What may be held beside the data: buffers of the connection, of the system's reads, and objects for chunks. */
const ALLOWANCE = 4 * 2 ** 20;

for (const side of ["client", "server"] as const)
  for (const paused of [true, false])
    for (const [kind, { version, padded, sizes, records }] of Object.entries(kinds))
      test.serial(`a ${side} that ${paused ? "reads nothing" : "keeps all"}, records ${kind}`, async (t) => {
        const only = { minVersion: version, maxVersion: version } as const;
        const hoarder = await start(t);
        const socket = await besetting[side](t, hoarder, paused, only);
        const before = await hoarder.ask<Holding>({});
        const sent = await new Peer(socket, padded).shower(sizes, records);
        await sleep(200);
        const { memory, data } = await hoarder.ask<Holding>({});
        const growth = memory - before.memory;
        t.log(`${sent} records, ${data} bytes of data: ${(growth / 2 ** 20).toFixed(2)} MiB more`);
        t.true(data > 0);
        t.true(growth < ALLOWANCE + 2 * data, `${growth} bytes more for ${data}`);
      });

async function start(t: ExecutionContext): Promise<Helper<Hoard>> {
  const hoarder = new Helper<Hoard>("../hosts/node/socket/hoarder.js");
  t.teardown(() => hoarder.close());
  await hoarder.answer();
  return hoarder;
}

type Only = Required<Pick<ConnectOptions, "minVersion" | "maxVersion">>;

/** How a peer of ours comes to be connected with the other process's client or server. */
const besetting = { client: besetClient, server: besetServer };

async function besetClient(t: ExecutionContext, hoarder: Helper<Hoard>, paused: boolean, only: Only) {
  const ours = await serveOurs(t, only);
  await hoarder.ask({ side: "client", port: ours.port, paused });
  return ours.sockets[0];
}

async function besetServer(t: ExecutionContext, hoarder: Helper<Hoard>, paused: boolean, only: Only) {
  const { port } = await hoarder.ask<Holding>({ side: "server", paused });
  const socket = connect({ host: "127.0.0.1", port, servername: "localhost", ca: rootOf("p256"), ...only });
  t.teardown(() => socket.destroy());
  await once(socket, "secureConnect");
  return socket;
}
