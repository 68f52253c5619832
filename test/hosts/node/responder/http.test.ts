/** OCSP over HTTP: paths, headers, limits. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer, request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import test, { type ExecutionContext } from "ava";
import { integer } from "../../../../certs/der.js";
import { NOW } from "../../../../certs/fixtures.js";
import { certId } from "../../../../certs/response.js";
import { describeResponse } from "../../../../hosts/node/common/describe.js";
import { readPath } from "../../../../hosts/node/responder/http.js";
import {
  createHandler,
  type Exchange,
  type ListenOptions,
  listen,
  type Responder,
} from "../../../../hosts/node/responder/index.js";
import { authority, indexLine, ocspRequest, requestOf, responderOf, temporaryFile } from "./fixtures.js";

/** Serves until the test ends; the port. */
async function serve(
  t: ExecutionContext,
  responder: Responder,
  options: ListenOptions = {},
): Promise<number> {
  const server = await listen(responder, options);
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

interface Answer {
  status: number;
  headers: IncomingMessage["headers"];
  body: Buffer;
}

/** One request; a body that the server does not want may break off. */
function ask(port: number, options: RequestOptions = {}, body?: Uint8Array): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: "127.0.0.1", port, agent: false, ...options }, async (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () =>
        resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    });
    request.on("error", reject);
    request.end(body);
  });
}

const type = { "content-type": "application/ocsp-request" };
const post = (port: number, body: Uint8Array, headers: Record<string, string> = type) =>
  ask(port, { method: "POST", headers }, body);
const pathOf = (der: Buffer) => `/${encodeURIComponent(der.toString("base64"))}`;
const get = (port: number, path = pathOf(requestOf(5)), headers: Record<string, string> = {}) =>
  ask(port, { path, headers });
const statusOf = ({ body }: Answer) => describeResponse(body).responseStatus;

/** Sends bytes as they are and takes all that comes until the server ends. */
async function raw(port: number, text: string | Buffer): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  socket.on("error", () => undefined);
  socket.write(text);
  await once(socket, "close");
  return Buffer.concat(chunks).toString("latin1");
}

// Where the request is

/** The request about a serial number whose base64 has what is awkward in a path. */
function awkward(pattern: RegExp): Buffer {
  const ca = authority("p256", "intermediate1");
  for (let i = 0n; ; i++) {
    const serial = BigInt(`0x01${createHash("sha1").update(String(i)).digest("hex").slice(0, 30)}`);
    const der = ocspRequest({ certIds: [certId(ca, integer(serial))] });
    if (pattern.test(der.toString("base64"))) return der;
  }
}

const one = requestOf(5);
const slashes = awkward(/\/M[A-P].*\/.*\+/);
const padded = awkward(/[^=]=$/);
const long = ocspRequest({ certIds: Array(40).fill(certId(authority("p256", "intermediate1"), integer(5))) });
const medium = ocspRequest({
  certIds: Array(2).fill(certId(authority("p256", "intermediate1"), integer(5))),
});

test("the request in a path, however it is written", (t) => {
  for (const der of [one, slashes, padded, medium, long]) {
    const base64 = der.toString("base64");
    const escaped = encodeURIComponent(base64);
    for (const text of [
      base64,
      escaped,
      escaped.toLowerCase() === escaped ? base64 : escaped.replaceAll("%2F", "/"),
    ])
      for (const prefix of ["/", "//", "/ocsp/", "/M/MA/MAAA/", "/MEUwQzBBMD8wPTAJ/a/", "/ocsp%2Fca/"])
        t.deepEqual(readPath(`${prefix}${text}`), der, prefix + text);
    t.deepEqual(readPath(`/${base64}?x=1`), der);
    t.deepEqual(readPath(`/${base64.replace(/=+$/, "")}`), der);
  }
});

test("base64 in lines, with spaces for pluses, encoded twice, and in odd company", (t) => {
  const plus = awkward(/\+.*\//);
  for (const der of [one, slashes, plus, padded, medium, long]) {
    const base64 = der.toString("base64");
    const lines = base64.replace(/.{1,64}/g, "$&\n");
    const ways = [
      encodeURIComponent(lines),
      encodeURIComponent(lines.replaceAll("\n", "\r\n")),
      lines.replaceAll("\n", "%0a"),
      encodeURIComponent(base64.replaceAll("+", " ")),
      base64.replaceAll("+", "%20"),
      encodeURIComponent(lines.replaceAll("+", " ")),
      encodeURIComponent(encodeURIComponent(base64)),
      encodeURIComponent(encodeURIComponent(lines)),
      base64.replaceAll("=", "%3d").replaceAll("+", "%2b"),
    ];
    for (const way of ways)
      for (const prefix of ["/", "/ocsp/", "http://ocsp.test:80/my%20ca/", "/caf%E9/", "/100%/"])
        t.deepEqual(readPath(`${prefix}${way}`), der, prefix + way);
  }
});

test("what is no request in a path", (t) => {
  const base64 = one.toString("base64");
  for (const path of [
    "",
    "/",
    "*",
    "/ocsp",
    "/%",
    "/%zz",
    `/${base64}A`,
    `/${base64.slice(4)}`,
    `/-${base64}`,
    `/${base64.slice(0, -4)}`,
    `/M!${base64.slice(2)}`,
    `/${base64.slice(0, 40)}!${base64.slice(41)}`,
    `/${base64.slice(0, 40)}=${base64.slice(41)}`,
    "/MAA",
  ])
    t.is(readPath(path).length, 0, path);
});

test("a path of nothing but slashes and beginnings costs little", (t) => {
  const start = performance.now();
  for (let i = 0; i < 100; i++)
    for (const part of ["/", "/MIIw", "/M", "/MCAw"]) readPath(part.repeat(16000 / part.length));
  t.true(performance.now() - start < 3000);
});

/** A path whose slashes all stand before a header that says just what is left, and whose end is no base64. */
function hostile(length: number): string {
  let path = "!";
  while (path.length < length) {
    const size = Math.floor(((path.length + 8) * 3) / 4) - 4;
    const header = Buffer.from([0x30, 0x82, size >> 8, size & 255, 0, 0]);
    path = `/${header.toString("base64")}${path}`;
  }
  return path;
}

test("the time for a path grows as its length, not as its square", (t) => {
  const best = (path: string) => {
    const times = Array.from({ length: 30 }, () => {
      const start = performance.now();
      t.is(readPath(path).length, 0);
      return performance.now() - start;
    });
    return Math.min(...times);
  };
  // Four times the length costs sixteen times as much where it is a square
  t.true(best(hostile(64_000)) < 9 * best(hostile(16_000)) + 0.5);
});

test("GET, with and without slashes and a path of one's own", async (t) => {
  const port = await serve(t, await responderOf());
  for (const path of [pathOf(one), `/${one.toString("base64")}`, `/some/where${pathOf(one)}`]) {
    const { status, headers, body } = await get(port, path);
    t.is(status, 200);
    t.is(headers["content-type"], "application/ocsp-response");
    t.is(describeResponse(body).responses![0].certStatus, "good");
  }
});

test("GET of what is no request: malformedRequest with 200, not to be cached", async (t) => {
  const port = await serve(t, await responderOf());
  for (const path of ["/", "/ocsp", "/MA==", "/MAA=", "/%ff", "/!!!!"]) {
    const answer = await get(port, path);
    t.is(answer.status, 200);
    t.is(statusOf(answer), "malformedRequest");
    t.is(answer.headers["cache-control"], "no-cache, no-store");
  }
});

test("HEAD: what GET has, without the body", async (t) => {
  const exchanges: Exchange[] = [];
  // Each RSA signature is as long as the next
  const responder = await responderOf("rsa");
  const port = await serve(t, responder, { onExchange: (exchange) => exchanges.push(exchange) });
  const [plain, fresh] = [{}, { nonce: Buffer.alloc(9) }].map((more) => pathOf(requestOf(5, "rsa", more)));
  const head = (path: string, headers = {}) => ask(port, { method: "HEAD", path, headers });
  const withoutDate = ({ headers: { date: _, ...headers } }: Answer) => headers;
  for (const path of [plain, fresh, "/"]) {
    const [got, headed] = [await get(port, path), await head(path)];
    t.is(headed.status, 200);
    t.deepEqual(withoutDate(headed), withoutDate(got));
    t.true(Number(headed.headers["content-length"]) > 0);
    t.is(headed.body.length, 0);
  }
  const { etag } = (await head(plain)).headers;
  t.is((await head(plain, { "if-none-match": etag })).status, 304);
  const line = `HEAD ${plain} HTTP/1.1\r\nHost: a\r\n`;
  const answers = await raw(port, `${line}\r\n${line}Connection: close\r\n\r\n`);
  t.regex(answers, /^(HTTP\/1.1 200 OK\r\n(\S+: .*\r\n)+\r\n){2}$/);
  t.like(exchanges.at(-1), { method: "HEAD", status: 200 });
});

test("POST", async (t) => {
  const port = await serve(t, await responderOf());
  for (const headers of [
    type,
    { "content-type": "Application/OCSP-Request; charset=none" },
    { ...type, "transfer-encoding": "chunked" },
  ]) {
    const answer = await post(port, one, headers as Record<string, string>);
    t.is(answer.status, 200);
    t.is(statusOf(answer), "successful");
    t.is(answer.headers["cache-control"], "no-cache, no-store");
    t.is(answer.headers.etag, undefined);
  }
  t.is(statusOf(await post(port, Buffer.alloc(0))), "malformedRequest");
});

// What is answered by HTTP alone

test("405 for other methods", async (t) => {
  const port = await serve(t, await responderOf());
  for (const method of ["PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"]) {
    const { status, headers, body } = await ask(port, { method, path: pathOf(one) });
    t.is(status, 405, method);
    t.is(headers.allow, "GET, HEAD, POST");
    t.is(body.length, 0);
  }
  t.is(await raw(port, "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n"), "");
});

test("415 for another type", async (t) => {
  const responder = await responderOf();
  const port = await serve(t, responder);
  for (const headers of [{}, { "content-type": "application/x-www-form-urlencoded" }, { "content-type": "" }])
    t.is((await post(port, one, headers as Record<string, string>)).status, 415);
  t.is(responder.counters.requests, 0);
});

test("413 for more than 64 KB, announced or not", async (t) => {
  const responder = await responderOf();
  const port = await serve(t, responder);
  t.is(statusOf(await post(port, Buffer.alloc(65536))), "malformedRequest");
  const head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/ocsp-request\r\n";
  t.regex(await raw(port, `${head}Content-Length: 65537\r\n\r\n`), /^HTTP\/1.1 413 /);
  t.regex(await raw(port, `${head}Content-Length: 99999999999999999999\r\n\r\n`), /^HTTP\/1.1 4\d\d |^$/);
  const chunk = `8000\r\n${"x".repeat(0x8000)}\r\n`;
  t.regex(await raw(port, `${head}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(3)}`), /^HTTP\/1.1 413 /);
  t.is(responder.counters.requests, 1);
});

test("431 for headers of more than 16 KB, 400 for what is no HTTP", async (t) => {
  const port = await serve(t, await responderOf());
  t.regex(await raw(port, `GET /${"M".repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`), /^HTTP\/1.1 431 /);
  t.regex(await raw(port, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), /^HTTP\/1.1 400 /);
  t.is(statusOf(await post(port, one)), "successful");
});

test("who is turned away is gone at once, though it keeps its side open", async (t) => {
  const server = await listen(await responderOf(), { timeout: 60_000 });
  t.teardown(() => server.close());
  const socket = connect({ port: (server.address() as AddressInfo).port, allowHalfOpen: true });
  t.teardown(() => socket.destroy());
  const [held] = await once(server, "connection");
  socket.resume().write("\x16\x03\x01\x02\x00");
  await once(held, "close");
  t.false(socket.writableEnded);
});

test("who reset the connection is told nothing", async (t) => {
  const server = await listen(await responderOf());
  t.teardown(() => server.close());
  for (const [code, told] of [
    ["ECONNRESET", ""],
    ["HPE_INVALID_METHOD", "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"],
  ]) {
    let written = "";
    const write = (chunk: Buffer, _: string, done: () => void) => {
      written += chunk;
      done();
    };
    const socket = new Duplex({ write, read() {} });
    server.emit("clientError", Object.assign(new Error(), { code }), socket);
    await once(socket, "close");
    t.is(written, told);
  }
});

test("how often it is looked for requests that do not arrive", async (t) => {
  for (const [timeout, interval] of [
    [undefined, 1000],
    [300, 300],
  ]) {
    const server = await listen(await responderOf(), { timeout });
    t.teardown(() => server.close());
    t.like(server, { connectionsCheckingInterval: interval, requestTimeout: timeout ?? 10_000 });
  }
});

test("408 for a request that does not arrive, and silence ends", async (t) => {
  const port = await serve(t, await responderOf(), { timeout: 300 });
  const head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/ocsp-request\r\n";
  const started = performance.now();
  const answers = await Promise.all([
    raw(port, ""),
    raw(port, head),
    raw(port, `${head}Content-Length: 99\r\n\r\n`),
  ]);
  t.true(performance.now() - started < 15_000);
  for (const answer of answers) t.regex(answer, /^(HTTP\/1.1 408 .*)?$/s);
});

test("one octet at a time does not last either", async (t) => {
  const port = await serve(t, await responderOf(), { timeout: 300 });
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  const timer = setInterval(() => socket.write("G"), 50);
  t.teardown(() => clearInterval(timer));
  socket.resume();
  await new Promise((resolve) => socket.once("close", resolve));
  t.pass();
});

test("who does not read the answers is not waited for", async (t) => {
  const server = await listen(await responderOf(), { timeout: 500 });
  t.teardown(() => server.close());
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.pause();
  const certIds = Array<Buffer>(60).fill(certId(authority("p256", "intermediate1"), integer(5)));
  const body = ocspRequest({ certIds });
  const head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/ocsp-request\r\n";
  const request = Buffer.concat([Buffer.from(`${head}Content-Length: ${body.length}\r\n\r\n`), body]);
  for (let i = 0; i < 900; i++) socket.write(request);
  const connections = () => new Promise<number>((resolve) => server.getConnections((_, n) => resolve(n)));
  await once(socket, "connect");
  for (let i = 0; i < 150 && (await connections()) > 0; i++) await sleep(100);
  t.is(await connections(), 0);
  socket.destroy();
});

test("a connection ends after 1000 requests", async (t) => {
  const port = await serve(t, await responderOf());
  const answers = await raw(port, `GET / HTTP/1.1\r\nHost: a\r\n\r\n`.repeat(1001));
  t.is(answers.match(/HTTP\/1.1 200 OK/g)?.length, 1000);
});

test("who comes when all connections are taken is turned away, until one ends", async (t) => {
  const port = await serve(t, await responderOf(), { maxConnections: 3 });
  const idle = [1, 2, 3].map(() => connect(port, "127.0.0.1"));
  await Promise.all(idle.map((socket) => once(socket, "connect")));
  await t.throwsAsync(post(port, one));
  idle[0].destroy();
  await sleep(100);
  t.is(statusOf(await post(port, one)), "successful");
  for (const socket of idle) socket.destroy();
});

test("many requests on one connection, one behind the other", async (t) => {
  const port = await serve(t, await responderOf());
  const line = `GET ${pathOf(one)} HTTP/1.1\r\nHost: a\r\n`;
  const answers = await raw(
    port,
    [...Array(20).fill(`${line}\r\n`), `${line}Connection: close\r\n\r\n`].join(""),
  );
  t.is(answers.match(/HTTP\/1.1 200 OK/g)?.length, 21);
});

// Caching, RFC 9919 6

const idOf = (serial: number) => certId(authority("p256", "intermediate1"), integer(serial));

test("GET without nonce: headers for caches", async (t) => {
  let now = NOW;
  const port = await serve(t, await responderOf("p256", {}, { clock: () => now }));
  const { headers, body } = await get(port);
  t.like(headers, {
    "last-modified": "Wed, 01 Jul 2026 12:00:00 GMT",
    expires: "Wed, 01 Jul 2026 13:00:00 GMT",
    etag: `"${createHash("sha256").update(body).digest("hex")}"`,
    "cache-control": "max-age=1800, public, no-transform, must-revalidate",
    "content-length": `${body.length}`,
  });
  t.truthy(headers.date);
  now += 1000;
  const later = await get(port);
  t.is(later.headers["cache-control"], "max-age=800, public, no-transform, must-revalidate");
  t.deepEqual(later.body, body);
});

test("what must not be cached: with a nonce, without nextUpdate, an error, unknown", async (t) => {
  const port = await serve(t, await responderOf());
  const endless = await serve(t, await responderOf("p256", {}, { validity: undefined }));
  const foreign = ocspRequest({ certIds: [certId(authority("p256", "root"), integer(5))] });
  for (const { headers, status } of [
    await get(port, pathOf(requestOf(5, "p256", { nonce: Buffer.alloc(16) }))),
    await get(endless),
    await get(port, pathOf(foreign)),
    await get(port, pathOf(requestOf(0x77))),
    await get(port, pathOf(ocspRequest({ certIds: [5, 0x77].map((serial) => idOf(serial)) }))),
  ]) {
    t.is(status, 200);
    t.is(headers["cache-control"], "no-cache, no-store");
    for (const name of ["etag", "expires", "last-modified"]) t.is(headers[name], undefined);
  }
});

test("conditional GET", async (t) => {
  const path = temporaryFile(t, indexLine("05"));
  const port = await serve(t, await responderOf("p256", { index: path }));
  const { etag } = (await get(port)).headers as { etag: string };
  const since = (offset: number) => ({ "if-modified-since": new Date((NOW + offset) * 1000).toUTCString() });
  const statusWith = async (headers: Record<string, string>) => (await get(port, undefined, headers)).status;
  for (const tags of [etag, `W/${etag}`, `"other", ${etag}`, "*"])
    t.is(await statusWith({ "if-none-match": tags, ...since(-10) }), 304, tags);
  t.is(await statusWith({ "if-none-match": '"other"', ...since(10) }), 200);
  t.is(await statusWith(since(0)), 304);
  t.is(await statusWith(since(-1)), 200);
  t.is(await statusWith({ "if-modified-since": "yesterday" }), 200);
  const unchanged = await get(port, undefined, { "if-none-match": etag });
  t.is(unchanged.body.length, 0);
  t.is(unchanged.headers.etag, etag);
  t.truthy(unchanged.headers.expires);
  t.is((await ask(port, { method: "POST", headers: { ...type, "if-none-match": "*" } }, one)).status, 200);
  writeFileSync(path, indexLine("05", "250601000000Z"));
  const changed = await get(port, undefined, { "if-none-match": etag });
  t.is(changed.status, 200);
  t.is(describeResponse(changed.body).responses![0].certStatus, "revoked");
});

// In a server of one's own

test("what was exchanged is told; a listener that throws harms nobody", async (t) => {
  const exchanges: Exchange[] = [];
  const responder = await responderOf();
  const onExchange = (exchange: Exchange) => {
    exchanges.push(exchange);
    throw new Error("of no interest");
  };
  const server = createServer(createHandler(responder, { onExchange }));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  t.is((await post(port, one)).status, 200);
  t.is((await get(port, "/")).status, 200);
  t.is((await ask(port, { method: "PUT" })).status, 405);
  const seen = exchanges.map(({ method, status, reply }) => [method, status, reply?.responseStatus]);
  t.deepEqual(seen, [
    ["POST", 200, 0],
    ["GET", 200, 1],
    ["PUT", 405, undefined],
  ]);
  t.deepEqual(exchanges[0].reply!.answers, [{ serial: "05", status: "good" }]);
});

test("a client that leaves in the middle harms nobody", async (t) => {
  const exchanges: Exchange[] = [];
  const port = await serve(t, await responderOf(), { onExchange: (exchange) => exchanges.push(exchange) });
  for (const text of [
    "",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/ocsp-request\r\nContent-Length: 99\r\n\r\n",
  ]) {
    const socket = connect(port, "127.0.0.1");
    socket.write(`${text}M`);
    await sleep(50);
    socket.resetAndDestroy();
  }
  t.is(statusOf(await post(port, one)), "successful");
  t.is(exchanges.length, 1);
});
