import type { Transport } from "../../../../hosts/node/socket/transport.js";
import type { Engine } from "../../../../src/record/engine.js";
import { CipherOut } from "../../../../src/record/ports.js";
import { ServerOutbox } from "../../../../src/server/outbox.js";

/** What a socket of ours is made of, for peers that do what no socket would. */
export interface Innards {
  readonly engine: Engine;
  readonly transport: Transport;
}

export function innards(socket: unknown): Innards {
  const { core, transport } = socket as { core: { handshake: Innards }; transport: Transport };
  return { engine: core.handshake.engine, transport };
}

/** Makes one record of the `n` bytes at `contentStart`. */
export function record(engine: Engine, type: number, n: number): Buffer {
  const { outbox } = engine;
  const cipherOut = new CipherOut(engine);
  if (outbox instanceof ServerOutbox) outbox.hold();
  outbox.emit(type, n);
  const { bytes, start, end } = cipherOut;
  const made = Buffer.from(bytes.subarray(start, end));
  cipherOut.advance(end - start);
  return made;
}
