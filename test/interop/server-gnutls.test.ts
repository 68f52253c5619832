/** `gnutls-cli` with our Node server: what it can beside staples, which are in server.test.ts. */

import { readFileSync } from "node:fs";
import { credential } from "../../certs/fixtures.js";
import type { ServerSocket } from "../../hosts/node/index.js";
import { serveOurs } from "../hosts/node/ours.js";
import { withPeer } from "../peers/with-peer.js";
import { type Run, rootFile, runClient } from "./clients.js";

const run = withPeer("gnutls-cli");
const versions = ["TLS1.2", "TLS1.3"] as const;
const only = (version: string) => `NORMAL:-VERS-ALL:+VERS-${version}`;
const client = credential("client", "p256");
const clientCa = readFileSync(credential("client", "ca").certificateFile);

function gnutls(port: number, name: string, priority: string, ...args: string[]): Promise<Run> {
  const verified = ["--x509cafile", rootFile("p256"), "--sni-hostname", name, "--verify-hostname", name];
  const to = ["--port", `${port}`, "--priority", priority, "127.0.0.1"];
  return runClient("gnutls-cli", [...verified, ...args, ...to], "hello\n");
}

const answer = (socket: ServerSocket) => socket.once("data", (line) => socket.end(`heard ${line}`));

for (const version of versions) {
  run(`${version}: a session is resumed`, async (t) => {
    const ours = await serveOurs(t, {}, answer);
    const { output } = await gnutls(ours.port, "server1.tlstaple.test", only(version), "--resume");
    t.regex(output, /This is a resumed session/);
    t.deepEqual(
      ours.sockets.map((socket) => socket.isSessionReused()),
      [false, true],
    );
  });

  run(`${version}: a client certificate, and ALPN`, async (t) => {
    const options = { requestCert: true, ca: clientCa, ALPNProtocols: ["mqtt"] };
    const ours = await serveOurs(t, options, answer);
    const own = ["--x509certfile", client.certificateFile, "--x509keyfile", client.keyFile, "--alpn", "mqtt"];
    const { code, output } = await gnutls(ours.port, "server1.tlstaple.test", only(version), ...own);
    t.is(code, 0, output);
    t.true(ours.sockets[0].authorized);
    t.is(ours.sockets[0].alpnProtocol, "mqtt");
  });
}
