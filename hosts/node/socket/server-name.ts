import { isIPv4 } from "node:net";
import { domainToASCII } from "node:url";
import { generalName, parseReference } from "../../../src/pki/index.js";
import { typeError, valueError } from "../common/errors.js";
import type { Read } from "../common/read.js";

/** A name that a certificate can have: a DNS name, in A-labels where it is international, or an IP address. */
export const serverName: Read<string> = (value, name) => {
  if (typeof value !== "string") throw typeError(name, "a string");
  if (isServerName(value)) return value;
  const meant = withoutBrackets(domainToASCII(value));
  const hint = isServerName(meant) ? `did you mean ${meant}?` : hints[name];
  throw valueError(name, `"${value}" is neither a DNS name nor an IP address; ${hint}`);
};

const hints: Readonly<Record<string, string>> = Object.freeze({
  host: "give the name that the certificate has as servername (-S)",
  servername: "give a name that the certificate has",
});

/** As in a URL, where an IPv6 address stands in brackets (RFC 3986 3.2.2). */
export function withoutBrackets(host: string): string {
  return host.replace(/^\[(.*)\]$/, "$1");
}

/** What the system takes for an address in another form, such as 0x7f.1, is no name. */
function isServerName(text: string): boolean {
  try {
    return parseReference(text).form === generalName.iPAddress || !isIPv4(domainToASCII(text));
  } catch {
    return false;
  }
}
