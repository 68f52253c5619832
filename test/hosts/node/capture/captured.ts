import { mkdtempSync, rmSync } from "node:fs";
import { connect as connectTcp, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ExecutionContext } from "ava";
import type { Flow } from "../../../../hosts/node/capture/pcapng.js";
import { type ConnectOptions, connect, type TLSSocket } from "../../../../hosts/node/index.js";

/** What a session is recorded by. */
export type Conversed = Pick<Flow, "cipher" | "secret" | "end" | "close">;

/** A file in a directory that goes with the test. */
export function scratchFile(t: ExecutionContext, name = "session.pcapng"): string {
  const directory = mkdtempSync(join(tmpdir(), "tlstaple-"));
  t.teardown(() => rmSync(directory, { recursive: true }));
  return join(directory, name);
}

/** Our client's connection to that port of 127.0.0.1, captured by all of the flows. */
export function capturedSession(port: number, options: ConnectOptions, ...flows: Conversed[]): TLSSocket {
  const socket = connect({ ...options, socket: tapped(port, flows) });
  socket.on("keylog", (line: Buffer) => {
    for (const flow of flows) flow.secret(line);
  });
  socket.on("close", () => {
    for (const flow of flows) flow.close();
  });
  return socket;
}

function tapped(port: number, flows: readonly Conversed[]): Socket {
  const socket = connectTcp({ port, host: "127.0.0.1", allowHalfOpen: true });
  const { write } = socket;
  const see = (sent: boolean) => (bytes: Buffer) => {
    for (const flow of flows) flow.cipher(sent, bytes);
  };
  socket.on("data", see(false));
  socket.on("end", () => {
    for (const flow of flows) flow.end(false);
  });
  socket.write = (bytes: Buffer, ...rest: unknown[]) => {
    see(true)(bytes);
    return write.apply(socket, [bytes, ...rest] as never);
  };
  return socket;
}
