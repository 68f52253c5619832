import type { ServerHandshake } from "./handshake.js";
import type { ServerState } from "./states.js";

/** What follows once the client has proved itself: the end, unless the owner wants to look at it first. */
export function admitted(s: ServerHandshake): ServerState {
  return s.config.holdClients && s.verifier.sent > 0 ? "AWAIT_APPROVAL" : "COMPLETE";
}
