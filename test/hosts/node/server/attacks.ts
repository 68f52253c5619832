/** What hostile clients do to a TLS server. */
import { connect, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { provider } from "../../../../hosts/node/index.js";
import { TlsClient, version } from "../../../../src/client/index.js";
import { contentType as content } from "../../../../src/wire/registry.js";
import { mutate } from "../../../fuzz/mutate.js";
import type { Random } from "../../../fuzz/random.js";
import { chunks, concat, u16, u24 } from "../../../peers/bytes.js";

/** What one hostile connection does; it ends when either side has had enough. */
type Attack = (socket: Socket, random: Random) => void;

/** The ClientHello of our client, as its record. */
function helloOf(protocol: number, stapling: "v1" | "v2-multi"): Buffer {
  const client = new TlsClient({
    provider,
    trust: [],
    verify: false,
    serverName: "localhost",
    clock: () => 1.8e9,
    minVersion: version.tls12,
    maxVersion: protocol,
    alpn: ["h2", "http/1.1"],
    ocsp: { stapling },
  });
  while (client.cipherOut.end === client.cipherOut.start) client.work();
  const { bytes, start, end } = client.cipherOut;
  return Buffer.from(bytes.subarray(start, end));
}

/** ClientHellos that a server can answer, as they go over the wire. */
export const hellos = [
  helloOf(version.tls13, "v1"),
  helloOf(version.tls12, "v1"),
  helloOf(version.tls12, "v2-multi"),
];

function record(type: number, body: Uint8Array, length = body.length): Buffer {
  return concat(Buffer.from([type, 3, 3]), u16(length), body);
}

/** The same handshake message in many records. */
function fragmented(hello: Buffer, size: number): Buffer {
  return concat(...chunks(hello.subarray(5), size).map((part) => record(content.handshake, part)));
}

const close_notify = record(content.alert, Buffer.from([1, 0]));
const warning = record(content.alert, Buffer.from([1, 90]));
const changeCipherSpec = record(content.change_cipher_spec, Buffer.from([1]));
const anyRecord = (random: Random) =>
  record(random.between(19, 26), random.bytes(random.below(300)), random.pick([0, 1, 100, 16384, 16640]));

/** Sends a good ClientHello, and does the rest when the server has answered. */
const afterFlight =
  (rest: Attack): Attack =>
  (socket, random) => {
    socket.write(random.pick(hellos));
    socket.once("data", () => rest(socket, random));
  };

/** Goes through the whole handshake, and does the rest then; both sides of TLS are at hand. */
const afterHandshake =
  (rest: (tls: TLSSocket, socket: Socket, random: Random) => void): Attack =>
  (socket, random) => {
    const maxVersion = random.pick(["TLSv1.2", "TLSv1.3"] as const);
    const tls = connectTls({ socket, rejectUnauthorized: false, maxVersion });
    tls.on("error", () => undefined);
    tls.resume();
    tls.once("secureConnect", () => rest(tls, socket, random));
  };

/** Attacks that come to an end by themselves, or that the server answers at once. */
export const attacks: readonly Attack[] = [
  (socket) => socket.destroy(),
  (socket) => socket.resetAndDestroy(),
  (socket) => socket.end(),
  (socket, random) => socket.end(random.bytes(random.between(1, 2000))),
  (socket, random) => socket.write(random.bytes(random.between(5, 2000))),
  (socket) => socket.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
  (socket) => socket.write(Buffer.from("80670103010004000000100100800700c0", "hex")),
  (socket, random) => socket.end(mutate(random.pick(hellos), random)),
  (socket, random) => {
    const hello = random.pick(hellos);
    socket.write(hello.subarray(0, random.below(hello.length)));
    random.pick([() => socket.end(), () => socket.resetAndDestroy()])();
  },
  (socket, random) => socket.end(random.pick(hellos)),
  (socket, random) => {
    socket.write(random.pick(hellos));
    socket.resetAndDestroy();
  },
  (socket, random) => socket.end(concat(random.pick(hellos), random.bytes(random.between(1, 70_000)))),
  (socket, random) => socket.end(concat(random.pick(hellos), random.pick(hellos))),
  (socket, random) => socket.end(fragmented(random.pick(hellos), random.between(1, 40))),
  (socket, random) => socket.end(anyRecord(random)),
  (socket, random) => socket.end(concat(random.pick(hellos), anyRecord(random), anyRecord(random))),
  (socket) => socket.write(record(content.handshake, Buffer.alloc(100_000), 65535)),
  (socket) =>
    socket.write(
      record(content.handshake, concat(Buffer.of(1), u24(0xffffff), Buffer.alloc(90_000, 3)), 16384),
    ),
  (socket) => socket.end(concat(...Array<Buffer>(5000).fill(record(content.handshake, Buffer.alloc(0))))),
  (socket) => socket.end(concat(...Array<Buffer>(1000).fill(warning))),
  (socket) => socket.end(concat(...Array<Buffer>(1000).fill(changeCipherSpec))),
  (socket) => socket.end(close_notify),
  (socket, random) => socket.end(record(content.application_data, random.bytes(1000))),
  afterFlight((socket) => socket.resetAndDestroy()),
  afterFlight((socket) => socket.end()),
  afterFlight((socket, random) => socket.end(anyRecord(random))),
  afterFlight((socket, random) =>
    socket.end(concat(changeCipherSpec, record(content.application_data, random.bytes(64)))),
  ),
  afterFlight((socket, random) => socket.end(mutate(random.pick(hellos), random))),
  afterFlight((socket) => socket.end(close_notify)),
  afterHandshake((_, socket) => socket.resetAndDestroy()),
  afterHandshake((_, socket) => socket.end()),
  afterHandshake((tls) => tls.end("well-mannered, for once")),
  afterHandshake((tls, socket, random) => {
    tls.write("and now for something different");
    setImmediate(() => socket.destroyed || socket.end(random.bytes(500)));
  }),
];

/** Those that last until the server has had enough. */
export const sieges: readonly Attack[] = [
  () => undefined,
  (socket, random) => {
    const hello = random.pick(hellos);
    socket.write(hello.subarray(0, random.between(1, hello.length - 1)));
  },
  (socket, random) => socket.write(record(random.pick([20, 21, 22, 23]), random.bytes(3000), 16384)),
  (socket, random) => trickle(socket, random.pick(hellos)),
  afterFlight(() => undefined),
  afterFlight((socket) => trickle(socket, concat(...Array<Buffer>(9).fill(changeCipherSpec)))),
  afterHandshake(() => undefined),
];

/** Those that take nothing in, so that they can't see when the server has had enough. */
export const deaf: readonly Attack[] = [
  (socket, random) => {
    socket.pause();
    socket.write(random.pick(hellos));
  },
  afterHandshake((tls, socket) => {
    tls.pause();
    socket.pause();
    tls.write(Buffer.alloc(8_000_000));
  }),
];

/** An octet now and then, until the server ends it. */
function trickle(socket: Socket, bytes: Buffer): void {
  let at = 0;
  const timer = setInterval(() => socket.write(bytes.subarray(at++, at)), 50);
  socket.on("close", () => clearInterval(timer));
}

/** Milliseconds after which the attacker gives up by itself. */
const PATIENCE = 5000;
/** The same for who does not see the end. */
const DEAF = 2000;

/** Makes one attack; whether the server ended it where it had to. */
export function attack(port: number, act: Attack, random: Random): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.on("error", () => undefined);
    socket.on("data", () => undefined);
    let ended = true;
    const giveUp = () => {
      ended = deaf.includes(act);
      socket.destroy();
    };
    const timer = setTimeout(giveUp, deaf.includes(act) ? DEAF : PATIENCE);
    socket.on("close", () => {
      clearTimeout(timer);
      resolve(ended);
    });
    socket.on("connect", () => act(socket, random));
  });
}
