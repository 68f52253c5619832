import { KeySchedule13 } from "./keys13.js";

/** The longest ticket_nonce that `ticketPsk` takes; servers send 1 to 8 bytes. */
export const maxTicketNonce = 48;

/** The key schedule of a TLS 1.3 handshake that resumes a session, RFC 8446 7.1 and 4.6.1. */
export class PskSchedule13 extends KeySchedule13 {
  /** Early Secret = HKDF-Extract(0, PSK). */
  startWith(psk: Uint8Array): void {
    this.extract(psk, 0, psk.length);
  }

  /**
   * Writes a PskBinderEntry at `at`, RFC 8446 4.2.11.2: the Finished of a binder_key, which is
   * Derive-Secret(Early Secret, "res binder", ""). At `hashAt`: the hash of the ClientHello as far as its binders.
   */
  binder(hashAt: number, at: number): void {
    this.provider.hash(this.hash).digest(this.memory, at);
    this.derive("res binder", at, at);
    this.finished(at, hashAt, at);
  }

  /** Writes resumption_master_secret at `at`; at `hashAt` the transcript up to the client's Finished. */
  resumptionSecret(hashAt: number, at: number): void {
    this.derive("res master", hashAt, at);
  }

  /**
   * Writes the PSK of a ticket at `at`: HKDF-Expand-Label(resumption_master_secret, "resumption", ticket_nonce,
   * Hash.length). The nonce is `bytes[start…end)`, at most `maxTicketNonce` long.
   */
  ticketPsk(secretAt: number, bytes: Uint8Array, start: number, end: number, at: number): void {
    this.expandLabel(secretAt, "resumption", bytes, start, end - start, this.size);
    this.emit(this.memory, at, this.size);
  }
}
