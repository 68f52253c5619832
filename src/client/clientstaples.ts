import { saw } from "../handshake/extensions.js";
import type { Staples } from "../handshake/handshake.js";
import { COLUMNS, rowsOf, STEP } from "../record/row.js";
import { before } from "../wire/join.js";
import { extensionType, handshakeType } from "../wire/registry.js";
import { receiveCertificateRequest } from "./client13.js";
import { sendCertificate } from "./clientcertificates.js";
import type { Features } from "./feature.js";
import type { ClientHandshake } from "./handshake.js";
import type { ClientState } from "./states.js";

/** Has the staples for these certificates, or undefined where they come later, by `staple`: the handshake waits for them. */
export type AskStaples = (certificates: readonly Uint8Array[]) => Staples | undefined;

/**
 * The features of one connection whose client's staples are asked for when a server wants them, and not before: in TLS 1.3
 * alone (RFC 8446 4.4.2.1).
 */
export function stapling(features: Features, ask: AskStaples): Features {
  const own = rowsOf<ClientHandshake>([
    {
      state: "WAIT_CERTIFICATE_OR_REQUEST",
      on: handshakeType.certificate_request,
      run: (s) => wanted(s, receiveCertificateRequest(s), ask),
    },
    { state: "SEND_CERTIFICATE", on: STEP, run: sendOrAwait, sends: true },
    { state: "AWAIT_STAPLES", on: STEP, run: (s) => s.state, waits: true },
  ]);
  return Object.freeze(Object.assign({}, features, { table13: before(COLUMNS, own, features.table13) }));
}

/** In the place of staples that will come. */
const awaited: Staples = Object.freeze([]);

function sendOrAwait(s: ClientHandshake): ClientState {
  return s.staples === awaited ? "AWAIT_STAPLES" : sendCertificate(s);
}

/** Asks, where the server wants staples, and gets a certificate. */
function wanted(s: ClientHandshake, next: ClientState, ask: AskStaples): ClientState {
  const asked = saw(s, extensionType.status_request) && s.scheme > 0;
  if (asked && s.identity) s.staples = ask(s.identity.certificates) ?? awaited;
  return next;
}

/** Hands over staples that are awaited, and goes on; without effect when none are. */
export function staple(s: ClientHandshake, staples: Staples): void {
  if (s.staples !== awaited || s.engine.fault) return;
  s.staples = staples;
  if (s.state !== "AWAIT_STAPLES") return;
  s.state = "SEND_CERTIFICATE";
  s.engine.wake();
}
