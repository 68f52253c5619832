/**
 * `npm start`: OCSP stapling seen at work, with OpenSSL's servers and responder, on 127.0.0.1 alone. For RSA and
 * P-256, TLS 1.2 and 1.3, our client meets a good server, a revoked one and one that staples nothing, and must
 * accept the first and refuse the others. Exits with 0 only if it does.
 */

import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { credential, type Edition, fixtureFile } from "../../certs/fixtures.js";
import { version } from "../../src/client/index.js";
import { opensslServer, type Peer } from "../../test/peers/peers.js";
import { describeVerdict } from "./commands/report.js";
import { describeCertificate } from "./describe.js";
import { connect, type TLSSocket, TlsError } from "./index.js";
import { Trace } from "./trace.js";

interface Case {
  readonly what: string;
  readonly server: "server1" | "server2";
  readonly staples: boolean;
  /** What must come of it: "good", or the fault. */
  readonly expected: string;
}

const cases: readonly Case[] = [
  { what: "a good certificate", server: "server1", staples: true, expected: "good" },
  { what: "a revoked certificate", server: "server2", staples: true, expected: "OCSP_CERT_REVOKED" },
  { what: "no staple", server: "server1", staples: false, expected: "OCSP_STAPLE_MISSING" },
];

/** The CA of server1 and server2, whose responder we run. */
const ISSUER = "intermediate1";
/** Milliseconds for everything. */
const PATIENCE = 30_000;

/**
 * The responder of the certificates' CA, at the address that the certificates name. `openssl ocsp` answers each
 * request; it could listen by itself, but only on all interfaces.
 */
async function startResponder(edition: Edition): Promise<Server> {
  const responder = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    response.setHeader("Content-Type", "application/ocsp-response");
    response.end(await answer(edition, Buffer.concat(chunks)));
  });
  const [address] = describeCertificate(credential(edition, "server1").chain[0]).ocspResponders;
  responder.listen(Number(new URL(address).port), "127.0.0.1");
  await once(responder, "listening");
  console.log(`\nOCSP responder of ${ISSUER}, ${edition}: openssl ocsp at ${address}`);
  return responder;
}

function answer(edition: Edition, request: Buffer): Promise<Buffer> {
  const signer = credential(edition, `ocsp-${ISSUER}`);
  const ca = credential(edition, ISSUER).certificateFile;
  const index = fixtureFile(`good/${edition}/index-${ISSUER}.txt`);
  const args = ["ocsp", "-index", index, "-CA", ca, "-nmin", "60"];
  args.push("-rsigner", signer.certificateFile, "-rkey", signer.keyFile, "-reqin", "-", "-respout", "-");
  return new Promise((resolve, reject) => {
    const child = execFile("openssl", args, { encoding: "buffer" }, (error, stdout) =>
      error ? reject(error) : resolve(stdout),
    );
    child.stdin?.end(request);
  });
}

/** `openssl s_server`; with -status it asks the responder for each connection. */
function startServer(edition: Edition, protocol: number, { server, staples }: Case): Promise<Peer> {
  const extra = staples ? ["-status", "-CAfile", credential(edition, ISSUER).certificateFile] : [];
  return opensslServer({ identity: credential(edition, server), version: protocol, extra });
}

/** What came of a connection that requires a staple: "good", or the fault. */
async function meet(edition: Edition, port: number, { server }: Case): Promise<string> {
  const trace = new Trace(showShort);
  const socket = connect({
    host: "127.0.0.1",
    port,
    servername: `${server}.tlstaple.test`,
    ca: credential(edition, "root").chain[0],
    ocsp: { stapling: "v1", policy: "leaf" },
    onMessage: (...message) => trace.record(...message),
  });
  const outcome = await settled(socket);
  if (socket.ocsp.length > 0) console.log(`  verdict: ${describeVerdict(socket.ocsp[0])}`);
  return outcome;
}

async function settled(socket: TLSSocket): Promise<string> {
  try {
    await once(socket, "secureConnect");
    socket.end();
    await once(socket.resume(), "close");
    return "good";
  } catch (error) {
    return error instanceof TlsError ? error.code : String(error);
  }
}

/** The trace without the ClientHello's long lists. */
function showShort(line: string): void {
  if (!/^\s+(suites|supported_groups|signature_algorithms) /.test(line)) console.log(`  ${line}`);
}

/** One handshake, shown; whether it ended as expected. */
async function show(edition: Edition, protocol: number, each: Case): Promise<boolean> {
  const peer = await startServer(edition, protocol, each);
  try {
    const name = protocol === version.tls13 ? "TLS 1.3" : "TLS 1.2";
    console.log(`\n${edition}, ${name}: ${each.what}`);
    const got = await meet(edition, peer.port, each);
    console.log(
      `  expected ${each.expected}, got ${got}: ${got === each.expected ? "as it must be" : "WRONG"}`,
    );
    return got === each.expected;
  } finally {
    await peer.stop();
  }
}

async function main(): Promise<void> {
  const results: boolean[] = [];
  for (const edition of ["rsa", "p256"] as const) {
    const responder = await startResponder(edition);
    for (const protocol of [version.tls12, version.tls13])
      for (const each of cases) results.push(await show(edition, protocol, each));
    responder.close();
  }
  const right = results.filter((result) => result).length;
  console.log(`\n${right} of ${results.length} handshakes ended as they must.`);
  process.exitCode = right === results.length ? 0 : 1;
}

setTimeout(() => {
  console.error(`not done after ${PATIENCE / 1000} s: giving up`);
  process.exit(1);
}, PATIENCE).unref();

await main();
