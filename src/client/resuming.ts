import { sha256 } from "../crypto/digest.js";
import type { Hash } from "../crypto/provider.js";
import { maxTicketNonce, PskSchedule13 } from "../crypto/psk13.js";
import { findSuite, hashSize, type Suite } from "../crypto/suites.js";
import { at } from "../handshake/memory.js";
import { metBy } from "../pki/policy.js";
import { faults } from "../wire/fault.js";
import { none, type Reader } from "../wire/reader.js";
import { version } from "../wire/registry.js";
import { copySecret, type Writer } from "../wire/writer.js";
import type { ClientHandshake, Resuming } from "./handshake.js";
import type { Demanded, Session } from "./session.js";

/** RFC 8446 4.6.1: seven days. */
const MAX_LIFETIME = 604_800;
/** Tickets that are taken of one connection in TLS 1.3; each is work, and a session to keep. */
const MAX_TICKETS = 16;

/** Bytes of pre_shared_key without the ticket and the binder: with its header, one of each (RFC 8446 4.2.11). */
const PSK_OVERHEAD = 4 + 2 + 2 + 4 + 2 + 1;

/** What a connection that may resume keeps. */
export class TicketHolder implements Resuming {
  /** What is offered, as long as it fits. */
  private offer: Session | undefined;
  /** What sessions of this connection are worth: what was verified when the first of them began. */
  private worth: Worth | undefined;
  private readonly deliver: (session: Session) => void;
  /** The server goes on from it. */
  accepted = false;
  /** Tickets that will be taken; in TLS 1.2 the one that was announced, which must come. */
  expected = 0;
  /** TLS 1.2: what it held. */
  private ticket: Uint8Array | undefined;
  private lifetime = 0;
  /** After a HelloRetryRequest: the transcript that the binder covers, as far as it goes. */
  private transcript: Hash | undefined;

  constructor(offer: Session | undefined, deliver: (session: Session) => void) {
    this.offer = offer;
    this.deliver = deliver;
  }

  /** Whether the ClientHello has room for the offer; if not, there is none, and the handshake is a full one. */
  fits(w: Writer, length: number): boolean {
    const fits = length <= w.room;
    if (!fits) this.offer = undefined;
    return fits;
  }

  // ---- TLS 1.3

  offer13(s: ClientHandshake): Session | undefined {
    const { offer } = this;
    if (offer?.version !== version.tls13) return undefined;
    return s.suite === undefined || s.suite.hash === suiteOf(offer).hash ? offer : undefined;
  }

  sends13(s: ClientHandshake): boolean {
    const offer = this.offer13(s);
    if (offer === undefined) return false;
    return this.fits(s.engine.writer, PSK_OVERHEAD + offer.ticket.length + hashSize[suiteOf(offer).hash]);
  }

  /** Keeps what a binder after this HelloRetryRequest must cover: `message_hash` and the message itself. */
  retry(s: ClientHandshake, messageHash: Uint8Array): void {
    const { inbox, reader } = s.engine;
    this.transcript = s.config.provider.hash(s.suiteInForce.hash);
    this.transcript.update(messageHash, 0, messageHash.length);
    this.transcript.update(inbox.bytes, inbox.messageAt, reader.end);
  }

  /**
   * Fills in the binder, which ends the ClientHello that was just written: over all of it up to the binders,
   * whose length counts as if they were there (RFC 8446 4.2.11.2).
   */
  bind(s: ClientHandshake, w: Writer): void {
    const offer = this.offer13(s);
    if (offer === undefined) return;
    const { hash } = suiteOf(offer);
    const start = s.engine.outbox.contentStart;
    const binderAt = w.at - hashSize[hash];
    w.finish24(start + 1);
    const transcript = this.transcript ?? s.config.provider.hash(hash);
    transcript.update(w.bytes, start, binderAt - BINDERS);
    transcript.digest(s.memory, at.hash);
    const keys = this.schedule(s, suiteOf(offer));
    keys.startWith(offer.secret);
    keys.binder(at.hash, at.verifyData);
    keys.wipe();
    w.bytes.set(s.memory.subarray(at.verifyData, at.verifyData + keys.size), binderAt);
  }

  /** The key schedule's beginning: with the PSK if the server took it. */
  start13(s: ClientHandshake): PskSchedule13 {
    const keys = this.schedule(s, s.suiteInForce);
    if (this.accepted) keys.startWith(this.offer!.secret);
    else keys.start();
    return keys;
  }

  private schedule(s: ClientHandshake, suite: Suite): PskSchedule13 {
    return new PskSchedule13(s.config.provider, suite.hash, s.memory, at.schedule);
  }

  /** Our Finished is sent: what tickets are made of takes the place of a secret that is used up. */
  keepSecret(s: ClientHandshake): void {
    const keys = schedule(s);
    s.digest();
    keys.resumptionSecret(at.hash, at.resumptionSecret);
    keys.wipe();
    this.expected = MAX_TICKETS;
  }

  /** NewSessionTicket, RFC 8446 4.6.1: its nonce and its ticket are spans of the message. */
  takeTicket13(
    s: ClientHandshake,
    lifetime: number,
    ageAdd: number,
    nonceAt: number,
    nonceEnd: number,
    start: number,
    end: number,
  ): void {
    const { bytes } = s.engine.reader;
    if (lifetime > MAX_LIFETIME) throw faults.ILLEGAL_PARAMETER;
    if (lifetime === 0 || nonceEnd - nonceAt > maxTicketNonce || this.expected === 0) return;
    this.expected--;
    const keys = schedule(s);
    keys.ticketPsk(at.resumptionSecret, bytes, nonceAt, nonceEnd, at.hash);
    const secret = copySecret(s.memory, at.hash, at.hash + keys.size);
    s.forget(at.hash, at.verifyData);
    this.hand(s, secret, new Uint8Array(bytes.subarray(start, end)), lifetime, ageAdd);
  }

  // ---- TLS 1.2

  get offer12(): Session | undefined {
    return this.offer?.version === version.tls12 ? this.offer : undefined;
  }

  /** NewSessionTicket, RFC 5077 3.3; an empty one gives none. */
  takeTicket12(r: Reader): void {
    if (this.expected === 0) throw faults.UNEXPECTED_MESSAGE;
    this.expected = 0;
    this.lifetime = r.u32();
    const ticket = r.enter16();
    this.ticket = new Uint8Array(r.bytes.subarray(r.at, r.end));
    r.drop(ticket);
  }

  /** Hands out the session, now that the handshake is complete; the master secret is still at `memory[start…end)`. */
  deliver12(s: ClientHandshake, start: number, end: number): void {
    const { ticket, lifetime } = this;
    this.ticket = undefined;
    // RFC 7627 5.3: without it a session must not be resumed
    if (ticket === undefined || ticket.length === 0 || !s.extendedMasterSecret) return;
    const secret = copySecret(s.memory, start, end);
    // RFC 5077 3.3: 0 says nothing about the lifetime
    this.hand(s, secret, ticket, lifetime === 0 ? MAX_LIFETIME : lifetime, 0);
  }

  // ---- Both

  /** The server has proved who it is, and its certificates are still there. */
  appraise(s: ClientHandshake): void {
    const { offer } = this;
    this.worth = this.accepted && offer ? worthOf(offer) : verified(s);
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
    if (now === undefined || worth === undefined) return;
    const until = Math.min(worth.until, now + Math.min(lifetime, MAX_LIFETIME));
    if (!(until > now)) return;
    const { policy, mustStaple, demanded, anchor, verifiedAt } = worth;
    this.deliver(
      Object.freeze({
        version: s.version,
        suite: s.suiteInForce.id,
        secret,
        ticket,
        ageAdd,
        receivedAt: now,
        until,
        verifiedAt,
        serverName: s.config.serverName,
        anchor,
        policy,
        mustStaple,
        demanded,
      }),
    );
  }
}

/** Bytes before the binder: the lengths of the list and of the binder itself. */
const BINDERS = 3;

function schedule({ keys13 }: ClientHandshake): PskSchedule13 {
  if (!(keys13 instanceof PskSchedule13)) throw faults.INTERNAL_ERROR;
  return keys13;
}

export function suiteOf(session: Session): Suite {
  const suite = findSuite(session.suite);
  if (suite === undefined) throw faults.INTERNAL_ERROR;
  return suite;
}

type Worth = Pick<Session, "until" | "verifiedAt" | "policy" | "mustStaple" | "demanded" | "anchor">;

function worthOf({ until, verifiedAt, policy, mustStaple, demanded, anchor }: Session): Worth {
  return { until, verifiedAt, policy, mustStaple, demanded, anchor };
}

/** What a full handshake has verified; undefined while the clock is not set, as then nothing has an end. */
function verified(s: ClientHandshake): Worth | undefined {
  const { verifier, config } = s;
  const { path } = verifier;
  const now = config.clock();
  if (now === undefined) return undefined;
  const demanded = demandedBy(s);
  let until = now + MAX_LIFETIME;
  let verifiedAt = now;
  if (!config.verify || path.anchor === undefined)
    return { until, verifiedAt, policy: metBy(0, 1), mustStaple: false, demanded, anchor: undefined };
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
  const anchor = sha256(config.provider, path.anchor.der);
  const policy = metBy(stapled, path.length);
  return { until, verifiedAt, policy, mustStaple: path.mustStaple, demanded, anchor };
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
