import { cpSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer as createHttps } from "node:https";
import { join } from "node:path";
import { createServer as createTls } from "node:tls";
import { WebSocketServer } from "ws";
import { credential } from "../../certs/fixtures.js";
import { freePort } from "../peers/process.js";
import { broker } from "./broker.js";
import { attempt, check, heading } from "./report.js";
import type { Builder } from "./sdk.js";
import { listen, type Staple, tlsOptions } from "./servers.js";
import { simulate } from "./simulator.js";
import { source } from "./workplace.js";

const names = ["https", "mqtts", "wss"] as const;
type Ports = Record<(typeof names)[number], number>;

/** The SDK's own configurations of `device.network`, which are frozen, over our socket: a good server, and a revoked one. */
export async function testNetwork(builder: Builder, folder: string): Promise<void> {
  heading("device.network.https, mqtts and wss of the SDK over our socket");
  const ports = { https: await freePort(), mqtts: await freePort(), wss: await freePort() };
  const library = await attempt("the application is built", () => builder.lin(makeApp(folder, ports)));
  if (!library) return;
  const headless = await builder.headless(source("headless.c"));
  for (const [staple, answers] of [
    ["good", ["https: 200", "mqtts: 2", "wss: hello"]],
    ["revoked", names.map((name) => `${name}: failed`)],
  ] as const) {
    const stop = await serve(ports, staple);
    const all = new RegExp([...names, "mistake"].map((name) => `(?=[^]*^${name}: )`).join(""), "m");
    const { printed } = await simulate(headless, library, all);
    await stop();
    const lines = printed.split("\n");
    const mistake = "TypeError: secure.certificate: there is no resource absent.der";
    check(lines.includes(mistake), "a mistake in the options is traced", mistake);
    const refused = lines.filter((line) => line.startsWith("tlstaple: OCSP_CERT_REVOKED")).length;
    check(refused === (staple === "good" ? 0 : names.length), `refusals, staple ${staple}`, `${refused}`);
    for (const [i, answer] of answers.entries())
      check(
        lines.includes(answer),
        `${names[i]}, staple ${staple}`,
        lines.includes(answer) ? answer : printed,
      );
  }
}

function makeApp(folder: string, ports: Ports): string {
  const app = join(folder, "network");
  cpSync(source("network"), app, { recursive: true });
  symlinkSync(join(folder, "node_modules"), join(app, "node_modules"));
  writeFileSync(join(app, "ca0.der"), credential("p256", "root").chain[0]);
  writeFileSync(join(app, "job.json"), JSON.stringify({ config: { ports } }));
  return app;
}

async function serve(ports: Ports, staple: Staple): Promise<() => Promise<void>> {
  const options = tlsOptions({ version: "TLSv1.3", staple });
  const https = createHttps(options, (_, response) => response.end("hello"));
  const wss = createHttps(options);
  new WebSocketServer({ server: wss }).on("connection", (socket) => {
    socket.on("message", (text) => socket.send(`${text}`));
  });
  const servers = { https, mqtts: createTls(options, broker), wss };
  const running = await Promise.all(
    names.map((name) => listen(servers[name], { port: ports[name], staple })),
  );
  return async () => {
    await Promise.all(running.map((each) => each.stop()));
  };
}
