/** Clients of others that name CAs: wolfSSL by trusted_ca_keys, OpenSSL by certificate_authorities. */

import type { ExecutionContext } from "ava";
import { provider, type ServerOptions } from "../../hosts/node/index.js";
import { identify, trustAnchor } from "../../src/client/index.js";
import { handshakeType, identifierType } from "../../src/wire/registry.js";
import { serveOurs } from "../hosts/node/ours.js";
import { pairOf } from "../hosts/node/pairs.js";
import { compile } from "../peers/process.js";
import { Scratch } from "../peers/scratch.js";
import { withPeer } from "../peers/with-peer.js";
import { runClient } from "./clients.js";

const pairs = ["first", "second"].map((name) => ({ name, ...pairOf("p256", name) }));
const [first, second] = pairs;
const stranger = { name: "stranger", ...pairOf("p256", "stranger") };

const chains: ServerOptions = {
  cert: pairs.map(({ cert }) => cert),
  key: pairs.map(({ key }) => key),
  roots: pairs.map(({ ca }) => ca),
  staples: undefined,
};

/** A server whose clients hear their own data, and the certificates that it shows. */
async function serve(t: ExecutionContext) {
  const shown: string[] = [];
  const onMessage: ServerOptions["onMessage"] = (sent, type, bytes, start, end) => {
    if (!sent || (type & 0xff) !== handshakeType.certificate) return;
    const message = Buffer.from(bytes.subarray(start, end));
    shown.push(...pairs.filter(({ leaf }) => message.includes(leaf.der)).map(({ name }) => name));
  };
  const { port } = await serveOurs(t, { ...chains, onMessage }, (socket) => socket.pipe(socket));
  return { port, shown };
}

function fileOf(t: ExecutionContext, pem: string): string {
  const files = new Scratch();
  t.teardown(files.remove);
  return files.write("ca.pem", pem);
}

/** wolfSSL 5.5 refuses the empty extension of a ServerHello that RFC 6066 section 6 demands; without it, it misses that. */
const answerRefused = /^connect: -424 Extension type not allowed/m;
const answerMissed = /^connect: -434 TLS Extension Trusted CA ID response absent/m;

for (const type of ["key_sha1_hash", "x509_name", "cert_sha1_hash"] as const)
  withPeer("wolfssl")(`wolfSSL is shown the chain of the root that it names by ${type}`, async (t) => {
    const client = compile("interop/wolfssl-client.c", "wolfssl-client", "-lwolfssl");
    const { port, shown } = await serve(t);
    const by = (pair: typeof second) => {
      const { identifier } = identify(provider, trustAnchor(pair.root.der), identifierType[type]);
      return `${identifierType[type]}:${Buffer.from(identifier).toString("hex")}`;
    };
    const ask = (ca: typeof second, ...trusted: string[]) => {
      const to = ["-p", `${port}`, "-v", "3", "-A", fileOf(t, ca.ca), "-S", "localhost"];
      return runClient(client, [...to, ...trusted]);
    };
    const named = await ask(second, "-T", by(second));
    t.regex(named.output, answerRefused);
    // Nobody whom we know: the first chain, and no answer
    const unknown = await ask(first, "-T", by(stranger));
    t.regex(unknown.output, answerMissed);
    t.is((await ask(first)).code, 0);
    t.deepEqual(shown, ["second", "first", "first"]);
  });

withPeer("openssl")("OpenSSL gets the chain of the root that it names in TLS 1.3", async (t) => {
  const { port } = await serve(t);
  const ca = fileOf(t, second.ca);
  const ask = (...named: string[]) => {
    const to = ["s_client", "-connect", `127.0.0.1:${port}`, "-tls1_3", "-servername", "localhost"];
    return runClient("openssl", [...to, "-CAfile", ca, "-verify_return_error", ...named], "hello\n");
  };
  const named = await ask("-requestCAfile", ca);
  t.regex(named.output, /Verify return code: 0 \(ok\)/);
  t.regex(named.output, /subject=.*CN = leaf of second/);
  t.regex((await ask()).output, /unable to (get local issuer|verify the first) certificate/);
  t.regex((await ask("-requestCAfile", fileOf(t, stranger.ca))).output, /unable to (get local|verify)/);
});
