import { cpSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { credential } from "../../certs/fixtures.js";
import { attempt, check, heading, median, note, table } from "./report.js";
import { type Builder, succeeds } from "./sdk.js";
import { type Endpoint, FIXED, faultOf, plan, serve, type Version } from "./servers.js";
import { linesOf } from "./simulator.js";
import { excluded, OPTIONAL, source } from "./workplace.js";

/** What main.js tells of a connection. */
interface Result {
  readonly port: number;
  /** "ok", the fault's name, or what else went wrong. */
  readonly outcome: string;
  readonly version?: number;
  readonly staple?: string;
  readonly resumed?: boolean;
  readonly milliseconds?: number;
}

/** A connection that main.js makes. */
interface Connection {
  readonly endpoint: Endpoint;
  readonly policy: "leaf" | "if-present";
  readonly expected: string;
  /** The second one to its server, where a session is resumed. */
  readonly again?: boolean;
}

/** An application: over what, and without which modules of ours. */
interface Edition {
  readonly name: string;
  readonly provider: "portable" | "psa";
  readonly without: readonly string[];
}

const editions: readonly Edition[] = [
  { name: "portable", provider: "portable", without: [] },
  { name: "psa", provider: "psa", without: [] },
  { name: "least", provider: "portable", without: OPTIONAL },
];

/** Milliseconds of handshakes, to look at together. */
type Times = [edition: string, version: Version, milliseconds: number[]][];

/** The SDK's three clients over our socket, with each provider that can be had here. */
export async function testClients(builder: Builder, folder: string): Promise<void> {
  const headless = await builder.headless(source("headless.c"));
  const times: Times = [];
  for (const edition of editions) {
    const { provider, without } = edition;
    const how = without.length > 0 ? `, without ${without.join(", ")}` : "";
    heading(
      `The SDK's clients over embedded:io/socket/tcp/tls, on the simulator with the ${provider} provider${how}`,
    );
    if (provider === "psa" && !(await hasPsa()))
      note("skipped: no PSA Crypto here (apt-get install libmbedtls-dev)");
    else await testEdition(builder, folder, headless, edition, times);
  }
  heading(
    "Handshakes with a staple on this computer, from the constructor to onSecure (TCP of `lin` is polled every 20 ms)",
  );
  const rows = times.map(([edition, version, all]) => [edition, version, median(all), all.length]);
  table([["edition", "version", "median ms", "handshakes"], ...rows]);
}

/** Whether programs can be linked with Mbed TLS's PSA Crypto. */
function hasPsa(): Promise<boolean> {
  const flags = "int main(void) { return psa_crypto_init(); }";
  const script = `printf '#include <psa/crypto.h>\\n${flags}\\n' | gcc -x c - -o /dev/null -lmbedcrypto`;
  return succeeds("sh", ["-c", script]);
}

async function testEdition(
  builder: Builder,
  folder: string,
  headless: string,
  edition: Edition,
  times: Times,
): Promise<void> {
  const endpoints = await plan();
  const connections = endpoints.flatMap((endpoint) => connectionsTo(endpoint, edition));
  const app = makeApp(folder, edition, connections);
  const library = await attempt("the application is built", () => builder.lin(app));
  if (!library) return;
  const stop = await serve(endpoints, folder);
  try {
    const results = await run(headless, library);
    for (const [i, connection] of connections.entries()) judge(connection, results[i], connection.expected);
    collect(times, edition.name, connections, results);
    const unset = await run(headless, library, 0);
    for (const [i, connection] of connections.entries())
      if (connection.expected === "ok" && connection.policy === "leaf")
        judge(connection, unset[i], "NO_CLOCK", ", clock never set");
  } finally {
    await stop();
  }
}

/** With a required staple, and once without where the server has none; twice where there is a session to resume. */
function connectionsTo(endpoint: Endpoint, { without }: Edition): Connection[] {
  const oldOnly = endpoint.version === "TLSv1.2" && endpoint.server !== "mosquitto";
  const expected = oldOnly && without.includes("tls12") ? "PEER_ALERT" : faultOf[endpoint.staple];
  const required = { endpoint, policy: "leaf", expected } as const;
  if (endpoint.client === "http" && expected === "ok")
    return [required, { ...required, again: !without.includes("resumption") }];
  if (endpoint.server !== "mosquitto") return [required];
  return [required, { endpoint, policy: "if-present", expected: "ok" }];
}

function makeApp(
  folder: string,
  { name: edition, provider, without }: Edition,
  connections: readonly Connection[],
): string {
  const app = join(folder, `clients-${edition}`);
  mkdirSync(app);
  for (const name of ["main.js", "manifest.json", "psa.json"])
    cpSync(source(`clients/${name}`), join(app, name));
  symlinkSync(join(folder, "node_modules"), join(app, "node_modules"));
  writeFileSync(join(app, "ca.der"), credential("p256", "root").chain[0]);
  const list = connections.map(({ endpoint, policy }) => {
    const { client, port } = endpoint;
    return { client, port, policy, requests: requestsTo(endpoint) };
  });
  const include = provider === "psa" ? ["./psa.json"] : [];
  const job = { include, modules: { "~": without.map(excluded) }, config: { connections: list } };
  writeFileSync(join(app, "job.json"), JSON.stringify(job));
  return app;
}

/** openssl ends the connection behind an answer. */
function requestsTo({ server }: Endpoint) {
  const fixed = { path: `/fixed/${FIXED}`, length: FIXED };
  const others = [
    { path: "/chunked/50000", length: 50_000 },
    { path: "/echo", length: 5000, post: true },
  ];
  return server === "openssl" ? [fixed] : [fixed, ...others];
}

/** What the application told of each connection. */
async function run(headless: string, library: string, clock?: number): Promise<Result[]> {
  const lines = await linesOf(headless, library, clock);
  return lines.filter((line) => line.startsWith('{"port"')).map((line) => JSON.parse(line));
}

function judge(
  { endpoint, policy, again = false }: Connection,
  result: Result | undefined,
  expected: string,
  more = "",
): void {
  const { client, server, version, staple } = endpoint;
  const what = `${client} to ${server}, ${version}, staple ${staple} and ${policy}${again ? ", again" : ""}${more}`;
  if (result?.port !== endpoint.port) check(false, what, "it was not reached");
  else check(result.outcome === expected && fits(endpoint, result, again), what, tell(result));
}

/** Whether a connection that was made is what it should be. Mosquitto's `tls_version` is only the lowest. */
function fits({ version, server }: Endpoint, result: Result, again: boolean): boolean {
  if (result.outcome !== "ok") return result.version === undefined;
  if (result.resumed !== again) return false;
  if (server === "mosquitto") return result.staple === "none";
  return (
    result.version === (version === "TLSv1.2" ? 0x0303 : 0x0304) &&
    result.staple === (again ? undefined : "good")
  );
}

function tell({ outcome, staple, resumed, milliseconds }: Result): string {
  const how = resumed ? "resumed" : `staple ${staple}`;
  return milliseconds === undefined ? outcome : `${outcome}, ${how}, ${milliseconds} ms`;
}

function collect(times: Times, edition: string, connections: readonly Connection[], results: Result[]): void {
  for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
    const stapled = results.filter(
      ({ outcome, staple }, i) =>
        outcome === "ok" && staple === "good" && connections[i].endpoint.version === version,
    );
    if (stapled.length > 0) times.push([edition, version, stapled.map(({ milliseconds }) => milliseconds!)]);
  }
}
