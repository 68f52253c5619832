import { sha256 } from "../crypto/digest.js";
import { hashSize } from "../crypto/suites.js";
import { extensionRows, inMessage } from "../handshake/extensionrow.js";
import { requires, type Stapling, satisfies } from "../pki/policy.js";
import { writeU32 } from "../record/protection.js";
import { faults } from "../wire/fault.js";
import type { Reader } from "../wire/reader.js";
import { extensionType, version } from "../wire/registry.js";
import { equalBytes, type Writer } from "../wire/writer.js";
import type { Called, Resumption } from "./feature.js";
import type { ClientHandshake } from "./handshake.js";
import { drawSessionId } from "./hello.js";
import { demandedBy, offer13, suiteOf, TicketHolder } from "./resuming.js";
import type { Demanded, Session } from "./session.js";
import { decodeSession, encodeSession } from "./sessioncodec.js";

/**
 * Resumes the session that is given (RFC 8446 2.2, RFC 5077), if it fits what the client asks for, and hands each new
 * one to `onSession`. A session that fits no more is not offered, and the handshake is a full one.
 */
function begin(s: ClientHandshake): void {
  const { session, onSession } = s.config;
  if (!onSession && !session) return;
  const offer = session && fits(s, session) ? session : undefined;
  s.resuming = new TicketHolder(offer);
  if (offer?.version === version.tls12) drawSessionId(s);
}

/** Whether a session may stand for the full handshake that this client would make. */
function fits(s: ClientHandshake, session: Session): boolean {
  const { config } = s;
  const now = config.clock();
  const alive = now !== undefined && now >= session.receivedAt && now < session.until;
  const speaks = s.speaks(session.version) && config.suites.includes(session.suite);
  const fitting = alive && speaks && session.serverName === config.serverName;
  return fitting && (!config.verify || trusts(s, session, now));
}

/**
 * A session is worth what was verified when it began. Who demands a nonce wants news in every handshake, and so does who
 * has CRLs; who takes staples without a nonce takes those of a cache, and a session ends no later than its staples do.
 */
function trusts(s: ClientHandshake, session: Session, now: number): boolean {
  const { trust, ocsp, provider, crl } = s.config;
  const { anchor, verifiedAt } = session;
  if (anchor === undefined || ocsp.nonce === true || crl) return false;
  if (ocsp.maxAge !== undefined && now > verifiedAt + ocsp.maxAge) return false;
  const stapled = ocsp.stapling !== "off" && ocsp.mustStaple && session.mustStaple;
  if (!satisfies(session.policy, ocsp.policy) || (stapled && !requires(session.policy, 0))) return false;
  if (!covers(session, demandedBy(s))) return false;
  return trust.some(({ der }) => includesAll(sha256(provider, der), anchor));
}

/** Whether no staple was taken then that would be refused now, or not asked for that would be now. */
function covers(session: Session, now: Demanded): boolean {
  const { demanded, version: spoken } = session;
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

// ---- Extensions

const m = inMessage;

/** Sessions that are resumed, and the tickets of new ones. */
export const resumption: Called<Resumption> = Object.freeze({
  calls: Object.freeze({ begin, encode: encodeSession, decode: decodeSession }),
  extensions: extensionRows<ClientHandshake>([
    {
      type: extensionType.psk_key_exchange_modes,
      where: m.client_hello,
      sends: (s) => !!s.resuming && s.speaks(version.tls13),
      write: writeModes,
    },
    // Tickets come last, when it shows whether there is room for one
    {
      type: extensionType.session_ticket,
      where: m.client_hello | m.server_hello12,
      sends: (s) => !!s.resuming && s.speaks(version.tls12),
      write: writeTicket12,
      read: (s) => {
        if (s.resuming) s.resuming.expected = 1;
      },
    },
    // RFC 8446 4.2.11: behind all others
    {
      type: extensionType.pre_shared_key,
      where: m.client_hello | m.server_hello,
      sends: sendsPreSharedKey,
      write: writePreSharedKey,
      read: readPreSharedKey,
    },
  ]),
});

/** RFC 5077 3.2: the ticket, or nothing to ask for one. */
function writeTicket12(s: ClientHandshake, w: Writer): void {
  const { resuming } = s;
  const offer = resuming?.offer;
  if (offer?.version === version.tls12 && resuming?.fits(w, offer.ticket.length)) w.copy(offer.ticket);
}

/** PskKeyExchangeModes, RFC 8446 4.2.9: psk_dhe_ke(1), which keeps forward secrecy. */
function writeModes(_: ClientHandshake, w: Writer): void {
  w.u8(1);
  w.u8(1);
}

/** Bytes of pre_shared_key without the ticket and the binder: with its header, one of each (RFC 8446 4.2.11). */
const PSK_OVERHEAD = 4 + 2 + 2 + 4 + 2 + 1;

function sendsPreSharedKey(s: ClientHandshake): boolean {
  const offer = offer13(s);
  if (!offer) return false;
  const length = PSK_OVERHEAD + offer.ticket.length + hashSize[suiteOf(offer).hash];
  return s.resuming!.fits(s.engine.writer, length);
}

/** OfferedPsks, RFC 8446 4.2.11: one identity, and room for its binder. */
function writePreSharedKey(s: ClientHandshake, w: Writer): void {
  const offer = offer13(s)!;
  const now = s.config.clock();
  if (now === undefined) throw faults.INTERNAL_ERROR;
  const identities = w.begin16();
  const identity = w.begin16();
  w.copy(offer.ticket);
  w.finish16(identity);
  // obfuscated_ticket_age, modulo 2^32
  writeU32(w.bytes, w.skip(4), (now - offer.receivedAt) * 1000 + offer.ageAdd);
  w.finish16(identities);
  const binders = w.begin16();
  const binder = w.begin8();
  w.skip(hashSize[suiteOf(offer).hash]);
  w.finish8(binder);
  w.finish16(binders);
}

/** The server took the one identity that we offered; its suite must have the PSK's hash (RFC 8446 4.2.11). */
function readPreSharedKey(s: ClientHandshake, r: Reader): void {
  if (!offer13(s) || r.u16() !== 0) throw faults.ILLEGAL_PARAMETER;
  s.resuming!.accepted = true;
}
