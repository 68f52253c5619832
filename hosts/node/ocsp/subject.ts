/** What an OCSP request and the judgment of its answer are about. */

import { createHash, type X509Certificate } from "node:crypto";
import { AsnConvert } from "@peculiar/asn1-schema";
import { Certificate as AsnCertificate } from "@peculiar/asn1-x509";
import { Certificate } from "../../../src/pki/index.js";
import { ocspResponders } from "../common/describe.js";

/** A certificate in DER, and that of the CA which issued it. */
export interface Pair {
  readonly certificate: Uint8Array;
  readonly issuer: Uint8Array;
}

/** The same, parsed. */
export interface Subject {
  readonly certificate: Certificate;
  readonly issuer: Certificate;
  /** The responders that the certificate names, http or https: four at most, so that none makes much work. */
  readonly urls: readonly string[];
}

const maxUrls = 4;

/**
 * Parses a pair, of which it keeps copies. That the one issued the other is for the caller to know.
 * @throws Fault CERT_MALFORMED, CERT_KEY or CERT_ALGORITHM_MISMATCH; Error when the extensions are malformed
 */
export function readSubject({ certificate, issuer }: Pair): Subject {
  return { certificate: parse(certificate), issuer: parse(issuer), urls: readUrls(certificate) };
}

function parse(der: Uint8Array): Certificate {
  const certificate = new Certificate();
  certificate.read(Uint8Array.from(der), 0, der.length);
  return certificate;
}

function readUrls(der: Uint8Array): string[] {
  const { extensions = [] } = AsnConvert.parse(der, AsnCertificate).tbsCertificate;
  return ocspResponders(extensions)
    .filter((url) => /^https?:/i.test(url))
    .slice(0, maxUrls);
}

/**
 * Whether the names, the key identifiers and the signature say that `issuer` issued `certificate`. A key that
 * OpenSSL does not know has issued nothing.
 */
export function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
  } catch {
    return false;
  }
}

/** The certificate's serial number in hexadecimal. */
export function serialOf({ certificate }: Subject): string {
  const { bytes, serialStart, serialEnd } = certificate;
  return Buffer.from(bytes.subarray(serialStart, serialEnd)).toString("hex");
}

/** What certificates are known by: the SHA-256 of their DER, each with its length, in hexadecimal. */
export function digest(certificates: readonly Uint8Array[]): string {
  const hash = createHash("sha256");
  for (const der of certificates) hash.update(`${der.length}:`).update(der);
  return hash.digest("hex");
}
