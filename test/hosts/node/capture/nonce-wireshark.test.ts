/** What Wireshark sees of a nonce: the same in the ClientHello, in the OCSP request and in the staple. */

import { execFile } from "node:child_process";
import { once } from "node:events";
import { connect as connectTcp, createServer as createTcpServer } from "node:net";
import { dirname } from "node:path";
import { promisify } from "node:util";
import type { ExecutionContext } from "ava";
import { credential } from "../../../../certs/fixtures.js";
import { Capture } from "../../../../hosts/node/capture/pcapng.js";
import { type ConnectOptions, Stapler } from "../../../../hosts/node/index.js";
import { createResponder, listen as listenOcsp } from "../../../../hosts/node/responder/index.js";
import { tool } from "../../../peers/process.js";
import { withPeer } from "../../../peers/with-peer.js";
import { serveOurs, stapledContext } from "../ours.js";
import { authorityOptions } from "../responder/fixtures.js";
import { listen, rootOf } from "../servers.js";
import { capturedSession, scratchFile } from "./captured.js";

const run = withPeer("tshark");

const ways = {
  status_request: { maxVersion: "TLSv1.2", ocsp: { stapling: "v1" }, stapled: 1 },
  "status_request_v2, ocsp": { maxVersion: "TLSv1.2", ocsp: { stapling: "v2" }, stapled: 1 },
  "status_request_v2, ocsp_multi": { maxVersion: "TLSv1.2", ocsp: { stapling: "v2-multi" }, stapled: 3 },
  "TLS 1.3": { minVersion: "TLSv1.3", ocsp: { stapling: "v1" }, stapled: 3 },
} as const;

const local = { address: "127.0.0.1", port: 49152 };
const remote = { address: "127.0.0.1", port: 11111 };

/** Our responder, behind a place where all that is said to it is captured; its URL. */
async function tappedResponder(t: ExecutionContext, capture: Capture): Promise<string> {
  const authorities = ["root", "intermediate1"].map((name) => authorityOptions("p256", name));
  const http = await listenOcsp(await createResponder({ authorities, validity: 3600 }), { port: 0 });
  t.teardown(() => http.close());
  const { port } = http.address() as { port: number };
  const tap = createTcpServer((near) => {
    const far = connectTcp(port, "127.0.0.1");
    const flow = capture.open({
      local: { address: "127.0.0.1", port: near.remotePort! },
      remote: { address: "127.0.0.1", port: 22221 },
      client: true,
    });
    near.on("data", (bytes) => flow.cipher(true, bytes)).pipe(far);
    far.on("data", (bytes) => flow.cipher(false, bytes)).pipe(near);
    for (const end of [near, far]) end.on("error", () => undefined);
    near.on("close", () => flow.close());
  });
  return `http://127.0.0.1:${await listen(t, tap)}`;
}

async function tshark(file: string, filter: string, ...fields: string[]): Promise<string[][]> {
  const args = ["-r", file, "-Y", filter, "-T", "fields", ...fields.flatMap((name) => ["-e", name])];
  const { stdout } = await promisify(execFile)(tool("tshark"), args, {
    env: { ...process.env, XDG_CONFIG_HOME: dirname(file), HOME: dirname(file) },
    timeout: 30_000,
  });
  return stdout
    .split("\n")
    .slice(0, -1)
    .map((line) => line.split("\t"));
}

for (const [name, { ocsp, stapled, ...versions }] of Object.entries(ways))
  run(`${name}: the nonce of the ClientHello is asked for, and stapled`, async (t) => {
    const file = scratchFile(t);
    const capture = new Capture(file);
    const stapler = new Stapler({ overrideUrl: await tappedResponder(t, capture) });
    t.teardown(() => stapler.close());
    const { cert, key } = stapledContext("p256", "server1");
    const served = { cert, key, staples: undefined, stapler, ocsp: { nonce: "forward" } as const };
    const { port } = await serveOurs(t, served, (socket) => socket.end("."));
    // What is kept is asked for now, without a nonce
    const { chain } = credential("p256", "server1");
    await stapler.staples(chain, stapled);
    const options: ConnectOptions = { servername: "localhost", ca: rootOf("p256"), ...versions };
    const flow = capture.open({ local, remote, client: true });
    const socket = capturedSession(port, { ...options, ocsp: { ...ocsp, nonce: true } }, flow);
    await once(socket.resume(), "close");
    capture.close();

    const nonces = async (filter: string) =>
      (await tshark(file, filter, "ocsp.ReOcspNonce")).flatMap(([list]) => list.split(",")).filter(Boolean);
    const asked = await nonces("ocsp && tcp.dstport == 22221");
    t.is(asked.length, stapled);
    const [nonce] = asked;
    // tshark shows the element, with the header of its OCTET STRING or without
    const bytes = nonce.slice(-64);
    t.regex(bytes, /^[0-9a-f]{64}$/);
    t.deepEqual(asked, Array(stapled).fill(nonce));
    t.deepEqual(await nonces("ocsp && tcp.srcport == 22221"), asked, "the responder's answers");
    t.deepEqual(await nonces("ocsp && tcp.srcport == 11111"), asked, "the staples");
    const colons = bytes.match(/../g)!.join(":");
    const hellos = await tshark(file, `tls.handshake.type == 1 && tls contains ${colons}`, "tcp.dstport");
    t.deepEqual(hellos, [["11111"]]);
    t.deepEqual(await tshark(file, "_ws.malformed || tcp.analysis.flags", "frame.number"), []);
  });
