/** What hostile clients send: whatever it is, the responder answers in DER or not at all, and goes on. */
import { once } from "node:events";
import { request as httpRequest, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { promisify } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { OCSPResponse } from "@peculiar/asn1-ocsp";
import { AsnConvert } from "@peculiar/asn1-schema";
import test from "ava";
import { integer } from "../../../../certs/der.js";
import { unknownExtension } from "../../../../certs/extensions.js";
import { certId } from "../../../../certs/response.js";
import { readPath } from "../../../../hosts/node/responder/http.js";
import { listen, type Responder } from "../../../../hosts/node/responder/index.js";
import { Der, tag } from "../../../../src/pki/der.js";
import { mutate } from "../../../fuzz/mutate.js";
import { Random, times } from "../../../fuzz/random.js";
import { authority, nonceExtension, ocspRequest, requestOf, responderOf } from "./fixtures.js";

const ca = authority("p256", "intermediate1");
const seeds: readonly Buffer[] = [
  requestOf(5),
  requestOf(6, "p256", { nonce: Buffer.alloc(32, 9) }),
  ocspRequest({ certIds: ["sha1", "sha256", "sha384"].map((hash) => certId(ca, integer(5), hash)) }),
  requestOf(5, "p256", {
    extensions: [unknownExtension(false), nonceExtension(Buffer.of(4, 1, 7), true)],
    singleExtensions: [unknownExtension(false)],
  }),
];

/** Whether the bytes are one OCSPResponse in DER, to its end. */
function isResponse(bytes: Buffer): boolean {
  const der = new Der(undefined, bytes);
  const outer = der.enter(tag.SEQUENCE);
  const status = der.small(tag.ENUMERATED);
  if (der.more) der.value(tag.CONSTRUCTED);
  der.leave(outer);
  der.finish();
  const parsed = AsnConvert.parse(bytes, OCSPResponse);
  return parsed.responseStatus === status && (status === 0) === (parsed.responseBytes !== undefined);
}

test("mutated requests get an OCSPResponse, and never internalError", async (t) => {
  const random = new Random(t);
  const errors: Error[] = [];
  const responder = await responderOf("p256", {}, { onError: (error) => errors.push(error) });
  for (let i = 0; i < times(8000); i++) {
    const request = mutate(random.pick(seeds), random);
    const response = await responder.respond(request);
    if (!isResponse(response)) t.fail(request.toString("hex"));
  }
  t.deepEqual(errors, []);
  const { successful, malformedRequest, unauthorized, internalError } = responder.counters.statuses;
  t.log({ successful, malformedRequest, unauthorized });
  t.is(internalError, 0);
  for (const count of [successful, malformedRequest, unauthorized]) t.true(count > times(8000) / 100);
});

test("every cut and every flipped bit of a request", async (t) => {
  const responder = await responderOf();
  for (const seed of [seeds[1], seeds[3]]) {
    for (let end = 0; end < seed.length; end++) {
      const { responseStatus } = await responder.reply(seed.subarray(0, end));
      t.is(responseStatus, 1);
    }
    for (let bit = 0; bit < seed.length * 8; bit++) {
      const request = Buffer.from(seed);
      request[bit >> 3] ^= 1 << (bit & 7);
      if (!isResponse(await responder.respond(request))) t.fail(request.toString("hex"));
    }
  }
});

test("mutated paths are read or not, and never throw", (t) => {
  const random = new Random(t);
  for (let i = 0; i < times(20_000); i++) {
    const path = Buffer.from(`/ocsp/${encodeURIComponent(random.pick(seeds).toString("base64"))}`);
    t.true(readPath(mutate(path, random).toString("latin1")).length < 1000);
  }
});

// Connections

/** What one hostile connection does; it ends when either side has had enough. */
type Attack = (socket: Socket, random: Random) => void;

const valid = seeds[0];
const head = `POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/ocsp-request\r\nContent-Length: `;
const whole = Buffer.concat([Buffer.from(`${head}${valid.length}\r\n\r\n`), valid]);
const get = Buffer.from(`GET /${encodeURIComponent(valid.toString("base64"))} HTTP/1.1\r\nHost: a\r\n\r\n`);

const attacks: readonly Attack[] = [
  (socket, random) => socket.end(random.bytes(random.between(1, 200))),
  (socket, random) => socket.end(mutate(random.pick([whole, get]), random)),
  (socket, random) => {
    socket.write(random.pick([whole, get]).subarray(0, random.below(get.length)));
    socket.resetAndDestroy();
  },
  (socket) => socket.end(`${head}999999999\r\n\r\n`),
  (socket) =>
    socket.end(
      `${head.replace("Content-Length: ", "Transfer-Encoding: chunked\r\n\r\n")}ffffffff\r\n${"x".repeat(5000)}`,
    ),
  (socket) => socket.end(Buffer.concat(Array<Buffer>(30).fill(get))),
];

/** Those that last until the server has had enough. */
const sieges: readonly Attack[] = [
  (socket) => {
    socket.pause();
    socket.write(Buffer.concat(Array<Buffer>(30).fill(get)));
  },
  (socket, random) => socket.write(whole.subarray(0, random.below(whole.length))),
  (socket) => trickle(socket),
  () => undefined,
];

/** An octet now and then, until the server ends it. */
function trickle(socket: Socket): void {
  let at = 0;
  const timer = setInterval(() => socket.write(get.subarray(at++, at)), 100);
  socket.on("close", () => clearInterval(timer));
}

function attack(port: number, act: Attack, random: Random): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: false });
    socket.on("error", () => undefined);
    socket.on("close", () => resolve());
    socket.resume();
    // Who does not read does not see the end either.
    const timer = setTimeout(() => socket.destroy(), 1500);
    socket.on("close", () => clearTimeout(timer));
    socket.on("connect", () => act(socket, random));
  });
}

/** The milliseconds that a good client waits for a good answer. */
function goodClient(port: number): Promise<number> {
  const start = performance.now();
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port, method: "POST", agent: false };
    const headers = { "content-type": "application/ocsp-request" };
    const request = httpRequest({ ...options, headers }, (response) => {
      response.on("data", (chunk: Buffer) => {
        if (response.statusCode !== 200 || !isResponse(chunk) || chunk.length < 100)
          reject(new Error("no answer"));
      });
      response.on("end", () => resolve(performance.now() - start));
    });
    request.on("error", reject);
    request.end(valid);
  });
}

const connectionsOf = (server: Server) =>
  promisify((done: (e: Error | null, n: number) => void) => server.getConnections(done))();

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Bytes in use once all that can go has gone. */
function heap(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

async function besiege(port: number, connections: number, random: Random): Promise<void> {
  let left = connections;
  const besieger = async () => {
    while (left-- > 0) await attack(port, random.pick(random.below(10) === 0 ? sieges : attacks), random);
  };
  await Promise.all(Array.from({ length: 200 }, besieger));
}

test.serial("10,000 hostile connections: good clients are served, nothing is left behind", async (t) => {
  const random = new Random(t);
  const responder: Responder = await responderOf();
  const server = await listen(responder, { timeout: 500, maxConnections: 1000 });
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  await besiege(port, times(1000), random);
  const before = heap();
  let besieged = true;
  const waits: number[] = [];
  const good = async () => {
    while (besieged) waits.push(await goodClient(port));
  };
  const served = Promise.all([good(), good()]);
  const start = performance.now();
  await besiege(port, times(10_000), random);
  besieged = false;
  await served;
  const seconds = (performance.now() - start) / 1000;
  for (let i = 0; i < 40 && (await connectionsOf(server)) > 0; i++)
    await new Promise((r) => setTimeout(r, 100));
  t.is(await connectionsOf(server), 0);
  const growth = heap() - before;
  waits.sort((a, b) => a - b);
  t.log(
    `${seconds.toFixed(1)} s; ${waits.length} good answers, the slowest after ${waits.at(-1)!.toFixed(0)} ms; heap +${(growth / 1024).toFixed(0)} KB`,
  );
  t.true(waits.length > 100);
  t.true(growth < 4_000_000);
  t.is(responder.counters.statuses.internalError, 0);
  await goodClient(port);
  await once(server.close(), "close");
});
