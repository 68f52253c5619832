import { table } from "../wire/table.js";
import { keyRows, signatureRows } from "./algorithm.js";
import { extensionRows, type PkiFeature, type PkiTables } from "./certificate.js";
import type { Oid } from "./der.js";

const base: PkiTables = Object.freeze({
  extensions: extensionRows,
  keys: keyRows,
  signatures: signatureRows,
});

/**
 * The tables with what these features add: `nameConstraints`, `rsa`. Make them once, where a module is loaded, so
 * that a device keeps them in flash.
 */
export function pkiTables(features: readonly PkiFeature[] = []): PkiTables {
  return Object.freeze(features.reduce(withFeature, base));
}

/** The tables with what one more feature adds. */
export function withFeature(to: PkiTables, feature: PkiFeature): PkiTables {
  return Object.assign({}, to, feature, {
    extensions: join(to.extensions, feature.extensions),
    keys: join(to.keys, feature.keys),
    signatures: join(to.signatures, feature.signatures),
  });
}

function join<T extends { readonly oid: Oid }>(rows: readonly T[], added: readonly T[] = []): readonly T[] {
  const others = rows.filter(({ oid }) => !added.some((row) => row.oid === oid));
  return table(others.concat(added));
}
