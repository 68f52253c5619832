import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import type { ExecutionContext } from "ava";
import { credential, type Edition } from "../../certs/fixtures.js";
import { createServer, type ServerOptions } from "../../hosts/node/index.js";
import { version } from "../../src/client/index.js";
import { listen } from "../hosts/node/servers.js";
import { ocspChain } from "../peers/openssl.js";
import { tool } from "../peers/process.js";
import { withPeer } from "../peers/with-peer.js";

/** Our server and the clients of OpenSSL, GnuTLS and curl, which ask for staples by status_request. */

const { tls12, tls13 } = version;

interface Target {
  port: number;
  edition: Edition;
  name: string;
  protocol: number;
}

interface Client {
  command: string;
  args(target: Target): string[];
  /** What it says of a good staple, where it says so at all, of what is revoked, and of no staple. */
  good: RegExp;
  revoked: RegExp;
  missing: RegExp;
  /** Whether it then goes without an answer. */
  refusesRevoked: boolean;
  refusesMissing: boolean;
  /** Looks at the intermediate's staple in TLS 1.3, too. */
  chain: boolean;
}

const hostname = ({ name }: Target) => `${name}.tlstaple.test`;
const root = ({ edition }: Target) => credential(edition, "root").certificateFile;
const digit = ({ protocol }: Target) => protocol - 0x0301;

const clients = {
  openssl: {
    command: "openssl",
    args: (to) => [
      ...["s_client", "-connect", `127.0.0.1:${to.port}`, `-tls1_${digit(to)}`, "-status", "-ign_eof"],
      ...["-servername", hostname(to), "-verify_hostname", hostname(to), "-verify_return_error"],
      ...["-CAfile", root(to)],
    ],
    good: /Cert Status: good/,
    revoked: /Cert Status: revoked/,
    missing: /OCSP response: no response sent/,
    refusesRevoked: false,
    refusesMissing: false,
    chain: false,
  },
  gnutls: {
    command: "gnutls-cli",
    args: (to) => [
      ...["--port", `${to.port}`, "--priority", `NORMAL:-VERS-ALL:+VERS-TLS1.${digit(to)}`, "127.0.0.1"],
      ...["--sni-hostname", hostname(to), "--verify-hostname", hostname(to), "--x509cafile", root(to)],
    ],
    good: /Options:.* OCSP status request,/,
    revoked: /The certificate was revoked via OCSP/,
    missing: /^(?!.*OCSP status request).*Status: The certificate is trusted/s,
    refusesRevoked: true,
    refusesMissing: false,
    chain: true,
  },
  curl: {
    command: "curl",
    args: (to) => [
      ...["-sS", "--max-time", "10", "--cert-status", "--tlsv1.2", "--tls-max", `1.${digit(to)}`],
      ...["--cacert", root(to), "--resolve", `${hostname(to)}:${to.port}:127.0.0.1`],
      `https://${hostname(to)}:${to.port}/`,
    ],
    good: /hello/,
    revoked: /curl: \(91\) SSL certificate revocation reason: keyCompromise/,
    missing: /curl: \(91\) No OCSP response received/,
    refusesRevoked: true,
    refusesMissing: true,
    chain: false,
  },
} satisfies Record<string, Client>;

const answer = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello from tlstaple\n";

/** All that the client prints, from a server that answers whoever asks anything. */
async function ask(
  t: ExecutionContext,
  client: Client,
  target: Omit<Target, "port">,
  options: ServerOptions,
) {
  const { certificateFile, keyFile } = credential(target.edition, target.name);
  const files = { cert: readFileSync(certificateFile), key: readFileSync(keyFile) };
  const only = target.protocol === tls12 ? "TLSv1.2" : "TLSv1.3";
  const versions = { minVersion: only, maxVersion: only } as const;
  const server = createServer({ ...files, ...versions, stapler: "off", ...options }, (socket) => {
    socket.on("error", () => undefined).once("data", () => socket.end(answer));
  });
  return run(client, { ...target, port: await listen(t, server) });
}

function run({ command, args }: Client, target: Target): Promise<string> {
  return new Promise((resolve) => {
    const child = execFile(tool(command), args(target), { timeout: 20_000 }, (_, out, err) =>
      resolve(out + err),
    );
    child.stdin!.on("error", () => undefined).end("GET / HTTP/1.0\r\n\r\n");
  });
}

for (const [title, client] of Object.entries(clients) as [keyof typeof clients, Client][]) {
  for (const edition of ["p256", "rsa"] as const) {
    for (const protocol of [tls12, tls13]) {
      const about = `${title}, ${edition}, TLS 1.${protocol - 0x0301}`;
      const test = withPeer(title, "openssl");
      const says = async (t: ExecutionContext, name: string, expected: RegExp, answered: boolean) => {
        const staples = expected === client.missing ? [] : await ocspChain(edition, name);
        const said = await ask(t, client, { edition, name, protocol }, { staples });
        t.regex(said, expected);
        t.is(said.includes("hello from tlstaple"), answered, said);
      };

      test(`${about}: stapled, and good`, (t) => says(t, "server1", client.good, true));
      test(`${about}: stapled, and revoked`, (t) =>
        says(t, "server2", client.revoked, !client.refusesRevoked));
      test(`${about}: not stapled`, (t) => says(t, "server1", client.missing, !client.refusesMissing));
      test(`${about}: a revoked intermediate`, (t) => {
        const heard = client.chain && protocol === tls13;
        return says(t, "server5", heard ? client.revoked : client.good, !heard);
      });
    }
  }
}
