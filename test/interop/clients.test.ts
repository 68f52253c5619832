import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ExecutionContext } from "ava";
import { credential } from "../../certs/fixtures.js";
import { faults, trustAnchor } from "../../src/client/index.js";
import { type Hello, type ServerOptions, TlsServer } from "../../src/server/index.js";
import { cipherSuite, nameOf, version } from "../../src/wire/registry.js";
import { suites } from "../peers/schedule.js";
import { withPeer } from "../peers/with-peer.js";
import { type Served, serve } from "../server/adapter.js";
import { selection, serverDefaults, staples } from "../server/pair.js";

/** `openssl s_client` and `gnutls-cli` with our server. */

const run = withPeer("openssl");
const { tls12, tls13 } = version;
const both = [
  ["-tls1_2", tls12],
  ["-tls1_3", tls13],
] as const;

function start(t: ExecutionContext, options: Partial<ServerOptions> = {}): Promise<Served> {
  return serve(t, () => new TlsServer({ ...serverDefaults, ...options }));
}

/** Sends a line and leaves once it has come back; what s_client printed, and its exit code. */
function connect({ port }: Served, ...args: string[]): Promise<{ log: string; code: number }> {
  const root = credential("p256", "root").certificateFile;
  const all = [
    "s_client",
    "-connect",
    `127.0.0.1:${port}`,
    "-CAfile",
    root,
    "-servername",
    "localhost",
    ...args,
  ];
  return new Promise((resolve) => {
    let log = "";
    let code = 0;
    const child = execFile("openssl", all, { timeout: 10_000 }, (error) => {
      code = (error?.code as number | undefined) ?? 0;
      resolve({ log, code });
    });
    child.stdin!.on("error", () => undefined);
    const hear = (text: string) => {
      log += text;
      if (log.includes("elpats")) child.stdin!.end("Q\n");
    };
    child.stdout!.on("data", hear);
    child.stderr!.on("data", hear);
    child.stdin!.write("staple\n");
  });
}

for (const id of Object.keys(suites).map(Number)) {
  const name = nameOf(cipherSuite, id)!;
  run(`openssl s_client: ${name}`, async (t) => {
    const rsa = name.includes("_RSA_");
    const served = await start(t, { suites: [id], select: () => selection(rsa ? "rsa" : "p256") });
    const ca = rsa ? ["-CAfile", credential("rsa", "root").certificateFile] : [];
    const { log } = await connect(served, "-verify_return_error", ...ca);
    t.regex(log, /elpats/);
    t.is(served.connections[0].suite, id);
    t.is(served.connections[0].fault, undefined);
  });
}

for (const [flag, only] of both) {
  run(`openssl s_client ${flag}: groups, after a HelloRetryRequest too`, async (t) => {
    const groups: Record<string, number> = { "P-256": 23, "P-384": 24, X25519: 29 };
    for (const [name, id] of Object.entries(groups)) {
      const served = await start(t, { groups: [id] });
      const { log } = await connect(served, flag, "-groups", `X448:P-521:X25519:P-256:P-384`);
      t.regex(log, /elpats/, name);
      t.is(served.connections[0].group, id);
    }
  });

  run(`openssl s_client ${flag}: -status`, async (t) => {
    const select = () => ({ ...selection("p256"), staples: staples("p256") });
    const served = await start(t, { select });
    const { log } = await connect(served, flag, "-status");
    t.regex(log, /OCSP Response Status: successful/);
    t.regex(log, /Cert Status: good/);
    t.regex(log, /elpats/);
    const without = await connect(await start(t), flag, "-status");
    t.regex(without.log, /OCSP response: no response sent/);
  });

  run(`openssl s_client ${flag}: a client certificate`, async (t) => {
    const trust = [trustAnchor(credential("client", "ca").chain[0])];
    for (const kind of ["p256", "p384", "rsa", "ed25519"]) {
      const served = await start(t, { clientAuth: "require", trust });
      const { certificateFile, keyFile } = credential("client", kind);
      const { log } = await connect(served, flag, "-cert", certificateFile, "-key", keyFile);
      t.regex(log, /elpats/, kind);
      t.is(served.connections[0].verdicts.length, 1);
      t.regex(log, /Acceptable client certificate CA names/);
    }
    const served = await start(t, { clientAuth: "require", trust });
    const { log } = await connect(served, flag);
    t.is(served.connections[0].fault, faults.CERTIFICATE_REQUIRED);
    t.regex(log, only === tls13 ? /alert certificate required/ : /alert handshake failure/);
  });

  run(`openssl s_client ${flag}: -sess_out, -sess_in`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "tlstaple-"));
    t.teardown(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "session.pem");
    const ticketKeys = [{ name: Buffer.alloc(16, 1), key: Buffer.alloc(32, 2) }];
    const served = await start(t, { ticketKeys });
    const first = await connect(served, flag, "-sess_out", file);
    t.regex(first.log, /elpats/);
    const second = await connect(served, flag, "-sess_in", file);
    t.regex(second.log, /Reused, TLS/);
    t.regex(second.log, /elpats/);
    t.deepEqual(
      served.connections.map(({ resumed }) => resumed),
      [false, true],
    );
    const other = await connect(served, flag, "-sess_in", file, "-servername", "other.test");
    t.regex(other.log, /New, TLS/);
  });

  run(`openssl s_client ${flag}: ALPN, small records`, async (t) => {
    const served = await start(t, { alpn: ["http/1.1", "h2"] });
    const { log } = await connect(served, flag, "-alpn", "h2,http/1.1", "-maxfraglen", "512");
    t.regex(log, /ALPN protocol: http\/1.1/);
    t.regex(log, /elpats/);
    const refused = await connect(await start(t, { alpn: ["b"] }), flag, "-alpn", "a");
    t.regex(refused.log, /no application protocol/);
  });
}

run("openssl s_client -curves: the certificate is on one of them in TLS 1.2, or it is another", async (t) => {
  const select = (hello: Hello) => selection(hello.schemes.includes(0x0503) ? "p384" : "rsa");
  for (const [flag, curves, key] of [
    ["-tls1_2", "X25519:P-256", "rsaEncryption"],
    ["-tls1_2", "X25519:P-384", "id-ecPublicKey"],
    ["-tls1_3", "X25519:P-256", "id-ecPublicKey"],
  ]) {
    const served = await start(t, { select });
    const { log } = await connect(served, flag, "-curves", curves);
    t.regex(log, /elpats/);
    t.true(log.includes(`a:PKEY: ${key}`), `${flag} ${curves}`);
  }
  const served = await start(t, { select: () => selection("p384") });
  const { log } = await connect(served, "-tls1_2", "-curves", "X25519:P-256");
  t.regex(log, /handshake failure/);
  t.is(served.connections[0].fault, faults.NO_COMMON_SCHEME);
});

run("openssl s_client: RFC 5746 and RFC 7627 are confirmed", async (t) => {
  const served = await start(t);
  const { log } = await connect(served, "-tls1_2");
  t.regex(log, /Secure Renegotiation IS supported/);
  t.regex(log, /Extended master secret: yes/);
});

const gnutls = withPeer("gnutls");

for (const [priority, only] of [
  ["NORMAL:-VERS-ALL:+VERS-TLS1.2", tls12],
  ["NORMAL:-VERS-ALL:+VERS-TLS1.3", tls13],
] as const)
  gnutls(`gnutls-cli ${priority}: a staple, then a ticket`, async (t) => {
    const served = await start(t, {
      select: () => ({ ...selection("p256"), staples: staples("p256") }),
      ticketKeys: [{ name: Buffer.alloc(16, 1), key: Buffer.alloc(32, 2) }],
    });
    const host = "server1.tlstaple.test";
    const args = ["--priority", priority, "--x509cafile", credential("p256", "root").certificateFile];
    args.push(
      "--sni-hostname",
      host,
      "--verify-hostname",
      host,
      "--resume",
      "-p",
      `${served.port}`,
      "127.0.0.1",
    );
    const log = await new Promise<string>((resolve) => {
      const child = execFile("gnutls-cli", args, { timeout: 10_000 }, (_, stdout) => resolve(stdout));
      child.stdin!.end("staple\n");
    });
    t.regex(log, /The certificate is trusted/);
    t.regex(log, /Options: .*OCSP status request,/);
    t.regex(log, /This is a resumed session/);
    t.deepEqual(
      served.connections.map(({ version: spoken, resumed }) => [spoken, resumed]),
      [
        [only, false],
        [only, true],
      ],
    );
  });
