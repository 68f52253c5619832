import { type Fault, faults, isFault, type TlsClient, wants } from "../../src/client/index.js";
import type { TlsServer } from "../../src/server/index.js";
import { named } from "../faults.js";

/** Who is attacked. */
export type Subject = TlsClient | TlsServer;

/** What became of a client that was given bytes and then the transport's end. */
export interface Outcome {
  readonly fault: Fault | undefined;
  readonly data: Buffer;
  readonly closedByPeer: boolean;
}

/** No client needs this many turns for this many bytes. */
function bound(bytes: number): number {
  return 500 + 2 * bytes;
}

/** The client's answers go nowhere. */
function discard(client: Subject): void {
  client.cipherOut.advance(client.cipherOut.end - client.cipherOut.start);
}

/**
 * Gives a client the bytes in pieces whose lengths `size` tells, then the transport's end. Throws when the
 * client throws, never comes to rest, wants nothing, or ends with what is no fault or INTERNAL_ERROR.
 */
export function play(client: Subject, bytes: Uint8Array, size = (left: number) => left): Outcome {
  const data: Buffer[] = [];
  let at = 0;
  let ended = false;
  for (let turns = 0; client.wants !== wants.CLOSED; turns++) {
    if (turns > bound(bytes.length)) throw new Error(`never at rest: ${describe(client)}`);
    const { wants: flags, cipherIn, plainOut } = client;
    if (flags & wants.WORK) client.work();
    else if (flags & wants.WRITE) discard(client);
    else if (flags & wants.DATA) {
      data.push(Buffer.from(plainOut.bytes.subarray(plainOut.start, plainOut.end)));
      plainOut.advance(plainOut.end - plainOut.start);
    } else if (flags & wants.READ && at < bytes.length) {
      const n = Math.min(size(bytes.length - at), bytes.length - at, cipherIn.end - cipherIn.start);
      cipherIn.bytes.set(bytes.subarray(at, at + n), cipherIn.start);
      cipherIn.advance(n);
      at += n;
    } else if (!ended) {
      client.eof();
      ended = true;
    } else if (client.closedByPeer) client.close();
    else throw new Error(`wants nothing: ${describe(client)}`);
  }
  check(client);
  return { fault: client.fault, data: Buffer.concat(data), closedByPeer: client.closedByPeer };
}

function describe(client: Subject): string {
  return `state ${client.state}, wants ${client.wants}, fault ${named(client.fault)}`;
}

function check({ fault, cause, established, closedByPeer }: Subject): void {
  if (fault === faults.INTERNAL_ERROR) throw new Error("INTERNAL_ERROR", { cause });
  if (fault !== undefined && !isFault(fault)) throw new Error(`no fault of ours: ${fault}`);
  if (fault === undefined && !(established && closedByPeer)) throw new Error("neither a fault nor a success");
}
