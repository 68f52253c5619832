import { psa } from "../../hosts/psa/index.js";
import { type ClientOptions, type Provider, TlsClient, trustAnchor, wants } from "../../src/client/index.js";
import type { Job } from "./job.js";

// Replays a recorded connection in XS: real parsing, real verification, nothing random. What stands at the
// top level is flash; `main` and what it makes is RAM.

const job: Job = JSON.parse(text(new Uint8Array(host.readFile(programArguments[0]))));
const handshake = base64(job.handshake);
const data = job.data.map(base64);
const trust = job.trust.map(base64);
const privateKey = new Uint8Array(32).fill(0x42);
/** As a TCP segment brings them. */
const SEGMENT = 1460;

function text(bytes: Uint8Array): string {
  let all = "";
  for (let i = 0; i < bytes.length; i++) all += String.fromCharCode(bytes[i]);
  return all;
}

function base64(encoded: string): Uint8Array {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const clean = encoded.replace(/=/g, "");
  const bytes = new Uint8Array(Math.floor((clean.length * 3) / 4));
  for (let i = 0, at = 0, bits = 0, held = 0; i < clean.length; i++) {
    held = (held << 6) | alphabet.indexOf(clean[i]);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = held >> bits;
      held &= (1 << bits) - 1;
    }
  }
  return bytes;
}

/** A provider that draws what the recording's drew; in flash, as firmware's is. */
const provider: Provider = Object.freeze(
  Object.create(psa(globalThis.psa), {
    random: { value: (bytes: Uint8Array, start: number, end: number) => void bytes.fill(0x24, start, end) },
    exchange: { value: (group: number) => new globalThis.psa.Exchange(group, privateKey, 0, 32) },
  }),
);

function options(): ClientOptions {
  return {
    provider,
    serverName: job.serverName,
    trust: [trustAnchor(trust[0])],
    clock: () => job.clock,
    minVersion: job.version,
    maxVersion: job.version,
    suites: job.suites,
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
function run(client: TlsClient): void {
  for (;;) {
    const now = client.wants;
    if (now & wants.WORK) step(client);
    else if (now & wants.WRITE) client.cipherOut.advance(client.cipherOut.end - client.cipherOut.start);
    else if (now & wants.DATA) client.plainOut.advance(client.plainOut.end - client.plainOut.start);
    else return;
  }
}

function step(client: TlsClient): void {
  client.work();
  if (!client.established) host.mark(client.state);
}

/** Gives the client bytes as a socket would. */
function receive(client: TlsClient, bytes: Uint8Array): void {
  const { cipherIn } = client;
  for (let at = 0; at < bytes.length; ) {
    const n = Math.min(bytes.length - at, cipherIn.end - cipherIn.start, SEGMENT);
    if (n === 0) throw new Error("the client takes no more");
    for (let i = 0, to = cipherIn.start; i < n; i++) cipherIn.bytes[to + i] = bytes[at + i];
    cipherIn.advance(n);
    at += n;
    run(client);
    if (client.fault) throw new Error(client.fault.name);
  }
}

function send(client: TlsClient, size: number): void {
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
  const client = new TlsClient(options());
  host.mark("constructed");
  run(client);
  receive(client, handshake);
  if (!client.established) throw new Error(`stopped in ${client.state}`);
  host.mark("established");
  for (let i = 0; i < data.length; i++) {
    receive(client, data[i]);
    if (i === 10 || i === data.length - 1) settle(`record ${i}`);
  }
  for (let i = 0; i < job.send.times; i++) {
    send(client, job.send.size);
    if (i === 10 || i === job.send.times - 1) settle(`sent ${i}`);
  }
  host.print(`established ${client.verdicts.map(({ status }) => status).join(" ")}`);
};

function settle(label: string): void {
  host.collect();
  host.mark(label);
}
