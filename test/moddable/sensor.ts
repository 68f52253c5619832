import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { freePort } from "../peers/process.js";
import { buildExample } from "./example.js";
import { check } from "./report.js";
import { type Builder, readJson } from "./sdk.js";
import { listen, type Running, type Staple, tlsOptions } from "./servers.js";
import { simulate } from "./simulator.js";

/** One time that the sensor is awake. */
interface Wake {
  readonly what: string;
  /** "full" and "resumed": a handshake after which the reading is sent. Else the fault that refuses the server. */
  readonly expected: string;
  /** What befalls the kept session before. */
  readonly damage?: (kept: number[]) => number[];
  /** The server starts anew, and has forgotten its tickets; or ends. */
  readonly turns?: Staple | "off";
  /** What its clock shows, in seconds since 1970: 0 was never set. */
  readonly clock?: () => number;
}

const DAY = 86_400;

const flipBit = (kept: number[]) => kept.map((byte, i) => (i === kept.length >> 1 ? byte ^ 1 : byte));

const wakes: readonly Wake[] = [
  { what: "with nothing kept", expected: "full" },
  { what: "after deep sleep", expected: "resumed" },
  { what: "once more", expected: "resumed" },
  { what: "with one bit changed", expected: "full", damage: flipBit },
  { what: "after that", expected: "resumed" },
  { what: "with the bytes cut", expected: "full", damage: (kept) => kept.slice(0, -1) },
  { what: "with bytes of something else", expected: "full", damage: () => [1, 2, 3] },
  { what: "longer than the ticket lives", expected: "full", clock: () => Date.now() / 1000 + 2 * DAY },
  { what: "with a clock that was never set", expected: "NO_CLOCK", clock: () => 0 },
  { what: "when the server has a revoked certificate", expected: "OCSP_CERT_REVOKED", turns: "revoked" },
  { what: "when the server staples nothing", expected: "OCSP_STAPLE_MISSING", turns: "missing" },
  { what: "when nothing listens", expected: "CONNECT_FAILED", turns: "off" },
  { what: "when all is well again", expected: "full", turns: "good" },
  { what: "after that", expected: "resumed" },
];

/** A reading as it came, and over what. */
interface Reading {
  readonly request: string;
  readonly body: string;
  readonly resumed: boolean;
}

/** The server that readings are sent to. */
class Collector {
  readonly port: number;
  private running: Running | undefined;
  private readings: Reading[] = [];
  private asked = 0;

  constructor(port: number) {
    this.port = port;
  }

  /** Begins anew, with keys for tickets that are new too. */
  async turn(staple: Staple | "off"): Promise<void> {
    await this.running?.stop();
    this.running = undefined;
    if (staple === "off") return;
    const options = { ...tlsOptions({ version: "TLSv1.3", staple }), sessionTimeout: DAY };
    const server = createServer(options, (request, response) => this.take(request, response));
    server.on("OCSPRequest", () => this.asked++);
    this.running = await listen(server, { port: this.port, staple });
  }

  /** What came since the last time: readings, and how often a staple was asked for. */
  collect(): { readings: Reading[]; asked: number } {
    const { readings, asked } = this;
    this.readings = [];
    this.asked = 0;
    return { readings, asked };
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, url, socket } = request;
    const resumed = (socket as TLSSocket).isSessionReused();
    let body = "";
    for await (const bytes of request) body += bytes;
    this.readings.push({ request: `${method} ${url}`, body, resumed });
    response.writeHead(204).end();
  }
}

/** The example `sensor` on simulated deep sleep: the application ends, and is started again with what it kept. */
export async function testSensor(builder: Builder, folder: string, headless: string): Promise<void> {
  const root = join(folder, "sensor-kept/");
  mkdirSync(root);
  const collector = new Collector(await freePort());
  const config = { host: "localhost", port: collector.port, file: { root } };
  const library = await buildExample(builder, folder, "sensor", config);
  if (!library) return;
  await collector.turn("good");
  for (const wake of wakes) {
    if (wake.turns) await collector.turn(wake.turns);
    if (wake.damage) damage(join(root, "modpreferences.json"), wake.damage);
    const { printed, code } = await simulate(headless, library, undefined, wake.clock?.());
    const passed = code === 0 && fits(wake, printed, collector.collect());
    check(passed, `sensor, ${wake.what}`, passed ? wake.expected : printed);
  }
  await collector.turn("off");
}

/** Preference of `lin` keeps an ArrayBuffer as text. */
function damage(file: string, change: (kept: number[]) => number[]): void {
  const kept: string = existsSync(file) ? readJson(file).tls.session.buffer : "";
  const session = { buffer: `${change(kept.split(",").map(Number))}` };
  writeFileSync(file, JSON.stringify({ tls: { session } }));
}

function fits({ expected }: Wake, printed: string, { readings, asked }: ReturnType<Collector["collect"]>) {
  const lines = printed.split("\n");
  if (expected !== "full" && expected !== "resumed")
    return (
      readings.length === 0 &&
      lines.includes("not sent, asleep for 600 s") &&
      printed.includes(`no connection: ${expected}`)
    );
  const resumed = expected === "resumed";
  const [reading] = readings;
  return (
    readings.length === 1 &&
    reading.request === "POST /readings" &&
    reading.body === '{"celsius":21.5}' &&
    reading.resumed === resumed &&
    asked === (resumed ? 0 : 1) &&
    lines.includes(resumed ? "session resumed" : "certificate is good") &&
    lines.includes("sent, status 204, asleep for 600 s")
  );
}
