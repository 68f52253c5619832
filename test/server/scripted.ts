import { type KeyObject, randomBytes } from "node:crypto";
import { wants } from "../../src/client/index.js";
import type { TlsServer } from "../../src/server/index.js";
import { contentType, extensionType as ext, handshakeType as hs, version } from "../../src/wire/registry.js";
import { Cursor, chunks, concat, none, u8, u16, u32, vec8, vec16 } from "../peers/bytes.js";
import {
  bodyOf,
  certificate12,
  certificate13,
  type Extension,
  extension,
  extensionBlock,
  message,
  parseExtensions,
  retryRandom,
  signed,
  verifyInput,
} from "../peers/messages.js";
import { clear, type Protection, Protection12, Protection13 } from "../peers/records.js";
import {
  type Ephemeral,
  ephemeral,
  expandLabel,
  finished13,
  hash,
  hmac,
  prf,
  Schedule13,
  type Suite,
  suites,
} from "../peers/schedule.js";
import { signWith } from "../peers/signing.js";
import { drain } from "./pair.js";

/**
 * A client that does exactly what a test says, message by message, with keys of its own: it can say everything
 * that a TlsClient never would.
 */

/** A ClientHello before it is bytes. */
export interface Hello {
  legacyVersion: number;
  random: Buffer;
  sessionId: Buffer;
  suites: number[];
  compression: Buffer;
  extensions: Extension[];
}

/** A session to resume: TLS 1.3's PSK, or TLS 1.2's master secret. */
export interface Resumption {
  readonly ticket: Buffer;
  readonly secret: Buffer;
}

export interface Received {
  readonly type: number;
  readonly bytes: Buffer;
}

export interface Settings {
  version?: number;
  suites?: number[];
  /** Groups, of which the first has a share. */
  groups?: number[];
  schemes?: number[];
  sessionId?: Buffer;
  serverName?: string;
  ems?: boolean;
  resume?: Resumption;
  /** Tickets of nobody's that are shown before it. */
  decoys?: number;
  /** More extensions. */
  extra?: Extension[];
  /** Changes the ClientHello, before the binder is computed. */
  edit?: (hello: Hello, retried: boolean) => Hello;
  /** Changes a handshake message before it is hashed and sent, so that the handshake stays consistent. */
  mutate?: (message: Buffer) => Buffer;
  /** Changes the binder. */
  binder?: (binder: Buffer) => Buffer;
  /** Bytes of handshake messages in one record, 16,384 by default. */
  fragment?: number;
}

const { tls12, tls13 } = version;
const allSchemes = [0x0403, 0x0503, 0x0807, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601];

export class Scripted {
  readonly server: TlsServer;
  private readonly settings: Settings;
  readonly random = randomBytes(32);
  private readonly own: Ephemeral;
  private serverRandom: Buffer = none;
  private transcript: Buffer[] = [];
  private schedule!: Schedule13;
  private peerShare: Buffer = none;
  private clientSecret: Buffer = none;
  private serverSecret: Buffer = none;
  private applicationSecret: Buffer = none;
  private master: Buffer = none;
  read: Protection = clear;
  write: Protection = clear;
  private nextRead: Protection = clear;
  private nextWrite: Protection = clear;
  private bytes: Buffer = none;
  private handshake: Buffer = none;
  /** All bytes that went to the server. */
  readonly sent: Buffer[] = [];
  /** All handshake messages of the server. */
  readonly received: Received[] = [];
  /** Its extensions in the ServerHello, and in EncryptedExtensions. */
  serverExtensions: Extension[] = [];
  data: Buffer = none;
  /** The last alert: description, and level. */
  alert: number | undefined;
  level: number | undefined;
  changeCipherSpecs = 0;
  suite!: Suite;
  retried = false;
  resumed = false;
  /** What the next handshake can resume from. */
  ticket: Resumption | undefined;
  /** Its lifetime in seconds. */
  lifetime = 0;
  private untilFinished: Buffer = none;

  constructor(server: TlsServer, settings: Settings = {}) {
    this.server = server;
    this.settings = settings;
    this.own = ephemeral(this.groups[0]);
  }

  private get groups(): number[] {
    return this.settings.groups ?? [29, 23, 24];
  }

  get version(): number {
    return this.settings.version ?? tls13;
  }

  // The transport

  /** Hands bytes over, as far as the server takes them, and lets it do all it can. */
  raw(bytes: Uint8Array): this {
    this.sent.push(Buffer.from(bytes));
    for (let at = 0, n = 1; at < bytes.length && n > 0; at += n) {
      const { cipherIn } = this.server;
      n = Math.min(cipherIn.end - cipherIn.start, bytes.length - at);
      cipherIn.bytes.set(bytes.subarray(at, at + n), cipherIn.start);
      cipherIn.advance(n);
      this.pump();
    }
    return this;
  }

  pump(): this {
    const { server } = this;
    for (let turns = 0; ; turns++) {
      if (turns > 1e5) throw new Error(`never at rest in ${server.state}`);
      if (server.wants & wants.WORK) server.work();
      else if (server.wants & wants.WRITE) this.feed(drain(server.cipherOut));
      else if (server.wants & wants.DATA) this.data = concat(this.data, drain(server.plainOut));
      else return this;
    }
  }

  private feed(bytes: Buffer): void {
    this.bytes = concat(this.bytes, bytes);
    while (this.bytes.length >= 5) {
      const end = 5 + this.bytes.readUInt16BE(3);
      if (this.bytes.length < end) return;
      const record = this.bytes.subarray(0, end);
      this.bytes = this.bytes.subarray(end);
      this.hear(record);
    }
  }

  private hear(record: Buffer): void {
    if (record[0] === contentType.change_cipher_spec) {
      this.changeCipherSpecs++;
      if (this.version === tls12) this.read = this.nextRead;
      return;
    }
    // A fault may strike before the server has keys, though we have them
    const bare = this.version === tls13 && record[0] !== contentType.application_data;
    const { type, content } = bare ? clear.open(record) : this.read.open(record);
    if (type === contentType.alert) [this.level, this.alert] = content;
    else if (type === contentType.application_data) this.data = concat(this.data, content);
    else this.hearHandshake(content);
  }

  private hearHandshake(content: Buffer): void {
    this.handshake = concat(this.handshake, content);
    while (this.handshake.length >= 4) {
      const end = 4 + this.handshake.readUIntBE(1, 3);
      if (this.handshake.length < end) return;
      const bytes = this.handshake.subarray(0, end);
      this.handshake = this.handshake.subarray(end);
      this.take(bytes);
    }
  }

  /** A record under the present key. */
  record(type: number, content: Uint8Array): this {
    return this.raw(this.write.seal(type, Buffer.from(content)));
  }

  /** A handshake message; it counts for the transcript. */
  send(...messages: Buffer[]): this {
    for (const message of messages) {
      const bytes = this.settings.mutate?.(message) ?? message;
      this.transcript.push(bytes);
      for (const piece of chunks(bytes, this.settings.fragment ?? 16384))
        this.record(contentType.handshake, piece);
    }
    return this;
  }

  // The server's messages

  private take(bytes: Buffer): void {
    const type = bytes[0];
    this.received.push({ type, bytes });
    if (type === hs.server_hello) this.takeServerHello(bytes);
    else this.transcript.push(bytes);
    if (type === hs.encrypted_extensions)
      this.serverExtensions.push(...parseExtensions(new Cursor(bodyOf(bytes), "EE").vec16(), "EE"));
    else if (type === hs.server_key_exchange) this.takeKeyExchange(bytes);
    else if (type === hs.finished) this.takeFinished(bytes);
    else if (type === hs.new_session_ticket) this.takeTicket(bytes);
  }

  private takeServerHello(bytes: Buffer): void {
    const cursor = new Cursor(bodyOf(bytes), "ServerHello");
    cursor.u16();
    this.serverRandom = cursor.take(32);
    const sessionId = cursor.vec8();
    this.suite = suites[cursor.u16()];
    cursor.u8();
    const list = cursor.left > 0 ? parseExtensions(cursor.vec16(), "ServerHello") : [];
    this.serverExtensions = list;
    if (this.version === tls12) this.begin12(bytes, sessionId);
    else if (this.serverRandom.equals(retryRandom)) this.takeRetry(bytes);
    else this.begin13(bytes, list);
  }

  private takeRetry(bytes: Buffer): void {
    const digest = hash(this.suite.hash, concat(...this.transcript));
    this.transcript = [message(hs.message_hash, digest), bytes];
    this.retried = true;
  }

  private begin13(bytes: Buffer, list: Extension[]): void {
    this.transcript.push(bytes);
    this.resumed = list.some(({ type }) => type === ext.pre_shared_key);
    const share = list.find(({ type }) => type === ext.key_share)!.data;
    this.peerShare = share.subarray(4);
    this.schedule = new Schedule13(this.suite.hash, this.resumed ? this.settings.resume!.secret : undefined);
    this.schedule.advance(this.own.agree(this.peerShare));
    this.clientSecret = this.schedule.derive("c hs traffic", concat(...this.transcript));
    this.serverSecret = this.schedule.derive("s hs traffic", concat(...this.transcript));
    this.read = new Protection13(this.suite, this.serverSecret);
    this.write = new Protection13(this.suite, this.clientSecret);
  }

  private begin12(bytes: Buffer, sessionId: Buffer): void {
    this.transcript.push(bytes);
    const { resume } = this.settings;
    this.resumed = resume !== undefined && sessionId.length > 0 && sessionId.equals(this.sessionId);
    if (this.resumed) this.deriveKeys(resume!.secret);
  }

  private takeKeyExchange(bytes: Buffer): void {
    const cursor = new Cursor(bodyOf(bytes), "ServerKeyExchange");
    cursor.u8();
    cursor.u16();
    this.peerShare = cursor.vec8();
  }

  private takeFinished(bytes: Buffer): void {
    const before = concat(...this.transcript.slice(0, -1));
    const expected =
      this.version === tls13
        ? finished13(this.suite.hash, this.serverSecret, before)
        : prf(this.suite.hash, this.master, "server finished", hash(this.suite.hash, before), 12);
    if (!bodyOf(bytes).equals(expected)) throw new Error("the server's Finished is wrong");
    if (this.version === tls12) return;
    this.schedule.advance();
    this.applicationSecret = this.schedule.derive("c ap traffic", concat(...this.transcript));
    this.serverSecret = this.schedule.derive("s ap traffic", concat(...this.transcript));
    this.read = new Protection13(this.suite, this.serverSecret);
  }

  private takeTicket(bytes: Buffer): void {
    const cursor = new Cursor(bodyOf(bytes), "NewSessionTicket");
    this.lifetime = cursor.take(4).readUInt32BE();
    if (this.version === tls12) {
      const ticket = cursor.vec16();
      cursor.end();
      this.ticket = { ticket, secret: this.master };
      return;
    }
    cursor.take(4);
    const nonce = cursor.vec8();
    const ticket = cursor.vec16();
    cursor.vec16();
    cursor.end();
    const master = this.schedule.derive("res master", this.untilFinished);
    const secret = expandLabel(this.suite.hash, master, "resumption", nonce, master.length);
    this.ticket = { ticket, secret };
  }

  // Our messages

  get sessionId(): Buffer {
    return this.settings.sessionId ?? Buffer.alloc(32, 7);
  }

  /** What an ordinary client of the version offers. */
  private offer(): Hello {
    const { settings } = this;
    const list = [
      extension(ext.supported_groups, vec16(...this.groups.map(u16))),
      extension(ext.signature_algorithms, vec16(...(settings.schemes ?? allSchemes).map(u16))),
    ];
    const { serverName } = settings;
    if (serverName) list.push(extension(ext.server_name, vec16(u8(0), vec16(Buffer.from(serverName)))));
    if (this.version === tls13) {
      list.push(extension(ext.supported_versions, vec8(u16(tls13))));
      list.push(extension(ext.key_share, vec16(u16(this.groups[0]), vec16(this.own.share))));
      list.push(extension(ext.psk_key_exchange_modes, vec8(u8(1))));
    } else {
      if (settings.ems !== false) list.push(extension(ext.extended_master_secret));
      list.push(extension(ext.session_ticket, settings.resume?.ticket ?? none));
      list.push(extension(ext.renegotiation_info, vec8()));
    }
    return {
      legacyVersion: tls12,
      random: this.random,
      sessionId: this.sessionId,
      suites: settings.suites ?? Object.keys(suites).map(Number),
      compression: u8(0),
      extensions: [...list, ...(settings.extra ?? [])],
    };
  }

  /** The ClientHello, with a binder if a session is to be resumed. */
  clientHello(): Buffer {
    const { edit, resume, binder = (bytes) => bytes } = this.settings;
    const hello = edit?.(this.offer(), this.retried) ?? this.offer();
    if (resume === undefined || this.version === tls12) return encode(hello);
    const size = resume.secret.length;
    const name = size === 48 ? "sha384" : "sha256";
    const decoys = Array.from({ length: this.settings.decoys ?? 0 }, () => vec8(Buffer.alloc(size)));
    const junk = decoys.map(() => concat(vec16(Buffer.alloc(80, 1)), u32(0)));
    const identities = vec16(...junk, vec16(resume.ticket), u32(0));
    const empty = vec16(...decoys, vec8(binder(Buffer.alloc(size))));
    const offered = extension(ext.pre_shared_key, identities, empty);
    const whole = encode({ ...hello, extensions: [...hello.extensions, offered] });
    const truncated = whole.subarray(0, whole.length - empty.length);
    const early = hmac(name, Buffer.alloc(size), resume.secret);
    const key = expandLabel(name, early, "res binder", hash(name, none), size);
    const made = finished13(name, key, concat(...this.transcript, truncated));
    return concat(truncated, vec16(...decoys, vec8(binder(made))));
  }

  hello(): this {
    return this.send(this.clientHello());
  }

  certificate(chain: Buffer[], extensions: (index: number) => Extension[] = () => []): Buffer {
    return this.version === tls13 ? certificate13(chain, extensions) : certificate12(chain);
  }

  certificateVerify(key: KeyObject, scheme: number, claimed = scheme): Buffer {
    const all = concat(...this.transcript);
    const input =
      this.version === tls13
        ? verifyInput("TLS 1.3, client CertificateVerify", hash(this.suite.hash, all))
        : all;
    return message(hs.certificate_verify, signed(claimed, signWith(scheme, key, input)));
  }

  keyExchange(): Buffer {
    return message(hs.client_key_exchange, vec8(this.own.share));
  }

  /** TLS 1.2: derives the keys, once the ClientKeyExchange is sent. */
  deriveMaster(): this {
    const premaster = this.own.agree(this.peerShare);
    const extended = this.serverExtensions.some(({ type }) => type === ext.extended_master_secret);
    const [label, seed] = extended
      ? ["extended master secret", hash(this.suite.hash, concat(...this.transcript))]
      : ["master secret", concat(this.random, this.serverRandom)];
    this.deriveKeys(prf(this.suite.hash, premaster, label, seed, 48));
    return this;
  }

  private deriveKeys(master: Buffer): void {
    const { suite } = this;
    this.master = master;
    const ivLength = suite.cipher === "chacha20-poly1305" ? 12 : 4;
    const size = 2 * (suite.keyLength + ivLength);
    const block = prf(suite.hash, master, "key expansion", concat(this.serverRandom, this.random), size);
    const keys = new Cursor(block, "key_block");
    const [own, peer] = [keys.take(suite.keyLength), keys.take(suite.keyLength)];
    this.nextWrite = new Protection12(suite, own, keys.take(ivLength));
    this.nextRead = new Protection12(suite, peer, keys.take(ivLength));
  }

  changeCipherSpec(): this {
    this.raw(clear.seal(contentType.change_cipher_spec, u8(1)));
    if (this.version === tls12) this.write = this.nextWrite;
    return this;
  }

  finished(): Buffer {
    const all = concat(...this.transcript);
    const data =
      this.version === tls13
        ? finished13(this.suite.hash, this.clientSecret, all)
        : prf(this.suite.hash, this.master, "client finished", hash(this.suite.hash, all), 12);
    return message(hs.finished, data);
  }

  /** TLS 1.3: from the client's Finished on. */
  useApplicationKeys(): this {
    this.untilFinished = concat(...this.transcript);
    this.clientSecret = this.applicationSecret;
    this.write = new Protection13(this.suite, this.clientSecret);
    return this;
  }

  /** Sends the Finished; the keys are there before the server can answer. */
  finish(): this {
    const made = this.finished();
    const bytes = this.settings.mutate?.(made) ?? made;
    this.transcript.push(bytes);
    const record = this.write.seal(contentType.handshake, bytes);
    if (this.version === tls13) this.useApplicationKeys();
    return this.raw(record);
  }

  /** All that is left of an ordinary handshake. */
  complete(): this {
    if (this.version === tls12 && !this.resumed) this.send(this.keyExchange()).deriveMaster();
    if (this.version === tls12) this.changeCipherSpec();
    return this.finish();
  }

  keyUpdate(request: boolean): this {
    this.record(contentType.handshake, message(hs.key_update, u8(request ? 1 : 0)));
    this.clientSecret = expandLabel(
      this.suite.hash,
      this.clientSecret,
      "traffic upd",
      none,
      this.clientSecret.length,
    );
    this.write = new Protection13(this.suite, this.clientSecret);
    return this;
  }
}

export function encode(hello: Hello): Buffer {
  return message(
    hs.client_hello,
    u16(hello.legacyVersion),
    hello.random,
    vec8(hello.sessionId),
    vec16(...hello.suites.map(u16)),
    vec8(hello.compression),
    extensionBlock(hello.extensions),
  );
}
