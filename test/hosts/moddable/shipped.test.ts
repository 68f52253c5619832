/** The modules as they ship, with the names that they have there, in Node: what an application gets shakes hands. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import test from "ava";
import type CertificateRevocationLists from "../../../hosts/moddable/crl.js";
import type { SocketOptions, TLSSocket } from "../../../hosts/moddable/socket.js";
import { version } from "../../../src/wire/registry.js";
import { OPTIONAL } from "../../moddable/workplace.js";
import { crlOf } from "../../peers/crls.js";
import type { Script } from "../../peers/script.js";
import { FakeTimers, Wire } from "./fake.js";
import { revoked, root, server, staple } from "./peer.js";

const modules = fileURLToPath(new URL("../../../../dist/moddable/", import.meta.url));
const shipped = ["core", "tls", ...OPTIONAL, "crl"];
const provider = pathToFileURL(fileURLToPath(new URL("../../../hosts/node/provider.js", import.meta.url)));

/** What the SDK has, and the module that is another one on each platform. */
const others: Readonly<Record<string, string>> = {
  Resource: "export default class Resource { static exists() { return false; } }",
  timer: "export default globalThis.fakeTimers;",
  config: "export const withDefaults = undefined;",
  provider: `export { provider } from ${JSON.stringify(provider)}; export const signer = undefined;`,
};

interface World {
  fakeTimers: FakeTimers;
  trace(...text: unknown[]): void;
}

interface Modules {
  readonly Socket: new (options: SocketOptions) => TLSSocket;
  readonly Lists: typeof CertificateRevocationLists;
}

const timers = new FakeTimers();
const folder = mkdtempSync(join(tmpdir(), "tlstaple-"));
test.after.always(() => rmSync(folder, { recursive: true }));

async function load(): Promise<Modules> {
  Object.assign(globalThis as unknown as World, { fakeTimers: timers, trace: () => undefined });
  for (const [name, code] of Object.entries(others)) writeFileSync(join(folder, `${name}.mjs`), code);
  for (const name of shipped) {
    const code = readFileSync(join(modules, `${name}.js`), "utf8");
    const local = code.replace(
      /(\bfrom\s*)"([^"]+)"/g,
      (_, from, specifier) => `${from}"./${fileOf(specifier)}"`,
    );
    writeFileSync(join(folder, `${name}.mjs`), local);
  }
  const get = async (name: string) => (await import(pathToFileURL(join(folder, `${name}.mjs`)).href)).default;
  return { Socket: await get("tls"), Lists: await get("crl") };
}

const fileOf = (specifier: string) =>
  `${specifier.replace("tlstaple/", "").replace("embedded:io/socket/tcp/tls", "tls")}.mjs`;

function visited(
  { Socket }: Modules,
  secure: SocketOptions["secure"],
  script: Partial<Script> = {},
): string[] {
  const events: string[] = [];
  const wire = new Wire(server(script), timers);
  const socket = new Socket({
    host: "localhost",
    port: 443,
    TCP: { io: wire.io },
    secure: { certificate: root, cache: false, ...secure },
    onWritable: () => events.push("writable"),
    onError: (error) => events.push(error ? `${error.code} ${error.message}` : "end"),
  });
  wire.connect().run();
  socket.close();
  wire.run();
  return [...new Set(events)];
}

const modulesThatShip = load();
const ofRoot = crlOf("p256", "root");
const ofCa = crlOf("p256", "intermediate1");
const revoking = crlOf("p256", "intermediate1", ["server1"]);

for (const [maxVersion, only] of [
  ["TLSv1.2", version.tls12],
  ["TLSv1.3", version.tls13],
] as const) {
  const visit = (ship: Modules, secure: SocketOptions["secure"], script: Partial<Script> = {}) =>
    visited(ship, secure, { version: only, ...script });

  test(`${maxVersion}: staples`, async (t) => {
    const ship = await modulesThatShip;
    const secure = { maxVersion, minVersion: maxVersion, ocsp: { policy: "leaf" } } as const;
    t.deepEqual(visit(ship, secure, { staples: [staple] }), ["writable"]);
    t.regex(visit(ship, secure)[0], /^OCSP_STAPLE_MISSING OCSP_STAPLE_MISSING: the peer/);
    t.regex(visit(ship, secure, revoked())[0], /^OCSP_CERT_REVOKED OCSP_CERT_REVOKED: the certificate/);
  });

  test(`${maxVersion}: CRLs`, async (t) => {
    const ship = await modulesThatShip;
    const secure = { maxVersion, minVersion: maxVersion };
    const { Lists } = ship;
    const pieces = { read: (offset: number, most: number) => revoking.subarray(offset, offset + most) };
    t.deepEqual(visit(ship, { ...secure, crl: new Lists([ofRoot, ofCa]) }), ["writable"]);
    const crl = new Lists([ofRoot, pieces], { window: 1024 });
    t.regex(
      visit(ship, { ...secure, crl })[0],
      /^CRL_CERT_REVOKED CRL_CERT_REVOKED: .* on a CRL: it has been revoked$/,
    );
    t.like(crl.verdicts, [{ status: "revoked", revocationReason: 1 }, { status: "unchecked" }]);
    t.regex(
      visit(ship, { ...secure, crl: new Lists([ofRoot]) })[0],
      /^CRL_MISSING CRL_MISSING: there is no CRL/,
    );
    t.deepEqual(visit(ship, { ...secure, crl: new Lists(ofCa, { policy: "leaf" }) }), ["writable"]);
    t.throws(() => visit(ship, { ...secure, crl: new Lists(ofCa, { policy: "all" as never }) }), {
      message: /crl/,
    });
    t.throws(() => visit(ship, { ...secure, crl: new Lists("no.crl") }), { message: /no resource no\.crl/ });
  });
}
