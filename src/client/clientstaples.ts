import { saw } from "../handshake/extensions.js";
import type { Staples } from "../handshake/handshake.js";
import { type AnyRow, STEP } from "../record/engine.js";
import { extensionType, handshakeType } from "../wire/registry.js";
import { table } from "../wire/table.js";
import type { Features } from "./feature.js";
import type { ClientHandshake } from "./handshake.js";

/** Has the staples for these certificates, or undefined where they come later, by `staple`: the handshake waits for them. */
export type AskStaples = (certificates: readonly Uint8Array[]) => Staples | undefined;

type Run = (s: ClientHandshake) => string;

/**
 * The features of one connection whose client's staples are asked for when a server wants them, and not before: in TLS 1.3
 * alone (RFC 8446 4.4.2.1).
 */
export function stapling(features: Features, ask: AskStaples): Features {
  const own: AnyRow = { state: "AWAIT_STAPLES", on: STEP, run: (s: ClientHandshake) => s.state, waits: true };
  const rows13 = table(features.rows13.map((row) => asking(row, ask)).concat(own));
  return Object.freeze(Object.assign({}, features, { rows13 }));
}

/** The same row, but that staples are asked for once they are wanted, and there before they are sent. */
function asking(row: AnyRow, ask: AskStaples): AnyRow {
  const run = row.run as Run;
  const instead = (other: Run): AnyRow => Object.assign({}, row, { run: other });
  if (row.on === handshakeType.certificate_request) return instead((s) => wanted(s, run(s), ask));
  if (row.state !== "SEND_CERTIFICATE") return row;
  return instead((s) => (s.staples === awaited ? "AWAIT_STAPLES" : run(s)));
}

/** In the place of staples that will come. */
const awaited: Staples = Object.freeze([]);

/** Asks, where the server wants staples, and gets a certificate. */
function wanted(s: ClientHandshake, next: string, ask: AskStaples): string {
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
