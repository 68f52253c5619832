/** `tlstaple check`: what it says of servers of ours, of Node's and of others, and its exit codes. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createTcp } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { issue } from "../../../../certs/certificate.js";
import { keyUsage, subjectAltName } from "../../../../certs/extensions.js";
import { credential, fixture, fixtureFile } from "../../../../certs/fixtures.js";
import { newKey } from "../../../../certs/keys.js";
import { run } from "../../../../hosts/node/commands/program.js";
import type { ServerOptions, StapleSource } from "../../../../hosts/node/index.js";
import { version } from "../../../../src/wire/registry.js";
import { gnutlsServer, nginxServer, opensslServer } from "../../../peers/peers.js";
import { pem } from "../../../peers/pem.js";
import { withPeer } from "../../../peers/with-peer.js";
import { honest, type Link, makePki, respond, type Statement } from "../ocsp/responders.js";
import { serveOurs, stapledContext } from "../ours.js";
import { listen } from "../servers.js";

interface Ran {
  readonly code: number;
  readonly text: string;
  /** Its first line up to the bar, and the figures behind it. */
  readonly headline: string;
  readonly figures: string;
  readonly errors: string;
}

async function check(...args: string[]): Promise<Ran> {
  const [out, err] = [[] as string[], [] as string[]];
  const code = await run(
    ["check", ...args],
    { write: (text) => out.push(String(text)) },
    { write: (text) => err.push(String(text)) },
  );
  const text = out.join("");
  const [headline, figures = ""] = text.split("\n", 1)[0].split(" | ");
  return { code, text, headline, figures, errors: err.join("") };
}

async function checkJson(...args: string[]) {
  return JSON.parse((await check(...args, "--json")).text);
}

const goodRoot = credential("p256", "root").certificateFile;

/** A server of the good PKI, which names responders that are not there. */
const at = (port: number) => [`localhost:${port}`, "-A", goodRoot, "--no-lookup"];

const onlyLeaf = (name: "server1" | "server2") => {
  const { staples, ...context } = stapledContext("p256", name);
  return { ...context, staples: staples.slice(0, 1) };
};

function temporary(t: ExecutionContext, content: string): string {
  const folder = mkdtempSync(join(tmpdir(), "tlstaple-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "file"), content);
  return join(folder, "file");
}

/** A server with a PKI and a responder of its own; what it staples is said by `staple`, what the responder says by `answer`. */
async function serveOwn(
  t: ExecutionContext,
  staple: Statement | undefined,
  answer: Statement = {},
  options: ServerOptions = {},
) {
  const served: Link[] = [];
  const responder = await honest(
    t,
    () => served,
    () => answer,
  );
  const pki = makePki({ urls: [responder.url] });
  served.push(pki.leaf, pki.ca);
  const staples = staple && [respond(pki.leaf, staple)];
  const { port } = await serveOurs(t, {
    cert: pki.chain.slice(0, 2),
    key: pki.leaf.key.pem,
    staples,
    ...options,
  });
  const args = [`localhost:${port}`, "-A", temporary(t, pem(pki.root.der))];
  return { args, pki, port, responder };
}

const now = Math.floor(Date.now() / 1000);

test("good: OK, a line with figures, a line for each way", async (t) => {
  const { port } = await serveOurs(t);
  const { code, text, headline, figures, errors } = await check(...at(port));
  t.is(code, 0, text);
  t.is(errors, "");
  t.regex(headline, new RegExp(`^TLSTAPLE OK: localhost:${port}: staple good for \\d+ d( \\d+ h)?$`));
  t.regex(figures, /^left=\d+s;\d+:;\d+:;;\d+ size=\d+B;;;0 time=\d+\.\d+s;;;0$/);
  t.regex(text, /^127\.0\.0\.1: 3 certificates, 1632 bytes, in order; a client needs a store of \d+ bytes$/m);
  t.regex(
    text,
    /^certificate 0: .*CN=server1\.tlstaple\.test; until 2049-.*; responder http:\/\/127\.0\.0\.1:22221$/m,
  );
  t.regex(
    text,
    /^staple 0: good, .* left; \d+ bytes; signer byName .*CN=ocsp-intermediate1, a delegate of the CA; ecdsa/m,
  );
  const rows = text
    .split("\n")
    .slice(-6, -1)
    .map((line) => line.split(/ {2,}/));
  t.deepEqual(rows, [
    ["", "first", "second", "policy leaf", "policy chain"],
    ["TLSv1.3 v1", "good good", "good good", "good", "good"],
    ["TLSv1.2 v1", "good none", "good none", "good", "OCSP_STAPLE_MISSING"],
    ["TLSv1.2 v2", "good none", "good none", "good", "OCSP_STAPLE_MISSING"],
    ["TLSv1.2 v2-multi", "good good", "good good", "good", "good"],
  ]);
  t.is((await check(...at(port), "--policy", "chain")).code, 0, "TLS 1.2 has version 2 for that");
});

test("--json says the same", async (t) => {
  const { port } = await serveOurs(t);
  const found = await checkJson(...at(port), "--policy", "chain");
  t.like(found, {
    status: "OK",
    code: 0,
    host: "localhost",
    port,
    policy: "chain",
    findings: [],
    inOrder: true,
  });
  t.is(found.visits.length, 8);
  t.like(found.visits[0], {
    version: "TLSv1.3",
    stapling: "v1",
    time: "first",
    error: null,
    leaf: "good",
    chain: "good",
  });
  t.like(found.visits[5], {
    version: "TLSv1.2",
    stapling: "v1",
    time: "second",
    chain: "OCSP_STAPLE_MISSING",
  });
  t.deepEqual(
    found.visits[0].verdicts.map(({ status }: { status: string }) => status),
    ["good", "good"],
  );
  t.is(found.visits[0].staples[0].responses[0].certID.serialNumber, "05");
  t.is(found.visits[0].staples[2], null, "the root, sent along");
  t.is(found.certificates[0].mustStaple, false);
  t.true(found.secondsLeft > 0 && found.life > found.secondsLeft);
  t.deepEqual(found.unspoken, []);
});

test("revoked: CRITICAL, with what to do", async (t) => {
  const { port } = await serveOurs(t, stapledContext("p256", "server2"));
  const { code, headline, text, figures } = await check(...at(port));
  t.is(code, 2);
  t.regex(headline, /^TLSTAPLE CRITICAL: .*: OCSP_CERT_REVOKED: the certificate has been revoked$/);
  t.notRegex(figures, /left=/);
  t.regex(text, /^advice OCSP_CERT_REVOKED: Do not go on/m);
  t.regex(text, /^TLSv1\.3 v1 +revoked unchecked +revoked unchecked +OCSP_CERT_REVOKED +OCSP_CERT_REVOKED$/m);
});

test("no staple: CRITICAL, unless the policy bears it; must-staple never does", async (t) => {
  const { port } = await serveOurs(t, { staples: undefined });
  const missing = await check(...at(port));
  t.is(missing.code, 2);
  t.regex(missing.headline, /: OCSP_STAPLE_MISSING: .* \(TLSv1\.3 v1, TLSv1\.2 v1\)$/);
  const borne = await check(...at(port), "--policy", "if-present");
  t.is(borne.code, 0, borne.text);
  t.regex(borne.headline, /: no staple$/);
  const { certificateFile, keyFile } = credential("p256", "must-staple");
  const demanding = { cert: readFileSync(certificateFile), key: readFileSync(keyFile), staples: undefined };
  const must = await check(...at((await serveOurs(t, demanding)).port), "--policy", "if-present");
  t.is(must.code, 2);
  t.regex(must.text, /^certificate 0: .*; must-staple; responder/m);
  const staples = [fixture("good/p256/must-staple-ocsp.der")];
  t.is((await check(...at((await serveOurs(t, { ...demanding, staples })).port))).code, 0);
});

test("--policy chain wants the staple of each certificate below the root", async (t) => {
  const { port } = await serveOurs(t, onlyLeaf("server1"));
  t.is((await check(...at(port))).code, 0);
  const { code, headline } = await check(...at(port), "--policy", "chain");
  t.is(code, 2);
  t.regex(headline, /: OCSP_STAPLE_MISSING: .* \(TLSv1\.3 v1, TLSv1\.2 v2-multi\)$/);
});

test("a bad staple is CRITICAL in ways that the policy does not ask for, too", async (t) => {
  const staples = ["server1", "server2"].map((name) => fixture(`good/p256/${name}-ocsp.der`));
  const { port } = await serveOurs(t, { staples });
  const { code, headline } = await check(...at(port), "-v", "3");
  t.is(code, 2);
  t.regex(headline, /: OCSP_WRONG_CERT: .* \(TLSv1\.2 v2-multi\)$/);
});

for (const [title, args, expected] of [
  ["an unknown root", ["-A", fixtureFile("good/client/ca.pem")], "CERT_UNKNOWN_ISSUER"],
  ["another name", ["-A", goodRoot, "-S", "other.example"], "CERT_NAME_MISMATCH"],
] as const)
  test(`${title}: CRITICAL, whatever is stapled`, async (t) => {
    const { port } = await serveOurs(t);
    const { code, headline, text } = await check(`localhost:${port}`, "--no-lookup", ...args);
    t.is(code, 2);
    t.regex(headline, new RegExp(`: ${expected}: [^(]*$`), "for all ways");
    t.regex(text, new RegExp(`^TLSv1\\.3 v1 +(unchecked|good) .* ${expected} +${expected}$`, "m"));
  });

test("time left: --warn and --crit, in seconds, other units and parts of the whole", async (t) => {
  const { args } = await serveOwn(t, { thisUpdate: now - 3600, nextUpdate: now + 3600 });
  const cases: [string[], number][] = [
    [[], 0],
    [["-w", "30m"], 0],
    [["-w", "40%"], 0],
    [["-w", "60%"], 1],
    [["-w", "2h"], 1],
    [["-w", "7200:"], 1],
    [["-w", "1d", "-c", "1800"], 1],
    [["-w", "1d", "-c", "2h"], 2],
    [["-c", "51%"], 2],
    [["-w", "0", "-c", "0"], 0],
  ];
  for (const [flags, code] of cases) {
    const found = await check(...args, "-v", "4", ...flags);
    t.is(found.code, code, flags.join(" "));
    t.regex(found.headline, code > 0 ? /the staple ends in 59 min \d+ s$/ : /staple good for 59 min \d+ s$/);
  }
  const { figures } = await check(...args, "-v", "4", "-w", "2h", "-c", "10%");
  t.regex(figures, /^left=35\d\ds;7200:;720:;;7200 /);
});

test("the staple that ends first counts; one that clients take for the clocks' sake is over", async (t) => {
  const { args } = await serveOwn(t, { thisUpdate: now - 3600, nextUpdate: now - 120 });
  const over = await check(...args, "-v", "4", "-w", "0", "-c", "0");
  t.is(over.code, 2);
  t.regex(over.headline, /: the staple ended 2 min( \d+ s)? ago$/);
  const stale = await check(...(await serveOwn(t, { thisUpdate: now - 7200, nextUpdate: now - 3600 })).args);
  t.is(stale.code, 2);
  t.regex(stale.headline, /: OCSP_EXPIRED: /);
});

test("time left: of the certificates that the policy looks at", async (t) => {
  const pki = makePki();
  const staples = [
    respond(pki.leaf, { nextUpdate: now + 90_000 }),
    respond(pki.ca, { nextUpdate: now + 3600 }),
  ];
  const { port } = await serveOurs(t, { cert: pki.chain.slice(0, 2), key: pki.leaf.key.pem, staples });
  const args = [`localhost:${port}`, "-A", temporary(t, pem(pki.root.der)), "-v", "4", "-w", "2h", "-c", "0"];
  t.is((await check(...args)).code, 0);
  t.is((await check(...args, "--policy", "chain")).code, 1);
});

/** A source of staples that has none at first. */
function slow(first: number, staple: () => Uint8Array): StapleSource {
  let asked = 0;
  const ready = (_chain: readonly Uint8Array[], count: number) => ({
    staples: Array.from({ length: count }, (_, i) => (asked++ < first || i > 0 ? undefined : staple())),
    until: undefined,
  });
  return { ready, staples: async (...asked) => ready(...asked) };
}

test("a staple on the second connection alone: WARNING", async (t) => {
  const staple = fixture("good/p256/server1-ocsp.der");
  const { port } = await serveOurs(t, { staples: undefined, stapler: slow(1, () => staple) });
  const { code, headline, text } = await check(...at(port), "-v", "3");
  t.is(code, 1, text);
  t.regex(headline, /: the first connection got no staple, the second did \(TLSv1\.2 v1\)$/);
  t.regex(text, /^TLSv1\.2 v1 +none none +good none +good /m);
});

withPeer("nginx")("nginx, which fetches its staple after the first connection", async (t) => {
  const { responder, pki } = await serveOwn(t, undefined);
  const chain = [temporary(t, pki.chain.map(pem).join("")), temporary(t, pki.leaf.key.pem)];
  const identity = { certificateFile: chain[0], keyFile: chain[1], chain: pki.chain };
  const extra = ["ssl_stapling on;", `ssl_stapling_responder ${responder.url};`];
  const peer = await nginxServer({ identity, version: version.tls13, extra });
  t.teardown(() => peer.stop());
  const args = [`localhost:${peer.port}`, "-A", temporary(t, pem(pki.root.der))];
  const first = await check(...args);
  t.is(first.code, 1, first.text);
  t.regex(first.headline, /the first connection got no staple, the second did$/);
  t.regex(first.text, /^TLSv1\.2 is not spoken: PEER_ALERT: .*protocol_version/m);
  t.is((await check(...args)).code, 0, "it has it now");
});

for (const [title, start] of Object.entries({ openssl: opensslServer, gnutls: gnutlsServer }))
  withPeer(title as "openssl" | "gnutls")(`${title}: one version, one staple`, async (t) => {
    const staples = [fixture("good/p256/server1-ocsp.der")];
    for (const each of [version.tls12, version.tls13]) {
      const peer = await start({ identity: credential("p256", "server1"), version: each, staples });
      t.teardown(() => peer.stop());
      const { code, text } = await check(...at(peer.port));
      t.is(code, 0, text);
      t.regex(
        text,
        new RegExp(`^TLSv1\\.${each === version.tls12 ? 3 : 2} is not spoken: PEER_ALERT: `, "m"),
      );
      const other = await check(...at(peer.port), "-v", each === version.tls12 ? "4" : "3");
      t.is(other.code, 2);
      t.regex(
        other.headline,
        /^TLSTAPLE CRITICAL: localhost:\d+: PEER_ALERT: .*(protocol_version|handshake_failure) \(\d+\)$/,
      );
    }
  });

withPeer("openssl")("a server that wants a certificate gets --cert and --key", async (t) => {
  const clientCa = fixtureFile("good/client/ca.pem");
  const staples = [fixture("good/p256/server1-ocsp.der")];
  const peer = await opensslServer({
    identity: credential("p256", "server1"),
    version: version.tls12,
    staples,
    clientCa,
  });
  t.teardown(() => peer.stop());
  const without = await check(...at(peer.port));
  t.is(without.code, 2);
  t.regex(without.headline, /: PEER_ALERT: .*handshake_failure/);
  const { certificateFile, keyFile } = credential("client", "p256");
  t.is((await check(...at(peer.port), "--cert", certificateFile, "--key", keyFile)).code, 0);
});

// The responder

test("the responder's word beside the staple", async (t) => {
  const staple = { thisUpdate: now - 60 };
  const good = await serveOwn(t, staple);
  const agreed = await check(...good.args);
  t.is(agreed.code, 0, agreed.text);
  t.regex(agreed.text, new RegExp(`^responder on 0: good, .* \\(${good.responder.url} in \\d+ ms\\)$`, "m"));
  t.is(good.responder.requests.length, 1, "about the server's certificate alone");
  const chain = await checkJson(...good.args, "--policy", "chain");
  t.deepEqual(
    chain.lookups.map(({ position, status }: Record<string, unknown>) => [position, status]),
    [
      [0, "good"],
      [1, "good"],
    ],
  );
  const stranger = await check(good.args[0], "-A", goodRoot);
  t.regex(stranger.text, /^responder on 0: good, /m, "where no path leads to a root, too");
  const revoked = await check(...(await serveOwn(t, staple, { status: "revoked" })).args);
  t.is(revoked.code, 2);
  t.regex(
    revoked.headline,
    /the responder says that the certificate is revoked, and the staple that it is good$/,
  );
});

test("a responder that fails: WARNING; nobody is asked with --no-lookup", async (t) => {
  const { args, responder, pki } = await serveOwn(t, {});
  const elsewhere = await check(...args, "-O", "http://127.0.0.1:1/");
  t.is(elsewhere.code, 1);
  t.regex(elsewhere.headline, /: asked about the certificate, the responder fails: .*ECONNREFUSED/);
  t.is(responder.requests.length, 0);
  t.is((await check(...args, "--no-lookup")).code, 0);
  t.is(responder.requests.length, 0);
  const unknown = await honest(
    t,
    () => [pki.leaf],
    () => ({ status: "unknown" }),
  );
  const strange = await check(...args, "-O", unknown.url);
  t.is(strange.code, 1);
  t.regex(strange.headline, /the responder fails: the OCSP responder does not know the certificate$/);
});

test("a certificate that names no responder", async (t) => {
  const pki = makePki();
  const staples = [respond(pki.leaf)];
  const { port } = await serveOurs(t, { cert: pki.chain.slice(0, 2), key: pki.leaf.key.pem, staples });
  const { code, text } = await check(`localhost:${port}`, "-A", temporary(t, pem(pki.root.der)));
  t.is(code, 0, text);
  t.regex(text, /^certificate 0: .*; names no responder$/m);
  t.regex(text, /^responder on 0: the certificate names no OCSP responder$/m);
});

// The chain

test("a chain out of order: WARNING", async (t) => {
  const { certificateFile, ...context } = {
    ...credential("p256", "server1"),
    ...stapledContext("p256", "server1"),
  };
  const [leaf, intermediate, root] = context.chain;
  const { port } = await serveOurs(t, {
    ...context,
    cert: [leaf, root, intermediate],
    staples: context.staples.slice(0, 1),
  });
  const { code, headline, text } = await check(...at(port));
  t.is(code, 1, text);
  t.regex(headline, /: the chain is out of order: each certificate should certify the one before it$/);
  t.regex(text, /^127\.0\.0\.1: 3 certificates, .* out of order;/m);
});

test("an intermediate that is not sent: CRITICAL, and nobody can be asked", async (t) => {
  const context = stapledContext("p256", "server1");
  const [leaf] = credential("p256", "server1").chain;
  const { port } = await serveOurs(t, { ...context, cert: leaf, staples: context.staples.slice(0, 1) });
  const { code, headline } = await check(`localhost:${port}`, "-A", goodRoot);
  t.is(code, 2);
  t.regex(headline, /: CERT_UNKNOWN_ISSUER: [^;]*$/);
});

test("what a certificate says can neither forge figures nor steer a terminal", async (t) => {
  const pki = makePki();
  const extensions = { usage: keyUsage("digitalSignature"), names: subjectAltName("localhost") };
  const leaf = issue(pki.ca, { subject: "x | left=0s;;;0\u001b[2J\nOK", key: newKey("p256"), extensions });
  const { port } = await serveOurs(t, {
    cert: [leaf.der, pki.ca.der],
    key: leaf.key.pem,
    staples: undefined,
  });
  const { text } = await check(`localhost:${port}`, "-A", temporary(t, pem(pki.root.der)));
  t.is(text.split("|").length, 2, "one bar, ours");
  t.regex(text, /^certificate 0: .*CN=x \\u007c left=0s;;;0\\u001b\[2J\\u000aOK; until/m);
});

// Nobody there

test("nobody, a mute server, one that speaks something else: CRITICAL", async (t) => {
  const gone = createTcp();
  const port = await listen(t, gone);
  gone.close();
  const nobody = await check(`127.0.0.1:${port}`);
  t.is(nobody.code, 2);
  t.regex(
    nobody.headline,
    new RegExp(`^TLSTAPLE CRITICAL: 127\\.0\\.0\\.1:${port}: connect ECONNREFUSED[^(]*$`),
  );
  t.is(nobody.text.trimEnd().split("\n").length, 1);
  const mute = await check(`127.0.0.1:${await listen(t, createTcp())}`, "-t", "1");
  t.is(mute.code, 2);
  t.regex(mute.headline, /: the server did not answer in time$/);
  const other = createTcp((socket) => socket.write("220 ready\r\n"));
  const strange = await check(`127.0.0.1:${await listen(t, other)}`);
  t.is(strange.code, 2);
  t.regex(strange.headline, /: UNKNOWN_RECORD_TYPE: /);
  t.is((await check("name.invalid", "-t", "5")).code, 2);
  const { visits } = await checkJson(`127.0.0.1:${port}`);
  t.deepEqual(
    visits.map(({ error }: { error: { code: string } }) => error.code),
    ["ECONNREFUSED"],
    "once is enough",
  );
});

test("the page for operators has each flag", async (t) => {
  const page = readFileSync(fixtureFile("../docs/operations.md"), "utf8");
  const flags = (await check("--help")).text.match(/--[a-z-]+/g)!;
  t.true(flags.length > 10);
  // By their long names, or as they stand in other commands
  const short: Record<string, string> = {
    "--sni": "-S",
    "--ca": "-A",
    "--tls": "-v",
    "--ocsp-url": "-O",
    "--timeout": "-t",
  };
  for (const flag of flags.filter((each) => each !== "--help"))
    t.true(page.includes(`\`${short[flag] ?? flag}`), flag);
});

test("a server that goes away between two connections", async (t) => {
  const { port, server } = await serveOurs(t, { staples: undefined }, () => server.close());
  const { code, headline } = await check(...at(port));
  t.is(code, 2);
  t.regex(headline, /(ECONNREFUSED|ECONNRESET).*OCSP_STAPLE_MISSING.*\(TLSv1\.3 v1\)$/);
});

test("a server that refuses for another reason than the version", async (t) => {
  const { port } = await serveOurs(t, { SNICallback: (_name, callback) => callback(new Error("no")) });
  const found = await checkJson(...at(port));
  t.is(found.code, 2);
  t.is(found.visits.length, 8);
  t.deepEqual(found.unspoken, []);
});

test("wrong use: UNKNOWN, which is 3 to monitoring", async (t) => {
  const cases: [string[], RegExp][] = [
    [[], /missing required argument/],
    [["a", "b"], /too many arguments/],
    [["localhost:0"], /from 1 to 65535/],
    [["a..b"], /neither a DNS name nor an IP address/],
    [["localhost", "--nonsense"], /unknown option/],
    [["localhost", "-A", "/does/not/exist"], /ENOENT/],
    [["localhost", "--cert", goodRoot], /cert and key come together/],
    [["localhost", "-w", "soon"], /3600, 90m, 12h, 2d/],
    [["localhost", "-c", "-1"], /3600, 90m, 12h, 2d/],
    [["localhost", "--policy", "always"], /if-present, leaf, chain/],
    [["localhost", "--starttls", "gopher"], /smtp, imap, pop3, ldap, postgres, mysql/],
    [["localhost", "-O", "ftp://x"], /http or https URL/],
    [["localhost", "-t", "0"], /from 1 to 3600/],
    [["localhost", "-v", "2"], /must be 3 .* or 4/],
  ];
  for (const [args, message] of cases) {
    const { code, text, errors } = await check(...args);
    t.is(code, 3, args.join(" "));
    t.regex(errors, message);
    t.is(text, "");
  }
  t.is((await check("--help")).code, 0);
});
