/**
 * The server process: one port for each scenario, all of node:tls, or of ours where the argument says so. On
 * every connection the client asks for a number of bytes (u32, big-endian) and gets them. Any message is answered
 * with the CPU time that the process has used.
 */

import { readFileSync } from "node:fs";
import { createServer as createTcpServer, type Server } from "node:net";
import type { Duplex } from "node:stream";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";
import { credential } from "../../certs/fixtures.js";
import { createServer as createOurs, type ServerOptions } from "../../hosts/node/index.js";
import { connecting, type Scenario, servedScenarios, serverChain, stapleOf } from "./scenarios.js";

const ours = process.argv[2] === "tlstaple";
const CHUNK = Buffer.alloc(1 << 20, 0x61);

/** Everyone has AES-128-GCM; ChaCha20-Poly1305 is for those who prefer it, as the order is the client's. */
const modernCiphers = [
  "TLS_AES_128_GCM_SHA256",
  "TLS_CHACHA20_POLY1305_SHA256",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
].join(":");

/** node-forge knows nothing newer than TLS 1.1 with RSA key transport, CBC and HMAC-SHA-1. */
const oldCiphers = "AES128-SHA:@SECLEVEL=0";

function optionsOf({ version, edition }: Scenario): TlsOptions {
  return {
    cert: serverChain(edition),
    key: readFileSync(credential(edition, "server1").keyFile),
    minVersion: version as TlsOptions["minVersion"],
    maxVersion: version as TlsOptions["maxVersion"],
    ciphers: version === "TLSv1.1" ? oldCiphers : modernCiphers,
    honorCipherOrder: false,
  };
}

function open(scenario: Scenario): Server {
  if (ours) return openOurs(scenario);
  if (scenario.version === "none") return createTcpServer({ noDelay: true }, serve);
  const server = createTlsServer(optionsOf(scenario), serve);
  const staple = stapleOf(scenario);
  server.on("OCSPRequest", (_certificate, _issuer, done) => done(null, staple));
  return server;
}

/** Its staples come from where a Stapler would have them ready. */
function openOurs(scenario: Scenario): Server {
  const { cert, key, minVersion, maxVersion } = optionsOf(scenario);
  const staples = [stapleOf(scenario)];
  const until = Math.floor(Date.now() / 1000) + 86_400;
  const stapler = { ready: () => ({ staples, until }), staples: async () => ({ staples, until }) };
  const options = { cert, key, minVersion, maxVersion, stapler } as ServerOptions;
  return createOurs(options, (socket) => serve(socket));
}

/** Clients leave as soon as they have what they asked for. */
function serve(socket: Duplex): void {
  socket.on("error", () => socket.destroy());
  socket.once("data", (request: Buffer) => send(socket, request.readUInt32BE(0)));
}

function send(socket: Duplex, left: number): void {
  while (left > 0) {
    const n = Math.min(left, CHUNK.length);
    left -= n;
    if (socket.write(CHUNK.subarray(0, n)) || left === 0) continue;
    socket.once("drain", () => send(socket, left));
    return;
  }
}

function listen(scenario: Scenario): Promise<[string, number]> {
  const server = open(scenario);
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      resolve([scenario.id, (server.address() as { port: number }).port]);
    });
  });
}

const wanted = ours ? connecting.filter(({ id }) => servedScenarios.includes(id)) : connecting;
process.once("disconnect", () => process.exit());
process.on("message", () => process.send?.(process.cpuUsage()));
process.send?.(Object.fromEntries(await Promise.all(wanted.map(listen))));
