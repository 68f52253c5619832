import { readFileSync } from "node:fs";
import { NOW, stapleFile } from "../../certs/fixtures.js";
import {
  type ClientOptions,
  handshakeType,
  signatureScheme,
  TlsClient,
  trustAnchor,
  version,
} from "../../src/client/index.js";
import { schemes } from "../../src/crypto/suites.js";
import { determined, turn } from "../fuzz/recording.js";
import { identity } from "../peers/identity.js";
import { Puppet } from "../peers/puppet.js";
import type { Script } from "../peers/script.js";
import type { DeviceCase } from "./cases.js";
import type { Job } from "./job.js";

/** Of an ECDSA signature in DER: with every job's as long, every run takes the same computrons. */
const SIGNATURE = 71;
const provider = determined();

/** Runs a connection with a puppet, until its signature has the usual length, and makes a job of it. */
export function record(device: DeviceCase): Job {
  for (;;) {
    const job = attempt(device);
    if (job) return job;
  }
}

function settings(device: DeviceCase): Omit<Job, "handshake" | "data"> {
  const root = identity(device.edition, "root").chain[0];
  return {
    trust: [root.toString("base64")],
    serverName: "localhost",
    clock: NOW,
    version: device.version,
    policy: device.staples > 1 ? "chain" : "leaf",
    maxFragmentLength: device.maxFragmentLength,
    recordSizeLimit: device.recordSizeLimit,
    suites: device.suites,
    groups: provider.groups,
    schemes: schemes.map(({ id }) => id).filter((id) => id !== signatureScheme.ed25519),
    maxCertificates: 2,
    buffers: device.buffers,
    send: device.send ?? { size: 0, times: 0 },
  };
}

function optionsOf(job: Omit<Job, "handshake" | "data">): ClientOptions {
  const { trust, clock, version, policy, send, ...rest } = job;
  return {
    ...rest,
    provider,
    trust: trust.map((der) => trustAnchor(Buffer.from(der, "base64"))),
    clock: () => clock,
    minVersion: version,
    maxVersion: version,
    ocsp: { policy },
  };
}

function scriptOf(device: DeviceCase): Script {
  const server = identity(device.edition, "server1");
  const staples = ["server1", "intermediate1"].map((name) => readFileSync(stapleFile(device.edition, name)));
  return {
    ...server,
    version: device.version,
    staples: staples.slice(0, device.staples),
    maxFragmentLength: device.maxFragmentLength !== undefined,
    recordSizeLimit: device.recordSizeLimit === undefined ? undefined : 16385,
    hello: { random: Buffer.alloc(32, 0x24) },
  };
}

/** How many bytes the server's signature has, by the message that ends with it. */
class SignatureWatch {
  length = 0;
  private readonly type: number;

  constructor(device: DeviceCase) {
    const { certificate_verify, server_key_exchange } = handshakeType;
    this.type = device.version === version.tls13 ? certificate_verify : server_key_exchange;
  }

  see(sent: boolean, type: number, bytes: Uint8Array, start: number, end: number): void {
    if (sent || (type & 0xff) !== this.type) return;
    this.length = 72;
    while (end - this.length > start && bytes[end - this.length - 1] !== this.length) this.length--;
  }
}

function attempt(device: DeviceCase): Job | undefined {
  const job = settings(device);
  const watch = new SignatureWatch(device);
  const client = new TlsClient({ ...optionsOf(job), onMessage: (...message) => watch.see(...message) });
  const puppet = new Puppet(scriptOf(device));
  const handshake: Buffer[] = [];
  while (!(client.established && puppet.open)) handshake.push(turn(client, puppet));
  if (device.edition === "p256" && watch.length !== SIGNATURE) return undefined;
  const { size = 0, times = 0 } = device.receive ?? {};
  const data = Array.from({ length: times }, () =>
    puppet.sendData(Buffer.alloc(size, 0x61)).toString("base64"),
  );
  return { ...job, handshake: Buffer.concat(handshake).toString("base64"), data };
}
