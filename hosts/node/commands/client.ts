import { closeSync, writeSync } from "node:fs";
import type { Command } from "commander";
import { type ConnectOptions, connect, type TLSSocket } from "../index.js";
import { Trace } from "../trace.js";
import { clientFlags, connectOptions, type Flags, greeting } from "./flags.js";
import { type Outcome, outcomeOf, report, reportJson } from "./report.js";
import type { Output } from "./usage.js";

/** Milliseconds: for the connection and each pause of an answer that was asked for. */
export const PATIENCE = 10_000;
/** Milliseconds to wait for an answer to the greeting, and for the server's end: neither need come. */
export const COURTESY = 500;

/** Shakes hands, speaks, listens, and ends; an answer is not needed for success, an orderly end of it is. */
export type Talk<F extends Flags> = (options: ConnectOptions, flags: F) => Promise<Outcome>;

/** `tlstaple client`, which talks through Node or, given another `talk`, elsewhere. `finish` gets the exit code. */
export function clientCommand<F extends Flags = Flags>(
  out: Output,
  err: Output,
  finish: (code: number) => void,
  talk: Talk<F> = talkInNode,
): Command {
  return clientFlags(async (flags) => finish(await client(flags as F, talk, out, err)));
}

async function client<F extends Flags>(flags: F, talk: Talk<F>, out: Output, err: Output): Promise<number> {
  const lines: string[] = [];
  const show = (line: string) => (flags.json ? lines.push(line) : out.write(`${line}\n`));
  const trace = flags.trace ? new Trace(show) : undefined;
  const onMessage: ConnectOptions["onMessage"] = trace && ((...message) => trace.record(...message));
  const outcome = await talk({ ...connectOptions(flags), onMessage }, flags);
  if (flags.keylog !== undefined) closeSync(flags.keylog);
  if (flags.json) reportJson(outcome, flags.trace ? lines : undefined, out);
  else report(outcome, out, err);
  return outcome.error ? 1 : 0;
}

function talkInNode(options: ConnectOptions, flags: Flags): Promise<Outcome> {
  const socket = connect({ ...options, timeout: PATIENCE });
  const { keylog, host, port } = flags;
  if (keylog !== undefined) socket.on("keylog", (line: Buffer) => writeSync(keylog, line));
  return new Promise((resolve) => {
    const reply: Buffer[] = [];
    let error: Error | undefined;
    socket.on("secureConnect", () => speak(socket, flags));
    socket.on("data", (chunk: Buffer) => reply.push(chunk));
    socket.on("timeout", () => lostPatience(socket));
    socket.on("error", (thrown) => {
      error = thrown;
    });
    socket.on("close", () =>
      resolve({ host, port, ...outcomeOf(socket), error, reply: Buffer.concat(reply) }),
    );
  });
}

function speak(socket: TLSSocket, flags: Flags): void {
  if (!flags.get) socket.setTimeout(COURTESY);
  socket.write(greeting(flags));
}

/** Silence: before the handshake it is a failure; after it, it is time to end, and then to go. */
function lostPatience(socket: TLSSocket): void {
  if (socket.secureConnecting) socket.destroy(new Error("the server does not answer"));
  else if (socket.writableEnded) socket.destroy();
  else {
    socket.setTimeout(COURTESY);
    socket.end();
  }
}
