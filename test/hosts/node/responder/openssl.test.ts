/** `tlstaple responder` in place of `openssl ocsp -port`, with `openssl ocsp` and curl as clients. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { fileURLToPath } from "node:url";
import test, { type ExecutionContext } from "ava";
import { credential, type Edition, fixtureFile } from "../../../../certs/fixtures.js";
import { describeResponse } from "../../../../hosts/node/common/describe.js";
import { opensslResponder } from "../../../peers/peers.js";
import { launch, type Peer, which } from "../../../peers/process.js";
import { withPeer } from "../../../peers/with-peer.js";
import { readMetrics } from "../common/exposition.js";
import { tlstaple } from "../printed.js";
import { listen } from "../servers.js";
import { indexLine, temporaryFile } from "./fixtures.js";

const cli = fileURLToPath(new URL("../../../../hosts/node/cli.js", import.meta.url));
const openssl = withPeer("openssl");

const file = (edition: Edition, name: string) => credential(edition, name).certificateFile;

/** The article's flags. */
function flags(
  edition: Edition,
  authority: string,
  index = fixtureFile(`good/${edition}/index-${authority}.txt`),
) {
  const signer = credential(edition, `ocsp-${authority}`);
  const signing = ["-rsigner", signer.certificateFile, "-rkey", signer.keyFile];
  return [
    "responder",
    "-port",
    "0",
    "-nmin",
    "1",
    "-index",
    index,
    ...signing,
    "-CA",
    file(edition, authority),
  ];
}

async function start(t: ExecutionContext, args: string[]): Promise<Peer> {
  const peer = await launch(process.execPath, [cli, ...args], {
    ready: /^ACCEPT 127\.0\.0\.1:(\d+) PID=\d+$/m,
  });
  t.teardown(() => peer.stop());
  return peer;
}

/** What a command printed on both streams, whatever its exit code. */
function said(command: string, args: string[]): Promise<string> {
  return new Promise((resolve) => {
    const child = execFile(command, args, { timeout: 20_000 }, (_, stdout, stderr) =>
      resolve(stdout + stderr),
    );
    child.stdin!.end();
  });
}

/** `openssl ocsp` asks about certificates of an authority. */
function client(edition: Edition, authority: string, { port }: Peer, ...about: string[]): Promise<string> {
  const who = ["-issuer", file(edition, authority), "-CAfile", file(edition, "root")];
  return said("openssl", ["ocsp", ...who, "-url", `http://127.0.0.1:${port}`, ...about]);
}

const certificates = (edition: Edition, ...names: string[]) =>
  names.flatMap((name) => ["-cert", file(edition, name)]);

for (const edition of ["p256", "rsa"] as const) {
  openssl(`good, revoked and unknown, ${edition}`, async (t) => {
    const peer = await start(t, flags(edition, "intermediate1"));
    const about = [...certificates(edition, "server1", "server2"), "-serial", "0x77"];
    for (const options of [[], ["-no_nonce"], ["-nonce"]]) {
      const text = await client(edition, "intermediate1", peer, ...options, ...about);
      t.regex(text, /^Response verify OK$/m);
      t.regex(text, /server1\.pem: good\n\tThis Update: .*\n\tNext Update: /);
      t.regex(
        text,
        /server2\.pem: revoked\n(\t.*\n){2}\tReason: keyCompromise\n\tRevocation Time: Jun {2}1 00:00:00 2025 GMT/,
      );
      t.regex(text, /0x77: unknown/);
      t.notRegex(text, /WARNING|[Nn]once/);
    }
    await peer.logs(/^POST 05 good, 06 revoked, 77 unknown$/m);
  });
}

openssl("CertIDs by SHA-256 and others, and mixed", async (t) => {
  const peer = await start(t, flags("p256", "intermediate1"));
  const mixed = ["sha1", "sha256", "sha384", "sha512"].flatMap((hash) => [
    `-${hash}`,
    ...certificates("p256", "server1"),
  ]);
  const text = await client("p256", "intermediate1", peer, ...mixed);
  t.is(text.match(/server1\.pem: good/g)?.length, 4);
  t.regex(text, /verify OK/);
  t.regex(
    await client("p256", "intermediate1", peer, "-md5", ...certificates("p256", "server1")),
    /unauthorized \(6\)/,
  );
});

openssl("the root and its intermediates, signed by the CA itself with SHA-384, named by key", async (t) => {
  const { certificateFile, keyFile } = credential("rsa", "root");
  const args = [
    "responder",
    "-index",
    fixtureFile("good/rsa/index-root.txt"),
    "-CA",
    certificateFile,
    "-ndays",
    "1",
  ];
  const peer = await start(t, [
    ...args,
    "-rsigner",
    certificateFile,
    "-rkey",
    keyFile,
    "-rmd",
    "sha384",
    "-resp_key_id",
    "-text",
  ]);
  const text = await client(
    "rsa",
    "root",
    peer,
    ...certificates("rsa", "intermediate1", "intermediate3", "root"),
    "-resp_text",
  );
  t.regex(text, /verify OK/);
  t.regex(text, /intermediate1\.pem: good/);
  t.regex(text, /intermediate3\.pem: revoked\n(\t.*\n){2}\tReason: cACompromise/);
  t.regex(text, /root\.pem: good/);
  t.regex(text, /Signature Algorithm: sha384WithRSAEncryption/);
  t.regex(text, /Responder Id: [0-9A-F]{40}/);
  await peer.logs(/responseStatus: successful\n {2}responderID: byKey/);
});

openssl("signed requests, and another issuer", async (t) => {
  const peer = await start(t, flags("p256", "intermediate1"));
  const { certificateFile, keyFile } = credential("p256", "server1");
  const signed = ["-signer", certificateFile, "-signkey", keyFile, ...certificates("p256", "server1")];
  t.regex(await client("p256", "intermediate1", peer, ...signed), /server1\.pem: good/);
  t.regex(
    await client("p256", "intermediate2", peer, ...certificates("p256", "server3")),
    /unauthorized \(6\)/,
  );
  await peer.logs(/^POST unauthorized: none of the issuers is known$/m);
});

openssl("an index that changes while the responder runs", async (t) => {
  const index = temporaryFile(t, indexLine("05"));
  const peer = await start(t, flags("p256", "intermediate1", index));
  const about = ["-no_nonce", ...certificates("p256", "server1")];
  const ask = () => client("p256", "intermediate1", peer, ...about);
  t.regex(await ask(), /server1\.pem: good/);
  writeFileSync(index, indexLine("05", "250601000000Z,superseded"));
  t.regex(await ask(), /server1\.pem: revoked\n(\t.*\n){2}\tReason: superseded/);
  await peer.logs(/^index .*: 1 certificates$/m);
  writeFileSync(index, "R\n");
  t.regex(await ask(), /server1\.pem: revoked/);
  await peer.logs(/file: line 1: 6 fields/);
});

openssl("by GET, as curl does it", async (t) => {
  if (!which("curl")) {
    t.pass("curl is not installed");
    return;
  }
  const peer = await start(t, flags("p256", "intermediate1"));
  const request = temporaryFile(t, "");
  const ca = ["-issuer", file("p256", "intermediate1")];
  await said("openssl", ["ocsp", ...ca, ...certificates("p256", "server2"), "-no_nonce", "-reqout", request]);
  const response = temporaryFile(t, "");
  const url = `http://127.0.0.1:${peer.port}/${encodeURIComponent(readFileSync(request).toString("base64"))}`;
  await said("curl", ["-sf", "-o", response, url]);
  t.is(describeResponse(readFileSync(response)).responses![0].certStatus, "revoked");
  const verify = [
    ...ca,
    ...certificates("p256", "server2"),
    "-CAfile",
    file("p256", "root"),
    "-respin",
    response,
  ];
  t.regex(await said("openssl", ["ocsp", ...verify]), /server2\.pem: revoked[\s\S]*verify OK/);
  await peer.logs(/^GET 06 revoked$/m);
});

withPeer("responder")("openssl's responder says the same", async (t) => {
  const theirs = await opensslResponder("p256", "intermediate1");
  t.teardown(() => theirs.stop());
  const ours = await start(t, flags("p256", "intermediate1"));
  const times = /\t(This|Next) Update: .*\n/g;
  for (const about of [
    certificates("p256", "server1"),
    certificates("p256", "server2", "server1"),
    ["-serial", "0x77", "-no_nonce"],
    ["-sha512", ...certificates("p256", "must-staple")],
  ]) {
    const [a, b] = await Promise.all(
      [theirs, ours].map((peer) => client("p256", "intermediate1", peer, ...about)),
    );
    t.is(b.replace(times, ""), a.replace(times, ""));
  }
  // A request about nothing. OpenSSL's responder waits for eight octets or the end, and goes with its first error.
  for (const { port } of [ours, theirs]) {
    const socket = connect(port, "127.0.0.1");
    const chunks: Buffer[] = [];
    socket.on("data", (chunk) => chunks.push(chunk));
    const head = "POST / HTTP/1.0\r\nContent-Type: application/ocsp-request\r\nContent-Length: 6\r\n\r\n";
    socket.end(Buffer.concat([Buffer.from(head), Buffer.from("300430023000", "hex")]));
    await once(socket, "close");
    t.is(describeResponse(Buffer.concat(chunks).subarray(-5)).responseStatus, "malformedRequest");
  }
});

// The command's own manners

test("it tells when it is ready, ends after -nrequest or by a signal, with 0", async (t) => {
  for (const signal of ["SIGINT", "SIGTERM", undefined] as const) {
    const ready = temporaryFile(t, "");
    const more = ["-R", ready, "-nrequest", "2", "-sha256", "-ignore_err"];
    const child = spawn(process.execPath, [cli, ...flags("p256", "intermediate1"), ...more]);
    t.teardown(() => child.kill("SIGKILL"));
    const ended = once(child, "exit");
    const [line] = await once(child.stdout, "data");
    const [, port, pid] = /^ACCEPT 127\.0\.0\.1:(\d+) PID=(\d+)\n$/.exec(String(line))!;
    t.is(pid, String(child.pid));
    t.is(readFileSync(ready, "utf8"), `${port}\n`);
    if (signal) child.kill(signal);
    else for (let i = 0; i < 2; i++) await fetch(`http://127.0.0.1:${port}/`).then((r) => r.arrayBuffer());
    t.deepEqual(await ended, [0, null]);
  }
});

test("it goes on when nobody reads what it prints", async (t) => {
  const child = spawn(process.execPath, [cli, ...flags("p256", "intermediate1")]);
  t.teardown(() => child.kill("SIGKILL"));
  const [line] = await once(child.stdout, "data");
  child.stdout.destroy();
  for (let i = 0; i < 3; i++) {
    const response = await fetch(`http://127.0.0.1:${/:(\d+)/.exec(String(line))![1]}/`);
    t.is(response.status, 200);
    await response.arrayBuffer();
  }
  t.is(child.exitCode, null);
});

async function refused(...args: string[]): Promise<{ code: number; text: string }> {
  const { code, stdout, stderr } = await tlstaple(...args);
  return { code, text: stdout + stderr };
}

/** Flags with one of them changed, or left out. */
function but(name: string, value?: string): string[] {
  const args = flags("p256", "intermediate1");
  const at = args.indexOf(name);
  return at < 0
    ? [...args, name, value!]
    : [...args.slice(0, at), ...(value ? [name, value] : []), ...args.slice(at + 2)];
}

const other = credential("p256", "ocsp-intermediate2");
const wrong: readonly (readonly [args: string[], message: RegExp])[] = [
  [["responder"], /required option '-index <file>' not specified/],
  [but("-CA"), /required option '-CA <file>'/],
  [but("-bogus", "x"), /unknown option '-bogus'/],
  [[...flags("p256", "intermediate1"), "more"], /too many arguments/],
  [but("-port", "65536"), /'-port <number>' argument '65536' is invalid/],
  [but("-nmin", "-1"), /'-nmin <number>'/],
  [but("-ndays", "1e3"), /'-ndays <number>'/],
  [but("-rmd", "md5"), /'-rmd <digest>'.*sha256, sha384, sha512/],
  [but("-CA", "/absent"), /'-CA <file>'.*ENOENT/],
  [but("-index", "/absent"), /\/absent: .*ENOENT/],
  [but("-index", file("p256", "root")), /root\.pem: line 1: 6 fields/],
  [but("-CA", fixtureFile("good/p256/index-root.txt")), /issuer's certificate: no certificate found/],
  [but("-rkey", other.keyFile), /the key is not that of .*CN=ocsp-intermediate1/],
  [but("-rkey"), /^signer's key: /],
  [but("-rkey", "/absent"), /'-rkey <file>'.*ENOENT/],
  [
    but("-CA", file("p256", "intermediate2")),
    /CN=ocsp-intermediate1 may not sign for .*CN=intermediate2: it is not issued by it/,
  ],
];
for (const [args, message] of wrong)
  test(`wrong use: ${message.source}`, async (t) => {
    const { code, text } = await refused(...args);
    t.is(code, 2);
    t.regex(text, message);
    t.notRegex(text, /\n\s+at /);
  });

openssl("-CA with a chain: the first is the CA, and nothing is said of what the others issued", async (t) => {
  const pem = (...names: string[]) => names.map((name) => readFileSync(file("p256", name), "utf8")).join("");
  const chain = temporaryFile(t, pem("intermediate1", "root"));
  const peer = await start(t, but("-CA", chain));
  const ours = await client("p256", "intermediate1", peer, ...certificates("p256", "server1", "server2"));
  t.regex(ours, /server1\.pem: good[\s\S]*server2\.pem: revoked[\s\S]*verify OK/);
  t.regex(await client("p256", "root", peer, ...certificates("p256", "intermediate1")), /unauthorized \(6\)/);
  const { code, text } = await refused(...but("-CA", temporaryFile(t, pem("root", "intermediate1"))));
  t.is(code, 2);
  t.regex(text, /CN=ocsp-intermediate1 may not sign for .*CN=root/);
});

test("a port that is taken: exit code 1", async (t) => {
  const port = await listen(t, createServer());
  const { code, text } = await refused(...but("-port", `${port}`));
  t.is(code, 1);
  t.regex(text, /EADDRINUSE/);
});

test("-metrics: counters for Prometheus, on a port of their own", async (t) => {
  const peer = await start(t, [...flags("p256", "intermediate1"), "-metrics", "0"]);
  const [, url] = /^METRICS (http:\/\/127\.0\.0\.1:\d+\/metrics)$/m.exec(peer.log())!;
  await fetch(`http://127.0.0.1:${peer.port}/`).then((response) => response.arrayBuffer());
  const metrics = await (await fetch(url)).text();
  t.is(readMetrics(metrics).get("tlstaple_responder_requests_total")?.samples[0].value, 1);
  t.is((await fetch(`${url}?debug=1`)).status, 200);
  for (const other of [new URL("/", url), `${url}/more`]) t.is((await fetch(other)).status, 404);
  t.is(
    (await fetch(`http://127.0.0.1:${peer.port}/metrics`).then((r) => r.text())).includes("# HELP"),
    false,
  );
});

test("-metrics: a port that is taken, and what is none", async (t) => {
  const port = await listen(t, createServer());
  const taken = await refused(...but("-metrics", `127.0.0.1:${port}`));
  t.is(taken.code, 1);
  t.regex(taken.text, /^listen EADDRINUSE[^\n]*\n$/);
  t.is((await refused(...but("-metrics", "0"), "-port", `${port}`)).code, 1, "and its own is free again");
  for (const place of ["", "x", "65536", "localhost:", "[::1]", "-1"])
    t.is((await refused(...but("-metrics", place))).code, 2, place);
});

test("help has openssl's single dashes", async (t) => {
  const { code, text } = await refused("responder", "-help");
  t.is(code, 0);
  t.regex(text, /^ {2}-rsigner <file> /m);
  t.notRegex(text, /--/);
});
