import { BareClient, type ClientOptions, usual, wants } from "../../src/client/index.js";
import { trustAnchor } from "../../src/pki/index.js";
import { job, recorded, trust } from "./flash.js";
import { provider } from "./provider.js";

// Replays a recorded connection in XS: real parsing, real verification, nothing random. `main` and what it makes
// is RAM; what stands at the top level is flash.

const HEADER = 5;
/** Bytes of a TCP segment. */
const SEGMENT = 1460;
/** Whether memory and computrons are noted after that many records; a table, so that asking always costs the same. */
const noted = new Uint8Array(1001);
for (const count of job.milestones) noted[count] = 1;

function options(): ClientOptions {
  return {
    provider,
    serverName: job.serverName,
    trust: [trustAnchor(trust, usual.pki)],
    clock: () => job.clock,
    minVersion: job.version,
    maxVersion: job.version,
    groups: job.groups,
    schemes: job.schemes,
    ocsp: { policy: job.policy },
    maxFragmentLength: job.maxFragmentLength,
    recordSizeLimit: job.recordSizeLimit,
    maxCertificates: job.maxCertificates,
    buffers: job.buffers,
  };
}

/** Lets the client work until it waits; what it sends is dropped. */
function run(client: BareClient): void {
  for (;;) {
    const now = client.wants;
    if (now & wants.WORK) step(client);
    else if (now & wants.WRITE) client.cipherOut.advance(client.cipherOut.end - client.cipherOut.start);
    else if (now & wants.DATA) client.plainOut.advance(client.plainOut.end - client.plainOut.start);
    else return;
  }
}

function step(client: BareClient): void {
  client.work();
  if (!client.established) note(client.state);
}

/** Gives the client recorded bytes as a socket would. */
function receive(client: BareClient, at: number, end: number): void {
  const { cipherIn } = client;
  while (at < end) {
    const n = Math.min(end - at, cipherIn.end - cipherIn.start, SEGMENT);
    if (n === 0) throw new Error("the client takes no more");
    cipherIn.bytes.set(recorded.subarray(at, at + n), cipherIn.start);
    cipherIn.advance(n);
    at += n;
    run(client);
    if (client.fault) throw new Error(`fault 0x${client.fault.toString(16)}`);
  }
}

function send(client: BareClient, size: number): void {
  const { plainIn } = client;
  for (let left = size; left > 0; ) {
    const n = Math.min(left, plainIn.end - plainIn.start);
    for (let i = 0, to = plainIn.start; i < n; i++) plainIn.bytes[to + i] = i;
    plainIn.advance(n);
    left -= n;
    run(client);
  }
}

globalThis.main = function main(): void {
  const client = new BareClient(options(), usual);
  note("CONSTRUCTED");
  run(client);
  receive(client, 0, job.handshakeLength);
  if (!client.established) throw new Error(`stopped in ${client.state}`);
  note("ESTABLISHED");
  let count = 0;
  for (let at = job.handshakeLength; at < recorded.length; ) {
    const end = at + HEADER + (recorded[at + 3] << 8) + recorded[at + 4];
    receive(client, at, end);
    settle(++count);
    at = end;
  }
  for (let i = 1; i <= job.send.times; i++) {
    send(client, job.send.size);
    settle(i);
  }
  // The policy has seen to it that the staples are good
  host.print("established");
};

function note(label: string): void {
  if (job.live) host.collect();
  host.mark(label);
}

/** Marks what is there after some of the records, garbage collected. */
function settle(count: number): void {
  if (noted[count] === 0) return;
  // Before, so that the label's string is not in it
  const label = `record ${count}`;
  host.collect();
  host.mark(label);
}
