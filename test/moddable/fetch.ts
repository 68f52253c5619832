import { X509Certificate } from "node:crypto";
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { credential } from "../../certs/fixtures.js";
import { attempt, check, heading } from "./report.js";
import type { Builder } from "./sdk.js";
import { type Endpoint, FIXED, faultOf, plan, serve } from "./servers.js";
import { linesOf } from "./simulator.js";
import { source } from "./workplace.js";

/** An application: where the root is that it trusts. */
interface Edition {
  readonly name: string;
  readonly how: string;
  /** Files of the application, which become its resources. */
  readonly files: Readonly<Record<string, Uint8Array>>;
  readonly job: object;
}

const root = credential("p256", "root").chain[0];

/** The SDK's index, if the root were number 170 of its CAs. */
function index(): Uint8Array {
  const ids = new Uint8Array(238 * 20);
  ids.set(keyId(), 170 * 20);
  return ids;
}

/** The root's subjectKeyIdentifier: an extension's OID, then 20 bytes in an OCTET STRING in another. */
function keyId(): Uint8Array {
  const { raw } = new X509Certificate(root);
  const at = raw.indexOf(Buffer.from("0603551d0e04160414", "hex"));
  return raw.subarray(at + 9, at + 29);
}

const editions: readonly Edition[] = [
  {
    name: "index",
    how: "ca.ski",
    files: { "ca.ski": index(), "ca170.der": root },
    job: {
      resources: { "~": ["$(MODDABLE)/modules/crypt/data/ca"] },
      data: { "*": ["./ca", "./ca170"] },
    },
  },
  {
    name: "registered",
    how: "CertificateManager, beside the SDK's own ca.ski",
    files: { "root.der": root },
    job: { data: { "*": "./root" }, config: { register: "root.der" } },
  },
];

/** The SDK's fetch, which is told of staples in the manifest, as it can be told of them nowhere else. */
export async function testFetch(builder: Builder, folder: string): Promise<void> {
  const headless = await builder.headless(source("headless.c"));
  const endpoints = (await plan()).filter(({ server }) => server === "node:https");
  const stop = await serve(endpoints, folder);
  try {
    for (const edition of editions) {
      heading(`The SDK's fetch, its config.tls demanding staples, its CA found by ${edition.how}`);
      await testEdition(builder, headless, makeApp(folder, edition, endpoints), endpoints);
    }
  } finally {
    await stop();
  }
}

async function testEdition(
  builder: Builder,
  headless: string,
  app: string,
  endpoints: readonly Endpoint[],
): Promise<void> {
  await attempt("up to mc.xs.c for esp32", () => builder.esp32(app));
  const library = await attempt("the application is built", () => builder.lin(app));
  if (!library) return;
  const lines = await linesOf(headless, library);
  for (const { port, version, staple } of endpoints) {
    const outcome = outcomeOf(lines, port);
    check(outcome === faultOf[staple], `fetch, ${version}, staple ${staple}`, outcome);
  }
}

/** What was traced of a failure before the line of this port; "ok" where it has the answer. */
function outcomeOf(lines: readonly string[], port: number): string {
  const at = lines.findIndex((line) => line.startsWith(`{"port":${port},`));
  if (at < 0) return "it was not reached";
  const { outcome } = JSON.parse(lines[at]);
  const [, fault] = /^tlstaple: (\w+)/.exec(lines[at - 1] ?? "") ?? [];
  return outcome === "ok" ? outcome : (fault ?? outcome);
}

function makeApp(folder: string, { name, files, job }: Edition, endpoints: readonly Endpoint[]): string {
  const app = join(folder, `fetch-${name}`);
  mkdirSync(app);
  for (const file of ["main.js", "manifest.json"]) cpSync(source(`fetch/${file}`), join(app, file));
  symlinkSync(join(folder, "node_modules"), join(app, "node_modules"));
  for (const [file, bytes] of Object.entries(files)) writeFileSync(join(app, file), bytes);
  const config = {
    tls: { ocsp: { policy: "leaf" } },
    ports: endpoints.map(({ port }) => port),
    length: FIXED,
    ...("config" in job ? (job.config as object) : {}),
  };
  writeFileSync(join(app, "job.json"), JSON.stringify({ ...job, config }));
  return app;
}
