/** `--compat wolfssl`, the flags that come with it, and responders that are trusted by configuration. */

import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import test, { type ExecutionContext } from "ava";
import { credential, fixtureFile } from "../../../../certs/fixtures.js";
import { TLSSocket } from "../../../../hosts/node/socket/socket.js";
import { openssl } from "../../../peers/openssl.js";
import { Scratch } from "../../../peers/scratch.js";
import { serve } from "../ocsp/responders.js";
import { serveOurs } from "../ours.js";
import { tlstaple } from "../printed.js";

/** Runs a server command that ends by itself; its port, and what comes of it. */
async function serving(scratch: Scratch, ...args: string[]) {
  const ready = scratch.write(`ready-${args.length}`, "");
  const done = tlstaple("server", "-p", "0", "-R", ready, ...args);
  while (readFileSync(ready, "utf8") === "") await sleep(5);
  return { port: readFileSync(ready, "utf8").trim(), done };
}

/** A folder as wolfSSL's, to stand in until the test ends. Its certificates are their own CAs and have no SubjectAltName. */
async function wolfsslFolder(t: ExecutionContext): Promise<Scratch> {
  const scratch = new Scratch();
  const here = process.cwd();
  process.chdir(scratch.directory);
  t.teardown(() => {
    process.chdir(here);
    scratch.remove();
  });
  await mkdir("certs");
  await selfSigned("client", "nobody");
  await selfSigned("server", "localhost");
  scratch.write("certs/ca-cert.pem", readFileSync("certs/server-cert.pem"));
  return scratch;
}

async function selfSigned(role: string, name: string): Promise<void> {
  const key = [
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
    "-keyout",
    `certs/${role}-key.pem`,
  ];
  const made = ["-out", `certs/${role}-cert.pem`, "-subj", `/CN=${name}`, "-days", "2"];
  await openssl("req", "-x509", ...key, ...made);
}

/** With wolfSSL's files at the server, a client's outcome. */
async function met(scratch: Scratch, ...args: string[]) {
  const { port, done } = await serving(scratch, "--compat", "wolfssl", "-o", "-H", "loadSSL");
  const client = await tlstaple("client", "-p", port, ...args);
  return { client, server: await done };
}

const compat = ["--compat", "wolfssl"];

test.serial("wolfSSL's files are there by default, any name will do, and that is said", async (t) => {
  const { client, server } = await met(await wolfsslFolder(t), ...compat);
  t.is(client.code, 0, client.stderr);
  t.regex(client.stderr, /^--compat wolfssl: the name in the server's certificate is not checked/);
  t.is(server.code, 0, server.stderr);
  // Which -o does not ask about: it is trusted itself, and names no responder
  t.regex(server.stdout, /client certificate 0: CN=nobody\n/);
});

test.serial("without --compat the name is checked, and in SubjectAltName alone", async (t) => {
  const scratch = await wolfsslFolder(t);
  const files = ["-A", "certs/ca-cert.pem", "-c", "certs/client-cert.pem", "-k", "certs/client-key.pem"];
  for (const [host, fault] of [
    ["127.0.0.1", /^CERT_IP_MISMATCH/],
    ["localhost", /^CERT_NAME_MISMATCH/],
  ] as const) {
    const { client, server } = await met(scratch, ...files, "-h", host);
    t.is(client.code, 1);
    t.regex(client.stderr, fault);
    t.is(server.code, 1);
  }
});

test.serial("-m checks the name after -h, in CN where there is no other", async (t) => {
  const scratch = await wolfsslFolder(t);
  const good = await met(scratch, ...compat, "-m", "-h", "localhost");
  t.is(good.client.code, 0, good.client.stderr);
  t.is(good.client.stderr, "");
  const bad = await met(scratch, ...compat, "-m", "-h", "127.0.0.1");
  t.is(bad.client.code, 1);
  t.regex(bad.client.stderr, /^CERT_IP_MISMATCH/);
  t.is(bad.server.code, 1);
});

test.serial("a chain that does not end at the CA is refused as ever", async (t) => {
  const scratch = await wolfsslFolder(t);
  const other = credential("p256", "root").certificateFile;
  const { client, server } = await met(scratch, ...compat, "-A", other);
  t.is(client.code, 1);
  t.regex(client.stderr, /^CERT_UNKNOWN_ISSUER/m);
  t.is(server.code, 1);
});

test.serial("-x shows no certificate", async (t) => {
  const { client, server } = await met(await wolfsslFolder(t), ...compat, "-x");
  t.is(server.code, 1);
  t.regex(server.stderr, /^CERTIFICATE_REQUIRED/m);
  t.regex(client.stderr, /^PEER_ALERT/m);
});

test("wrong use", async (t) => {
  for (const [args, message] of [
    [["client", ...compat], /certs\/ca-cert\.pem'?: --compat wolfssl is for wolfSSL's folder\n$/],
    [["server", ...compat], /certs\/client-cert\.pem'?: --compat wolfssl is for wolfSSL's folder\n$/],
    [["client", ...compat, "-r"], /^-r: there is no session/],
    [["client", "--compat", "openssl"], /Allowed choices are wolfssl/],
    [["server", "-H", "verifyFail"], /It must be loadSSL, loadSSLOnly, exitWithRet/],
    [
      ["server", "-o", "-c", "package.json", "-k", "package.json"],
      /^-o: no client is asked for a certificate\n$/,
    ],
  ] as const) {
    const { code, stderr } = await tlstaple(...args);
    t.is(code, 2, args.join(" "));
    t.regex(stderr, message);
  }
});

test("what wolfSSL's client tells of itself", async (t) => {
  t.deepEqual(await tlstaple("client", "-V"), { code: 0, stdout: "3:4\n", stderr: "" });
  t.regex((await tlstaple("client", "-#")).stdout, /^tlstaple\/\d+\.\d+\.\d+ node\/\d/);
  for (const command of ["client", "server"])
    t.is((await tlstaple(command, "-?")).stdout, (await tlstaple(command, "--help")).stdout);
});

test("a socket that takes any name keeps no session: who resumed it would take the name for verified", async (t) => {
  const { port } = await serveOurs(t);
  const ca = readFileSync(credential("p256", "root").certificateFile);
  const sessionsOf = (anyName: boolean) =>
    new Promise<number>((resolve, reject) => {
      const socket = new TLSSocket(
        { port, host: "127.0.0.1", servername: "server1.tlstaple.test", ca },
        anyName,
      );
      let sessions = 0;
      socket.on("session", () => sessions++);
      socket.on("secureConnect", () => setTimeout(() => socket.end(), 100));
      socket.on("close", () => resolve(sessions + (socket.getSession() ? 1 : 0)));
      socket.on("error", reject).resume();
    });
  t.is(await sessionsOf(true), 0);
  t.true((await sessionsOf(false)) > 0);
});

/** A response about server1 by the delegate of another CA than its own. */
async function crossResponse(t: ExecutionContext): Promise<{ response: Buffer; signer: string }> {
  const scratch = new Scratch();
  t.teardown(scratch.remove);
  const { certificateFile: signer, keyFile } = credential("p256", "ocsp-root");
  const issuer = credential("p256", "intermediate1").certificateFile;
  const leaf = credential("p256", "server1").certificateFile;
  const index = fixtureFile("good/p256/index-intermediate1.txt");
  const by = ["-rsigner", signer, "-rkey", keyFile, "-CA", issuer, "-ndays", "1", "-noverify"];
  const file = `${scratch.directory}/response.der`;
  await openssl("ocsp", "-index", index, ...by, "-issuer", issuer, "-cert", leaf, "-respout", file);
  return { response: readFileSync(file), signer };
}

const server1 = ["-S", "server1.tlstaple.test", "-A", credential("p256", "root").certificateFile];

test("-responder: the delegate of another CA is trusted at the client where it is named, and only there", async (t) => {
  const { response, signer } = await crossResponse(t);
  const { port } = await serveOurs(t, { staples: [response] });
  const asked = ["client", "-p", `${port}`, ...server1, "-W", "1m"];
  const refused = await tlstaple(...asked);
  t.is(refused.code, 1);
  t.regex(refused.stderr, /^OCSP_RESPONDER/);
  for (const flag of ["-responder", "--responder"]) {
    const { code, stdout, stderr } = await tlstaple(...asked, flag, signer);
    t.is(code, 0, stderr);
    t.regex(stdout, /OCSP good/);
  }
});

test("-responder: at the server too, for its staples", async (t) => {
  const { response, signer } = await crossResponse(t);
  const { url } = await serve(t, (to) =>
    to.setHeader("content-type", "application/ocsp-response").end(response),
  );
  const { certificateFile, keyFile } = credential("p256", "server1");
  const scratch = new Scratch();
  t.teardown(scratch.remove);
  const own = ["-c", certificateFile, "-k", keyFile, "-O", url, "--no-staple-chain"];
  const staples = async (...more: string[]) => {
    const { port, done } = await serving(scratch, ...own, ...more);
    await tlstaple("client", "-p", port, ...server1, "-W", "1", "-responder", signer);
    return (await done).stdout;
  };
  t.regex(await staples(), /no staple: none is to be had/);
  t.regex(await staples("-responder", signer), /staple 0: good/);
});
