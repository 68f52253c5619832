/** OCSP over HTTP, RFC 6960 appendix A, with the caching of RFC 9919 section 6. */

import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Lifetime, Reply, Responder } from "./responder.js";

/** One request as it was answered. */
export interface Exchange {
  readonly method: string;
  /** Of the HTTP response. */
  readonly status: number;
  /** Absent where HTTP alone was answered, such as with 405. */
  readonly reply?: Reply;
}

export interface HandlerOptions {
  /** Called after each request. */
  readonly onExchange?: (exchange: Exchange) => void;
}

export interface ListenOptions extends HandlerOptions {
  /** 0, the default: any that is free. */
  readonly port?: number;
  /** 127.0.0.1 by default. */
  readonly host?: string;
  /** Milliseconds for a request to arrive whole, and for a connection to lie idle; 10,000 by default. */
  readonly timeout?: number;
  /** 1000 by default; who comes then is turned away. */
  readonly maxConnections?: number;
}

/** Octets of a request in a POST; one in a GET is bounded by the size of HTTP headers. */
const MAX_BODY = 65536;
const MAX_HEADER = 16384;
/** Requests on one connection. */
const MAX_REQUESTS = 1000;

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** Answers OCSP requests on a server of node:http. It never throws. */
export function createHandler(responder: Responder, { onExchange }: HandlerOptions = {}): Handler {
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    for (const stream of [request, response]) stream.on("error", () => undefined);
    try {
      const reply = await exchange(responder, request, response);
      onExchange?.({ method: request.method ?? "", status: response.statusCode, reply });
    } catch {
      // The client left, or a listener failed; in the latter case the client has its answer.
      if (!response.headersSent) refuse(response, 500);
    }
  };
  return (request, response) => void serve(request, response);
}

/** Serves a responder by HTTP alone, bounded in time, connections and memory; resolves once it listens. */
export function listen(responder: Responder, options: ListenOptions = {}): Promise<Server> {
  return listenHttp(createHandler(responder, options), options);
}

/** The same for any handler. */
export async function listenHttp(handler: Handler, options: ListenOptions): Promise<Server> {
  const { port = 0, host = "127.0.0.1", timeout = 10_000, maxConnections = 1000 } = options;
  const limits = {
    maxHeaderSize: MAX_HEADER,
    requestTimeout: timeout,
    keepAliveTimeout: Math.min(timeout, 5000),
    connectionsCheckingInterval: Math.min(timeout, 1000),
  };
  const server = createServer(limits, handler);
  server.maxConnections = maxConnections;
  server.maxRequestsPerSocket = MAX_REQUESTS;
  server.setTimeout(timeout);
  server.on("clientError", turnAway);
  server.listen(port, host);
  await once(server, "listening");
  return server;
}

/** What is no HTTP, or too slow, or too much of it. */
function turnAway(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === "ECONNRESET") socket.destroy();
  else socket.end(`HTTP/1.1 ${statusOf[error.code ?? ""] ?? "400 Bad Request"}\r\nConnection: close\r\n\r\n`);
  socket.on("finish", () => socket.destroy());
}

const statusOf: Readonly<Record<string, string>> = Object.freeze({
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
  ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
});

async function exchange(
  responder: Responder,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Reply | undefined> {
  const { method, url = "", headers } = request;
  if (method === "GET" || method === "HEAD") {
    const reply = await responder.reply(readPath(url));
    send(request, response, reply);
    return reply;
  }
  if (method !== "POST") return refuse(response, 405, { allow: "GET, HEAD, POST" });
  if (mediaType(headers["content-type"]) !== "application/ocsp-request") return refuse(response, 415);
  const body = await readBody(request);
  if (!body) return refuse(response, 413);
  const reply = await responder.reply(body);
  send(request, response, reply);
  return reply;
}

/** Parameters say nothing here. */
const mediaType = (value = "") => value.split(";", 1)[0].trim().toLowerCase();

/** What is not read any more must not be taken for the next request. */
function refuse(response: ServerResponse, status: number, headers: Record<string, string> = {}): undefined {
  response.writeHead(status, { ...headers, connection: "close", "content-length": 0 }).end();
}

/** The whole body, or undefined when it is too long. Rejects when the client leaves. */
function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = Number(request.headers["content-length"] ?? 0);
    if (size > MAX_BODY) return resolve(undefined);
    size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= MAX_BODY) chunks.push(chunk);
      else {
        chunks.length = 0;
        request.pause();
        resolve(undefined);
      }
    });
    request.on("end", () => resolve(Buffer.concat(chunks)));
    request.on("close", () => reject(new Error("the client left")));
  });
}

/**
 * The request in a path, RFC 6960 A.1: the base64 may have slashes, and the responder's own path may stand before
 * it. A DER request says its length, which tells where it begins. What is none comes back as no octets at all.
 */
export function readPath(url: string): Buffer {
  const path = base64In(url.split("?", 1)[0]);
  // Wherever it begins, it is in one of these, so that each slash costs a look and no more
  const decoded = [0, 1, 2, 3].map((offset) => Buffer.from(path.slice(offset), "base64"));
  for (let slash = path.indexOf("/"); slash >= 0; slash = path.indexOf("/", slash + 1)) {
    const start = slash + 1;
    const bytes = decoded[start % 4];
    const at = Math.floor(start / 4) * 3;
    if (sizeAt(bytes, at) === bytes.length - at) return bytes.subarray(at);
  }
  return Buffer.alloc(0);
}

/** As base64 is written where it has lines, in a form where a space stands for a plus, or encoded twice. */
function base64In(path: string): string {
  const text = decode(decode(path))
    .replace(/[\t\r\n]/g, "")
    .trimEnd()
    .replaceAll(" ", "+");
  const digits = text.replace(/={1,2}$/, "");
  const start = digits.split(/[^A-Za-z0-9+/]/).pop()!.length;
  return text.slice(digits.length - start);
}

/** Percent-encoding, RFC 3986 2.1; what is none stays as it is. */
function decode(path: string): string {
  return path.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** The size of the SEQUENCE that begins there, X.690 8.1.3; NaN when there is none. */
function sizeAt(bytes: Buffer, at: number): number {
  if (bytes.length < at + 4 || bytes[at] !== 0x30) return Number.NaN;
  if (bytes[at + 1] < 0x80) return 2 + bytes[at + 1];
  if (bytes[at + 1] === 0x81) return 3 + bytes[at + 2];
  return bytes[at + 1] === 0x82 ? 4 + bytes.readUInt16BE(at + 2) : Number.NaN;
}

function send(request: IncomingMessage, response: ServerResponse, { der, lifetime }: Reply): void {
  const body = { "content-type": "application/ocsp-response", "content-length": der.length };
  if (request.method === "POST" || !lifetime) {
    response.writeHead(200, { ...body, "cache-control": "no-cache, no-store" }).end(der);
    return;
  }
  const headers = cachingHeaders(der, lifetime);
  if (isCurrent(request, headers.etag, lifetime)) response.writeHead(304, headers).end();
  else response.writeHead(200, { ...body, ...headers }).end(der);
}

/** RFC 9919 6.2. A cache looks at max-age first, which ends when a newer response is to be had. */
function cachingHeaders(der: Buffer, { thisUpdate, nextUpdate, maxAge }: Lifetime) {
  return {
    "last-modified": thisUpdate.toUTCString(),
    expires: nextUpdate.toUTCString(),
    etag: `"${createHash("sha256").update(der).digest("hex")}"`,
    "cache-control": `max-age=${maxAge}, public, no-transform, must-revalidate`,
  };
}

/** Whether the client has this response already, RFC 9110 13.2.2: If-None-Match counts where there are both. */
function isCurrent({ headers }: IncomingMessage, etag: string, { thisUpdate }: Lifetime): boolean {
  const tags = headers["if-none-match"];
  if (tags !== undefined) return tags.split(",").some((tag) => [etag, `W/${etag}`, "*"].includes(tag.trim()));
  return Date.parse(headers["if-modified-since"] ?? "") >= thisUpdate.getTime();
}
