import { NOW } from "../../certs/fixtures.js";
import {
  type ClientOptions,
  namedGroup,
  type Provider,
  TlsClient,
  trustAnchor,
  wants,
} from "../../src/client/index.js";
import { named } from "../faults.js";
import { subjects } from "../hosts/providers.js";
import { concat } from "../peers/bytes.js";
import { identity } from "../peers/identity.js";
import { Puppet } from "../peers/puppet.js";
import type { Script } from "../peers/script.js";
import type { Subject } from "./play.js";

/** One side of a whole connection, and the other that it was recorded with. */
export interface Recording {
  readonly bytes: Buffer;
  readonly data: Buffer;
  /** The same again: played the same bytes, it does the same. */
  subject(): Subject;
}

const privateKey = Buffer.alloc(48, 0x42);
const keySize: Record<number, number> = { [namedGroup.x25519]: 32, [namedGroup.secp256r1]: 32 };

/** A provider whose random bytes and key pairs are always the same. */
export function determined(): Provider {
  const { provider, exchangeOf } = subjects[0];
  return {
    ...provider,
    random: (bytes, start, end) => void bytes.fill(0x24, start, end),
    exchange: (group) => exchangeOf(group, privateKey.subarray(0, keySize[group] ?? 48)),
  };
}

const options: ClientOptions = {
  provider: determined(),
  serverName: "localhost",
  trust: [trustAnchor(identity("p256", "root").chain[0])],
  clock: () => NOW,
  ocsp: { policy: "chain" },
  buffers: { input: 8192 },
};

/** Records a puppet with a new client: the handshake, and what `after` makes the puppet send. */
export function record(
  script: Script,
  extra: Partial<ClientOptions>,
  after: (puppet: Puppet) => Buffer,
): Recording {
  const settings = { ...options, ...extra };
  const client = new TlsClient(settings);
  const puppet = new Puppet(script);
  const sent: Buffer[] = [];
  while (!(client.established && puppet.open)) sent.push(turn(client, puppet));
  sent.push(after(puppet));
  return { bytes: concat(...sent), data: Buffer.from(words), subject: () => new TlsClient(settings) };
}

/** What the puppet sends as application data in `after`. */
export const words = "data that must come out as it went in";

/** Lets the client do what it can; returns what the server answered, and has handed it over. */
export function turn(client: TlsClient, server: { feed(bytes: Uint8Array): Buffer }): Buffer {
  while (client.wants & wants.WORK) client.work();
  if (client.fault) throw new Error(named(client.fault));
  const { bytes, start, end } = client.cipherOut;
  const answer = server.feed(bytes.subarray(start, end));
  client.cipherOut.advance(end - start);
  for (let at = 0; at < answer.length; ) at += give(client, answer.subarray(at));
  return answer;
}

function give(client: TlsClient, bytes: Buffer): number {
  const { cipherIn } = client;
  const n = Math.min(bytes.length, cipherIn.end - cipherIn.start);
  cipherIn.bytes.set(bytes.subarray(0, n), cipherIn.start);
  cipherIn.advance(n);
  while (client.wants & wants.WORK) client.work();
  if (client.fault) throw new Error(named(client.fault));
  return n;
}
