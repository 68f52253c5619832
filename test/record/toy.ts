import { Engine, type Machine, wants } from "../../src/record/engine.js";
import { Inbox } from "../../src/record/inbox.js";
import { Outbox } from "../../src/record/outbox.js";
import { CipherIn, CipherOut, PlainIn, PlainOut, type Port } from "../../src/record/ports.js";
import { COLUMNS, type MachineTable, type Row, rowsOf } from "../../src/record/row.js";
import { tableOf } from "../../src/wire/join.js";

/** An engine with its ports. */
class PortEngine extends Engine {
  readonly cipherIn: Port = new CipherIn(this);
  readonly cipherOut: Port = new CipherOut(this);
  readonly plainIn: Port = new PlainIn(this);
  readonly plainOut: Port = new PlainOut(this);
}

/** A session that writes down what the engine does with it. */
export class Toy implements Machine {
  readonly table: MachineTable;
  state: string;
  readonly engine: PortEngine;
  /** What rows ran over: the state, and the bytes handled. */
  readonly handled: string[] = [];
  /** The bodies of the messages that came. */
  readonly bodies: Buffer[] = [];
  /** Both sides' handshake messages. */
  transcript = Buffer.alloc(0);
  readonly traced: { sent: boolean; type: number; bytes: Buffer }[] = [];
  refreshes = 0;
  wipes = 0;

  constructor(
    rows: readonly Row<Toy>[],
    input: number,
    output = 1024,
    state = rows[0]?.state ?? "START",
    most = input,
  ) {
    this.table = tableOf(COLUMNS, [rowsOf(rows)]);
    this.state = state;
    const arena = new Uint8Array(input + output);
    const outbox = new Outbox(arena, input, input + output);
    this.engine = new PortEngine(this, new Inbox(arena, input, most), outbox);
  }

  /** A row's usual doing: takes the whole body. */
  take(): void {
    const { reader } = this.engine;
    this.handled.push(this.state);
    const start = reader.skip(reader.left);
    this.bodies.push(Buffer.from(reader.bytes.subarray(start, reader.at)));
  }

  transcribe(bytes: Uint8Array, start: number, end: number): void {
    this.transcript = Buffer.concat([this.transcript, bytes.subarray(start, end)]);
  }

  trace(sent: boolean, type: number, bytes: Uint8Array, start: number, end: number): void {
    this.traced.push({ sent, type, bytes: Buffer.from(bytes.subarray(start, end)) });
  }

  refreshKey(): void {
    this.refreshes++;
  }

  wipe(): void {
    this.wipes++;
  }
}

/** A row that takes the message and goes on to `next`. */
export function takes(state: string, on: number, next = state): Row<Toy> {
  return {
    state,
    on,
    run(toy) {
      toy.take();
      return next;
    },
  };
}

/** Lets the engine work until it waits for something. */
export function settle(engine: Engine): void {
  for (let i = 0; engine.wants & wants.WORK; i++) {
    if (i === 100000) throw new Error("the engine never comes to rest");
    engine.work();
  }
}

/** What the port holds, taken out of it. */
export function drain(port: Port): Buffer {
  const bytes = Buffer.from(port.bytes.subarray(port.start, port.end));
  port.advance(bytes.length);
  return bytes;
}

/** Puts as much into the port as it takes, up to `most` bytes; returns how much. */
export function fill(port: Port, bytes: Uint8Array, most = bytes.length): number {
  const n = Math.min(bytes.length, most, port.end - port.start);
  port.bytes.set(bytes.subarray(0, n), port.start);
  port.advance(n);
  return n;
}

/**
 * Gives the engine bytes from the peer, at most `most` at a time, and collects application data as it comes.
 * Stops when the engine takes no more.
 */
export function feed(engine: PortEngine, bytes: Uint8Array, most = bytes.length): Buffer {
  const data: Buffer[] = [];
  for (let at = 0; ; at += fill(engine.cipherIn, bytes.subarray(at), most)) {
    for (settle(engine); engine.wants & wants.DATA; settle(engine)) data.push(drain(engine.plainOut));
    if (at === bytes.length || !(engine.wants & wants.READ)) return Buffer.concat(data);
  }
}
