import { faults } from "../wire/fault.js";
import { signatureScheme } from "../wire/registry.js";
import { table } from "../wire/table.js";
import type { KeyRow, SignatureRow, SubjectKey } from "./algorithm.js";
import type { PkiFeature } from "./certificate.js";
import type { Oid } from "./der.js";

/** 1.3.101.113, id-Ed448, RFC 8410 section 3. */
const oid: Oid = "\x2b\x65\x71";
/** Bytes of a key, RFC 8032 5.2.5. */
const KEY = 57;

/** Ed448: its keys, and what they sign. */
export const ed448: PkiFeature = Object.freeze({
  keys: table<KeyRow>([{ oid, read: () => "ed448", check: checkKey }]),
  signatures: table<SignatureRow>([{ oid, scheme: signatureScheme.ed448 }]),
});

function checkKey({ start, end }: SubjectKey): void {
  if (end - start !== KEY) throw faults.CERT_KEY;
}
