/** `openssl s_client` with our Node server. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { credential, type Edition } from "../../certs/fixtures.js";
import type { ServerSocket } from "../../hosts/node/index.js";
import { serveOurs, stapledContext } from "../hosts/node/ours.js";
import { withPeer } from "../peers/with-peer.js";
import { folder, type Run, rootFile, runClient } from "./clients.js";

const run = withPeer("openssl");
const versions = [
  ["TLSv1.2", "-tls1_2"],
  ["TLSv1.3", "-tls1_3"],
] as const;
const client = credential("client", "p256");
const clientCa = readFileSync(credential("client", "ca").certificateFile);

/** Says a line, and reads what comes until the server's end. */
function sClient(port: number, edition: Edition, ...args: string[]): Promise<Run> {
  const to = ["-connect", `127.0.0.1:${port}`, "-servername", "server1.tlstaple.test"];
  const verified = ["-CAfile", rootFile(edition), "-verify_return_error"];
  return runClient("openssl", ["s_client", ...to, ...verified, "-ign_eof", ...args], "hello\n");
}

/** Answers the first line, and ends. */
const answer = (socket: ServerSocket) => socket.once("data", (line) => socket.end(`heard ${line}`));

for (const [version, flag] of versions) {
  for (const edition of ["p256", "rsa"] as const) {
    run(`${version}, ${edition}: a staple, an exchange, an end`, async (t) => {
      const ours = await serveOurs(t, stapledContext(edition, "server1"), answer);
      const { code, output } = await sClient(ours.port, edition, flag, "-status");
      t.is(code, 0, output);
      t.regex(output, /OCSP Response Status: successful[\s\S]*Cert Status: good/);
      t.regex(output, /heard hello/);
      t.regex(output, /Verify return code: 0 \(ok\)/);
      t.deepEqual(ours.errors, []);
    });
  }

  run(`${version}: a client certificate, asked for and missing`, async (t) => {
    const ours = await serveOurs(t, { requestCert: true, ca: clientCa }, answer);
    const own = ["-cert", client.certificateFile, "-key", client.keyFile];
    const { code, output } = await sClient(ours.port, "p256", flag, ...own);
    t.is(code, 0, output);
    t.true(ours.sockets[0].authorized);
    t.regex(output, /Acceptable client certificate CA names|Requested Signature Algorithms/);
    const missing = await sClient(ours.port, "p256", flag);
    t.regex(missing.output, /alert (certificate required|handshake failure)/);
    t.is((ours.errors[0] as { code?: string }).code, "CERTIFICATE_REQUIRED");
  });

  run(`${version}: ALPN, agreed on and not`, async (t) => {
    const ours = await serveOurs(t, { ALPNProtocols: ["mqtt", "http/1.1"] }, answer);
    const agreed = await sClient(ours.port, "p256", flag, "-alpn", "http/1.1,mqtt");
    t.regex(agreed.output, /ALPN protocol: mqtt/);
    const refused = await sClient(ours.port, "p256", flag, "-alpn", "h2");
    t.regex(refused.output, /alert no application protocol/);
  });

  run(`${version}: a session is resumed from its file`, async (t) => {
    const ours = await serveOurs(t, {}, answer);
    const file = join(folder(t), "session.pem");
    t.regex((await sClient(ours.port, "p256", flag, "-sess_out", file)).output, /\nNew, /);
    const again = await sClient(ours.port, "p256", flag, "-sess_in", file);
    t.is(again.code, 0, again.output);
    t.regex(again.output, /\nReused, /);
    t.regex(again.output, /heard hello/);
    t.deepEqual(
      ours.sockets.map((socket) => socket.isSessionReused()),
      [false, true],
    );
  });

  for (const [group, name] of [
    ["X25519", "X25519"],
    ["P-256", "prime256v1"],
    ["P-384", "secp384r1"],
  ]) {
    run(`${version}: group ${group}`, async (t) => {
      const ours = await serveOurs(t, stapledContext("rsa", "server1"), answer);
      const { code, output } = await sClient(ours.port, "rsa", flag, "-groups", group);
      t.is(code, 0, output);
      t.is(ours.sockets[0].getEphemeralKeyInfo()!.name, name);
    });
  }

  for (const length of [512, 4096]) {
    run(`${version}: max_fragment_length ${length}`, async (t) => {
      let longest = 0;
      const onCipher = (sent: boolean, bytes: Uint8Array) => {
        for (let at = 0; sent && at + 5 <= bytes.length; at += 5 + ((bytes[at + 3] << 8) | bytes[at + 4]))
          longest = Math.max(longest, (bytes[at + 3] << 8) | bytes[at + 4]);
      };
      const ours = await serveOurs(t, { onCipher }, (socket) =>
        socket.once("data", () => socket.end("0123456789abcde\n".repeat(1000))),
      );
      const { code, output } = await sClient(ours.port, "p256", flag, "-maxfraglen", `${length}`);
      t.is(code, 0, output);
      t.is(output.split("0123456789abcde\n").length, 1001);
      // A tag, and what TLS 1.2 and 1.3 put beside it
      t.true(longest > length && longest <= length + 24, `${longest}`);
    });
  }
}

run("TLS 1.3: a group without a share in the first ClientHello", async (t) => {
  let hellos = 0;
  const onMessage = (sent: boolean, type: number) => {
    if (!sent && type === 0x1601) hellos++;
  };
  // s_client shares a key of its first group alone, here one that we lack
  const ours = await serveOurs(t, { onMessage }, answer);
  const { code, output } = await sClient(ours.port, "p256", "-tls1_3", "-groups", "P-521:P-384");
  t.is(code, 0, output);
  t.is(hellos, 2);
  t.is(ours.sockets[0].getEphemeralKeyInfo()!.name, "secp384r1");
});

run("nothing in common: versions, suites, groups", async (t) => {
  const ours = await serveOurs(t, { minVersion: "TLSv1.3" });
  t.regex((await sClient(ours.port, "p256", "-tls1_2")).output, /alert protocol version/);
  t.regex(
    (await sClient(ours.port, "p256", "-tls1_3", "-groups", "P-521")).output,
    /alert handshake failure/,
  );
  const old = await serveOurs(t, { maxVersion: "TLSv1.2" });
  const cbc = await sClient(old.port, "p256", "-cipher", "ECDHE-ECDSA-AES128-SHA");
  t.regex(cbc.output, /alert handshake failure/);
});
