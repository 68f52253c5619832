/** X25519MLKEM768 with OpenSSL 3.5, which the newest LTS of Node has; test/setup.sh brings that. */

import { execFile, execFileSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import test, { type ExecutionContext } from "ava";
import { credential } from "../../certs/fixtures.js";
import { serveOurs } from "../hosts/node/ours.js";
import { rootOf } from "../hosts/node/servers.js";
import { launch } from "../peers/process.js";
import { receive, session } from "./session.js";

const PQ = "X25519MLKEM768";
const node = fileURLToPath(new URL("../../../test/runtimes/node_modules/.bin/node", import.meta.url));

function obstacle(): string | undefined {
  if (!existsSync(node)) return "the newest LTS of Node is not here";
  const openssl = execFileSync(node, ["-p", "process.versions.openssl"], { encoding: "utf8" }).trim();
  const [major, minor] = openssl.split(".").map(Number);
  return major > 3 || (major === 3 && minor >= 5) ? undefined : `its OpenSSL is ${openssl}`;
}

const reason = obstacle();
if (reason) console.log(`skipped: X25519MLKEM768 with OpenSSL 3.5: ${reason}`);
const peer = reason ? test.skip : test;

/** A server of node:tls. */
const server = (groups: string) => `
  const { createServer } = require("node:tls");
  const { readFileSync } = require("node:fs");
  const [key, cert] = process.argv.slice(1).map((file) => readFileSync(file));
  const server = createServer({ key, cert, ecdhCurve: ${JSON.stringify(groups)} });
  server.on("secureConnection", (socket) => {
    socket.on("error", () => undefined);
    socket.end("bye");
  });
  server.listen(0, "127.0.0.1", () => console.log("port " + server.address().port));
  process.stdin.resume().on("end", () => process.exit());`;

async function toOpenSsl(t: ExecutionContext, theirs: string, groups: string[]) {
  const { certificateFile, keyFile } = credential("p256", "server1");
  const running = await launch(node, ["-e", server(theirs), keyFile, certificateFile], {
    ready: /port (\d+)/,
  });
  t.teardown(() => running.stop());
  const socket = session(running, "p256", "server1", { groups, ocsp: { stapling: "off" } });
  t.teardown(() => socket.destroy());
  return socket;
}

for (const [title, theirs, ours, agreed] of [
  ["OpenSSL's server and our client agree", `${PQ}:X25519`, [PQ, "X25519"], PQ],
  ["OpenSSL's server asks our client for X25519's share", "X25519", [PQ, "X25519"], "X25519"],
  ["OpenSSL's server asks our client for its share", PQ, ["X25519", PQ], PQ],
] as const)
  peer(title, async (t) => {
    const socket = await toOpenSsl(t, theirs, [...ours]);
    await once(socket, "secureConnect");
    t.is(socket.getEphemeralKeyInfo()!.name, agreed);
    t.is(`${await receive(socket, 3)}`, "bye");
  });

/** A client of node:tls; it prints its group and what the server said. */
const client = (groups: string) => `
  const { connect } = require("node:tls");
  const [port, ca] = process.argv.slice(1);
  const options = { port, host: "127.0.0.1", servername: "localhost", ca: Buffer.from(ca, "base64") };
  const socket = connect({ ...options, ecdhCurve: ${JSON.stringify(groups)} }, () => {
    console.log(socket.getEphemeralKeyInfo().name);
    socket.on("data", (data) => console.log(String(data)));
  });
  socket.on("error", (error) => console.log(error.code));`;

for (const [title, theirs, ours, agreed] of [
  ["OpenSSL's client and our server agree", `${PQ}:X25519`, [PQ, "X25519"], PQ],
  ["our server asks OpenSSL's client for X25519's share", `${PQ}:X25519`, ["X25519"], "X25519"],
  ["our server asks OpenSSL's client for its share", `X25519:${PQ}`, [PQ], PQ],
] as const)
  peer(title, async (t) => {
    const { port, sockets } = await serveOurs(t, { groups: [...ours] }, (socket) => socket.end("bye"));
    const ca = Buffer.from(rootOf("p256")).toString("base64");
    const { stdout } = await promisify(execFile)(node, ["-e", client(theirs), `${port}`, ca]);
    t.is(stdout, `${agreed}\nbye\n`);
    t.is(sockets[0].getEphemeralKeyInfo()!.name, agreed);
  });
