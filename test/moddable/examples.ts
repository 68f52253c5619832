import { createPrivateKey } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer as createHttps } from "node:https";
import { join } from "node:path";
import { createServer as createTls } from "node:tls";
import { type Credential, credential } from "../../certs/fixtures.js";
import { freePort } from "../peers/process.js";
import { broker } from "./broker.js";
import { buildExample } from "./example.js";
import { attempt, check, heading, note, table } from "./report.js";
import type { Builder } from "./sdk.js";
import { testSensor } from "./sensor.js";
import { listen, type Staple, tlsOptions } from "./servers.js";
import { simulate } from "./simulator.js";
import { source } from "./workplace.js";

/** The examples of the package as they are: built for devices up to C, and run on the simulator. */
export async function testExamples(builder: Builder, folder: string): Promise<void> {
  const examples = join(folder, "node_modules/tlstaple/hosts/moddable/examples");
  giveCredentials(examples);
  await buildForDevices(builder, examples);
  heading("The examples in the package, on the simulator");
  const headless = await builder.headless(source("headless.c"));
  await testHttps(builder, folder, headless);
  await testMqtts(builder, folder, headless);
  await testSensor(builder, folder, headless);
}

/** The files that examples ask their user for. */
function giveCredentials(examples: string): void {
  const ca = credential("p256", "root").chain[0];
  const device = credential("client", "p256");
  const key = createPrivateKey(readFileSync(device.keyFile));
  const mqtts = join(examples, "mqtts-client-certificate");
  writeFileSync(join(mqtts, "broker-ca.der"), ca);
  writeFileSync(join(mqtts, "device.der"), device.chain[0]);
  writeFileSync(join(mqtts, "device-key.der"), key.export({ type: "pkcs8", format: "der" }));
  writeFileSync(join(examples, "sensor/server-ca.der"), ca);
}

async function buildForDevices(builder: Builder, examples: string): Promise<void> {
  heading("The examples in the package, for devices up to mc.xs.c");
  const rows: (string | number)[][] = [["example", "platform", "seconds", "image for 32 bits"]];
  for (const name of readdirSync(examples))
    for (const platform of ["esp32", "esp32/esp32c3"]) {
      const began = Date.now();
      const made = await attempt(`${name} for ${platform}`, () =>
        builder.esp32(join(examples, name), platform),
      );
      if (!made) continue;
      const seconds = Math.round((Date.now() - began) / 100) / 10;
      rows.push([name, platform, seconds, (await builder.image(made)) ?? "no compiler"]);
    }
  table(rows);
  if (!builder.realIdf)
    note("empty folders stood in for ESP-IDF ($IDF_PATH and idf.py are not set): C was not compiled");
}

/** What an example must do with a server. */
interface Case {
  readonly staple: Staple;
  /** What it prints. */
  readonly expected: string;
  /** Whether the server hears what it is to hear. */
  readonly reached: boolean;
}

const httpsCases: readonly Case[] = [
  { staple: "good", expected: "status 200\n", reached: true },
  { staple: "revoked", expected: "the server's certificate was withdrawn\n", reached: false },
  { staple: "missing", expected: "no connection: OCSP_STAPLE_MISSING", reached: false },
];

async function testHttps(builder: Builder, folder: string, headless: string): Promise<void> {
  const name = "https-stapled";
  const port = await freePort();
  const library = await buildExample(builder, folder, name, { host: "localhost", port });
  if (!library) return;
  for (const { staple, expected, reached } of httpsCases) {
    let heard = "";
    const server = createHttps(tlsOptions({ version: "TLSv1.3", staple }), ({ method, url }, response) => {
      heard += `${method} ${url}`;
      response.end(Buffer.alloc(5000));
    });
    const running = await listen(server, { port, staple });
    const { printed } = await simulate(headless, library, /^done$|^the answer is not complete$/m);
    await running.stop();
    const whole = printed.startsWith("the certificate is good until 2049-12-31T23:59:59.000Z\n");
    const fits = reached ? whole && received(printed) === 5000 && heard === "GET /" : heard === "";
    const passed = fits && printed.includes(expected);
    check(passed, `${name}, staple ${staple}`, passed ? expected.trim() : printed);
  }
}

/** The sum of what it says that it received. */
function received(printed: string): number {
  const counts = [...printed.matchAll(/^(\d+) bytes$/gm)].map(([, count]) => Number(count));
  return counts.reduce((total, each) => total + each, 0);
}

interface BrokerCase extends Case {
  readonly what: string;
  /** Whose devices it knows. */
  readonly ca: Credential;
}

const devices = credential("client", "ca");

const mqttsCases: readonly BrokerCase[] = [
  { what: "a good broker", staple: "good", ca: devices, expected: "published\n", reached: true },
  {
    what: "a revoked broker",
    staple: "revoked",
    ca: devices,
    expected: "no connection: OCSP_CERT_REVOKED",
    reached: false,
  },
  {
    what: "a broker that does not know the device",
    staple: "good",
    ca: credential("p256", "root"),
    expected: "the connection is gone\n",
    reached: false,
  },
];

async function testMqtts(builder: Builder, folder: string, headless: string): Promise<void> {
  const name = "mqtts-client-certificate";
  const port = await freePort();
  const library = await buildExample(builder, folder, name, { host: "localhost", port });
  if (!library) return;
  for (const { what, staple, ca, expected, reached } of mqttsCases) {
    let heard = "";
    let ended: Promise<void> | undefined;
    const known = { ca: readFileSync(ca.certificateFile), requestCert: true };
    const server = createTls({ ...tlsOptions({ version: "TLSv1.3", staple }), ...known }, (socket) => {
      heard += `${socket.getPeerCertificate().subject.CN}: `;
      socket.on("data", (bytes) => {
        heard += bytes.toString("latin1");
      });
      ended = new Promise((resolve) => socket.on("close", () => resolve()));
      broker(socket);
    });
    const running = await listen(server, { port, staple });
    const { printed } = await simulate(headless, library, /^published$|^the connection is gone$/m);
    await ended;
    await running.stop();
    const published = heard.startsWith("client p256: ") && heard.endsWith("sensors/7/temperature21.5");
    const passed = printed.includes(expected) && published === reached;
    check(passed, `${name}, ${what}`, passed ? expected.trim() : printed);
  }
}
