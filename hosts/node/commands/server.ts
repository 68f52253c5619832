import { once } from "node:events";
import { writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { Command } from "commander";
import { Tap } from "../capture/tap.js";
import { printable } from "../common/text.js";
import {
  createServer,
  type Server,
  type ServerOptions,
  type ServerSocket,
  type StapleError,
  Stapler,
} from "../index.js";
import { Trace } from "../trace/trace.js";
import { PATIENCE } from "./client.js";
import { compatServer } from "./compat.js";
import { type ServerFlags, serverFlags, serverOptions } from "./server-flags.js";
import { report, reportJson, type Served } from "./server-report.js";
import { SideFiles } from "./side-files.js";
import type { Output } from "./usage.js";

/** Bytes that are kept of what a client says. */
const MAX_SAID = 16384;
const GREETING = "hello from tlstaple\n";
const HTTP_GREETING = [
  "HTTP/1.1 200 OK",
  "Content-Type: text/plain",
  `Content-Length: ${GREETING.length}`,
  "Connection: close",
  "",
  GREETING,
].join("\r\n");

const signals = ["SIGINT", "SIGTERM"] as const;

/** `tlstaple server`. `finish` gets the exit code. */
export function serverCommand(out: Output, err: Output, finish: (code: number) => void): Command {
  return serverFlags(async (flags) => finish(await serve(compatServer(flags), out, err)));
}

async function serve(flags: ServerFlags, out: Output, err: Output): Promise<number> {
  const session = new Session(flags, out, err);
  const end = () => session.end();
  for (const signal of signals) process.once(signal, end);
  try {
    return await session.run();
  } catch (error) {
    err.write(`${printable((error as Error).message)}\n`);
    return 1;
  } finally {
    for (const signal of signals) process.off(signal, end);
  }
}

/** One run of the command: its server, and what it prints. */
class Session {
  private readonly flags: ServerFlags;
  private readonly out: Output;
  private readonly err: Output;
  private readonly server: Server;
  private readonly stapler: Stapler;
  private readonly files: SideFiles;
  private readonly taps = new WeakMap<ServerSocket, Tap>();
  private readonly traces = new Map<ServerSocket, Traced>();
  private readonly transports = new Set<Duplex>();
  private readonly conversations = new Set<Promise<void>>();
  private ended = false;
  private reported = 0;
  private failed = false;

  constructor(flags: ServerFlags, out: Output, err: Output) {
    this.flags = flags;
    this.out = out;
    this.err = err;
    const options = serverOptions(flags);
    this.files = new SideFiles(flags, err);
    const { ocspUrl, ca, issuers = ca, responder } = flags;
    this.stapler = new Stapler({ overrideUrl: ocspUrl, issuers, responders: responder });
    const onMessage: ServerOptions["onMessage"] = (...message) => this.trace(...message);
    this.server = createServer({
      ...options,
      stapler: this.stapler,
      onMessage: flags.trace ? onMessage : undefined,
      onCipher: this.files.capture && ((sent, bytes, socket) => this.tap(socket).onCipher(sent, bytes)),
    });
    this.server.on("stapleError", (error) => this.complain(error));
    this.server.on("connection", (transport) => this.count(transport));
    this.server.on("secureConnection", (socket) => this.follow(this.converse(socket)));
    this.server.on("tlsClientError", (error, socket) => this.report(socket, { error }));
    if (this.files.logsSecrets) this.server.on("keylog", this.files.secret);
  }

  /** Serves until the end; the exit code. */
  async run(): Promise<number> {
    const { anyInterface, loop, port } = this.flags;
    this.server.listen(port, anyInterface ? undefined : "127.0.0.1");
    try {
      await once(this.server, "listening");
      this.announce();
      await once(this.server, "close");
      await Promise.all(this.conversations);
      this.files.close();
      return this.files.spoilt || (this.failed && !loop) ? 1 : 0;
    } finally {
      this.server.close();
      this.stapler.close();
      this.files.close();
    }
  }

  /** Lets nobody in any more, and has those who are there go. */
  end(): void {
    this.ended = true;
    this.server.close();
    for (const transport of this.transports) transport.destroy();
  }

  private announce(): void {
    const { address, family, port } = this.server.address() as AddressInfo;
    const { json, ready } = this.flags;
    if (ready !== undefined) writeFileSync(ready, `${port}\n`);
    const host = family === "IPv6" ? `[${address}]` : address;
    if (!json) this.out.write(`listening on ${host}:${port}\n`);
  }

  private count(transport: Duplex): void {
    this.transports.add(transport);
    transport.once("close", () => this.transports.delete(transport));
    if (!this.flags.loop) this.server.close();
  }

  /** Waits for it at the end, if it goes on by then. */
  private follow(conversation: Promise<void>): void {
    this.conversations.add(conversation);
    conversation.then(() => this.conversations.delete(conversation));
  }

  /** Listens until the client has said something, answers, and ends; resolves when the connection is closed. */
  private converse(socket: ServerSocket): Promise<void> {
    const client = clientOf(socket);
    let said = Buffer.alloc(0);
    let error: Error | undefined;
    socket.setTimeout(PATIENCE, () => (socket.writableEnded ? socket.destroy() : socket.end()));
    socket.on("data", (chunk: Buffer) => {
      said = Buffer.concat([said, chunk]).subarray(0, MAX_SAID);
      if (!socket.writableEnded && isComplete(said)) socket.end(isHttp(said) ? HTTP_GREETING : GREETING);
    });
    socket.on("error", (thrown) => {
      error = thrown;
    });
    return new Promise((resolve) => {
      socket.on("close", () => {
        this.report(socket, { client, said, error, secure: true });
        resolve();
      });
    });
  }

  private report(socket: ServerSocket, found: Partial<Served>): void {
    const { json, trace } = this.flags;
    if (this.ended) return;
    const plain = { number: ++this.reported, client: clientOf(socket), secure: false, error: undefined };
    const served: Served = { ...plain, said: Buffer.alloc(0), ...found, socket };
    this.failed ||= served.error !== undefined;
    if (json) reportJson(served, trace ? (this.traces.get(socket)?.lines ?? []) : undefined, this.out);
    else report(served, this.out, this.err);
    this.traces.delete(socket);
  }

  private tap(socket: ServerSocket): Tap {
    const known = this.taps.get(socket);
    if (known) return known;
    const tap = new Tap(this.files.capture!, false);
    tap.watch(socket);
    this.taps.set(socket, tap);
    return tap;
  }

  private trace(...[sent, type, bytes, start, end, socket]: Message): void {
    const traced = this.traces.get(socket) ?? this.traceOf();
    this.traces.set(socket, traced);
    traced.trace.record(sent, type, bytes, start, end);
  }

  /** Lines that go out at once, or with the connection's JSON. */
  private traceOf(): Traced {
    const lines: string[] = [];
    const show = (line: string) => (this.flags.json ? lines.push(line) : this.out.write(`${line}\n`));
    return { trace: new Trace(show), lines };
  }

  /** No staple, or not a new one: why. */
  private complain({ message, url }: StapleError): void {
    this.err.write(`staple${url ? " from" : ":"} ${printable(message)}\n`);
  }
}

interface Traced {
  readonly trace: Trace;
  readonly lines: string[];
}

type Message = Parameters<NonNullable<ServerOptions["onMessage"]>>;

function clientOf({ remoteAddress, remotePort }: ServerSocket): string {
  return remoteAddress === undefined ? "a client that is gone" : `${remoteAddress}:${remotePort}`;
}

function isHttp(said: Buffer): boolean {
  return said.toString("latin1", 0, 4) === "GET ";
}

/** An HTTP request is answered once its header has come, anything else at once. */
function isComplete(said: Buffer): boolean {
  return !isHttp(said) || said.includes("\r\n\r\n") || said.length === MAX_SAID;
}
