/** A connection recorded once and played again in memory, with real cryptography or with none. */

import { once } from "node:events";
import { connect } from "node:net";
import {
  type ClientOptions,
  type Exchange,
  type Provider,
  TlsClient,
  TlsError,
  wants,
} from "../../src/client/index.js";
import { request } from "./peers/peer.js";

/** Hands out the same random bytes and key pairs on every connection, so that the server's bytes fit them. */
export class Repeater {
  readonly provider: Provider;
  private readonly randoms: Uint8Array[] = [];
  private readonly exchanges: Exchange[] = [];
  private randomAt = 0;
  private exchangeAt = 0;

  constructor(real: Provider) {
    this.provider = Object.freeze<Provider>({
      ...real,
      random: (bytes, start, end) => {
        real.random(bytes, start, end);
        const i = this.randomAt++;
        this.randoms[i] ??= bytes.slice(start, end);
        bytes.set(this.randoms[i], start);
      },
      exchange: (group) => {
        const fresh = real.exchange(group);
        const i = this.exchangeAt++;
        this.exchanges[i] ??= kept(fresh);
        return this.exchanges[i];
      },
    });
  }

  rewind(): void {
    this.randomAt = this.exchangeAt = 0;
  }
}

function kept(exchange: Exchange): Exchange {
  return {
    publicKey: (out, at) => exchange.publicKey(out, at),
    agree: (peer, start, end, out, at) => exchange.agree(peer, start, end, out, at),
    dispose() {},
  };
}

/**
 * Gives the answers that a real provider gave on an earlier connection, without computing anything: what is
 * left is the cost of the core.
 */
export class Echo {
  /** Listens to a real provider. */
  readonly recorder: Provider;
  /** Repeats what was heard. */
  readonly provider: Provider;
  private readonly answers: Uint8Array[] = [];
  private at = 0;

  constructor(real: Provider) {
    const keep = (out: Uint8Array, at: number, end: number) => void this.answers.push(out.slice(at, end));
    const tell = (out: Uint8Array, at: number) => this.tell(out, at);
    this.recorder = recorder(real, keep);
    this.provider = repeater(real, tell);
  }

  rewind(): void {
    this.at = 0;
  }

  private tell(out: Uint8Array, at: number): number {
    const answer = this.answers[this.at++];
    for (let i = 0; i < answer.length; i++) out[at + i] = answer[i];
    return answer.length;
  }
}

const TAG = 16;
/** Of a record longer than any handshake message here only the last byte matters: the content's type. */
const LONG = 8192;

function recorder(real: Provider, keep: (out: Uint8Array, at: number, end: number) => void): Provider {
  return Object.freeze<Provider>({
    ...real,
    random(bytes, start, end) {
      real.random(bytes, start, end);
      keep(bytes, start, end);
    },
    hash(algorithm) {
      const hash = real.hash(algorithm);
      return {
        update: (bytes, start, end) => hash.update(bytes, start, end),
        digest(out, at) {
          hash.digest(out, at);
          keep(out, at, at + sizes[algorithm]);
        },
      };
    },
    hmac(algorithm, key, keyStart, keyEnd, data, start, end, out, at) {
      real.hmac(algorithm, key, keyStart, keyEnd, data, start, end, out, at);
      keep(out, at, at + sizes[algorithm]);
    },
    aead(algorithm, key, start, end) {
      const aead = real.aead(algorithm, key, start, end);
      return {
        seal: aead.seal.bind(aead),
        open(nonce, aad, aadStart, aadEnd, bytes, from, to) {
          const good = aead.open(nonce, aad, aadStart, aadEnd, bytes, from, to);
          keep(bytes, to - from > LONG ? to - TAG - 1 : from, to - TAG);
          return good;
        },
        dispose: () => aead.dispose(),
      };
    },
    exchange(group) {
      const exchange = real.exchange(group);
      return {
        publicKey(out, at) {
          const n = exchange.publicKey(out, at);
          keep(out, at, at + n);
          return n;
        },
        agree(peer, start, end, out, at) {
          const n = exchange.agree(peer, start, end, out, at);
          keep(out, at, at + n);
          return n;
        },
        dispose: () => exchange.dispose(),
      };
    },
  });
}

const sizes = Object.freeze({ sha1: 20, sha256: 32, sha384: 48, sha512: 64 });

/** One object of each kind serves all, so that what is allocated is the core's. */
function repeater(real: Provider, tell: (out: Uint8Array, at: number) => number): Provider {
  const nothing = () => {};
  const hash = Object.freeze({
    update: nothing,
    digest: (out: Uint8Array, at: number) => void tell(out, at),
  });
  const aead = Object.freeze<ReturnType<Provider["aead"]>>({
    seal: nothing,
    open(_nonce, _aad, _aadStart, _aadEnd, bytes, from, to) {
      tell(bytes, to - from > LONG ? to - TAG - 1 : from);
      return true;
    },
    dispose: nothing,
  });
  const exchange = Object.freeze<Exchange>({
    publicKey: tell,
    agree: (_peer, _start, _end, out, at) => tell(out, at),
    dispose: nothing,
  });
  const verification = Object.freeze({ update: nothing, end: nothing, digest: () => 0, settle: () => true });
  return Object.freeze<Provider>({
    ...real,
    random: (bytes, start) => void tell(bytes, start),
    hash: () => hash,
    hmac: (_algorithm, _key, _keyStart, _keyEnd, _data, _start, _end, out, at) => void tell(out, at),
    aead: () => aead,
    exchange: () => exchange,
    verification: () => verification,
  });
}

/** Runs a connection over TCP that asks for `n` bytes; returns all that the server sent, as it was sent. */
export async function record(port: number, options: ClientOptions, n: number): Promise<Buffer> {
  const client = new TlsClient(options);
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  const received: Buffer[] = [];
  let asked = false;
  let left = n;
  const pump = () => {
    const { cipherOut, plainIn, plainOut } = client;
    while (client.wants & (wants.WORK | wants.WRITE | wants.DATA)) {
      client.work();
      left -= skip(plainOut);
      if (client.established && !asked && client.wants & wants.SPACE) {
        plainIn.bytes.set(request(n), plainIn.start);
        plainIn.advance(4);
        asked = true;
      }
      socket.write(Buffer.from(cipherOut.bytes.subarray(cipherOut.start, cipherOut.end)));
      skip(cipherOut);
    }
    if (client.fault) throw new TlsError(client.fault);
  };
  pump();
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    received.push(chunk);
    feed(client, chunk, pump);
    if (left === 0) break;
  }
  return Buffer.concat(received);
}

/** Reads what a port holds, and returns how much that was. */
function skip(port: { start: number; end: number; advance(n: number): void }): number {
  const n = port.end - port.start;
  if (n > 0) port.advance(n);
  return n;
}

function feed(client: TlsClient, bytes: Uint8Array, pump: () => void): void {
  const { cipherIn } = client;
  for (let at = 0; at < bytes.length; ) {
    const n = Math.min(cipherIn.end - cipherIn.start, bytes.length - at);
    cipherIn.bytes.set(bytes.subarray(at, at + n), cipherIn.start);
    cipherIn.advance(n);
    at += n;
    pump();
  }
}

/** Plays `bytes` to a client, and returns how much application data there was. Throws the fault, if any. */
export function play(client: TlsClient, bytes: Uint8Array): number {
  let received = 0;
  const pump = () => {
    while (client.wants & (wants.WORK | wants.WRITE | wants.DATA)) {
      client.work();
      received += skip(client.plainOut);
      skip(client.cipherOut);
    }
    if (client.fault) throw new TlsError(client.fault);
  };
  pump();
  feed(client, bytes, pump);
  return received;
}
