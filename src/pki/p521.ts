import { faults } from "../wire/fault.js";
import { table } from "../wire/table.js";
import type { KeyRow, SubjectKey } from "./algorithm.js";
import type { PkiTables } from "./certificate.js";
import { type Der, type Oid, tag } from "./der.js";

/** 1.2.840.10045.2.1, id-ecPublicKey; 1.3.132.0.35, secp521r1, RFC 5480 2.1.1.1. */
const ecPublicKey: Oid = "\x2a\x86\x48\xce\x3d\x02\x01";
const secp521r1: Oid = "\x2b\x81\x04\x00\x23";

/** Bytes of an uncompressed point. */
const POINT = 133;

/** The tables with keys on P-521, beside those on P-256 and P-384; what they sign with SHA-512 is in every table. */
export function withP521(tables: PkiTables): PkiTables {
  const keys = table(tables.keys.map((row) => (row.oid === ecPublicKey ? rowOver(row) : row)));
  return Object.freeze(Object.assign({}, tables, { keys }));
}

/** ECParameters, RFC 5480 2.1.1, and uncompressed points only, as on the other curves. */
function rowOver(others: KeyRow): KeyRow {
  return {
    oid: others.oid,
    read: (der) => (isP521(der) ? "p521" : others.read(der)),
    check(key) {
      if (key.kind === "p521") checkPoint(key);
      else others.check(key);
    },
  };
}

/** Reads the curve's name if it is that; else nothing. */
export function isP521(der: Der): boolean {
  const { at } = der;
  const is = der.peek() === tag.OID && der.identifier() === secp521r1;
  if (!is) der.at = at;
  return is;
}

function checkPoint({ bytes, start, end }: SubjectKey): void {
  if (end - start !== POINT || bytes[start] !== 4) throw faults.CERT_KEY;
}
