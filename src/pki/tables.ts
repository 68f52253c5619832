import { table } from "../wire/table.js";
import { keyRows, signatureRows } from "./algorithm.js";
import { extensionRows, type PkiFeature, type PkiTables } from "./certificate.js";
import type { Oid } from "./der.js";

/**
 * The tables with what these features add: `nameConstraints`, `rsa`. Make them once, where a module is loaded, so
 * that a device keeps them in flash.
 */
export function pkiTables(features: readonly PkiFeature[] = []): PkiTables {
  let extensions = extensionRows;
  let keys = keyRows;
  let signatures = signatureRows;
  let rsa = false;
  let NameConstraints: PkiTables["NameConstraints"];
  for (let i = 0; i < features.length; i++) {
    const feature = features[i];
    extensions = join(extensions, feature.extensions);
    keys = join(keys, feature.keys);
    signatures = join(signatures, feature.signatures);
    rsa ||= feature.rsa === true;
    NameConstraints = feature.NameConstraints ?? NameConstraints;
  }
  return Object.freeze({ extensions, keys, signatures, rsa, NameConstraints });
}

function join<T extends { readonly oid: Oid }>(rows: readonly T[], added: readonly T[] = []): readonly T[] {
  const all = rows.slice();
  for (let i = 0; i < added.length; i++) {
    const at = rows.findIndex(({ oid }) => oid === added[i].oid);
    all[at < 0 ? all.length : at] = added[i];
  }
  return table(all);
}
