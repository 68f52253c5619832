import { spawn } from "node:child_process";
import { once } from "node:events";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import test, { type ExecutionContext } from "ava";
import {
  alert,
  cipherSuite as c,
  extensionType,
  handshakeType as hs,
  namedGroup,
  signatureScheme as s,
  version,
} from "../../src/wire/registry.js";
import { concat, flip, u8 } from "./bytes.js";
import { identity, servers } from "./identity.js";
import { message as handshakeMessage, newSessionTicket13 } from "./messages.js";
import { ocspResponse, openssl } from "./openssl.js";
import { absent } from "./peers.js";
import { pem } from "./pem.js";
import { Puppet } from "./puppet.js";
import { plainRecord } from "./records.js";
import { suites } from "./schedule.js";
import { edit, layouts, type Script, steps } from "./script.js";
import { type PuppetServer, servePuppet } from "./serve.js";

/** The puppet against OpenSSL, in node:tls and s_client: who is right about TLS does not depend on our client. */

const { tls12, tls13 } = version;
const ca = [servers.p256.chain[2], servers.rsa.chain[2]].map(pem);

function versionName(version: number): "TLSv1.2" | "TLSv1.3" {
  return version === tls12 ? "TLSv1.2" : "TLSv1.3";
}

interface Talk {
  server: PuppetServer;
  socket: TLSSocket;
}

/** node:tls connected to a puppet. Both speak one version alone. */
async function dial(t: ExecutionContext, script: Script, options: ConnectionOptions = {}): Promise<Talk> {
  const server = await servePuppet(script);
  t.teardown(server.close);
  const only = versionName(script.version ?? tls13);
  const settings = { servername: "localhost", minVersion: only, maxVersion: only, ca } as const;
  return { server, socket: connect({ port: server.port, host: "127.0.0.1", ...settings, ...options }) };
}

/** Shakes hands, sends a line each way, closes. */
async function converse(t: ExecutionContext, script: Script, options?: ConnectionOptions): Promise<Puppet> {
  const { server, socket } = await dial(t, { echo: true, ...script }, options);
  socket.write("hello, puppet");
  const [data] = await once(socket, "data");
  t.is(data.toString(), "hello, puppet");
  socket.end();
  await server.ended;
  const puppet = server.puppets[0];
  t.deepEqual(server.errors, []);
  t.true(puppet.open);
  t.is(puppet.seen.data.toString(), "hello, puppet");
  t.is(puppet.ended, alert.close_notify);
  return puppet;
}

/** Runs a client that gets these lines to send, and then the end of its input. */
async function converseWith(command: string, args: string[], lines: string): Promise<void> {
  const client = spawn(command, args, { timeout: 20_000 });
  client.stdin.end(lines);
  await once(client, "close");
}

/** Shakes hands with a client that is to refuse: the error that it gives, and the alert that the puppet got. */
async function refused(
  t: ExecutionContext,
  script: Script,
  options?: ConnectionOptions,
): Promise<[string | undefined, number | undefined]> {
  const { server, socket } = await dial(t, script, options);
  const [error] = (await once(socket, "error")) as [NodeJS.ErrnoException];
  await server.ended;
  t.deepEqual(server.errors, []);
  return [error.code, server.puppets[0].ended];
}

for (const [id, suite] of Object.entries(suites)) {
  const keys = suite.auth === "rsa" ? [servers.rsa] : [servers.p256, servers.p384, servers.ed25519];
  if (suite.version === tls13) keys.push(servers.rsa);
  for (const server of keys) {
    const kind = server.key.asymmetricKeyDetails?.namedCurve ?? server.key.asymmetricKeyType;
    test(`node:tls shakes hands: ${Number(id).toString(16)}, ${kind}`, async (t) => {
      const puppet = await converse(t, { ...server, version: suite.version, suite: Number(id) });
      t.is(puppet.suiteId, Number(id));
    });
  }
}

const groups = { X25519: namedGroup.x25519, "P-256": namedGroup.secp256r1, "P-384": namedGroup.secp384r1 };

for (const [name, group] of Object.entries(groups)) {
  for (const each of [tls12, tls13]) {
    test(`group ${name}, ${versionName(each)}`, async (t) => {
      const puppet = await converse(t, { ...servers.rsa, version: each, group }, { ecdhCurve: name });
      t.is(puppet.group, group);
    });
  }
}

for (const each of [tls12, tls13]) {
  const pss = [s.rsa_pss_rsae_sha256, s.rsa_pss_rsae_sha384, s.rsa_pss_rsae_sha512];
  const pkcs1 = [s.rsa_pkcs1_sha256, s.rsa_pkcs1_sha384, s.rsa_pkcs1_sha512];
  for (const scheme of each === tls12 ? [...pss, ...pkcs1] : pss) {
    test(`RSA scheme ${scheme.toString(16)}, ${versionName(each)}`, (t) =>
      converse(t, { ...servers.rsa, version: each, scheme }));
  }
}

for (const retry of [
  { group: namedGroup.secp384r1 },
  { cookie: Buffer.from("a cookie") },
  { group: namedGroup.secp256r1, cookie: Buffer.alloc(300, 7) },
]) {
  test(`HelloRetryRequest with ${Object.keys(retry).join(" and ")}`, async (t) => {
    const { seen } = await converse(t, { ...servers.p256, retry }, { ecdhCurve: "X25519:P-256:P-384" });
    t.is(seen.hellos.length, 2);
    t.deepEqual(seen.hellos[1].cookie, retry.cookie);
  });
}

for (const each of [tls12, tls13]) {
  for (const [name, layout] of [
    ["one byte per record", layouts.pieces(1)],
    ["seven bytes per record", layouts.pieces(7)],
    ["joined", layouts.joined],
    ["cut in a header", layouts.cut(2)],
  ] as const) {
    test(`handshake messages ${name}, ${versionName(each)}`, (t) =>
      converse(t, { ...servers.p256, version: each, layout }));
  }

  test(`staple, ${versionName(each)}`, async (t) => {
    const staple = Buffer.from("any bytes will do");
    const script = { ...servers.p256, version: each, staples: [staple] };
    const { server, socket } = await dial(t, script, { requestOCSP: true } as ConnectionOptions);
    t.deepEqual(await once(socket, "OCSPResponse"), [staple]);
    t.true(server.puppets[0].hello.status);
    socket.destroy();
  });

  test(`ALPN, ${versionName(each)}`, async (t) => {
    const script = { ...servers.p256, version: each, alpn: "mqtt" };
    const { server, socket } = await dial(t, script, { ALPNProtocols: ["http/1.1", "mqtt"] });
    await once(socket, "secureConnect");
    t.is(socket.alpnProtocol, "mqtt");
    t.deepEqual(server.puppets[0].hello.alpn, ["http/1.1", "mqtt"]);
    socket.destroy();
  });

  for (const name of ["p256", "p384", "rsa", "ed25519"]) {
    test(`client authentication with ${name}, ${versionName(each)}`, async (t) => {
      const schemes: number[] = [
        s.rsa_pss_rsae_sha256,
        s.ed25519,
        s.ecdsa_secp256r1_sha256,
        s.ecdsa_secp384r1_sha384,
      ];
      const client = identity("client", name);
      const puppet = await converse(
        t,
        { ...servers.p256, version: each, request: { schemes, required: true } },
        { cert: client.chain.map(pem).join(""), key: client.key.export({ type: "pkcs8", format: "pem" }) },
      );
      t.deepEqual(puppet.seen.certificates?.[0], client.chain[0]);
      t.true(schemes.includes(puppet.seen.scheme!));
    });
  }

  test(`client authentication without a certificate, ${versionName(each)}`, async (t) => {
    const request = { schemes: [s.ecdsa_secp256r1_sha256] };
    const puppet = await converse(t, { ...servers.p256, version: each, request });
    t.deepEqual(puppet.seen.certificates, []);
  });

  test(`a wrong Finished, ${versionName(each)}`, async (t) => {
    const mutate = (type: number, bytes: Buffer) => (type === hs.finished ? flip(bytes) : bytes);
    const [code, ended] = await refused(t, { ...servers.p256, version: each, mutate });
    t.is(code, "ERR_SSL_DIGEST_CHECK_FAILED");
    t.is(ended, alert.decrypt_error);
  });

  test(`the last record tampered with, ${versionName(each)}`, async (t) => {
    const tamper: Script["tamper"] = (record, { content }) =>
      content[0] === hs.finished ? flip(record) : record;
    const [, ended] = await refused(t, { ...servers.p256, version: each, tamper });
    t.is(ended, alert.bad_record_mac);
  });

  test(`an alert instead of the Certificate, ${versionName(each)}`, async (t) => {
    const plan = edit.before("certificate", steps.alert(2, alert.access_denied));
    const [code] = await refused(t, { ...servers.p256, version: each, plan });
    t.is(code, "ERR_SSL_TLSV1_ALERT_ACCESS_DENIED");
  });

  test(`an unsolicited extension, ${versionName(each)}`, async (t) => {
    const name = each === tls13 ? "encrypted_extensions" : "server_hello";
    const unsolicited = {
      type: extensionType.application_layer_protocol_negotiation,
      data: Buffer.from("0003026832", "hex"),
    };
    const add: Script["extensions"] = {
      [name]: (list) => [...list, unsolicited],
    };
    const [, ended] = await refused(t, { ...servers.p256, version: each, extensions: add });
    t.is(ended, alert.unsupported_extension);
  });
}

test("a message left out, a message twice, messages swapped", async (t) => {
  for (const plan of [
    edit.without("encrypted_extensions"),
    edit.twice("certificate"),
    edit.swap("certificate", "certificate_verify"),
  ]) {
    const [, ended] = await refused(t, { ...servers.p256, plan });
    t.is(ended, alert.unexpected_message);
  }
});

test("a signature over another context", async (t) => {
  const [, ended] = await refused(t, { ...servers.p256, verifyContext: "TLS 1.3, client CertificateVerify" });
  t.is(ended, alert.decrypt_error);
});

test("a cipher suite that the client did not offer", async (t) => {
  const ciphers = "TLS_AES_128_GCM_SHA256";
  const [, ended] = await refused(t, { ...servers.p256, suite: c.TLS_AES_256_GCM_SHA384 }, { ciphers });
  t.is(ended, alert.illegal_parameter);
});

test("padding, tickets and key updates, TLS 1.3", async (t) => {
  const tickets = [newSessionTicket13(Buffer.alloc(100, 1)), newSessionTicket13(Buffer.alloc(9000, 2))];
  const { server, socket } = await dial(t, { ...servers.p256, padding: 1000, tickets });
  await once(socket, "session");
  const [puppet] = server.puppets;

  server.send(puppet.sendKeyUpdate(true));
  server.send(puppet.sendData(Buffer.from("under new keys")));
  const [data] = await once(socket, "data");
  t.is(data.toString(), "under new keys");
  socket.end("so am I");
  await server.ended;
  t.deepEqual(server.errors, []);
  t.deepEqual(puppet.seen.keyUpdates, [false]);
  t.is(puppet.seen.data.toString(), "so am I");
});

test("without extended_master_secret, TLS 1.2", (t) =>
  converse(t, { ...servers.p256, version: tls12, ems: false }));

test("a large transfer", async (t) => {
  const { server, socket } = await dial(t, { ...servers.p256, echo: true });
  const data = Buffer.alloc(100_000, "abc");
  socket.write(data);
  let got = 0;
  for await (const bytes of socket) {
    got += bytes.length;
    if (got === data.length) socket.end();
  }
  await server.ended;
  t.is(got, data.length);
  t.deepEqual(server.puppets[0].seen.data, data);
});

test("a client's record that breaks a rule makes the puppet throw", (t) => {
  const rows: [string, RegExp][] = [
    ["1603050000", /record version/],
    ["1603030000", /empty handshake record/],
    ["170303000100", /no application data before/],
    ["160301000403000000", /instead of client_hello/],
    ["1603010001011703030001000", /no other record between/],
    ["140303000102", /change_cipher_spec is one byte/],
    ["150303000102", /one alert per record/],
    ["15030300020228160303000401000000", /nothing follows a fatal alert/],
    [`1603014001${"00".repeat(2 ** 14 + 1)}`, /at most 2\^14/],
  ];
  for (const [bytes, rule] of rows) {
    t.throws(() => new Puppet(servers.p256).feed(Buffer.from(bytes, "hex")), { message: rule }, String(rule));
  }
});

test("a ClientHello that breaks a rule makes the puppet throw", async (t) => {
  const { server, socket } = await dial(t, servers.p256, { ecdhCurve: "X25519:P-256" });
  await once(socket, "secureConnect");
  socket.destroy();
  const { message, suites } = server.puppets[0].hello;
  const compression = 4 + 2 + 32 + 1 + 32 + 2 + 2 * suites.length;
  const groups = message.indexOf(Buffer.from("000a00060004001d0017", "hex"));
  const name = message.indexOf("localhost");
  const patch = (offset: number, bytes: Buffer) =>
    concat(message.subarray(0, offset), bytes, message.subarray(offset + bytes.length));
  const hex = (text: string) => Buffer.from(text, "hex");
  const rows: [Buffer, RegExp][] = [
    [patch(4, hex("0302")), /legacy_version/],
    [patch(compression, hex("0101")), /null method/],
    [patch(groups + 6, hex("001d001d")), /no group twice/],
    [patch(groups + 6, hex("00180017")), /key shares follow supported_groups/],
    [patch(groups, hex("0010")), /ALPN/],
    [patch(groups, hex("0000")), /no duplicate extension/],
    [patch(name, Buffer.from("127.0.0.1")), /not an IP address/],
    [patch(name, Buffer.from("localhos.")), /DNS name/],
    [message.subarray(0, -1), /cut short/],
    [concat(message, u8(0)), /too many/],
  ];
  for (const [bytes, rule] of rows) {
    const hello = handshakeMessage(bytes[0], bytes.subarray(4));
    t.throws(() => new Puppet(servers.p256).feed(plainRecord(22, hello)), { message: rule }, String(rule));
  }
});

test("openssl s_client -status shows the staple", async (t) => {
  const staple = await ocspResponse("p256", "server1", "intermediate1");
  for (const each of [tls12, tls13]) {
    const server = await servePuppet({ ...servers.p256, version: each, staples: [staple] });
    t.teardown(server.close);
    const only = each === tls12 ? "-tls1_2" : "-tls1_3";
    const stdout = await openssl("s_client", "-connect", `127.0.0.1:${server.port}`, "-status", only);
    t.regex(stdout, /OCSP Response Status: successful/);
    t.regex(stdout, /Cert Status: good/);
    t.deepEqual(server.errors, []);
  }
});

for (const each of [tls12, tls13]) {
  test(`max_fragment_length with openssl s_client, ${versionName(each)}`, async (t) => {
    const server = await servePuppet({ ...servers.p256, version: each, maxFragmentLength: true });
    t.teardown(server.close);
    const lines = `${"0123456789".repeat(300)}\n`;
    await converseWith(
      "openssl",
      ["s_client", "-quiet", "-connect", `127.0.0.1:${server.port}`, "-maxfraglen", "512"],
      lines,
    );
    const [{ hello, seen }] = server.puppets;
    t.deepEqual(server.errors, []);
    t.is(hello.maxFragmentLength, 512);
    t.is(seen.data.toString(), lines);
    t.is(Math.max(...seen.records.map(({ length }) => length)), 512);
  });
}

// GnuTLS counts the content type in TLS 1.2 too, where RFC 8449 does not, and refuses our full records there.
(absent.gnutls ? test.skip : test)("record_size_limit with gnutls-cli, TLS 1.3", async (t) => {
  const server = await servePuppet({ ...servers.p256, recordSizeLimit: 600 });
  t.teardown(server.close);
  const line = `${"0123456789".repeat(80)}\n`;
  const args = ["--insecure", "--recordsize", "1000", "--port", `${server.port}`, "127.0.0.1"];
  await converseWith("gnutls-cli", args, line);
  const [{ hello, seen }] = server.puppets;
  t.deepEqual(server.errors, []);
  t.is(hello.recordSizeLimit, 1001);
  const sealed = seen.records.filter(({ encrypted }) => encrypted);
  t.is(Math.max(...sealed.map(({ length }) => length)), 599);
});
