/**
 * `npm run walkthrough`: what wolfSSL's article on OCSP stapling does, from its first step to its last, with our
 * commands and on 127.0.0.1 alone. Each step shows the commands and what they print, and says whether it came out
 * as it must. The captures stay in captures/. Exits with 0 only if every step was right.
 */

import { execFile } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Edition } from "../../../certs/fixtures.js";
import { fillTable } from "./cells.js";
import { clientArgs, responderArgs, serverArgs } from "./commands.js";
import { type Ran, type Running, Stage } from "./stage.js";
import { type Ca, cas, outcomeOf, ways } from "./table.js";

const PORT = 11111;
const captures = "captures";

const stage = new Stage();
const wrong: string[] = [];

/** Says whether something came out as it must. */
function judge(what: string, got: unknown, expected: unknown): void {
  const right = got === expected;
  stage.say(`=> ${what}: ${got}, ${right ? "as it must be" : `WRONG, it must be ${expected}`}`);
  if (!right) wrong.push(what);
}

function judgeOutcome(what: string, { code, errors }: Ran, expected: string): void {
  judge(what, outcomeOf(code, errors), expected);
}

function startResponder(edition: Edition, ca: Ca): Promise<Running> {
  return stage.start(["responder", ...responderArgs(edition, ca)], /ACCEPT/);
}

function startServer(edition: Edition, name: string, ...flags: string[]): Promise<Running> {
  return stage.start([...serverArgs(edition, name, PORT), "-i", ...flags], /listening/);
}

/** A client that leaves a capture behind. */
function client(edition: Edition, capture: string, ...flags: string[]): Promise<Ran> {
  return stage.run([...clientArgs(edition, PORT, ...flags), "--pcapng", join(captures, `${capture}.pcapng`)]);
}

async function article(edition: Edition): Promise<void> {
  stage.step("The responders of the CAs (the article: openssl ocsp)");
  const responders = new Map<Ca, Running>();
  for (const ca of cas) responders.set(ca, await startResponder(edition, ca));

  stage.step("OCSP stapling, -W 1 -v 3 (the article: a public server; here server1)");
  let server = await startServer(edition, "server1");
  judgeOutcome(
    "server1, -W 1 -v 3",
    await client(edition, "1-w1", "-g", "-S", "server1.tlstaple.test", "-W", "1", "-v", "3", "--trace"),
    "good",
  );
  await server.stop();

  stage.step("OCSP stapling v2 of a good certificate, -W 2, twice");
  server = await startServer(edition, "server3", "--pcapng", join(captures, "server3.pcapng"));
  for (const time of ["first", "second"])
    judgeOutcome(`server3, -W 2, the ${time} time`, await client(edition, `2-w2-${time}`, "-W", "2"), "good");
  const asked = responders.get("intermediate2")!.printed;
  judge("requests to the responder", asked.match(/07 good/g)?.length ?? 0, 1);
  judgeOutcome("server3, -W 3", await client(edition, "3-w3", "-W", "3", "--trace"), "good");
  judgeOutcome("server3, resumed", await client(edition, "4-resumed", "-W", "2", "-r"), "good");
  await server.stop();

  stage.step("OCSP stapling v2 of a revoked certificate, -W 3");
  server = await startServer(edition, "server4");
  judgeOutcome("server4, -W 3", await client(edition, "5-revoked", "-W", "3"), "OCSP_CERT_REVOKED");
  await server.stop();

  stage.step("A revoked intermediate: only who asks for its status sees it");
  server = await startServer(edition, "server5");
  judgeOutcome("server5, -W 2", await client(edition, "6-intermediate-w2", "-W", "2"), "good");
  judgeOutcome("server5, -W 3", await client(edition, "7-intermediate-w3", "-W", "3"), "OCSP_CERT_REVOKED");
  await server.stop();

  stage.step("TLS 1.3: a staple for each certificate, and no version 2");
  server = await startServer(edition, "server3");
  const chain = ["-W", "1", "-v", "4", "--policy", "chain"];
  judgeOutcome("server3, the whole chain", await client(edition, "8-tls13", ...chain, "--trace"), "good");
  const second = await stage.run(clientArgs(edition, PORT, "-W", "2", "-v", "4"));
  judge("-W 2 -v 4", second.errors.trim(), "Cannot use OCSP Stapling V2 with TLSv1.3");
  await server.stop();

  stage.step("No staple: allowed with -W 1, not with -W 1m");
  server = await startServer(edition, "server1", "-O", "http://127.0.0.1:9/");
  judgeOutcome("server1 without a responder, -W 1", await client(edition, "9-none", "-W", "1"), "good");
  judgeOutcome(
    "server1 without a responder, -W 1m",
    await client(edition, "10-must", "-W", "1m"),
    "OCSP_STAPLE_MISSING",
  );
  judgeOutcome("server1, the client asks by itself", await client(edition, "11-lookup", "-o"), "good");
  await server.stop();

  stage.step("Nonces (the article: USE_NONCE): sent, demanded in vain, passed on");
  server = await startServer(edition, "server3");
  judgeOutcome("server3, --nonce", await client(edition, "12-nonce", "-W", "2", "--nonce"), "good");
  const demand = ["-W", "2", "--nonce-required"];
  judgeOutcome("server3, --nonce-required", await client(edition, "13-in-vain", ...demand), "OCSP_NONCE");
  await server.stop();
  server = await startServer(edition, "server3", "--nonce-forward");
  judgeOutcome("server3, forwarded", await client(edition, "14-forwarded", ...demand, "--trace"), "good");
  const demand13 = ["-W", "1", "-v", "4", "--nonce-required"];
  judgeOutcome("server3, TLS 1.3", await client(edition, "15-forwarded-tls13", ...demand13), "good");
  await server.stop();
}

/** Each server asked in each way, the responders running. */
async function table(edition: Edition): Promise<void> {
  stage.step(`Every server in every way, ${edition}`);
  const cells = await fillTable(edition);
  stage.say(["server".padEnd(9), ...ways.map(({ title }) => title.padEnd(24))].join(""));
  for (let i = 0; i < cells.length; i += ways.length) {
    const { row } = cells[i];
    const line = cells.slice(i, i + ways.length).map(({ got, expected }) => mark(got, expected).padEnd(24));
    stage.say([row.server.padEnd(9), ...line, row.what].join(""));
  }
  const bad = cells.filter(({ got, expected }) => got !== expected);
  judge(`cells of ${cells.length} that are wrong`, bad.length, 0);
}

function mark(got: string, expected: string): string {
  return got === expected ? got : `${got} (WRONG)`;
}

/** What the article shows in Wireshark, by tshark, if it is there. */
async function wireshark(): Promise<void> {
  stage.step("The captures (the article: Wireshark)");
  stage.say(`${captures}/*.pcapng open decrypted in Wireshark: the secrets are inside`);
  const stapled = ["tls.handshake.extensions_status_request_type", "ocsp.responseStatus", "ocsp.certStatus"];
  for (const capture of ["3-w3", "5-revoked"]) await dissect(capture, "tls.handshake.type == 22", stapled);
  await dissect("14-forwarded", "ocsp", ["ocsp.certStatus", "ocsp.ReOcspNonce"]);
}

async function dissect(capture: string, filter: string, fields: readonly string[]): Promise<void> {
  const file = join(captures, `${capture}.pcapng`);
  const args = ["-r", file, "-Y", filter, "-T", "fields", ...fields.flatMap((field) => ["-e", field])];
  stage.say(`$ tshark ${args.join(" ")}`);
  stage.say(await promisify(execFile)("tshark", args).then(({ stdout }) => stdout, noTshark));
}

function noTshark(error: NodeJS.ErrnoException): string {
  return error.code === "ENOENT" ? "tshark is not installed" : error.message;
}

async function main(): Promise<void> {
  mkdirSync(captures, { recursive: true });
  await article("rsa");
  await table("rsa");
  await stage.close();
  for (const ca of cas) await startResponder("p256", ca);
  await table("p256");
  await stage.close();
  await wireshark();
  const many = wrong.length === 0 ? "Every step came out as it must." : `WRONG: ${wrong.join("; ")}`;
  console.log(`\n${many}`);
  process.exitCode = wrong.length === 0 ? 0 : 1;
}

try {
  await main();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
} finally {
  await stage.close();
}
