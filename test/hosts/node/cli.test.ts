import { execFile } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test, { type ExecutionContext } from "ava";
import { credential, type Edition, fixture, fixtureFile } from "../../../certs/fixtures.js";
import { version } from "../../../src/wire/registry.js";
import { ocspResponse } from "../../peers/openssl.js";
import {
  gnutlsServer,
  opensslResponder,
  opensslServer,
  type Peer,
  type ServerOptions,
} from "../../peers/peers.js";
import { withPeer } from "../../peers/with-peer.js";
import { serveOurs } from "./ours.js";
import { type Run, tlstaple } from "./printed.js";
import { listen } from "./servers.js";

const cli = fileURLToPath(new URL("../../../hosts/node/cli.js", import.meta.url));

/** Runs the built command to its end, which it must reach by itself. */
function spawned(...args: string[]): Promise<Run> {
  return new Promise((resolve) => {
    execFile(process.execPath, [cli, ...args], { timeout: 60_000 }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code ?? -1) : 0, stdout, stderr }),
    );
  });
}

const root = (edition: Edition) => credential(edition, "root").certificateFile;

/** The arguments for a server with a certificate of the good PKI. */
function to({ port }: Pick<Peer, "port">, edition: Edition = "p256", name = "server1"): string[] {
  return ["client", "-h", "127.0.0.1", "-p", `${port}`, "-S", `${name}.tlstaple.test`, "-A", root(edition)];
}

async function serve(t: ExecutionContext, options: ServerOptions): Promise<Peer> {
  const peer = await opensslServer(options);
  t.teardown(() => peer.stop());
  return peer;
}

const versions = { 3: version.tls12, 4: version.tls13 } as const;

for (const edition of ["rsa", "p256"] as const) {
  for (const v of [3, 4] as const) {
    const title = `${edition}, -v ${v}`;

    test.serial(`${title}: good`, async (t) => {
      const staples = [await ocspResponse(edition, "server1", "intermediate1")];
      const identity = credential(edition, "server1");
      const peer = await serve(t, { identity, version: versions[v], staples });
      for (const kind of ["1", "1m"]) {
        const { code, stdout, stderr } = await spawned(...to(peer, edition), "-W", kind, "-v", `${v}`);
        t.is(code, 0, stderr);
        t.is(stderr, "");
        t.regex(stdout, new RegExp(`^TLSv1.${v - 1}, TLS_`));
        t.regex(stdout, /CN=server1\.tlstaple\.test\n {2}OCSP good, thisUpdate .*Z, nextUpdate .*Z\n/);
      }
      await peer.logs(/hello tlstaple!/);
    });

    test.serial(`${title}: revoked`, async (t) => {
      const staples = [await ocspResponse(edition, "server2", "intermediate1")];
      const identity = credential(edition, "server2");
      const peer = await serve(t, { identity, version: versions[v], staples });
      const { code, stdout, stderr } = await spawned(...to(peer, edition, "server2"), "-W", "1");
      t.is(code, 1);
      t.regex(stderr, /^OCSP_CERT_REVOKED: the certificate has been revoked\n/);
      t.regex(stderr, /wolfSSL {2}OCSP_CERT_REVOKED \(-360\)\n/);
      t.regex(stderr, /alert {4}certificate_revoked \(44\)\n/);
      t.regex(stderr, /advice {3}Do not go on/);
      t.regex(stdout, /OCSP revoked, since 2025-06-01T00:00:00Z, keyCompromise, /);
      await peer.logs(/alert certificate revoked|alert number 44/);
    });

    test.serial(`${title}: nothing stapled`, async (t) => {
      const identity = credential(edition, "server1");
      const peer = await serve(t, { identity, version: versions[v] });
      const missing = await spawned(...to(peer, edition), "-W", "1m");
      t.is(missing.code, 1);
      t.regex(missing.stderr, /^OCSP_STAPLE_MISSING: /);
      t.regex(missing.stderr, /bad_certificate_status_response \(113\)/);
      t.is((await spawned(...to(peer, edition), "-W", "1")).code, 0);
    });
  }
}

const good: ServerOptions = { identity: credential("p256", "server1"), version: version.tls13 };

test.serial(
  "-W 2 and -W 3 ask in TLS 1.2, --trace shows how; -W 3 wants each certificate's staple",
  async (t) => {
    const staples = [await ocspResponse("p256", "server1", "intermediate1")];
    const peer = await serve(t, { ...good, version: version.tls12, staples });
    const asks = /ClientHello .*; status_request_v2 (\w+)/;
    const two = await tlstaple(...to(peer), "-W", "2", "--trace");
    t.is(two.code, 0);
    t.is(asks.exec(two.stdout)?.[1], "ocsp");
    t.notRegex(two.stdout, /status_request ocsp/);
    // OpenSSL knows status_request alone
    const three = await tlstaple(...to(peer), "-W", "3", "--trace");
    t.is(asks.exec(three.stdout)?.[1], "ocsp_multi");
    t.regex(three.stderr, /^OCSP_STAPLE_MISSING/);
    t.is((await tlstaple(...to(peer), "-W", "3", "--policy", "if-present")).code, 0);
  },
);

for (const [title, start] of Object.entries({ openssl: opensslServer, gnutls: gnutlsServer }))
  withPeer(title as "openssl" | "gnutls")(
    `-W 1 without -v: the one version that ${title} has, the newest of ours`,
    async (t) => {
      for (const v of [3, 4] as const) {
        const peer = await start({ ...good, version: versions[v] });
        t.teardown(() => peer.stop());
        const { code, stdout, stderr } = await tlstaple(...to(peer), "-W", "1");
        t.is(code, 0, stderr);
        t.regex(stdout, new RegExp(`^TLSv1.${v - 1}, `));
      }
      const ours = await serveOurs(t);
      for (const kind of [[], ["-W", "1"], ["-W", "1m"]])
        t.regex((await tlstaple(...to(ours), ...kind)).stdout, /^TLSv1\.3, /);
      for (const kind of ["2", "3m"])
        t.regex((await tlstaple(...to(ours), "-W", kind)).stdout, /^TLSv1\.2, /);
    },
  );

test.serial("--groups: only these are offered, best first", async (t) => {
  const peer = await serve(t, { ...good, extra: ["-groups", "P-384:P-256"] });
  const { stdout } = await tlstaple(...to(peer), "--groups", "secp384r1:P-256", "--trace");
  t.regex(stdout, /supported_groups secp384r1 secp256r1\n/);
  t.regex(stdout, /^TLSv1\.3, \w+, secp384r1$/m);
  t.notRegex(stdout, /HelloRetryRequest/);
  t.regex(
    (await tlstaple(...to(peer), "--groups", "X25519")).stderr,
    /X25519; .* Offer more with groups \(--groups\)/,
  );
});

test.serial("--policy, --nonce and --nonce-required", async (t) => {
  const staples = [await ocspResponse("p256", "server1", "intermediate1")];
  const peer = await serve(t, { ...good, staples });
  t.is((await tlstaple(...to(peer), "-W", "1", "--policy", "leaf")).code, 0);
  t.regex((await tlstaple(...to(peer), "-W", "1", "--policy", "chain")).stderr, /^OCSP_STAPLE_MISSING/);
  // `openssl ocsp` asked with a nonce of its own
  t.regex((await tlstaple(...to(peer), "-W", "1", "--nonce")).stderr, /^OCSP_NONCE/);
  const plain = await serve(t, { ...good, staples: [fixture("good/p256/server1-ocsp.der")] });
  const nonce = ["-W", "1", "--trace", "--nonce"];
  const sent = await tlstaple(...to(plain), ...nonce);
  t.is(sent.code, 0, sent.stderr);
  t.regex(sent.stdout, /→ ClientHello[\s\S]* nonce [0-9a-f]+/);
  const required = await tlstaple(...to(plain), "-W", "1", "--nonce-required");
  t.is(required.code, 1);
  t.regex(required.stderr, /^OCSP_NONCE[\s\S]*advice .*--nonce\)/);
  t.regex((await tlstaple(...to(plain), ...nonce, "--nonce-required")).stderr, /^OCSP_NONCE/);
  for (const flag of ["--nonce", "--nonce-required"]) {
    const alone = await tlstaple(...to(peer), flag);
    t.is(alone.code, 2);
    t.regex(alone.stderr, /no nonce asked for/);
  }
});

for (const v of [3, 4] as const)
  test.serial(`-v ${v} -r: the second connection resumes the first`, async (t) => {
    const peer = await serve(t, { ...good, version: versions[v] });
    const { code, stdout } = await tlstaple(...to(peer), "-r", "-W", "1");
    t.is(code, 0);
    const [first, second] = stdout.split("\n").filter((line) => line.startsWith("TLSv1"));
    t.notRegex(first, /resumed/);
    t.regex(second, /, resumed$/);
    const both = JSON.parse((await tlstaple(...to(peer), "-r", "--json")).stdout);
    t.false(both.resumed);
    t.true(both.again.resumed);
    t.deepEqual(both.again.certificates, both.certificates);
    const { ocsp } = both;
    t.deepEqual(
      both.again.ocsp,
      ocsp.map((verdict: object) => ({ ...verdict, resumed: true })),
    );
    t.regex(stdout, /OCSP none\n[\s\S]*, resumed\n[\s\S]*OCSP none, when the session began\n/);
  });

test.serial("-o and -O ask the responder; what it says is law", async (t) => {
  const peer = await serve(t, good);
  const responder = await opensslResponder("p256", "intermediate1");
  t.teardown(() => responder.stop());
  const url = `http://127.0.0.1:${responder.port}`;
  const { code, stdout } = await tlstaple(...to(peer), "-O", url);
  t.is(code, 0);
  t.regex(stdout, new RegExp(`^asked ${url} about serial 05: good, \\d+ ms$`, "m"));
  t.regex(stdout, /CN=server1\.tlstaple\.test\n {2}OCSP good/);
  // Without -W the nonce is for the responder alone
  for (const flag of ["--nonce", "--nonce-required"])
    t.is((await tlstaple(...to(peer), "-O", url, flag)).code, 0, flag);
  const revoked = await serve(t, { ...good, identity: credential("p256", "server2") });
  const refused = await tlstaple(...to(revoked, "p256", "server2"), "-O", url);
  t.is(refused.code, 1);
  t.regex(refused.stderr, /^OCSP_CERT_REVOKED/);
  const nobody = await tlstaple(...to(peer), "-O", "http://127.0.0.1:1/");
  t.is(nobody.code, 1);
  t.regex(nobody.stderr, /^OCSP_LOOKUP_FAIL: .*\n {2}wolfSSL {2}OCSP_LOOKUP_FAIL \(-367\)/);
  const json = JSON.parse((await tlstaple(...to(peer), "-O", url, "--json")).stdout);
  t.like(json.lookups[0], { url, serialNumber: "05", outcome: "good" });
});

test.serial("--pcapng captures both connections, for the owner's eyes only", async (t) => {
  const peer = await serve(t, good);
  const directory = mkdtempSync(join(tmpdir(), "tlstaple-"));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const file = join(directory, "client.pcapng");
  t.is((await tlstaple(...to(peer), "-r", "--pcapng", file)).code, 0);
  t.is(statSync(file).mode & 0o077, 0);
  const bytes = readFileSync(file);
  t.is(bytes.readUInt32LE(0), 0x0a0d0d0a);
  t.is(bytes.toString("latin1").match(/CLIENT_TRAFFIC_SECRET_0 /g)?.length, 2);
  t.regex((await tlstaple(...to(peer), "--pcapng", "/does/not/exist")).stderr, /ENOENT/);
});

test.serial("-S and -h: what is verified", async (t) => {
  const peer = await serve(t, good);
  const [, , , ...rest] = to(peer);
  const mismatch = await tlstaple(...to(peer), "-S", "other.example");
  t.is(mismatch.code, 1);
  t.regex(mismatch.stderr, /^CERT_NAME_MISMATCH/);
  const named = rest.filter((_, i) => rest[i] !== "-S" && rest[i - 1] !== "-S");
  t.is((await tlstaple("client", "-h", "127.0.0.1", ...named)).code, 0);
  t.is((await tlstaple("client", "-h", "localhost", ...named)).code, 0);
});

test.serial("an IPv6 address stands in brackets or not", async (t) => {
  const { server } = await serveOurs(t);
  const { port } = await new Promise<AddressInfo>((resolve) => {
    server.close(() => server.listen(0, "::1", () => resolve(server.address() as AddressInfo)));
  });
  for (const place of [["-h", "::1", "-p", `${port}`], ["-h", "[::1]", "-p", `${port}`], [`[::1]:${port}`]]) {
    const { code, stderr } = await tlstaple("client", ...place, "-A", root("p256"));
    t.is(code, 0, stderr);
  }
  for (const place of ["::1", "[::1]"])
    t.like(JSON.parse((await tlstaple("client", place, "--json")).stdout), { host: "::1", port: 11111 });
});

test.serial("HOST:PORT in place of -h and -p", async (t) => {
  const peer = await serve(t, good);
  const trust = ["-A", root("p256")];
  for (const place of [`localhost:${peer.port}`, `127.0.0.1:${peer.port}`])
    t.is((await tlstaple("client", place, ...trust)).code, 0, place);
  t.is((await tlstaple("client", "localhost", "-p", `${peer.port}`, ...trust)).code, 2);
  t.regex((await tlstaple("client", "localhost:1", ...trust)).stderr, /^ECONNREFUSED/);
  const { host, port } = JSON.parse((await tlstaple("client", "localhost", ...trust, "--json")).stdout);
  t.deepEqual({ host, port }, { host: "localhost", port: 11111 });
});

test.serial("a staple that nobody asked for is not one that did not come", async (t) => {
  const peer = await serve(t, good);
  t.regex((await tlstaple(...to(peer))).stdout, /CN=server1\.tlstaple\.test\n {2}OCSP not asked\n/);
  t.regex((await tlstaple(...to(peer), "-W", "1")).stdout, /CN=server1\.tlstaple\.test\n {2}OCSP none\n/);
  for (const [flags, asked] of [
    [[], false],
    [["-W", "1"], true],
  ] as const)
    t.is(JSON.parse((await tlstaple(...to(peer), ...flags, "--json")).stdout).asked, asked);
});

test.serial("an unknown root, and -d", async (t) => {
  const peer = await serve(t, good);
  const stranger = ["-A", fixtureFile("good/client/ca.pem")];
  const refused = await tlstaple(...to(peer), ...stranger);
  t.is(refused.code, 1);
  t.regex(refused.stderr, /^CERT_UNKNOWN_ISSUER: .*\n {2}wolfSSL {2}ASN_NO_SIGNER_E \(-188\)/);
  t.is((await tlstaple(...to(peer), ...stranger, "-d")).code, 0);
});

test.serial("-g gets and prints the answer, -L and -F are agreed on", async (t) => {
  const peer = await serve(t, { ...good, alpn: "http/1.1", extra: ["-www"] });
  const { code, stdout } = await tlstaple(...to(peer), "-g", "-L", "h2,http/1.1", "-F", "2");
  t.is(code, 0);
  t.regex(stdout, /^TLSv1\.3, .*, http\/1\.1\n/);
  t.regex(stdout, /HTTP\/1\.0 200 ok/);
});

test.serial("-c and -k: a client certificate, asked for and missing", async (t) => {
  const clientCa = fixtureFile("good/client/ca.pem");
  const { certificateFile, keyFile } = credential("client", "p256");
  for (const tls of [version.tls12, version.tls13]) {
    const peer = await serve(t, { ...good, version: tls, clientCa });
    t.is((await tlstaple(...to(peer), "-c", certificateFile, "-k", keyFile)).code, 0);
    const { code, stderr } = await tlstaple(...to(peer));
    t.is(code, 1);
    t.regex(stderr, /^PEER_ALERT: .*(certificate_required|handshake_failure)/);
  }
});

test.serial("--trace: each message, the staple decoded", async (t) => {
  const staples = [await ocspResponse("p256", "server1", "intermediate1")];
  for (const v of [3, 4] as const) {
    const peer = await serve(t, { ...good, version: versions[v], staples });
    const { stdout } = await tlstaple(...to(peer), "-W", "1", "--trace");
    const lines = stdout.split("\n");
    const messages = lines.flatMap((line) => /^([→←] \w+)/.exec(line)?.[1] ?? []);
    t.deepEqual(
      messages.filter((each) => each !== "← NewSessionTicket" && each !== "← Alert"),
      expectedTrace[v],
    );
    t.regex(stdout, /→ ClientHello .*SNI server1\.tlstaple\.test.*; status_request/);
    t.regex(stdout, /← Certificate +O=tlstaple test, OU=TEST ONLY, CN=server1\.tlstaple\.test; issuer/);
    t.regex(stdout, /\n +OCSP good, serial 05, \d{4}-.*Z to \d{4}-.*Z, produced/);
    t.false(stdout.includes("malformed"));
  }
});

const expectedTrace = {
  3: [
    "→ ClientHello",
    "← ServerHello",
    "← Certificate",
    "← Certificate",
    "← Certificate",
    "← CertificateStatus",
    "← ServerKeyExchange",
    "← ServerHelloDone",
    "→ ClientKeyExchange",
    "→ ChangeCipherSpec",
    "→ Finished",
    "← ChangeCipherSpec",
    "← Finished",
    "→ Alert",
  ],
  4: [
    "→ ClientHello",
    "← ServerHello",
    "→ ChangeCipherSpec",
    "← ChangeCipherSpec",
    "← EncryptedExtensions",
    "← Certificate",
    "← Certificate",
    "← Certificate",
    "← CertificateVerify",
    "← Finished",
    "→ Finished",
    "→ Alert",
  ],
};

test.serial("--json: one object, of success and of failure", async (t) => {
  const staples = [await ocspResponse("p256", "server1", "intermediate1")];
  const peer = await serve(t, { ...good, staples });
  const found = JSON.parse((await tlstaple(...to(peer), "-W", "1", "--json", "--trace")).stdout);
  t.like(found, { version: "TLSv1.3", group: "X25519", alpn: null, authorized: true, fault: null });
  t.is(found.ocsp[0].status, "good");
  t.is(found.certificates[0].serialNumber, "05");
  t.is(found.certificates.length, 3);
  t.true(found.trace.length > 10);
  const refused = await tlstaple(...to(peer), "-S", "other.example", "--json");
  t.is(refused.code, 1);
  t.like(JSON.parse(refused.stdout), {
    authorized: false,
    fault: "CERT_NAME_MISMATCH",
    wolfssl: { number: -322, name: "DOMAIN_NAME_MISMATCH" },
    alert: { name: "bad_certificate", number: 42 },
  });
});

test.serial("--keylog appends, for the owner's eyes only", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "tlstaple-"));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const file = join(directory, "keys.log");
  const peer = await serve(t, good);
  for (const lines of [5, 10]) {
    await tlstaple(...to(peer), "--keylog", file);
    t.is(readFileSync(file, "utf8").match(/^[A-Z0-9_]+ [0-9a-f]{64} [0-9a-f]+$/gm)!.length, lines);
  }
  t.is(statSync(file).mode & 0o077, 0);
  chmodSync(file, 0o644);
  await tlstaple(...to(peer), "--keylog", file);
  t.is(statSync(file).mode & 0o777, 0o600, "one that was there too");
});

test.serial("no TLS server: nobody, a mute one, one that speaks something else", async (t) => {
  const server = createServer((socket) => socket.write("220 ready\r\n"));
  const port = await listen(t, server);
  t.regex((await tlstaple(...to({ port }))).stderr, /^UNKNOWN_RECORD_TYPE/);
  server.close();
  const { code, stderr } = await tlstaple(...to({ port }));
  t.is(code, 1);
  t.regex(stderr, /^ECONNREFUSED: /);
});

test.serial("wrong use: exit code 2, and nothing is connected to", async (t) => {
  const cases: [string[], RegExp][] = [
    [["client", "-W", "2", "-v", "4"], /^Cannot use OCSP Stapling V2 with TLSv1\.3\n$/],
    [["client", "-W", "3m", "-v", "4"], /^Cannot use OCSP Stapling V2 with TLSv1\.3\n$/],
    [["client", "--policy", "always"], /if-present, leaf or chain/],
    [["client", "-W", "4"], /must be 1, 2 or 3/],
    [["client", "-v", "2"], /must be 3 .* or 4/],
    [["client", "-F", "7"], /from 1 to 6/],
    [["client", "-p", "0"], /from 1 to 65535/],
    [["client", "-p", "1e3"], /from 1 to 65535/],
    [["client", "-L", ","], /names separated by commas/],
    [["client", "-A", "/does/not/exist"], /ENOENT/],
    [["client", "-A", cli], /no certificate found/],
    [["client", "-c", root("p256")], /cert and key come together/],
    [["client", "--keylog", "/does/not/exist"], /ENOENT/],
    [["client", "--groups", "P-522"], /P-522 is none of X25519, P-256, P-384, P-521, X448/],
    [["client", "--groups", "P-256,"], /names separated by commas/],
    [["client", "--groups", "P-256,prime256v1"], /each of them once/],
    [["client", "-h", "fe80::1%lo"], /^option host: "fe80::1%lo" is neither .* as servername \(-S\)\n$/],
    [["client", "-h", "a..b"], /"a\.\.b" is neither a DNS name nor an IP address/],
    [["client", "-h", "127.1"], /did you mean 127\.0\.0\.1\?/],
    [
      ["client", "-S", "b\u00fccher.example"],
      /^option servername: .*did you mean xn--bcher-kva\.example\?\n$/,
    ],
    [["client", "-S", "a b"], /neither a DNS name nor/],
    [["client", "-S", "a\u001b[2J"], /^option servername: "a\\u001b\[2J" is neither/],
    [["client", "-S", ""], /must not be empty/],
    [["client", "-h", ""], /must not be empty/],
    [["client", "--nonsense"], /unknown option/],
    [["client", "localhost", "surplus"], /too many arguments/],
    [["client", "localhost", "-h", "localhost"], /^the server is given twice: once with --host\n$/],
    [["client", "localhost:443", "-p", "443"], /^the server is given twice: once with --port\n$/],
    [["client", "localhost:"], /from 1 to 65535/],
    [["client", "localhost:0"], /from 1 to 65535/],
    [["client", "[::1]:65536"], /from 1 to 65535/],
    [["client", ":443"], /must not be empty/],
    [["client", "[]:443"], /must not be empty/],
    [["client", "a..b:443"], /"a\.\.b" is neither a DNS name nor an IP address/],
    [["nonsense"], /unknown command/],
    [["inspect"], /missing required argument/],
    [["inspect", "/does/not/exist"], /ENOENT/],
    [[], /Usage: tlstaple/],
  ];
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await tlstaple(...args);
    t.is(code, 2, args.join(" "));
    t.regex(stderr, message);
    t.is(stdout, "");
  }
});

test.serial("--help and --version", async (t) => {
  const help = await tlstaple("client", "--help");
  t.is(help.code, 0);
  t.regex(help.stdout, /-W, --stapling <kind>/);
  const { version: release } = JSON.parse(readFileSync(fixtureFile("../package.json"), "utf8"));
  t.is((await spawned("--version")).stdout, `${release}\n`);
});

test.serial("inspect shows and verifies", async (t) => {
  const ca = credential("p256", "intermediate1").certificateFile;
  const leaf = credential("p256", "server1").certificateFile;
  const shown = await tlstaple("inspect", leaf, "--json");
  t.is(shown.code, 0);
  t.is(JSON.parse(shown.stdout).certificates[0].serialNumber, "05");
  t.is((await tlstaple("inspect", leaf, "--issuer", ca, "--cert", leaf)).code, 2);
});
