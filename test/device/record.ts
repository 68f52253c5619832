import { readFileSync } from "node:fs";
import { NOW, stapleFile } from "../../certs/fixtures.js";
import {
  type ClientOptions,
  handshakeType,
  resumption,
  type Session,
  SignatureMemory,
  signatureScheme,
  TlsClient,
  trustAnchor,
  version,
} from "../../src/client/index.js";
import { schemes } from "../../src/crypto/schemes.js";
import { determined, turn } from "../fuzz/recording.js";
import { identity } from "../peers/identity.js";
import { Puppet } from "../peers/puppet.js";
import type { Script } from "../peers/script.js";
import { TicketServer } from "../peers/ticket-server.js";
import type { DeviceCase } from "./cases.js";
import type { Job } from "./job.js";

/** Of an ECDSA signature in DER: with every job's as long, every run takes the same computrons. */
const SIGNATURE = 71;
/** Signatures that a device remembers by default. */
const SIGNATURES = 8;
const provider = determined();

export interface Recorded {
  /** The program that replays it. */
  readonly program: string;
  readonly job: Job;
  /** All that the server sent. */
  readonly bytes: Buffer;
}

/** Runs a connection with a puppet, until its signature has the usual length, and makes a job of it. */
export function record(device: DeviceCase): Recorded {
  for (;;) {
    const recorded = attempt(device);
    if (recorded) return recorded;
  }
}

function settings(device: DeviceCase): Omit<Job, "handshakeLength"> {
  const root = identity(device.edition, "root").chain[0];
  return {
    trust: root.toString("hex"),
    serverName: "localhost",
    clock: NOW,
    version: device.version,
    policy: device.staples > 1 ? "chain" : "leaf",
    maxFragmentLength: device.maxFragmentLength,
    recordSizeLimit: device.recordSizeLimit,
    suites: device.suites,
    groups: provider.groups,
    schemes: schemes
      .map(({ id }) => id)
      .filter((id) => id !== signatureScheme.ed25519 && id !== signatureScheme.ed448),
    maxCertificates: 2,
    milestones: milestones(device),
    live: false,
    buffers: device.buffers,
    send: device.send ?? { size: 0, times: 0 },
  };
}

/** The tenth record and the next, the last and the one before. */
function milestones({ receive, send }: DeviceCase): number[] {
  const times = receive?.times ?? send?.times;
  return times === undefined ? [] : [10, 11, times - 1, times];
}

function optionsOf(job: Omit<Job, "handshakeLength">, verify: boolean): ClientOptions {
  const { trust, clock, version, policy, send, live, milestones, kept, ...rest } = job;
  return {
    ...rest,
    provider,
    trust: [trustAnchor(Buffer.from(trust, "hex"))],
    clock: () => clock,
    minVersion: version,
    maxVersion: version,
    ocsp: { policy },
    verify,
  };
}

function scriptOf(device: DeviceCase): Script {
  const { holder = "server1" } = device;
  const server = identity(device.edition, holder);
  const staples = [holder, "intermediate1"].map((name) => readFileSync(stapleFile(device.edition, name)));
  return {
    ...server,
    version: device.version,
    staples: staples.slice(0, device.staples),
    maxFragmentLength: device.maxFragmentLength !== undefined,
    recordSizeLimit: device.recordSizeLimit === undefined ? undefined : 16385,
    hello: { random: Buffer.alloc(32, 0x24) },
  };
}

/** How many bytes the server's signature has: its message holds it and, in TLS 1.2, an X25519 key. */
class SignatureWatch {
  length = 0;
  private readonly type: number;
  private readonly before: number;

  constructor(device: DeviceCase) {
    const tls13 = device.version === version.tls13;
    this.type = tls13 ? handshakeType.certificate_verify : handshakeType.server_key_exchange;
    this.before = tls13 ? 8 : 44;
  }

  see(sent: boolean, type: number, start: number, end: number): void {
    if (!sent && (type & 0xff) === this.type) this.length = end - start - this.before;
  }
}

/** What the client is connected to: a puppet, or, where sessions are kept, a server with tickets. */
function serverOf(device: DeviceCase): Puppet | TicketServer {
  return device.kept ? new TicketServer({ maxVersion: device.version }) : new Puppet(scriptOf(device));
}

/** What a first connection leaves of sessions and signatures: those as the device's provider would have verified them. */
function firstOf(device: DeviceCase, options: ClientOptions): { session: Session; signatures: Uint8Array } {
  let session: Session | undefined;
  const onSession = (each: Session) => {
    session = each;
  };
  const own = { ...provider, name: "psa" };
  const memory = new SignatureMemory(own, SIGNATURES);
  const client = new TlsClient({ ...options, provider: own, onSession, remembered: memory });
  converse(client, serverOf(device));
  if (session === undefined) throw new Error("no session");
  return { session, signatures: memory.bytes };
}

/** Whatever the server sends until the client is connected, and with the end of the handshake. */
function converse(client: TlsClient, server: Puppet | TicketServer): Buffer[] {
  const handshake: Buffer[] = [];
  while (!(client.established && server.open)) handshake.push(turn(client, server));
  return handshake;
}

function attempt(device: DeviceCase): Recorded | undefined {
  const { size = 0, times = 0 } = device.receive ?? {};
  const job = settings(device);
  const watch = new SignatureWatch(device);
  const options = optionsOf(job, device.refused === undefined);
  const before = device.kept && firstOf(device, options);
  const session = device.kept === "session" ? before?.session : undefined;
  const client = new TlsClient({
    ...options,
    session,
    onSession: device.kept && (() => undefined),
    onMessage: (sent, type, _, start, end) => watch.see(sent, type, start, end),
  });
  const server = serverOf(device);
  const handshake = converse(client, server);
  if (device.edition === "p256" && !session && watch.length !== SIGNATURE) return undefined;
  if (client.resumed !== (session !== undefined)) throw new Error("the session is not resumed");
  const data = Array.from({ length: times }, () => sealed(server, Buffer.alloc(size, 0x61)));
  const handshakeLength = handshake.reduce((sum, { length }) => sum + length, 0);
  const program = device.socket ? "socket-program" : "program";
  const kept = before && {
    session: session ? toHex(resumption.calls.encode(provider, session)) : "",
    signatures: device.kept === "signatures" ? toHex(before.signatures) : "",
  };
  return {
    program,
    job: { ...job, kept, handshakeLength },
    bytes: Buffer.concat([...handshake, ...data]),
  };
}

/** A record of the server's. */
function sealed(server: Puppet | TicketServer, data: Buffer): Buffer {
  return server instanceof Puppet ? server.sendData(data) : server.send(data);
}

const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
