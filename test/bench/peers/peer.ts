import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";

/** Where to connect, and what to make of it. */
export interface Target {
  readonly port: number;
  readonly name: string;
  /** PEM of the root to trust. */
  readonly root: string;
  readonly version: string;
  /** Ask for a staple; verify it if the peer can. */
  readonly staple: boolean;
}

/** A TLS client under test. */
export interface Peer {
  /** What it verifies of: chain, name, staple. */
  readonly verifies: string;
  /** What it cannot do of what is measured. */
  readonly limits: string;
  /** The scenarios that it can connect to, by id. */
  readonly scenarios: readonly string[];
  /** Whether it can ask for a staple. */
  readonly staples: boolean;
  /**
   * Connects, completes the handshake, verifies, asks for `n` bytes, and is done when they have come. Says
   * what was negotiated.
   */
  fetch(target: Target, n: number): Promise<string>;
}

/** What the client sends: the number of bytes that it wants. */
export function request(n: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(n);
  return bytes;
}

export function openTcp(port: number): Socket {
  return connect({ port, host: "127.0.0.1", noDelay: true });
}

/** Asks a connection that is ready for `n` bytes, counts them, and closes it. */
export function receive(stream: Duplex, n: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let left = n;
    stream.on("error", reject);
    stream.on("close", () => reject(new Error(`closed, with ${left} bytes to come`)));
    stream.on("data", (chunk: Buffer) => {
      left -= chunk.length;
      if (left > 0) return;
      resolve();
      stream.destroy();
    });
    stream.write(request(n));
  });
}

/** All modern scenarios of a version. */
export function scenariosOf(...versions: string[]): string[] {
  return versions.flatMap((version) => [`${version} P-256`, `${version} RSA`]);
}
