import { verifyDataSize } from "../crypto/keys12.js";
import { keepExporterSecret12, keepExporterSecret13 } from "../handshake/exporter.js";
import { COLUMNS, rowsOf, STEP } from "../record/row.js";
import { before } from "../wire/join.js";
import { handshakeType } from "../wire/registry.js";
import { receiveFinished12 } from "./client12.js";
import { deriveApplicationKeys } from "./client13.js";
import type { Features } from "./feature.js";
import type { ClientHandshake } from "./handshake.js";
import type { ClientState } from "./states.js";

const rows13 = rowsOf<ClientHandshake>([{ state: "DERIVE_APPLICATION_KEYS", on: STEP, run: deriveAll }]);
const rows12 = rowsOf<ClientHandshake>([
  { state: "WAIT_FINISHED", on: handshakeType.finished, run: keepAndFinish, most: verifyDataSize },
]);

/** A client of these features that keeps, in either version, what keying material is exported from: rows before theirs. */
export function exporting(features: Features): Features {
  return Object.freeze(
    Object.assign({}, features, {
      table13: before(COLUMNS, rows13, features.table13),
      table12: before(COLUMNS, rows12, features.table12),
    }),
  );
}

function deriveAll(s: ClientHandshake): ClientState {
  const next = deriveApplicationKeys(s);
  keepExporterSecret13(s);
  return next;
}

function keepAndFinish(s: ClientHandshake): ClientState {
  keepExporterSecret12(s);
  return receiveFinished12(s);
}
