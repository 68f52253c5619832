import { X509Certificate } from "node:crypto";
import test, { type ExecutionContext } from "ava";
import { type ClientOptions, faults, TlsClient, wants } from "../../src/client/index.js";
import { at } from "../../src/handshake/memory.js";
import type { ClientHandshake } from "../../src/client/handshake.js";
import { KeySchedule13, scheduleSize13, secretLabel } from "../../src/crypto/keys13.js";
import type { KeyKind, Provider, Signer } from "../../src/crypto/provider.js";
import { Transcript } from "../../src/crypto/transcript.js";
import { type Opened, Protection13 } from "../../src/record/protection.js";
import { contentType, handshakeType, namedGroup, signatureScheme } from "../../src/wire/registry.js";
import { agree, hex, type Subject, subjects, toHex, verifies } from "../hosts/providers.js";
import { concat } from "../peers/bytes.js";
import { plainRecord } from "../peers/records.js";
import * as values from "./rfc8448.js";
import * as traces from "./traces.js";

const AES_GCM_RECORDS = 2 ** 24;

/**
 * The traces of RFC 8448, record by record: what was sent is opened, sealed again to the same bytes, and all
 * that can be recomputed in it is. Then our client follows them, as far as its own rules let it.
 */

interface Trace {
  readonly section: string;
  readonly group: number;
  readonly clientPrivate: string;
  /** The messages before the ServerHello; after the second one, if there is one, comes ClientHello again. */
  readonly hellos: readonly string[];
  readonly serverHello: string;
  readonly serverFlight: string;
  readonly clientFlight: string;
  readonly clientAfter: readonly string[];
  readonly serverAfter: readonly string[];
}

const { clientHello1, helloRetryRequest, clientHello2 } = values.retry;

const all: readonly Trace[] = [
  { section: "3", group: namedGroup.x25519, hellos: [traces.simple.clientHello], ...traces.simple },
  {
    section: "5",
    group: namedGroup.secp256r1,
    hellos: [clientHello1, helloRetryRequest, clientHello2],
    clientPrivate: values.retry.clientPrivate,
    serverHello: values.retry.serverHello,
    serverFlight: values.retry.record,
    ...traces.retry,
  },
  {
    section: "6",
    group: namedGroup.x25519,
    hellos: [traces.clientAuthentication.clientHello],
    ...traces.clientAuthentication,
  },
  {
    section: "7",
    group: namedGroup.x25519,
    hellos: [traces.compatibility.clientHello],
    ...traces.compatibility,
  },
];

/** What the key schedules work on. */
const memory = new Uint8Array(192 + scheduleSize13);
const SECRET = 0;
const HASH = 64;
const OUT = 128;
const OWN = 192;

/** One side's records under one secret. */
class Side {
  private readonly reading: Protection13;
  private readonly writing: Protection13;

  constructor(provider: Provider, keys: KeySchedule13, secret: Uint8Array) {
    const protection = () => {
      const iv = new Uint8Array(12);
      memory.set(secret, SECRET);
      keys.trafficKeys(SECRET, OUT, 16, iv);
      return new Protection13(provider.aead("aes-128-gcm", memory, OUT, OUT + 16), iv, AES_GCM_RECORDS);
    };
    this.reading = protection();
    this.writing = protection();
  }

  /** Opens a record, and seals its content again: the same bytes must come out. */
  open(t: ExecutionContext, record: Buffer): { type: number; content: Buffer } {
    const out: Opened = { type: 0, start: 0, end: 0, sealed: false };
    const bytes = Buffer.from(record);
    this.reading.open(bytes, 0, bytes.length, out);
    t.true(out.sealed);
    const content = Buffer.from(bytes.subarray(out.start, out.end));
    const again = concat(Buffer.alloc(5), content, Buffer.alloc(17));
    this.writing.seal(again, 0, content.length, out.type);
    t.is(toHex(again), toHex(record));
    return { type: out.type, content };
  }

  /** The handshake bytes of a flight, in which a ChangeCipherSpec may stand first. */
  handshake(t: ExecutionContext, flight: string): Buffer {
    const contents: Buffer[] = [];
    for (const record of records(flight)) {
      if (record[0] === contentType.change_cipher_spec) continue;
      const { type, content } = this.open(t, record);
      t.is(type, contentType.handshake);
      contents.push(content);
    }
    return concat(...contents);
  }
}

function records(text: string): Buffer[] {
  const bytes = hex(text);
  const found: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += 5 + bytes.readUInt16BE(at + 3))
    found.push(bytes.subarray(at, at + 5 + bytes.readUInt16BE(at + 3)));
  return found;
}

function messages(bytes: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += 4 + bytes.readUIntBE(at + 1, 3))
    found.push(bytes.subarray(at, at + 4 + bytes.readUIntBE(at + 1, 3)));
  return found;
}

/** The key share stands before supported_versions, or at the end of the extensions. */
function shareOf(serverHello: Buffer, group: number): Buffer {
  const length = group === namedGroup.x25519 ? 32 : 65;
  const at = serverHello.indexOf(concat(u16(group), u16(length)));
  return serverHello.subarray(at + 4, at + 4 + length);
}

function u16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}

/** The first certificate of a TLS 1.3 Certificate message. */
function certificateOf(message: Buffer): Buffer {
  return message.subarray(4 + 1 + 3 + 3, 4 + 1 + 3 + 3 + message.readUIntBE(8, 3));
}

/** A certificate's key, as src/pki would read it if it took keys this small. */
function keyOf(certificate: Buffer): { kind: KeyKind; key: Buffer } {
  const { publicKey } = new X509Certificate(certificate);
  if (publicKey.asymmetricKeyType === "rsa")
    return { kind: "rsa", key: publicKey.export({ format: "der", type: "pkcs1" }) };
  return { kind: "p256", key: publicKey.export({ format: "der", type: "spki" }).subarray(-65) };
}

/** A handshake of the RFC in progress, with our transcript and key schedule. */
class Walk {
  readonly t: ExecutionContext;
  readonly provider: Provider;
  readonly trace: Trace;
  readonly transcript: Transcript;
  readonly keys: KeySchedule13;

  constructor(t: ExecutionContext, { provider, exchangeOf }: Subject, trace: Trace) {
    this.t = t;
    this.provider = provider;
    this.trace = trace;
    this.transcript = new Transcript(provider);
    this.keys = new KeySchedule13(provider, "sha256", memory, OWN);
    this.hellos();
    const exchange = exchangeOf(trace.group, hex(trace.clientPrivate));
    const shared = hex(agree(exchange, shareOf(hex(trace.serverHello), trace.group)));
    this.keys.start();
    memory.set(shared, SECRET);
    this.keys.handshake(SECRET, SECRET + shared.length);
  }

  private hellos(): void {
    this.add(hex(this.trace.hellos[0]));
    this.transcript.choose("sha256");
    const [, ...more] = this.trace.hellos;
    if (more.length > 0) this.transcript.restart(this.provider);
    for (const message of more) this.add(hex(message));
    this.add(hex(this.trace.serverHello));
  }

  private add(message: Buffer): void {
    this.transcript.update(message, 0, message.length);
  }

  hash(): Buffer {
    const out = Buffer.alloc(32);
    this.transcript.digest(out, 0);
    return out;
  }

  secret(label: string): Buffer {
    memory.set(this.hash(), HASH);
    this.keys.derive(label, HASH, OUT);
    return Buffer.from(memory.slice(OUT, OUT + 32));
  }

  side(secret: Uint8Array): Side {
    return new Side(this.provider, this.keys, secret);
  }

  /** Adds a flight to the transcript; checks its signature and its Finished on the way. Returns the types. */
  follow(flight: Buffer, secret: Uint8Array, context: string): number[] {
    let certificate: Buffer | undefined;
    return messages(flight).map((message) => {
      const [type] = message;
      if (type === handshakeType.certificate) certificate = certificateOf(message);
      if (type === handshakeType.certificate_verify) this.checkSignature(message, certificate!, context);
      if (type === handshakeType.finished) this.checkFinished(message, secret);
      this.add(message);
      return type;
    });
  }

  private checkSignature(message: Buffer, certificate: Buffer, context: string): void {
    const content = concat(Buffer.alloc(64, " "), Buffer.from(`${context}\0`), this.hash());
    const signed = { scheme: message.readUInt16BE(4), message: content, signature: message.subarray(8) };
    this.t.true(verifies(this.provider, { ...signed, ...keyOf(certificate) }));
  }

  private checkFinished(message: Buffer, secret: Uint8Array): void {
    memory.set(secret, SECRET);
    memory.set(this.hash(), HASH);
    this.keys.finished(SECRET, HASH, OUT);
    this.t.is(toHex(message.subarray(4)), toHex(memory.subarray(OUT, OUT + 32)));
  }
}

const serverContext = "TLS 1.3, server CertificateVerify";
const clientContext = "TLS 1.3, client CertificateVerify";
const h = handshakeType;

for (const subject of subjects)
  for (const trace of all)
    test(`${subject.provider.name}: RFC 8448 section ${trace.section}, record by record`, (t) => {
      const walk = new Walk(t, subject, trace);
      const clientHandshake = walk.secret(secretLabel.clientHandshake);
      const serverHandshake = walk.secret(secretLabel.serverHandshake);
      const fromServer = walk.side(serverHandshake).handshake(t, trace.serverFlight);
      const requested = trace.section === "6" ? [h.certificate_request] : [];
      t.deepEqual(walk.follow(fromServer, serverHandshake, serverContext), [
        h.encrypted_extensions,
        ...requested,
        h.certificate,
        h.certificate_verify,
        h.finished,
      ]);
      walk.keys.master();
      const client = walk.side(walk.secret(secretLabel.clientApplication));
      const server = walk.side(walk.secret(secretLabel.serverApplication));
      const fromClient = walk.side(clientHandshake).handshake(t, trace.clientFlight);
      t.deepEqual(
        walk.follow(fromClient, clientHandshake, clientContext),
        trace.section === "6" ? [h.certificate, h.certificate_verify, h.finished] : [h.finished],
      );
      const data = Buffer.from(Array.from({ length: 50 }, (_, i) => i));
      const closeNotify = { type: contentType.alert, content: Buffer.from([1, 0]) };
      const sent = trace.section === "3" ? [{ type: contentType.application_data, content: data }] : [];
      const opened = trace.clientAfter.map((record) => client.open(t, hex(record)));
      t.deepEqual(opened, [...sent, closeNotify]);
      const received = trace.serverAfter.map((record) => server.open(t, hex(record)));
      if (trace.section === "3") t.is(received.shift()!.content[0], h.new_session_ticket);
      t.deepEqual(received, [...sent, closeNotify]);
    });

test("the values that RFC 8448 gives for sections 3 and 5 are those of the walks", (t) => {
  for (const [trace, expected] of [
    [all[0], values.simple],
    [all[1], values.retry],
  ] as const) {
    const walk = new Walk(t, subjects[0], trace);
    t.is(toHex(walk.hash()), expected.helloHash);
    const secret = walk.secret(secretLabel.serverHandshake);
    t.is(toHex(secret), expected.serverHandshake);
    walk.follow(walk.side(secret).handshake(t, trace.serverFlight), secret, serverContext);
    t.is(toHex(walk.hash()), expected.finishedHash);
    walk.keys.master();
    t.is(toHex(walk.secret(secretLabel.exporter)), expected.exporter);
  }
});

// ---- Our own client

/** Our client made to believe that it sent the trace's ClientHello, and with its private key. */
function actor(subject: Subject, trace: Trace, options: Partial<ClientOptions> = {}) {
  const { provider, exchangeOf } = subject;
  const secrets: Record<string, Buffer> = {};
  const client = new TlsClient({
    provider: {
      ...provider,
      exchange: (group) =>
        group === trace.group ? exchangeOf(group, hex(trace.clientPrivate)) : provider.exchange(group),
    },
    serverName: "server",
    trust: [],
    clock: () => undefined,
    verify: false,
    minVersion: 0x0304,
    recordSizeLimit: 16385,
    onSecret: (label, _, secret) => {
      secrets[label] = Buffer.from(secret);
    },
    ...options,
  });
  const { handshake: session } = client as unknown as { handshake: ClientHandshake };
  const hellos = trace.hellos.filter((message) => message.startsWith("01")).map(hex);
  const [hello] = hellos;
  client.work();
  const { transcript } = session;
  const update = transcript.update.bind(transcript);
  transcript.update = (bytes, start, end) => {
    const hello = bytes[start] === h.client_hello ? hellos.shift() : undefined;
    if (hello) update(hello, 0, hello.length);
    else update(bytes, start, end);
  };
  session.memory.set(hello.subarray(39, 39 + hello[38]), at.sessionId);
  session.sessionIdLength = hello[38];
  return { client, secrets };
}

function hear(client: TlsClient, ...sent: Uint8Array[]): void {
  for (const bytes of sent) {
    while (client.wants & wants.WORK) client.work();
    client.cipherIn.bytes.set(bytes, client.cipherIn.start);
    client.cipherIn.advance(bytes.length);
    while (client.wants & wants.WORK) client.work();
  }
}

function said(client: TlsClient): Buffer {
  const { bytes, start, end } = client.cipherOut;
  const out = Buffer.from(bytes.subarray(start, end));
  client.cipherOut.advance(out.length);
  return out;
}

/** What the server says before its encrypted flight. */
function greeting(trace: Trace): Buffer[] {
  const retry = trace.hellos.slice(1, 2);
  return [...retry, trace.serverHello].map((message) => plainRecord(contentType.handshake, hex(message)));
}

for (const subject of subjects) {
  const { name } = subject.provider;

  for (const trace of all.filter(({ section }) => section !== "6"))
    test(`${name}: the client reads section ${trace.section} up to the RSA key of 1024 bits`, (t) => {
      const { client, secrets } = actor(subject, trace);
      hear(client, ...greeting(trace));
      t.is(client.state, "WAIT_ENCRYPTED_EXTENSIONS");
      const expected = new Walk(t, subject, trace).secret(secretLabel.serverHandshake);
      t.is(toHex(secrets.SERVER_HANDSHAKE_TRAFFIC_SECRET), toHex(expected));
      hear(client, hex(trace.serverFlight));
      t.is(client.fault, faults.CERT_KEY);
    });

  test(`${name}: the client follows section 6 to its end, and says the same`, (t) => {
    const trace = all[2];
    const walk = new Walk(t, subject, trace);
    const side = walk.side(walk.secret(secretLabel.clientHandshake));
    const expected = messages(side.handshake(t, trace.clientFlight));
    const certificate = certificateOf(expected[0]);
    const signature = expected[1].subarray(8);

    // Its signer has the RFC's signature, which must be one of what it is asked to sign
    const scheme = signatureScheme.rsa_pss_rsae_sha256;
    const signed: Buffer[] = [];
    const signer: Signer = {
      schemes: [scheme],
      begin: () => ({
        update: (bytes, start, end) => void signed.push(Buffer.from(bytes.subarray(start, end))),
        sign(out, at) {
          out.set(signature, at);
          return signature.length;
        },
      }),
    };
    const { client, secrets } = actor(subject, trace, { identity: { certificates: [certificate], signer } });
    hear(client, ...greeting(trace), hex(trace.serverFlight));
    t.is(client.fault, undefined);
    t.true(client.established);
    t.true(
      verifies(subject.provider, { scheme, message: concat(...signed), signature, ...keyOf(certificate) }),
    );

    const sent = records(toHex(said(client))).filter(([type]) => type === contentType.application_data);
    const reading = walk.side(secrets.CLIENT_HANDSHAKE_TRAFFIC_SECRET);
    t.is(toHex(concat(...sent.map((record) => reading.open(t, record).content))), toHex(concat(...expected)));
    client.close();
    t.is(toHex(said(client)), trace.clientAfter[0]);
    hear(client, hex(trace.serverAfter[0]));
    t.true(client.closedByPeer);
    t.is(client.fault, undefined);
  });
}
