import { binder } from "../crypto/psk13.js";
import { findSuite, hashSize } from "../crypto/suites.js";
import { at } from "../handshake/memory.js";
import { faults } from "../wire/fault.js";
import { Reader } from "../wire/reader.js";
import { equalSecret } from "../wire/writer.js";
import type { ServerHandshake } from "./handshake.js";
import type { Ticket } from "./ticket.js";
import { openTicket } from "./tickets.js";

/** Tickets that are tried of a ClientHello; clients show one or two. */
const MAX_TICKETS = 4;

/** Resumes from the first ticket that is good, RFC 8446 4.2.11: psk_dhe_ke only. None good: a full handshake. */
export function resume13(s: ServerHandshake): void {
  const { offer } = s;
  if (!offer.pskDhe) return;
  const { bytes } = s.engine.reader;
  const r = new Reader(bytes, offer.identitiesStart, offer.identitiesEnd);
  for (let i = 0; r.left > 0 && i < MAX_TICKETS; i++) {
    const identity = r.enter16();
    const ticket = openTicket(s, bytes, r.at, r.end);
    r.drop(identity);
    // obfuscated_ticket_age: a measure against the replay of early data, which is never taken
    r.u32();
    if (ticket === undefined || findSuite(ticket.suite)?.hash !== s.suiteInForce.hash) continue;
    accept(s, ticket, i);
    return;
  }
}

function accept(s: ServerHandshake, ticket: Ticket, index: number): void {
  const size = hashSize[s.suiteInForce.hash];
  if (ticket.secret.length !== size) return;
  const keys = s.beginSchedule13();
  keys.start(ticket.secret);
  ticket.secret.fill(0);
  s.ticket = ticket;
  s.selectedPsk = index;
  hashTruncated(s);
  binder(keys, at.hash, at.verifyData);
  const given = findBinder(s, index, size);
  if (!equalSecret(s.memory, at.verifyData, s.engine.reader.bytes, given, size)) throw faults.BINDER_MISMATCH;
}

/** Transcript-Hash(Truncate(ClientHello)), RFC 8446 4.2.11.2: the message up to the list of binders. */
function hashTruncated(s: ServerHandshake): void {
  const { inbox } = s.engine;
  s.transcript.update(inbox.bytes, inbox.messageAt, s.offer.bindersAt);
  s.transcript.prehashed = s.offer.bindersAt - inbox.messageAt;
  s.digest();
}

/** Where the binder of the identity at `index` lies. */
function findBinder(s: ServerHandshake, index: number, size: number): number {
  const r = new Reader(s.engine.reader.bytes, s.offer.bindersAt + 2, s.offer.bindersEnd);
  for (let i = 0; i < index; i++) r.skip(r.u8());
  if (r.u8() !== size) throw faults.BINDER_MISMATCH;
  return r.skip(size);
}
