import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import { buffer } from "node:stream/consumers";
import type { ExecutionContext } from "ava";
import type { Edition } from "../../certs/fixtures.js";
import { listen } from "../hosts/node/servers.js";
import { ocspAnswer } from "./openssl.js";

/** A responder over HTTP; what it was asked so far, in DER. */
export interface Responder {
  readonly url: string;
  readonly requests: Buffer[];
}

/** Answers for every authority of an edition, where `openssl ocsp -port` can only speak for one. */
export async function serveResponder(t: ExecutionContext, edition: Edition): Promise<Responder> {
  const requests: Buffer[] = [];
  const answer: RequestListener = async (request, reply) => {
    const asked = await readRequest(request);
    requests.push(asked);
    const response = await ocspAnswer(edition, asked);
    reply.writeHead(response ? 200 : 404, { "content-type": "application/ocsp-response" }).end(response);
  };
  const port = await listen(t, createServer(answer));
  return { url: `http://127.0.0.1:${port}/`, requests };
}

/** By GET the request is the path, in base64 (RFC 6960 A.1). */
function readRequest(request: IncomingMessage): Promise<Buffer> | Buffer {
  if (request.method !== "GET") return buffer(request);
  return Buffer.from(decodeURIComponent(request.url!.slice(1)), "base64");
}
