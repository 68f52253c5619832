import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import ava, { type ExecutionContext } from "ava";
import { purpose } from "../../certs/extensions.js";
import { credential, type Edition, fixtureFile, stapleFile } from "../../certs/fixtures.js";
import { run as runInNode } from "../../hosts/node/commands/program.js";
import { usualArena } from "../../hosts/xs/driver/machine.js";
import { run as runInXs } from "../../hosts/xs/driver/program.js";
import { version } from "../../src/wire/registry.js";
import { makeLeaf, makePki, respond } from "../hosts/node/ocsp/responders.js";
import { serveOurs } from "../hosts/node/ours.js";
import { listen } from "../hosts/node/servers.js";
import { opensslServer, type Peer, type ServerOptions } from "../peers/peers.js";
import { pem } from "../peers/pem.js";
import { psaObstacle } from "./machine.js";

// `npm run xs -- client` with real servers, in 64 KB.

if (psaObstacle) console.log(`skipped: ${psaObstacle}`);
const test = psaObstacle ? ava.serial.skip : ava.serial;

interface Run {
  code: number;
  stdout: string;
  stderr: string;
}

class Printed {
  text = "";

  write(text: string | Uint8Array): void {
    this.text += Buffer.from(text);
  }
}

async function printed(run: typeof runInXs, args: string[]): Promise<Run> {
  const out = new Printed();
  const err = new Printed();
  return { code: await run(args, out, err), stdout: out.text, stderr: err.text };
}

const xs = (...args: string[]) => printed(runInXs, args);

/** The arguments for a server with a certificate of the good PKI. */
function to({ port }: Pick<Peer, "port">, edition: Edition = "p256", name = "server1"): string[] {
  const root = credential(edition, "root").certificateFile;
  return ["client", "-h", "127.0.0.1", "-p", `${port}`, "-S", `${name}.tlstaple.test`, "-A", root];
}

async function serve(t: ExecutionContext, options: ServerOptions): Promise<Peer> {
  const peer = await opensslServer(options);
  t.teardown(() => peer.stop());
  return peer;
}

const staple = (edition: Edition, name: string) => [readFileSync(stapleFile(edition, name))];
const versions = { 3: version.tls12, 4: version.tls13 } as const;

for (const edition of ["rsa", "p256"] as const) {
  for (const v of [3, 4] as const) {
    const title = `${edition}, -v ${v}`;

    test(`${title}: good`, async (t) => {
      const identity = credential(edition, "server1");
      const peer = await serve(t, { identity, version: versions[v], staples: staple(edition, "server1") });
      const { code, stdout, stderr } = await xs(...to(peer, edition), "-W", "1m", "-v", `${v}`, "--memory");
      t.is(code, 0, stderr);
      t.is(stderr, "");
      t.regex(stdout, new RegExp(`^TLSv1.${v - 1}, TLS_`));
      t.regex(stdout, /CN=server1\.tlstaple\.test\n {2}OCSP good, thisUpdate .*Z, nextUpdate .*Z\n/);
      t.regex(stdout, /memory slots: \d+\nmemory chunks: \d+\n/);
      await peer.logs(/hello tlstaple!/);
    });

    test(`${title}: revoked`, async (t) => {
      const identity = credential(edition, "server2");
      const peer = await serve(t, { identity, version: versions[v], staples: staple(edition, "server2") });
      const { code, stdout, stderr } = await xs(...to(peer, edition, "server2"), "-W", "1");
      t.is(code, 1);
      t.regex(stderr, /^OCSP_CERT_REVOKED: the certificate has been revoked\n/);
      t.regex(stderr, /alert {4}certificate_revoked \(44\)\n/);
      t.regex(stdout, /OCSP revoked, since .*Z, /);
      await peer.logs(/alert certificate revoked|alert number 44/);
    });

    test(`${title}: nothing stapled`, async (t) => {
      const peer = await serve(t, { identity: credential(edition, "server1"), version: versions[v] });
      const { code, stderr } = await xs(...to(peer, edition), "-W", "1m");
      t.is(code, 1);
      t.regex(stderr, /^OCSP_STAPLE_MISSING: /);
    });
  }
}

const good: ServerOptions = {
  identity: credential("p256", "server1"),
  version: version.tls13,
  staples: staple("p256", "server1"),
};

test("what is printed is what Node prints, secrets and trace too", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "tlstaple-"));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const peer = await serve(t, { ...good, alpn: "http/1.1", extra: ["-www"] });
  const file = join(directory, "keys.log");
  const args = [...to(peer), "-g", "-W", "1", "-L", "h2,http/1.1", "-F", "4", "--trace", "--keylog", file];
  const [inNode, inXs] = [await printed(runInNode, args), await printed(runInXs, args)];
  t.is(inXs.stderr, "");
  t.deepEqual(outline(inXs.stdout), outline(inNode.stdout));
  t.regex(inXs.stdout, /HTTP\/1\.0 200 ok/);
  const secrets = readFileSync(file, "utf8").match(/^[A-Z0-9_]+ [0-9a-f]{64} [0-9a-f]+$/gm);
  // Node's has one more, as in XS nothing is exported
  t.is(secrets!.length, 9);
});

/** What does not depend on what a provider can do, or on the session. A device offers no resumption. */
function outline(text: string): string[] {
  const lines = text
    .replace(/; (session_ticket|psk_key_exchange_modes psk_dhe_ke)/g, "")
    .split("\n")
    .filter((line) => !/^ +(suites|signature_algorithms) /.test(line));
  return lines.slice(0, lines.indexOf("HTTP/1.0 200 ok\r"));
}

test("a client certificate", async (t) => {
  const { certificateFile, keyFile } = credential("client", "p256");
  for (const tls of [version.tls12, version.tls13]) {
    const peer = await serve(t, { ...good, version: tls, clientCa: fixtureFile("good/client/ca.pem") });
    const { code, stderr } = await xs(...to(peer), "-c", certificateFile, "-k", keyFile);
    t.is(code, 0, stderr);
    t.regex((await xs(...to(peer))).stderr, /^PEER_ALERT: .*(certificate_required|handshake_failure)/);
  }
});

test("a client certificate with its staple, where the server asks for it", async (t) => {
  const { ca, root: clients } = makePki();
  const link = makeLeaf(ca, [], purpose.clientAuth);
  const folder = mkdtempSync(join(tmpdir(), "tlstaple-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const write = (name: string, content: string | Buffer) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const key = link.key.secret.export({ format: "pem", type: "pkcs8" });
  const own = ["-c", write("own.pem", pem(link.der) + pem(ca.der)), "-k", write("own-key.pem", key)];
  const ocsp = { stapling: "v1", policy: "leaf" } as const;
  const ours = await serveOurs(t, { requestCert: true, ca: clients.der, ocsp }, (socket) => socket.end());
  const meet = (status: "good" | "revoked") =>
    xs(...to(ours), ...own, "--client-staple", write(`${status}.der`, respond(link, { status })));
  const { code, stderr } = await meet("good");
  t.is(code, 0, stderr);
  t.is(ours.sockets[0].ocsp[0].status, "good");
  t.is((await meet("revoked")).code, 1);
  t.is((await xs(...to(ours), ...own)).code, 1);
  t.deepEqual(
    ours.errors.map((error) => (error as { code?: string }).code),
    ["OCSP_CERT_REVOKED", "OCSP_STAPLE_MISSING"],
  );
});

test("the portable provider", async (t) => {
  const peer = await serve(t, good);
  const { code, stdout, stderr } = await xs(...to(peer), "-W", "1m", "--provider", "portable");
  t.is(code, 0, stderr);
  t.regex(stdout, /^TLSv1\.3, TLS_CHACHA20_POLY1305_SHA256, X25519\n/);
});

test("--groups are what is offered, and the advice names them where they help", async (t) => {
  const peer = await serve(t, { ...good, extra: ["-groups", "P-256"] });
  const hellos = async (...groups: string[]) => {
    const { code, stdout, stderr } = await xs(...to(peer), "--trace", ...groups);
    t.is(code, 0, stderr);
    t.regex(stdout, /^TLSv1\.3, \w+, prime256v1$/m);
    return stdout.match(/ ClientHello /g)!.length;
  };
  t.is(await hellos(), 2);
  t.is(await hellos("--groups", "P-256,X25519"), 1);
  const server = createTlsServer({
    cert: readFileSync(credential("p256", "server1").certificateFile),
    key: readFileSync(credential("p256", "server1").keyFile),
    ecdhCurve: "P-256",
  });
  server.on("OCSPRequest", (_certificate, _issuer, done) => done(null, staple("p256", "server1")[0]));
  const port = await listen(t, server);
  const args = [...to({ port }), "-W", "1m", "-v", "4"];
  const { code, stderr } = await xs(...args);
  t.is(code, 1);
  t.regex(stderr, /^OCSP_STAPLE_MISSING(.*\n)*.* advice .* put P-256 first in groups \(--groups\)/);
  t.is((await xs(...args, "--groups", "P-256")).code, 0);
});

for (const v of ["3", "4"])
  test(`-v ${v}: --nonce takes a staple without one, --nonce-required does not`, async (t) => {
    const peer = await serve(t, { ...good, version: versions[v as "3"] });
    const { code, stderr } = await xs(...to(peer), "-W", "1m", "-v", v, "--nonce");
    t.is(code, 0, stderr);
    const demanding = await xs(...to(peer), "-W", "1m", "-v", v, "--nonce-required");
    t.is(demanding.code, 1);
    t.regex(demanding.stderr, /^OCSP_NONCE: /);
  });

test("--json, and too small an arena", async (t) => {
  const peer = await serve(t, good);
  const found = JSON.parse((await xs(...to(peer), "-W", "1", "--json", "--memory")).stdout);
  t.like(found, { version: "TLSv1.3", group: "X25519", authorized: true, fault: null });
  t.is(found.ocsp[0].status, "good");
  t.is(found.certificates.length, 3);
  t.true(found.memory.slots + found.memory.chunks + found.memory.stack < usualArena());
  const { code, stderr } = await xs(...to(peer), "--arena", "32768");
  t.is(code, 1);
  t.regex(stderr, /out of memory/);
});

test("no TLS server: nobody, and one that speaks something else", async (t) => {
  const server = createServer((socket) => socket.write("220 ready\r\n"));
  const port = await listen(t, server);
  t.regex((await xs(...to({ port }))).stderr, /^UNKNOWN_RECORD_TYPE/);
  server.close();
  const { code, stderr } = await xs(...to({ port }));
  t.is(code, 1);
  t.regex(stderr, /Connection refused/);
});

test("wrong use: exit code 2", async (t) => {
  const cases: [string[], RegExp][] = [
    [["client", "-W", "2", "-v", "4"], /^Cannot use OCSP Stapling V2 with TLSv1\.3\n$/],
    [["client", "-c", credential("p256", "root").certificateFile], /cert and key come together/],
    [["client", "--groups", "P-522"], /P-522 is none of X25519, P-256, P-384/],
    [["client", "-h", "fe80::1%lo"], /"fe80::1%lo" is neither a DNS name nor an IP address/],
    [["client", "-S", "b\u00fccher.example"], /did you mean xn--bcher-kva\.example\?/],
    [["client", "--arena", "1"], /from 16384/],
    [["client", "--provider", "none"], /psa, portable/],
    [["inspect"], /unknown command/],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await xs(...args);
    t.is(code, 2, args.join(" "));
    t.regex(stderr, message);
  }
});
