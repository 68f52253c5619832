import { sha256 } from "../crypto/digest.js";
import { masterSize } from "../crypto/keys12.js";
import { binder, maxTicketNonce, resumptionSecret, ticketPsk } from "../crypto/psk13.js";
import { findSuite, hashSize, type Suite } from "../crypto/suites.js";
import { newSchedule13 } from "../handshake/handshake13.js";
import { at } from "../handshake/memory.js";
import { metBy } from "../pki/policy.js";
import { faults } from "../wire/fault.js";
import { none, type Reader } from "../wire/reader.js";
import { version } from "../wire/registry.js";
import { copyBytes, copySecret, type Writer } from "../wire/writer.js";
import type { ClientHandshake, Resuming } from "./handshake.js";
import type { Demanded, Session } from "./session.js";

/** RFC 8446 4.6.1: seven days. */
const MAX_LIFETIME = 604_800;
/** Tickets that are taken of one connection in TLS 1.3; each is work, and a session to keep. */
const MAX_TICKETS = 16;

/** What a connection that may resume keeps. */
export class TicketHolder implements Resuming {
  offer: Session | undefined;
  accepted = false;
  expected = 0;
  /** What sessions of this connection are worth: what was verified when the first of them began. */
  private worth: Worth | undefined;
  /** TLS 1.2: what it held. */
  private ticket: Uint8Array | undefined;
  private lifetime = 0;

  constructor(offer: Session | undefined) {
    this.offer = offer;
  }

  /** Whether the ClientHello has room for the offer; if not, there is none, and the handshake is a full one. */
  fits(w: Writer, length: number): boolean {
    const fits = length <= w.room;
    if (!fits) this.offer = undefined;
    return fits;
  }

  // ---- TLS 1.3

  /**
   * Fills in the binder, which ends the ClientHello that was just written: over all of it up to the binders,
   * whose length counts as if they were there (RFC 8446 4.2.11.2).
   */
  bind(s: ClientHandshake, w: Writer): void {
    const offer = offer13(s);
    if (!offer) return;
    const { hash } = suiteOf(offer);
    const start = s.engine.outbox.contentStart;
    const binderAt = w.at - hashSize[hash];
    const end = binderAt - BINDERS;
    w.finish24(start + 1);
    // Until the server chooses, the hash is that of the PSK
    s.transcript.algorithm = hash;
    s.transcript.update(w.bytes, start, end);
    s.transcript.prehashed = end - start;
    s.digest();
    const keys = newSchedule13(s, hash);
    keys.start(offer.secret);
    binder(keys, at.hash, at.verifyData);
    keys.forgetSecret();
    copyBytes(s.memory, at.verifyData, at.verifyData + keys.size, w.bytes, binderAt);
  }

  /** Our Finished is sent: what tickets are made of takes the place of a secret that is used up. */
  keepSecret(s: ClientHandshake): void {
    const keys = s.schedule13;
    s.digest();
    resumptionSecret(keys, at.hash, at.resumptionSecret);
    keys.forgetSecret();
    this.expected = MAX_TICKETS;
  }

  /** NewSessionTicket, RFC 8446 4.6.1: its nonce and its ticket are spans of the message. */
  takeTicket13(
    s: ClientHandshake,
    lifetime: number,
    ageAdd: number,
    nonceAt: number,
    nonceLength: number,
    start: number,
    end: number,
  ): void {
    const { bytes } = s.engine.reader;
    const { memory } = s;
    if (lifetime > MAX_LIFETIME) throw faults.ILLEGAL_PARAMETER;
    if (lifetime === 0 || nonceLength > maxTicketNonce || this.expected === 0) return;
    this.expected--;
    const keys = s.schedule13;
    copyBytes(bytes, nonceAt, nonceAt + nonceLength, memory, at.verifyData);
    ticketPsk(keys, at.resumptionSecret, at.verifyData, nonceLength, at.hash);
    const secret = copySecret(memory, at.hash, at.hash + keys.size);
    s.erase(at.hash, at.verifyData);
    this.hand(s, secret, new Uint8Array(bytes.subarray(start, end)), lifetime, ageAdd);
  }

  // ---- TLS 1.2

  /** NewSessionTicket, RFC 5077 3.3; an empty one gives none. */
  takeTicket12(r: Reader): void {
    if (this.expected === 0) throw faults.UNEXPECTED_MESSAGE;
    this.expected = 0;
    this.lifetime = r.u32();
    const start = r.skip(r.u16());
    this.ticket = new Uint8Array(r.bytes.subarray(start, r.at));
  }

  /** Hands out the session, now that the handshake is complete; the master secret is still there. */
  deliver12(s: ClientHandshake): void {
    const { ticket, lifetime } = this;
    this.ticket = undefined;
    // RFC 7627 5.3: without it a session must not be resumed
    if (!ticket || ticket.length === 0 || !s.extendedMasterSecret) return;
    const secret = copySecret(s.memory, at.schedule, at.schedule + masterSize);
    // RFC 5077 3.3: 0 says nothing about the lifetime
    this.hand(s, secret, ticket, lifetime === 0 ? MAX_LIFETIME : lifetime, 0);
  }

  // ---- Both

  /** The server has proved who it is, and its certificates are still there. */
  appraise(s: ClientHandshake): void {
    const { offer } = this;
    if (this.accepted && offer) this.worth = worthOf(offer);
    else this.worth = verified(s);
    this.offer = undefined;
  }

  private hand(
    s: ClientHandshake,
    secret: Uint8Array,
    ticket: Uint8Array,
    lifetime: number,
    ageAdd: number,
  ): void {
    const now = s.config.clock();
    const { worth } = this;
    if (now === undefined || !worth) return;
    const until = Math.min(worth.until, now + Math.min(lifetime, MAX_LIFETIME));
    if (!(until > now)) return;
    const own = {
      version: s.version,
      suite: s.suiteInForce.id,
      secret,
      ticket,
      ageAdd,
      receivedAt: now,
      until,
      serverName: s.config.serverName,
    };
    s.config.onSession?.(Object.freeze(Object.assign({}, worth, own)));
  }
}

/** Bytes before the binder: the lengths of the list and of the binder itself. */
const BINDERS = 3;

/** What may be offered to a server of TLS 1.3: after a HelloRetryRequest the suite's hash is settled (RFC 8446 4.1.4). */
export function offer13(s: ClientHandshake): Session | undefined {
  const { suite, resuming } = s;
  const offer = resuming?.offer;
  if (offer?.version !== version.tls13) return undefined;
  return suite === undefined || suite.hash === suiteOf(offer).hash ? offer : undefined;
}

/** The suite of a session that is offered, which is one of ours. */
export function suiteOf(session: Session): Suite {
  return findSuite(session.suite)!;
}

type Worth = Pick<Session, "until" | "verifiedAt" | "policy" | "mustStaple" | "demanded" | "anchor">;

/** Without the secret, lest it stay. */
function worthOf(session: Session): Worth {
  const { until, verifiedAt, policy, mustStaple, demanded, anchor } = session;
  return { until, verifiedAt, policy, mustStaple, demanded, anchor };
}

/** What a full handshake has verified; undefined while the clock is not set, as then nothing has an end. */
function verified(s: ClientHandshake): Worth | undefined {
  const { verifier, config } = s;
  const { path } = verifier;
  const now = config.clock();
  if (now === undefined) return undefined;
  let until = now + MAX_LIFETIME;
  let verifiedAt = now;
  let stapled = 0;
  for (let i = 0; i < path.length; i++) {
    const staple = verifier.stapleAt(i);
    until = Math.min(until, path.at(path.index(i)).notAfter);
    if (!staple.present) continue;
    if (stapled === i) stapled++;
    verifiedAt = Math.min(verifiedAt, staple.thisUpdate);
    // Without nextUpdate nothing but `maxAge` ends it
    if (!Number.isNaN(staple.nextUpdate)) until = Math.min(until, staple.nextUpdate);
  }
  const { anchor } = path;
  return {
    until,
    verifiedAt,
    // Who verifies nothing has an empty path
    policy: metBy(stapled, Math.max(1, path.length)),
    mustStaple: anchor !== undefined && path.mustStaple,
    demanded: demandedBy(s),
    anchor: anchor && sha256(config.provider, anchor.der),
  };
}

/** What this client demands of staples. */
export function demandedBy(s: ClientHandshake): Demanded {
  const { stapling, skew, allowMissingNextUpdate, responders } = s.config.ocsp;
  const size = hashSize.sha256;
  const known = responders.length > 0 ? new Uint8Array(size * responders.length) : none;
  for (let i = 0; i < responders.length; i++) {
    const { nameBytes, nameStart, nameEnd, key } = responders[i];
    const hash = s.config.provider.hash("sha256");
    hash.update(nameBytes, nameStart, nameEnd);
    hash.update(key.bytes, key.start, key.end);
    hash.digest(known, i * size);
  }
  return { stapling, skew, allowMissingNextUpdate, responders: known };
}
