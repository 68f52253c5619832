import type { KeySchedule13 } from "./keys13.js";

/** What a session is resumed by in TLS 1.3, RFC 8446 4.2.11 and 4.6.1. */

/** The longest ticket_nonce that `ticketPsk` takes; servers send 1 to 8 bytes. */
export const maxTicketNonce = 48;

/**
 * Writes a PskBinderEntry at `at`, RFC 8446 4.2.11.2: the Finished of a binder_key, which is
 * Derive-Secret(Early Secret, "res binder", ""). At `hashAt`: the hash of the ClientHello as far as its binders.
 */
export function binder(keys: KeySchedule13, hashAt: number, at: number): void {
  keys.provider.hash(keys.hash).digest(keys.memory, at);
  keys.derive("res binder", at, at);
  keys.finished(at, hashAt, at);
}

/** Writes resumption_master_secret at `at`; at `hashAt` the transcript up to the client's Finished. */
export function resumptionSecret(keys: KeySchedule13, hashAt: number, at: number): void {
  keys.derive("res master", hashAt, at);
}

/**
 * Writes the PSK of a ticket at `at`: HKDF-Expand-Label(resumption_master_secret, "resumption", ticket_nonce,
 * Hash.length). The nonce is at `nonceAt`, and at most `maxTicketNonce` long.
 */
export function ticketPsk(
  keys: KeySchedule13,
  secretAt: number,
  nonceAt: number,
  nonceLength: number,
  at: number,
): void {
  keys.expandLabel(secretAt, "resumption", nonceAt, nonceLength, keys.size, at);
}
