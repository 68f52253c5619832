/** What an OCSP request and the judgment of its answer are about. */

import { createHash, type X509Certificate } from "node:crypto";
import { Certificate, type Der, everything, tag, withFeature } from "../../../src/pki/index.js";

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
 * @throws Fault CERT_MALFORMED, CERT_KEY or CERT_ALGORITHM_MISMATCH
 */
export function readSubject(pair: Pair): Subject {
  const certificate = new NamingCertificate();
  certificate.read(naming, Uint8Array.from(pair.certificate), 0, pair.certificate.length);
  const issuer = new Certificate();
  issuer.read(everything, Uint8Array.from(pair.issuer), 0, pair.issuer.length);
  const urls = certificate.responders.filter((url) => /^https?:/i.test(url)).slice(0, maxUrls);
  return { certificate, issuer, urls };
}

/** A certificate, and the responders that it names. */
class NamingCertificate extends Certificate {
  readonly responders: string[] = [];
}

/** The tables with the extension that names them, 1.3.6.1.5.5.7.1.1. */
const naming = withFeature(everything, {
  extensions: [{ oid: "\x2b\x06\x01\x05\x05\x07\x01\x01", read: readAccess }],
});

/** uniformResourceIdentifier of GeneralName, RFC 5280 4.2.1.6. */
const URI = tag.CONTEXT + 6;

/** AuthorityInfoAccessSyntax, RFC 5280 4.2.2.1, of which id-ad-ocsp matters, 1.3.6.1.5.5.7.48.1. */
function readAccess(der: Der, to: Certificate): void {
  const outer = der.enter(tag.SEQUENCE);
  while (der.more) {
    const access = der.enter(tag.SEQUENCE);
    const method = der.identifier();
    const isUri = der.peek() === URI;
    const start = isUri ? der.value(URI) : der.skip();
    if (isUri && method === "\x2b\x06\x01\x05\x05\x07\x30\x01" && to instanceof NamingCertificate)
      to.responders.push(Buffer.from(der.bytes.subarray(start, der.at)).toString("latin1"));
    der.leave(access);
  }
  der.leave(outer);
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
