import test from "ava";
import { fixture, NOW } from "../../certs/fixtures.js";
import { provider, signer } from "../../hosts/node/provider.js";
import {
  type ClientOptions,
  faults,
  handshakeType,
  namedGroup,
  TlsClient,
  trustAnchor,
  version,
  wants,
} from "../../src/client/index.js";
import { alertOf } from "../../src/wire/fault.js";
import { named } from "../faults.js";
import { chunks, concat, none, u24 } from "../peers/bytes.js";
import { identity, servers } from "../peers/identity.js";
import { newSessionTicket13 } from "../peers/messages.js";
import { Puppet } from "../peers/puppet.js";
import { layouts, type Script } from "../peers/script.js";
import { mutate } from "./mutate.js";
import { Random, thorough, times } from "./random.js";

/**
 * Servers that change a message and then go on as if it were right: the change is in their transcript, their
 * keys and their signatures. So it reaches the client's parsers with every tag and hash intact.
 */

const { chain, key } = identity("client", "p256");
const staples = [fixture("good/p256/server1-ocsp.der"), fixture("good/p256/intermediate1-ocsp.der")];
const stapled = { ...servers.p256, staples };
const sites = [stapled, stapled, stapled, servers.ed25519, servers.rsa];
const trust = [identity("p256", "root"), identity("rsa", "root")].map((root) => trustAnchor(root.chain[0]));

/** A handshake message with its body changed, its length fitting; now and then its header changed too. */
function change(message: Buffer, random: Random): Buffer {
  if (random.below(6) === 0) return mutate(message, random);
  const body = mutate(message.subarray(4), random);
  return concat(message.subarray(0, 1), u24(body.length), body);
}

function isWhole(message: Buffer): boolean {
  return message.length >= 4 && message.readUIntBE(1, 3) === message.length - 4;
}

/** What a script did. */
interface Lies {
  /**
   * The client may have heard another handshake: what was agreed on was changed (keys, the limit of records),
   * or where a message ends. Then the puppet can't judge what the client says.
   */
  apart: boolean;
}

/** The messages that tell the client what was agreed on. */
const agreeing: number[] = [handshakeType.server_hello, handshakeType.encrypted_extensions];

function scriptOf(random: Random, protocol: number, lies: Lies): Script {
  // One of the first messages, or none
  let countdown = random.below(10);
  const target = (type: number, message: Buffer) => {
    if (countdown-- !== 0) return message;
    const changed = change(message, random);
    if (agreeing.includes(type) || !isWhole(changed)) lies.apart = true;
    return changed;
  };
  const changeKeys = (bytes: Buffer) => {
    lies.apart = true;
    return mutate(bytes, random);
  };
  const maybe = <T>(value: T) => (random.below(3) === 0 ? value : undefined);
  return {
    ...random.pick<Pick<Script, "chain" | "key" | "staples">>(sites),
    version: protocol,
    layout: random.pick([layouts.each, layouts.joined, layouts.pieces(random.between(1, 300))]),
    request: maybe({ schemes: [0x0403, 0x0804] }),
    retry: maybe({ group: namedGroup.secp256r1, cookie: maybe(random.bytes(20)) }),
    alpn: maybe("h2"),
    recordSizeLimit: maybe(random.between(64, 600)),
    tickets: [newSessionTicket13(Buffer.from("ticket"))],
    padding: random.below(30),
    mutate: target,
    params: random.below(10) ? undefined : changeKeys,
    share: random.below(10) ? undefined : changeKeys,
  };
}

function optionsOf(random: Random): ClientOptions {
  return {
    provider,
    serverName: "localhost",
    trust,
    clock: () => NOW,
    alpn: ["h2", "http/1.1"],
    recordSizeLimit: random.pick([undefined, 512, 16385]),
    identity: random.below(2) ? { certificates: chain, signer: signer(key) } : undefined,
    buffers: { input: random.pick([1400, 4096, 20000, 20000]), store: random.pick([2000, 8192, 8192, 8192]) },
  };
}

/** A puppet throws at what a client may not send; also at what it can't decrypt, through no fault of the client. */
function hear(puppet: Puppet, bytes: Uint8Array, lies: Lies): Buffer {
  try {
    return puppet.feed(bytes);
  } catch (error) {
    if (!lies.apart) throw error;
    return none;
  }
}

const MOST_TURNS = 20000;

/** Lets both talk until neither has anything to say; the data that the client got. */
function talk(client: TlsClient, puppet: Puppet, lies: Lies, random: Random): Buffer {
  const data: Buffer[] = [];
  let way: Buffer[] = [];
  for (let turns = 0; turns < MOST_TURNS; turns++) {
    const { wants: flags, cipherIn, cipherOut, plainOut } = client;
    if (flags & wants.WORK) client.work();
    else if (flags & wants.WRITE) {
      const answer = hear(puppet, cipherOut.bytes.subarray(cipherOut.start, cipherOut.end), lies);
      cipherOut.advance(cipherOut.end - cipherOut.start);
      way = way.concat(chunks(answer, random.between(1, 3000)));
    } else if (flags & wants.DATA) {
      data.push(Buffer.from(plainOut.bytes.subarray(plainOut.start, plainOut.end)));
      plainOut.advance(plainOut.end - plainOut.start);
    } else if (flags & wants.READ && way.length > 0) {
      const n = Math.min(way[0].length, cipherIn.end - cipherIn.start);
      cipherIn.bytes.set(way[0].subarray(0, n), cipherIn.start);
      cipherIn.advance(n);
      way[0] = way[0].subarray(n);
      if (way[0].length === 0) way.shift();
    } else if (client.established && data.length === 0 && puppet.open && flags & wants.READ) {
      way.push(puppet.sendData(Buffer.from("hello")), puppet.close());
    } else return concat(...data);
  }
  throw new Error(`never at rest in ${client.state}`);
}

for (const [name, protocol] of Object.entries(version))
  test(`${name}: messages changed by the server itself`, (t) => {
    const random = new Random(t);
    const seen: Record<string, number> = {};
    for (let i = 0; i < times(500); i++) {
      const client = new TlsClient(optionsOf(random));
      const lies: Lies = { apart: false };
      const puppet = new Puppet(scriptOf(random, protocol, lies));
      const data = talk(client, puppet, lies, random);
      const { fault, cause, established } = client;
      const outcome = named(fault) ?? (established ? "success" : "waiting");
      seen[outcome] = (seen[outcome] ?? 0) + 1;
      if (fault === faults.INTERNAL_ERROR) throw cause;
      // What is refused is told, by its own alert
      if (fault && !lies.apart && puppet.ended !== alertOf(fault))
        t.fail(`${i}: ${named(fault)}, alert ${puppet.ended}`);
      if (established && !fault && puppet.open) t.is(data.toString(), "hello", `${i}`);
      else if (!established) t.is(data.length, 0, `${i}`);
    }
    t.log(JSON.stringify(seen));
    t.true(!thorough || Object.keys(seen).length > 10);
  });
