/** OCSP over HTTP, RFC 6960 appendix A. */

import { once } from "node:events";
import type { ClientRequest, IncomingMessage, RequestOptions } from "node:http";
import { performance } from "node:perf_hooks";
import { Lru } from "./lru.js";
import { digest } from "./subject.js";

/** Why there is no response to look at. */
export type FetchCode =
  | "ERR_TLSTAPLE_OCSP_URL"
  | "ERR_TLSTAPLE_OCSP_NETWORK"
  | "ERR_TLSTAPLE_OCSP_TIMEOUT"
  | "ERR_TLSTAPLE_OCSP_ABORTED"
  | "ERR_TLSTAPLE_OCSP_STATUS"
  | "ERR_TLSTAPLE_OCSP_TYPE"
  | "ERR_TLSTAPLE_OCSP_SIZE";

/** A responder that gave no response: `code` is stable, `cause` is the network's own error where there is one. */
export class OcspFetchError extends Error {
  override readonly name = "OcspFetchError";
  readonly code: FetchCode;
  readonly url: string | undefined;

  constructor(code: FetchCode, problem: string, url?: string, cause?: unknown) {
    super(url === undefined ? problem : `${url}: ${problem}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.url = url;
  }
}

/** Fetches the DER of a response for that of a request, by whatever means: wolfSSL's `SetOCSP_Cb`. */
export type OcspFetch = (url: string, request: Uint8Array, signal: AbortSignal) => Promise<Uint8Array>;

export interface FetchOptions {
  /** Milliseconds from the start to the last byte; 5,000 by default. */
  readonly timeout?: number;
  /** The largest response; 65,536 by default. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
  /**
   * Ask by GET, which caches can answer, where the URL stays within 255 bytes (RFC 5019 section 5). A responder that
   * knows POST alone is asked so then, and from then on.
   */
  readonly get?: boolean;
  /** In place of HTTP. Time and size are limited all the same. */
  readonly fetch?: OcspFetch;
}

const maxGet = 255;
/** Milliseconds for one request. */
export const defaultTimeout = 5000;
const defaultMaxBytes = 65536;

/**
 * Sends a request to a responder. Nothing is kept open afterwards. A redirect is not followed: whoever answers
 * for a CA has a place of its own, and the URL may come from a stranger's certificate.
 * @throws OcspFetchError and nothing else
 */
export async function fetchOcsp(
  url: string,
  request: Uint8Array,
  options: FetchOptions = {},
): Promise<Uint8Array> {
  const { maxBytes = defaultMaxBytes, get = true, fetch } = options;
  const response = await within(url, options, (signal) =>
    fetch ? fetch(url, request, signal) : exchange(url, request, { maxBytes, get, signal }),
  );
  if (!(response instanceof Uint8Array)) throw new OcspFetchError("ERR_TLSTAPLE_OCSP_TYPE", "no bytes", url);
  if (response.length > maxBytes) throw tooLarge(url, maxBytes);
  return Uint8Array.from(response);
}

/** Limits the time of `work`, whose signal is aborted at its end, whatever that was. */
async function within<T>(
  url: string,
  { timeout = defaultTimeout, signal }: FetchOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (signal?.aborted) throw aborted(url);
  const controller = new AbortController();
  const { promise: stopped, reject: stop } = rejection();
  const abort = () => stop(aborted(url));
  const expire = () =>
    stop(new OcspFetchError("ERR_TLSTAPLE_OCSP_TIMEOUT", `no response in ${timeout} ms`, url));
  const timer = setTimeout(expire, timeout);
  signal?.addEventListener("abort", abort);
  try {
    return await Promise.race([stopped, work(controller.signal)]);
  } catch (error) {
    if (error instanceof OcspFetchError) throw error;
    throw new OcspFetchError("ERR_TLSTAPLE_OCSP_NETWORK", String((error as Error)?.message), url, error);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
    controller.abort();
  }
}

function rejection(): { promise: Promise<never>; reject: (error: Error) => void } {
  let reject!: (error: Error) => void;
  const promise = new Promise<never>((_resolve, rejects) => {
    reject = rejects;
  });
  return { promise, reject };
}

interface Exchange {
  readonly maxBytes: number;
  readonly get: boolean;
  readonly signal: AbortSignal;
}

/** What responders that know POST alone, or other URLs, say to a GET: an HTTP status, or malformedRequest. */
const refusals: readonly (number | undefined)[] = [400, 403, 404, 405, 414, 501];
const malformedRequest = Buffer.from("30030a0101", "hex");

/** Responders that answered a POST after they had refused a GET, and when, by performance.now(). */
const posters = new Lru<{ since: number }>(1000);
/** Milliseconds for which that counts: it may have been for another reason. */
const day = 86_400_000;

async function exchange(url: string, request: Uint8Array, how: Exchange): Promise<Buffer> {
  const target = readUrl(url);
  const poster = posters.use(digest([Buffer.from(target.href)]), () => ({ since: Number.NEGATIVE_INFINITY }));
  const short = how.get && performance.now() - poster.since > day ? getUrl(target, request) : undefined;
  if (short) {
    const got = await get(url, short, how);
    if (got) return got;
  }
  const body = await receive(url, await post(target, request, how), how.maxBytes);
  if (short && !malformedRequest.equals(body)) poster.since = performance.now();
  return body;
}

/** The response, or undefined when it should be tried by POST. */
async function get(url: string, short: URL, { signal, maxBytes }: Exchange): Promise<Buffer | undefined> {
  const response = await answerTo(open(short, { signal }).end());
  const refused = refusals.includes(response.statusCode);
  const body = refused ? malformedRequest : await receive(url, response, maxBytes);
  response.destroy();
  return malformedRequest.equals(body) ? undefined : body;
}

function post(target: URL, request: Uint8Array, { signal }: Exchange): Promise<IncomingMessage> {
  const headers = { "Content-Type": "application/ocsp-request", "Content-Length": request.length };
  return answerTo(open(target, { signal, method: "POST", headers }).end(request));
}

function open(target: URL, options: RequestOptions): ClientRequest {
  const scheme = target.protocol === "https:" ? "node:https" : "node:http";
  // Who imports node:http has Node load its fetch, which takes longer than all that is loaded here
  const { request } = process.getBuiltinModule(scheme);
  const headers = { Accept: "application/ocsp-response", ...options.headers };
  return request(target, { agent: false, ...options, headers });
}

async function answerTo(outgoing: ClientRequest): Promise<IncomingMessage> {
  // What fails after the response has begun is told by the response
  outgoing.on("error", () => undefined);
  const [response] = (await once(outgoing, "response")) as [IncomingMessage];
  return response;
}

async function receive(url: string, response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  checkHead(url, response, maxBytes);
  return readBody(url, response, maxBytes);
}

function readUrl(url: string): URL {
  const target = URL.canParse(url) ? new URL(url) : undefined;
  if (target?.protocol === "http:" || target?.protocol === "https:") return target;
  throw new OcspFetchError("ERR_TLSTAPLE_OCSP_URL", "neither http nor https", url);
}

/** RFC 6960 A.1: the URL, a slash, and the request in base64, percent-encoded; undefined when that gets too long. */
function getUrl({ href, search, hash }: URL, request: Uint8Array): URL | undefined {
  if (search || hash) return undefined;
  const path = encodeURIComponent(Buffer.from(request).toString("base64"));
  const url = `${href.replace(/\/$/, "")}/${path}`;
  return url.length <= maxGet ? new URL(url) : undefined;
}

const types = /^application\/(ocsp-response|octet-stream)\s*(;|$)/i;

/** A missing Content-Type is let pass: what it is will be seen. */
function checkHead(url: string, { statusCode, headers }: IncomingMessage, maxBytes: number): void {
  const type = headers["content-type"];
  if (statusCode !== 200) throw new OcspFetchError("ERR_TLSTAPLE_OCSP_STATUS", `HTTP ${statusCode}`, url);
  if (type !== undefined && !types.test(type))
    throw new OcspFetchError("ERR_TLSTAPLE_OCSP_TYPE", `its Content-Type is ${type}`, url);
  if (Number(headers["content-length"]) > maxBytes) throw tooLarge(url, maxBytes);
}

async function readBody(url: string, response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge(url, maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function aborted(url: string): OcspFetchError {
  return new OcspFetchError("ERR_TLSTAPLE_OCSP_ABORTED", "aborted", url);
}

function tooLarge(url: string, maxBytes: number): OcspFetchError {
  return new OcspFetchError("ERR_TLSTAPLE_OCSP_SIZE", `the response exceeds ${maxBytes} bytes`, url);
}
