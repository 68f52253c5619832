import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer as createHttps } from "node:https";
import { join } from "node:path";
import { credential, stapleFile } from "../../certs/fixtures.js";
import { freePort } from "../peers/process.js";
import { attempt, check, heading, note } from "./report.js";
import { type Builder, readJson } from "./sdk.js";
import { answer, type Endpoint, plan, serve } from "./servers.js";
import { simulate } from "./simulator.js";
import { source } from "./workplace.js";

const OURS = "./node_modules/tlstaple/manifest.json";
const CLASSIC = "./node_modules/tlstaple/manifest_securesocket.json";

/** What main.js tells of what it did with a server. */
interface Result {
  readonly port: number;
  readonly outcome: string;
  /** Of each connection. */
  readonly versions: readonly number[];
  readonly resumed: number;
  readonly staple?: string;
}

/** Connections that HTTP takes, with ECMA-419's. */
const connections = { http: 5, mqtt: 1, ws: 1 };

const faultOf = { good: "ok", revoked: "OCSP_CERT_REVOKED", missing: "OCSP_STAPLE_MISSING" };

/** The SDK's classic API: on our SecureSocket, on the SDK's own beside us, and its example. */
export async function testClassic(builder: Builder, folder: string): Promise<void> {
  const headless = await builder.headless(source("headless.c"));
  await testClients(builder, folder, headless);
  await testBeside(builder, folder, headless);
  await testExample(builder, folder);
}

async function testClients(builder: Builder, folder: string, headless: string): Promise<void> {
  heading("The SDK's classic clients over our SecureSocket, and ECMA-419's in the same application");
  const all = await plan();
  const endpoints = all.filter(({ server }) => server !== "openssl" && server !== "mosquitto");
  const app = join(folder, "classic");
  const list = endpoints.map(({ client, port }) => ({ client, port, policy: "leaf" }));
  makeApp(folder, app, "p256", { connections: list });
  for (const name of ["main.js", "manifest.json"]) cpSync(source(`classic/${name}`), join(app, name));
  const library = await attempt("the application is built", () => builder.lin(app));
  await attempt("the same for esp32, up to mc.xs.c", () => builder.esp32(app));
  if (!library) return;
  const stop = await serve(endpoints, folder);
  const { printed } = await simulate(headless, library, /^end$/m);
  await stop();
  const lines = printed.split("\n");
  if (!lines.includes("end")) note(`it did not come to its end:\n${printed.slice(-2000)}`);
  const results = lines.filter((line) => line.startsWith('{"port"')).map((line) => JSON.parse(line));
  for (const [i, endpoint] of endpoints.entries()) judge(endpoint, results[i]);
}

function judge(endpoint: Endpoint, result: Result | undefined): void {
  const { client, server, version, staple, port } = endpoint;
  const what = `${client} to ${server}, ${version}, staple ${staple}`;
  if (result?.port !== port) check(false, what, "it was not reached");
  else check(result.outcome === faultOf[staple] && fits(endpoint, result), what, JSON.stringify(result));
}

/** Whether all connections are what they should be: a full handshake, and the others resumed. */
function fits({ client, version, staple }: Endpoint, { versions, resumed, staple: found }: Result): boolean {
  if (staple !== "good") return versions.length === 0;
  const expected = version === "TLSv1.2" ? 0x0303 : 0x0304;
  const { length } = versions.filter((each) => each === expected);
  return found === "good" && length === connections[client] && resumed === length - 1;
}

/** Our line alone, which leaves the classic API what it was. */
async function testBeside(builder: Builder, folder: string, headless: string): Promise<void> {
  heading("The classic API over the SDK's own TLS, beside our line, and ECMA-419's over ours");
  const app = join(folder, "classic-sdk");
  const port = await freePort();
  makeApp(folder, app, "rsa", { port });
  cpSync(source("classic/sdk.js"), join(app, "main.js"));
  cpSync(source("classic/manifest_sdk.json"), join(app, "manifest.json"));
  const library = await attempt("the application is built", () => builder.lin(app));
  if (!library) return;
  const { certificateFile, keyFile } = credential("rsa", "server1");
  const identity = { cert: readFileSync(certificateFile), key: readFileSync(keyFile) };
  const server = createHttps({ ...identity, maxVersion: "TLSv1.2" }, answer);
  const staple = readFileSync(stapleFile("rsa", "server1"));
  server.on("OCSPRequest", (_certificate: Buffer, _issuer: Buffer, callback) => callback(null, staple));
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const { printed } = await simulate(headless, library, /^end$/m);
  server.closeAllConnections();
  server.close();
  for (const line of ["classic: 20000", "ECMA-419: good", "ECMA-419: 20000"])
    check(printed.split("\n").includes(line), line, printed.includes(line) ? "done" : printed.slice(-1000));
}

function makeApp(folder: string, app: string, edition: "p256" | "rsa", config: object): void {
  mkdirSync(app);
  symlinkSync(join(folder, "node_modules"), join(app, "node_modules"));
  writeFileSync(join(app, "ca.der"), credential(edition, "root").chain[0]);
  writeFileSync(join(app, "job.json"), JSON.stringify({ config }));
}

/** The SDK's httpsget as it is, beside our line, on our SecureSocket, and with that in the place of the SDK's TLS. */
async function testExample(builder: Builder, folder: string): Promise<void> {
  heading("The SDK's example httpsget, main.js unchanged");
  const TLS = "$(MODULES)/crypt/tls.json";
  for (const [name, lines, ours] of [
    ["without ours", [TLS], false],
    ["with our line", [TLS, OURS], false],
    ["with our SecureSocket", [TLS, CLASSIC], true],
    ["with our line and our SecureSocket", [OURS, TLS, CLASSIC], true],
    ["with our SecureSocket and none of the SDK's TLS", [CLASSIC], true],
  ] as const) {
    const app = makeExample(folder, `httpsget-${name.replaceAll(" ", "-").replaceAll("'", "")}`, lines);
    const made = await attempt(`${name}, for esp32`, () => builder.esp32(app));
    if (!made) continue;
    const modules = builder.modules(made);
    const right = modules.has("tlstaple/string") === ours && modules.has("ssl/session") !== ours;
    const image = await builder.image(made);
    check(right, `${name}: the SecureSocket is ${ours ? "ours" : "the SDK's"}`, `${image ?? ""} bytes`);
  }
}

function makeExample(folder: string, name: string, lines: readonly string[]): string {
  const example = join(process.env.MODDABLE!, "examples/network/http/httpsget");
  const app = join(folder, name);
  mkdirSync(app);
  symlinkSync(join(folder, "node_modules"), join(app, "node_modules"));
  cpSync(join(example, "main.js"), join(app, "main.js"));
  const { include, ...manifest } = readJson(join(example, "manifest.json"));
  const others = include.filter((line: string) => !line.endsWith("crypt/tls.json"));
  writeFileSync(join(app, "manifest.json"), JSON.stringify({ ...manifest, include: [...others, ...lines] }));
  return app;
}
