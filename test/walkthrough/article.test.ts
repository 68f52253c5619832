import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import test, { type ExecutionContext } from "ava";
import { tool } from "../peers/process.js";
import { withPeer } from "../peers/with-peer.js";

/** `npm run walkthrough` as it is run, with the ports that the certificates name: no other test may use them. */

const main = fileURLToPath(new URL("../../hosts/node/walkthrough/main.js", import.meta.url));
const directory = mkdtempSync(join(tmpdir(), "tlstaple-"));

test.after.always(() => rmSync(directory, { recursive: true }));

test.serial("each step comes out as it must, and the captures are there", async (t) => {
  t.timeout(180_000);
  const { code, out } = await play(t);
  t.is(code, 0, out);
  t.regex(out, /Every step came out as it must\./);
  t.notRegex(out, /WRONG/);
  t.is(readdirSync(join(directory, "captures")).length, 17);
});

async function play(t: ExecutionContext): Promise<{ code: number; out: string }> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [main],
      { cwd: directory, timeout: 170_000 },
      (error, out, errors) => resolve({ code: error ? Number(error.code ?? -1) : 0, out: out + errors }),
    );
    t.teardown(() => child.kill());
  });
}

async function tshark(capture: string, ...args: string[]): Promise<string> {
  const file = join(directory, "captures", `${capture}.pcapng`);
  const env = { ...process.env, HOME: directory, XDG_CONFIG_HOME: directory };
  const { stdout } = await promisify(execFile)(tool("tshark"), ["-r", file, ...args], {
    env,
    timeout: 30_000,
  });
  return stdout.trim();
}

const run = withPeer("tshark");

run("Wireshark sees in them what the article sees", async (t) => {
  const fields = (...names: string[]) => ["-T", "fields", ...names.flatMap((name) => ["-e", name])];
  const status = fields(
    "tls.handshake.extensions_status_request_type",
    "ocsp.responseStatus",
    "ocsp.certStatus",
  );
  const hello = await tshark(
    "3-w3",
    "-Y",
    "tls.handshake.type == 1",
    ...fields("tls.handshake.extension.type"),
  );
  t.true(hello.split(",").includes("17"), "status_request_v2 is in the ClientHello");
  t.is(await tshark("1-w1", "-Y", "tls.handshake.type == 22", ...status), "1\t0\t0");
  t.is(await tshark("3-w3", "-Y", "tls.handshake.type == 22", ...status), "2\t0,0,0\t0,0,0");
  t.is(await tshark("5-revoked", "-Y", "tls.handshake.type == 22", ...status), "2\t0,0,0\t1,0,0");
  t.is(
    await tshark("5-revoked", "-Y", "tls.alert_message.desc == 44", ...fields("tls.alert_message.desc")),
    "44",
  );
  t.is(
    await tshark("8-tls13", "-Y", "ocsp", ...fields("ocsp.responseStatus", "ocsp.certStatus")),
    "0,0,0\t0,0,0",
  );
  for (const [capture, stapled] of [
    ["14-forwarded", 1],
    ["15-forwarded-tls13", 3],
  ] as const) {
    const nonces = (await tshark(capture, "-Y", "ocsp", ...fields("ocsp.ReOcspNonce"))).split(",");
    t.is(nonces.length, stapled);
    const nonce = nonces[0].slice(-64);
    t.regex(nonce, /^[0-9a-f]{64}$/);
    t.deepEqual(new Set(nonces), new Set([nonces[0]]));
    const sent = `tls.handshake.type == 1 && tls contains ${nonce.match(/../g)!.join(":")}`;
    t.is(await tshark(capture, "-Y", sent, ...fields("tls.handshake.type")), "1", "in the ClientHello too");
  }
  t.is(await tshark("12-nonce", "-Y", "ocsp", ...fields("ocsp.certStatus", "ocsp.ReOcspNonce")), "0");
  // The server's own capture, of five connections
  t.is(
    await tshark("server3", "-Y", "tls.handshake.type == 22", ...status),
    "1\t0\t0\n1\t0\t0\n2\t0,0,0\t0,0,0\n1\t0\t0",
  );
  for (const capture of ["1-w1", "3-w3", "8-tls13", "server3"]) {
    const said = await tshark(capture, "-q", "-z", "follow,tls,ascii,0");
    t.regex(said, /hello from tlstaple/, capture);
    t.is(await tshark(capture, "-Y", "_ws.malformed or tcp.analysis.flags"), "");
  }
});
