/** What a server's connection takes on which nothing happens, as far as that can be told exactly: docs/benchmarks.md has the rest. */
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import test from "ava";
import { connect } from "../../../../hosts/node/index.js";
import { contentType } from "../../../../src/wire/registry.js";
import { type Idleness, idle } from "../../../bench/idle.js";
import { serveOurs } from "../ours.js";
import { rootOf } from "../servers.js";
import { innards, record } from "../socket/innards.js";

/** Bytes: the secrets of a connection, and nothing for records. */
const BUFFERS = 1024;
/** Bytes of objects, of two sockets and a core. */
const HEAP = 12 * 1024;

for (const state of ["silent", "TLSv1.2", "TLSv1.3"] satisfies Idleness[])
  test.serial(`${state}: hundreds of connections`, async (t) => {
    const { buffers, heap } = await idle("tlstaple", state, 300);
    t.log(`${buffers.toFixed(0)} bytes of buffers, ${heap.toFixed(0)} of heap each`);
    t.true(buffers <= BUFFERS, `${buffers}`);
    t.true(heap <= HEAP, `${heap}`);
  });

for (const version of ["TLSv1.2", "TLSv1.3"] as const)
  test(`${version}: buffers are there for what comes and goes, and no longer`, async (t) => {
    const ours = await serveOurs(t, {}, (socket) => socket.pipe(socket));
    const only = { minVersion: version, maxVersion: version };
    const options = {
      host: "127.0.0.1",
      port: ours.port,
      servername: "localhost",
      ca: rootOf("p256"),
      ...only,
    };
    const socket = connect(options);
    t.teardown(() => socket.destroy());
    await Promise.all([once(socket, "secureConnect"), once(ours.server, "secureConnection")]);
    const { engine } = innards(ours.sockets[0]);
    const sizes = () => [engine.inbox.bytes.length, engine.outbox.bytes.length];
    const settled = async (wanted: number) => {
      for (let tries = 0; tries < 500 && sizes()[0] !== wanted; tries++) await sleep(2);
      t.deepEqual(sizes(), [wanted, 0]);
    };
    let received = 0;
    socket.on("data", ({ length }: Buffer) => {
      received += length;
    });
    const echoed = async (n: number) => {
      for (let tries = 0; tries < 2000 && received < n; tries++) await sleep(2);
      t.is(received, n);
      received = 0;
    };
    for (const n of [1, 16_384, 500_000]) {
      socket.write(Buffer.alloc(n, 7));
      await echoed(n);
      await settled(0);
    }
    const client = innards(socket);
    client.engine.outbox.bytes.fill(7);
    const last = record(client.engine, contentType.application_data, 16_000);
    client.transport.write(last.subarray(0, 1000));
    await settled(2048);
    client.transport.write(last.subarray(1000, 9000));
    await settled(33_792);
    client.transport.write(last.subarray(9000));
    await echoed(16_000);
    await settled(0);
    client.transport.write(record(client.engine, contentType.application_data, 16_000).subarray(0, 9000));
    await settled(33_792);
    ours.sockets[0].destroy();
    await settled(0);
  });
