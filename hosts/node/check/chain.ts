import { X509Certificate } from "node:crypto";
import { isIssuedBy } from "../ocsp/subject.js";

/** Whether each certificate that was sent is followed by its issuer's (RFC 5246 7.4.2), as far as there are any. */
export function isInOrder(certificates: readonly Buffer[]): boolean {
  try {
    const parsed = certificates.map((der) => new X509Certificate(der));
    return parsed.every((each, i) => i + 1 === parsed.length || isIssuedBy(each, parsed[i + 1]));
  } catch {
    // Among them is what is no certificate
    return false;
  }
}

/** From the server's own certificate upwards, where no path was found: as far as each is followed by its issuer's. */
export function sentPath(certificates: readonly Buffer[]): Buffer[] {
  const length = certificates.findIndex((_, i) => !isInOrder(certificates.slice(i, i + 2)));
  return certificates.slice(0, length < 0 ? certificates.length : length + 1);
}
