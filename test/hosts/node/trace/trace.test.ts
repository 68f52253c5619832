import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect as connectTcp, createServer, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls, type TLSSocketOptions } from "node:tls";
import { AsnConvert } from "@peculiar/asn1-schema";
import { Certificate } from "@peculiar/asn1-x509";
import test, { type ExecutionContext } from "ava";
import fc from "fast-check";
import { fixture, ocspCases } from "../../../../certs/fixtures.js";
import { signer } from "../../../../hosts/node/provider.js";
import { Trace } from "../../../../hosts/node/trace/trace.js";
import {
  type ClientOptions,
  cipherSuite,
  contentType,
  extensionType as ext,
  handshakeType as hs,
  namedGroup,
  signatureScheme,
  version,
} from "../../../../src/client/index.js";
import { Link } from "../../../client/link.js";
import { mutate } from "../../../fuzz/mutate.js";
import { Random, times } from "../../../fuzz/random.js";
import { concat, none, u8, u16, u32, vec8, vec16, vec24 } from "../../../peers/bytes.js";
import { identity, servers } from "../../../peers/identity.js";
import {
  certificate12,
  certificateRequest13,
  extension,
  extensionBlock,
  message,
  newSessionTicket12,
  newSessionTicket13,
  serverHello,
} from "../../../peers/messages.js";
import type { Script } from "../../../peers/script.js";
import { listen, rootOf, serveTls, stapled } from "../servers.js";

/** What `onMessage` reports. */
interface Message {
  readonly sent: boolean;
  readonly type: number;
  readonly bytes: Buffer;
}

/** The lines for those messages, as their sender's peer sees them when `mirrored`. */
function traced(messages: readonly Message[], mirrored = false): string[] {
  const lines: string[] = [];
  const trace = new Trace((line) => lines.push(line));
  for (const { sent, type, bytes } of messages) trace.record(sent !== mirrored, type, bytes, 0, bytes.length);
  return lines;
}

/** The lines for one handshake message that was received. */
function line(...messages: Buffer[]): string[] {
  return traced(messages.map((bytes) => ({ sent: false, type: 0x1600 | bytes[0], bytes })));
}

/** Our client's messages with a puppet, which speaks as little as it can. */
function handshake(script: Partial<Script>, options: Partial<ClientOptions>): Message[] {
  const messages: Message[] = [];
  const onMessage: ClientOptions["onMessage"] = (sent, type, bytes, start, end) =>
    messages.push({ sent, type, bytes: Buffer.from(bytes.subarray(start, end)) });
  const brief = { groups: [namedGroup.secp256r1], schemes: [signatureScheme.ecdsa_secp256r1_sha256] };
  new Link({ ...servers.p256, ...script }, { ...brief, onMessage, ...options }).run().close();
  return messages;
}

const staples = ["server1", "intermediate1"].map((name) => fixture(`good/p256/${name}-ocsp.der`));
const client = identity("client", "p256");

const multi = () =>
  handshake(
    { version: version.tls12, staples: [...staples, undefined] },
    {
      suites: [cipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256],
      maxVersion: version.tls12,
      ocsp: { stapling: "v2-multi" },
    },
  );

const mutual = (protocol: number) =>
  handshake(
    {
      version: protocol,
      staples,
      request: { schemes: [signatureScheme.ecdsa_secp256r1_sha256], authorities: [nameOfClientCa()] },
      tickets: [newSessionTicket13(Buffer.alloc(100), 7200, [extension(42, u32(16384))])],
    },
    {
      suites: [cipherSuite.TLS_AES_128_GCM_SHA256, cipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256],
      maxVersion: protocol,
      identity: { certificates: client.chain, signer: signer(client.key) },
    },
  );

function nameOfClientCa(): Buffer {
  const { subject } = AsnConvert.parse(client.chain[1], Certificate).tbsCertificate;
  return Buffer.from(AsnConvert.serialize(subject));
}

const retried = () =>
  handshake(
    { retry: { group: namedGroup.secp384r1, cookie: Buffer.alloc(5) } },
    {
      suites: [cipherSuite.TLS_AES_128_GCM_SHA256],
      groups: [namedGroup.secp256r1, namedGroup.secp384r1],
      alpn: ["h2", "http/1.1"],
      recordSizeLimit: 4096,
      minVersion: version.tls13,
    },
  );

const sessions = {
  "ocsp-multi": multi,
  "mutual-tls12": () => mutual(version.tls12),
  "mutual-tls13": () => mutual(version.tls13),
  retry: retried,
};

const golden = (name: string) =>
  readFileSync(new URL(`../../../../../test/hosts/node/trace/expected/${name}.txt`, import.meta.url), "utf8")
    .trimEnd()
    .split("\n");

const swapped = (lines: string[]) =>
  lines.map((line) => line.replace(/^[→←]/, (arrow) => (arrow === "→" ? "←" : "→")));

for (const [name, session] of Object.entries(sessions))
  test(`${name}: the whole trace, from either end`, (t) => {
    const messages = session();
    t.deepEqual(traced(messages), golden(name));
    t.deepEqual(traced(messages, true), swapped(golden(name)));
  });

test("a message in parts, whole, and cut anywhere, makes the same lines", (t) => {
  const messages = mutual(version.tls13);
  const expected = traced(messages).filter((line) => /^← Cert|^ .*OCSP/.test(line));
  const isPart = ({ sent, type }: Message) => !sent && (type & 0xff) === hs.certificate;
  const body = concat(...messages.filter(isPart).map(({ bytes }) => bytes));
  const whole = message(hs.certificate, body);
  const before = messages.slice(0, messages.findIndex(isPart));
  fc.assert(
    fc.property(fc.array(fc.nat(whole.length), { maxLength: 8 }), fc.boolean(), (cuts, withHeader) => {
      const bytes = withHeader ? whole : body;
      const ends = [...cuts, bytes.length].filter((at) => at >= (withHeader ? 4 : 1)).sort((a, b) => a - b);
      const parts = ends.map((end, i) => bytes.subarray(i === 0 ? 0 : ends[i - 1], end));
      const certificate = parts.map((bytes) => ({ sent: false, type: 0x1600 | hs.certificate, bytes }));
      const lines = traced([...before, ...certificate]).slice(traced(before).length);
      t.deepEqual(
        lines.filter((line) => /^← Cert|^ .*OCSP/.test(line)),
        expected.filter((line) => !line.includes("Verify") && !line.includes("Request")),
      );
    }),
    { numRuns: 30 },
  );
});

// ---- Single messages

const request12 = (...extensions: [number, Buffer][]) =>
  message(
    hs.client_hello,
    concat(u16(0x0303), Buffer.alloc(32), vec8(), vec16(u16(0x1301), u16(0x5a5a), u16(0x1234)), vec8(u8(0))),
    extensionBlock(extensions.map(([type, data]) => extension(type, data))),
  );

const nonceExtension = Buffer.from(
  `301f301d06092b06010505073001020410040e${"0102030405060708090a0b0c0d0e"}`,
  "hex",
);
const item = (type: number, extensions = Buffer.alloc(0)) =>
  concat(u8(type), vec16(vec16(), vec16(extensions)));

test("ClientHello: how staples are asked for", (t) => {
  const [summary, suites] = line(
    request12(
      [ext.status_request, concat(u8(1), vec16(), vec16(nonceExtension))],
      [ext.status_request_v2, vec16(item(2, nonceExtension), item(1), item(9))],
    ),
  );
  t.is(
    summary.replace(/^← ClientHello +/, ""),
    "status_request ocsp nonce 01020304…; status_request_v2 ocsp_multi nonce 01020304…, ocsp, type 9",
  );
  t.is(suites.trim(), "suites TLS_AES_128_GCM_SHA256 GREASE 0x1234");
  const responders = concat(u8(1), vec16(vec16(Buffer.alloc(3)), vec16(Buffer.alloc(4))), vec16());
  t.regex(line(request12([ext.status_request, responders]))[0], / status_request ocsp from 2 responders$/);
});

test("a nonce that is asked for is shown, and the one in a response", (t) => {
  const { response, nonce } = ocspCases().find(({ id }) => id === "nonce")!;
  const status = message(hs.certificate_status, u8(1), vec24(response));
  t.regex(line(status).at(-1)!, new RegExp(`; nonce ${nonce!.toString("hex", 0, 4)}…$`));
  const [hello] = handshake({}, { ocsp: { nonce: true } });
  t.regex(traced([hello])[0], /; status_request ocsp nonce [0-9a-f]{8}…;/);
});

test("tickets, in both versions", (t) => {
  const hello13 = serverHello13([ext.pre_shared_key, u16(1)]);
  const tickets = [newSessionTicket13(Buffer.alloc(100), 60), newSessionTicket12(Buffer.alloc(192), 7200)];
  t.deepEqual(line(hello13, tickets[0]).slice(1), ["← NewSessionTicket     100 bytes, for 60 s"]);
  t.deepEqual(line(tickets[1]), ["← NewSessionTicket     192 bytes, for 7200 s"]);
  t.deepEqual(line(newSessionTicket12(Buffer.alloc(0))), ["← NewSessionTicket     none"]);
  t.regex(line(hello13)[0], /; TLSv1\.3; pre_shared_key 1$/);
  const identities = vec16(...[208, 32].map((length) => concat(vec16(Buffer.alloc(length)), u32(0))));
  const [summary] = line(
    request12(
      [ext.session_ticket, Buffer.alloc(192)],
      [42, Buffer.alloc(0)],
      [ext.psk_key_exchange_modes, vec8(u8(1), u8(0), u8(7))],
      [ext.pre_shared_key, concat(identities, vec16(vec8(Buffer.alloc(32)), vec8(Buffer.alloc(32))))],
    ),
  );
  t.is(
    summary.replace(/^← ClientHello +/, ""),
    "session_ticket of 192 bytes; early_data; psk_key_exchange_modes psk_dhe_ke psk_ke mode 7; " +
      "pre_shared_key ticket of 208 bytes, ticket of 32 bytes",
  );
});

function serverHello13(...extensions: [number, Buffer][]): Buffer {
  const hello = {
    legacyVersion: 0x0303,
    random: Buffer.alloc(32),
    sessionId: u8(7),
    suite: 0x1301,
    compression: 0,
  };
  const list = [[ext.supported_versions, u16(0x0304)] as const, ...extensions];
  return serverHello(
    hello,
    list.map(([type, data]) => extension(type, data)),
  );
}

test("CertificateRequest, KeyUpdate, and a client without a certificate", (t) => {
  const [, ...lines] = line(
    serverHello13(),
    certificateRequest13(Buffer.from([0xab]), [
      extension(ext.status_request),
      extension(ext.signature_algorithms, vec16(u16(0x0403))),
      extension(ext.certificate_authorities, vec16(vec16(nameOfClientCa()))),
    ]),
    message(hs.certificate, vec8(), vec24()),
    message(hs.key_update, u8(0)),
    message(hs.key_update, u8(1)),
  );
  t.deepEqual(lines, [
    "← CertificateRequest   context ab; status_request",
    "                       signature_algorithms ecdsa_secp256r1_sha256",
    "                       certificate_authorities [O=tlstaple test, OU=TEST ONLY, CN=client CA]",
    "← Certificate          empty",
    "← KeyUpdate            update_not_requested",
    "← KeyUpdate            update_requested",
  ]);
});

test("a response that is none, that is no success, and one about several certificates", (t) => {
  const status = (der: Buffer) => line(message(hs.certificate_status, u8(1), vec24(der))).slice(1);
  t.deepEqual(status(Buffer.from("30030a0106", "hex")), [`${" ".repeat(23)}OCSP response: unauthorized`]);
  t.regex(status(Buffer.from("zz"))[0], /OCSP response malformed: 7a7a$/);
  const several = ocspCases().find(({ id }) => id === "good-then-revoked-sha256")!;
  const lines = status(several.response).map((line) => line.trim());
  t.deepEqual(
    lines.map((line) => line.split(" ", 2).join(" ")),
    ["OCSP good,", "issuerNameHash", "OCSP revoked", "issuerNameHash", "responder byName"].map((start, i) =>
      i % 2 === 1 ? `${start} ${lines[i].split(" ")[1]}` : start,
    ),
  );
  t.regex(lines[3], /\(SHA-256\)$/);
});

// ---- Real peers

test("a server's trace of OpenSSL's clients: a first session, and its resumption", async (t) => {
  for (const only of ["TLSv1.2", "TLSv1.3"] as const) {
    const identity = await stapled("p256", "server1");
    const port = await serveTls(t, identity, (peer) => peer.end("welcome"), { maxVersion: only });
    const tap = await wiretap(t, port);
    const session = await visit(tap.port, undefined);
    await visit(tap.port, session);
    const [first, second] = tap.connections.map(({ client, server }) =>
      traced([...clearMessages(client, false), ...clearMessages(server, true)]),
    );
    t.regex(
      first[0],
      /^← ClientHello {10}(renegotiation_info; )?SNI localhost; session_ticket; .*status_request ocsp; /,
    );
    if (only === "TLSv1.2") check12(t, first, second);
    else check13(t, first, second);
    t.false([...first, ...second].some((line) => line.includes("malformed")));
  }
});

function check12(t: ExecutionContext, first: string[], second: string[]): void {
  const shown = first.flatMap((line) => /^→ (\w+)/.exec(line)?.[1] ?? []);
  const certificates = ["Certificate", "Certificate", "Certificate", "CertificateStatus"];
  t.deepEqual(shown, [
    "ServerHello",
    ...certificates,
    "ServerKeyExchange",
    "ServerHelloDone",
    "NewSessionTicket",
  ]);
  t.true(first.some((line) => /^ +OCSP good, serial 05, /.test(line)));
  t.regex(first.at(-1)!, /^→ NewSessionTicket {5}\d+ bytes, for 7200 s$/);
  t.regex(second[0], /; session_ticket of \d+ bytes; /);
}

function check13(t: ExecutionContext, first: string[], second: string[]): void {
  t.regex(first.at(-1)!, /^→ ServerHello {10}TLS_\w+; TLSv1\.3; key_share x25519$/);
  t.regex(
    second[0],
    /; psk_key_exchange_modes psk_dhe_ke; key_share x25519; pre_shared_key ticket of \d+ bytes$/,
  );
  t.regex(second.at(-1)!, /; pre_shared_key 0$/);
}

/** What went over each connection through a relay. */
async function wiretap(t: ExecutionContext, port: number) {
  const connections: { client: Buffer; server: Buffer }[] = [];
  const relay = createServer((client) => {
    const seen: { client: Buffer; server: Buffer } = { client: none, server: none };
    connections.push(seen);
    const server = connectTcp(port, "127.0.0.1").on("error", () => client.destroy());
    pass(client, server, (bytes) => {
      seen.client = concat(seen.client, bytes);
    });
    pass(server, client, (bytes) => {
      seen.server = concat(seen.server, bytes);
    });
  });
  return { port: await listen(t, relay), connections };
}

function pass(from: Socket, to: Socket, see: (bytes: Buffer) => void): void {
  from.on("data", see).pipe(to);
}

/** Connects with node:tls, to the server's end; the session that it could go on with. */
async function visit(port: number, session: Buffer | undefined): Promise<Buffer | undefined> {
  const options: ConnectionOptions & TLSSocketOptions = {
    ca: rootOf("p256"),
    ecdhCurve: "X25519:P-256",
    requestOCSP: true,
    session,
  };
  const socket = connectTls({ port, host: "127.0.0.1", servername: "localhost", ...options });
  let next: Buffer | undefined;
  socket.on("session", (each) => {
    next = each;
  });
  await once(socket.resume(), "close");
  return next;
}

/** The handshake messages of a side before it encrypts. */
function clearMessages(stream: Buffer, sent: boolean): Message[] {
  let handshake: Buffer = none;
  for (let at = 0; stream[at] === contentType.handshake; at += 5 + stream.readUInt16BE(at + 3))
    handshake = concat(handshake, stream.subarray(at + 5, at + 5 + stream.readUInt16BE(at + 3)));
  const messages: Message[] = [];
  while (handshake.length > 0) {
    const end = 4 + handshake.readUIntBE(1, 3);
    messages.push({ sent, type: 0x1600 | handshake[0], bytes: handshake.subarray(0, end) });
    handshake = handshake.subarray(end);
  }
  return messages;
}

// ---- Bad input

test("what is malformed is shown as hex, shortened", (t) => {
  t.deepEqual(line(Buffer.from("0100000203", "hex")), ["← ClientHello          malformed: 0100000203"]);
  const long = Buffer.concat([Buffer.from([hs.server_hello]), Buffer.alloc(30)]);
  t.deepEqual(line(long), [`← ServerHello          malformed: ${long.toString("hex")}`]);
  const [summary] = line(
    request12([ext.supported_groups, Buffer.from("0004001d", "hex")], [ext.key_share, Buffer.alloc(99, 255)]),
  );
  t.regex(summary, /key_share malformed: (ff){64}… \(99 bytes\)$/);
  const alert = traced([{ sent: true, type: contentType.alert << 8, bytes: Buffer.from([2]) }]);
  t.deepEqual(alert, ["→ Alert                malformed: 02"]);
  const entry = concat(vec24(client.chain[0]), vec16(u16(ext.status_request), u16(9)));
  const cutOff = line(serverHello13(), message(hs.certificate, vec8(), vec24(entry)));
  t.is(cutOff.at(-1)!.trim(), "extensions malformed: 00050009");
  t.regex(line(certificate12([Buffer.from("no certificate")]))[0], /^← Certificate {10}malformed: 6e6f/);
});

test("names in certificates don't steer the terminal", (t) => {
  const name = Buffer.from("300d310b300906035504030c021b5b", "hex");
  const request = certificateRequest13(Buffer.alloc(0), [
    extension(ext.certificate_authorities, vec16(vec16(name))),
  ]);
  const lines = line(serverHello13(), request);
  t.is(lines.at(-1)!.trim(), "certificate_authorities [CN=\\u001b[]");
});

test("nothing that comes makes a trace throw, or print much", (t) => {
  const random = new Random(t);
  const recorded = Object.values(sessions).flatMap((session) => session());
  for (let i = 0; i < times(1500); i++) {
    const from = random.below(recorded.length);
    const messages = recorded.slice(Math.max(0, from - 6), from + 1).map(({ sent, type, bytes }) => ({
      sent: random.below(8) === 0 ? !sent : sent,
      type: random.below(8) === 0 ? 0x1600 | random.below(256) : type,
      bytes: random.below(3) === 0 ? mutate(bytes, random) : bytes,
    }));
    const lines = traced(messages);
    const size = messages.reduce((sum, { bytes }) => sum + bytes.length, 0);
    t.true(lines.every((line) => !/\p{Cc}/u.test(line)));
    t.true(
      lines.join("").length < 1000 * messages.length + 200 * size,
      `${lines.length} lines of ${size} bytes`,
    );
  }
});

test("random bytes of every type", (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 255 }),
      fc.uint8Array({ maxLength: 300 }),
      fc.boolean(),
      (type, body, tls13) => {
        const lines = line(...(tls13 ? [serverHello13()] : []), message(type, body), message(type, body));
        t.true(lines.every((line) => line.length < 20_000));
      },
    ),
    { numRuns: times(2000) },
  );
});
