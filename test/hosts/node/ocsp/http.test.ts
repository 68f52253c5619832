import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { createServer as createHttps } from "node:https";
import { type AddressInfo, createServer, type Socket } from "node:net";
import test, { type ExecutionContext } from "ava";
import fc from "fast-check";
import { credential, NOW } from "../../../../certs/fixtures.js";
import { type LookupReport, lookupStatus, Stapler } from "../../../../hosts/node/index.js";
import {
  type FetchCode,
  type FetchOptions,
  fetchOcsp,
  OcspFetchError,
} from "../../../../hosts/node/ocsp/http.js";
import { ocspRequest } from "../../../../hosts/node/ocsp/request.js";
import { readSubject } from "../../../../hosts/node/ocsp/subject.js";
import { provider } from "../../../../hosts/node/provider.js";
import { everything, judge } from "../../../../src/pki/index.js";
import { faults } from "../../../../src/wire/index.js";
import { opensslResponder } from "../../../peers/peers.js";
import { freePort } from "../../../peers/process.js";
import { withPeer } from "../../../peers/with-peer.js";
import { makePki, type Responder, respond, send, serve } from "./responders.js";

const [certificate, issuer] = credential("p256", "server1").chain;
const subject = readSubject({ certificate, issuer });
const request = ocspRequest(subject);
const bytes = Buffer.from("whatever it is, it is not looked at here");

async function fails(t: ExecutionContext, url: string, code: FetchCode, options: FetchOptions = {}) {
  const error = await t.throwsAsync(fetchOcsp(url, request, { timeout: 2000, ...options }), {
    instanceOf: OcspFetchError,
  });
  t.is(error.code, code);
  return error;
}

/** All connections are closed, from our side too. */
async function closed(t: ExecutionContext, responder: Responder): Promise<void> {
  for (let i = 0; i < 200 && (await responder.connections()) > 0; i++)
    await new Promise((resolve) => setTimeout(resolve, 5));
  t.is(await responder.connections(), 0);
}

/** A server that speaks something of its own. */
async function listen(t: ExecutionContext, onConnection: (socket: Socket) => void): Promise<string> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined);
    onConnection(socket);
  });
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

// How it asks

test("by GET when that fits in 255 bytes, else by POST", async (t) => {
  const responder = await serve(t, (response) => send(response, bytes));
  const { url } = responder;
  const asked = async (to: string, options?: FetchOptions) => {
    t.deepEqual(Buffer.from(await fetchOcsp(to, request, options)), bytes);
    const { method, der } = responder.requests.at(-1)!;
    if (method === "POST") t.deepEqual(der, request);
    return method;
  };
  t.is(await asked(url), "GET");
  t.deepEqual(responder.requests[0].der, request);
  t.is(await asked(`${url}/`), "GET");
  t.deepEqual(responder.requests[1].der, request, "no second slash");
  const path = encodeURIComponent(request.toString("base64")).length;
  const padding = 255 - path - url.length - 2;
  t.is(await asked(`${url}/${"x".repeat(padding)}`), "GET");
  t.is(await asked(`${url}/${"x".repeat(padding + 1)}`), "POST");
  t.is(await asked(`${url}/?a=query`), "POST");
  t.is(await asked(url, { get: false }), "POST");
  await closed(t, responder);
});

/** Says this to a GET, and the bytes to a POST. */
function poster(t: ExecutionContext, refuse: (response: ServerResponse) => void): Promise<Responder> {
  return serve(t, (response) => (response.req.method === "POST" ? send(response, bytes) : refuse(response)));
}

const methods = ({ requests }: Responder) => requests.map(({ method }) => method).join();
const malformedRequest = Buffer.from("30030a0101", "hex");

const refusals: [string, (response: ServerResponse) => void][] = [
  ...[400, 403, 404, 405, 414, 501].map((status): [string, (response: ServerResponse) => void] => [
    `HTTP ${status}`,
    (response) => response.writeHead(status, { "Content-Type": "text/html" }).end("<h1>No</h1>"),
  ]),
  ["malformedRequest", (response) => send(response, malformedRequest)],
];

for (const [what, refuse] of refusals)
  test(`GET ends in ${what}: POST, at once from then on`, async (t) => {
    const responder = await poster(t, refuse);
    for (let i = 0; i < 3; i++) t.deepEqual(Buffer.from(await fetchOcsp(responder.url, request)), bytes);
    t.is(methods(responder), "GET,POST,POST,POST");
    t.deepEqual(responder.requests[1].der, request);
    t.deepEqual(Buffer.from(await fetchOcsp(`${responder.url}/elsewhere`, request)), bytes);
    t.is(responder.requests[4].method, "GET", "that is another responder");
    await closed(t, responder);
  });

test("refused by POST too, it is asked both ways again, within the same time", async (t) => {
  const away = await serve(t, (response) => response.writeHead(404).end());
  await fails(t, away.url, "ERR_TLSTAPLE_OCSP_STATUS");
  await fails(t, away.url, "ERR_TLSTAPLE_OCSP_STATUS");
  t.is(methods(away), "GET,POST,GET,POST");
  const strict = await serve(t, (response) => send(response, malformedRequest));
  t.deepEqual(Buffer.from(await fetchOcsp(strict.url, request)), malformedRequest);
  t.deepEqual(Buffer.from(await fetchOcsp(strict.url, request)), malformedRequest);
  t.is(methods(strict), "GET,POST,GET,POST");
  const slow = await serve(t, (response) => {
    if (response.req.method === "GET") setTimeout(() => response.writeHead(405).end(), 150);
  });
  const start = performance.now();
  await fails(t, slow.url, "ERR_TLSTAPLE_OCSP_TIMEOUT", { timeout: 300 });
  t.true(performance.now() - start < 430);
  await closed(t, slow);
});

test("a GET that fails otherwise is not tried by POST", async (t) => {
  const responder = await poster(t, (response) => response.destroy());
  await fails(t, responder.url, "ERR_TLSTAPLE_OCSP_NETWORK");
  t.is(methods(responder), "GET");
});

test("a Stapler and a lookup meet a responder that knows POST alone", async (t) => {
  const responder = await serve(t, (response) => {
    if (response.req.method === "POST") send(response, respond(pki.leaf));
    else response.writeHead(405).end();
  });
  const pki = makePki({ urls: [responder.url] });
  const stapler = new Stapler();
  t.teardown(() => stapler.close());
  t.truthy((await stapler.staples(pki.chain, 1)).staples[0]);
  t.is(methods(responder), "GET,POST");
  const pair = { certificate: pki.leaf.der, issuer: pki.ca.der };
  const reports: LookupReport[] = [];
  const { verdict } = await lookupStatus(pair, { onLookup: (report) => reports.push(report) });
  t.is(verdict.status, "good");
  t.is(methods(responder), "GET,POST,POST", "both know what one has found");
  t.is(reports.length, 1);
});

for (const get of [true, false])
  withPeer("responder")(`openssl ocsp answers to ${get ? "GET" : "POST"}`, async (t) => {
    const peer = await opensslResponder("p256", "intermediate1");
    t.teardown(() => peer.stop());
    const response = await fetchOcsp(`http://127.0.0.1:${peer.port}`, request, { get });
    const policy = { skew: 900, allowMissingNextUpdate: false, responders: [] };
    const { staple, fault } = judge(
      response,
      subject,
      { provider, pki: everything, ocsp: policy },
      Date.now() / 1000,
    );
    t.is(fault, undefined);
    t.is(staple.status, "good");
    t.is(
      judge(response, subject, { provider, pki: everything, ocsp: policy }, NOW - 1e9).fault,
      faults.OCSP_NOT_YET_VALID,
    );
  });

test("a missing Content-Type, and parameters of it, are let pass", async (t) => {
  const types = [undefined, "application/ocsp-response; charset=binary", "application/octet-stream"];
  for (const type of types) {
    const { url } = await serve(t, (response) => {
      if (type) response.setHeader("Content-Type", type);
      response.end(bytes);
    });
    t.deepEqual(Buffer.from(await fetchOcsp(url, request)), bytes);
  }
});

// What goes wrong

test("nobody is there", async (t) => {
  const { cause } = await fails(t, `http://127.0.0.1:${await freePort()}`, "ERR_TLSTAPLE_OCSP_NETWORK");
  t.is((cause as NodeJS.ErrnoException).code, "ECONNREFUSED");
});

for (const url of ["ftp://127.0.0.1/", "file:///etc/passwd", "ldap://ca/", "javascript:0", "", "127.0.0.1"])
  test(`no URL to ask: "${url}"`, (t) => fails(t, url, "ERR_TLSTAPLE_OCSP_URL").then(() => t.pass()));

test("a responder that never answers", async (t) => {
  const responder = await serve(t, () => undefined);
  await fails(t, responder.url, "ERR_TLSTAPLE_OCSP_TIMEOUT", { timeout: 100 });
  await closed(t, responder);
});

test("a responder that drips never times out by itself, and is cut off all the same", async (t) => {
  const responder = await serve(t, (response) => {
    response.writeHead(200, { "Content-Type": "application/ocsp-response" });
    const timer = setInterval(() => response.write("."), 10);
    response.on("close", () => clearInterval(timer));
  });
  await fails(t, responder.url, "ERR_TLSTAPLE_OCSP_TIMEOUT", { timeout: 200 });
  await closed(t, responder);
});

test("a header that drips", async (t) => {
  const url = await listen(t, (socket) => {
    socket.write("HTTP/1.1 100 Continue\r\n\r\n");
    const timer = setInterval(() => socket.write("HTTP/1.1 100 Continue\r\n\r\n"), 10);
    socket.on("close", () => clearInterval(timer));
  });
  await fails(t, url, "ERR_TLSTAPLE_OCSP_TIMEOUT", { timeout: 200 });
});

test("a response that says it is too large", async (t) => {
  const responder = await serve(t, (response) => {
    response.writeHead(200, { "Content-Length": 65537 }).write("x");
  });
  await fails(t, responder.url, "ERR_TLSTAPLE_OCSP_SIZE");
  await closed(t, responder);
});

test("a response without end, whose bytes are not gathered", async (t) => {
  let sent = 0;
  const block = Buffer.alloc(4096);
  const responder = await serve(t, (response) => {
    const more = () => {
      while (!response.destroyed && sent < 1e9) {
        sent += block.length;
        if (!response.write(block)) return;
      }
    };
    response.on("drain", more);
    more();
  });
  await fails(t, responder.url, "ERR_TLSTAPLE_OCSP_SIZE", { timeout: 20_000 });
  await closed(t, responder);
  t.true(sent < 64e6, `${sent} bytes sent`);
});

test("the limit is to the byte", async (t) => {
  const { url } = await serve(t, (response) => {
    response.write(bytes.subarray(0, 10));
    response.end(bytes.subarray(10));
  });
  t.is((await fetchOcsp(url, request, { maxBytes: bytes.length })).length, bytes.length);
  await fails(t, url, "ERR_TLSTAPLE_OCSP_SIZE", { maxBytes: bytes.length - 1 });
});

for (const status of [204, 301, 302, 304, 307, 401, 408, 429, 500, 502, 503])
  test(`HTTP ${status}`, async (t) => {
    const responder = await serve(t, (response) => {
      response.writeHead(status, { Location: "/again" }).end();
    });
    await fails(t, responder.url, "ERR_TLSTAPLE_OCSP_STATUS");
    t.is(responder.requests.length, 1, "no redirect is followed");
    await closed(t, responder);
  });

test("a captive portal's page", async (t) => {
  const { url } = await serve(t, (response) => {
    response.setHeader("Content-Type", "text/html");
    response.end("<h1>log in</h1>");
  });
  await fails(t, url, "ERR_TLSTAPLE_OCSP_TYPE");
});

test("a connection that breaks off within the response", async (t) => {
  const { url } = await serve(t, (response) => {
    response.writeHead(200, { "Content-Length": 100 });
    response.write("half", () => response.destroy());
  });
  await fails(t, url, "ERR_TLSTAPLE_OCSP_NETWORK");
});

test("bytes of any kind in place of HTTP", async (t) => {
  let reply: Uint8Array = Buffer.alloc(0);
  const url = await listen(t, (socket) => socket.once("data", () => socket.end(reply)));
  const heads = fc.constantFrom(
    "",
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
    "HTTP/",
  );
  await fc.assert(
    fc.asyncProperty(heads, fc.uint8Array({ maxLength: 200 }), async (head, tail) => {
      reply = Buffer.concat([Buffer.from(head), tail]);
      const got = await fetchOcsp(url, request, { timeout: 2000 }).catch((error) => error);
      t.true(got instanceof Uint8Array || got instanceof OcspFetchError);
    }),
    { numRuns: 60 },
  );
});

test("aborted before it begins, and while it waits", async (t) => {
  const responder = await serve(t, () => undefined);
  await fails(t, responder.url, "ERR_TLSTAPLE_OCSP_ABORTED", { signal: AbortSignal.abort() });
  const controller = new AbortController();
  const failing = fails(t, responder.url, "ERR_TLSTAPLE_OCSP_ABORTED", { signal: controller.signal });
  while (responder.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  controller.abort();
  await failing;
  await closed(t, responder);
});

test("https, whose server must be trusted", async (t) => {
  const { certificateFile, keyFile } = credential("p256", "server1");
  const identity = { cert: readFileSync(certificateFile), key: readFileSync(keyFile) };
  const server = createHttps(identity, (_request, response) => response.end(bytes));
  t.teardown(() => server.close());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { cause } = await fails(t, url, "ERR_TLSTAPLE_OCSP_NETWORK");
  t.regex((cause as NodeJS.ErrnoException).code!, /CERT/);
});

// In place of HTTP

test("a function that fetches has the same limits", async (t) => {
  const url = "custom:anything";
  const fetch = async (to: string, der: Uint8Array) => {
    t.is(to, url);
    t.deepEqual(Buffer.from(der), request);
    return bytes;
  };
  t.deepEqual(Buffer.from(await fetchOcsp(url, request, { fetch })), bytes);
  await fails(t, url, "ERR_TLSTAPLE_OCSP_SIZE", { fetch, maxBytes: 5 });
  const text = async () => "text" as unknown as Uint8Array;
  await fails(t, url, "ERR_TLSTAPLE_OCSP_TYPE", { fetch: text });
  const broken = () => Promise.reject(new RangeError("mine"));
  t.is(
    ((await fails(t, url, "ERR_TLSTAPLE_OCSP_NETWORK", { fetch: broken })).cause as Error).message,
    "mine",
  );
  let aborted = false;
  const slow = (_url: string, _request: Uint8Array, signal: AbortSignal) =>
    new Promise<Uint8Array>(() => signal.addEventListener("abort", () => (aborted = true)));
  await fails(t, url, "ERR_TLSTAPLE_OCSP_TIMEOUT", { fetch: slow, timeout: 50 });
  t.true(aborted);
});
