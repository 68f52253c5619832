/** `tlstaple server`, as the article's reader runs it, with our client and our responder. */

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { connect as connectTcp, createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { OCSPRequest } from "@peculiar/asn1-ocsp";
import { AsnConvert } from "@peculiar/asn1-schema";
import test, { type ExecutionContext } from "ava";
import { purpose } from "../../../../certs/extensions.js";
import { credential, fixtureFile } from "../../../../certs/fixtures.js";
import { run } from "../../../../hosts/node/commands/program.js";
import {
  createHandler,
  createResponder,
  listen as listenOcsp,
} from "../../../../hosts/node/responder/index.js";
import { texts } from "../../../../src/wire/index.js";
import { pem } from "../../../peers/pem.js";
import { honest, type Link, makeLeaf, makePki, respond, type Statement, serve } from "../ocsp/responders.js";
import { Printed } from "../printed.js";
import { authorityOptions } from "../responder/fixtures.js";
import { listen } from "../servers.js";

const root = credential("p256", "root").certificateFile;

interface Running {
  readonly port: number;
  readonly out: Printed;
  readonly err: Printed;
  /** The exit code. */
  readonly code: Promise<number>;
}

/** Runs the command in this process; it must end by itself. */
async function server(name: string, ...args: string[]): Promise<Running> {
  const { certificateFile, keyFile } = credential("p256", name);
  const out = new Printed();
  const err = new Printed();
  const ready = ["-p", "0", "-c", certificateFile, "-k", keyFile];
  const folder = mkdtempSync(join(tmpdir(), "tlstaple-"));
  const file = join(folder, "ready");
  const code = run(["server", ...ready, "-R", file, ...args], out, err);
  while (!readable(file)) await sleep(5);
  const port = Number(readFileSync(file, "utf8"));
  rmSync(folder, { recursive: true });
  return { port, out, err, code };
}

function readable(file: string): boolean {
  try {
    return readFileSync(file, "utf8").endsWith("\n");
  } catch {
    return false;
  }
}

async function client({ port }: Pick<Running, "port">, name: string, ...args: string[]) {
  const out = new Printed();
  const err = new Printed();
  const to = ["-p", `${port}`, "-S", `${name}.tlstaple.test`, "-A", root];
  const code = await run(["client", ...to, ...args], out, err);
  return { code, out: out.text, err: err.text };
}

/** The responder of that CA; its URL. */
async function responder(t: ExecutionContext, issuer: string): Promise<string> {
  const made = await createResponder({ authorities: [authorityOptions("p256", issuer)], validity: 3600 });
  const http = await listenOcsp(made, { port: 0, host: "127.0.0.1" });
  t.teardown(() => http.close());
  return `http://127.0.0.1:${(http.address() as { port: number }).port}`;
}

for (const v of ["3", "4"]) {
  test.serial(`-v ${v}: a good certificate, one connection, all is said`, async (t) => {
    const url = await responder(t, "intermediate1");
    const serving = await server("server1", "-O", url, "-v", v, "-L", "h2,http/1.1");
    const met = await client(serving, "server1", "-W", "1m", "-v", v, "-L", "http/1.1");
    t.is(met.code, 0, met.err);
    t.regex(met.out, /hello from tlstaple\n$/);
    t.is(await serving.code, 0);
    const { text } = serving.out;
    t.regex(text, /^listening on 127\.0\.0\.1:\d+\n/);
    t.regex(text, /connection 1 from 127\.0\.0\.1:\d+\n/);
    t.regex(
      text,
      new RegExp(`  TLSv1\\.${Number(v) - 1}, TLS_\\w+, X25519, http/1.1, for server1.tlstaple.test\n`),
    );
    t.regex(text, / {2}staple 0: good, serial 05, thisUpdate \S+Z, nextUpdate \S+Z\n/);
    t.regex(text, / {2}client says: hello tlstaple!\n$/);
  });

  test.serial(`-v ${v}: a revoked certificate is stapled, and refused by the client`, async (t) => {
    const url = await responder(t, "intermediate2");
    const serving = await server("server4", "-O", url, "-v", v);
    const met = await client(serving, "server4", "-W", "1", "-v", v);
    t.is(met.code, 1);
    t.regex(met.err, /^OCSP_CERT_REVOKED/);
    t.is(await serving.code, 1);
    t.regex(serving.out.text, / {2}staple 0: revoked, serial 08, since 2025-06-02T00:00:00Z, thisUpdate /);
    t.regex(serving.err.text, /^PEER_ALERT: .*certificate_revoked \(44\)$/m);
    t.regex(serving.err.text, /^ {2}advice {3}The client refused/m);
  });
}

test.serial("no responder answers: no staple, and the reason", async (t) => {
  const nobody = await listen(
    t,
    createTcpServer((socket) => socket.destroy()),
  );
  const serving = await server("server1", "-O", `http://127.0.0.1:${nobody}`);
  t.is((await client(serving, "server1", "-W", "1")).code, 0);
  t.is(await serving.code, 0);
  t.regex(serving.out.text, / {2}no staple: none is to be had\n/);
  t.regex(serving.err.text, new RegExp(`^staple from http://127.0.0.1:${nobody}`));
});

test.serial("no staple: one line for each reason, however many clients come", async (t) => {
  const { url } = await serve(t, (response) => response.writeHead(500).end());
  const serving = await server("server1", "-O", url, "-i", "--no-staple-chain");
  for (let i = 0; i < 3; i++) t.is((await client(serving, "server1", "-W", "1")).code, 0);
  const line = `staple from ${url}: HTTP 500 \\(.*CN=server1.*, serial 05\\)\n`;
  t.regex(serving.err.text, new RegExp(`^${line}$`));
  process.emit("SIGTERM");
  t.is(await serving.code, 0);
});

test.serial("both commands ask a responder that knows POST alone", async (t) => {
  const made = await createResponder({
    authorities: [authorityOptions("p256", "intermediate1")],
    validity: 3600,
  });
  const methods: string[] = [];
  const answer = createHandler(made);
  const http = createHttpServer((request, response) => {
    methods.push(request.method!);
    if (request.method === "POST") answer(request, response);
    else response.writeHead(405).end();
  });
  const url = `http://127.0.0.1:${await listen(t, http)}`;
  const stapling = await server("server1", "-O", url, "-v", "3");
  t.is((await client(stapling, "server1", "-W", "1m")).code, 0);
  t.deepEqual(methods, ["GET", "POST"]);
  const silent = await server("server1", "-v", "3");
  const met = await client(silent, "server1", "-O", `${url}/again`);
  t.is(met.code, 0, met.err);
  t.deepEqual(methods, ["GET", "POST", "GET", "POST"]);
});

test.serial("--nonce-forward: a nonce that is demanded is asked for, and stapled", async (t) => {
  const url = await responder(t, "intermediate1");
  for (const way of [
    ["-W", "1"],
    ["-W", "2"],
    ["-W", "1", "-v", "4"],
  ]) {
    const demand = [...way, "--nonce-required", "--trace"];
    const chain = ["-O", url, "--no-staple-chain"];
    const plain = await server("server1", ...chain);
    t.regex((await client(plain, "server1", ...demand)).err, /^OCSP_NONCE/);
    t.is(await plain.code, 1);
    const forwarding = await server("server1", ...chain, "--nonce-forward");
    const { code, out, err } = await client(forwarding, "server1", ...demand);
    t.is(code, 0, err);
    const [sent, stapled, ...more] = [...out.matchAll(/ nonce ([0-9a-f]+…)/g)].map(([, nonce]) => nonce);
    t.truthy(sent);
    t.is(stapled, sent);
    t.deepEqual(more, []);
    t.is(await forwarding.code, 0);
    t.is(forwarding.err.text, "");
  }
});

test.serial("a responder that knows no nonces: the reason, and the staple that is kept", async (t) => {
  const made = await createResponder({
    authorities: [authorityOptions("p256", "intermediate1")],
    validity: 3600,
  });
  const deaf: RequestListener = async (request, reply) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const about = request.method === "GET" ? undefined : Buffer.concat(chunks);
    const path = Buffer.from(decodeURIComponent(request.url!.slice(1)), "base64");
    reply.setHeader("Content-Type", "application/ocsp-response");
    reply.end(await made.respond(about ? withoutNonce(about) : path));
  };
  const port = await listen(t, createHttpServer(deaf));
  const serving = await server(
    "server1",
    "-O",
    `http://127.0.0.1:${port}`,
    "--no-staple-chain",
    "--nonce-forward",
  );
  t.is((await client(serving, "server1", "-W", "1", "--nonce")).code, 0);
  t.is(await serving.code, 0);
  const reason = `OCSP_NONCE: ${texts.OCSP_NONCE} \\(.*CN=server1.*, serial 05\\)`;
  t.regex(
    serving.err.text,
    new RegExp(`^staple from http://127.0.0.1:${port}: ${reason}; the response of before lasts until .*\n$`),
  );
  t.regex(serving.out.text, / {2}staple 0: good, serial 05/);
});

function withoutNonce(request: Buffer): Buffer {
  const { tbsRequest } = AsnConvert.parse(request, OCSPRequest);
  tbsRequest.requestExtensions = undefined;
  return Buffer.from(AsnConvert.serialize(new OCSPRequest({ tbsRequest })));
}

test.serial("-A requires a client's certificate, -d asks for none", async (t) => {
  const clientCa = credential("client", "ca").certificateFile;
  const { certificateFile, keyFile } = credential("client", "p256");
  const own = ["-c", certificateFile, "-k", keyFile];
  const shown = await server("server1", "-A", clientCa);
  t.is((await client(shown, "server1", ...own)).code, 0);
  t.is(await shown.code, 0);
  t.regex(shown.out.text, / {2}client certificate 0: .*CN=client p256\n/);

  const missing = await server("server1", "-A", clientCa);
  t.is((await client(missing, "server1")).code, 1);
  t.is(await missing.code, 1);
  t.regex(missing.err.text, /^CERTIFICATE_REQUIRED/);

  const unasked = await server("server1", "-A", clientCa, "-d");
  t.is((await client(unasked, "server1")).code, 0);
  t.is(await unasked.code, 0);
});

/** A client's certificate with a responder that says this of it: the flags that show it, and the file of its CA. */
async function stapledClient(t: ExecutionContext, status: Statement["status"]) {
  const folder = mkdtempSync(join(tmpdir(), "tlstaple-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const write = (name: string, content: string | Buffer) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const all: Link[] = [];
  const asked = await honest(
    t,
    () => all,
    () => ({ status }),
  );
  const { ca, root: own } = makePki();
  const link = makeLeaf(ca, [asked.url], purpose.clientAuth);
  all.push(link);
  const key = link.key.secret.export({ type: "pkcs8", format: "pem" });
  const shown = ["-c", write("own.pem", pem(link.der) + pem(ca.der)), "-k", write("own-key.pem", key)];
  const staple = write("own-ocsp.der", respond(link, { status }));
  return { shown, staple, clientCa: write("ca.pem", pem(own.der)), asked };
}

test.serial("--client-policy and --client-staple: a client's staple, given or fetched", async (t) => {
  const { shown, staple, clientCa, asked } = await stapledClient(t, "good");
  for (const how of [["--client-staple", staple], ["--client-staple-fetch"]]) {
    const serving = await server("server1", "-A", clientCa, "--client-policy", "leaf");
    const met = await client(serving, "server1", ...shown, ...how);
    t.is(met.code, 0, met.err);
    t.regex(met.out, /^own staple 0: good, serial \w+, thisUpdate \S+, nextUpdate \S+$/m);
    t.is(await serving.code, 0);
    t.regex(serving.out.text, / {2}client certificate 0: .*\n {4}OCSP good, thisUpdate/);
  }
  t.is(asked.requests.length, 1);

  const missing = await server("server1", "-A", clientCa, "--client-policy", "leaf", "--json");
  const refused = await client(missing, "server1", ...shown, "--json");
  t.is(refused.code, 1);
  t.like(JSON.parse(refused.out), { fault: "PEER_ALERT", staples: [] });
  t.is(await missing.code, 1);
  t.is(JSON.parse(missing.out.text).fault, "OCSP_STAPLE_MISSING");

  const unasked = await server("server1", "-A", clientCa);
  const idle = await client(unasked, "server1", ...shown, "--client-staple", staple);
  t.is(idle.code, 0);
  t.notRegex(idle.out, /own staple/);
  t.is(await unasked.code, 0);
});

test.serial("--client-staple: a revoked client, and what can be none", async (t) => {
  const { shown, staple, clientCa } = await stapledClient(t, "revoked");
  const serving = await server("server1", "-A", clientCa, "--client-policy", "if-present");
  const met = await client(serving, "server1", ...shown, "--client-staple", staple);
  t.is(met.code, 1);
  t.regex(met.err, /^PEER_ALERT: .*certificate_revoked/);
  t.is(await serving.code, 1);
  t.regex(serving.err.text, /^OCSP_CERT_REVOKED/m);

  const port = { port: 1 };
  const wrong = await client(port, "server1", ...shown, "--client-staple", clientCa);
  t.is(wrong.code, 2);
  t.regex(wrong.err, /clientStaple: response 0: the OCSP response is malformed/);
  const alone = await client(port, "server1", "--client-staple", staple);
  t.is(alone.code, 2);
  t.regex(alone.err, /clientStaple: it takes cert and key/);
});

test.serial(
  "--client-staple-fetch with a responder that is down: the handshake goes on, and the reason",
  async (t) => {
    const { shown, clientCa, asked } = await stapledClient(t, "good");
    await asked.stop();
    const serving = await server("server1", "-A", clientCa, "--client-policy", "if-present");
    const met = await client(serving, "server1", ...shown, "--client-staple-fetch");
    t.is(met.code, 0, met.err);
    t.regex(met.err, /^own staple: http.*CN=leaf/m);
    t.is(await serving.code, 0);
  },
);

test.serial("an HTTP request gets an HTTP answer, --json says it in one line", async (t) => {
  const serving = await server("server1", "--json", "--trace");
  const met = await client(serving, "server1", "-g");
  t.regex(met.out, /HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nhello from tlstaple\n$/);
  t.is(await serving.code, 0);
  const lines = serving.out.text.trimEnd().split("\n");
  t.is(lines.length, 1);
  const said = JSON.parse(lines[0]);
  t.like(said, {
    connection: 1,
    established: true,
    servername: "server1.tlstaple.test",
    fault: null,
    resumed: false,
  });
  t.regex(said.said, /^GET \/ HTTP\/1\.1\r\n/);
  t.regex(said.trace.join("\n"), /← ClientHello[\s\S]*→ ServerHello[\s\S]*→ Certificate/);
});

test.serial("what is no TLS: exit code 1, and what happened", async (t) => {
  const serving = await server("server1");
  connectTcp(serving.port, "127.0.0.1").end("nonsense").resume();
  t.is(await serving.code, 1);
  t.regex(serving.err.text, /^UNKNOWN_RECORD_TYPE/);
});

test.serial("-i serves until it is interrupted, --keylog writes the secrets", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "tlstaple-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const { certificateFile, keyFile } = credential("p256", "server1");
  const log = join(folder, "keys");
  const cli = fileURLToPath(new URL("../../../../hosts/node/cli.js", import.meta.url));
  const args = ["server", "-i", "-p", "0", "-c", certificateFile, "-k", keyFile, "--keylog", log];
  const child = spawn(process.execPath, [cli, ...args]);
  t.teardown(() => child.kill("SIGKILL"));
  const out = new Printed();
  child.stdout.on("data", (chunk) => out.write(chunk));
  const port = Number((await out.matching(/listening on 127\.0\.0\.1:(\d+)\n/))[1]);
  t.is((await client({ port }, "server1", "-r")).code, 0);
  await out.matching(/connection 2 from/);
  await out.matching(/ {2}no staple: the session is resumed\n/);
  const idle = connectTcp(port, "127.0.0.1").on("error", () => undefined);
  t.teardown(() => idle.destroy());
  await sleep(50);
  const ended = new Promise((resolve) => child.on("close", resolve));
  child.kill("SIGINT");
  t.is(await ended, 0);
  t.regex(readFileSync(log, "utf8"), /^SERVER_TRAFFIC_SECRET_0 \w+ \w+$/m);
});

test.serial("wrong use", async (t) => {
  const { certificateFile, keyFile } = credential("p256", "server1");
  const other = credential("p256", "server2").keyFile;
  const pair = ["-c", certificateFile, "-k", keyFile];
  const cases: [string[], RegExp][] = [
    [[], /certificate chain \(-c\)/],
    [["-c", certificateFile], /private key \(-k\)/],
    [["-c", certificateFile, "-k", other], /option key: /],
    [["-c", fixtureFile("good/none.pem"), "-k", keyFile], /ENOENT/],
    [[...pair, "-v", "2"], /must be 3 .* or 4/],
    [[...pair, "-O", "ftp://x"], /overrideUrl/],
    [[...pair, "-p", "65536"], /0 to 65535/],
  ];
  for (const [args, message] of cases) {
    const err = new Printed();
    t.is(await run(["server", ...args], new Printed(), err), 2, args.join(" "));
    t.regex(err.text, message);
  }
});

test.serial("a port that is taken", async (t) => {
  const port = await listen(t, createTcpServer());
  const { certificateFile, keyFile } = credential("p256", "server1");
  const err = new Printed();
  const args = ["server", "-p", `${port}`, "-c", certificateFile, "-k", keyFile];
  t.is(await run(args, new Printed(), err), 1);
  t.regex(err.text, /EADDRINUSE/);
});

test.serial("a ready file that can't be written ends the server", async (t) => {
  const { certificateFile, keyFile } = credential("p256", "server1");
  const err = new Printed();
  const args = ["server", "-p", "0", "-c", certificateFile, "-k", keyFile, "-R", fixtureFile("none/ready")];
  t.is(await run(args, new Printed(), err), 1);
  t.regex(err.text, /ENOENT/);
});
