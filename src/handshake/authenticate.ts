import type { Handshake } from "./session.js";

/** One costly step of authenticating the peer: true when all is done and well. */
export function authenticate(s: Handshake): boolean {
  return s.authenticate();
}
