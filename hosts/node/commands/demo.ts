/**
 * `npm start`: OCSP stapling seen at work, on 127.0.0.1 alone. For RSA and P-256, TLS 1.2 and 1.3, our client meets
 * our stapling server with a good certificate, with a revoked one, and without a responder to ask. It must accept
 * the first and refuse the others. Exits with 0 only if it does.
 */

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { credential, type Edition, fixtureFile } from "../../../certs/fixtures.js";
import { demonstrate, judged, portOf } from "../common/demonstration.js";
import { connect, createServer, type ProtocolVersion, Stapler, type TLSSocket, TlsError } from "../index.js";
import { createResponder, listen } from "../responder/index.js";
import { Trace } from "../trace/trace.js";
import { describeVerdict } from "./report.js";

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

const versions: readonly ProtocolVersion[] = ["TLSv1.2", "TLSv1.3"];

/** The CA's responder, with a delegated signer and an index file of `openssl ca`. */
async function startResponder(edition: Edition): Promise<{ url: string; close(): void }> {
  const signer = credential(edition, `ocsp-${ISSUER}`);
  const responder = await createResponder({
    authorities: [
      {
        issuer: credential(edition, ISSUER).chain[0],
        index: fixtureFile(`good/${edition}/index-${ISSUER}.txt`),
        signer: { cert: signer.chain[0], key: readFileSync(signer.keyFile) },
      },
    ],
    validity: 3600,
  });
  const server = await listen(responder, {
    onExchange: ({ reply }) => {
      for (const { serial, status } of reply?.answers ?? [])
        console.log(`  responder: serial ${serial} is ${status}`);
    },
  });
  return { url: `http://127.0.0.1:${await portOf(server)}`, close: () => server.close() };
}

/** What came of a connection that requires a staple: "good", or the fault. */
async function meet(edition: Edition, port: number, server: string): Promise<string> {
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
async function show(
  edition: Edition,
  version: ProtocolVersion,
  each: Case,
  stapler: Stapler,
): Promise<boolean> {
  const { certificateFile, keyFile } = credential(edition, each.server);
  const server = createServer(
    {
      cert: readFileSync(certificateFile),
      key: readFileSync(keyFile),
      minVersion: version,
      maxVersion: version,
      stapler: each.staples ? stapler : "off",
    },
    (socket) => socket.resume(),
  );
  console.log(`\n${edition}, ${version}: ${each.what}`);
  const got = await meet(edition, await portOf(server), each.server);
  server.close();
  return judged(each.expected, got);
}

async function handshakes(): Promise<boolean[]> {
  const results: boolean[] = [];
  for (const edition of ["rsa", "p256"] as const) {
    const responder = await startResponder(edition);
    console.log(`\nOCSP responder of ${ISSUER}, ${edition}: ${responder.url}`);
    const stapler = new Stapler({ overrideUrl: responder.url });
    for (const version of versions)
      for (const each of cases) results.push(await show(edition, version, each, stapler));
    stapler.close();
    responder.close();
  }
  return results;
}

await demonstrate("handshakes", PATIENCE, handshakes);
