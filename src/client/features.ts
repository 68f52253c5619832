import type { ExtensionRow } from "../handshake/extensionrow.js";
import { extensionTable } from "../handshake/extensionrow.js";
import type { PkiFeature } from "../pki/certificate.js";
import { pkiTables } from "../pki/tables.js";
import type { AnyRow } from "../record/engine.js";
import { table } from "../wire/table.js";
import { rows13 } from "./client13.js";
import { extensions } from "./extensions.js";
import type { Beginning, Feature, Features, Resumption, Tls12 } from "./feature.js";
import { rowsHello } from "./hello.js";

/** What a client may be made of; what is left out is in no bundle, and to ask for it is an error. */
export interface Parts {
  readonly tls12?: Tls12 | undefined;
  readonly statusV2?: Feature | undefined;
  readonly clientCertificates?: Beginning | undefined;
  readonly resumption?: Resumption | undefined;
  readonly nameConstraints?: PkiFeature | undefined;
  readonly rsa?: PkiFeature | undefined;
}

/** Puts features together. To be called where a module begins, so that a device has the tables in flash. */
export function features(given: Parts): Features {
  const { tls12, statusV2, clientCertificates, resumption, nameConstraints, rsa } = given;
  // pre_shared_key is the last extension (RFC 8446 4.2.11)
  const parts = [tls12, statusV2, clientCertificates, resumption];
  const rows = (name: "rowsHello" | "rows12" | "rows13", base: readonly AnyRow[]) =>
    table(parts.reduce((all, part) => all.concat(part?.[name] ?? []), base));
  const all: readonly ExtensionRow<never>[] = extensions;
  return Object.freeze({
    tls12,
    statusV2,
    clientCertificates,
    resumption,
    pki: pkiTables([nameConstraints, rsa].filter((each) => each !== undefined)),
    extensions: extensionTable(parts.reduce((own, part) => own.concat(part?.extensions ?? []), all)),
    rowsHello: rows("rowsHello", rowsHello),
    rows12: rows("rows12", []),
    rows13: rows("rows13", rows13),
  });
}
