/** `--crl` of `tlstaple client` and `tlstaple server`, with OpenSSL at the other end. */

import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import test, { type ExecutionContext } from "ava";
import { crlPem } from "../../../../certs/crl.js";
import { credential } from "../../../../certs/fixtures.js";
import { version } from "../../../../src/wire/registry.js";
import { crlOf, stale } from "../../../peers/crls.js";
import { openssl } from "../../../peers/openssl.js";
import { opensslServer, type ServerOptions } from "../../../peers/peers.js";
import { Scratch } from "../../../peers/scratch.js";
import { withPeer } from "../../../peers/with-peer.js";
import { tlstaple } from "../printed.js";

const scratch = new Scratch();
test.after.always(scratch.remove);
const file = (contents: string | Uint8Array) => scratch.add(contents);

const root = credential("p256", "root").certificateFile;
const ofRoot = file(crlOf("p256", "root"));
const ofCa = file(crlPem(crlOf("p256", "intermediate1")));
const revoking = file(crlPem(crlOf("p256", "intermediate1", ["server1"])));

async function serve(t: ExecutionContext, options: Partial<ServerOptions> = {}): Promise<string[]> {
  const peer = await opensslServer({
    identity: credential("p256", "server1"),
    version: version.tls13,
    ...options,
  });
  t.teardown(() => peer.stop());
  return ["client", "-h", "127.0.0.1", "-p", `${peer.port}`, "-S", "server1.tlstaple.test", "-A", root];
}

const peer = withPeer("openssl");

peer("client: good, revoked, missing, stale", async (t) => {
  const to = await serve(t);
  const good = await tlstaple(...to, "--crl", ofRoot, "--crl", ofCa);
  t.is(good.code, 0, good.stderr);
  t.regex(
    good.stdout,
    /CN=server1\.tlstaple\.test\n {2}OCSP not asked\n {2}CRL good, thisUpdate .*Z, nextUpdate .*Z\n/,
  );
  const revoked = await tlstaple(...to, "--crl", ofRoot, "--crl", revoking);
  t.is(revoked.code, 1);
  t.regex(revoked.stderr, /^CRL_CERT_REVOKED: /);
  t.regex(revoked.stderr, /wolfSSL {2}CRL_CERT_REVOKED \(-361\)\n {2}alert {4}certificate_revoked \(44\)\n/);
  t.regex(
    revoked.stdout,
    /CRL revoked, since 2026-01-01T00:00:00Z, keyCompromise, thisUpdate .*, CRL_CERT_REVOKED\n/,
  );
  t.regex(
    (await tlstaple(...to, "--crl", ofRoot)).stderr,
    /^CRL_MISSING: .*\n.*-362.*\n.*46.*\n {2}advice .*--crl/,
  );
  const old = file(crlOf("p256", "intermediate1", [], stale));
  t.regex((await tlstaple(...to, "--crl", ofRoot, "--crl", old)).stderr, /^CRL_EXPIRED: /);
  t.is((await tlstaple(...to, "--crl", ofCa, "--crl-policy", "leaf")).code, 0);
});

peer("client: in JSON", async (t) => {
  const to = await serve(t);
  const { crl } = JSON.parse((await tlstaple(...to, "--crl", ofRoot, "--crl", ofCa, "--json")).stdout);
  t.like(crl, [{ status: "good" }, { status: "good" }]);
  t.deepEqual(JSON.parse((await tlstaple(...to, "--json")).stdout).crl, []);
});

test("client: bad use", async (t) => {
  const bad = async (...args: string[]) => {
    const { code, stderr } = await tlstaple("client", "-p", "1", ...args);
    t.is(code, 2, stderr);
    return stderr;
  };
  t.regex(await bad("--crl", "/there/is/none"), /ENOENT/);
  t.regex(await bad("--crl", root), /no CRL found/);
  t.regex(await bad("--crl-policy", "all", "--crl", ofCa), /if-present, leaf or chain/);
  t.regex(await bad("--crl-policy", "leaf"), /only with crl/);
});

const clients = credential("client", "ca").certificateFile;
const guest = credential("client", "p256");
const ofClients = file(crlPem(crlOf("client", "ca")));
const revokingGuest = file(crlPem(crlOf("client", "ca", ["p256"])));

/** What our server makes of s_client with a certificate. */
async function visited(flag: "-tls1_2" | "-tls1_3", ...args: string[]) {
  const { certificateFile, keyFile } = credential("p256", "server1");
  const ready = file("");
  const own = ["-p", "0", "-c", certificateFile, "-k", keyFile, "-A", clients, "-R", ready];
  const served = tlstaple("server", ...own, ...args);
  const port = await portIn(ready);
  const identity = ["-cert", guest.certificateFile, "-key", guest.keyFile];
  await openssl("s_client", "-connect", `127.0.0.1:${port}`, flag, ...identity).catch(() => undefined);
  return served;
}

async function portIn(path: string): Promise<string> {
  for (;;) {
    const port = readFileSync(path, "utf8").trim();
    if (port) return port;
    await sleep(10);
  }
}

for (const flag of ["-tls1_2", "-tls1_3"] as const)
  peer(
    `server: s_client ${flag} with a certificate that is good, revoked, or that no list is for`,
    async (t) => {
      const good = await visited(flag, "--crl", ofClients);
      t.is(good.code, 0, good.stderr);
      t.regex(good.stdout, /client certificate 0: .*\n(?:.*\n)? {4}CRL good, thisUpdate /);
      const revoked = await visited(flag, "--crl", revokingGuest);
      t.is(revoked.code, 1);
      t.regex(revoked.stderr, /^CRL_CERT_REVOKED: (?:.*\n)+ {2}advice {3}Let the client in no more/);
      t.regex((await visited(flag, "--crl", ofRoot)).stderr, /^CRL_MISSING: /);
    },
  );

test("server: lists without clients' certificates are a mistake", async (t) => {
  const { certificateFile, keyFile } = credential("p256", "server1");
  const own = ["server", "-p", "0", "-c", certificateFile, "-k", keyFile, "--crl", ofClients];
  for (const args of [own, [...own, "-A", clients, "-d"]]) {
    const { code, stderr } = await tlstaple(...args);
    t.is(code, 2);
    t.regex(stderr, /--crl is for clients' certificates/);
  }
});

peer("our client before s_server with lists of its own", async (t) => {
  const identity = ["-c", guest.certificateFile, "-k", guest.keyFile];
  const before = async (list: string) => {
    const extra = ["-CRL", list, "-crl_check", "-verify_return_error"];
    const to = await serve(t, { clientCa: clients, version: version.tls12, extra });
    return tlstaple(...to, ...identity, "--crl", ofRoot, "--crl", ofCa);
  };
  const good = await before(ofClients);
  t.is(good.code, 0, good.stderr);
  t.regex((await before(revokingGuest)).stderr, /^PEER_ALERT: .*certificate_revoked \(44\)/);
});
