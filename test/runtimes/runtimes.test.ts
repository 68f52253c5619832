/** The package as it is shipped on Deno and Bun, which test/setup.sh brings; and on Node, as what they are measured by. */

import { type ChildProcessByStdio, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import test, { type ExecutionContext } from "ava";
import { alone, type Deed, type Report, type Secured } from "./deeds.js";

const program = fileURLToPath(new URL("program.js", import.meta.url));
const installed = (name: string) =>
  fileURLToPath(new URL(`../../../test/runtimes/node_modules/.bin/${name}`, import.meta.url));

/** How a program is started. */
const runtimes: Readonly<Record<string, readonly [string, ...string[]]>> = {
  node: [process.execPath],
  deno: [installed("deno"), "run", "--allow-all", "--quiet"],
  bun: [installed("bun"), "run"],
};

/** What each has; docs/node.md tells it. */
const aeads: Readonly<Record<string, readonly string[]>> = {
  node: ["aes-128-gcm", "aes-256-gcm", "chacha20-poly1305"],
  deno: ["aes-128-gcm", "aes-256-gcm", "chacha20-poly1305"],
  bun: ["aes-128-gcm", "aes-256-gcm"],
};

const secured = { protocol: "TLSv1.3", status: "good", resumed: false, echo: "ping" };

const expected = (runtime: string): Readonly<Record<(typeof alone)[number], Report>> => ({
  "offered AEADs": { works: aeads[runtime], offered: aeads[runtime] },
  resumption: { ...secured, resumed: true },
  "client certificate": secured,
  getPeerCertificate: { subject: "server1.tlstaple.test", issuer: "intermediate1" },
  exportKeyingMaterial: { equal: true, length: 32 },
  pfx: secured,
  "https.get with createConnection": { text: "hello" },
  "https.get with Agent": { text: "hello" },
  connectHttp2: { text: "hello" },
  "ocsp.lookup": secured,
  Stapler: secured,
});

const environment = { ...process.env, DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" };

async function run(runtime: string, deed: Deed, how?: Secured): Promise<Report> {
  const [command, ...args] = runtimes[runtime];
  const { stdout } = await promisify(execFile)(command, [...args, program, deed, JSON.stringify(how ?? {})], {
    env: environment,
    timeout: 60_000,
  });
  return JSON.parse(stdout);
}

/** A server in a runtime until the test ends; its port. */
async function serve(t: ExecutionContext, runtime: string, how: Secured): Promise<number> {
  const [command, ...args] = runtimes[runtime];
  const server: ChildProcessByStdio<null, Readable, null> = spawn(
    command,
    [...args, program, "server", JSON.stringify(how)],
    { env: environment, stdio: ["ignore", "pipe", "inherit"] },
  );
  t.teardown(() => server.kill());
  const [line] = await once(createInterface(server.stdout), "line");
  return JSON.parse(line).port;
}

const versions = ["TLSv1.3", "TLSv1.2"] as const;

for (const [runtime, [command]] of Object.entries(runtimes)) {
  const testHere = existsSync(command) ? test.serial : test.skip;

  for (const deed of alone)
    testHere(`${runtime}: ${deed}`, async (t) =>
      t.deepEqual(await run(runtime, deed), expected(runtime)[deed]),
    );

  // Each at one end, with Node at the other: both ends in one runtime may agree on what is wrong
  for (const edition of ["p256", "rsa"] as const)
    for (const version of versions) {
      testHere(`${runtime}: a client, ${version}, ${edition}: good is taken, revoked refused`, async (t) => {
        for (const [name, report] of [
          ["server1", { ...secured, protocol: version }],
          ["server2", { code: "OCSP_CERT_REVOKED" }],
        ] as const) {
          const port = await serve(t, "node", { edition, name });
          t.deepEqual(await run(runtime, "client", { edition, name, version, port }), report);
        }
      });

      testHere(`${runtime}: a server, ${version}, ${edition}: it staples what it has`, async (t) => {
        for (const [name, report] of [
          ["server1", { ...secured, protocol: version }],
          ["server2", { code: "OCSP_CERT_REVOKED" }],
        ] as const) {
          const port = await serve(t, runtime, { edition, name });
          t.deepEqual(await run("node", "client", { edition, name, version, port }), report);
        }
      });
    }
}

test("docs/node.md names the versions that are tested", (t) => {
  const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");
  const { bun, deno, node } = JSON.parse(read("test/runtimes/package.json")).optionalDependencies;
  const page = read("docs/node.md");
  const minor = (version: string) => version.replace(/\.\d+$/, "");
  t.true(page.includes(`on Deno ${minor(deno)} and Bun ${minor(bun)}`));
  t.regex(page, new RegExp(`the tests pass on (\\d+, )*${Number.parseInt(node, 10)}\\b`));
});
