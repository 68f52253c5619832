import { extensionTable } from "../handshake/extensiontable.js";
import type { PkiFeature } from "../pki/certificate.js";
import { pkiTables } from "../pki/tables.js";
import { COLUMNS } from "../record/row.js";
import { tableOf } from "../wire/join.js";
import { rows13 } from "./client13.js";
import { extensions } from "./extensions.js";
import type { Beginning, Called, Feature, Features, Resumption, Tls12 } from "./feature.js";
import { rowsHello } from "./hello.js";

/** What a client may be made of; what is left out is in no bundle, and to ask for it is an error. */
export interface Parts {
  readonly tls12?: Called<Tls12> | undefined;
  readonly statusV2?: Feature | undefined;
  readonly clientCertificates?: Called<Beginning> | undefined;
  readonly resumption?: Called<Resumption> | undefined;
  readonly nameConstraints?: PkiFeature | undefined;
  readonly rsa?: PkiFeature | undefined;
}

/** Puts features together. To be called where a module begins, so that a device has the tables in flash. */
export function features(given: Parts): Features {
  const { tls12, statusV2, clientCertificates, resumption, nameConstraints, rsa } = given;
  // pre_shared_key is the last extension (RFC 8446 4.2.11)
  const parts: (Feature | undefined)[] = [tls12, statusV2, clientCertificates, resumption];
  const all = <T>(of: (part: Feature) => T | undefined, base?: T): T[] =>
    [base].concat(parts.map((part) => part && of(part))).filter((each) => each !== undefined);
  return Object.freeze({
    tls12: tls12?.calls,
    statusV2: statusV2 !== undefined,
    clientCertificates: clientCertificates?.calls,
    resumption: resumption?.calls,
    pki: pkiTables([nameConstraints, rsa].filter((each) => each !== undefined)),
    extensions: extensionTable(all((part) => part.extensions, extensions)),
    tableHello: tableOf(
      COLUMNS,
      all((part) => part.rowsHello, rowsHello),
    ),
    table12: tableOf(
      COLUMNS,
      all((part) => part.rows12),
    ),
    table13: tableOf(
      COLUMNS,
      all((part) => part.rows13, rows13),
    ),
  });
}
