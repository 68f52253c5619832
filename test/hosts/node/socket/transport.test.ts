import { PassThrough } from "node:stream";
import { setImmediate } from "node:timers/promises";
import test from "ava";
import { adopt, type Sink } from "../../../../hosts/node/socket/transport.js";
import { wants } from "../../../../src/client/index.js";

/** A core with room for so many bytes at a time, which takes them only while it is not held up. */
class Core implements Sink {
  readonly taken: number[] = [];
  closedByPeer = false;
  wants: number = wants.READ;
  held = false;
  private readonly room: Uint8Array;
  private filled = 0;

  constructor(room: number) {
    this.room = new Uint8Array(room);
  }

  get cipherIn() {
    const advance = (n: number) => {
      this.filled += n;
    };
    return { bytes: this.room, start: this.filled, end: this.room.length, advance };
  }

  take(): void {
    if (this.held) return;
    this.taken.push(...this.room.subarray(0, this.filled));
    this.filled = 0;
  }
}

const bytes = Buffer.from(Array.from({ length: 100 }, (_, i) => i));

test("what there is no room for waits in the stream, and nothing is lost", async (t) => {
  const core = new Core(16);
  const stream = new PassThrough();
  const seen: Buffer[] = [];
  const received = () => core.take();
  adopt(stream, core, received, (_, part) => seen.push(Buffer.from(part)));
  core.held = true;
  stream.write(bytes);
  await setImmediate();
  t.deepEqual(core.taken, []);
  t.true(stream.isPaused());
  core.held = false;
  core.take();
  stream.end(bytes);
  stream.resume();
  await new Promise((resolve) => stream.on("end", resolve));
  t.deepEqual(Buffer.from(core.taken), Buffer.concat([bytes, bytes]));
  t.deepEqual(Buffer.concat(seen), Buffer.concat([bytes, bytes]));
});

for (const [what, end] of [
  ["closed", { wants: wants.CLOSED }],
  ["closed by the peer", { closedByPeer: true }],
] as const)
  test(`once the connection is ${what} the stream flows to its end`, async (t) => {
    const core = new Core(16);
    const stream = new PassThrough();
    adopt(stream, core, () => Object.assign(core, end));
    stream.end(bytes);
    await new Promise((resolve) => stream.on("end", resolve));
    t.deepEqual(core.taken, []);
  });
