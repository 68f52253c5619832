import { sha256 } from "../crypto/digest.js";
import type { Identity } from "../crypto/provider.js";
import { hashSize } from "../crypto/suites.js";
import { unlessFault } from "../wire/fault.js";
import { Reader } from "../wire/reader.js";
import { copySecret, equalBytes, Writer } from "../wire/writer.js";
import { MAX_TICKET_LIFETIME } from "./config.js";
import type { ServerHandshake } from "./handshake.js";
import type { TicketKey } from "./options.js";
import type { Ticket } from "./ticket.js";

/** key_name, iv, sealed state with its tag, as RFC 5077 section 4 recommends, but with AES-256-GCM. */
const NAME = 16;
const IV = 12;
const TAG = 16;
/** The longest state: the fields below with a name of 255 bytes and a secret of 48. */
const MAX_STATE = 2 + 2 + 1 + 6 + 1 + 255 + hashSize.sha256 + 1 + 48;
/** Bytes of the longest ticket. */
export const MAX_TICKET = NAME + IV + MAX_STATE + TAG;

/** Seconds that a ticket given out now may live; 0: there must be none. */
export function ticketLife(s: ServerHandshake): number {
  const { ticketKeys, ticketLifetime, clientAuth } = s.config;
  const { now, ticket, selection } = s;
  if (ticketKeys.length === 0 || clientAuth === "require" || s.verifier.sent > 0 || now === undefined)
    return 0;
  // Who resumes sees no staple, so the ticket ends with the staples, and with the ticket before it
  const until = ticket ? ticket.expires : (selection?.staplesUntil ?? Number.POSITIVE_INFINITY);
  const life = Math.floor(Math.min(ticketLifetime, until - now, MAX_TICKET_LIFETIME));
  return Math.max(life, 0);
}

/** Makes a ticket of the session's state and the secret at `memory[start…end)`, to live `life` seconds. */
export function sealTicket(s: ServerHandshake, start: number, end: number, life: number): Uint8Array {
  const { provider, ticketKeys } = s.config;
  const [{ name, key }] = ticketKeys;
  const ticket = new Uint8Array(MAX_TICKET);
  ticket.set(name);
  provider.random(ticket, NAME, NAME + IV);
  const w = new Writer(ticket, NAME + IV, MAX_TICKET - TAG);
  writeState(s, w, Math.floor(s.now ?? 0) + life);
  w.u8(end - start);
  w.copy(s.memory, start, end);
  const aead = provider.aead("aes-256-gcm", key, 0, key.length);
  aead.seal(ticket.slice(NAME, NAME + IV), ticket, 0, NAME, ticket, NAME + IV, w.at);
  aead.dispose();
  return ticket.subarray(0, w.at + TAG);
}

function writeState(s: ServerHandshake, w: Writer, expires: number): void {
  w.u16(s.version);
  w.u16(s.suiteInForce.id);
  w.u8(s.extendedMasterSecret ? 1 : 0);
  w.u24(Math.floor(expires / 2 ** 24));
  w.u24(expires % 2 ** 24);
  const name = w.begin8();
  w.ascii(s.offer.serverName ?? "");
  w.finish8(name);
  w.copy(certificateHash(s, s.chosen));
}

function certificateHash(s: ServerHandshake, { certificates: [own] }: Identity): Uint8Array {
  return sha256(s.config.provider, own);
}

/** Whether the ticket's session began with this certificate: another one's session says nothing of it. */
export function isOf(s: ServerHandshake, { certificate }: Ticket, identity: Identity): boolean {
  return equalBytes(certificate, 0, certificate.length, certificateHash(s, identity), 0, hashSize.sha256);
}

/** The handshake will be a full one. */
export function dropTicket(s: ServerHandshake): void {
  s.ticket?.secret.fill(0);
  s.ticket = undefined;
}

/**
 * Opens `bytes[start…end)`. Undefined when it is none of ours, altered or expired, or for another version or name
 * than this handshake's (RFC 6066 section 3): then the handshake is a full one.
 */
export function openTicket(
  s: ServerHandshake,
  bytes: Uint8Array,
  start: number,
  end: number,
): Ticket | undefined {
  const { now } = s;
  // The option may have changed since the ticket was sealed, perhaps by another server
  if (s.config.clientAuth === "require" || now === undefined) return undefined;
  if (end - start < NAME + IV + TAG || end - start > MAX_TICKET) return undefined;
  const key = findKey(s.config.ticketKeys, bytes, start);
  const state = key && unseal(s, key, copySecret(bytes, start, end));
  const ticket = state && unlessFault(() => readState(new Reader(state)));
  if (ticket === undefined || !(now < ticket.expires && ticket.expires <= now + MAX_TICKET_LIFETIME))
    return undefined;
  const fits = ticket.version === s.version && ticket.serverName === s.offer.serverName;
  return fits ? ticket : undefined;
}

function findKey(keys: readonly TicketKey[], bytes: Uint8Array, start: number): TicketKey | undefined {
  return keys.find(({ name }) => equalBytes(name, 0, NAME, bytes, start, start + NAME));
}

function unseal(s: ServerHandshake, { key }: TicketKey, ticket: Uint8Array): Uint8Array | undefined {
  const aead = s.config.provider.aead("aes-256-gcm", key, 0, key.length);
  const nonce = ticket.slice(NAME, NAME + IV);
  const opened = aead.open(nonce, ticket, 0, NAME, ticket, NAME + IV, ticket.length);
  aead.dispose();
  return opened ? ticket.subarray(NAME + IV, ticket.length - TAG) : undefined;
}

function readState(r: Reader): Ticket {
  const version = r.u16();
  const suite = r.u16();
  const ems = r.u8() === 1;
  const expires = r.u24() * 2 ** 24 + r.u24();
  const name = r.enter8();
  let serverName = "";
  while (r.left > 0) serverName += String.fromCharCode(r.u8());
  r.leave(name);
  const certificateAt = r.skip(hashSize.sha256);
  const certificate = r.bytes.slice(certificateAt, r.at);
  const length = r.enter8();
  const secret = copySecret(r.bytes, r.at, r.end);
  r.drop(length);
  r.finish();
  return { version, suite, ems, expires, serverName: serverName || undefined, certificate, secret };
}
