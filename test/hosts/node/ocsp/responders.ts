import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { OCSPRequest } from "@peculiar/asn1-ocsp";
import { AsnConvert } from "@peculiar/asn1-schema";
import type { ExecutionContext } from "ava";
import { type Issued, issue } from "../../../../certs/certificate.js";
import { generalizedTime, integer } from "../../../../certs/der.js";
import {
  authorityInfoAccess,
  basicConstraints,
  extendedKeyUsage,
  keyUsage,
  ocspNoCheck,
  purpose,
  subjectAltName,
} from "../../../../certs/extensions.js";
import { newKey } from "../../../../certs/keys.js";
import { certId, certStatus, ocspResponse, singleResponse } from "../../../../certs/response.js";

/** Responders and a PKI for tests of fetching: what they say is signed here, for any time. */

/** A certificate with its issuer; a root is its own. */
export interface Link extends Issued {
  readonly issuer: Issued;
}

/** root, CA and leaf, each naming the responders given, and the CA's delegated signer. */
export interface Pki {
  readonly root: Link;
  readonly ca: Link;
  readonly leaf: Link;
  readonly delegate: Issued;
  /** DER, the leaf first. */
  readonly chain: Buffer[];
}

export interface PkiOptions {
  readonly urls?: string[];
  readonly rootUrls?: string[];
  readonly delegateUntil?: string;
}

let serial = 1000;

export function makePki({ urls = [], rootUrls = [], delegateUntil }: PkiOptions = {}): Pki {
  const root = makeCa("root", undefined, rootUrls);
  const ca = makeCa("ca", root, urls);
  const leaf = makeLeaf(ca, urls);
  const delegate = issue(ca, {
    serial: serial++,
    subject: "delegate",
    key: newKey("p256"),
    notAfter: delegateUntil,
    extensions: {
      usage: keyUsage("digitalSignature"),
      purpose: extendedKeyUsage(purpose.ocspSigning),
      noCheck: ocspNoCheck(),
    },
  });
  return { root, ca, leaf, delegate, chain: [leaf.der, ca.der, root.der] };
}

function makeCa(subject: string, issuer: Issued | undefined, urls: string[]): Link {
  const extensions = caExtensions(urls);
  const ca = issue(issuer, {
    serial: serial++,
    subject: `${subject} ${serial}`,
    key: newKey("p256"),
    extensions,
  });
  return { ...ca, issuer: issuer ?? ca };
}

/** The extensions of a CA that names these responders. */
export const caExtensions = (urls: string[]) => ({
  constraints: basicConstraints(true),
  usage: keyUsage("keyCertSign", "digitalSignature"),
  access: access(urls),
});

/** One more leaf of a CA, a server's or a client's. */
export function makeLeaf(ca: Issued, urls: string[] = [], use: string = purpose.serverAuth): Link {
  const extensions = {
    usage: keyUsage("digitalSignature"),
    purpose: extendedKeyUsage(use),
    names: subjectAltName("localhost", "127.0.0.1"),
    access: access(urls),
  };
  const leaf = issue(ca, { serial: serial++, subject: `leaf ${serial}`, key: newKey("p256"), extensions });
  return { ...leaf, issuer: ca };
}

const access = (urls: string[]) => (urls.length > 0 ? authorityInfoAccess(...urls) : undefined);

export interface Statement {
  readonly status?: "good" | "revoked" | "unknown";
  /** Seconds since 1970; nextUpdate null: none. */
  readonly thisUpdate?: number;
  readonly nextUpdate?: number | null;
  readonly signer?: Issued;
  readonly certificates?: Buffer[];
  readonly bendSignature?: (signature: Buffer) => Buffer;
  readonly extensions?: Buffer[];
}

const iso = (seconds: number) => new Date(seconds * 1000).toISOString();
const states = {
  good: certStatus.good,
  revoked: certStatus.revoked("2026-01-01T00:00:00Z", 1),
  unknown: certStatus.unknown,
};

/** A response about a certificate, from its issuer unless someone else signs; good for the next hour. */
export function respond({ serial, issuer }: Link, statement: Statement = {}): Buffer {
  const { status = "good", signer = issuer, thisUpdate = Math.floor(Date.now() / 1000) } = statement;
  const { nextUpdate = thisUpdate + 3600, certificates, bendSignature, extensions } = statement;
  const single = singleResponse({
    certId: certId(issuer, serial),
    status: states[status],
    thisUpdate: generalizedTime(iso(thisUpdate)),
    nextUpdate: nextUpdate === null ? null : generalizedTime(iso(nextUpdate)),
  });
  const producedAt = generalizedTime(iso(thisUpdate));
  return ocspResponse({ signer, responses: [single], certificates, producedAt, bendSignature, extensions });
}

/** An HTTP server on 127.0.0.1 that remembers what it was asked. */
export interface Responder {
  readonly url: string;
  readonly port: number;
  readonly requests: { readonly method: string; readonly der: Buffer }[];
  /** How many connections are open. */
  connections(): Promise<number>;
  stop(): Promise<void>;
}

/** What is done with each request, in DER. */
type Script = (response: ServerResponse, request: Buffer) => void;

/** Serves until the test ends. */
export async function serve(t: ExecutionContext, script: Script, port = 0): Promise<Responder> {
  const requests: { method: string; der: Buffer }[] = [];
  const server = createServer(async (request, response) => {
    const der = await requestOf(request);
    requests.push({ method: request.method!, der });
    script(response, der);
  });
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  t.teardown(stop);
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const connections = () =>
    new Promise<number>((resolve) => server.getConnections((_error, count) => resolve(count)));
  const { port: number } = server.address() as AddressInfo;
  return { port: number, url: `http://127.0.0.1:${number}`, requests, connections, stop };
}

/** RFC 6960 A.1: the body of a POST, the last part of a GET's path. */
async function requestOf(request: IncomingMessage): Promise<Buffer> {
  if (request.method === "GET") return Buffer.from(decodeURIComponent(request.url!.slice(1)), "base64");
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Sends bytes as a responder does. */
export function send(response: ServerResponse, der: Uint8Array): void {
  response.setHeader("Content-Type", "application/ocsp-response");
  response.end(der);
}

/** The serial number that a request is about, as an INTEGER. */
export function serialIn(request: Buffer): Buffer {
  const { tbsRequest } = AsnConvert.parse(request, OCSPRequest);
  return integer(BigInt(`0x${Buffer.from(tbsRequest.requestList[0].reqCert.serialNumber).toString("hex")}`));
}

/** A responder for these certificates, which says about each what `statement` says at that moment. */
export function honest(
  t: ExecutionContext,
  links: () => readonly Link[],
  statement: () => Statement = () => ({}),
  port = 0,
): Promise<Responder> {
  const script: Script = (response, request) => {
    const serial = serialIn(request);
    const link = links().find((each) => each.serial.equals(serial));
    if (link) send(response, respond(link, statement()));
    else response.writeHead(404).end();
  };
  return serve(t, script, port);
}

/** A clock that is set by hand, in seconds since 1970. */
export function handClock(): { (): number; now: number } {
  const clock = Object.assign(() => clock.now, { now: Math.floor(Date.now() / 1000) });
  return clock;
}

/** Waits until something holds, which should not take long; throws if it does. */
export async function until(holds: () => boolean | Promise<boolean>, what = "it"): Promise<void> {
  const end = Date.now() + 5000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`waited for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** In place of HTTP: what `answer` makes of each request; an undefined answer is a network that is down. */
export function source(answer: (link: Link) => Uint8Array | undefined, links: () => readonly Link[]) {
  const fetch = async (_url: string, request: Uint8Array) => {
    fetch.count++;
    const serial = serialIn(Buffer.from(request));
    const response = answer(links().find((each) => each.serial.equals(serial))!);
    if (!response) throw new Error("down");
    return response;
  };
  fetch.count = 0;
  return fetch;
}
