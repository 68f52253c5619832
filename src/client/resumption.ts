import { verifyDataSize } from "../crypto/keys12.js";
import { hashSize } from "../crypto/suites.js";
import { type Stapling, satisfies } from "../pki/policy.js";
import { CHANGE_CIPHER_SPEC, type Row, STEP } from "../record/engine.js";
import { faults } from "../wire/fault.js";
import type { Reader } from "../wire/reader.js";
import { extensionType, handshakeType, version } from "../wire/registry.js";
import { table } from "../wire/table.js";
import { equalBytes, type Writer } from "../wire/writer.js";
import {
  changeAndFinish,
  connect,
  receiveChangeCipherSpec,
  rows12,
  schedule,
  verifyFinished,
} from "./client12.js";
import { receiveEncryptedExtensions, rows13, sendFinished } from "./client13.js";
import { type ExtensionRow, extensions, inMessage } from "./extensions.js";
import { drawSessionId } from "./hello.js";
import { type Demanded, demandedBy, fingerprint, Resuming, type Session, suiteOf } from "./resuming.js";
import type { ClientSession } from "./session.js";

export type { Demanded, Resuming, Session };

/** What a client needs that resumes sessions; one that never does carries nothing of it. */
export interface Resumption {
  /** The tables with what resumption adds. */
  readonly extensions: readonly ExtensionRow[];
  readonly rows12: readonly Row<ClientSession>[];
  readonly rows13: readonly Row<ClientSession>[];
  /** Begins a connection. */
  readonly start: (s: ClientSession) => void;
}

/**
 * Lets a client resume `session` (RFC 8446 2.2, RFC 5077), if it fits what the client asks for, and hands each
 * new session to `onSession`. A session that fits no more is not offered, and the handshake is a full one.
 */
export function resumption(session: Session | undefined, onSession: (session: Session) => void): Resumption {
  return Object.freeze({
    extensions: allExtensions,
    rows12: allRows12,
    rows13: allRows13,
    start(s: ClientSession): void {
      const offer = session !== undefined && fits(s, session) ? session : undefined;
      s.resuming = new Resuming(offer, onSession);
      if (offer?.version === version.tls12) drawSessionId(s);
    },
  });
}

/** Room for the rest of the ClientHello. */
const HELLO = 1024;

/** Whether a session may stand for the full handshake that this client would make. */
function fits(s: ClientSession, session: Session): boolean {
  const { config } = s;
  const now = config.clock();
  const alive = now !== undefined && now >= session.receivedAt && now < session.until;
  const speaks = s.offers(session.version) && config.suites.includes(session.suite);
  const small = session.ticket.length <= config.buffers.output - HELLO;
  const fitting = alive && speaks && small && session.serverName === config.serverName;
  return fitting && (!config.verify || trusts(s, session, now));
}

/**
 * A session is worth what was verified when it began. Who demands a nonce wants news in every handshake; who takes
 * staples without one takes those of a cache, and a session ends no later than its staples do.
 */
function trusts(s: ClientSession, session: Session, now: number): boolean {
  const { trust, ocsp } = s.config;
  const { anchor, verifiedAt } = session;
  if (anchor === undefined || ocsp.nonce === true) return false;
  if (ocsp.maxAge !== undefined && now > verifiedAt + ocsp.maxAge) return false;
  const demanded = ocsp.stapling !== "off" && ocsp.mustStaple && session.mustStaple ? "leaf" : "if-present";
  if (!satisfies(session.policy, ocsp.policy) || !satisfies(session.policy, demanded)) return false;
  if (!covers(session, demandedBy(s))) return false;
  return trust.some(({ der }) => equalBytes(fingerprint(s, der), 0, anchor.length, anchor, 0, anchor.length));
}

/** Whether no staple was taken then that would be refused now, or not asked for that would be now. */
function covers({ demanded, version: spoken }: Session, now: Demanded): boolean {
  const asked = askedOf(demanded.stapling, spoken) >= askedOf(now.stapling, spoken);
  const ends = now.allowMissingNextUpdate || !demanded.allowMissingNextUpdate;
  return asked && ends && demanded.skew <= now.skew && includesAll(now.responders, demanded.responders);
}

/** How much was asked for: nothing, the server's staple, more of them. In TLS 1.3 there is but one way. */
function askedOf(stapling: Stapling, spoken: number): number {
  if (stapling === "off") return 0;
  return stapling === "v2-multi" && spoken === version.tls12 ? 2 : 1;
}

/** Whether each hash of `few` is one of `many`. */
function includesAll(many: Uint8Array, few: Uint8Array): boolean {
  for (let at = 0; at < few.length; at += hashSize.sha256) if (!includes(many, few, at)) return false;
  return true;
}

function includes(many: Uint8Array, bytes: Uint8Array, at: number): boolean {
  const size = hashSize.sha256;
  for (let i = 0; i < many.length; i += size)
    if (equalBytes(bytes, at, at + size, many, i, i + size)) return true;
  return false;
}

/** One table of two; of rows that say the same, the first counts. */
function join<T extends object>(first: readonly T[], second: readonly T[]): readonly T[] {
  return table(first.concat(second));
}

// ---- Extensions

const m = inMessage;

const allExtensions = join<ExtensionRow>(extensions, [
  {
    type: extensionType.session_ticket,
    where: m.server_hello12,
    offered: (s) => s.offers(version.tls12),
    write: writeTicket12,
    read: (s) => {
      if (s.resuming) s.resuming.expected = 1;
    },
  },
  {
    type: extensionType.psk_key_exchange_modes,
    where: 0,
    offered: (s) => s.offers(version.tls13),
    write: writeModes,
    read: () => {},
  },
  // RFC 8446 4.2.11: the last one
  {
    type: extensionType.pre_shared_key,
    where: m.server_hello,
    offered: (s) => s.resuming?.offer13(s) !== undefined,
    write: writePreSharedKey,
    read: readPreSharedKey,
  },
]);

/** RFC 5077 3.2: the ticket, or nothing to ask for one. */
function writeTicket12(s: ClientSession, w: Writer): void {
  const offer = s.resuming?.offer;
  if (offer?.version === version.tls12) w.copy(offer.ticket);
}

/** PskKeyExchangeModes, RFC 8446 4.2.9: psk_dhe_ke(1), which keeps forward secrecy. */
function writeModes(_: ClientSession, w: Writer): void {
  w.u8(1);
  w.u8(1);
}

/** OfferedPsks, RFC 8446 4.2.11: one identity, and room for its binder. */
function writePreSharedKey(s: ClientSession, w: Writer): void {
  const offer = s.resuming?.offer13(s);
  const now = s.config.clock();
  if (offer === undefined || now === undefined) throw faults.INTERNAL_ERROR;
  const identities = w.begin16();
  const identity = w.begin16();
  w.copy(offer.ticket);
  w.finish16(identity);
  writeAge(w, (now - offer.receivedAt) * 1000 + offer.ageAdd);
  w.finish16(identities);
  const binders = w.begin16();
  const binder = w.begin8();
  w.skip(hashSize[suiteOf(offer).hash]);
  w.finish8(binder);
  w.finish16(binders);
}

/** obfuscated_ticket_age, modulo 2^32. */
function writeAge(w: Writer, age: number): void {
  w.u16(Math.floor(age / 0x10000) % 0x10000);
  w.u16(age % 0x10000);
}

/** The server took the one identity that we offered; its suite must have the PSK's hash (RFC 8446 4.2.11). */
function readPreSharedKey(s: ClientSession, r: Reader): void {
  const { resuming } = s;
  if (resuming?.offer13(s) === undefined || r.u16() !== 0) throw faults.ILLEGAL_PARAMETER;
  resuming.accepted = true;
}

// ---- States

const on = handshakeType;

/** TLS 1.3: with a PSK neither certificate nor signature follows; afterwards the tickets' secret is kept. */
const allRows13 = join<Row<ClientSession>>(
  [
    { state: "WAIT_ENCRYPTED_EXTENSIONS", on: on.encrypted_extensions, run: receiveExtensions },
    { state: "SEND_FINISHED", on: STEP, run: finish13, sends: true },
  ],
  rows13,
);

/** TLS 1.2: tickets, and the abbreviated handshake, in which the server's Finished comes first (RFC 5077 3.1). */
const allRows12 = join<Row<ClientSession>>(
  [
    { state: "WAIT_CHANGE_CIPHER_SPEC", on: on.new_session_ticket, run: receiveTicket12 },
    { state: "WAIT_CHANGE_CIPHER_SPEC", on: CHANGE_CIPHER_SPEC, run: changeCipherSpec },
    { state: "WAIT_FINISHED", on: on.finished, run: receiveFinished12, most: verifyDataSize },
    { state: "SEND_LAST_FINISHED", on: STEP, run: sendLastFinished, sends: true },
  ],
  rows12,
);

function receiveExtensions(s: ClientSession): string {
  const next = receiveEncryptedExtensions(s);
  return s.resumed ? "WAIT_FINISHED" : next;
}

function finish13(s: ClientSession): string {
  const next = sendFinished(s);
  s.resuming?.keepSecret(s);
  return next;
}

function receiveTicket12(s: ClientSession): string {
  s.resuming?.takeTicket12(s);
  return s.state;
}

/** A ticket that was announced must have come (RFC 5077 3.3). */
function changeCipherSpec(s: ClientSession): string {
  if (s.resuming && s.resuming.expected > 0) throw faults.UNEXPECTED_MESSAGE;
  return receiveChangeCipherSpec(s);
}

function receiveFinished12(s: ClientSession): string {
  verifyFinished(s);
  return s.resumed ? "SEND_LAST_FINISHED" : connectAndDeliver(s);
}

function sendLastFinished(s: ClientSession): string {
  const ours = s.resuming?.ours;
  if (s.resuming === undefined || ours === undefined) throw faults.INTERNAL_ERROR;
  s.resuming.ours = undefined;
  changeAndFinish(s, ours);
  return connectAndDeliver(s);
}

function connectAndDeliver(s: ClientSession): string {
  s.resuming?.deliver12(s, schedule(s));
  return connect(s);
}
