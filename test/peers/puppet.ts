import { randomBytes } from "node:crypto";
import { contentType, handshakeType, namedGroup, nameOf, version } from "../../src/wire/registry.js";
import { chunks, concat, none } from "./bytes.js";
import { plan12 } from "./flight12.js";
import { plan13 } from "./flight13.js";
import {
  bodyOf,
  type ClientHello,
  checkSecondHello,
  demand,
  type Extension,
  keyUpdate,
  parseClientHello,
} from "./messages.js";
import { clear, headerLength, maxPlaintext, type Plain, type Protection } from "./records.js";
import { type Suite, suites } from "./schedule.js";
import { layouts, type Script, type Step, splice } from "./script.js";

/** What the puppet saw of the client. */
export interface Seen {
  hellos: ClientHello[];
  /** The types of the handshake messages, in order. */
  messages: number[];
  records: { type: number; version: number; length: number; encrypted: boolean; padding: number }[];
  alerts: { level: number; description: number; encrypted: boolean }[];
  data: Buffer;
  /** For each KeyUpdate, whether it asked for an answer. */
  keyUpdates: boolean[];
  changeCipherSpecs: number;
  certificates?: Buffer[];
  /** TLS 1.3: the staples of those. */
  staples?: (Buffer | undefined)[];
  /** The scheme of the client's CertificateVerify. */
  scheme?: number;
}

/**
 * A TLS server for tests, without I/O: bytes in, bytes out, synchronous. It does what its script says,
 * right or wrong, and is strict with the client: what RFC 8446, 5246, 8449 or 6066 forbid it to send makes
 * `feed` throw. It shares no code with src but the numbers, so it is an oracle for the client.
 */
export class Puppet {
  readonly script: Script;
  readonly version: number;
  readonly seen: Seen = {
    hellos: [],
    messages: [],
    records: [],
    alerts: [],
    data: none,
    keyUpdates: [],
    changeCipherSpecs: 0,
  };
  /** Secrets by their SSLKEYLOGFILE label. */
  readonly secrets: Record<string, Buffer> = {};
  readonly random: Buffer;
  /** The handshake messages so far, both sides'. */
  transcript: Buffer[] = [];
  suiteId = 0;
  suite!: Suite;
  group = 0;
  /** Set by the handshake: what makes the next protection of either direction after a KeyUpdate. */
  rekey?: { read(): Protection; write(): Protection };

  private plan: Step[];
  private next = 0;
  private inbox: Buffer[] = [];
  private input: Buffer = none;
  private partial: Buffer = none;
  private pending: Buffer[] = [];
  private out: Buffer[] = [];
  private sent = 0;
  private read: Protection = clear;
  private write: Protection = clear;

  constructor(script: Script) {
    this.script = script;
    this.version = script.version ?? version.tls13;
    this.random = script.hello?.random ?? randomBytes(32);
    const plan = this.version === version.tls13 ? plan13(this) : plan12(this);
    this.plan = script.plan ? script.plan(plan) : plan;
  }

  get hello(): ClientHello {
    return this.seen.hellos[this.seen.hellos.length - 1];
  }

  /** Whether the handshake is done. */
  get open(): boolean {
    return this.next === this.plan.length;
  }

  /** The fatal alert or close_notify that ended the client's side. */
  get ended(): number | undefined {
    return this.seen.alerts.find(({ level, description }) => level === 2 || description === 0)?.description;
  }

  /** Takes bytes from the client, any number; returns those for it. */
  feed(bytes: Uint8Array): Buffer {
    this.input = concat(this.input, bytes);
    for (let record = this.nextRecord(); record; record = this.nextRecord()) {
      this.onRecord(record);
      this.run();
    }
    return this.output();
  }

  // What tests do once the handshake is done. Each returns the bytes for the client.

  sendData(data: Uint8Array): Buffer {
    this.queueData(data);
    return this.output();
  }

  sendKeyUpdate(requested: boolean): Buffer {
    this.queueKeyUpdate(requested);
    return this.output();
  }

  sendMessage(message: Buffer): Buffer {
    this.send(message);
    this.flush();
    return this.output();
  }

  sendAlert(level: number, description: number): Buffer {
    this.record(contentType.alert, Buffer.from([level, description]));
    return this.output();
  }

  sendRecord(type: number, content: Buffer): Buffer {
    this.record(type, content);
    return this.output();
  }

  close(): Buffer {
    return this.sendAlert(1, 0);
  }

  /** The bytes for the client that were not taken yet. */
  output(): Buffer {
    const bytes = concat(...this.out);
    this.out = [];
    return bytes;
  }

  // For steps

  /** Queues a handshake message; the layout decides on its records when the messages are flushed. */
  send(message: Buffer): void {
    const mutated = this.script.mutate?.(message[0], message) ?? message;
    for (const each of Array.isArray(mutated) ? mutated : [mutated]) {
      this.transcript.push(each);
      this.pending.push(each);
    }
  }

  /** Sends one record at once, behind the messages queued so far. */
  record(type: number, content: Buffer): void {
    this.flush();
    this.seal(type, content);
  }

  raw(bytes: Buffer): void {
    this.flush();
    this.out.push(bytes);
  }

  protectRead(protection: Protection): void {
    demand(this.partial.length === 0, "no handshake message across a change of keys");
    this.read = protection;
  }

  protectWrite(protection: Protection): void {
    this.flush();
    this.write = protection;
  }

  /** Adds a step right behind the current one. */
  insert(step: Step): void {
    this.plan = splice(this.plan, this.next, 0, [step]);
  }

  extensionsFor(name: string, list: Extension[], index = 0): Extension[] {
    return this.script.extensions?.[name]?.(list, index) ?? list;
  }

  /** Takes a ClientHello and settles the suite and the group. */
  greet(bytes: Buffer): void {
    const first = this.hello;
    const hello = parseClientHello(bytes);
    if (first) checkSecondHello(first, hello);
    this.seen.hellos.push(hello);
    this.suiteId = this.script.suite ?? this.pickSuite(hello);
    this.suite = suites[this.suiteId];
    const { retry, group } = this.script;
    const offered = [...hello.shares.map((share) => share.group), ...hello.groups];
    this.group = retry?.group ?? group ?? offered.find(isKnown)!;
  }

  private pickSuite(hello: ClientHello): number {
    const auth = this.script.key.asymmetricKeyType === "rsa" ? "rsa" : "ecdsa";
    const fits = (suite: Suite | undefined) =>
      suite?.version === this.version && (suite.auth ?? auth) === auth;
    const id = hello.suites.find((each) => fits(suites[each]));
    if (id === undefined) throw new Error("no cipher suite in common");
    return id;
  }

  // Sending

  /** The most content in a record to the client, RFC 8449 section 4 and RFC 6066 section 4. */
  private get sendLimit(): number {
    const { recordSizeLimit, maxFragmentLength } = this.hello ?? {};
    const typeByte = this.version === version.tls13 ? 1 : 0;
    if (recordSizeLimit !== undefined) return Math.min(recordSizeLimit - typeByte, maxPlaintext);
    return (this.script.maxFragmentLength && maxFragmentLength) || maxPlaintext;
  }

  private queueData(data: Uint8Array): void {
    for (const part of chunks(Buffer.from(data), this.sendLimit)) {
      this.record(contentType.application_data, part);
    }
  }

  private queueKeyUpdate(requested: boolean): void {
    this.send(keyUpdate(requested));
    this.protectWrite(this.rekey!.write());
  }

  private flush(): void {
    const messages = this.pending;
    this.pending = [];
    if (messages.length === 0) return;
    for (const part of (this.script.layout ?? layouts.each)(messages)) {
      for (const piece of chunks(part, this.sendLimit)) this.seal(contentType.handshake, piece);
    }
  }

  private seal(type: number, content: Buffer): void {
    const padding = Math.max(0, Math.min(this.script.padding ?? 0, this.sendLimit - content.length));
    const record = this.write.seal(type, content, padding);
    this.out.push(this.script.tamper?.(record, { index: this.sent, type, content }) ?? record);
    this.sent++;
  }

  // Receiving

  private nextRecord(): Buffer | undefined {
    if (this.input.length < headerLength) return undefined;
    const end = headerLength + this.input.readUInt16BE(3);
    if (this.input.length < end) return undefined;
    const record = this.input.subarray(0, end);
    this.input = this.input.subarray(end);
    return record;
  }

  private onRecord(record: Buffer): void {
    demand(this.ended === undefined, "nothing follows a fatal alert or close_notify");
    const legacy = record.readUInt16BE(1);
    const first = this.seen.records.length === 0;
    demand(legacy === 0x0303 || (first && legacy === 0x0301), "the record version is 0x0303");
    const encrypted = this.isEncrypted(record[0]);
    const plain = (encrypted ? this.read : clear).open(record);
    this.seen.records.push({
      type: plain.type,
      version: legacy,
      length: plain.content.length,
      encrypted,
      padding: plain.padding,
    });
    this.checkSize(plain, encrypted);
    this.onPlain(plain, encrypted);
  }

  /**
   * TLS 1.3 sends change_cipher_spec in the clear, and alerts too as long as the client could not take our
   * ServerHello, in which case nothing encrypted came before.
   */
  private isEncrypted(type: number): boolean {
    if (this.version !== version.tls13 || !this.read.encrypts) return this.read.encrypts;
    if (type === contentType.change_cipher_spec) return false;
    if (type === contentType.alert && !this.seen.records.some(({ encrypted }) => encrypted)) return false;
    demand(type === contentType.application_data, "a protected record is of type application_data");
    return true;
  }

  /** What the client may put in a record: 2^14 bytes, or what our answer to its extension says. */
  private checkSize({ content, padding }: Plain, encrypted: boolean): void {
    demand(content.length + padding <= maxPlaintext, "a record has at most 2^14 bytes");
    const { recordSizeLimit, maxFragmentLength } = this.script;
    if (recordSizeLimit !== undefined && this.hello?.recordSizeLimit !== undefined && encrypted) {
      const inner = content.length + padding + (this.version === version.tls13 ? 1 : 0);
      demand(inner <= recordSizeLimit, "a record keeps to record_size_limit");
    } else if (maxFragmentLength && this.hello?.maxFragmentLength !== undefined) {
      demand(content.length <= this.hello.maxFragmentLength, "a record keeps to max_fragment_length");
    }
  }

  private onPlain({ type, content }: Plain, encrypted: boolean): void {
    const alone = type === contentType.handshake || this.partial.length === 0;
    demand(alone || type === contentType.alert, "no other record between the parts of a handshake message");
    if (type === contentType.handshake) this.onHandshake(content);
    else if (type === contentType.alert) this.onAlert(content, encrypted);
    else if (type === contentType.change_cipher_spec) this.onChangeCipherSpec(content);
    else if (type === contentType.application_data) this.onData(content);
    else throw new Error(`a record of unknown type ${type}`);
  }

  private onHandshake(content: Buffer): void {
    demand(content.length > 0, "no empty handshake record");
    this.partial = concat(this.partial, content);
    while (this.partial.length >= 4 && this.partial.length >= 4 + this.partial.readUIntBE(1, 3)) {
      const end = 4 + this.partial.readUIntBE(1, 3);
      this.inbox.push(this.partial.subarray(0, end));
      this.partial = this.partial.subarray(end);
    }
  }

  private onAlert(content: Buffer, encrypted: boolean): void {
    demand(content.length === 2, "one alert per record");
    const [level, description] = content;
    this.seen.alerts.push({ level, description, encrypted });
  }

  private onChangeCipherSpec(content: Buffer): void {
    demand(content.equals(Buffer.from([1])), "change_cipher_spec is one byte, 1");
    demand(++this.seen.changeCipherSpecs === 1, "one change_cipher_spec");
    if (this.version === version.tls12) this.inbox.push(changeCipherSpec);
    else
      demand(!this.open && this.hello?.sessionId.length > 0, "change_cipher_spec only in compatibility mode");
  }

  private onData(content: Buffer): void {
    demand(this.open, "no application data before the handshake is done");
    this.seen.data = concat(this.seen.data, content);
    if (this.script.echo) this.queueData(content);
  }

  // Running

  /** Does steps until one waits for what has not come; then handles what comes after the handshake. */
  private run(): void {
    while (!this.open && this.ended === undefined && this.step());
    while (this.open && this.inbox.length > 0) this.onPostHandshake(this.inbox.shift()!);
  }

  /** Does one step; false when it has to wait. */
  private step(): boolean {
    const step = this.plan[this.next];
    if (step.awaits === undefined) {
      this.next++;
      step.run(this, none);
    } else {
      const message = this.inbox.shift();
      if (!message) {
        this.flush();
        return false;
      }
      this.checkAwaited(step, message);
      this.next++;
      step.run(this, message);
      if (message !== changeCipherSpec) this.transcript.push(message);
    }
    if (this.open) this.flush();
    return true;
  }

  private checkAwaited(step: Step, message: Buffer): void {
    const got = message === changeCipherSpec ? "change_cipher_spec" : message[0];
    if (got !== "change_cipher_spec") this.seen.messages.push(got);
    if (step.awaits === got) return;
    const name = typeof got === "number" ? (nameOf(handshakeType, got) ?? got) : got;
    throw new Error(`the client sent ${name} instead of ${step.name}`);
  }

  /** After the handshake a client sends nothing but the KeyUpdates of TLS 1.3. */
  private onPostHandshake(message: Buffer): void {
    demand(
      message[0] === handshakeType.key_update && this.rekey !== undefined,
      "KeyUpdate alone after Finished",
    );
    this.seen.messages.push(message[0]);
    const body = bodyOf(message);
    demand(body.length === 1 && body[0] <= 1, "KeyUpdate is 0 or 1");
    this.protectRead(this.rekey.read());
    this.seen.keyUpdates.push(body[0] === 1);
    if (body[0] === 1 && !this.script.ignoreKeyUpdate) this.queueKeyUpdate(false);
  }
}

/** Stands in the inbox for a change_cipher_spec record of TLS 1.2. */
const changeCipherSpec = Buffer.from([1]);

/** OpenSSL 3.5 begins with one that is not known here, X25519MLKEM768. */
/** It has curves alone. */
const isKnown = (group: number) =>
  group !== namedGroup.x25519mlkem768 && nameOf(namedGroup, group) !== undefined;
