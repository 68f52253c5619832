/** `tlstaple check --starttls` with servers that are not of ours. */

import type { ExecutionContext } from "ava";
import { credential } from "../../../../certs/fixtures.js";
import { run } from "../../../../hosts/node/commands/program.js";
import type { StarttlsProtocol } from "../../../../hosts/node/starttls/index.js";
import { dovecotServer, slapdServer } from "../../../peers/clear.js";
import { mariadbServer, postgresServer } from "../../../peers/services.js";
import { withPeer } from "../../../peers/with-peer.js";

const identity = credential("rsa", "server1");
const root = credential("rsa", "root").certificateFile;

/** They staple nothing: the rest must be in order. */
async function check(t: ExecutionContext, protocol: StarttlsProtocol, port: number): Promise<void> {
  const out: string[] = [];
  const args = [`localhost:${port}`, "--starttls", protocol, "-A", root, "--no-lookup"];
  const code = await run(["check", ...args], { write: (text) => out.push(String(text)) }, process.stderr);
  const text = out.join("");
  t.is(code, 2, text);
  t.regex(text, /: OCSP_STAPLE_MISSING: [^;|]*\(TLSv1\.3 v1, TLSv1\.2 v1\) \|/);
  t.regex(text, /^127\.0\.0\.1: \d certificates?, /m);
  t.regex(text, /^TLSv1\.3 v1 +none .*$/m);
  t.regex(text, /^TLSv1\.2 v1 +none .*$/m);
}

withPeer("dovecot")("dovecot: imap, pop3, smtp", async (t) => {
  const { ports, stop } = await started(t, dovecotServer(identity));
  t.truthy(stop);
  for (const [protocol, port] of Object.entries(ports)) await check(t, protocol as "imap", port);
});

withPeer("slapd")("slapd: ldap", async (t) => {
  const { port } = await started(t, slapdServer(identity));
  await check(t, "ldap", port);
});

withPeer("postgres")("PostgreSQL", async (t) => {
  const { port } = await started(t, postgresServer(identity));
  await check(t, "postgres", port);
});

withPeer("mariadb")("MariaDB: mysql", async (t) => {
  const { port } = await started(t, mariadbServer(identity));
  await check(t, "mysql", port);
});

async function started<P extends { stop(): Promise<void> }>(
  t: ExecutionContext,
  starting: Promise<P>,
): Promise<P> {
  const peer = await starting;
  t.teardown(() => peer.stop());
  return peer;
}
