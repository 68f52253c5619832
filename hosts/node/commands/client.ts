import type { Command } from "commander";
import { Tap } from "../capture/tap.js";
import { type ConnectOptions, Stapler } from "../index.js";
import type { LookupReport } from "../ocsp/lookup.js";
import { TLSSocket } from "../socket/socket.js";
import { Trace } from "../trace/trace.js";
import { compatCheck, compatClient } from "./compat.js";
import { clientFlags, connectOptions, type Flags, greeting, nodeFlags } from "./flags.js";
import { type Outcome, outcomeOf, report, reportJson } from "./report.js";
import { SideFiles } from "./side-files.js";
import type { Output } from "./usage.js";

/** Milliseconds: for the connection and each pause of an answer that was asked for. */
export const PATIENCE = 10_000;
/** Milliseconds to wait for an answer to the greeting, and for the server's end: neither need come. */
export const COURTESY = 500;

/** Shakes hands, speaks, listens, and ends; an answer is not needed for success, an orderly end of it is. */
export type Talk<F extends Flags> = (options: ConnectOptions, flags: F, files: SideFiles) => Promise<Outcome>;

/** `tlstaple client`. `finish` gets the exit code. */
export function clientCommand(out: Output, err: Output, finish: (code: number) => void): Command {
  const run = (flags: Flags) => client(compatClient(flags, err), talkInNode, out, err);
  return nodeFlags(clientFlags(async (flags) => finish(await run(flags))));
}

/** The same in another place than Node, where `talk` talks. */
export function clientCommandIn<F extends Flags>(
  talk: Talk<F>,
  out: Output,
  err: Output,
  finish: (code: number) => void,
): Command {
  return clientFlags(async (flags) => finish(await client(flags as F, talk, out, err)));
}

async function client<F extends Flags>(flags: F, talk: Talk<F>, out: Output, err: Output): Promise<number> {
  const files = new SideFiles(flags, err);
  const options = connectOptions(flags);
  const meet = async (options: ConnectOptions): Promise<Outcome> => ({
    ...(await traced(options, flags, files, talk)),
    asked: options.ocsp?.stapling !== "off",
  });
  const outcomes = [await meet(options)];
  if (!flags.json) report(outcomes[0], out, err);
  if (flags.resume && outcomes[0].error === undefined) {
    outcomes.push(await meet({ ...options, session: outcomes[0].session }));
    if (!flags.json) report(outcomes[1], out, err);
  }
  files.close();
  if (flags.json) reportJson(outcomes, out);
  return files.spoilt || outcomes.some(({ error }) => error !== undefined) ? 1 : 0;
}

async function traced<F extends Flags>(
  options: ConnectOptions,
  flags: F,
  files: SideFiles,
  talk: Talk<F>,
): Promise<Outcome> {
  if (!flags.trace) return talk(options, flags, files);
  const lines: string[] = [];
  const trace = new Trace((line) => lines.push(line));
  const onMessage: ConnectOptions["onMessage"] = (...message) => trace.record(...message);
  return { ...(await talk({ ...options, onMessage }, flags, files)), trace: lines };
}

function talkInNode(options: ConnectOptions, flags: Flags, files: SideFiles): Promise<Outcome> {
  const tap = files.capture && new Tap(files.capture, true);
  const stapler = flags.clientStapleFetch ? new Stapler({ issuers: flags.ca }) : undefined;
  const how = {
    ...options,
    clientStaple: stapler ?? options.clientStaple,
    timeout: PATIENCE,
    onCipher: tap?.onCipher,
    checkServerIdentity: compatCheck(flags),
  };
  const socket = new TLSSocket(how, flags.compat !== undefined);
  const { host, port } = flags;
  if (files.logsSecrets) socket.on("keylog", files.secret);
  tap?.watch(socket);
  return new Promise((resolve) => {
    const reply: Buffer[] = [];
    const lookups: LookupReport[] = [];
    const unstapled: string[] = [];
    const complain = ({ message }: Error) => unstapled.push(message);
    stapler?.on("stapleError", complain);
    socket.on("stapleError", complain);
    let error: Error | undefined;
    socket.on("ocspLookup", (lookup: LookupReport) => lookups.push(lookup));
    socket.on("secureConnect", () => speak(socket, flags));
    socket.on("data", (chunk: Buffer) => reply.push(chunk));
    socket.on("timeout", () => lostPatience(socket));
    socket.on("error", (thrown) => {
      error = thrown;
    });
    socket.on("close", () => {
      stapler?.close();
      resolve({ host, port, ...outcomeOf(socket), lookups, unstapled, error, reply: Buffer.concat(reply) });
    });
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
