import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { type CrlTemplate, crl } from "../../../certs/crl.js";
import { children, integer, utcTime } from "../../../certs/der.js";
import { credential, type Edition } from "../../../certs/fixtures.js";
import { readKey } from "../../../certs/keys.js";

const day = 86_400_000;
const at = (days: number) => utcTime(new Date(Date.now() + days * day).toISOString());

/** A CRL of a CA of the good PKI, current for a day, with these holders' certificates on it. */
export function crlOf(
  edition: Edition | "client",
  issuer: string,
  revoked: readonly string[] = [],
  parts: Partial<CrlTemplate> = {},
): Buffer {
  const { keyFile, chain } = credential(edition, issuer);
  const signer = { name: subjectOf(chain[0]), key: readKey(readFileSync(keyFile, "utf8")) };
  const entries = revoked.map((holder) => ({
    serial: serialOf(credential(edition, holder).chain[0]),
    reason: 1,
    date: at(-1),
  }));
  return crl({ signer, revoked: entries, thisUpdate: at(-1), nextUpdate: at(1), ...parts });
}

/** A list that ended yesterday. */
export const stale: Partial<CrlTemplate> = { thisUpdate: at(-3), nextUpdate: at(-1) };

const serialOf = (der: Buffer) => integer(BigInt(`0x${new X509Certificate(der).serialNumber}`));

/** The sixth field of a TBSCertificate. */
const subjectOf = (der: Buffer) => children(children(der)[0])[5];
