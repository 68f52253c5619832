/** `curl --cert-status` with Node's HTTP server over ours: it demands a good staple. */

import { createServer as createHttp } from "node:http";
import type { ExecutionContext } from "ava";
import type { ServerOptions } from "../../hosts/node/index.js";
import { serveOurs, stapledContext } from "../hosts/ours.js";
import { withPeer } from "../peers/with-peer.js";
import { type Run, rootFile, runClient } from "./clients.js";

const run = withPeer("curl");
const versions = [
  ["TLS 1.2", "1.2"],
  ["TLS 1.3", "1.3"],
] as const;

/** What curl says when the certificate status is not what it demands. */
const INVALID_CERT_STATUS = 91;

async function fetchFrom(
  t: ExecutionContext,
  name: string,
  options: ServerOptions,
  ...args: string[]
): Promise<Run> {
  const http = createHttp((request, response) => response.end(`${request.method} ${request.url}`));
  const { port } = await serveOurs(t, options, (socket) => http.emit("connection", socket));
  const to = [
    "--resolve",
    `${name}.tlstaple.test:${port}:127.0.0.1`,
    `https://${name}.tlstaple.test:${port}/x`,
  ];
  return runClient("curl", [
    "-sS",
    "--http1.1",
    "--cacert",
    rootFile("p256"),
    "--cert-status",
    ...args,
    ...to,
  ]);
}

for (const [title, version] of versions) {
  const only = [`--tlsv${version}`, "--tls-max", version];

  run(`${title}: a good staple`, async (t) => {
    const { code, output } = await fetchFrom(t, "server1", {}, ...only);
    t.is(output, "GET /x");
    t.is(code, 0);
  });

  run(`${title}: a revoked one`, async (t) => {
    const { code, output } = await fetchFrom(t, "server2", stapledContext("p256", "server2"), ...only);
    t.is(code, INVALID_CERT_STATUS);
    t.regex(output, /revocation reason: keyCompromise/);
  });

  run(`${title}: a missing one`, async (t) => {
    const { code, output } = await fetchFrom(t, "server1", { staples: undefined }, ...only);
    t.is(code, INVALID_CERT_STATUS);
    t.regex(output, /No OCSP response received/);
  });

  run(`${title}: another certificate's`, async (t) => {
    const { staples } = stapledContext("p256", "server2");
    t.is((await fetchFrom(t, "server1", { staples }, ...only)).code, INVALID_CERT_STATUS);
  });
}
