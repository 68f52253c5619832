import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { type CrlTemplate, crl } from "../../certs/crl.js";
import { children, integer, utcTime } from "../../certs/der.js";
import { credential, type Edition } from "../../certs/fixtures.js";
import { readKey } from "../../certs/keys.js";

/** A CRL of a CA of the good PKI, current as long as that is, with these holders' certificates on it. */
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
  }));
  return crl({ signer, revoked: entries, ...parts });
}

/** Of a list that has ended. */
export const stale: Partial<CrlTemplate> = {
  thisUpdate: utcTime("2026-01-01T00:00:00Z"),
  nextUpdate: utcTime("2026-01-08T00:00:00Z"),
};

const serialOf = (der: Buffer) => integer(BigInt(`0x${new X509Certificate(der).serialNumber}`));

/** The sixth field of a TBSCertificate. */
const subjectOf = (der: Buffer) => children(children(der)[0])[5];
