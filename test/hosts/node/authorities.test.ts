/** CAs that a client names, and the chain that it is shown. */

import { once } from "node:events";
import test, { type ExecutionContext } from "ava";
import { pem } from "../../../certs/certificate.js";
import {
  type ConnectOptions,
  connect,
  createSecureContext,
  type ServerOptions,
} from "../../../hosts/node/index.js";
import { extensionType, identifierType, handshakeType as on } from "../../../src/wire/index.js";
import { parseExtensions } from "../../peers/messages.js";
import { serveOurs } from "./ours.js";
import { pairOf } from "./pairs.js";

const pairs = [pairOf("p256", "first"), pairOf("p256", "second"), pairOf("rsa2048", "third")];
const [first, second, third] = pairs;
const stranger = pairOf("p256", "stranger");
/** A root of the second one's name, with another key. */
const namesake = pairOf("p256", "second");

const chains: ServerOptions = {
  cert: pairs.map(({ cert }) => cert),
  key: pairs.map(({ key }) => key),
  roots: pairs.map(({ ca }) => ca),
  staples: undefined,
};

const identifiers = ["key_sha1_hash", "x509_name", "cert_sha1_hash"] as const;

/** The subject of the certificate that a client is shown which trusts these; and the bytes of the ServerHello. */
async function shown(t: ExecutionContext, client: ConnectOptions, server: ServerOptions = chains) {
  const { port } = await serveOurs(t, server, (socket) => socket.end());
  const hellos: Buffer[] = [];
  const socket = connect({
    host: "127.0.0.1",
    port,
    servername: "localhost",
    ocsp: { stapling: "off" },
    onMessage: (sent, type, bytes, start, end) => {
      if (!sent && (type & 0xff) === on.server_hello) hellos.push(Buffer.from(bytes.subarray(start, end)));
    },
    ...client,
  });
  socket.on("error", () => undefined);
  t.teardown(() => socket.destroy());
  const outcome = await once(socket, "secureConnect").then(
    () => socket.getPeerCertificate()!.subject.CN,
    (error) => error.code,
  );
  return { outcome, hello: hellos[0] };
}

/** Whether a ServerHello of TLS 1.2 says that trusted_ca_keys guided the choice; its extension is empty then. */
function answers(hello: Buffer): boolean {
  const sessionId = 4 + 2 + 32;
  const extensions = sessionId + 1 + hello[sessionId] + 2 + 1 + 2;
  const all = parseExtensions(hello.subarray(extensions), "ServerHello");
  const found = all.filter(({ type }) => type === extensionType.trusted_ca_keys);
  return found.length === 1 && found[0].data.length === 0;
}

const tls12: ConnectOptions = { maxVersion: "TLSv1.2" };

for (const trustedCaKeys of identifiers)
  for (const [name, pair] of Object.entries({ first, second, third }))
    test(`TLS 1.2: the chain of the ${name} root, by ${trustedCaKeys}`, async (t) => {
      const { outcome, hello } = await shown(t, { ...tls12, ca: pair.ca, trustedCaKeys });
      t.is(outcome, `leaf of ${name}`);
      t.true(answers(hello));
    });

test("TLS 1.2: of several that are named, the server's first", async (t) => {
  const ca = [stranger.ca, third.ca, second.ca];
  const { outcome } = await shown(t, { ...tls12, ca, trustedCaKeys: "cert_sha1_hash" });
  t.is(outcome, "leaf of second");
});

for (const trustedCaKeys of identifiers)
  test(`TLS 1.2: the first chain where no root is known, by ${trustedCaKeys}`, async (t) => {
    const { outcome, hello } = await shown(t, { ...tls12, ca: stranger.ca, trustedCaKeys });
    t.is(outcome, "CERT_UNKNOWN_ISSUER");
    t.false(answers(hello));
  });

test("TLS 1.2: pre_agreed names nobody", async (t) => {
  const { outcome, hello } = await shown(t, { ...tls12, ca: first.ca, trustedCaKeys: "pre_agreed" });
  t.is(outcome, "leaf of first");
  t.false(answers(hello));
});

test("TLS 1.2: a namesake is told by its hashes, not by its name", async (t) => {
  const by = async (trustedCaKeys: (typeof identifiers)[number]) =>
    answers((await shown(t, { ...tls12, ca: namesake.ca, trustedCaKeys })).hello);
  t.true(await by("x509_name"));
  t.false(await by("key_sha1_hash"));
  t.false(await by("cert_sha1_hash"));
});

test("TLS 1.2: without roots at the server a CA is found by its name alone", async (t) => {
  const server = { ...chains, roots: undefined };
  const byName = await shown(t, { ...tls12, ca: second.ca, trustedCaKeys: "x509_name" }, server);
  t.is(byName.outcome, "leaf of second");
  const byHash = await shown(t, { ...tls12, ca: second.ca, trustedCaKeys: "cert_sha1_hash" }, server);
  t.is(byHash.outcome, "CERT_UNKNOWN_ISSUER");
  const inChain = { ...server, cert: pairs.map(({ cert, ca }) => cert + ca) };
  const held = await shown(t, { ...tls12, ca: second.ca, trustedCaKeys: "cert_sha1_hash" }, inChain);
  t.is(held.outcome, "leaf of second");
});

test("TLS 1.2: nothing is answered to who names nobody", async (t) => {
  const { outcome, hello } = await shown(t, { ...tls12, ca: first.ca });
  t.is(outcome, "leaf of first");
  t.false(answers(hello));
});

test("TLS 1.3: by certificate_authorities, and not by trusted_ca_keys", async (t) => {
  for (const [name, pair] of Object.entries({ first, second, third })) {
    const { outcome } = await shown(t, { ca: pair.ca, certificateAuthorities: true });
    t.is(outcome, `leaf of ${name}`);
  }
  const none = await shown(t, { ca: stranger.ca, certificateAuthorities: true });
  t.is(none.outcome, "CERT_UNKNOWN_ISSUER");
  const other = await shown(t, { ca: second.ca, trustedCaKeys: "x509_name" });
  t.is(other.outcome, "CERT_UNKNOWN_ISSUER", "RFC 8446 4.2: the first chain");
});

test("TLS 1.3: a server that asks for a certificate names its own CAs all the same", async (t) => {
  const server = { ...chains, requestCert: "optional" as const, ca: first.ca };
  const { outcome } = await shown(t, { ca: second.ca, certificateAuthorities: true }, server);
  t.is(outcome, "leaf of second");
});

test("the name that is asked for comes first", async (t) => {
  const { port, server } = await serveOurs(t, { ...chains }, (socket) => socket.end());
  server.addContext("localhost", createSecureContext({ cert: first.cert, key: first.key, roots: first.ca }));
  const socket = connect({
    ...{ host: "127.0.0.1", port, servername: "localhost", ocsp: { stapling: "off" } },
    ca: second.ca,
    certificateAuthorities: true,
  });
  const [error] = await once(socket, "error").catch((thrown) => [thrown]);
  t.is(error.code, "CERT_UNKNOWN_ISSUER");
});

test("options that can't be", (t) => {
  const refused = (options: ConnectOptions, message: RegExp) =>
    t.throws(() => connect({ port: 1, ...options }), { code: "ERR_TLSTAPLE_OPTION_VALUE", message });
  refused({ trustedCaKeys: "x509_name" }, /trustedCaKeys: give ca/);
  refused({ certificateAuthorities: true }, /certificateAuthorities: give ca/);
  refused({ ca: first.ca, trustedCaKeys: "sha1" as "x509_name" }, /none of pre_agreed, key_sha1_hash/);
  const many = Array.from({ length: 200 }, () => pem(first.root.der));
  refused({ ca: many, certificateAuthorities: true }, /200 CAs in ca are too many to name/);
  t.deepEqual(Object.keys(identifierType).length, 4);
});
